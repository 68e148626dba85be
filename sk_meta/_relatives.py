"""What to expect of configurations that no prior task knows: what their relatives did.

A configuration of the user's own is taken for one of its family, drawn at random, and
one without a family for any of the catalogue: the mean over the family, a variance
that holds the spread within it, and the mean covariance with all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ._belief import Belief, Gaussian
from ._catalogue import Configuration


class Relatives:
    """Extends what is believed of the catalogue to other configurations.

    Parameters
    ----------
    others : sequence of Configuration
        What is not in the catalogue.
    catalogue : sequence of Configuration
        Whose names are those of the beliefs to extend, in order.
    """

    def __init__(
        self, others: Sequence[Configuration], catalogue: Sequence[Configuration]
    ):
        self.names = tuple(configuration.name for configuration in others)
        families = np.array([configuration.family for configuration in catalogue])
        members = np.array([families == one.family for one in others], dtype=bool)
        members = members.reshape(len(others), len(families))
        # Without relatives: any but the dummies, which are known to be poor.
        members[~members.any(axis=1)] = families != "dummy"
        self._shares = members / members.sum(axis=1, keepdims=True)

    def belief(self, belief: Belief) -> Belief:
        """The belief, of the others too.

        Parameters
        ----------
        belief : Belief
            Before anything was observed.

        Returns
        -------
        Belief
        """
        names = (*belief.names, *self.names)
        h = np.hstack([belief.history.h, belief.history.h @ self._shares.T])
        known = belief.history.log_seconds
        unknown = np.full((len(h), len(self.names)), np.nan)
        history = replace(
            belief.history, names=names, h=h, log_seconds=np.hstack([known, unknown])
        )
        return Belief(
            names,
            [self._extended(component) for component in belief.components],
            belief.nugget,
            self._extended(belief.clock),
            history,
            belief.novelty,
            belief.reach,
        )

    def values(self, known: np.ndarray) -> np.ndarray:
        """A value for every configuration; of the others the mean of the relatives.

        Parameters
        ----------
        known : ndarray of shape (n_known,)

        Returns
        -------
        ndarray of shape (n_known + n_others,)
        """
        return np.append(known, self._shares @ known)

    def _extended(self, known: Gaussian) -> Gaussian:
        mean, covariance, shares = known.mean, known.covariance, self._shares
        across = shares @ covariance
        own = across @ shares.T
        # One drawn at random varies more than the mean of all.
        spread = shares @ mean**2 - (shares @ mean) ** 2
        variance = shares @ np.diag(covariance) + spread
        np.fill_diagonal(own, np.maximum(variance, np.diag(own)))
        return Gaussian(
            self.values(mean), np.block([[covariance, across.T], [across, own]])
        )
