"""Where the relative losses of a task lie, and how far apart."""

from __future__ import annotations

import numpy as np

from ._priors import LinearPrior, out_of_family

_N_SCALES = 7


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
        levels = (np.arange(_N_SCALES) + 0.5) / _N_SCALES
        self._residuals = np.quantile(log_spread - guess, levels)
        given = np.column_stack([features, log_spread])
        self._location = LinearPrior().fit(given, location, weights)
        guess = out_of_family(LinearPrior, given, location, families, weights)
        self.location_variance = float(((location - guess) ** 2).mean())

    def components(self, features: np.ndarray) -> list[tuple[float, float]]:
        """Equally likely pairs of location and spread of a new task.

        Parameters
        ----------
        features : ndarray of shape (1, n_features)

        Returns
        -------
        list of tuple of float
        """
        pairs = []
        for value in self._spread.predict(features)[0, 0] + self._residuals:
            given = np.column_stack([features, [[value]]])
            location = self._location.predict(given)[0, 0]
            pairs.append((float(location), float(np.exp(value))))
        return pairs
