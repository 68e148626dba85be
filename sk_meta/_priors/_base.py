"""What every prior can do."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

Arrays = dict[str, np.ndarray]


class Prior(ABC):
    """Meta-features of a task → prior mean of every configuration.

    The parameters that were learned go out and in as plain arrays, so that they
    can be shipped without pickle.
    """

    @abstractmethod
    def fit(
        self,
        features: np.ndarray,
        targets: np.ndarray,
        weights: np.ndarray | None = None,
    ) -> Prior:
        """Learn from the prior tasks.

        Parameters
        ----------
        features : ndarray of shape (n_tasks, n_features)
            Normal scores of the meta-features.
        targets : ndarray of shape (n_tasks, n_targets)
            Standardised losses.
        weights : ndarray of shape (n_tasks,) or None, default=None
            Of the tasks; None is 1 for each.

        Returns
        -------
        Prior
            Itself.
        """

    @abstractmethod
    def predict(self, features: np.ndarray) -> np.ndarray:
        """Prior mean.

        Parameters
        ----------
        features : ndarray of shape (n_tasks, n_features)

        Returns
        -------
        ndarray of shape (n_tasks, n_targets)
        """

    @abstractmethod
    def arrays(self) -> Arrays:
        """What was learned, besides the prior tasks themselves.

        Returns
        -------
        dict of str to ndarray
        """

    @abstractmethod
    def restore(self, arrays: Arrays) -> Prior:
        """Take what was learned elsewhere, instead of ``fit``.

        Parameters
        ----------
        arrays : dict of str to ndarray
            As returned by :meth:`arrays`, and the "features" and "targets" of
            the prior tasks.

        Returns
        -------
        Prior
            Itself.
        """
