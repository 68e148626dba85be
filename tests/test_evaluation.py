"""One configuration on one split: scores, failures, threads."""


import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import get_scorer
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sk_meta._evaluation import (
    DROPPED,
    FAILED,
    OK,
    Evaluation,
    FoldResult,
    evaluate_fold,
    predict_with,
    score_prediction,
    take,
)

ACCURACY = {"accuracy": get_scorer("accuracy")}
R2 = {"r2": get_scorer("r2")}


def halves(y):
    """Even rows to fit on, odd ones to score on."""
    rows = np.arange(len(y))
    return rows[::2], rows[1::2]


def logistic():
    return make_pipeline(StandardScaler(), LogisticRegression())


def test_scores_and_predictions_of_an_ordinary_pipeline(iris):
    X, y = iris
    train, test = halves(y)
    result = evaluate_fold(logistic(), X, y, (train, test), ACCURACY, np.unique(y))
    expected = logistic().fit(X[train], y[train])
    assert result.status == OK and result.error is None
    assert result.scores["accuracy"] == expected.score(X[test], y[test])
    np.testing.assert_allclose(result.prediction, expected.predict_proba(X[test]))


def test_durations_are_read_from_the_clock(iris):
    X, y = iris
    ticks = iter([9.0, 10.0, 13.0, 14.5, 15.0])
    result = evaluate_fold(
        logistic(), X, y, halves(y), ACCURACY, np.unique(y), clock=lambda: next(ticks)
    )
    assert (result.fit_seconds, result.predict_seconds) == (3.0, 1.5)
    assert result.spent_seconds == 6.0


def test_values_of_a_regression(diabetes):
    X, y = diabetes
    train, test = halves(y)
    result = evaluate_fold(make_pipeline(Ridge()), X, y, (train, test), R2, None)
    expected = Ridge().fit(X[train], y[train])
    assert result.scores["r2"] == pytest.approx(expected.score(X[test], y[test]))
    assert result.prediction.shape == (len(test),)


def test_pipeline_that_raises_costs_only_itself(iris):
    X, y = iris

    def broken(X):
        raise RuntimeError("first line\nthe reason")

    pipeline = make_pipeline(FunctionTransformer(broken), LogisticRegression())
    result = evaluate_fold(pipeline, X, y, halves(y), ACCURACY, np.unique(y))
    assert result.status == FAILED
    assert result.error == "RuntimeError: the reason"
    assert result.scores == {} and result.prediction is None


def test_running_out_of_memory_costs_only_itself(iris):
    X, y = iris

    def greedy(X):
        raise MemoryError

    pipeline = make_pipeline(FunctionTransformer(greedy), LogisticRegression())
    result = evaluate_fold(pipeline, X, y, halves(y), ACCURACY, np.unique(y))
    assert result.status == FAILED
    assert result.error.startswith("MemoryError")


def test_interrupt_is_not_swallowed(iris):
    X, y = iris

    def interrupted(X):
        raise KeyboardInterrupt

    pipeline = make_pipeline(FunctionTransformer(interrupted), LogisticRegression())
    with pytest.raises(KeyboardInterrupt):
        evaluate_fold(pipeline, X, y, halves(y), ACCURACY, np.unique(y))


def test_long_reasons_are_cut():
    def broken(X):
        raise ValueError("x" * 5000)

    pipeline = make_pipeline(FunctionTransformer(broken), DummyRegressor())
    X, y = np.zeros((4, 1)), np.arange(4.0)
    result = evaluate_fold(pipeline, X, y, halves(y), R2, None)
    assert len(result.error) <= 200


def test_predictions_that_are_not_numbers_are_a_failure(diabetes):
    X, y = diabetes
    model = TransformedTargetRegressor(
        Ridge(), func=np.positive, inverse_func=np.log, check_inverse=False
    )
    y = y - y.mean()
    pipeline = make_pipeline(model)
    result = evaluate_fold(pipeline, X, y, halves(y), R2, None)
    assert result.status == FAILED
    assert result.error == "ValueError: predictions are not finite"


def test_scorer_that_raises_costs_only_the_candidate(iris):
    X, y = iris
    scorers = {"roc_auc": get_scorer("roc_auc")}
    result = evaluate_fold(logistic(), X, y, halves(y), scorers, np.unique(y))
    assert result.status == FAILED
    assert "ValueError" in result.error


@pytest.mark.parametrize("absent", [0, 1, 2])
def test_class_missing_in_the_training_part_gets_probability_zero(iris, absent):
    X, y = iris
    classes = np.unique(y)
    train = np.flatnonzero(y != classes[absent])
    test = np.arange(0, len(y), 5)
    result = evaluate_fold(logistic(), X, y, (train, test), ACCURACY, classes)
    assert result.prediction.shape == (len(test), 3)
    assert (result.prediction[:, absent] == 0).all()
    np.testing.assert_allclose(result.prediction.sum(axis=1), 1)
    model = logistic().fit(X[train], y[train])
    assert result.scores["accuracy"] == model.score(X[test], y[test])


@pytest.mark.parametrize(
    "name",
    ["accuracy", "balanced_accuracy", "neg_log_loss", "roc_auc_ovr", "f1_macro",
     "f1_weighted", "matthews_corrcoef", "roc_auc_ovo"],
)
@pytest.mark.parametrize("model", [LogisticRegression(C=0.01), DummyClassifier()])
def test_scores_of_predictions_are_those_of_the_classifier(iris, name, model):
    X, y = iris
    train, test = halves(y)
    model = model.fit(X[train], y[train])
    prediction = predict_with(model, X[test], np.unique(y))
    scorer = get_scorer(name)
    score = score_prediction(prediction, y[test], scorer, np.unique(y))
    assert score == pytest.approx(scorer(model, X[test], y[test]))


@pytest.mark.parametrize(
    "name",
    ["roc_auc", "average_precision", "neg_brier_score", "f1", "recall", "precision"],
)
def test_scores_of_predictions_are_those_of_the_binary_classifier(cancer, name):
    X, y = cancer
    train, test = halves(y)
    model = RandomForestClassifier(9, random_state=0).fit(X[train], y[train])
    prediction = predict_with(model, X[test], np.unique(y))
    scorer = get_scorer(name)
    score = score_prediction(prediction, y[test], scorer, np.unique(y))
    assert score == pytest.approx(scorer(model, X[test], y[test]))


@pytest.mark.parametrize(
    "name",
    ["r2", "neg_root_mean_squared_error", "neg_mean_absolute_error",
     "neg_median_absolute_error", "explained_variance", "neg_max_error"],
)
def test_scores_of_predictions_are_those_of_the_regressor(diabetes, name):
    X, y = diabetes
    model = Ridge().fit(X, y)
    scorer = get_scorer(name)
    score = score_prediction(model.predict(X), y, scorer)
    assert score == pytest.approx(scorer(model, X, y))


def test_own_scorer_that_asks_for_the_classes(iris):
    X, y = iris
    model = logistic().fit(X, y)

    def share_of_setosa(estimator, X, y):
        column = list(estimator.classes_).index("setosa")
        return estimator.predict_proba(X)[:, column].mean()

    score = score_prediction(
        model.predict_proba(X), y, share_of_setosa, model.classes_
    )
    assert score == pytest.approx(share_of_setosa(model, X, y))


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csr_array])
def test_sparse_table_of_either_interface(diabetes, make):
    X, y = diabetes
    result = evaluate_fold(make_pipeline(Ridge()), make(X), y, halves(y), R2, None)
    assert result.status == OK, result.error


def test_regressor_with_two_dimensional_output_is_one_column(diabetes):
    X, y = diabetes
    model = Ridge().fit(X, y[:, None])
    assert predict_with(model, X, None).shape == y.shape


def test_rows_of_a_frame_are_taken_by_position():
    frame = pd.DataFrame({"a": [1, 2, 3]}, index=[7, 7, 0])
    assert list(take(frame, np.array([2, 0]))["a"]) == [3, 1]


def test_evaluation_sums_up_its_folds():
    folds = tuple(
        FoldResult(OK, {"accuracy": score}, fit_seconds=1.0, predict_seconds=0.5)
        for score in (0.5, 1.0)
    )
    evaluation = Evaluation("it", folds)
    assert evaluation.status == OK and evaluation.error is None
    assert list(evaluation.scores("accuracy")) == [0.5, 1.0]
    assert evaluation.mean("accuracy") == 0.75
    assert (evaluation.fit_seconds, evaluation.predict_seconds) == (1.0, 0.5)
    # Of one that was dropped, the seconds of the folds that were run are known.
    dropped = Evaluation("it", (folds[0], FoldResult(DROPPED, error="hopeless")))
    assert (dropped.fit_seconds, dropped.predict_seconds) == (1.0, 0.5)
    assert np.isnan(Evaluation("it", dropped.folds[1:]).fit_seconds)


def test_one_failed_fold_fails_the_evaluation():
    folds = (FoldResult(OK, {"accuracy": 0.5}), FoldResult(FAILED, error="E: no"))
    evaluation = Evaluation("it", folds)
    assert (evaluation.status, evaluation.error) == (FAILED, "E: no")
    assert np.isnan(evaluation.mean("accuracy"))


@pytest.mark.parametrize("splitter", [KFold(3), StratifiedKFold(3)])
def test_folds_of_sorted_labels(iris, splitter):
    X, y = iris
    for split in splitter.split(X, y):
        result = evaluate_fold(logistic(), X, y, split, ACCURACY, np.unique(y))
        assert result.status == OK
        np.testing.assert_allclose(result.prediction.sum(axis=1), 1)


def test_score_that_is_not_finite_is_a_failure(iris):
    X, y = iris
    scorers = {"it": lambda estimator, X, y: np.nan}
    result = evaluate_fold(logistic(), X, y, halves(y), scorers, np.unique(y))
    assert result.status == FAILED
    assert result.error == "ValueError: the score is not finite"


def test_optional_score_that_fails_is_missing(iris):
    X, y = iris
    optional = {"roc_auc": get_scorer("roc_auc")}
    result = evaluate_fold(
        logistic(), X, y, halves(y), ACCURACY, np.unique(y), optional=optional
    )
    assert result.status == OK
    assert np.isnan(result.scores["roc_auc"])


@pytest.mark.parametrize("name", ["neg_log_loss", "roc_auc_ovr", "accuracy"])
def test_a_class_that_no_test_row_has_does_not_stop_the_scorer(iris, name):
    X, y = iris
    model = logistic().fit(X, y)
    part = y != "setosa"
    score = score_prediction(
        model.predict_proba(X[part]), y[part], get_scorer(name), model.classes_
    )
    assert np.isfinite(score)


def test_scorer_may_look_at_the_table(iris):
    X, y = iris

    def accuracy_on_long_petals(estimator, X, y):
        long = X[:, 2] > 2
        return np.mean((estimator.predict(X) == y)[long])

    scorers = {"it": accuracy_on_long_petals}
    result = evaluate_fold(logistic(), X, y, halves(y), scorers, np.unique(y))
    train, test = halves(y)
    model = logistic().fit(X[train], y[train])
    assert result.scores["it"] == accuracy_on_long_petals(model, X[test], y[test])
