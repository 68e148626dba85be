"""Is a task like anything known? Distances between representations of tasks."""

from __future__ import annotations

import numpy as np

_N_NEAREST = 5
_PERCENTILE = 99.0


class Novelty:
    """Distance to the nearest prior tasks, in units of what is usual among them.

    Parameters
    ----------
    known : ndarray of shape (n_tasks, n_dimensions)
        Representations of the prior tasks.
    families : ndarray of shape (n_tasks,)
        Tasks of one family don't count as neighbours of each other.
    """

    def __init__(self, known: np.ndarray, families: np.ndarray):
        self._known = known
        self._family = np.unique(families, return_inverse=True)[1]
        distances = np.linalg.norm(known[:, None] - known[None], axis=2)
        distances[self._family[:, None] == self._family[None]] = np.inf
        own = self._to_nearest(distances)
        finite = own[np.isfinite(own)]
        self._usual = np.percentile(finite, _PERCENTILE) if len(finite) else np.inf

    def of(self, task: np.ndarray) -> float:
        """How far a task lies from the prior ones.

        Parameters
        ----------
        task : ndarray of shape (n_dimensions,)

        Returns
        -------
        float
            Mean distance to the five nearest families of prior tasks, over the 99th
            percentile of the same among the prior tasks; above 1 is out of range.
        """
        distances = np.linalg.norm(self._known - task, axis=1)[None]
        return float(self._to_nearest(distances)[0] / max(self._usual, 1e-12))

    def _to_nearest(self, distances: np.ndarray) -> np.ndarray:
        """Mean distance to the nearest families, each by its nearest task."""
        to_family = np.full((len(distances), self._family.max() + 1), np.inf)
        for column, family in zip(distances.T, self._family, strict=True):
            to_family[:, family] = np.minimum(to_family[:, family], column)
        return np.sort(to_family, axis=1)[:, :_N_NEAREST].mean(axis=1)
