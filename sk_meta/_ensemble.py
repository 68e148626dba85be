"""Out-of-fold predictions → weights, and the estimator that applies them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.metaestimators import available_if

from ._evaluation import predict_with

N_STEPS = 30
MAX_POOL = 25
_TINY = 1e-15


def greedy_weights(
    losses, stack: np.ndarray, n_steps: int = N_STEPS, max_members: int | None = None
) -> np.ndarray:
    """Greedy forward selection with replacement (Caruana et al. 2004).

    Starts from the best single member and keeps the weights of the best step.

    Parameters
    ----------
    losses : callable
        ``losses(predictions)`` maps an array of shape (n_members, n_samples) to
        one loss per member.
    stack : ndarray of shape (n_members, n_samples)
        Out-of-fold predictions of every member.
    n_steps : int, default=30
        Number of additions.
    max_members : int or None, default=None
        Largest number of different members.

    Returns
    -------
    ndarray of shape (n_members,)
        Weights that sum to 1.

    References
    ----------
    Caruana, R. et al. (2004). "Ensemble selection from libraries of models".
    ICML.
    """
    counts = np.zeros(len(stack))
    total = np.zeros(stack.shape[1])
    best_loss, best_counts = np.inf, counts
    for step in range(1, n_steps + 1):
        candidates = losses((total + stack) / step)
        if max_members is not None and np.count_nonzero(counts) >= max_members:
            candidates = np.where(counts > 0, candidates, np.inf)
        index = int(np.argmin(candidates))
        counts[index] += 1
        total += stack[index]
        if candidates[index] < best_loss * (1 - 1e-9):
            best_loss, best_counts = candidates[index], counts.copy()
    return best_counts / best_counts.sum()


@dataclass(frozen=True)
class Selection:
    """Weights of the members, and how well they did on unseen folds.

    Parameters
    ----------
    weights : ndarray of shape (n_members,)
        Sum to 1.
    score : float
        Mean score over the folds, each scored with weights that were selected
        on the other folds.
    single : bool
        Whether the best single member was kept instead of an ensemble.
    """

    weights: np.ndarray
    score: float
    single: bool


def select(
    evaluations,
    metric: str,
    y: np.ndarray,
    rows: list[np.ndarray],
    score,
    classes,
    *,
    size: int,
    absolute: bool = False,
) -> Selection:
    """Choose the members of the ensemble on out-of-fold predictions.

    The selection minimises a smooth loss: log loss for classes, squared (or
    absolute) error for quantities; whether the ensemble or the best single
    member is kept is decided by the user's metric on folds that the selection
    did not see.

    Parameters
    ----------
    evaluations : list of Evaluation
        Complete ones.
    metric : str
        Name of the user's metric among their scores.
    y : ndarray of shape (n_samples,)
        True labels or values.
    rows : list of ndarray
        Rows of every test fold.
    score : callable
        ``score(prediction, rows)`` in the user's metric, greater is better.
    classes : ndarray or None
        None for regression.
    size : int
        Largest number of different members; 1 gives the best single one.
    absolute : bool, default=False
        Whether regression errors are absolute instead of squared.

    Returns
    -------
    Selection
    """
    means = np.array([evaluation.mean(metric) for evaluation in evaluations])
    best = int(np.argmax(means))
    single = np.eye(len(evaluations))[best]
    if size == 1 or len(evaluations) == 1:
        return Selection(single, float(means[best]), True)
    pool = np.argsort(-means, kind="stable")[:MAX_POOL]
    members = [evaluations[i] for i in pool]
    scores = np.array([member.scores(metric) for member in members])
    scale = 1.0 if classes is not None else float(np.std(y)) or 1.0
    folds = [
        _Fold.of([m.folds[k].prediction for m in members], y, part, classes, scale)
        for k, part in enumerate(rows)
    ]
    if len(folds) == 1:
        # Something must be left that the selection does not see.
        folds = folds[0].halves()
        scores = np.array(
            [[score(p, fold.rows) for p in fold.predictions] for fold in folds]
        ).T
    blended, alone = np.zeros(len(folds)), np.zeros(len(folds))
    for k, fold in enumerate(folds):
        others = folds[:k] + folds[k + 1 :]
        blended[k] = score(fold.blend(_weights(others, size, absolute)), fold.rows)
        # The best single member is chosen without this fold too, or it would
        # be favoured.
        alone[k] = scores[np.delete(scores, k, axis=1).sum(axis=1).argmax(), k]
    if not blended.mean() >= alone.mean():
        return Selection(single, float(alone.mean()), True)
    weights = np.zeros(len(evaluations))
    weights[pool] = _weights(folds, size, absolute)
    return Selection(weights, float(blended.mean()), np.count_nonzero(weights) == 1)


@dataclass(frozen=True)
class _Fold:
    """Predictions of the pool on some rows, and what the loss needs of them."""

    predictions: np.ndarray
    errors: np.ndarray
    rows: np.ndarray

    @classmethod
    def of(cls, predictions: list[np.ndarray], y, rows, classes, scale) -> _Fold:
        """Keep the probability of the true class, or the scaled error."""
        stacked = np.stack(predictions)
        if classes is None:
            return cls(stacked, (stacked - y[rows]) / scale, rows)
        truth = np.searchsorted(classes, y[rows])
        return cls(stacked, stacked[:, np.arange(len(rows)), truth], rows)

    def blend(self, weights: np.ndarray) -> np.ndarray:
        return np.tensordot(weights, self.predictions, axes=1)

    def halves(self) -> list[_Fold]:
        """Every second row, and the others."""
        return [
            _Fold(self.predictions[:, i::2], self.errors[:, i::2], self.rows[i::2])
            for i in (0, 1)
        ]


def _weights(folds: list[_Fold], size: int, absolute: bool) -> np.ndarray:
    """Greedy weights on some folds."""
    stack = np.concatenate([fold.errors for fold in folds], axis=1)
    if folds[0].predictions.ndim == 3:
        return greedy_weights(_log_losses, stack, max_members=size)
    losses = _absolute_errors if absolute else _squared_errors
    return greedy_weights(losses, stack, max_members=size)


def _log_losses(probability: np.ndarray) -> np.ndarray:
    return -np.log(np.maximum(probability, _TINY)).mean(axis=1)


def _squared_errors(errors: np.ndarray) -> np.ndarray:
    return (errors**2).mean(axis=1)


def _absolute_errors(errors: np.ndarray) -> np.ndarray:
    return np.abs(errors).mean(axis=1)


def _has_one(name: str):
    """Whether there is a single member, and it has the method."""

    def check(self):
        if len(self.estimators) == 1:
            getattr(self.estimators[0], name)
            return True
        return False

    return check


def _classifies(self) -> bool:
    return self.classes is not None


class WeightedEnsemble(BaseEstimator):
    """Weighted average of fitted pipelines.

    Parameters
    ----------
    estimators : list of Pipeline
        Fitted members.
    weights : ndarray of shape (n_members,)
        Sum to 1.
    classes : ndarray of shape (n_classes,) or None
        Class labels; None for regression.
    """

    def __init__(self, estimators, weights, classes=None):
        self.estimators = estimators
        self.weights = weights
        self.classes = classes

    def __sklearn_is_fitted__(self):
        return True

    def _blend(self, X) -> np.ndarray:
        with warnings.catch_warnings():
            # A category that was not there in fit is an ordinary thing.
            warnings.filterwarnings("ignore", message="Found unknown categories")
            parts = [predict_with(e, X, self.classes) for e in self.estimators]
        return np.tensordot(self.weights, np.stack(parts), axes=1)

    def predict(self, X) -> np.ndarray:
        """Most probable class, or weighted mean of the values.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        blend = self._blend(X)
        if self.classes is None:
            return blend
        return self.classes[blend.argmax(axis=1)]

    @available_if(_classifies)
    def predict_proba(self, X) -> np.ndarray:
        """Weighted mean of the class probabilities.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        return self._blend(X)

    @available_if(_has_one("decision_function"))
    def decision_function(self, X) -> np.ndarray:
        """Decision values of the only member.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return self.estimators[0].decision_function(X)
