"""What a score means: stored metrics, losses, and the scorer of the user."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from inspect import signature

import numpy as np
from sklearn import get_config
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    check_scoring,
    cohen_kappa_score,
    d2_pinball_score,
    d2_tweedie_score,
    f1_score,
    fbeta_score,
    get_scorer,
    get_scorer_names,
    hamming_loss,
    make_scorer,
    matthews_corrcoef,
    mean_pinball_loss,
    mean_poisson_deviance,
    mean_tweedie_deviance,
    zero_one_loss,
)

# Metrics kept in the knowledge base, by the names scikit-learn gives them.
STORED_METRICS = {
    "classification": (
        "accuracy",
        "balanced_accuracy",
        "f1_macro",
        "neg_log_loss",
        "roc_auc_ovr",
        "average_precision",
    ),
    "regression": (
        "r2",
        "neg_root_mean_squared_error",
        "neg_mean_absolute_error",
        "neg_median_absolute_error",
        "neg_mean_pinball_loss_0.1",
        "neg_mean_pinball_loss_0.9",
    ),
}


def _average_precision(estimator, X, y, sample_weight=None) -> float:
    """Average precision of the rarer of two classes, or the mean over more.

    Classes that no row has are left out; it is undefined if only one is left.
    """
    classes, counts = np.unique(y, return_counts=True)
    present = np.isin(estimator.classes_, classes)
    probabilities = estimator.predict_proba(X)[:, present]
    if len(classes) == 1:
        return np.nan
    weights = {"sample_weight": sample_weight}
    if len(classes) > 2:
        return float(average_precision_score(y, probabilities, **weights))
    rarer = int(np.argmin(counts))
    sought = y == classes[rarer]
    return float(average_precision_score(sought, probabilities[:, rarer], **weights))


# Stored metrics that scikit-learn has no scorer for: its own average precision
# takes the class 1 for the one that is sought, and is undefined without it.
_OWN = {
    "average_precision": _average_precision,
    "neg_mean_pinball_loss_0.1": make_scorer(
        mean_pinball_loss, alpha=0.1, greater_is_better=False
    ),
    "neg_mean_pinball_loss_0.9": make_scorer(
        mean_pinball_loss, alpha=0.9, greater_is_better=False
    ),
}


def stored_scorer(metric: str) -> Callable:
    """Scorer of a stored metric.

    Parameters
    ----------
    metric : str
        A stored metric.

    Returns
    -------
    callable
        ``scorer(estimator, X, y)``, greater is better.
    """
    return _OWN[metric] if metric in _OWN else get_scorer(metric)


# For every other scorer the stored metric whose order of the configurations is
# most like its own, by rank correlation on tasks of the corpus
# (benchmarks/scorer_mapping.py). Where two are within 0.01 of each other, it is the
# one closer in meaning.
_NEAREST = {
    "classification": {
        "d2_brier_score": "neg_log_loss",
        "d2_log_loss_score": "neg_log_loss",
        "neg_brier_score": "neg_log_loss",
        "roc_auc": "roc_auc_ovr",
        "roc_auc_ovo": "roc_auc_ovr",
        "roc_auc_ovo_weighted": "roc_auc_ovr",
        "roc_auc_ovr_weighted": "roc_auc_ovr",
        "top_k_accuracy": "roc_auc_ovr",
        "f1": "balanced_accuracy",
        "f1_micro": "accuracy",
        "f1_weighted": "accuracy",
        "jaccard": "balanced_accuracy",
        "jaccard_macro": "f1_macro",
        "jaccard_micro": "accuracy",
        "jaccard_weighted": "accuracy",
        "matthews_corrcoef": "balanced_accuracy",
        "neg_negative_likelihood_ratio": "balanced_accuracy",
        "positive_likelihood_ratio": "accuracy",
        "precision": "average_precision",
        "precision_macro": "f1_macro",
        "precision_micro": "accuracy",
        "precision_weighted": "f1_macro",
        "recall": "balanced_accuracy",
        "recall_macro": "balanced_accuracy",
        "recall_micro": "accuracy",
        "recall_weighted": "accuracy",
    },
    "regression": {
        "d2_absolute_error_score": "neg_mean_absolute_error",
        "explained_variance": "r2",
        "neg_max_error": "neg_root_mean_squared_error",
        "neg_mean_absolute_percentage_error": "neg_mean_absolute_error",
        "neg_mean_gamma_deviance": "neg_mean_absolute_error",
        "neg_mean_poisson_deviance": "neg_root_mean_squared_error",
        "neg_mean_squared_error": "neg_root_mean_squared_error",
        "neg_mean_squared_log_error": "neg_mean_absolute_error",
        "neg_root_mean_squared_log_error": "neg_mean_absolute_error",
    },
}
# Defined for several labels that a row may have at a time; the first for all others.
_OF_LABELS = ("roc_auc_ovr", "accuracy", "f1_macro")
_DEFAULT = {"classification": "accuracy", "regression": "r2"}

# Functions without a scorer of their own, and the one whose scorers they follow.
_SIMILAR = (
    (cohen_kappa_score, matthews_corrcoef),
    (d2_tweedie_score, mean_poisson_deviance),
    (fbeta_score, f1_score),
    (hamming_loss, accuracy_score),
    (mean_tweedie_deviance, mean_poisson_deviance),
    (zero_one_loss, accuracy_score),
)
_PINBALL = (mean_pinball_loss, d2_pinball_score)

# What a scorer looks at, told by the methods that it calls, and the stored metric
# that orders configurations most like scorers of this kind, on the mean.
_KINDS = {
    "decision_function": ("ranks", "roc_auc_ovr"),
    "predict_proba": ("probabilities", "neg_log_loss"),
    "predict": ("labels", "balanced_accuracy"),
}
_UNTOLD = ("an unknown kind", "roc_auc_ovr")
_REGRESSION = ("values", "neg_mean_absolute_error")


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
    mapping : str
        Why this stored metric, for the report: a sentence without its full stop.
    others : dict of str to callable
        Scorers that are only reported.
    """

    name: str
    scorer: Callable
    stored: str
    exact: bool
    mapping: str
    others: dict[str, Callable] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Name of its columns among the results: its own only beside others."""
        return self.name if self.others else "score"

    @property
    def stored_scorer(self) -> Callable:
        """Scorer of the stored metric."""
        return stored_scorer(self.stored)


def takes_weights(scorer: Callable) -> bool:
    """Whether a scorer takes sample weights, and the user does not forbid it.

    Parameters
    ----------
    scorer : callable
        ``scorer(estimator, X, y)``

    Returns
    -------
    bool
        With metadata routing, False after ``set_score_request(sample_weight=False)``.
    """
    if get_config()["enable_metadata_routing"] and hasattr(
        scorer, "get_metadata_routing"
    ):
        requests = scorer.get_metadata_routing().score.requests
        if requests.get("sample_weight") is False:
            return False
    try:
        return "sample_weight" in signature(
            getattr(scorer, "_score_func", scorer)
        ).parameters
    except (TypeError, ValueError):  # it has no signature
        return False


def resolve_scoring(
    scoring,
    task: str,
    refit: str | None = None,
    several: bool = False,
    n_classes: int | None = None,
) -> Metric:
    """Turn the ``scoring`` and ``refit`` parameters into a metric.

    Parameters
    ----------
    scoring : str, callable, None, or list, tuple or dict of these
        As in scikit-learn; None is accuracy or R², what ``score`` returns.
    task : {"classification", "regression"}
    refit : str or None, default=None
        Which of several scorers is the one that is searched for.
    several : bool, default=False
        Whether there are several outputs, for which not all stored metrics are defined.
    n_classes : int or None, default=None
        Some metrics are the same for two classes.

    Returns
    -------
    Metric
        Its stored metric is, in this order: the scorer itself; the one that a
        comparison found to order configurations most like it; for what
        :func:`sklearn.metrics.make_scorer` made of a function of scikit-learn
        with other parameters, that of the scorer named after the function; the
        nearest of its kind, which is told by the method that the scorer calls.
        A function ``scorer(estimator, X, y)`` does not tell.

    Raises
    ------
    ValueError
        If a name is unknown, or it is not clear which of several scorers is meant.
    """
    if scoring is None or isinstance(scoring, str) or callable(scoring):
        metric = _one_metric(scoring, task, None if several else n_classes)
        defined = task == "regression" or metric.stored in _OF_LABELS
        return metric if defined or not several else _by_labels(metric)
    named = _several(scoring)
    if refit is None or refit not in named:
        raise ValueError(
            "For multi-metric scoring, the parameter refit must be set to a scorer "
            f"key, the one to search for: one of {list(named)}. Got {refit!r}."
        )
    metrics = {
        name: resolve_scoring(one, task, None, several, n_classes)
        for name, one in named.items()
    }
    others = {name: metric.scorer for name, metric in metrics.items() if name != refit}
    return replace(metrics[refit], name=refit, others=others)


def _by_labels(metric: Metric) -> Metric:
    """The metric, ranked by one that is defined for several labels."""
    mapping = f"{metric.name} of several labels is ranked by {_OF_LABELS[0]}"
    return replace(metric, stored=_OF_LABELS[0], exact=False, mapping=mapping)


def _several(scoring) -> dict:
    """Scorers by name."""
    if isinstance(scoring, Mapping):
        several = dict(scoring)
    else:
        names = list(scoring) if isinstance(scoring, Iterable) else [scoring]
        several = {name: name for name in names if isinstance(name, str)}
        if len(several) < len(names):
            raise ValueError(
                f"scoring={scoring!r} must hold different names of scorers. Use a "
                "dict for callables: {'a name': scorer}."
            )
    if not several:
        raise ValueError("scoring is empty. Pass at least one scorer, or None.")
    if "score" in several:
        raise ValueError(
            "scoring has a scorer of the name 'score', which is that of the columns of "
            "the one to search for. Choose another name."
        )
    return several


def _one_metric(scoring, task: str, n_classes: int | None) -> Metric:
    """The metric of one scorer."""
    scoring = _DEFAULT[task] if scoring is None else scoring
    if isinstance(scoring, str) and scoring not in get_scorer_names():
        raise ValueError(
            f"scoring={scoring!r} is not a known scorer. Use one of the names of "
            "sklearn.metrics.get_scorer_names() or a callable "
            "scorer(estimator, X, y)."
        )
    scorer = check_scoring(scoring=scoring)
    name = scoring if isinstance(scoring, str) else _name_of(scorer)
    if name is not None and (stored := _nearest(name, task)) is not None:
        same = n_classes == 2 and (name, stored) == ("roc_auc", "roc_auc_ovr")
        exact = same or _parts(scorer) == _parts(stored_scorer(stored))
        return Metric(name, scorer, stored, exact, _compared(name, stored, exact))
    function = getattr(scorer, "_score_func", scorer)
    shown = name or str(getattr(function, "__name__", type(function).__name__))
    stored, reason = _related(scorer, task) or _of_kind(scorer, name is None, task)
    mapping = f"{shown} is {reason}; it is ranked by {stored}"
    return Metric(shown, scorer, stored, False, mapping)


def _nearest(name: str, task: str) -> str | None:
    """Stored metric of a scorer of scikit-learn, if it was compared."""
    return name if name in STORED_METRICS[task] else _NEAREST[task].get(name)


def _compared(name: str, stored: str, exact: bool) -> str:
    """Why a scorer of scikit-learn is ranked by this stored metric."""
    if exact:
        if name == stored:
            return f"{name}, as it is stored in the knowledge base"
        return f"{name} is {stored} of two classes"
    if name == stored:
        return f"{name} is stored for the rarer of two classes, and ranked by that"
    return (
        f"{name} is ranked by {stored}, the stored metric that orders "
        "configurations most like it"
    )


def _related(scorer: Callable, task: str) -> tuple[str, str] | None:
    """Stored metric of a function of scikit-learn with other parameters, and why."""
    function = getattr(scorer, "_score_func", None)
    parameters = getattr(scorer, "_kwargs", {})
    if task == "regression" and function in _PINBALL:
        level = parameters.get("alpha", 0.5)
        return _nearest_pinball(level), f"a pinball loss of level {level:g}"
    if task == "classification" and parameters.get("max_fpr") is not None:
        return "average_precision", "an area at few false positives"
    followed = next((known for own, known in _SIMILAR if own is function), function)
    name = _closest_name(followed, parameters)
    stored = None if name is None else _nearest(name, task)
    return None if stored is None else (stored, f"made like {name}")


def _nearest_pinball(level: float) -> str:
    # Twice the loss of level 0.5 is the absolute error. It was nearest at levels 0.4
    # and 0.6, and no more at 0.3 and 0.7.
    if 0.35 < level < 0.65:
        return "neg_mean_absolute_error"
    return f"neg_mean_pinball_loss_{0.1 if level < 0.5 else 0.9}"


def _of_kind(scorer: Callable, custom: bool, task: str) -> tuple[str, str]:
    """Stored metric that is nearest to scorers of this kind, and the kind."""
    methods = getattr(scorer, "_response_method", None) or ()
    methods = [methods] if isinstance(methods, str) else methods
    told = [kind for method, kind in _KINDS.items() if method in methods]
    looks_at, stored = (told or [_UNTOLD])[0]
    if task == "regression":
        looks_at, stored = _REGRESSION
    return stored, f"a {'custom ' if custom else ''}scorer of {looks_at}"


def _closest_name(function, parameters: dict) -> str | None:
    """Scorer of scikit-learn of this function that shares most parameters."""
    shared = {}
    for name in get_scorer_names():
        known = get_scorer(name)
        if getattr(known, "_score_func", None) is function:
            own = getattr(known, "_kwargs", {})
            same = sum(k in parameters and parameters[k] == own[k] for k in own)
            shared[name] = (same, -len(own))
    return max(shared, key=shared.__getitem__, default=None)


def _parts(scorer: Callable) -> list:
    """What makes two scorers of scikit-learn the same."""
    parts = ("_score_func", "_sign", "_kwargs", "_response_method")
    return [getattr(scorer, part, None) for part in parts]


def _name_of(scorer: Callable) -> str | None:
    """Name under which scikit-learn or the knowledge base has this scorer."""
    if not hasattr(scorer, "_score_func"):
        return None
    known = {**_OWN, **{name: get_scorer(name) for name in get_scorer_names()}}
    return next((n for n in known if _parts(known[n]) == _parts(scorer)), None)


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
        Greater is better; a share, such as accuracy, is not below zero.
    """
    loss = np.asarray(loss, dtype=float)
    if metric.startswith("neg_"):
        return -loss
    if metric == "r2":
        return 1.0 - loss**2
    return np.maximum(1.0 - loss, 0.0)
