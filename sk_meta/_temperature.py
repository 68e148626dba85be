"""One number that makes probabilities neither too bold nor too timid.

Temperature scaling (Guo et al. 2017, "On calibration of modern neural networks"): the
logarithms of the probabilities are divided by a temperature, which changes neither
their order nor the most probable class.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar

_RANGE = (0.3, 3.0)
_TINY = 1e-6


def heated(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities at a temperature; above 1 they are nearer to each other.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
    temperature : float

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
    """
    if temperature == 1:
        return probabilities
    powers = np.maximum(probabilities, _TINY) ** (1 / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def best_temperature(
    parts: list[np.ndarray],
    truths: list[np.ndarray],
    weights: list[np.ndarray | None] | None = None,
) -> float:
    """Temperature that lowers the log loss, if it does so on parts not used for it.

    Parameters
    ----------
    parts : list of ndarray of shape (n_rows, n_classes)
        Out-of-fold probabilities of the folds.
    truths : list of ndarray of shape (n_rows,)
        Positions of the true classes.
    weights : list of ndarray of shape (n_rows,), or of None, or None, default=None
        Sample weights.

    Returns
    -------
    float
        1 unless the mean gain over the folds is more than its standard error.
    """
    if len(parts) < 2:
        return 1.0
    given = [None] * len(parts) if weights is None else weights
    sizes = [
        np.ones(len(truth)) if one is None else one
        for truth, one in zip(truths, given, strict=True)
    ]
    folds = list(zip(parts, truths, sizes, strict=True))
    gains = []
    for k, fold in enumerate(folds):
        found = _fit([*folds[:k], *folds[k + 1 :]])
        gains.append(_loss(*fold, 1.0) - _loss(*fold, found))
    error = np.std(gains, ddof=1) / np.sqrt(len(gains))
    return _fit(folds) if np.mean(gains) > error else 1.0


def _fit(folds: list[tuple]) -> float:
    part, truth, weights = map(np.concatenate, zip(*folds, strict=True))
    found = minimize_scalar(
        lambda temperature: _loss(part, truth, weights, temperature),
        bounds=_RANGE, method="bounded", options={"xatol": 0.01},
    )  # fmt: skip
    return float(found.x)


def _loss(probabilities, truth, weights, temperature: float) -> float:
    sure = heated(probabilities, temperature)[np.arange(len(truth)), truth]
    return float(np.average(-np.log(np.maximum(sure, _TINY)), weights=weights))
