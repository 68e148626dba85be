"""Learn from the prior tasks what to believe of a new one.

The standardised losses of the prior tasks get a mean (from the meta-features), a
covariance (of the out-of-family residuals), and a law for their location and
spread; the seconds get a mean (from the sizes) and a covariance.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.covariance import LedoitWolf
from sklearn.model_selection import GroupKFold

from ._belief import Belief, Gaussian
from ._history import History
from ._prior import PRIORS, LinearPrior, NormalScores

_N_SCALES = 7
_NUGGET = 1e-3
_MACHINE_SD = 0.7  # of log seconds: machines differ by a factor of two

# What the prior mean looks at: sizes, class shares and landmarkers. With a few
# hundred prior tasks, more of them do not rank better (benchmarks/README.md).
META_FEATURES: dict[str, tuple[str, ...]] = {
    "classification": (
        "nr_inst", "nr_encoded", "inst_to_attr", "nr_class", "freq_class.min",
        "linear_score", "one_nn_score", "tree_score", "naive_bayes_score",
    ),
    "regression": (
        "nr_inst", "nr_encoded", "inst_to_attr",
        "linear_score", "one_nn_score", "tree_score",
    ),
}


class MetaModel:
    """Learns from the history what to believe of a new task.

    Parameters
    ----------
    kind : {"hybrid", "linear", "neighbors", "none"}, default="hybrid"
        How meta-features become a prior mean.
    """

    def __init__(self, kind: str = "hybrid"):
        self.kind = kind

    def fit(self, history: History, task: str) -> MetaModel:
        """Learn means, covariances and the clock.

        Parameters
        ----------
        history : History
        task : {"classification", "regression"}

        Returns
        -------
        MetaModel
        """
        self.history = history
        self._features = list(META_FEATURES[task])
        raw = history.tasks.reindex(columns=self._features).to_numpy(dtype=float)
        self._scaler = NormalScores().fit(raw)
        features = self._scaler.transform(raw)
        location, spread, z = history.standardised()
        families = history.tasks["family"].to_numpy()
        self._mean = PRIORS[self.kind]().fit(features, z)
        residuals = z - out_of_family(PRIORS[self.kind], features, z, families)
        self._covariance = LedoitWolf().fit(residuals).covariance_
        self._fit_scale(features, location, spread, families)
        self._fit_clock()
        return self

    def _fit_scale(self, features, location, spread, families) -> None:
        """How far apart the configurations of a task lie, and where."""
        log_spread, location = np.log(spread)[:, None], location[:, None]
        self._spread = LinearPrior().fit(features, log_spread)
        guess = out_of_family(LinearPrior, features, log_spread, families)
        residuals = log_spread - guess
        levels = (np.arange(_N_SCALES) + 0.5) / _N_SCALES
        self._spread_residuals = np.quantile(residuals, levels)
        with_spread = np.column_stack([features, log_spread])
        self._location = LinearPrior().fit(with_spread, location)
        errors = location - out_of_family(LinearPrior, with_spread, location, families)
        self._location_variance = float((errors**2).mean())

    def _fit_clock(self) -> None:
        """Log seconds: ridge on the sizes, a Gaussian over what is left."""
        sizes = _size_features(self.history.tasks)
        log_seconds = self.history.log_seconds
        self._clock_mean, residuals = [], np.zeros_like(log_seconds)
        for j, column in enumerate(log_seconds.T):
            known = np.isfinite(column)
            if known.sum() < 5:
                # Nothing known: as slow as the typical configuration.
                column = np.nanmedian(log_seconds, axis=1)
                known = np.isfinite(column)
            ridge = LinearPrior(alpha=1.0).fit(sizes[known], column[known, None])
            self._clock_mean.append(ridge)
            residuals[known, j] = column[known] - ridge.predict(sizes[known])[:, 0]
        # The prior tasks were run on one machine; another one is faster or slower
        # for all configurations alike.
        own = LedoitWolf().fit(residuals).covariance_
        self._clock_covariance = own + _MACHINE_SD**2

    def belief(self, meta_features: dict[str, float]) -> Belief:
        """What to believe of a new task.

        Parameters
        ----------
        meta_features : dict of str to float
            One that is missing or NaN is taken to be the median.

        Returns
        -------
        Belief
        """
        raw = np.array([[meta_features.get(name, np.nan) for name in self._features]])
        features = self._scaler.transform(raw)
        mean = self._mean.predict(features)[0]
        log_spread = self._spread.predict(features)[0, 0] + self._spread_residuals
        components = []
        for value in log_spread:
            spread = np.exp(value)
            at = np.column_stack([features, [[value]]])
            location = self._location.predict(at)[0, 0]
            covariance = self._location_variance + spread**2 * self._covariance
            components.append(Gaussian(location + spread * mean, covariance))
        typical = float(np.exp(2 * log_spread.mean()))
        nugget = _NUGGET * typical * np.trace(self._covariance) / len(mean)
        sizes = _size_features(pd.DataFrame([meta_features]))
        clock = Gaussian(
            np.array([ridge.predict(sizes)[0, 0] for ridge in self._clock_mean]),
            self._clock_covariance,
        )
        return Belief(self.history.names, components, nugget, clock, self.history)


def out_of_family(prior, features, targets, families, n_splits: int = 10) -> np.ndarray:
    """Predict every task from tasks of other families only.

    Parameters
    ----------
    prior : callable
        Makes an unfitted prior.
    features : ndarray of shape (n_tasks, n_features)
    targets : ndarray of shape (n_tasks, n_configurations)
    families : ndarray of shape (n_tasks,)
    n_splits : int, default=10

    Returns
    -------
    ndarray of shape (n_tasks, n_configurations)
    """
    predicted = np.zeros_like(targets)
    n_splits = min(n_splits, len(np.unique(families)))
    if n_splits < 2:
        # There is no other family to learn from.
        return predicted + targets.mean(axis=0)
    for train, test in GroupKFold(n_splits).split(features, groups=families):
        model = prior().fit(features[train], targets[train])
        predicted[test] = model.predict(features[test])
    return predicted


def _size_features(tasks: pd.DataFrame) -> np.ndarray:
    """Logarithms of the sizes, their squares and product: the clock's inputs."""
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
