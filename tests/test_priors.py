"""Meta-features become a prior mean over the configurations."""

from functools import partial

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.utils.validation import has_fit_parameter

from sk_meta._normal_scores import NormalScores
from sk_meta._priors import (
    MEMBERS,
    PRIORS,
    ForestPrior,
    LinearPrior,
    MeanPrior,
    NeighborsPrior,
    NeuralPrior,
    StackPrior,
    out_of_family,
)

INFORMED = [kind for kind in PRIORS if kind != "none"]
every_kind = pytest.mark.parametrize("kind", PRIORS)
needs_weighted_networks = pytest.mark.skipif(
    not has_fit_parameter(MLPRegressor(), "sample_weight"),
    reason="weights of the rows came with scikit-learn 1.7",
)


@pytest.fixture(scope="module")
def tasks():
    """Forty tasks on which the first meta-feature says which of two is better."""
    rng = np.random.RandomState(0)
    features = rng.normal(size=(40, 3))
    targets = np.column_stack([features[:, 0], -features[:, 0], np.ones(40)])
    return features, targets + 0.1 * rng.normal(size=targets.shape)


@pytest.fixture(scope="module")
def fitted(tasks):
    """Every prior, fitted to the tasks with weights."""
    weights = np.random.RandomState(1).uniform(0.2, 1, size=40)
    return {kind: PRIORS[kind]().fit(*tasks, weights) for kind in PRIORS}


def test_normal_scores_follow_the_ranks_not_the_scale():
    values = np.array([[1.0], [10.0], [100.0], [1e9], [1e12]])
    scores = NormalScores().fit(values).transform(values)[:, 0]
    np.testing.assert_allclose(scores, norm.ppf([0.1, 0.3, 0.5, 0.7, 0.9]))


def test_normal_scores_of_ties_are_equal_and_median_is_zero():
    values = np.array([[1.0], [5.0], [5.0], [5.0], [9.0]])
    scores = NormalScores().fit(values).transform(values)[:, 0]
    assert scores[1] == scores[2] == scores[3] == 0
    assert scores[0] == -scores[4]


def test_values_outside_the_known_range_are_clipped_to_its_edge():
    scaler = NormalScores().fit(np.arange(9.0)[:, None])
    edges = scaler.transform(np.array([[0.0], [8.0]]))
    np.testing.assert_array_equal(scaler.transform([[-1e9], [1e9]] * np.ones(1)), edges)


def test_scores_are_never_extreme():
    values = np.arange(10_000.0)[:, None]
    assert np.abs(NormalScores().fit(values).transform(values)).max() <= 2.5


@pytest.mark.parametrize("method", ["transform", "extrapolate"])
def test_missing_meta_feature_is_the_median(method):
    values = np.array([[1.0, np.nan], [2.0, 3.0], [3.0, 4.0], [np.nan, 5.0]])
    scores = getattr(NormalScores().fit(values), method)(values)
    assert np.isfinite(scores).all()
    assert scores[3, 0] == 0 and scores[0, 1] == 0


@pytest.mark.parametrize("method", ["transform", "extrapolate"])
@pytest.mark.parametrize("value", [7.0, np.nan])
def test_meta_feature_that_never_varies_says_nothing(method, value):
    values = np.full((4, 1), value)
    scores = getattr(NormalScores().fit(values), method)
    assert (scores(values) == 0).all()
    assert (scores(np.array([[123.0], [-9.0], [np.nan]])) == 0).all()


def test_extrapolation_changes_nothing_inside_the_known_range():
    rng = np.random.RandomState(0)
    scaler = NormalScores().fit(rng.lognormal(size=(30, 2)))
    inside = rng.uniform(0.3, 2.0, size=(50, 2))
    np.testing.assert_array_equal(scaler.extrapolate(inside), scaler.transform(inside))


def test_extrapolation_goes_on_in_a_straight_line_without_a_jump():
    scaler = NormalScores().fit(np.arange(9.0)[:, None])
    edge = scaler.transform(np.array([[8.0]]))[0, 0]
    # The median is 4, so that 12 and 16 are one and two spreads beyond the edge.
    beyond = scaler.extrapolate(np.array([[8.0], [12.0], [16.0], [-4.0]]))[:, 0]
    np.testing.assert_allclose(beyond, edge * np.array([1, 2, 3, -2]))


@pytest.mark.parametrize("seed", range(5))
def test_extrapolated_scores_never_fall(seed):
    rng = np.random.RandomState(seed)
    known = rng.lognormal(size=(20, 1)).round(1)  # with ties
    grid = np.linspace(-20, 40, 400)[:, None]
    scores = NormalScores().fit(known).extrapolate(grid)[:, 0]
    assert (np.diff(scores) >= 0).all()
    assert scores[-1] > scores[200] and scores[0] < scores[100]


def test_meta_features_are_extrapolated_one_by_one():
    scaler = NormalScores().fit(np.column_stack([np.arange(9.0)] * 2))
    far = scaler.extrapolate(np.array([[80.0, 3.0]]))[0]
    assert far[0] > 10
    assert far[1] == scaler.transform(np.array([[80.0, 3.0]]))[0, 1]


@every_kind
def test_prediction_has_one_row_per_task_and_a_column_per_target(kind, tasks, fitted):
    prediction = fitted[kind].predict(tasks[0][:5])
    assert prediction.shape == (5, 3)
    assert np.isfinite(prediction).all()


@every_kind
def test_prediction_of_one_configuration_keeps_two_dimensions(kind, tasks):
    features, targets = tasks
    prior = PRIORS[kind]().fit(features, targets[:, :1])
    assert prior.predict(features[:5]).shape == (5, 1)


@pytest.mark.parametrize("kind", INFORMED)
def test_meta_features_move_the_prior_in_the_right_direction(kind, fitted):
    low, high = fitted[kind].predict(np.array([[-2.0, 0, 0], [2.0, 0, 0]]))
    assert high[0] > low[0] + 0.5
    assert high[1] < low[1] - 0.5
    assert abs(high[2] - low[2]) < 0.2


@pytest.mark.parametrize("kind", INFORMED)
def test_prior_is_shrunk_towards_the_mean(kind, tasks, fitted):
    features, targets = tasks
    spread = fitted[kind].predict(features)[:, 0].std()
    assert 0 < spread < 0.95 * targets[:, 0].std()


@every_kind
def test_training_twice_gives_the_same(kind, tasks):
    features, targets = tasks
    first, second = (PRIORS[kind]().fit(features, targets) for _ in range(2))
    np.testing.assert_array_equal(first.predict(features), second.predict(features))


@every_kind
def test_restored_from_its_arrays_it_predicts_the_same(kind, tasks, fitted, tmp_path):
    features, targets = tasks
    np.savez(tmp_path / "prior.npz", **fitted[kind].arrays())
    with np.load(tmp_path / "prior.npz", allow_pickle=False) as file:
        arrays = {"features": features, "targets": targets, **file}
    again = PRIORS[kind]().restore(arrays)
    new = np.random.RandomState(2).normal(size=(20, 3))
    np.testing.assert_allclose(
        again.predict(new), fitted[kind].predict(new), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("kind", ["none", "linear"])
def test_family_of_many_copies_counts_exactly_once(kind, tasks):
    features, targets = tasks
    rows = np.r_[np.arange(40), np.zeros(9, dtype=int)]
    weights = np.where(rows == 0, 0.1, 1.0)
    once = PRIORS[kind]().fit(features, targets)
    copied = PRIORS[kind]().fit(features[rows], targets[rows], weights)
    np.testing.assert_allclose(copied.predict(features), once.predict(features))


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=needs_weighted_networks if kind == "neural" else ())
        for kind in PRIORS
    ],
)
def test_weights_keep_a_large_family_from_taking_over(kind, tasks):
    features, targets = tasks
    many = np.r_[features, np.zeros((60, 3))], np.r_[targets, np.full((60, 3), 5.0)]
    weights = np.r_[np.ones(40), np.full(60, 1 / 60)]
    without = PRIORS[kind]().fit(features, targets).predict(features)
    moved = [
        np.abs(PRIORS[kind]().fit(*many, w).predict(features) - without).mean()
        for w in (weights, None)
    ]
    assert moved[0] < 0.4 * moved[1]


@every_kind
def test_no_weights_are_equal_weights(kind, tasks):
    features, targets = tasks
    plain = PRIORS[kind]().fit(features, targets)
    equal = PRIORS[kind]().fit(features, targets, np.ones(40))
    np.testing.assert_allclose(
        plain.predict(features), equal.predict(features), rtol=1e-5
    )


@every_kind
def test_two_tasks_are_enough(kind):
    features, targets = np.array([[0.0], [1.0]]), np.array([[1.0, 2.0], [3.0, 4.0]])
    prediction = PRIORS[kind]().fit(features, targets).predict(features)
    assert np.isfinite(prediction).all()


def test_hybrid_has_every_prior_and_the_others_themselves():
    assert set(MEMBERS["hybrid"]) == set(PRIORS)
    assert all(MEMBERS[kind] == (kind,) for kind in PRIORS)


def test_mean_prior_ignores_the_meta_features(tasks):
    features, targets = tasks
    prediction = MeanPrior().fit(features, targets).predict(features[:2])
    np.testing.assert_allclose(prediction, [targets.mean(axis=0)] * 2)


def test_linear_prior_of_an_average_task_is_the_mean(tasks):
    features, targets = tasks
    prior = LinearPrior().fit(features, targets)
    center = features.mean(axis=0, keepdims=True)
    np.testing.assert_allclose(prior.predict(center)[0], targets.mean(axis=0))


def test_more_shrinkage_moves_the_linear_prior_less(tasks):
    features, targets = tasks
    spreads = [
        LinearPrior(alpha).fit(features, targets).predict(features)[:, 0].std()
        for alpha in (1, 20, 400)
    ]
    assert spreads == sorted(spreads, reverse=True)


def test_nearest_task_votes_most(tasks):
    features, targets = tasks
    votes = NeighborsPrior().fit(features, targets).votes(features[7:8])[0]
    assert votes.argmax() == 7
    assert votes[7] == 1
    distance = ((features - features[7]) ** 2).sum(axis=1)
    assert (np.diff(votes[np.argsort(distance)]) <= 0).all()


def test_neighbours_vote_computed_by_hand():
    features, targets = np.array([[0.0], [1.0]]), np.array([[1.0], [3.0]])
    prior = NeighborsPrior(n_effective=2, shrinkage=1).fit(features, targets)
    # Weights 1 and exp(-1), and one task's worth of the mean, 2.
    w = np.exp(-1)
    expected = (1 + 3 * w + 2) / (1 + w + 1)
    assert prior.predict(np.array([[0.0]]))[0, 0] == pytest.approx(expected)


def test_neighbours_of_identical_tasks_are_their_mean():
    features, targets = np.zeros((6, 2)), np.arange(6.0)[:, None]
    prior = NeighborsPrior().fit(features, targets)
    assert prior.predict(np.zeros((1, 2)))[0, 0] == pytest.approx(2.5)


def test_vote_of_a_neighbour_is_proportional_to_its_weight(tasks):
    features, targets = tasks
    weights = np.random.RandomState(0).uniform(0.1, 1, size=40)
    plain, weighted = (
        NeighborsPrior().fit(features, targets, w).votes(features[:3])
        for w in (None, weights)
    )
    np.testing.assert_allclose(weighted, plain * weights)


@pytest.mark.parametrize("weighted", [False, True])
def test_forest_predicts_what_scikit_learns_does(tasks, weighted):
    features, targets = tasks
    rng = np.random.RandomState(0)
    weights = rng.uniform(0.1, 1, size=40) if weighted else None
    forest = ExtraTreesRegressor(
        25, min_samples_leaf=3, max_features=0.5, random_state=0
    ).fit(features, targets, sample_weight=weights)
    prior = ForestPrior(n_trees=25).fit(features, targets, weights)
    new = np.r_[features, rng.normal(size=(300, 3))]
    np.testing.assert_allclose(
        prior.predict(new), forest.predict(new), rtol=1e-5, atol=1e-6
    )


def test_forest_takes_values_on_a_threshold_as_scikit_learn_does():
    # Values that single precision can't tell apart from the threshold.
    features = np.repeat(np.float32([0.1, 0.2, 0.3, 0.4]), 3)[:, None]
    targets = np.arange(12.0)[:, None]
    forest = ExtraTreesRegressor(
        50, min_samples_leaf=3, max_features=0.5, random_state=0
    ).fit(features, targets)
    prior = ForestPrior(n_trees=50).fit(features, targets)
    edges = [tree.tree_.threshold[tree.tree_.feature >= 0] for tree in forest]
    edges = np.concatenate(edges).astype(np.float32)
    new = np.r_[edges, np.nextafter(edges, np.float32(9)), np.float32([-9, 9])]
    np.testing.assert_allclose(
        prior.predict(new[:, None])[:, 0], forest.predict(new[:, None]), rtol=1e-6
    )


def test_votes_of_the_forest_are_shares(tasks, fitted):
    features, targets = tasks
    votes = fitted["forest"].votes(features)
    assert votes.shape == (40, 40) and (votes >= 0).all()
    np.testing.assert_allclose(votes.sum(axis=1), 1)
    np.testing.assert_allclose(votes @ targets, fitted["forest"].predict(features))


def test_forest_votes_for_the_task_itself(tasks, fitted):
    votes = fitted["forest"].votes(tasks[0])
    assert (np.diag(votes) > np.median(votes, axis=1)).all()


def test_leaves_hold_at_least_the_tasks_asked_for(tasks):
    prior = ForestPrior(n_trees=10, min_leaf=7).fit(*tasks)
    for leaves in prior.apply(tasks[0]).T:
        assert np.unique(leaves, return_counts=True)[1].min() >= 7


def test_loss_curve_falls_and_has_every_epoch(tasks, fitted):
    curve = NeuralPrior(n_epochs=30).fit(*tasks).loss_curve_
    assert curve.shape == (30,)
    assert len(fitted["neural"].loss_curve_) == 80
    # Momentum makes it swing on its way.
    assert curve[-1] < 0.2 * curve[0]
    assert curve[-10:].max() < curve[:2].min()


def test_loss_curve_ends_at_the_weighted_error_of_the_prior(tasks):
    features, targets = tasks
    weights = np.random.RandomState(0).uniform(0.1, 1, size=40)
    prior = NeuralPrior(n_epochs=5).fit(features, targets, weights)
    errors = ((prior.predict(features) - targets) ** 2).mean(axis=1)
    expected = np.average(errors, weights=weights)
    assert prior.loss_curve_[-1] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("hidden", [(8,), (12, 5)])
def test_network_is_scikit_learns_trained_alike(tasks, hidden):
    features, targets = tasks
    network = MLPRegressor(
        hidden_layer_sizes=hidden,
        activation="tanh",
        solver="sgd",
        alpha=0.5,
        learning_rate_init=0.02,
        batch_size=16,
        random_state=np.random.RandomState(0),
    )
    for _ in range(10):
        network.partial_fit(features, targets - targets.mean(axis=0))
    prior = NeuralPrior(hidden, decay=0.5, learning_rate=0.02, n_epochs=10)
    prior.fit(features, targets)
    new = np.random.RandomState(3).normal(size=(20, 3))
    np.testing.assert_allclose(
        prior.predict(new),
        network.predict(new) + targets.mean(axis=0),
        rtol=1e-5,
        atol=1e-6,
    )


def test_every_epoch_draws_other_batches(tasks, monkeypatch):
    features, targets = tasks
    seen = []
    backprop = MLPRegressor._backprop

    def spy(self, X, *args):
        seen.append(X[:, 0].copy())
        return backprop(self, X, *args)

    monkeypatch.setattr(MLPRegressor, "_backprop", spy)
    NeuralPrior(n_epochs=4).fit(features[:32], targets[:32])
    first = {frozenset(seen[2 * epoch]) for epoch in range(4)}
    assert len(seen) == 8 and len(first) == 4


@pytest.mark.parametrize("hidden", [(8,), (12, 5)])
def test_embedding_is_the_last_hidden_layer(tasks, hidden):
    features, targets = tasks
    prior = NeuralPrior(hidden, n_epochs=3).fit(features, targets)
    embedding, raw = prior.embed(features), prior.embed(features, squash=False)
    assert embedding.shape == raw.shape == (40, hidden[-1])
    np.testing.assert_allclose(np.tanh(raw), embedding)


def test_embedding_that_is_not_squashed_goes_on_growing(fitted):
    near, far = np.array([[3.0, 0, 0], [300.0, 0, 0]])
    prior = fitted["neural"]
    assert np.abs(prior.embed([far])).max() <= 1
    near, far = (np.abs(prior.embed([x], squash=False)).max() for x in (near, far))
    assert far > 20 * near


def test_stronger_decay_moves_the_network_less(tasks):
    features, targets = tasks
    spreads = [
        NeuralPrior(decay=decay).fit(features, targets).predict(features)[:, 0].std()
        for decay in (0.1, 3.0, 30.0)
    ]
    assert spreads == sorted(spreads, reverse=True)


class Constant:
    """A prior that says the same of every task."""

    def __init__(self, value):
        self.value = value

    def predict(self, features):
        return np.full((len(features), 2), float(self.value))


@pytest.fixture
def guesses():
    """Thirty tasks with two targets, and what four members guess of them."""
    rng = np.random.RandomState(0)
    targets = rng.normal(size=(30, 2))
    noise = np.array([0.5, 0.8, 1.5, 3.0])[:, None, None]
    return targets, targets + noise * rng.normal(size=(4, 30, 2))


def stacked(guesses, targets, weights=None):
    members = [Constant(k) for k in range(len(guesses))]
    return StackPrior(members, guesses).fit(np.zeros((30, 1)), targets, weights)


def test_weights_of_the_stack_are_convex(guesses):
    targets, guessed = guesses
    weights = stacked(guessed, targets).weights_
    assert weights.shape == (4,)
    assert (weights >= 0).all()
    assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert weights[0] == weights.max() and weights[3] == weights.min()


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("weighted", [False, True])
def test_stack_is_no_worse_than_its_best_member(seed, weighted):
    rng = np.random.RandomState(seed)
    targets = rng.normal(size=(30, 2))
    guessed = rng.uniform(0, 1, (5, 1, 1)) * targets + rng.normal(size=(5, 30, 2))
    rows = rng.uniform(0.1, 1, size=30) if weighted else np.ones(30)
    stack = stacked(guessed, targets, rows)

    def error(guess):
        return rows @ ((guess - targets) ** 2).sum(axis=1)

    best = min(error(guess) for guess in guessed)
    assert error(stack.guess()) <= best * (1 + 1e-4)


def test_stack_prefers_a_perfect_member(guesses):
    targets, guessed = guesses
    guessed[2] = targets
    weights = stacked(guessed, targets).weights_
    assert weights[2] == pytest.approx(1, abs=1e-3)


def test_stack_goes_by_the_tasks_that_weigh(guesses):
    targets, guessed = guesses
    half = np.arange(30) < 15
    guessed[0, half], guessed[1, ~half] = targets[half], targets[~half]
    first = stacked(guessed, targets, np.where(half, 1, 1e-6)).weights_
    second = stacked(guessed, targets, np.where(half, 1e-6, 1)).weights_
    assert first[0] > 0.99 and second[1] > 0.99


def test_stack_sums_up_its_members(guesses):
    targets, guessed = guesses
    stack = stacked(guessed, targets)
    expected = stack.weights_ @ np.arange(4)
    np.testing.assert_allclose(
        stack.predict(np.zeros((3, 1))), np.full((3, 2), expected)
    )
    np.testing.assert_allclose(
        stack.guess(), sum(w * g for w, g in zip(stack.weights_, guessed, strict=True))
    )


def test_restored_stack_has_its_weights(guesses):
    targets, guessed = guesses
    stack = stacked(guessed, targets)
    again = StackPrior(stack.members, guessed).restore(stack.arrays())
    np.testing.assert_array_equal(again.guess(), stack.guess())


class Recording:
    """A prior that remembers which tasks it saw in ``fit`` and ``predict``."""

    log: list = []

    def fit(self, features, targets, weights=None):
        self.trained = set(features[:, 0])
        if weights is not None:
            # The weights of the rows are their numbers.
            np.testing.assert_array_equal(weights, features[:, 0])
        return self

    def predict(self, features):
        self.log.append((self.trained, set(features[:, 0])))
        return np.repeat(features[:, :1], 2, axis=1)


@pytest.mark.parametrize("n_splits", [2, 10, 99])
@pytest.mark.parametrize("weights", [None, np.arange(20.0)])
def test_out_of_family_never_trains_on_the_family(n_splits, weights):
    families = np.repeat(list("abcdefgh"), [1, 5, 2, 2, 3, 1, 4, 2])
    family_of = dict(enumerate(families))
    features = np.arange(20.0)[:, None]
    Recording.log.clear()
    predicted = out_of_family(
        Recording, features, np.zeros((20, 2)), families, weights, n_splits
    )
    assert len(Recording.log) == min(n_splits, 8)
    for trained, tested in Recording.log:
        assert not {family_of[i] for i in trained} & {family_of[i] for i in tested}
        assert trained | tested == set(range(20))
    np.testing.assert_array_equal(predicted[:, 0], features[:, 0])


@pytest.mark.parametrize(
    "make",
    [MeanPrior, LinearPrior, NeighborsPrior, partial(ForestPrior, n_trees=10)],
)
def test_no_family_predicts_itself(make):
    # Every family has a target that is one on its own tasks and zero elsewhere:
    # whoever predicts more than zero has seen the family.
    rng = np.random.RandomState(0)
    families = np.repeat(np.arange(12), rng.randint(1, 4, size=12))
    targets = np.eye(12)[families]
    centers = rng.normal(size=(12, 3))[families]
    features = centers + 0.01 * rng.normal(size=centers.shape)
    own = np.arange(len(families)), families
    predicted = out_of_family(make, features, targets, families)
    np.testing.assert_allclose(predicted[own], 0, atol=1e-12)
    assert make().fit(features, targets).predict(features)[own].min() > 0.01


def test_only_one_family_is_predicted_by_its_mean():
    targets = np.random.RandomState(0).normal(size=(4, 2))
    predicted = out_of_family(LinearPrior, np.eye(4), targets, np.repeat("a", 4))
    np.testing.assert_allclose(predicted, [targets.mean(axis=0)] * 4)
