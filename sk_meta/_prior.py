"""Meta-features of a task → prior mean over the configurations.

Two kinds of meta-learning with one interface: ``fit(features, targets)`` on the
prior tasks and ``predict(features)``. ``LinearPrior`` is model-based,
``NeighborsPrior`` lets the nearest prior tasks vote.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.stats import norm, rankdata
from sklearn.linear_model import Ridge

# Values further out than this say no more than "unusually large".
_CLIP = 2.5


@dataclass
class NormalScores:
    """Map every meta-feature to normal scores of its rank among the prior tasks.

    Unlike scaling, it is not moved by the few huge tables, and a value outside
    the known range is clipped to its edge. Missing meta-features are set to the
    median, 0.
    """

    _sorted: list = field(default_factory=list, init=False)
    _scores: list = field(default_factory=list, init=False)

    def fit(self, values: np.ndarray) -> NormalScores:
        """Learn the ranks.

        Parameters
        ----------
        values : ndarray of shape (n_tasks, n_meta_features)

        Returns
        -------
        NormalScores
        """
        self._sorted, self._scores = [], []
        for column in values.T:
            known = np.unique(column[np.isfinite(column)])
            everywhere = column[np.isfinite(column)]
            if len(known) < 2:
                known, scores = np.array([0.0]), np.array([0.0])
            else:
                ranks = rankdata(everywhere, method="average")
                middle = np.array([ranks[everywhere == v][0] for v in known])
                scores = norm.ppf((middle - 0.5) / len(everywhere))
            self._sorted.append(known)
            self._scores.append(np.clip(scores, -_CLIP, _CLIP))
        return self

    def transform(self, values: np.ndarray) -> np.ndarray:
        """Normal scores.

        Parameters
        ----------
        values : ndarray of shape (n_tasks, n_meta_features)

        Returns
        -------
        ndarray of shape (n_tasks, n_meta_features)
        """
        columns = [
            np.interp(column, known, scores)
            for column, known, scores in zip(
                values.T, self._sorted, self._scores, strict=True
            )
        ]
        return np.nan_to_num(np.column_stack(columns))


class MeanPrior:
    """The mean over all prior tasks, whatever the meta-features: the baseline."""

    def fit(self, features: np.ndarray, targets: np.ndarray) -> MeanPrior:
        """Learn the mean; see :class:`LinearPrior`."""
        self._mean = targets.mean(axis=0)
        return self

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Repeat the mean for every task."""
        return np.tile(self._mean, (len(features), 1))


class LinearPrior:
    """Multi-output ridge regression with a free intercept.

    Parameters
    ----------
    alpha : float, default=20.0
        Strength of the shrinkage towards the mean over all prior tasks.
    """

    def __init__(self, alpha: float = 20.0):
        self.alpha = alpha

    def fit(self, features: np.ndarray, targets: np.ndarray) -> LinearPrior:
        """Learn the coefficients.

        Parameters
        ----------
        features : ndarray of shape (n_tasks, n_features)
            Normal scores of the meta-features.
        targets : ndarray of shape (n_tasks, n_configurations)

        Returns
        -------
        LinearPrior
        """
        self._ridge = Ridge(alpha=self.alpha).fit(features, targets)
        return self

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Prior mean.

        Parameters
        ----------
        features : ndarray of shape (n_tasks, n_features)

        Returns
        -------
        ndarray of shape (n_tasks, n_configurations)
        """
        return self._ridge.predict(features).reshape(len(features), -1)


class NeighborsPrior:
    """Kernel-weighted vote of the prior tasks, shrunk to their mean.

    Parameters
    ----------
    n_effective : float, default=15.0
        Number of neighbours that the kernel's width is set to reach.
    shrinkage : float, default=5.0
        Weight of the overall mean, in tasks.
    """

    def __init__(self, n_effective: float = 15.0, shrinkage: float = 5.0):
        self.n_effective = n_effective
        self.shrinkage = shrinkage

    def fit(self, features: np.ndarray, targets: np.ndarray) -> NeighborsPrior:
        """Keep the prior tasks; see :meth:`LinearPrior.fit`."""
        self._features, self._targets = features, targets
        self._mean = targets.mean(axis=0)
        return self

    def weights(self, features: np.ndarray) -> np.ndarray:
        """Weight of every prior task.

        Parameters
        ----------
        features : ndarray of shape (n_tasks, n_features)

        Returns
        -------
        ndarray of shape (n_tasks, n_prior_tasks)
            1 at distance 0, falling with the distance.
        """
        squares = ((features[:, None, :] - self._features[None]) ** 2).mean(axis=2)
        k = min(int(self.n_effective), squares.shape[1]) - 1
        width = np.partition(squares, k, axis=1)[:, [k]]
        return np.exp(-squares / np.maximum(width, 1e-9))

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Prior mean; see :meth:`LinearPrior.predict`."""
        weights = self.weights(features)
        total = weights.sum(axis=1, keepdims=True) + self.shrinkage
        return (weights @ self._targets + self.shrinkage * self._mean) / total


class HybridPrior:
    """The average of the linear and the neighbours' prior."""

    def __init__(self):
        self._members = (LinearPrior(), NeighborsPrior())

    def fit(self, features: np.ndarray, targets: np.ndarray) -> HybridPrior:
        """Fit both; see :meth:`LinearPrior.fit`."""
        for member in self._members:
            member.fit(features, targets)
        return self

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Prior mean; see :meth:`LinearPrior.predict`."""
        return np.mean([m.predict(features) for m in self._members], axis=0)


PRIORS = {
    "none": MeanPrior,
    "linear": LinearPrior,
    "neighbors": NeighborsPrior,
    "hybrid": HybridPrior,
}
