"""Inside the tools that fit an estimator many times and compare."""

import numpy as np
import pytest
from quick import quick_classifier, quick_regressor
from sklearn.dummy import DummyClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFECV
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    validation_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_meta import MetaLearnerClassifier


def test_grid_search_finds_that_a_model_beats_the_constant(cancer):
    X, y = cancer
    grid = {"candidates": [["dummy"], ["linear"]], "ensemble_size": [1, 2]}
    search = GridSearchCV(quick_classifier(), grid, cv=2, error_score="raise")
    search.fit(X, y)
    assert search.best_params_["candidates"] == ["linear"]
    scores = search.cv_results_["mean_test_score"]
    assert scores[:2] == pytest.approx(np.mean(y), abs=0.01)
    assert scores[2:].min() > 0.9
    assert isinstance(search.best_estimator_, MetaLearnerClassifier)
    assert search.best_estimator_.leaderboard_["status"].eq("ok").any()


def test_grid_search_inside_a_pipeline(cancer):
    model = make_pipeline(StandardScaler(), quick_classifier())
    grid = {"metalearnerclassifier__n_candidates": [1, 3]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(*cancer)
    tried = (search.best_estimator_[-1].leaderboard_["status"] == "ok").sum()
    assert tried == search.best_params_["metalearnerclassifier__n_candidates"]


def test_halving_drops_the_constant_on_few_rows(cancer):
    grid = {"candidates": [["dummy"], ["linear"], ["decision tree"]]}
    search = HalvingGridSearchCV(
        quick_classifier(), grid, cv=2, factor=3, random_state=0, error_score="raise"
    ).fit(*cancer)
    assert search.n_candidates_ == [3, 1]
    assert search.best_params_["candidates"] != ["dummy"]
    assert search.best_score_ > 0.9


def test_cross_validate_in_processes_returns_fitted_estimators(cancer):
    X, y = cancer
    options = {"cv": 3, "return_estimator": True, "error_score": "raise"}
    scoring = ["accuracy", "roc_auc", "neg_log_loss"]
    parallel = cross_validate(
        quick_classifier(), X, y, scoring=scoring, n_jobs=2, **options
    )
    assert parallel["test_accuracy"].min() > 0.9
    assert parallel["test_roc_auc"].min() > 0.95
    assert [e.n_splits_ for e in parallel["estimator"]] == [2, 2, 2]
    alone = cross_validate(quick_classifier(), X, y, scoring=scoring, **options)
    for name in ("test_accuracy", "test_roc_auc"):
        np.testing.assert_array_equal(parallel[name], alone[name])
    for one, other in zip(parallel["estimator"], alone["estimator"], strict=True):
        np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(X))


def test_nested_cross_validation(diabetes):
    grid = {"n_candidates": [1, 2], "candidates": [["dummy"], ["linear"]]}
    inner = GridSearchCV(quick_regressor(), grid, cv=2, error_score="raise")
    outer = KFold(2, shuffle=True, random_state=0)
    scores = cross_val_score(inner, *diabetes, cv=outer, error_score="raise")
    assert scores.min() > 0.3


def test_out_of_fold_probabilities(iris):
    X, y = iris
    found = cross_val_predict(quick_classifier(), X, y, cv=3, method="predict_proba")
    assert found.shape == (150, 3)
    assert np.mean(np.unique(y)[found.argmax(axis=1)] == y) > 0.9


def test_learning_curve_rises(cancer):
    sizes, _, scores = learning_curve(
        quick_classifier(), *cancer, cv=3, train_sizes=[20, 379], shuffle=True,
        random_state=0, error_score="raise",
    )
    assert list(sizes) == [20, 379]
    few, many = scores.mean(axis=1)
    assert np.mean(cancer[1]) < few < many


def test_validation_curve_over_the_number_of_candidates(diabetes):
    train, test = validation_curve(
        quick_regressor(), *diabetes, param_name="n_candidates", param_range=[1, 3],
        cv=3, error_score="raise",
    )
    assert train.shape == test.shape == (2, 3)
    assert test.mean(axis=1).min() > 0.3


def test_features_are_eliminated_by_its_best_pipeline(iris):
    X, y = iris
    noise = np.random.default_rng(0).normal(size=(len(X), 3))
    wide = np.hstack([X, noise])
    best = quick_classifier(candidates=["logistic-C1"]).fit(wide, y).best_estimator_
    selector = RFECV(best, importance_getter="named_steps.model.coef_", cv=3)
    selector.fit(wide, y)
    assert selector.ranking_[4:].min() >= selector.ranking_[2:4].max()
    assert selector.support_[2:4].all()
    assert selector.score(wide, y) > 0.9


def test_optuna_searches_our_parameters(cancer):
    optuna = pytest.importorskip("optuna")
    X, y = cancer

    def objective(trial):
        candidates = trial.suggest_categorical("candidates", ["dummy", "linear"])
        model = quick_classifier(
            candidates=[candidates],
            ensemble_size=trial.suggest_int("ensemble_size", 1, 3),
        )
        return cross_val_score(model, X, y, cv=2, error_score="raise").mean()

    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=0)
    )
    study.optimize(objective, n_trials=5)
    assert study.best_params["candidates"] == "linear"
    constant = cross_val_score(DummyClassifier(), X, y, cv=2).mean()
    assert study.best_value > constant + 0.2
