"""Where the relative losses of a task lie, and how far apart."""

from __future__ import annotations

import numpy as np

from ._history import weighted_quantiles
from ._priors import LinearPrior, out_of_family

# Equally likely levels of the spread.
_LEVELS = (np.arange(7) + 0.5) / 7


class Scale:
    """Law of the location and the spread of h, given the meta-features.

    The spread is log-linear with residuals at seven quantiles, the location
    linear given the spread: together a mixture of seven normals.

    Parameters
    ----------
    features : ndarray of shape (n_tasks, n_features)
    location, spread : ndarray of shape (n_tasks,)
        Of h on the prior tasks.
    families : ndarray of shape (n_tasks,)
    weights : ndarray of shape (n_tasks,)
    """

    def __init__(self, features, location, spread, families, weights):
        log_spread, location = np.log(spread)[:, None], location[:, None]
        self._spread = LinearPrior().fit(features, log_spread, weights)
        guess = out_of_family(LinearPrior, features, log_spread, families, weights)
        residuals = (log_spread - guess)[:, 0]
        self._residuals = weighted_quantiles(residuals, weights, _LEVELS)
        self._anywhere = weighted_quantiles(log_spread[:, 0], weights, _LEVELS)
        given = np.column_stack([features, log_spread])
        self._location = LinearPrior().fit(given, location, weights)
        guess = out_of_family(LinearPrior, given, location, families, weights)
        errors = ((location - guess) ** 2)[:, 0]
        self._variance = float(np.average(errors, weights=weights))
        self._middle = float(np.average(location[:, 0], weights=weights))
        around = ((location - self._middle) ** 2)[:, 0]
        self._whole_variance = float(np.average(around, weights=weights))

    def components(
        self, features: np.ndarray, trust: float = 1.0
    ) -> list[tuple[float, float, float]]:
        """Equally likely locations with their variance, and spreads, of a new task.

        Parameters
        ----------
        features : ndarray of shape (1, n_features)
        trust : float, default=1.0
            1 for what the meta-features say, 0 for the prior tasks at large.

        Returns
        -------
        list of tuple of float
            Location, its variance, spread.
        """
        here = self._spread.predict(features)[0, 0] + self._residuals
        variance = trust * self._variance + (1 - trust) * self._whole_variance
        found = []
        for value in trust * here + (1 - trust) * self._anywhere:
            given = np.column_stack([features, [[value]]])
            location = trust * self._location.predict(given)[0, 0]
            location += (1 - trust) * self._middle
            found.append((float(location), variance, float(np.exp(value))))
        return found
