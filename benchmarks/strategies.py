"""What others do to choose the next configuration, for comparison.

Every function returns the order in which the configurations are tried on a new
task, as positions among ``history.names``. They know the prior tasks (a
:class:`~sk_meta._history.History`) and, where they adapt, the relative losses h of
what they tried so far. Tasks are weighted so that every family counts once, as in the
meta-model.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import qr

from sk_meta._history import History

N_NEAREST = 25  # prior datasets that auto-sklearn 1 takes its first ones from
RANK = 6  # of OBOE's matrix


def average_order(history: History, available) -> list[int]:
    """Best mean standard score first."""
    mean = history.weights @ history.standardised()[2]
    return sorted(np.flatnonzero(available).tolist(), key=lambda j: mean[j])


def portfolio_order(history: History, available, seconds=None) -> list[int]:
    """Greedy portfolio: each next one lowers the mean regret most (per second).

    Feurer et al. (2022), "Auto-sklearn 2.0", build portfolios like this one.
    """
    regret, share = history.normalised, history.weights
    best, order = np.ones(len(regret)), []
    rest = set(np.flatnonzero(available).tolist())
    while rest:
        candidates = sorted(rest)
        left = np.minimum(best[:, None], regret[:, candidates])
        value = share @ best - share @ left - 1e-6 * share @ regret[:, candidates]
        if seconds is not None:
            value = np.where(value > 0, value / seconds[candidates], value)
        chosen = candidates[int(np.argmax(value))]
        best = np.minimum(best, regret[:, chosen])
        order.append(chosen)
        rest.remove(chosen)
    return order


def warm_start_order(history: History, features, task_features, available):
    """What was best on the nearest prior tasks, then by average.

    The initial configurations of auto-sklearn 1 (Feurer et al. 2015): distance L1
    over meta-features scaled to their range, 25 nearest datasets. Its Bayesian
    optimisation afterwards has no counterpart on a table of results; the average
    order takes its place.
    """
    low, high = np.nanmin(features, axis=0), np.nanmax(features, axis=0)
    width = np.where(high > low, high - low, 1.0)
    gaps = np.nan_to_num(np.abs(features - task_features) / width)
    nearest = np.argsort(gaps.sum(axis=1), kind="stable")
    families = history.tasks["family"].iloc[nearest].drop_duplicates()
    nearest = history.tasks.index.get_indexer(families.index[:N_NEAREST])
    order: list[int] = []
    for row in nearest:
        h = np.where(available, history.h[row], np.inf)
        if (best := int(np.argmin(h))) not in order:
            order.append(best)
    rest = [j for j in average_order(history, available) if j not in order]
    return order + rest


def low_rank_order(history: History, h, available) -> list[int]:
    """Low-rank model of the losses, as in OBOE (Yang et al. 2019).

    The configurations have latent factors (principal components of the prior
    losses); the first ones are chosen by pivoted QR, which approximates a
    D-optimal design; then the new task's factors are fitted by least squares to
    what was seen, and the lowest predicted loss is next. What will fail is known to it
    and comes last, which is in its favour.
    """
    z, share = history.standardised()[2], history.weights
    mean = share @ z
    rows = np.sqrt(share)[:, None] * (z - mean)
    factors = np.linalg.svd(rows, full_matrices=False)[2][:RANK]
    usable = np.flatnonzero(available & np.isfinite(h))
    pivots = qr(factors[:, usable], pivoting=True, mode="r")[1]
    order = usable[pivots[:RANK]].tolist()
    rest = [j for j in usable.tolist() if j not in order]
    scale = history.standardised()[1].mean()
    while rest:
        seen = np.array(order)
        design = np.column_stack([factors[:, seen].T, np.ones(len(seen))])
        # A little ridge: there are as many unknowns as observations at first.
        gram = design.T @ design + 0.1 * np.eye(RANK + 1)
        gap = h[seen] / scale - mean[seen]
        latent = np.linalg.solve(gram, design.T @ gap)
        predicted = mean[rest] + latent[:-1] @ factors[:, rest]
        order.append(rest.pop(int(np.argmin(predicted))))
    failed = np.flatnonzero(available & ~np.isfinite(h)).tolist()
    return order + failed
