"""Fit and score one configuration on one split, and never raise.

Everything that happens to a candidate ends up in a :class:`FoldResult`; the
folds of one configuration make an :class:`Evaluation`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.pipeline import Pipeline

from ._catalogue import last_step
from ._encoded import EncodedFold, EncodedFolds
from ._scoring import takes_weights

OK, FAILED, DIED, TIMEOUT = "ok", "failed", "died", "timeout"
# Its first folds were so much worse than the best that the others were not run.
DROPPED = "dropped"
# Names of the two scores of a search: the user's, and the stored metric that
# stands for it where the two are not the same.
SCORE, STORED = "score", "stored"
OTHER = "other "  # before the names of scores that are only reported
TIMED_ROWS = 1_000  # what predicting costs is told for so many


@dataclass(frozen=True)
class FoldResult:
    """What one configuration did on one split.

    Parameters
    ----------
    status : {"ok", "failed", "died", "timeout"}
        How it ended.
    scores : dict of str to float
        Score per metric, greater is better.
    prediction : ndarray of shape (n_test, n_classes) or (n_test,), or None
        Class probabilities or values for the rows that were left out.
    fit_seconds, predict_seconds : float
        Durations on the clock that was passed.
    error : str or None
        Type and last line of the exception.
    model : Pipeline or None
        The fitted pipeline, if it was asked for.
    spent_seconds : float
        What the fold really took: less than the other two where its encoded rows
        were at hand, more by the scoring.
    memory : float
        MiB by which the process rose at the most meanwhile; NaN if that is not known.
    predict_time : float
        Seconds for predicting 1,000 rows; NaN if that was not measured.
    """

    status: str
    scores: dict[str, float] = field(default_factory=dict)
    prediction: np.ndarray | None = None
    fit_seconds: float = np.nan
    predict_seconds: float = np.nan
    error: str | None = None
    model: Any = None
    spent_seconds: float = np.nan
    memory: float = np.nan
    predict_time: float = np.nan


@dataclass(frozen=True)
class Evaluation:
    """The folds of one configuration.

    Parameters
    ----------
    name : str
        Name of the configuration.
    folds : tuple of FoldResult
        One per split, in the order of the splits.
    """

    name: str
    folds: tuple[FoldResult, ...]

    @property
    def status(self) -> str:
        """The status of the first fold that is not "ok", or "ok"."""
        return next((f.status for f in self.folds if f.status != OK), OK)

    @property
    def error(self) -> str | None:
        """Reason of the first failure."""
        return next((f.error for f in self.folds if f.error is not None), None)

    def scores(self, metric: str) -> np.ndarray:
        """Score of every fold, NaN where it failed."""
        return np.array([fold.scores.get(metric, np.nan) for fold in self.folds])

    def mean(self, metric: str) -> float:
        """Mean score over the folds, NaN if any failed."""
        return float(np.mean(self.scores(metric)))

    @property
    def fit_seconds(self) -> float:
        """Mean seconds for fitting, of the folds that were run."""
        return _mean_of_known([fold.fit_seconds for fold in self.folds])

    @property
    def predict_seconds(self) -> float:
        """Mean seconds for predicting the rows of a fold, of those that were run."""
        return _mean_of_known([fold.predict_seconds for fold in self.folds])

    @property
    def timed(self) -> bool:
        """Whether predicting 1,000 rows was measured on every fold."""
        return all(np.isfinite(fold.predict_time) for fold in self.folds)

    @property
    def memory(self) -> float:
        """MiB of the fold that took most, NaN if none is known."""
        return max((f.memory for f in self.folds if f.memory >= 0), default=np.nan)

    def predict_time(self, rows: list[np.ndarray]) -> float:
        """Seconds for predicting 1,000 rows.

        As measured, or else in proportion to the rows of every fold: of few rows that
        is too much, since a call costs something whatever the rows.

        Parameters
        ----------
        rows : list of ndarray
            Test rows of every fold.
        """
        if self.timed:
            return float(np.median([fold.predict_time for fold in self.folds]))
        seconds = np.mean([fold.predict_seconds for fold in self.folds])
        return TIMED_ROWS * float(seconds) / float(np.mean([*map(len, rows)]))


def _mean_of_known(values: list[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else np.nan


class _Predicted(BaseEstimator):
    """Predictions that are known already, as the estimator a scorer expects."""

    def __init__(self, prediction, classes=None, present=None):
        self.prediction = prediction
        self.classes = classes
        self.present = present

    def __sklearn_is_fitted__(self):
        return True

    def _known(self, X):
        if X.shape[0] != len(self.prediction):
            raise ValueError("the scorer must predict all the rows that it is given")
        return self.prediction


class PredictedClasses(ClassifierMixin, _Predicted):
    """Known class probabilities.

    Scorers of probabilities refuse a class that no row has; they see only the
    classes that are present, with probabilities that sum to one. Labels are
    predicted among all classes.
    """

    @property
    def classes_(self):
        """Sorted labels of the columns of the probabilities."""
        return self.classes[self.present]

    def predict_proba(self, X):
        """Probabilities of the classes that are present."""
        known = self._known(X)
        if self.present.all():
            return known
        part = known[:, self.present] + 1e-15
        return part / part.sum(axis=1, keepdims=True)

    def predict(self, X):
        """Most probable of all classes."""
        return self.classes[self._known(X).argmax(axis=1)]


class PredictedLabels(ClassifierMixin, _Predicted):
    """Known probabilities of several labels, each of which a row has or has not."""

    @property
    def classes_(self):
        """For every label, that a row has it not, and that it has it."""
        return [np.array([0, 1])] * self.prediction.shape[1]

    def predict_proba(self, X):
        """Probability of every label."""
        return self._known(X)

    def predict(self, X):
        """Labels that are more probable than not."""
        return (self._known(X) >= 0.5).astype(int)


class PredictedValues(RegressorMixin, _Predicted):
    """Known values of a quantity."""

    def predict(self, X):
        """Values of all rows."""
        return self._known(X)


def score_prediction(
    prediction, y, scorer, classes=None, X=None, weights=None
) -> float:
    """Apply a scikit-learn scorer to predictions instead of an estimator.

    Parameters
    ----------
    prediction : ndarray of shape (n_samples, n_columns) or (n_samples,)
        Probabilities, or values if ``classes`` is None.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        True labels or values.
    scorer : callable
        ``scorer(estimator, X, y)``, greater is better.
    classes : ndarray of shape (n_classes,), MULTILABEL or None, default=None
        Labels of the columns.
    X : table of shape (n_samples, n_features) or None, default=None
        Given to the scorer, which may look at it.
    weights : ndarray of shape (n_samples,) or None, default=None
        Sample weights, for scorers that take them.

    Returns
    -------
    float
    """
    X = np.arange(len(y)).reshape(-1, 1) if X is None else X
    known: BaseEstimator = PredictedValues(prediction)
    if isinstance(classes, str):
        known = PredictedLabels(prediction)
    elif classes is not None:
        known = PredictedClasses(prediction, classes, np.isin(classes, y))
    if weights is not None and takes_weights(scorer):
        # The request, if there is any, has been looked at.
        with config_context(enable_metadata_routing=False):
            return float(scorer(known, X, y, sample_weight=weights))
    return float(scorer(known, X, y))


def take(X, rows):
    """Rows of a frame, array or sparse table."""
    return X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]


def as_fitted():
    """Whatever frames the user wants of transformers, those within pipelines fit."""
    return config_context(transform_output="default")


def predict_with(model, X, classes) -> np.ndarray:
    """Probabilities with one column per known class or label, or values.

    Parameters
    ----------
    model : estimator
        Fitted on rows that may lack some of the classes.
    X : table
    classes : ndarray of shape (n_classes,), MULTILABEL or None
        None for regression.

    Returns
    -------
    ndarray of shape (n_samples, n_columns), or (n_samples,) for one quantity

    Raises
    ------
    ValueError
        If a prediction is not finite.
    """
    if classes is None:
        with as_fitted():
            prediction = np.asarray(model.predict(X), dtype=float)
        prediction = prediction.reshape(X.shape[0], -1)
        prediction = prediction[:, 0] if prediction.shape[1] == 1 else prediction
    elif isinstance(classes, str):
        with as_fitted():
            found = model.predict_proba(X)
        prediction = _of_labels(found, model.classes_)
    else:
        with as_fitted():
            known = model.predict_proba(X)
        prediction = np.zeros((len(known), len(classes)))
        prediction[:, np.searchsorted(classes, model.classes_)] = known
    if not np.isfinite(prediction).all():
        raise ValueError("predictions are not finite")
    return prediction


def _of_labels(found, classes) -> np.ndarray:
    """Probability of every label, however a model returns it."""
    if isinstance(found, np.ndarray):
        return found
    return np.column_stack([
        part[:, list(known).index(1)] if 1 in known else np.zeros(len(part))
        for part, known in zip(found, classes, strict=True)
    ])  # fmt: skip


def time_prediction(model, X, rows: np.ndarray, classes) -> float:
    """Seconds for predicting 1,000 rows, some of them several times if need be.

    Parameters
    ----------
    model : estimator
        Fitted.
    X : table
    rows : ndarray
        Rows of the table to predict.
    classes : ndarray, MULTILABEL or None
        None for regression.

    Returns
    -------
    float
        NaN if they can't be predicted.
    """
    try:
        many = take(X, np.resize(rows, TIMED_ROWS))
        start = time.perf_counter()
        predict_with(model, many, classes)
        return time.perf_counter() - start
    except Exception:  # the rows of the fold were predicted, these are only timed
        return np.nan


def evaluate_fold(
    pipeline: Pipeline,
    X,
    y: np.ndarray,
    split: tuple[np.ndarray, np.ndarray],
    scorers: dict[str, Callable],
    classes: np.ndarray | str | None,
    *,
    optional: dict[str, Callable] | None = None,
    clock: Callable[[], float] = time.perf_counter,
    encoders: tuple[int, tuple] | None = None,
    keep: bool = False,
    weights: np.ndarray | None = None,
) -> FoldResult:
    """Fit a pipeline on one part of a table and score it on the other.

    Parameters
    ----------
    pipeline : Pipeline
        Unfitted; it is fitted in place.
    X : table of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,)
    split : tuple of ndarray
        Row numbers to fit on and to score on.
    scorers : dict of str to callable
        Scorers by metric name; each score must be finite.
    classes : ndarray, MULTILABEL or None
        All class labels; None for regression.
    optional : dict of str to callable or None, default=None
        Scorers whose failure is a NaN and not a failure of the pipeline.
    clock : callable, default=time.perf_counter
        Seconds now.
    encoders : tuple of (int, tuple) or None, default=None
        Number of steps that encode the table, and what tells them and the fold
        from others: what they make of the fold is kept for other pipelines that
        start with them. Seconds are told as if it had been made anew.
    keep : bool, default=False
        Whether the fitted pipeline is part of the result.
    weights : ndarray of shape (n_samples,) or None, default=None
        Sample weights, for the predictor and for scorers that take them.

    Returns
    -------
    FoldResult
        Exceptions of the candidate are in it, not raised.
    """
    train, test = split
    X_test = take(X, test)
    start = clock()
    try:
        with as_fitted():
            encoded = _encode(pipeline, encoders, X, y, split, clock)
        begun = clock()
        model = Pipeline(pipeline.steps[len(encoded.steps) :])
        fit_weighted(model, encoded.train, y[train], take_or_none(weights, train))
        fitted = clock()
        prediction = predict_with(model, encoded.test, classes)
        predicted = clock()
        score = partial(
            _score, prediction, y[test], classes=classes, X=X_test,
            weights=take_or_none(weights, test),
        )  # fmt: skip
        scores = {name: score(scorer) for name, scorer in scorers.items()}
        for name, scorer in (optional or {}).items():
            scores[name] = _nan_if_undefined(score, scorer)
    except Exception as error:
        spent = clock() - start
        return FoldResult(
            FAILED, error=reason(error), fit_seconds=spent, spent_seconds=spent
        )
    return FoldResult(
        OK,
        scores,
        prediction,
        fitted - begun + encoded.fit_seconds,
        predicted - fitted + encoded.predict_seconds,
        model=Pipeline([*encoded.steps, *model.steps]) if keep else None,
        spent_seconds=clock() - start,
    )


_encoded = EncodedFolds()


def forget_encoded() -> None:
    """Let go of the encoded folds that are held in this process."""
    _encoded.clear()


def _encode(pipeline: Pipeline, encoders, X, y, split, clock) -> EncodedFold:
    """Encode both parts of a fold, unless another pipeline has done it."""
    train, test = split
    n_steps, key = encoders or (0, ())
    if not n_steps:
        return EncodedFold([], take(X, train), take(X, test), 0.0, 0.0)
    known = _encoded.get(key)
    if known is not None:
        return known
    steps = Pipeline(pipeline.steps[:n_steps])
    start = clock()
    train_rows = steps.fit_transform(take(X, train), y[train])
    fitted = clock()
    test_rows = steps.transform(take(X, test))
    seconds = fitted - start, clock() - fitted
    fold = EncodedFold(steps.steps, train_rows, test_rows, *seconds)
    _encoded.put(key, fold)
    return fold


def _score(prediction, y, scorer, **known) -> float:
    score = score_prediction(prediction, y, scorer, **known)
    if not np.isfinite(score):
        raise ValueError("the score is not finite")
    return score


def _nan_if_undefined(score, scorer) -> float:
    try:
        return score(scorer)
    except Exception:
        return np.nan


def fit_weighted(pipeline: Pipeline, X, y, weights: np.ndarray | None) -> Pipeline:
    """Fit a pipeline whose last step gets the sample weights, if there are any."""
    if weights is None:
        with as_fitted():
            return pipeline.fit(X, y)
    name, _ = last_step(pipeline)
    with as_fitted(), config_context(enable_metadata_routing=False):
        return pipeline.fit(X, y, **{f"{name}__sample_weight": weights})


def take_or_none(values: np.ndarray | None, rows) -> np.ndarray | None:
    """Some of the values, if there are any."""
    return None if values is None else values[rows]


def fit_all_rows(pipeline: Pipeline, X, y, weights=None) -> Pipeline | str:
    """Fit a pipeline on all rows.

    Parameters
    ----------
    pipeline : Pipeline
    X : table
    y : ndarray
    weights : ndarray or None, default=None
        Sample weights.

    Returns
    -------
    Pipeline or str
        Fitted, or the reason why it can't be.
    """
    try:
        return fit_weighted(pipeline, X, y, weights)
    except Exception as error:
        return reason(error)


def reason(error: BaseException) -> str:
    """Type and last line of an exception, short enough for a table."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[-1] if lines else ''}"[:200]
