"""One number that makes probabilities bolder or more timid."""

import numpy as np
import pytest
from sklearn.datasets import load_wine
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB

from sk_meta._temperature import find_temperatures, heated


def drawn(temperature, n_rows=400, n_folds=5, seed=0):
    """Folds of true probabilities, told at another temperature, and their labels."""
    rng = np.random.default_rng(seed)
    parts, truths = [], []
    for _ in range(n_folds):
        true = rng.dirichlet(np.ones(3), n_rows)
        truths.append(np.array([rng.choice(3, p=p) for p in true]))
        parts.append(heated(true, 1 / temperature))
    return parts, truths


def best_temperature(parts, truths):
    return find_temperatures(parts, truths).of_all


def loss(parts, truths, temperature=1.0):
    return np.mean([log_loss(t, heated(p, temperature), labels=range(3))
                    for p, t in zip(parts, truths, strict=True)])  # fmt: skip


@pytest.mark.parametrize("temperature", [0.3, 0.8, 1.0, 1.7, 3.0])
def test_probabilities_stay_probabilities_in_their_order(temperature):
    known = np.random.default_rng(0).dirichlet(np.ones(4), 50)
    warm = heated(known, temperature)
    np.testing.assert_allclose(warm.sum(axis=1), 1)
    np.testing.assert_array_equal(warm.argsort(axis=1), known.argsort(axis=1))
    gap = np.abs(warm - 1 / 4).sum() - np.abs(known - 1 / 4).sum()
    assert np.sign(round(gap, 12)) == np.sign(1 - temperature)


def test_at_one_nothing_is_changed():
    known = np.array([[1.0, 0.0], [0.3, 0.7]])
    assert heated(known, 1.0) is known


@pytest.mark.parametrize("temperature", [0.3, 3.0])
def test_certainties_stay_finite(temperature):
    warm = heated(np.array([[1.0, 0.0, 0.0]]), temperature)
    assert np.isfinite(warm).all() and warm.argmax() == 0


@pytest.mark.parametrize("temperature", [0.6, 1.5, 2.5])
def test_the_temperature_is_found_again(temperature):
    parts, truths = drawn(temperature)
    found = best_temperature(parts, truths)
    assert found == pytest.approx(temperature, rel=0.15)
    assert loss(parts, truths, found) < loss(parts, truths)


@pytest.mark.parametrize("seed", range(5))
def test_calibrated_probabilities_are_hardly_changed(seed):
    parts, truths = drawn(1.0, n_rows=60, seed=seed)
    assert best_temperature(parts, truths) == pytest.approx(1.0, abs=0.25)


def test_pure_noise_is_mostly_left_alone():
    found = [best_temperature(*drawn(1.0, 40, seed=seed)) for seed in range(20)]
    assert np.mean(np.array(found) == 1.0) > 0.5


def test_one_fold_cannot_vouch_for_a_temperature():
    parts, truths = drawn(2.5, n_folds=1)
    assert best_temperature(parts, truths) == 1.0


def test_a_gain_on_one_fold_alone_is_not_enough():
    parts, truths = drawn(1.0, n_folds=4)
    bold, label = drawn(2.5, n_folds=1, n_rows=30)
    assert best_temperature([*parts, *bold], [*truths, *label]) == pytest.approx(
        1.0, abs=0.15
    )


def test_it_stays_within_its_range():
    sure = np.tile([0.6, 0.4], (100, 1))
    right = [np.zeros(100, dtype=int)] * 3
    wrong = [np.arange(100) % 2] * 3
    assert 0.3 <= best_temperature([sure] * 3, right) < 0.4
    assert 2.5 < best_temperature([np.tile([0.99, 0.01], (100, 1))] * 3, wrong) <= 3.4


def test_a_bold_classifier_is_cooled_on_real_data():
    X, y = load_wine(return_X_y=True)
    X = np.hstack([X, X, X])  # to naive Bayes, everything is said three times
    parts, truths = [], []
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(X, y):
        model = GaussianNB(var_smoothing=1e-3).fit(X[train], y[train])
        parts.append(model.predict_proba(X[test]))
        truths.append(y[test])
    found = best_temperature(parts, truths)
    assert found > 1.3
    assert loss(parts, truths, found) < loss(parts, truths)
