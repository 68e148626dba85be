"""Explained by tools that ask it for predictions."""

import numpy as np
import pytest
from quick import quick_classifier, quick_regressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.inspection import partial_dependence, permutation_importance


@pytest.fixture(scope="module")
def patients():
    """The regressor that was fitted, and its table as a frame."""
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    return quick_regressor(candidates=["ridge"]).fit(X, y), X, y


@pytest.fixture(scope="module")
def flowers():
    """The classifier that was fitted, and its table as a frame."""
    X, y = load_iris(return_X_y=True, as_frame=True)
    return quick_classifier().fit(X, y), X, y


def test_permutation_importance_finds_the_columns_that_matter(flowers):
    model, X, y = flowers
    wide = X.assign(noise=np.random.default_rng(0).normal(size=len(X)))
    model = quick_classifier().fit(wide, y)
    found = permutation_importance(model, wide, y, n_repeats=3, random_state=0)
    importance = dict(zip(wide.columns, found.importances_mean, strict=True))
    assert importance["petal length (cm)"] > 0.1
    assert importance["noise"] < 0.02


def test_partial_dependence_of_a_linear_model_is_its_slope(patients):
    model, X, _ = patients
    found = partial_dependence(model, X, ["bmi"], kind="average", grid_resolution=5)
    slopes = np.diff(found["average"][0]) / np.diff(found["grid_values"][0])
    np.testing.assert_allclose(slopes, slopes[0])
    pipeline = model.best_estimator_
    scale = dict(zip(X.columns, X.std(ddof=0), strict=True))["bmi"]
    coefficient = pipeline["model"].coef_[list(X.columns).index("bmi")]
    assert slopes[0] == pytest.approx(coefficient / scale)


def test_partial_dependence_of_every_class(flowers):
    model, X, _ = flowers
    found = partial_dependence(
        model, X, ["petal length (cm)"], grid_resolution=10, kind="average",
        response_method="predict_proba",
    )
    assert found["average"].shape == (3, 10)
    np.testing.assert_allclose(found["average"].sum(axis=0), 1)
    setosa, _, virginica = found["average"]
    assert setosa[0] > setosa[-1] and virginica[0] < virginica[-1]


def test_shap_values_of_probabilities_add_up(flowers):
    shap = pytest.importorskip("shap")
    model, X, _ = flowers
    background, rows = X[::15], X[::50]
    explainer = shap.KernelExplainer(model.predict_proba, background, seed=0)
    found = explainer(rows, silent=True)
    assert found.values.shape == (3, 4, 3)
    total = found.base_values + found.values.sum(axis=1)
    np.testing.assert_allclose(total, model.predict_proba(rows), atol=1e-6)
    strength = np.abs(found.values).mean(axis=(0, 2))
    assert strength[2:].min() > strength[:2].max(), "petals tell more than sepals"


def test_shap_values_of_a_linear_model_is_slope_times_distance(patients):
    shap = pytest.importorskip("shap")
    model, X, _ = patients
    background, rows = X[::40], X[:2]
    explainer = shap.KernelExplainer(model.predict, background, seed=0)
    found = explainer.shap_values(rows, nsamples=200, silent=True)
    slopes = model.best_estimator_["model"].coef_ / X.std(ddof=0).to_numpy()
    distances = rows.to_numpy() - background.mean().to_numpy()
    np.testing.assert_allclose(found, slopes * distances, atol=1e-4)
