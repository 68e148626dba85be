"""What is believed of the configurations, and how results change it."""

from functools import cache
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from conftest import excerpt, record

from sk_meta import KnowledgeBase
from sk_meta._belief import Gaussian
from sk_meta._catalogue import catalogue
from sk_meta._history import Experience, History, from_h, h_per_loss, to_h
from sk_meta._metamodel import META_FEATURES, MetaModel
from sk_meta._novelty import Novelty
from sk_meta._priors import MEMBERS, PRIORS
from sk_meta._scoring import STORED_METRICS

TASKS = ("classification", "regression")
FIRST = {task: STORED_METRICS[task][0] for task in TASKS}
SIZES = {
    "nr_inst": 300.0,
    "nr_encoded": 12.0,
    "inst_to_attr": 25.0,
    "nr_class": 2.0,
    "freq_class.min": 0.4,
}
SCHEMA_1 = {
    "classification": STORED_METRICS["classification"][:5],
    "regression": STORED_METRICS["regression"][:4],
}
ADDED = {task: STORED_METRICS[task][len(SCHEMA_1[task]) :] for task in TASKS}
every_old_metric = pytest.mark.parametrize(
    ("task", "metric"), [(task, name) for task in TASKS for name in SCHEMA_1[task]]
)


def names_of(task, knowledge=None):
    """The catalogue, or the part of it that a knowledge base has results of."""
    if knowledge is None:
        return tuple(c.name for c in catalogue(task))
    known = set(knowledge.results[task]["configuration"])
    return tuple(name for name in names_of(task) if name in known)


def with_both_kinds(*records):
    """A knowledge base of these records beside a task of regression."""
    other = record("other", "regression", "other")
    for r in (*records, other):
        r["meta_features"] = dict(SIZES)
    return KnowledgeBase.from_records([*records, other], {})


def made_up(n_tasks=40, n_names=8, metrics=("one", "two"), seed=0):
    """Experience in which the number of rows says which half is better."""
    rng = np.random.RandomState(seed)
    rows = np.exp(rng.uniform(4, 8, n_tasks))
    tasks = pd.DataFrame(
        {
            "nr_inst": rows,
            "nr_encoded": rng.randint(4, 40, n_tasks).astype(float),
            "inst_to_attr": rows / 10,
            "family": [f"family {i}" for i in range(n_tasks)],
        },
        index=[f"task {i}" for i in range(n_tasks)],
    )
    names = tuple("abcdefghijklmnop"[:n_names])
    trend = np.outer(np.log(rows) - 6, np.where(np.arange(n_names) % 2, 0.3, -0.3))
    log_seconds = np.repeat(np.log(rows)[:, None] - 7, n_names, axis=1)
    histories = {
        metric: History(
            names,
            tasks,
            -1 + trend + 0.1 * rng.normal(size=trend.shape),
            log_seconds,
        )
        for metric in metrics
    }
    return Experience(names, tasks, histories, log_seconds)


@pytest.fixture(scope="module")
def some_families(knowledge):
    """Forty families of either kind."""
    return excerpt(knowledge, 40)


@pytest.fixture(scope="module", params=TASKS)
def learned(request, some_families):
    """Kind of task, a hybrid meta-model and the history of its first metric."""
    task = request.param
    names = names_of(task, some_families)
    experience = Experience.of(some_families, task, names)
    model = MetaModel().fit(experience, task)
    return task, model, experience.histories[FIRST[task]]


@pytest.fixture
def history(learned):
    return learned[2]


@pytest.fixture
def belief(learned):
    """Belief about a new task of ordinary size."""
    task, model, _ = learned
    return model.belief(SIZES, FIRST[task])


@pytest.fixture(scope="module")
def small():
    """A hybrid that was trained on what is made up."""
    experience = made_up()
    return experience, MetaModel().fit(experience, "regression")


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


@pytest.mark.parametrize("loss", [0.0, 0.01, 0.4, 3.0])
def test_noise_of_a_loss_is_carried_to_h_by_the_derivative(loss):
    step = 1e-6
    slope = (to_h(loss + step, 0.7) - to_h(loss, 0.7)) / step
    assert h_per_loss(loss, 0.7) == pytest.approx(slope, rel=1e-3)


def test_relative_log_loss_and_back():
    loss, dummy = np.array([0.0, 0.01, 0.3, 0.69, 2.0]), 0.69
    h = to_h(loss, dummy)
    assert np.isfinite(h).all() and (np.diff(h) > 0).all()
    np.testing.assert_allclose(from_h(h, dummy), loss, atol=1e-12)


def test_relative_log_loss_has_no_unit():
    np.testing.assert_allclose(to_h(3.0, 4.0), to_h(3000.0, 4000.0))


def test_loss_of_the_dummy_is_near_zero():
    assert to_h(5.0, 5.0) == pytest.approx(np.log(1.02))


@every_old_metric
def test_history_is_complete_and_finite(some_families, task, metric):
    names = names_of(task)
    past = History.of(some_families, task, metric, names)
    assert past.h.shape == (len(past.tasks), len(names)) == past.log_seconds.shape
    assert np.isfinite(past.h).all()
    assert len(past.tasks) >= 0.8 * len(some_families.select(task))


def test_history_keeps_what_was_measured(knowledge):
    names = names_of("regression", knowledge)
    past = History.of(knowledge, "regression", "neg_mean_absolute_error", names)
    loss = -knowledge.scores("regression", "neg_mean_absolute_error")
    loss = loss.loc[past.tasks.index].reindex(columns=list(names))
    dummy = loss["dummy"].to_numpy()[:, None]
    measured = np.isfinite(loss.to_numpy())
    assert measured.mean() > 0.5
    np.testing.assert_allclose(past.h[measured], to_h(loss.to_numpy(), dummy)[measured])


def test_configuration_that_was_never_run_is_filled_in(some_families):
    names = (*names_of("regression"), "never heard of")
    experience = Experience.of(some_families, "regression", names)
    past = experience.histories["r2"]
    assert np.isfinite(past.h).all()
    column = past.h[:, -1]
    assert ((past.h.min(axis=1) <= column) & (column <= past.h.max(axis=1))).all()
    model = MetaModel("linear").fit(experience, "regression")
    belief = model.belief(SIZES, "r2")
    assert np.isfinite(belief.mean()).all() and np.isfinite(belief.seconds()).all()


def test_failure_is_worse_than_everything_measured_on_the_task(some_families):
    bad = {"status": "failed", "error": "ValueError: no", "folds": []}
    names = names_of("classification")
    failed = next(name for name in names if name != "dummy")
    merged = some_families.merge(with_both_kinds(record(**{failed: bad})))
    past = History.of(merged, "classification", "accuracy", names)
    row = past.h[list(past.tasks.index).index("mine")]
    assert row[names.index(failed)] >= row[names.index("dummy")]


def test_too_few_tasks_are_refused(knowledge):
    families = knowledge.select("classification")["family"]
    single = [f for f, size in families.value_counts().items() if size == 1]
    few = knowledge.without(set(knowledge.tasks["family"]) - set(single[:3]))
    with pytest.raises(ValueError, match="at least 5 are needed"):
        Experience.of(few, "classification", names_of("classification"))


def test_standard_scores_are_standard(history):
    location, spread, z = history.standardised()
    assert location.shape == spread.shape == (len(history.tasks),)
    assert (spread > 0).all()
    assert z.max() <= 1
    np.testing.assert_allclose(np.median(z, axis=1), 0, atol=1e-12)
    below = z < 1
    back = location[:, None] + spread[:, None] * z
    np.testing.assert_allclose(back[below], history.h[below])


def test_normalised_regret_is_zero_for_the_best_of_each_task(history):
    regret = history.normalised
    assert (regret.min(axis=1) == 0).all() and regret.max() <= 1


@pytest.fixture
def with_gaps():
    """Experience in which the second metric says nothing of every third task."""
    whole = made_up(n_tasks=12, n_names=3, metrics=("one", "two", "three"))
    second = whole.histories["two"]
    kept = np.flatnonzero(np.arange(12) % 3)
    part = History(
        second.names,
        second.tasks.iloc[kept],
        second.h[kept],
        second.log_seconds[kept],
    )
    return Experience(
        whole.names,
        whole.tasks,
        {**whole.histories, "two": part},
        whole.log_seconds,
    )


def test_rows_are_where_the_tasks_of_a_metric_are(with_gaps):
    np.testing.assert_array_equal(with_gaps.rows("one"), np.arange(12))
    np.testing.assert_array_equal(with_gaps.rows("two"), [1, 2, 4, 5, 7, 8, 10, 11])


def test_part_is_the_columns_of_a_metric(with_gaps):
    targets = with_gaps.targets()
    assert targets.shape == (12, 9)
    parts = [with_gaps.part(targets, metric) for metric in ("one", "two", "three")]
    np.testing.assert_array_equal(np.hstack(parts), targets)
    for metric, part in zip(("one", "two", "three"), parts, strict=True):
        z = with_gaps.histories[metric].standardised()[2]
        np.testing.assert_array_equal(part[with_gaps.rows(metric)], z)


def test_metric_that_says_nothing_gets_the_mean_of_the_others(with_gaps):
    targets = with_gaps.targets()
    one, two, three = (with_gaps.part(targets, m) for m in ("one", "two", "three"))
    absent = np.arange(12) % 3 == 0
    np.testing.assert_allclose(two[absent], (one + three)[absent] / 2)


def test_every_family_counts_once():
    experience = made_up(n_tasks=6)
    experience.tasks["family"] = list("abbccc")
    np.testing.assert_allclose(
        experience.weights(), [1, 1 / 2, 1 / 2, 1 / 3, 1 / 3, 1 / 3]
    )


def test_task_without_a_loss_of_the_dummy_is_in_the_other_metrics(some_families):
    # The dummy is perfect in one metric, so that losses relative to it have no
    # meaning; the task keeps its place in all others.
    ideal = record()
    for fold in ideal["results"]["dummy"]["folds"]:
        fold["accuracy"] = 1.0
    merged = some_families.merge(with_both_kinds(ideal))
    experience = Experience.of(merged, "classification", names_of("classification"))
    assert "mine" not in experience.histories["accuracy"].tasks.index
    assert "mine" in experience.histories["neg_log_loss"].tasks.index
    position = experience.tasks.index.get_loc("mine")
    assert position not in experience.rows("accuracy")
    assert position in experience.rows("neg_log_loss")
    assert np.isfinite(experience.targets()).all()
    assert len(experience.log_seconds) == len(experience.tasks)
    model = MetaModel("none").fit(experience, "classification")
    assert np.isfinite(model.belief(SIZES, "accuracy").mean()).all()


@pytest.mark.parametrize("task", TASKS)
def test_metrics_that_were_not_recorded_are_refused_by_name(some_families, task):
    results = {
        kind: table.assign(**dict.fromkeys(ADDED[kind], np.nan))
        for kind, table in some_families.results.items()
    }
    old = KnowledgeBase(some_families.tasks, results, some_families.card)
    experience = Experience.of(old, task, names_of(task))
    assert set(experience.histories) == set(SCHEMA_1[task])
    model = MetaModel("none").fit(experience, task)
    for metric in SCHEMA_1[task]:
        assert np.isfinite(model.belief(SIZES, metric).mean()).all()
    for metric in ADDED[task]:
        with pytest.raises(ValueError, match=f"{metric}.*Merge it|another scoring"):
            model.belief(SIZES, metric)


@cache
def alone(kind):
    """A meta-model with one kind of prior, trained on what is made up."""
    return MetaModel(kind).fit(made_up(), "regression")


@pytest.mark.parametrize("kind", PRIORS)
def test_every_kind_of_meta_model_gives_a_belief(kind):
    model = alone(kind)
    for metric in model.experience.histories:
        belief = model.belief(SIZES, metric)
        for values in (belief.mean(), belief.sd(), belief.seconds()):
            assert values.shape == (8,)
            assert np.isfinite(values).all()
        assert (belief.sd() > 0).all() and (belief.seconds() > 0).all()
    assert model.weights_ == {kind: 1.0}
    assert (model.loss_curve_ is None) == (kind != "neural")


def test_hybrid_gives_a_belief_in_every_metric(learned):
    _, model, _ = learned
    assert len(model.experience.histories) >= 4
    for metric in model.experience.histories:
        belief = model.belief(SIZES, metric)
        assert np.isfinite(belief.mean()).all() and (belief.sd() > 0).all()


def test_hybrid_tells_the_weight_of_every_prior(learned):
    weights = learned[1].weights_
    assert tuple(weights) == MEMBERS["hybrid"]
    assert sum(weights.values()) == pytest.approx(1)
    assert min(weights.values()) >= 0


def test_hybrid_guesses_better_out_of_family_than_the_mean(learned):
    # Knowledge is what the residuals' covariance is smaller by.
    task, model, _ = learned
    none = MetaModel("none").restore(model.experience, task, model.arrays())
    for metric in model.experience.histories:
        sd = model.belief(SIZES, metric).sd().mean()
        assert sd < none.belief(SIZES, metric).sd().mean()


def test_training_loss_falls(learned):
    curve = learned[1].loss_curve_
    assert curve.ndim == 1 and len(curve) > 10
    assert curve[-1] < 0.9 * curve[0]


@pytest.mark.parametrize("kind", ["hybrid", "forest"])
def test_embedding_of_a_prior_task_is_its_own(small, kind):
    experience, whole = small
    model = MetaModel(kind).restore(experience, "regression", whole.arrays())
    assert len(model.embedding_) == len(experience.tasks)
    task = experience.tasks.iloc[7].drop("family").to_dict()
    np.testing.assert_allclose(model.embed(task), model.embedding_[7])
    assert np.abs(model.embed(task) - model.embed(SIZES)).max() > 0.01
    # Without a network the meta-features themselves are the representation.
    n_dimensions = 32 if kind == "hybrid" else len(META_FEATURES["regression"])
    assert model.embedding_.shape[1] == n_dimensions


def test_restored_meta_model_believes_the_same(learned):
    task, model, _ = learned
    again = MetaModel().restore(model.experience, task, model.arrays())
    for metric in model.experience.histories:
        first, second = (m.belief(SIZES, metric) for m in (model, again))
        # The out-of-family predictions are kept in bytes, the clock in single
        # precision.
        np.testing.assert_allclose(second.mean(), first.mean(), atol=1e-2)
        np.testing.assert_allclose(second.sd(), first.sd(), rtol=3e-2)
        for ends in zip(second.interval(), first.interval(), strict=True):
            np.testing.assert_allclose(*ends, atol=0.1)
        np.testing.assert_allclose(second.seconds(), first.seconds(), rtol=1e-5)
    np.testing.assert_array_equal(again.embed(SIZES), model.embed(SIZES))
    np.testing.assert_array_equal(again.loss_curve_, model.loss_curve_)
    assert again.weights_ == pytest.approx(model.weights_, abs=1e-2)


@pytest.mark.parametrize("kind", PRIORS)
def test_every_member_of_the_hybrid_can_be_had_alone(small, kind):
    experience, whole = small
    member = MetaModel(kind).restore(experience, "regression", whole.arrays())
    first, second = (m.belief(SIZES, "one") for m in (alone(kind), member))
    np.testing.assert_allclose(second.mean(), first.mean(), atol=1e-12)
    np.testing.assert_allclose(second.sd(), first.sd(), rtol=3e-2)


def test_learning_twice_gives_the_same():
    first, second = (
        MetaModel().fit(made_up(n_tasks=9), "regression").belief(SIZES, "one")
        for _ in range(2)
    )
    np.testing.assert_array_equal(second.mean(), first.mean())
    np.testing.assert_array_equal(second.sd(), first.sd())


def test_only_the_meta_features_asked_for_are_looked_at():
    model = MetaModel("linear", ("nr_inst",)).fit(made_up(), "regression")
    first, other = (
        model.belief({**SIZES, "nr_encoded": n}, "one") for n in (5.0, 30.0)
    )
    np.testing.assert_array_equal(first.mean(), other.mean())
    moved = model.belief({**SIZES, "nr_inst": 2000.0}, "one").mean()
    assert np.abs(moved - first.mean()).max() > 0.05


def test_meta_features_say_which_half_is_better(small):
    _, model = small
    few, many = (
        model.belief({**SIZES, "nr_inst": n, "inst_to_attr": n / 10}, "one").mean()
        for n in (80.0, 2000.0)
    )
    assert few[1::2].max() < few[::2].min()
    assert many[::2].max() < many[1::2].min()


@pytest.mark.parametrize(
    "changed",
    [
        {"nr_inst": 2.0, "inst_to_attr": 0.01},
        {"nr_inst": 1e7, "nr_encoded": 1e5},
        {"inst_to_attr": np.nan, "freq_class.min": np.nan},
        {"nr_class": 500.0},
    ],
)
def test_extreme_and_missing_meta_features_give_a_finite_belief(learned, changed):
    task, model, _ = learned
    belief = model.belief({**SIZES, **changed}, FIRST[task])
    assert np.isfinite(belief.mean()).all()
    assert np.isfinite(belief.seconds()).all()
    assert np.isfinite(belief.novelty)


@pytest.mark.parametrize("kind", ["hybrid", "linear", "none"])
def test_prior_tasks_are_not_novel_and_huge_ones_are(small, kind):
    experience, whole = small
    model = MetaModel(kind).restore(experience, "regression", whole.arrays())
    found = [
        model.belief(task, "one").novelty
        for task in experience.tasks.drop(columns="family").to_dict("records")
    ]
    assert np.mean(np.array(found) < 1) >= 0.95
    huge = {"nr_inst": 1e9, "nr_encoded": 1e5, "inst_to_attr": 1e4}
    assert model.belief({**SIZES, **huge}, "one").novelty > 1


def test_out_of_range_the_belief_goes_to_that_of_no_meta_features(learned):
    task, model, _ = learned
    metric = FIRST[task]
    none = MetaModel("none").restore(model.experience, task, model.arrays())
    # All of these have the same normal scores, those of the edge.
    tasks = [
        {**SIZES, "nr_inst": 10.0**k, "nr_encoded": 10.0**k, "inst_to_attr": 1.0}
        for k in (6, 8, 16, 60)
    ]
    beliefs = [model.belief(known, metric) for known in tasks]
    novelty = [belief.novelty for belief in beliefs]
    assert 1 < novelty[0] and novelty == sorted(novelty)
    blind = none.belief(tasks[-1], metric)
    gaps = [np.abs(belief.mean() - blind.mean()).max() for belief in beliefs]
    assert gaps == sorted(gaps, reverse=True) and gaps[0] > 10 * gaps[-1]
    np.testing.assert_allclose(beliefs[-1].mean(), blind.mean(), atol=0.01)
    np.testing.assert_allclose(beliefs[-1].sd(), blind.sd(), rtol=0.01)


def test_out_of_range_the_intervals_are_wider(small, monkeypatch):
    _, model = small
    huge = {**SIZES, "nr_inst": 1e9, "nr_encoded": 1e9, "inst_to_attr": 1.0}
    novel = model.belief(huge, "one")
    monkeypatch.setattr(Novelty, "of", lambda self, task: 0.5)
    trusted = model.belief(huge, "one")
    assert trusted.novelty == 0.5 and novel.novelty > 1
    for wide, narrow in zip(novel.components, trusted.components, strict=True):
        assert np.trace(wide.covariance) > 1.5 * np.trace(narrow.covariance)
    assert novel.sd().mean() > 1.2 * trusted.sd().mean()


def test_within_the_range_the_meta_features_are_trusted(learned):
    task, model, _ = learned
    metric = FIRST[task]
    none = MetaModel("none").restore(model.experience, task, model.arrays())
    gaps = []
    for _, known in model.experience.tasks.iloc[:10].iterrows():
        known = known[list(META_FEATURES[task])].to_dict()
        own, blind = (m.belief(known, metric).mean() for m in (model, none))
        gaps.append(np.abs(own - blind).max())
    assert min(gaps) > 0.01


def test_the_dummy_is_believed_to_be_among_the_worst(belief):
    order = np.argsort(belief.mean())
    rank = list(order).index(belief.names.index("dummy"))
    assert rank > 0.75 * len(order)


def test_observed_result_moves_the_belief_to_it(belief):
    index = int(belief.mean().argmin())
    value = belief.mean()[index] + 0.5
    before = belief.sd()[index]
    belief.observe(index, value)
    assert belief.mean()[index] == pytest.approx(value, abs=0.05)
    assert belief.sd()[index] < before / 2
    assert belief.observed == {index: value}


@pytest.mark.parametrize("shift", [-0.5, 0.5])
def test_siblings_move_along_more_than_the_rest(learned, belief, shift):
    family_of = {c.name: c.family for c in catalogue(learned[0])}
    families = np.array([family_of[name] for name in belief.names])
    kinds, counts = np.unique(families, return_counts=True)
    large = kinds[counts > 1]
    assert len(large) >= 3
    before, closer = belief.mean(), []
    for family in large:
        kin, others = families == family, families != family
        for index in np.flatnonzero(kin):
            twin = belief.copy()
            twin.observe(int(index), before[index] + shift)
            moved = (twin.mean() - before) / shift
            siblings = kin & (np.arange(len(kin)) != index)
            closer.append(moved[siblings].mean() - moved[others].mean())
    assert np.mean(closer) > 0.005
    assert np.mean(np.array(closer) > 0) > 0.7


def test_configurations_that_went_together_move_together():
    # Four groups of three configurations, each group good or bad as a whole.
    rng = np.random.RandomState(0)
    n_tasks = 80
    groups = np.repeat(rng.normal(size=(n_tasks, 4)), 3, axis=1)
    h = -1 + 0.3 * groups + 0.03 * rng.normal(size=(n_tasks, 12))
    base = made_up(n_tasks, 12, ("one",))
    past = History(base.names, base.tasks, h, base.log_seconds)
    experience = Experience(base.names, base.tasks, {"one": past}, base.log_seconds)
    model = MetaModel("none").fit(experience, "regression")
    belief = model.belief(SIZES, "one")
    before = belief.mean()
    belief.observe(0, before[0] + 0.3)
    moved = (belief.mean() - before) / 0.3
    assert (moved[1:3] > 0.7).all()
    assert (np.abs(moved[3:]) < 0.5).all()


def test_noisy_results_move_the_belief_less(belief):
    index, other = 3, belief.copy()
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
    results = {3: -0.5, 7: -0.9, 11: -0.1}
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
    assert twin.novelty == belief.novelty


def test_seconds_of_the_copy_leave_the_original_alone(belief):
    before = belief.seconds()
    belief.copy().observe_seconds(0, 1000.0)
    np.testing.assert_array_equal(belief.seconds(), before)


def test_results_on_one_task_leave_beliefs_about_the_next_alone(learned):
    task, model, _ = learned
    first = model.belief(SIZES, FIRST[task])
    before = first.mean(), first.seconds()
    first.observe(0, -3.0)
    first.observe_seconds(0, 1000.0)
    again = model.belief(SIZES, FIRST[task])
    np.testing.assert_array_equal(again.mean(), before[0])
    np.testing.assert_array_equal(again.seconds(), before[1])


@pytest.mark.parametrize("factor", [0.2, 5.0])
def test_durations_of_some_move_the_clock_of_all(belief, factor):
    before = belief.seconds()
    seen = list(range(1, len(before), len(before) // 5))
    for index in seen:
        belief.observe_seconds(index, before[index] * factor)
    moved = np.log(belief.seconds() / before) / np.log(factor)
    assert (moved[seen] > 0.7).all()
    wrong_way = [name for name, m in zip(belief.names, moved, strict=True) if m < 0]
    assert wrong_way == []


def test_cautious_seconds_are_more_than_expected_ones(belief):
    assert (belief.seconds_at_most() > belief.seconds()).all()


def test_large_tables_take_longer(learned):
    task, model, _ = learned
    small, large = (
        model.belief({**SIZES, "nr_inst": n}, FIRST[task]).seconds()
        for n in (200.0, 3000.0)
    )
    assert (large > small).mean() > 0.9


def test_expected_improvement_is_never_negative(belief):
    for index in (0, 5, 9):
        belief.observe(index, float(belief.mean()[index]))
        assert (belief.expected_improvement() >= 0).all()


def test_nothing_is_expected_of_what_is_known_to_be_worse(belief):
    bad, good = belief.names.index("dummy"), int(belief.mean().argmin())
    belief.observe(good, -2.0)
    belief.observe(bad, 0.02)
    gain = belief.expected_improvement()
    assert gain[bad] < 1e-3 * gain.max()
    assert gain.max() > 0


def test_portfolio_gain_prefers_what_won_before(belief, history):
    best = int(belief.portfolio_gain().argmax())
    regret = history.weights @ history.normalised
    assert regret[best] == pytest.approx(regret.min())


def test_portfolio_gain_of_the_best_observed_is_nothing(belief):
    index = int(belief.portfolio_gain().argmax())
    belief.observe(index, float(belief.mean()[index]))
    gain = belief.portfolio_gain()
    assert gain[index] < 1e-3
    assert gain.max() > gain[index]


def test_utility_is_given_for_what_is_allowed(belief):
    allowed = [4, 1, 12]
    assert belief.utility(allowed).shape == (3,)
    belief.observe(2, -0.5)
    after = belief.utility(allowed)
    assert after.shape == (3,) and (after >= 0).all() and after.max() >= 1


def test_belief_about_a_known_task_ranks_its_winner_high(learned):
    task, model, past = learned
    names = META_FEATURES[task]
    ranks = []
    for row, (_, known) in zip(past.h, past.tasks.iterrows(), strict=True):
        belief = model.belief({name: known[name] for name in names}, FIRST[task])
        ranks.append((belief.mean() < belief.mean()[row.argmin()]).mean())
    assert np.mean(ranks) < 0.35


def test_adding_tasks_moves_the_ranking(some_families):
    names = names_of("classification", some_families)
    metrics = STORED_METRICS["classification"]
    rng = np.random.RandomState(0)

    def ranks(base):
        experience = Experience.of(base, "classification", names)
        model = MetaModel("neighbors").fit(experience, "classification")
        return model.belief(SIZES, "accuracy").mean().argsort().argsort()

    def result(loss):
        scores = {m: -loss if m.startswith("neg") else 1 - loss for m in metrics}
        fold = {"fit_seconds": 0.1, "predict_seconds": 0.01, **scores}
        return {"status": "ok", "error": None, "folds": [fold, fold]}

    # On tasks of exactly this size, a configuration that is poor elsewhere won.
    before = ranks(some_families)
    poor = next(j for j in before.argsort()[::-1] if names[j] != "dummy")
    new = []
    for k in range(8):
        losses = {name: 0.4 + 0.02 * rng.rand() for name in names}
        losses |= {"dummy": 0.5, names[poor]: 0.02}
        results = {name: result(loss) for name, loss in losses.items()}
        new.append(record(f"mine{k}", family=f"mine{k}", **results))
    merged = some_families.merge(with_both_kinds(*new))
    assert ranks(merged)[poor] < before[poor] - 5


@pytest.mark.parametrize("kind", MEMBERS)
def test_intervals_of_every_kind_are_its_own(small, kind):
    experience, hybrid = small
    fitted = MetaModel(kind).fit(experience, "regression")
    restored = MetaModel(kind).restore(experience, "regression", hybrid.arrays())
    for metric in experience.histories:
        own, again = (m.belief(SIZES, metric).reach for m in (fitted, restored))
        np.testing.assert_allclose(again, own, atol=0.15)
