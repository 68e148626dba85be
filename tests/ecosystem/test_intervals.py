"""Conformal intervals and sets around its predictions cover what they promise."""

import numpy as np
import pytest
from quick import quick_classifier, quick_regressor
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.model_selection import train_test_split

LEVEL = 0.8
# Three standard deviations of the share among some 150 rows.
NEAR = 0.1


def three_parts(X, y):
    """Rows to fit on, to calibrate on, and to count on."""
    X, X_rest, y, y_rest = train_test_split(X, y, test_size=2 / 3, random_state=0)
    halves = train_test_split(X_rest, y_rest, test_size=0.5, random_state=0)
    X_calibration, X_test, y_calibration, y_test = halves
    return X, y, X_calibration, y_calibration, X_test, y_test


@pytest.fixture(scope="module")
def patients():
    return three_parts(*load_diabetes(return_X_y=True))


@pytest.fixture(scope="module")
def tumours():
    """Two columns of them, so that some are uncertain; labels as strings."""
    X, y = load_breast_cancer(return_X_y=True)
    return three_parts(X[:, :2], np.array(["malignant", "benign"])[y])


def covered(low, high, y):
    return np.mean((low <= y) & (y <= high))


def test_mapie_intervals_around_a_fitted_regressor(patients):
    mapie = pytest.importorskip("mapie.regression")
    X, y, X_calibration, y_calibration, X_test, y_test = patients
    model = quick_regressor().fit(X, y)
    conformal = mapie.SplitConformalRegressor(model, confidence_level=LEVEL)
    conformal.conformalize(X_calibration, y_calibration)
    points, intervals = conformal.predict_interval(X_test)
    np.testing.assert_array_equal(points, model.predict(X_test))
    low, high = intervals[:, :, 0].T
    assert covered(low, high, y_test) == pytest.approx(LEVEL, abs=NEAR)
    # A constant would need the quantiles of y itself.
    assert np.mean(high - low) < 0.95 * np.diff(np.quantile(y, [0.1, 0.9]))[0]


def test_mapie_fits_clones_for_cross_conformal_intervals(patients):
    mapie = pytest.importorskip("mapie.regression")
    X, y, X_more, y_more, X_test, y_test = patients
    unfitted = quick_regressor()
    conformal = mapie.CrossConformalRegressor(
        unfitted, confidence_level=LEVEL, cv=3, random_state=0
    ).fit_conformalize(np.vstack([X, X_more]), np.hstack([y, y_more]))
    _, intervals = conformal.predict_interval(X_test)
    low, high = intervals[:, :, 0].T
    assert covered(low, high, y_test) == pytest.approx(LEVEL, abs=NEAR)
    assert not hasattr(unfitted, "ensemble_")


def test_mapie_sets_of_labels(tumours):
    mapie = pytest.importorskip("mapie.classification")
    X, y, X_calibration, y_calibration, X_test, y_test = tumours
    model = quick_classifier().fit(X, y)
    level = 0.95
    conformal = mapie.SplitConformalClassifier(model, confidence_level=level)
    conformal.conformalize(X_calibration, y_calibration)
    labels, sets = conformal.predict_set(X_test)
    np.testing.assert_array_equal(labels, model.predict(X_test))
    sets = sets[:, :, 0]
    truth = np.searchsorted(model.classes_, y_test)
    assert sets[np.arange(len(truth)), truth].mean() == pytest.approx(level, abs=0.05)
    assert 1 <= sets.sum(axis=1).mean() < 1.5


def test_crepes_intervals(patients):
    crepes = pytest.importorskip("crepes")
    X, y, X_calibration, y_calibration, X_test, y_test = patients
    wrapped = crepes.WrapRegressor(quick_regressor())
    wrapped.fit(X, y)
    wrapped.calibrate(X_calibration, y_calibration, seed=0)
    low, high = wrapped.predict_int(X_test, confidence=LEVEL).T
    assert covered(low, high, y_test) == pytest.approx(LEVEL, abs=NEAR)
    np.testing.assert_allclose((low + high) / 2, wrapped.predict(X_test))


def test_crepes_sets_of_labels(tumours):
    crepes = pytest.importorskip("crepes")
    X, y, X_calibration, y_calibration, X_test, y_test = tumours
    wrapped = crepes.WrapClassifier(quick_classifier())
    wrapped.fit(X, y)
    wrapped.calibrate(X_calibration, y_calibration, seed=0)
    sets = wrapped.predict_set(X_test, confidence=0.9, labels=False)
    truth = np.searchsorted(wrapped.learner.classes_, y_test)
    assert sets[np.arange(len(truth)), truth].mean() == pytest.approx(0.9, abs=NEAR)
    assert sets.sum(axis=1).mean() < 1.5
