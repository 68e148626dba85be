"""What is believed of the configurations, and how results change it."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from conftest import record

from sk_meta import KnowledgeBase
from sk_meta._belief import Gaussian
from sk_meta._catalogue import catalogue
from sk_meta._history import History, from_h, to_h
from sk_meta._metamodel import META_FEATURES, MetaModel, out_of_family
from sk_meta._prior import PRIORS
from sk_meta._scoring import STORED_METRICS

TASKS = ("classification", "regression")
ALL_STORED = [(task, name) for task, names in STORED_METRICS.items() for name in names]
SIZES = {
    "nr_inst": 300.0,
    "nr_encoded": 12.0,
    "inst_to_attr": 30.0,
    "nr_class": 2.0,
    "freq_class.min": 0.4,
}


def names_of(task):
    return tuple(c.name for c in catalogue(task))


def with_both_kinds(*records):
    """A knowledge base of these records beside a task of regression."""
    other = record("other", "regression", "other")
    for r in (*records, other):
        r["meta_features"] = dict(SIZES)
    return KnowledgeBase.from_records([*records, other], {})


@pytest.fixture(scope="module", params=TASKS)
def history(request, knowledge):
    metric = STORED_METRICS[request.param][0]
    return request.param, History.of(
        knowledge, request.param, metric, names_of(request.param)
    )


@pytest.fixture
def belief(history):
    """Belief about a new task of ordinary size."""
    task, past = history
    return MetaModel().fit(past, task).belief(SIZES)


@pytest.fixture
def gaussian():
    rng = np.random.RandomState(0)
    root = rng.normal(size=(5, 5))
    return rng.normal(size=5), root @ root.T


def conditioned(mean, covariance, observations, noise):
    """The textbook formula for all observations at once."""
    seen = list(observations)
    values = np.array([observations[i] for i in seen])
    inner = np.linalg.inv(covariance[np.ix_(seen, seen)] + noise * np.eye(len(seen)))
    gain = covariance[:, seen] @ inner
    return mean + gain @ (values - mean[seen]), covariance - gain @ covariance[seen]


@pytest.mark.parametrize("order", list(permutations([0, 2, 3])))
def test_conditioning_is_the_closed_form_in_any_order(gaussian, order):
    mean, covariance = gaussian
    observations = {0: 1.0, 2: -0.5, 3: 2.0}
    belief = Gaussian(mean, covariance)
    for index in order:
        belief.observe(index, observations[index], 0.1)
    expected = conditioned(mean, covariance, observations, 0.1)
    np.testing.assert_allclose(belief.mean, expected[0])
    np.testing.assert_allclose(belief.covariance, expected[1], atol=1e-12)


def test_densities_of_the_observations_multiply_to_the_joint_one(gaussian):
    mean, covariance = gaussian
    belief = Gaussian(mean, covariance)
    total = sum(belief.observe(i, v, 0.1) for i, v in [(1, 0.3), (4, -1.0)])
    inner = covariance[np.ix_([1, 4], [1, 4])] + 0.1 * np.eye(2)
    gap = np.array([0.3, -1.0]) - mean[[1, 4]]
    joint = -0.5 * (gap @ np.linalg.solve(inner, gap) + np.log(np.linalg.det(inner)))
    assert total == pytest.approx(joint)


def test_observing_leaves_the_given_arrays_alone(gaussian):
    mean, covariance = (array.copy() for array in gaussian)
    Gaussian(*gaussian).observe(0, 5.0, 0.1)
    np.testing.assert_array_equal(gaussian[0], mean)
    np.testing.assert_array_equal(gaussian[1], covariance)


def test_spread_never_grows_when_something_is_observed(gaussian):
    belief = Gaussian(*gaussian)
    before = belief.sd()
    belief.observe(2, 9.0, 0.1)
    assert (belief.sd() <= before + 1e-12).all()
    assert belief.sd()[2] < np.sqrt(0.1)


def test_relative_log_loss_and_back():
    loss, dummy = np.array([0.0, 0.01, 0.3, 0.69, 2.0]), 0.69
    h = to_h(loss, dummy)
    assert np.isfinite(h).all() and (np.diff(h) > 0).all()
    np.testing.assert_allclose(from_h(h, dummy), loss, atol=1e-12)


def test_relative_log_loss_has_no_unit():
    np.testing.assert_allclose(to_h(3.0, 4.0), to_h(3000.0, 4000.0))


def test_loss_of_the_dummy_is_near_zero():
    assert to_h(5.0, 5.0) == pytest.approx(np.log(1.02))


@pytest.mark.parametrize(("task", "metric"), ALL_STORED)
def test_history_is_complete_and_finite(knowledge, task, metric):
    names = names_of(task)
    past = History.of(knowledge, task, metric, names)
    assert past.h.shape == (len(past.tasks), len(names)) == past.log_seconds.shape
    assert np.isfinite(past.h).all()
    assert len(past.tasks) >= 0.8 * len(knowledge.select(task))


def test_history_keeps_what_was_measured(knowledge):
    names = names_of("regression")
    past = History.of(knowledge, "regression", "neg_mean_absolute_error", names)
    scores = knowledge.scores("regression", "neg_mean_absolute_error")
    loss = -scores.loc[past.tasks.index, ["ridge", "dummy"]].to_numpy()
    column = past.h[:, names.index("ridge")]
    measured = np.isfinite(loss[:, 0])
    expected = to_h(loss[:, 0], loss[:, 1])
    np.testing.assert_allclose(column[measured], expected[measured])


def test_configuration_that_was_never_run_is_filled_in(knowledge):
    names = (*names_of("regression"), "never heard of")
    past = History.of(knowledge, "regression", "r2", names)
    assert np.isfinite(past.h).all()
    column = past.h[:, -1]
    assert ((past.h.min(axis=1) <= column) & (column <= past.h.max(axis=1))).all()
    assert np.isfinite(MetaModel().fit(past, "regression").belief(SIZES).mean()).all()


def test_failure_is_worse_than_everything_measured_on_the_task(knowledge):
    bad = {"status": "failed", "error": "ValueError: no", "folds": []}
    merged = knowledge.merge(with_both_kinds(record(**{"logistic-C1": bad})))
    names = names_of("classification")
    past = History.of(merged, "classification", "accuracy", names)
    row = past.h[list(past.tasks.index).index("mine")]
    assert row[names.index("logistic-C1")] >= row[names.index("dummy")]


def test_standard_scores_are_standard(history):
    _, past = history
    location, spread, z = past.standardised()
    assert location.shape == spread.shape == (len(past.tasks),)
    assert (spread > 0).all()
    assert z.max() <= 1
    np.testing.assert_allclose(np.median(z, axis=1), 0, atol=1e-12)
    below = z < 1
    back = location[:, None] + spread[:, None] * z
    np.testing.assert_allclose(back[below], past.h[below])


def test_normalised_regret_is_zero_for_the_best_of_each_task(history):
    regret = history[1].normalised()
    assert (regret.min(axis=1) == 0).all() and regret.max() <= 1


class Recording:
    """A prior that remembers which tasks it saw in ``fit`` and ``predict``."""

    log: list = []

    def fit(self, features, targets):
        self.trained = set(features[:, 0])
        return self

    def predict(self, features):
        self.log.append((self.trained, set(features[:, 0])))
        return np.repeat(features[:, :1], 2, axis=1)


@pytest.mark.parametrize("n_splits", [2, 10, 99])
def test_out_of_family_never_trains_on_the_family(n_splits):
    families = np.repeat(list("abcdefgh"), [1, 5, 2, 2, 3, 1, 4, 2])
    family_of = dict(enumerate(families))
    features = np.arange(20.0)[:, None]
    Recording.log.clear()
    predicted = out_of_family(
        Recording, features, np.zeros((20, 2)), families, n_splits
    )
    assert Recording.log
    for trained, tested in Recording.log:
        assert not {family_of[i] for i in trained} & {family_of[i] for i in tested}
        assert trained | tested == set(range(20))
    np.testing.assert_array_equal(predicted[:, 0], features[:, 0])


@pytest.mark.parametrize("kind", PRIORS)
def test_every_kind_of_meta_model_gives_a_belief(history, kind):
    task, past = history
    belief = MetaModel(kind).fit(past, task).belief(SIZES)
    for values in (belief.mean(), belief.sd(), belief.seconds()):
        assert values.shape == (len(past.names),)
        assert np.isfinite(values).all()
    assert (belief.sd() > 0).all() and (belief.seconds() > 0).all()


@pytest.mark.parametrize(
    "changed",
    [
        {"nr_inst": 2.0, "inst_to_attr": 0.01},
        {"nr_inst": 1e7, "nr_encoded": 1e5},
        {"inst_to_attr": np.nan, "freq_class.min": np.nan},
        {"nr_class": 500.0},
    ],
)
def test_extreme_and_missing_meta_features_give_a_finite_belief(history, changed):
    task, past = history
    belief = MetaModel().fit(past, task).belief({**SIZES, **changed})
    assert np.isfinite(belief.mean()).all()
    assert np.isfinite(belief.seconds()).all()


def test_the_dummy_is_believed_to_be_among_the_worst(belief):
    order = np.argsort(belief.mean())
    rank = list(order).index(belief.names.index("dummy"))
    assert rank > 0.8 * len(order)


def test_meta_features_matter(history):
    task, past = history
    model = MetaModel().fit(past, task)
    small, large = (
        model.belief({**SIZES, "nr_inst": n, "inst_to_attr": n / 10}).mean()
        for n in (60.0, 20_000.0)
    )
    assert np.abs((small - small.mean()) - (large - large.mean())).max() > 0.01


def test_observed_result_moves_the_belief_to_it(belief):
    index = belief.names.index("forest")
    value = belief.mean()[index] + 0.5
    before = belief.sd()[index]
    belief.observe(index, value)
    assert belief.mean()[index] == pytest.approx(value, abs=0.05)
    assert belief.sd()[index] < before / 2
    assert belief.observed == {index: value}


@pytest.mark.parametrize("shift", [-0.5, 0.5])
def test_siblings_move_along_more_than_the_rest(belief, shift):
    index = belief.names.index("forest")
    before = belief.mean()
    belief.observe(index, before[index] + shift)
    moved = (belief.mean() - before) / shift
    kin = [name.startswith("forest-") for name in belief.names]
    rest = [not name.startswith(("forest", "extra")) for name in belief.names]
    assert (moved[kin] > 0.5).all()
    assert moved[kin].mean() > moved[rest].mean()


def test_configurations_that_went_together_move_together():
    # Four groups of three configurations, each group good or bad as a whole.
    rng = np.random.RandomState(0)
    n_tasks = 80
    groups = np.repeat(rng.normal(size=(n_tasks, 4)), 3, axis=1)
    h = -1 + 0.3 * groups + 0.03 * rng.normal(size=(n_tasks, 12))
    tasks = pd.DataFrame([SIZES] * n_tasks)
    tasks["family"] = [f"family {i}" for i in range(n_tasks)]
    past = History(tuple("abcdefghijkl"), tasks, h, np.zeros_like(h))
    belief = MetaModel("none").fit(past, "regression").belief(SIZES)
    before = belief.mean()
    belief.observe(0, before[0] + 0.3)
    moved = (belief.mean() - before) / 0.3
    assert (moved[1:3] > 0.7).all()
    assert (np.abs(moved[3:]) < 0.5).all()


def test_noisy_results_move_the_belief_less(belief):
    index, other = belief.names.index("forest"), belief.copy()
    start = belief.mean()[index]
    belief.observe(index, start + 0.5, noise=0.0)
    other.observe(index, start + 0.5, noise=1.0)
    assert 0 < other.mean()[index] - start < belief.mean()[index] - start


def test_weights_of_the_spreads_stay_a_distribution(belief):
    rng = np.random.RandomState(0)
    for index in rng.permutation(len(belief.names))[:12]:
        belief.observe(int(index), float(belief.mean()[index] + rng.normal()))
    assert belief.weights.sum() == pytest.approx(1)
    assert (belief.weights >= 0).all()
    assert np.isfinite(belief.mean()).all() and np.isfinite(belief.sd()).all()


def test_order_of_the_results_does_not_matter(belief):
    twin = belief.copy()
    results = {3: -0.5, 10: -0.9, 20: -0.1}
    for index in results:
        belief.observe(index, results[index], 0.01)
    for index in reversed(list(results)):
        twin.observe(index, results[index], 0.01)
    np.testing.assert_allclose(belief.mean(), twin.mean())
    np.testing.assert_allclose(belief.sd(), twin.sd())


def test_results_of_the_copy_leave_the_original_alone(belief):
    before = belief.mean(), belief.sd(), belief.weights
    twin = belief.copy()
    twin.observe(0, -3.0)
    for old, new in zip(
        before, (belief.mean(), belief.sd(), belief.weights), strict=True
    ):
        np.testing.assert_array_equal(old, new)
    assert belief.observed == {} and twin.observed == {0: -3.0}


def test_seconds_of_the_copy_leave_the_original_alone(belief):
    before = belief.seconds()
    belief.copy().observe_seconds(0, 1000.0)
    np.testing.assert_array_equal(belief.seconds(), before)


@pytest.mark.parametrize("factor", [0.2, 5.0])
def test_durations_of_some_move_the_clock_of_all(belief, factor):
    before = belief.seconds()
    seen = [
        belief.names.index(name)
        for name in ("forest", "knn-5", "hist-gb", "mlp-64", "extra-trees")
    ]
    for index in seen:
        belief.observe_seconds(index, before[index] * factor)
    moved = np.log(belief.seconds() / before) / np.log(factor)
    assert (moved[seen] > 0.7).all()
    wrong_way = [name for name, m in zip(belief.names, moved, strict=True) if m < 0]
    assert wrong_way == []


def test_cautious_seconds_are_more_than_expected_ones(belief):
    assert (belief.seconds_at_most() > belief.seconds()).all()


def test_large_tables_take_longer(history):
    task, past = history
    model = MetaModel().fit(past, task)
    small, large = (
        model.belief({**SIZES, "nr_inst": n}).seconds() for n in (200.0, 3000.0)
    )
    assert (large > small).mean() > 0.9


def test_expected_improvement_is_never_negative(belief):
    for index in (0, 5, 9):
        belief.observe(index, float(belief.mean()[index]))
        assert (belief.expected_improvement() >= 0).all()


def test_nothing_is_expected_of_what_is_known_to_be_worse(belief):
    bad, good = belief.names.index("dummy"), belief.names.index("forest")
    belief.observe(good, -2.0)
    belief.observe(bad, 0.02)
    gain = belief.expected_improvement()
    assert gain[bad] < 1e-3 * gain.max()
    assert gain.max() > 0


def test_portfolio_gain_prefers_what_won_before(history):
    task, past = history
    belief = MetaModel().fit(past, task).belief(SIZES)
    best = int(belief.portfolio_gain().argmax())
    regret = past.normalised().mean(axis=0)
    assert regret[best] == pytest.approx(regret.min())


def test_portfolio_gain_of_the_best_observed_is_nothing(belief):
    index = int(belief.portfolio_gain().argmax())
    belief.observe(index, float(belief.mean()[index]))
    gain = belief.portfolio_gain()
    assert gain[index] < 1e-3
    assert gain.max() > gain[index]


def test_utility_is_given_for_what_is_allowed(belief):
    allowed = [4, 1, 30]
    assert belief.utility(allowed).shape == (3,)
    belief.observe(2, -0.5)
    after = belief.utility(allowed)
    assert after.shape == (3,) and (after >= 0).all() and after.max() >= 1


def test_belief_about_a_known_task_ranks_its_winner_high(knowledge):
    past = History.of(
        knowledge, "classification", "neg_log_loss", names_of("classification")
    )
    model = MetaModel().fit(past, "classification")
    names = META_FEATURES["classification"]
    ranks = []
    for row, (_, task) in zip(past.h, past.tasks.iterrows(), strict=True):
        mean = model.belief({name: task[name] for name in names}).mean()
        ranks.append((mean < mean[row.argmin()]).mean())
    assert np.mean(ranks) < 0.4


def test_adding_a_task_moves_the_ranking(knowledge):
    names = names_of("classification")
    metrics = STORED_METRICS["classification"]
    rng = np.random.RandomState(0)

    def result(loss):
        scores = {m: -loss if m.startswith("neg") else 1 - loss for m in metrics}
        fold = {"fit_seconds": 0.1, "predict_seconds": 0.01, **scores}
        return {"status": "ok", "error": None, "folds": [fold, fold]}

    # On tasks of exactly this size, a configuration that is poor elsewhere won.
    new = []
    for k in range(3):
        losses = {name: 0.4 + 0.02 * rng.rand() for name in names}
        losses.update({"dummy": 0.5, "tree-depth3": 0.02})
        results = {name: result(loss) for name, loss in losses.items()}
        new.append(record(f"mine{k}", family=f"mine{k}", **results))
    merged = knowledge.merge(with_both_kinds(*new))

    def rank(base):
        past = History.of(base, "classification", "accuracy", names)
        mean = MetaModel().fit(past, "classification").belief(SIZES).mean()
        return int((mean < mean[names.index("tree-depth3")]).sum())

    assert rank(merged) < rank(knowledge) - 5
