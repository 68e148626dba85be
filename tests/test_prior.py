"""Meta-features become a prior mean over the configurations."""

import numpy as np
import pytest
from scipy.stats import norm

from sk_meta._prior import (
    PRIORS,
    HybridPrior,
    LinearPrior,
    MeanPrior,
    NeighborsPrior,
    NormalScores,
)


@pytest.fixture
def tasks():
    """Forty tasks on which the first meta-feature says which of two is better."""
    rng = np.random.RandomState(0)
    features = rng.normal(size=(40, 3))
    targets = np.column_stack([features[:, 0], -features[:, 0], np.ones(40)])
    return features, targets + 0.1 * rng.normal(size=targets.shape)


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


@pytest.mark.parametrize("gap", [np.nan])
def test_missing_meta_feature_is_the_median(gap):
    values = np.array([[1.0, gap], [2.0, 3.0], [3.0, 4.0], [gap, 5.0]])
    scores = NormalScores().fit(values).transform(values)
    assert np.isfinite(scores).all()
    assert scores[3, 0] == 0 and scores[0, 1] == 0


@pytest.mark.parametrize("value", [7.0, np.nan])
def test_meta_feature_that_never_varies_says_nothing(value):
    values = np.full((4, 1), value)
    scaler = NormalScores().fit(values)
    assert (scaler.transform(values) == 0).all()
    assert (scaler.transform(np.array([[123.0]])) == 0).all()


@pytest.mark.parametrize("kind", PRIORS)
def test_prediction_has_one_row_per_task_and_a_column_per_configuration(kind, tasks):
    features, targets = tasks
    prediction = PRIORS[kind]().fit(features, targets).predict(features[:5])
    assert prediction.shape == (5, 3)
    assert np.isfinite(prediction).all()


@pytest.mark.parametrize("kind", PRIORS)
def test_prediction_of_one_configuration_keeps_two_dimensions(kind, tasks):
    features, targets = tasks
    prior = PRIORS[kind]().fit(features, targets[:, :1])
    assert prior.predict(features[:5]).shape == (5, 1)


@pytest.mark.parametrize("kind", ["linear", "neighbors", "hybrid"])
def test_meta_features_move_the_prior_in_the_right_direction(kind, tasks):
    features, targets = tasks
    prior = PRIORS[kind]().fit(features, targets)
    low, high = prior.predict(np.array([[-2.0, 0, 0], [2.0, 0, 0]]))
    assert high[0] > low[0] + 0.5
    assert high[1] < low[1] - 0.5
    assert abs(high[2] - low[2]) < 0.2


@pytest.mark.parametrize("kind", ["linear", "neighbors", "hybrid"])
def test_prior_is_shrunk_towards_the_mean(kind, tasks):
    features, targets = tasks
    spread = PRIORS[kind]().fit(features, targets).predict(features)[:, 0].std()
    assert 0 < spread < targets[:, 0].std()


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
    weights = NeighborsPrior().fit(features, targets).weights(features[7:8])[0]
    assert weights.argmax() == 7
    assert weights[7] == 1
    distance = ((features - features[7]) ** 2).sum(axis=1)
    assert (np.diff(weights[np.argsort(distance)]) <= 0).all()


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


def test_hybrid_is_the_average_of_both(tasks):
    features, targets = tasks
    parts = [
        prior.fit(features, targets).predict(features[:4])
        for prior in (LinearPrior(), NeighborsPrior())
    ]
    hybrid = HybridPrior().fit(features, targets).predict(features[:4])
    np.testing.assert_allclose(hybrid, (parts[0] + parts[1]) / 2)


@pytest.mark.parametrize("kind", PRIORS)
def test_two_tasks_are_enough(kind):
    features, targets = np.array([[0.0], [1.0]]), np.array([[1.0, 2.0], [3.0, 4.0]])
    prediction = PRIORS[kind]().fit(features, targets).predict(features)
    assert np.isfinite(prediction).all()
