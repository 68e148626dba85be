"""The stack of several priors, weighted by what they do out of family."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import nnls

from ._base import Arrays, Prior

# Weight of the row that makes the weights sum to one, against the data's.
_SUM_TO_ONE = 1e3


class StackPrior(Prior):
    """A convex combination of fitted priors (stacking, Wolpert 1992).

    Parameters
    ----------
    members : sequence of Prior
        Fitted.
    guesses : ndarray of shape (n_members, n_tasks, n_targets)
        What every member predicts of the prior tasks, trained on other families
        only.
    """

    def __init__(self, members: Sequence[Prior], guesses: np.ndarray):
        self.members = members
        self.guesses = guesses

    def fit(self, features, targets, weights=None) -> StackPrior:
        """Find the weights of the members; see :meth:`Prior.fit`."""
        rows = np.ones(len(targets)) if weights is None else np.asarray(weights)
        scale = np.sqrt(rows / rows.sum() / targets.shape[1])[:, None]
        columns = [(guess * scale).ravel() for guess in self.guesses]
        design = np.column_stack(columns)
        design = np.vstack([design, np.full(len(columns), _SUM_TO_ONE)])
        found, _ = nnls(design, np.append((targets * scale).ravel(), _SUM_TO_ONE))
        self.weights_ = found / found.sum()
        return self

    def predict(self, features) -> np.ndarray:
        """See :meth:`Prior.predict`."""
        predicted = [member.predict(features) for member in self.members]
        return np.tensordot(self.weights_, predicted, axes=1)

    def guess(self) -> np.ndarray:
        """Out-of-family prediction of the prior tasks.

        Returns
        -------
        ndarray of shape (n_tasks, n_targets)
        """
        return np.tensordot(self.weights_, self.guesses, axes=1)

    def arrays(self) -> Arrays:
        """The weights; see :meth:`Prior.arrays`."""
        return {"weights": self.weights_}

    def restore(self, arrays: Arrays) -> StackPrior:
        """See :meth:`Prior.restore`."""
        self.weights_ = arrays["weights"]
        return self
