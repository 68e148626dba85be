"""How long a fold takes: from the sizes of the table, and from what was measured."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ._belief import Gaussian
from ._history import shrunk_covariance
from ._priors import Arrays, LinearPrior

_MACHINE_SD = 0.7  # of log seconds: machines differ by a factor of two
# Rows and encoded columns up to which the prior tasks tell; a parabola must not be
# followed beyond them. There the seconds grow by a power that the slope at the edge
# suggests, within these bounds.
_KNOWN = {"nr_inst": 16000.0, "nr_encoded": 1000.0}
_POWERS = {"nr_inst": (0.9, 2.0), "nr_encoded": (0.3, 1.5)}


class Clock:
    """Log seconds of one fold: ridge on the sizes, a Gaussian over what is left."""

    def fit(self, tasks: pd.DataFrame, log_seconds: np.ndarray, weights) -> Clock:
        """Learn from the prior tasks.

        Parameters
        ----------
        tasks : DataFrame
            Prior tasks with their meta-features.
        log_seconds : ndarray of shape (n_tasks, n_configurations)
            NaN where a configuration was not run.
        weights : ndarray of shape (n_tasks,)

        Returns
        -------
        Clock
        """
        sizes = _size_features(tasks)
        coefficients, residuals = [], np.zeros_like(log_seconds)
        typical = np.nanmedian(log_seconds, axis=1)
        for j, column in enumerate(log_seconds.T):
            known = np.isfinite(column)
            if known.sum() < 5:
                # Nothing known: as slow as the typical configuration.
                column, known = typical, np.isfinite(typical)
            ridge = LinearPrior(alpha=1.0)
            ridge.fit(sizes[known], column[known, None], weights[known])
            coefficients.append(np.append(ridge.coefficients, ridge.intercept))
            residuals[known, j] = column[known] - ridge.predict(sizes[known])[:, 0]
        self._coefficients = np.array(coefficients)
        self._covariance = shrunk_covariance(residuals, weights)
        return self

    def prior(self, meta_features: dict[str, float]) -> Gaussian:
        """Belief about the log seconds of one fold on a new task.

        Parameters
        ----------
        meta_features : dict of str to float

        Returns
        -------
        Gaussian
        """
        at_edge = dict(meta_features)
        for name, edge in _KNOWN.items():
            at_edge[name] = min(at_edge[name], edge)
        sizes = np.append(_size_features(pd.DataFrame([at_edge])), 1.0)
        mean = self._coefficients @ sizes + self._beyond(meta_features, sizes)
        # The prior tasks were run on one machine; another one is faster or slower
        # for all configurations alike.
        return Gaussian(mean, self._covariance + _MACHINE_SD**2)

    def _beyond(self, meta_features: dict[str, float], sizes) -> np.ndarray:
        """Log seconds by which a table is dearer than one at the edge of the known."""
        rows, columns = sizes[:2]
        slopes = {
            "nr_inst": self._coefficients[:, [0, 2, 4]] @ [1, 2 * rows, columns],
            "nr_encoded": self._coefficients[:, [1, 3, 4]] @ [1, 2 * columns, rows],
        }
        return sum(
            np.clip(slopes[name], *_POWERS[name])
            * np.log(max(1.0, meta_features[name] / edge))
            for name, edge in _KNOWN.items()
        )

    def arrays(self) -> Arrays:
        """What was learned, as arrays; in single precision, which is small."""
        found = {"coefficients": self._coefficients, "covariance": self._covariance}
        return {name: value.astype(np.float32) for name, value in found.items()}

    def restore(self, arrays: Arrays) -> Clock:
        """Take what :meth:`arrays` returned."""
        self._coefficients = arrays["coefficients"].astype(float)
        self._covariance = arrays["covariance"].astype(float)
        return self


def _size_features(tasks: pd.DataFrame) -> np.ndarray:
    """Logarithms of the sizes, their squares and product."""
    sizes = {
        name: np.log(tasks[name].to_numpy(dtype=float).clip(min=1))
        for name in ("nr_inst", "nr_encoded")
    }
    rows, columns = sizes["nr_inst"] - 7.0, sizes["nr_encoded"] - 3.0
    classes = np.zeros(len(tasks))
    if "nr_class" in tasks:
        classes = np.log(np.nan_to_num(tasks["nr_class"].to_numpy(float)).clip(min=2))
    return np.column_stack(
        [rows, columns, rows**2, columns**2, rows * columns, classes]
    )
