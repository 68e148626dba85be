"""Beliefs about every configuration on a new task, before and after results.

Losses are compared on the scale ``h = log(loss / dummy loss + 0.02)``. Over the
prior tasks, the standardised ``z = (h - m) / s`` gets a mean (from the
meta-features) and a covariance (of the out-of-family residuals). On a new task
``m`` and ``s`` are unknown: the belief is a mixture of Gaussians over ``s``,
with ``m`` integrated out, and every result conditions it exactly.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm
from sklearn.covariance import LedoitWolf
from sklearn.model_selection import GroupKFold

from ._knowledge import KnowledgeBase
from ._prior import PRIORS, LinearPrior, NormalScores
from ._scoring import as_loss

_OFFSET = 0.02  # keeps the logarithm finite on tasks that are solved
_FLOOR = 0.02  # smallest spread of h that a task can have
_WORST = 1.0  # z is cut here: how bad a bad configuration is doesn't matter
_N_SCALES = 7
_NUGGET = 1e-3
_CLOCK_NOISE = 0.01
_MACHINE_SD = 0.7  # of log seconds: machines differ by a factor of two
_CLOCK_FLOOR = 0.3  # log seconds are never known better than this
_PORTFOLIO_WIDTH = 0.05

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


def to_h(loss, dummy):
    """Loss relative to the dummy's, on a logarithmic scale.

    Parameters
    ----------
    loss : float or ndarray
    dummy : float or ndarray
        Loss of the dummy on the same rows.

    Returns
    -------
    float or ndarray
    """
    return np.log(np.maximum(loss, 0) / np.maximum(dummy, 1e-12) + _OFFSET)


def from_h(h, dummy):
    """Inverse of :func:`to_h`."""
    return np.maximum(np.exp(h) - _OFFSET, 0) * dummy


@dataclass(frozen=True)
class History:
    """The knowledge base as matrices, for one metric and some configurations.

    Parameters
    ----------
    names : tuple of str
        Configurations, the columns.
    tasks : DataFrame
        Prior tasks, the rows, with families and meta-features.
    h : ndarray of shape (n_tasks, n_configurations)
        Relative log losses, complete: what was not run is filled in.
    log_seconds : ndarray of shape (n_tasks, n_configurations)
        Log of the seconds of one fold, NaN where it was not run.
    """

    names: tuple[str, ...]
    tasks: pd.DataFrame
    h: np.ndarray
    log_seconds: np.ndarray

    @classmethod
    def of(
        cls, knowledge: KnowledgeBase, kind: str, metric: str, names: tuple[str, ...]
    ) -> History:
        """Read the matrices out of a knowledge base.

        Parameters
        ----------
        knowledge : KnowledgeBase
        kind : {"classification", "regression"}
        metric : str
            A stored metric.
        names : tuple of str
            Configurations; those the knowledge base lacks get filled columns.

        Returns
        -------
        History
        """
        scores = knowledge.scores(kind, metric)
        if "dummy" not in scores or len(scores) < 5:
            raise ValueError(
                f"knowledge has {len(scores)} tasks for {kind}; at least 5 are needed, "
                "with results of the configuration 'dummy'. Merge your own tasks into "
                "KnowledgeBase.load()."
            )
        dummy = as_loss(scores["dummy"].to_numpy(), metric)
        usable = np.isfinite(dummy) & (dummy > 0)
        columns = list(names)
        loss = as_loss(scores.reindex(columns=columns).to_numpy(), metric)
        h = to_h(loss[usable], dummy[usable, None])
        failed = knowledge.failed(kind).reindex(columns=columns, fill_value=False)
        seconds = knowledge.seconds(kind).reindex(columns=columns).to_numpy()
        return cls(
            names,
            knowledge.select(kind)[usable],
            _complete(h, failed.to_numpy()[usable]),
            np.log(np.maximum(seconds[usable], 1e-4)),
        )

    def standardised(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Location, spread and standard scores of every task.

        The median and its distance to the best, as in the regret that is to be
        minimised: differences among the good half keep their weight, however
        bad the bad ones are.
        """
        location = np.median(self.h, axis=1)
        spread = np.maximum(location - self.h.min(axis=1), _FLOOR)
        z = (self.h - location[:, None]) / spread[:, None]
        return location, spread, np.minimum(z, _WORST)

    def normalised(self) -> np.ndarray:
        """Regret over the task's best, in units of its median's regret."""
        loss = np.exp(self.h)
        best = loss.min(axis=1, keepdims=True)
        middle = np.median(loss, axis=1, keepdims=True)
        return np.clip((loss - best) / np.maximum(middle - best, 0.01), 0, 1)


def _complete(h: np.ndarray, failed: np.ndarray) -> np.ndarray:
    """Fill in failures as bad, then the rest by conditioning on the row.

    A configuration that was excluded is given the value that its relatives on
    the same task suggest: one step of expectation maximisation.
    """
    h = np.where(np.isfinite(h), h, np.nan)
    h[:, np.isnan(h).all(axis=0)] = np.nanmean(h, axis=1, keepdims=True)
    worst = np.nanmax(h, axis=1) + 0.5 * np.nanstd(h, axis=1)
    h = np.where(failed, worst[:, None], h)
    missing = np.isnan(h)
    if not missing.any():
        return h
    location = np.nanmean(h, axis=1, keepdims=True)
    spread = np.maximum(np.nanstd(h, axis=1, keepdims=True), _FLOOR)
    z = (h - location) / spread
    z = np.where(missing, np.nanmean(z, axis=0), z)
    covariance = LedoitWolf().fit(z).covariance_
    mean = z.mean(axis=0)
    for row, gaps in zip(z, missing, strict=True):
        if gaps.any() and not gaps.all():
            seen = ~gaps
            gain = np.linalg.solve(
                covariance[np.ix_(seen, seen)] + 0.05 * np.eye(seen.sum()),
                covariance[np.ix_(seen, gaps)],
            )
            row[gaps] = mean[gaps] + (row[seen] - mean[seen]) @ gain
    return np.where(missing, z * spread + location, h)


@dataclass
class Gaussian:
    """A multivariate normal that is conditioned one value at a time."""

    mean: np.ndarray
    covariance: np.ndarray

    def observe(self, index: int, value: float, noise: float) -> float:
        """Condition on ``value`` at ``index``; return its log density before."""
        variance = self.covariance[index, index] + noise
        gap = value - self.mean[index]
        gain = self.covariance[:, index] / variance
        self.mean = self.mean + gain * gap
        self.covariance = self.covariance - np.outer(gain, self.covariance[index])
        return -0.5 * (gap**2 / variance + np.log(variance))

    def sd(self) -> np.ndarray:
        """Standard deviation of every component."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 1e-12))


class Belief:
    """What is believed of every configuration on one task.

    Parameters
    ----------
    names : tuple of str
        Configurations.
    components : list of Gaussian
        Beliefs about h, one per spread of the task.
    nugget : float
        Variance of h that no other configuration tells of.
    clock : Gaussian
        Belief about the log seconds of one fold.
    history : History
        Prior tasks, for the portfolio term.
    """

    def __init__(self, names, components, nugget, clock, history):
        self.names = names
        self.components = components
        self.nugget = nugget
        self.clock = clock
        self.history = history
        self.observed: dict[int, float] = {}
        self._log_weights = np.zeros(len(components))

    @property
    def weights(self) -> np.ndarray:
        """Posterior weight of every component."""
        weights = np.exp(self._log_weights - self._log_weights.max())
        return weights / weights.sum()

    def observe(self, index: int, h: float, noise: float = 0.0) -> None:
        """Condition on the relative log loss of a configuration.

        Parameters
        ----------
        index : int
            Position of the configuration.
        h : float
        noise : float, default=0.0
            Variance of h from the spread over the folds.
        """
        for k, component in enumerate(self.components):
            density = component.observe(index, h, self.nugget + noise)
            self._log_weights[k] += density
        self.observed[index] = h

    def observe_seconds(self, index: int, seconds: float) -> None:
        """Condition the clock on the seconds that one fold took."""
        self.clock.observe(index, float(np.log(max(seconds, 1e-4))), _CLOCK_NOISE)

    def mean(self) -> np.ndarray:
        """Expected h of every configuration."""
        return self.weights @ np.array([c.mean for c in self.components])

    def sd(self) -> np.ndarray:
        """Standard deviation of h, over and within the components."""
        means = np.array([c.mean for c in self.components])
        variances = np.array([c.sd() ** 2 for c in self.components])
        second = self.weights @ (variances + means**2)
        return np.sqrt(np.maximum(second - self.mean() ** 2, 1e-12))

    def seconds(self) -> np.ndarray:
        """Expected seconds of one fold."""
        return np.exp(self.clock.mean)

    def seconds_at_most(self) -> np.ndarray:
        """Seconds of one fold that are exceeded about once in five times."""
        sd = np.maximum(self.clock.sd(), _CLOCK_FLOOR)
        return np.exp(self.clock.mean + 0.8 * sd)

    def expected_improvement(self) -> np.ndarray:
        """Expected fall of h below the best observed one."""
        best = min(self.observed.values())
        gain = np.zeros(len(self.names))
        for weight, component in zip(self.weights, self.components, strict=True):
            sd = component.sd()
            u = (best - component.mean) / sd
            gain += weight * sd * (u * norm.cdf(u) + norm.pdf(u))
        return gain

    def portfolio_gain(self) -> np.ndarray:
        """Mean gain over the best observed on the prior tasks that behave alike.

        Prior tasks are weighted by how well their own losses of the observed
        configurations match, up to an offset (Feurer et al. 2022 build such
        portfolios greedily for all tasks at once).
        """
        regret = self.history.normalised()
        best = np.ones(len(regret))
        weights = np.full(len(regret), 1 / len(regret))
        if self.observed:
            seen = list(self.observed)
            best = regret[:, seen].min(axis=1)
            gap = np.array(list(self.observed.values())) - self.history.h[:, seen]
            n = len(seen)
            gap -= n / (n + 0.2) * gap.mean(axis=1, keepdims=True)
            fit = -0.5 * (gap**2).sum(axis=1) / _PORTFOLIO_WIDTH**2
            match = np.exp(fit - fit.max())
            weights = 0.9 * match / match.sum() + 0.1 / len(regret)
        gain = weights @ np.maximum(best[:, None] - regret, 0)
        return gain + 1e-6 * (1 - weights @ regret)

    def utility(self, allowed: list[int]) -> np.ndarray:
        """Expected improvement and portfolio gain, each relative to its largest.

        Parameters
        ----------
        allowed : list of int
            Positions to compare; of one shape with the result.

        Returns
        -------
        ndarray of shape (n_allowed,)
        """
        gain = self.portfolio_gain()[allowed]
        if self.observed:
            first = self.expected_improvement()[allowed]
        else:
            first = -self.mean()[allowed]
            first = first - first.min()
        return first / max(first.max(), 1e-12) + gain / max(gain.max(), 1e-12)

    def copy(self) -> Belief:
        """A belief to try things on."""
        components, clock = deepcopy((self.components, self.clock))
        twin = Belief(self.names, components, self.nugget, clock, self.history)
        twin.observed = dict(self.observed)
        twin._log_weights = self._log_weights.copy()
        return twin


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
