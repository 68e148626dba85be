"""scikit-learn's displays, and the numbers that they draw."""

import numpy as np
import pytest
from quick import quick_classifier, quick_regressor
from sklearn.calibration import CalibrationDisplay
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.inspection import DecisionBoundaryDisplay, PartialDependenceDisplay
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    DetCurveDisplay,
    PrecisionRecallDisplay,
    PredictionErrorDisplay,
    RocCurveDisplay,
    average_precision_score,
    confusion_matrix,
    roc_auc_score,
)
from sklearn.model_selection import (
    LearningCurveDisplay,
    ValidationCurveDisplay,
    cross_validate,
    train_test_split,
)

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def closed_figures():
    from matplotlib import pyplot

    yield
    pyplot.close("all")


@pytest.fixture(scope="module")
def tumours():
    """The classifier that was fitted, and held-out rows."""
    X, X_test, y, y_test = train_test_split(
        *load_breast_cancer(return_X_y=True), random_state=0
    )
    return quick_classifier(n_candidates=3).fit(X, y), X_test, y_test


def test_confusion_matrix_is_labelled_by_the_classes(iris):
    X, y = iris
    model = quick_classifier().fit(X, y)
    shown = ConfusionMatrixDisplay.from_estimator(model, X, y)
    np.testing.assert_array_equal(
        shown.confusion_matrix, confusion_matrix(y, model.predict(X))
    )
    assert list(shown.display_labels) == ["setosa", "versicolor", "virginica"]
    assert np.trace(shown.confusion_matrix) > 135


def test_roc_curve_has_the_area_of_the_probabilities(tumours):
    model, X, y = tumours
    shown = RocCurveDisplay.from_estimator(model, X, y)
    expected = roc_auc_score(y, model.predict_proba(X)[:, 1])
    assert np.max(shown.roc_auc) == pytest.approx(expected)
    assert expected > 0.95


def test_roc_curves_of_cross_validation(cancer):
    X, y = cancer
    results = cross_validate(
        quick_classifier(), X, y, cv=3, return_estimator=True, return_indices=True,
        scoring="roc_auc", error_score="raise",
    )
    shown = RocCurveDisplay.from_cv_results(results, X, y)
    np.testing.assert_allclose(shown.roc_auc, results["test_score"])


def test_precision_recall_curve_has_the_average_precision(tumours):
    model, X, y = tumours
    shown = PrecisionRecallDisplay.from_estimator(model, X, y)
    expected = average_precision_score(y, model.predict_proba(X)[:, 1])
    assert np.max(shown.average_precision) == pytest.approx(expected)
    assert expected > np.mean(y) + 0.2


def test_detection_error_falls(tumours):
    model, X, y = tumours
    shown = DetCurveDisplay.from_estimator(model, X, y)
    assert (np.diff(shown.fpr) <= 0).all() and (np.diff(shown.fnr) >= 0).all()
    assert np.min(shown.fpr + shown.fnr) < 0.2


def test_calibration_curve_rises_with_the_probabilities(tumours):
    model, X, y = tumours
    shown = CalibrationDisplay.from_estimator(model, X, y, n_bins=3)
    np.testing.assert_array_equal(shown.y_prob, model.predict_proba(X)[:, 1])
    assert shown.prob_true[0] < 0.2 and shown.prob_true[-1] > 0.8


def test_learning_curve_display(cancer):
    shown = LearningCurveDisplay.from_estimator(
        quick_classifier(), *cancer, cv=2, train_sizes=[30, 200], shuffle=True,
        random_state=0, error_score="raise",
    )
    assert shown.test_scores.shape == (2, 2)
    assert shown.test_scores.min() > np.mean(cancer[1])


def test_validation_curve_display(cancer):
    shown = ValidationCurveDisplay.from_estimator(
        quick_classifier(), *cancer, param_name="n_candidates", param_range=[1, 3],
        cv=2, error_score="raise",
    )
    assert shown.test_scores.shape == (2, 2)
    assert shown.test_scores.min() > 0.9


@pytest.mark.parametrize("response_method", ["auto", "predict_proba", "predict"])
def test_decision_boundary_separates_the_classes(iris, response_method):
    X, y = iris
    model = quick_classifier().fit(X[:, 2:], y == "setosa")
    shown = DecisionBoundaryDisplay.from_estimator(
        model, X[:, 2:], response_method=response_method, grid_resolution=20
    )
    assert shown.response.shape == (20, 20)
    # Small petals are those of setosa.
    assert shown.response[0, 0] > shown.response[-1, -1]


def test_decision_boundary_of_three_classes_with_names():
    X, y = load_iris(return_X_y=True, as_frame=True)
    X = X[["petal length (cm)", "petal width (cm)"]]
    model = quick_classifier().fit(X, y)
    shown = DecisionBoundaryDisplay.from_estimator(
        model, X, response_method="predict", grid_resolution=10
    )
    assert shown.response[0, 0] == 0 and shown.response[-1, -1] == 2


def test_partial_dependence_display():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    model = quick_regressor().fit(X, y)
    shown = PartialDependenceDisplay.from_estimator(
        model, X[::10], ["bmi", "s5", ("bmi", "s5")], grid_resolution=5
    )
    assert [np.shape(r["average"]) for r in shown.pd_results] == [
        (1, 5), (1, 5), (1, 5, 5)
    ]
    for result in shown.pd_results[:2]:
        assert result["average"][0][-1] > result["average"][0][0] + 20


def test_prediction_error_display(diabetes):
    X, X_test, y, y_test = train_test_split(*diabetes, random_state=0)
    model = quick_regressor().fit(X, y)
    shown = PredictionErrorDisplay.from_estimator(
        model, X_test, y_test, subsample=None
    )
    np.testing.assert_array_equal(shown.y_pred, model.predict(X_test))
    assert np.corrcoef(shown.y_true, shown.y_pred)[0, 1] > 0.5
