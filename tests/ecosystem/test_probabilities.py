"""Inside the tools that calibrate probabilities and move thresholds."""

import numpy as np
import pytest
from quick import quick_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import brier_score_loss, recall_score, roc_auc_score
from sklearn.model_selection import (
    FixedThresholdClassifier,
    TunedThresholdClassifierCV,
    train_test_split,
)


@pytest.fixture(scope="module")
def tumours():
    """Four columns of them, so that there are errors to weigh; 1 is malignant."""
    X, y = load_breast_cancer(return_X_y=True)
    return train_test_split(X[:, :4], 1 - y, random_state=0, stratify=y)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
def test_calibrated_probabilities_are_worth_something(tumours, method):
    X, X_test, y, y_test = tumours
    model = CalibratedClassifierCV(quick_classifier(), method=method, cv=2).fit(X, y)
    found = model.predict_proba(X_test)
    assert len(model.calibrated_classifiers_) == 2
    assert roc_auc_score(y_test, found[:, 1]) > 0.9
    of_constant = brier_score_loss(y_test, np.full(len(y_test), y.mean()))
    assert brier_score_loss(y_test, found[:, 1]) < of_constant / 2


def test_a_fitted_one_is_calibrated_on_other_rows(tumours):
    X, X_test, y, y_test = tumours
    fitted = quick_classifier().fit(X[::2], y[::2])
    model = CalibratedClassifierCV(FrozenEstimator(fitted), cv=2)
    model.fit(X[1::2], y[1::2])
    for member in model.calibrated_classifiers_:
        assert member.estimator.estimator is fitted
    assert model.score(X_test, y_test) > 0.85


def test_threshold_is_tuned_for_the_metric(tumours):
    X, X_test, y, y_test = tumours
    plain = quick_classifier().fit(X, y)
    model = TunedThresholdClassifierCV(
        quick_classifier(), scoring="balanced_accuracy", cv=2, random_state=0
    ).fit(X, y)
    assert 0 < model.best_threshold_ < 1
    np.testing.assert_array_equal(
        model.predict(X_test),
        (plain.predict_proba(X_test)[:, 1] >= model.best_threshold_).astype(int),
    )
    assert model.best_score_ > 0.85


def test_threshold_decides_between_the_probabilities(tumours):
    X, X_test, y, y_test = tumours
    plain = quick_classifier().fit(X, y)
    careful = FixedThresholdClassifier(
        quick_classifier(), threshold=0.1, response_method="predict_proba"
    ).fit(X, y)
    found = careful.predict(X_test)
    np.testing.assert_array_equal(
        found, (plain.predict_proba(X_test)[:, 1] >= 0.1).astype(int)
    )
    assert recall_score(y_test, found) > recall_score(y_test, plain.predict(X_test))
