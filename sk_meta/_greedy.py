"""Greedy selection of an ensemble's weights, and the losses that it lowers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score

N_STEPS = 30
_PATIENCE = 8  # additions without a gain after which none is expected
_TINY = 1e-15


def greedy_weights(
    losses,
    stack: np.ndarray,
    n_steps: int = N_STEPS,
    max_members: int | None = None,
    costs: np.ndarray | None = None,
    max_cost: float = np.inf,
) -> np.ndarray:
    """Greedy forward selection with replacement (Caruana et al. 2004).

    Starts from the best single member and keeps the weights of the best step.

    Parameters
    ----------
    losses : callable
        ``losses(predictions)`` maps an array of shape (n_members, n_samples) to
        one loss per member.
    stack : ndarray of shape (n_members, n_samples, ...)
        Out-of-fold predictions of every member.
    n_steps : int, default=30
        Number of additions.
    max_members : int or None, default=None
        Largest number of different members.
    costs : ndarray of shape (n_members,) or None, default=None
        Cost of each member, once, whatever its weight.
    max_cost : float, default=inf
        What the members may cost together; each must cost no more alone.

    Returns
    -------
    ndarray of shape (n_members,)
        Weights that sum to 1.

    References
    ----------
    Caruana, R. et al. (2004). "Ensemble selection from libraries of models".
    ICML.
    """
    costs = np.zeros(len(stack)) if costs is None else costs
    counts = np.zeros(len(stack))
    total = np.zeros(stack.shape[1:])
    best_loss, best_counts, best_step = np.inf, counts, 0
    for step in range(1, n_steps + 1):
        candidates = losses((total + stack) / step)
        too_dear = costs + costs[counts > 0].sum() > max_cost
        full = max_members is not None and np.count_nonzero(counts) >= max_members
        candidates = np.where((counts == 0) & (too_dear | full), np.inf, candidates)
        index = int(np.argmin(candidates))
        counts[index] += 1
        total += stack[index]
        if candidates[index] < best_loss * (1 - 1e-9):
            best_loss, best_counts, best_step = candidates[index], counts.copy(), step
        if step - best_step >= _PATIENCE:
            break
    return best_counts / best_counts.sum()


def heaviest(
    weights: np.ndarray,
    max_members: int,
    costs: np.ndarray,
    max_cost: float = np.inf,
) -> np.ndarray:
    """Which members have the largest weights and are together within the limits.

    Parameters
    ----------
    weights : ndarray of shape (n_members,)
    max_members : int
        Largest number of members.
    costs : ndarray of shape (n_members,)
        Cost of each member, whatever its weight.
    max_cost : float, default=inf
        What the members may cost together; each must cost no more alone.

    Returns
    -------
    ndarray of shape (n_kept,)
        Places of members with a weight, in order.
    """
    kept: list[int] = []
    for i in np.argsort(-weights, kind="stable"):
        too_dear = costs[i] + costs[kept].sum() > max_cost
        if weights[i] > 0 and not too_dear and len(kept) < max_members:
            kept.append(int(i))
    return np.sort(kept)


def mean_losses(
    of_each: Callable[[np.ndarray], np.ndarray],
    predictions: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """Mean loss of each member over the samples, and over the outputs if several.

    Parameters
    ----------
    of_each : callable
        Maps ``predictions`` to the loss of each sample.
    predictions : ndarray of shape (n_members, n_samples, ...)
        What tells the loss alone: the probability of the class that a sample is of, or
        the prediction minus the target.
    labels : ndarray of shape (n_samples,)
        Not looked at; for the signature of :func:`ranking_losses`.
    weights : ndarray of shape (n_samples,) or None, default=None

    Returns
    -------
    ndarray of shape (n_members,)
    """
    means = np.average(of_each(predictions), axis=1, weights=weights)
    return means if means.ndim == 1 else means.mean(axis=1)


def minus_log(probability: np.ndarray) -> np.ndarray:
    """Log loss of each sample, from the probability of the class that it is of.

    Parameters
    ----------
    probability : ndarray

    Returns
    -------
    ndarray of the same shape
    """
    return -np.log(np.maximum(probability, _TINY))


def ranking_losses(scores: np.ndarray, labels: np.ndarray, weights=None) -> np.ndarray:
    """One minus ROC AUC of two classes, from the ranks (Mann and Whitney).

    Parameters
    ----------
    scores : ndarray of shape (n_members, n_samples)
        Larger for the class 1.
    labels : ndarray of shape (n_samples,)
        0 or 1.
    weights : ndarray of shape (n_samples,) or None, default=None

    Returns
    -------
    ndarray of shape (n_members,)
    """
    positive = labels == 1
    n_positive, n_negative = positive.sum(), (~positive).sum()
    if not n_positive or not n_negative:
        return np.zeros(len(scores))
    if weights is not None:
        areas = [roc_auc_score(labels, one, sample_weight=weights) for one in scores]
        return 1 - np.array(areas)
    ranks = rankdata(scores, axis=1)[:, positive].sum(axis=1)
    wins = ranks - n_positive * (n_positive + 1) / 2
    return 1 - wins / (n_positive * n_negative)
