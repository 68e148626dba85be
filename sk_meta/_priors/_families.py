"""Predictions of the prior tasks that their own family had no part in."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from sklearn.model_selection import GroupKFold

from ._base import Prior


def out_of_family(
    make: Callable[[], Prior],
    features: np.ndarray,
    targets: np.ndarray,
    families: np.ndarray,
    weights: np.ndarray | None = None,
    n_splits: int = 5,
) -> np.ndarray:
    """Predict every task from tasks of other families only.

    Parameters
    ----------
    make : callable
        Makes an unfitted prior.
    features : ndarray of shape (n_tasks, n_features)
    targets : ndarray of shape (n_tasks, n_targets)
    families : ndarray of shape (n_tasks,)
    weights : ndarray of shape (n_tasks,) or None, default=None
        Of the tasks.
    n_splits : int, default=5

    Returns
    -------
    ndarray of shape (n_tasks, n_targets)
    """
    predicted = np.zeros_like(targets)
    n_splits = min(n_splits, len(np.unique(families)))
    if n_splits < 2:
        # There is no other family to learn from.
        return predicted + targets.mean(axis=0)
    for train, test in GroupKFold(n_splits).split(features, groups=families):
        part = None if weights is None else weights[train]
        model = make().fit(features[train], targets[train], part)
        predicted[test] = model.predict(features[test])
    return predicted
