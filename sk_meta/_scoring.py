"""What a score means: stored metrics, losses, and the scorer of the user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import check_scoring, get_scorer, get_scorer_names

# Metrics kept in the knowledge base, by the names scikit-learn gives them.
STORED_METRICS = {
    "classification": (
        "accuracy",
        "balanced_accuracy",
        "f1_macro",
        "neg_log_loss",
        "roc_auc_ovr",
    ),
    "regression": (
        "r2",
        "neg_root_mean_squared_error",
        "neg_mean_absolute_error",
        "neg_median_absolute_error",
    ),
}

# Scorers that rank configurations like a stored one.
_NEAREST = {
    "roc_auc": "roc_auc_ovr",
    "roc_auc_ovo": "roc_auc_ovr",
    "roc_auc_ovr_weighted": "roc_auc_ovr",
    "roc_auc_ovo_weighted": "roc_auc_ovr",
    "average_precision": "roc_auc_ovr",
    "neg_brier_score": "neg_log_loss",
    "d2_brier_score": "neg_log_loss",
    "d2_log_loss_score": "neg_log_loss",
    "f1": "f1_macro",
    "f1_weighted": "accuracy",
    "f1_micro": "accuracy",
    "matthews_corrcoef": "balanced_accuracy",
    "jaccard": "f1_macro",
    "top_k_accuracy": "neg_log_loss",
    "recall": "balanced_accuracy",
    "recall_macro": "balanced_accuracy",
    "precision_macro": "f1_macro",
    "neg_mean_squared_error": "neg_root_mean_squared_error",
    "explained_variance": "r2",
    "max_error": "neg_root_mean_squared_error",
    "neg_max_error": "neg_root_mean_squared_error",
    "d2_absolute_error_score": "neg_mean_absolute_error",
    "neg_mean_absolute_percentage_error": "neg_mean_absolute_error",
    "neg_root_mean_squared_log_error": "neg_mean_absolute_error",
    "neg_mean_squared_log_error": "neg_mean_absolute_error",
}
_DEFAULT = {"classification": "accuracy", "regression": "r2"}
_FALLBACK = {
    "classification": "neg_log_loss",
    "regression": "neg_root_mean_squared_error",
}


@dataclass(frozen=True)
class Metric:
    """The user's scorer and the stored metric that stands for it.

    Parameters
    ----------
    name : str
        Name of the scorer, for the report.
    scorer : callable
        ``scorer(estimator, X, y)``, greater is better.
    stored : str
        Metric of the knowledge base whose ranks are used as prior.
    exact : bool
        Whether the scorer is the stored metric itself.
    """

    name: str
    scorer: Callable
    stored: str
    exact: bool

    @property
    def stored_scorer(self) -> Callable:
        """Scorer of the stored metric."""
        return get_scorer(self.stored)



def resolve_scoring(scoring, task: str) -> Metric:
    """Turn the ``scoring`` parameter into a metric.

    Parameters
    ----------
    scoring : str, callable or None
        As in scikit-learn; None is accuracy or R², what ``score`` returns.
    task : {"classification", "regression"}

    Returns
    -------
    Metric

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    if callable(scoring):
        name = _name_of(scoring)
        if name is None:
            function = getattr(scoring, "_score_func", scoring)
            name = getattr(function, "__name__", repr(scoring))
            return Metric(name, check_scoring(scoring=scoring), _FALLBACK[task], False)
        return _known_metric(name, scoring, task)
    name = _DEFAULT[task] if scoring is None else scoring
    if name not in get_scorer_names():
        raise ValueError(
            f"scoring={scoring!r} is not a known scorer. Use one of the names of "
            "sklearn.metrics.get_scorer_names() or a callable "
            "scorer(estimator, X, y)."
        )
    return _known_metric(name, get_scorer(name), task)


def _known_metric(name: str, scorer: Callable, task: str) -> Metric:
    stored = _stored(name, task)
    return Metric(name, scorer, stored, name == stored)


def _stored(name: str, task: str) -> str:
    """Stored metric that ranks configurations like a scorer of scikit-learn."""
    stored = name if name in STORED_METRICS[task] else _NEAREST.get(name)
    return stored if stored in STORED_METRICS[task] else _FALLBACK[task]


def _name_of(scorer: Callable) -> str | None:
    """Name under which scikit-learn has this scorer, if it has it."""
    if not hasattr(scorer, "_score_func"):
        return None
    parts = ("_score_func", "_sign", "_kwargs", "_response_method")
    mine = [getattr(scorer, part, None) for part in parts]
    for name in get_scorer_names():
        if mine == [getattr(get_scorer(name), part, None) for part in parts]:
            return name
    return None


def as_loss(score, metric: str):
    """Turn scores of a stored metric into losses that are positive.

    Parameters
    ----------
    score : float or ndarray
        Greater is better.
    metric : str
        A stored metric.

    Returns
    -------
    float or ndarray
        1 − score for shares, the root of 1 − R², the negated score otherwise.
    """
    score = np.asarray(score, dtype=float)
    if metric.startswith("neg_"):
        return -score
    if metric == "r2":
        return np.sqrt(np.maximum(1.0 - score, 0.0))
    return 1.0 - score


def as_score(loss, metric: str):
    """Inverse of :func:`as_loss`.

    Parameters
    ----------
    loss : float or ndarray
    metric : str
        A stored metric.

    Returns
    -------
    float or ndarray
        Greater is better.
    """
    loss = np.asarray(loss, dtype=float)
    if metric.startswith("neg_"):
        return -loss
    if metric == "r2":
        return 1.0 - loss**2
    return 1.0 - loss
