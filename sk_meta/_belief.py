"""What is believed of every configuration on a new task, before and after results.

On a new task the location m and the spread s of h are unknown: the belief is a
mixture of Gaussians over s, with m integrated out, and every result conditions
it exactly.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr
from scipy.stats import norm

_CLOCK_NOISE = 0.01
_CLOCK_FLOOR = 0.3  # log seconds are never known better than this
# Weight of the portfolio term beside the expected improvement, and beside the
# expected loss while nothing is observed; how well a prior task must match the
# observed losses; how much weight all prior tasks keep. See benchmarks/constants.py.
_PORTFOLIO_WEIGHT, _PORTFOLIO_FIRST = 0.3, 0.3
_PORTFOLIO_WIDTH, _UNIFORM = 0.05, 0.1
# Share of the results that an interval covers, the quantiles at its ends, and the
# numbers of known results for which its width is learned.
LEVEL = 0.8
TAILS = (0.5 - LEVEL / 2, 0.5 + LEVEL / 2)
COUNTS = (0, 1, 2, 4, 8, 12)


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
        self.covariance = self.covariance - gain[:, None] * self.covariance[index]
        return -0.5 * (gap**2 / variance + np.log(variance))

    def sd(self) -> np.ndarray:
        """Standard deviation of every component."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 1e-12))


@dataclass(frozen=True)
class Observation:
    """What a belief was conditioned on: the arguments of :meth:`Belief.observe`."""

    index: int
    h: float
    noise: float
    provisional: bool


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
    clock : Gaussian or None
        Belief about the log seconds of one fold; None if they are not asked for.
    history : History or None
        Prior tasks, for the portfolio term; None if it is not asked for.
    novelty : float, default=0.0
        How unlike the prior tasks the task is; above 1 is out of range.
    reach : ndarray of shape (n_counts, 2) or None, default=None
        Ends of the interval in standard deviations, for each of ``COUNTS``; None
        is those of a normal distribution.
    """

    def __init__(
        self, names, components, nugget, clock, history, novelty=0.0, reach=None
    ):
        self.names = names
        self.components = components
        self.nugget = nugget
        self.clock = clock
        self.history = history
        self.novelty = novelty
        normal = np.tile(norm.ppf(TAILS), (len(COUNTS), 1))
        self.reach = normal if reach is None else reach
        self.observed: dict[int, float] = {}
        self.journal: list[Observation] = []
        self._log_weights = np.zeros(len(components))

    @property
    def weights(self) -> np.ndarray:
        """Posterior weight of every component."""
        weights = np.exp(self._log_weights - self._log_weights.max())
        return weights / weights.sum()

    def observe(
        self, index: int, h: float, noise: float = 0.0, provisional: bool = False
    ) -> None:
        """Condition on the relative log loss of a configuration.

        Parameters
        ----------
        index : int
            Position of the configuration.
        h : float
        noise : float, default=0.0
            Variance of h from the spread over the folds.
        provisional : bool, default=False
            Whether it is only a hint, which no other has to be better than.
        """
        for k, component in enumerate(self.components):
            density = component.observe(index, h, self.nugget + noise)
            self._log_weights[k] += density
        self.journal.append(Observation(index, h, noise, provisional))
        if not provisional:
            self.observed[index] = h

    def observe_seconds(self, index: int, seconds: float, noise: float = 0.0) -> None:
        """Condition the clock on the seconds that one fold took.

        Parameters
        ----------
        index : int
            Position of the configuration.
        seconds : float
            Of a fold of all rows.
        noise : float, default=0.0
            Variance of their logarithm, besides that of any measurement.
        """
        log_seconds = float(np.log(max(seconds, 1e-4)))
        self.clock.observe(index, log_seconds, _CLOCK_NOISE + noise)

    def mean(self) -> np.ndarray:
        """Expected h of every configuration."""
        return self.weights @ np.array([c.mean for c in self.components])

    def sd(self) -> np.ndarray:
        """Standard deviation of h, over and within the components."""
        means = np.array([c.mean for c in self.components])
        variances = np.array([c.sd() ** 2 for c in self.components])
        second = self.weights @ (variances + means**2)
        return np.sqrt(np.maximum(second - self.mean() ** 2, 1e-12))

    def interval(self) -> tuple[np.ndarray, np.ndarray]:
        """Ends of the interval that holds a result in four cases of five.

        Returns
        -------
        tuple of ndarray
            Lower and upper h of every configuration.
        """
        mean, sd, count = self.mean(), self.sd(), len(self.observed)
        low, high = (np.interp(count, COUNTS, column) for column in self.reach.T)
        return mean + low * sd, mean + high * sd

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
            density = np.exp(-0.5 * u**2) / np.sqrt(2 * np.pi)
            gain += weight * sd * (u * ndtr(u) + density)
        return gain

    def portfolio_gain(self) -> np.ndarray:
        """Mean gain over the best observed on the prior tasks that behave alike.

        Prior tasks are weighted by how well their own losses of the observed
        configurations match, up to an offset (Feurer et al. 2022 build such
        portfolios greedily for all tasks at once).
        """
        regret = self.history.normalised
        best = np.ones(len(regret))
        weights = everyone = self.history.weights
        if self.observed:
            seen = list(self.observed)
            best = regret[:, seen].min(axis=1)
            gap = np.array(list(self.observed.values())) - self.history.h[:, seen]
            n = len(seen)
            gap -= n / (n + 0.2) * gap.mean(axis=1, keepdims=True)
            fit = -0.5 * (gap**2).sum(axis=1) / _PORTFOLIO_WIDTH**2
            match = everyone * np.exp(fit - fit.max())
            weights = (1 - _UNIFORM) * match / match.sum() + _UNIFORM * everyone
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
            first, weight = self.expected_improvement()[allowed], _PORTFOLIO_WEIGHT
        else:
            first, weight = -self.mean()[allowed], _PORTFOLIO_FIRST
            first = first - first.min()
        relative = first / max(first.max(), 1e-12)
        return relative + weight * gain / max(gain.max(), 1e-12)

    def pick(self, allowed: list[int], cost_power: float, seconds=None) -> int:
        """The most useful configuration for its predicted seconds.

        Parameters
        ----------
        allowed : list of int
            Positions that may be chosen.
        cost_power : float
            0 ignores the seconds, 1 is utility per second.
        seconds : ndarray of shape (n_allowed,) or None, default=None
            None is what is believed of a fold.

        Returns
        -------
        int
        """
        cost = self.seconds()[allowed] if seconds is None else seconds
        return allowed[int(np.argmax(self.utility(allowed) / cost**cost_power))]

    def copy(self) -> Belief:
        """A belief to try things on."""
        # Their arrays are replaced, never changed.
        components, clock = [copy(c) for c in self.components], copy(self.clock)
        rest = (self.nugget, clock, self.history, self.novelty, self.reach)
        twin = Belief(self.names, components, *rest)
        twin.observed = dict(self.observed)
        twin.journal = list(self.journal)
        twin._log_weights = self._log_weights.copy()
        return twin
