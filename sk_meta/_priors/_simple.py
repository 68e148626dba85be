"""Priors that need no training to speak of: mean, ridge, nearest prior tasks."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import Ridge

from ._base import Arrays, Prior


class MeanPrior(Prior):
    """The mean over all prior tasks, whatever the meta-features: the baseline."""

    def fit(self, features, targets, weights=None) -> MeanPrior:
        """Learn the mean; see :meth:`Prior.fit`."""
        self._mean = np.average(targets, axis=0, weights=weights)
        return self

    def predict(self, features) -> np.ndarray:
        """Repeat the mean for every task; see :meth:`Prior.predict`."""
        return np.tile(self._mean, (len(features), 1))

    def arrays(self) -> Arrays:
        """The mean; see :meth:`Prior.arrays`."""
        return {"mean": self._mean}

    def restore(self, arrays: Arrays) -> MeanPrior:
        """Take the mean; see :meth:`Prior.restore`."""
        self._mean = arrays["mean"]
        return self


class LinearPrior(Prior):
    """Multi-output ridge regression with a free intercept.

    Parameters
    ----------
    alpha : float, default=20.0
        Strength of the shrinkage towards the mean over all prior tasks.
    """

    def __init__(self, alpha: float = 20.0):
        self.alpha = alpha

    def fit(self, features, targets, weights=None) -> LinearPrior:
        """Learn the coefficients; see :meth:`Prior.fit`."""
        ridge = Ridge(alpha=self.alpha).fit(features, targets, sample_weight=weights)
        self.coefficients = np.atleast_2d(ridge.coef_)
        self.intercept = np.atleast_1d(ridge.intercept_)
        return self

    def predict(self, features) -> np.ndarray:
        """See :meth:`Prior.predict`."""
        return features @ self.coefficients.T + self.intercept

    def arrays(self) -> Arrays:
        """Coefficients and intercept; see :meth:`Prior.arrays`."""
        found = {"coefficients": self.coefficients, "intercept": self.intercept}
        return {name: value.astype(np.float32) for name, value in found.items()}

    def restore(self, arrays: Arrays) -> LinearPrior:
        """See :meth:`Prior.restore`."""
        self.coefficients = arrays["coefficients"].astype(float)
        self.intercept = arrays["intercept"].astype(float)
        return self


class NeighborsPrior(Prior):
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

    def fit(self, features, targets, weights=None) -> NeighborsPrior:
        """Keep the prior tasks; see :meth:`Prior.fit`."""
        weights = np.ones(len(features)) if weights is None else weights
        self._features, self._targets, self._weights = features, targets, weights
        self._mean = np.average(targets, axis=0, weights=weights)
        return self

    def votes(self, features) -> np.ndarray:
        """Weight of every prior task.

        Parameters
        ----------
        features : ndarray of shape (n_tasks, n_features)

        Returns
        -------
        ndarray of shape (n_tasks, n_prior_tasks)
            Falls with the distance.
        """
        squares = ((features[:, None, :] - self._features[None]) ** 2).mean(axis=2)
        k = min(int(self.n_effective), squares.shape[1]) - 1
        width = np.partition(squares, k, axis=1)[:, [k]]
        return self._weights * np.exp(-squares / np.maximum(width, 1e-9))

    def predict(self, features) -> np.ndarray:
        """See :meth:`Prior.predict`."""
        votes = self.votes(features)
        total = votes.sum(axis=1, keepdims=True) + self.shrinkage
        return (votes @ self._targets + self.shrinkage * self._mean) / total

    def arrays(self) -> Arrays:
        """Weights only: features and targets are kept once for all priors."""
        return {"weights": self._weights}

    def restore(self, arrays: Arrays) -> NeighborsPrior:
        """See :meth:`Prior.restore`."""
        return self.fit(arrays["features"], arrays["targets"], arrays["weights"])
