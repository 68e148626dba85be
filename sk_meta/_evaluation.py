"""Fit and score one configuration on one split, and never raise.

Everything that happens to a candidate ends up in a :class:`FoldResult`; the
folds of one configuration make an :class:`Evaluation`.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

OK, FAILED, DIED, TIMEOUT = "ok", "failed", "died", "timeout"


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
    """

    status: str
    scores: dict[str, float] = field(default_factory=dict)
    prediction: np.ndarray | None = None
    fit_seconds: float = np.nan
    predict_seconds: float = np.nan
    error: str | None = None


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
        """Mean seconds for fitting and predicting one fold."""
        seconds = [fold.fit_seconds + fold.predict_seconds for fold in self.folds]
        return float(np.mean(seconds))

    @property
    def predict_seconds(self) -> float:
        """Mean seconds for predicting one fold."""
        return float(np.mean([fold.predict_seconds for fold in self.folds]))


class _Predicted(BaseEstimator):
    """Predictions that are known already, as the estimator a scorer expects.

    The table that it "predicts" holds row numbers into the stored predictions.
    """

    def __init__(self, prediction, classes=None):
        self.prediction = prediction
        self.classes = classes

    def __sklearn_is_fitted__(self):
        return True


class PredictedClasses(ClassifierMixin, _Predicted):
    """Known class probabilities; see :class:`_Predicted`."""

    @property
    def classes_(self):
        """Sorted class labels, the columns of the probabilities."""
        return self.classes

    def predict_proba(self, X):
        """Look up the probabilities of the numbered rows."""
        return self.prediction[np.asarray(X).ravel()]

    def predict(self, X):
        """Most probable class of the numbered rows."""
        return self.classes[self.predict_proba(X).argmax(axis=1)]


class PredictedValues(RegressorMixin, _Predicted):
    """Known values of a quantity; see :class:`_Predicted`."""

    def predict(self, X):
        """Look up the values of the numbered rows."""
        return self.prediction[np.asarray(X).ravel()]


def score_prediction(prediction, y, scorer, classes=None) -> float:
    """Apply a scikit-learn scorer to predictions instead of an estimator.

    Parameters
    ----------
    prediction : ndarray of shape (n_samples, n_classes) or (n_samples,)
        Probabilities, or values if ``classes`` is None.
    y : ndarray of shape (n_samples,)
        True labels or values.
    scorer : callable
        ``scorer(estimator, X, y)``, greater is better.
    classes : ndarray of shape (n_classes,) or None, default=None
        Labels of the columns.

    Returns
    -------
    float
    """
    kind = PredictedValues if classes is None else PredictedClasses
    rows = np.arange(len(y)).reshape(-1, 1)
    return float(scorer(kind(prediction, classes), rows, y))


def take(X, rows):
    """Rows of a frame, array or sparse table."""
    return X.iloc[rows] if isinstance(X, pd.DataFrame) else X[rows]


def predict_with(model, X, classes) -> np.ndarray:
    """Probabilities with one column per known class, or values.

    Parameters
    ----------
    model : estimator
        Fitted on rows that may lack some of the classes.
    X : table
    classes : ndarray of shape (n_classes,) or None
        None for regression.

    Returns
    -------
    ndarray of shape (n_samples, n_classes) or (n_samples,)

    Raises
    ------
    ValueError
        If a prediction is not finite.
    """
    if classes is None:
        prediction = np.asarray(model.predict(X), dtype=float)
        prediction = prediction.reshape(X.shape[0], -1)[:, 0]
    else:
        known = model.predict_proba(X)
        prediction = np.zeros((len(known), len(classes)))
        prediction[:, np.searchsorted(classes, model.classes_)] = known
    if not np.isfinite(prediction).all():
        raise ValueError("predictions are not finite")
    return prediction


def evaluate_fold(
    pipeline: Pipeline,
    X,
    y: np.ndarray,
    split: tuple[np.ndarray, np.ndarray],
    scorers: dict[str, Callable],
    classes: np.ndarray | None,
    *,
    clock: Callable[[], float] = time.perf_counter,
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
        Scorers by metric name.
    classes : ndarray or None
        All class labels; None for regression.
    clock : callable, default=time.perf_counter
        Seconds now.

    Returns
    -------
    FoldResult
        Exceptions of the candidate are in it, not raised.
    """
    train, test = split
    start = clock()
    try:
        # One thread: the results are then the same for any number of workers.
        with threadpool_limits(limits=1), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pipeline.fit(take(X, train), y[train])
            fitted = clock()
            prediction = predict_with(pipeline, take(X, test), classes)
            predicted = clock()
            scores = {
                name: score_prediction(prediction, y[test], scorer, classes)
                for name, scorer in scorers.items()
            }
    except (Exception, MemoryError) as error:
        return FoldResult(FAILED, error=_reason(error), fit_seconds=clock() - start)
    return FoldResult(
        OK,
        scores,
        prediction,
        fitted - start,
        predicted - fitted,
    )


def _reason(error: BaseException) -> str:
    """Type and last line of an exception, short enough for a table."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[-1] if lines else ''}"[:200]
