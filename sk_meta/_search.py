"""Ask the belief, evaluate in parallel, tell the belief, until it is enough.

Configurations are proposed in rounds of fixed size, so that what is proposed
depends only on earlier rounds and never on which worker was first: with a count
budget the result is the same for any number of jobs.
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from math import ceil

import numpy as np
from joblib import effective_n_jobs

from ._belief import Belief
from ._budget import Budget
from ._catalogue import Configuration
from ._evaluation import (
    DIED,
    OK,
    SCORE,
    STORED,
    TIMEOUT,
    Evaluation,
    FoldResult,
    evaluate_fold,
)
from ._history import h_per_loss, to_h
from ._parallel import Died, Late, run_calls
from ._problem import Problem
from ._scoring import as_loss

logger = logging.getLogger("sk_meta")

ROUND = 2  # configurations per round
# Power of the predicted seconds that a utility is divided by. Where evaluations
# are counted and not timed, a cheap one counts as much as a dear one.
COST_POWER_TIMED, COST_POWER_COUNTED = 0.7, 0.0
TOLERANCE = 0.0005  # expected fall of the relative log loss that is worth a fit
MIN_TRIALS = 8
# Folds are shared, so most of their noise is common to all configurations.
_UNPAIRED = 0.25
_REFIT_MARGIN, _REFIT_SHARE, _RESTART = 1.3, 0.4, 3.0


@dataclass(frozen=True)
class Trial:
    """One evaluated configuration, with what was expected of it before.

    Parameters
    ----------
    evaluation : Evaluation
    expected_h : float
        Relative log loss believed when it was proposed.
    expected_seconds : float
        Seconds of one fold believed then.
    elapsed : float
        Seconds since the start of ``fit`` when its result was in.
    """

    evaluation: Evaluation
    expected_h: float
    expected_seconds: float
    elapsed: float


@dataclass(frozen=True)
class SearchResult:
    """All trials in the order of their proposal, and why the search ended."""

    trials: tuple[Trial, ...]
    stop_reason: str

    def complete(self) -> list[Evaluation]:
        """Evaluations whose folds all succeeded."""
        return [t.evaluation for t in self.trials if t.evaluation.status == OK]


class Search:
    """Spend a budget on the most promising configurations.

    Parameters
    ----------
    problem : Problem
    belief : Belief
        Prior over the configurations; it is conditioned on every result.
    configurations : dict of str to Configuration
        The applicable ones.
    budget : Budget
    n_jobs : int or None, default=None
        As in scikit-learn.
    n_refits : int, default=1
        Number of configurations that will be refitted afterwards, for which
        time is kept back.
    """

    def __init__(
        self,
        problem: Problem,
        belief: Belief,
        configurations: dict[str, Configuration],
        budget: Budget,
        n_jobs: int | None = None,
        n_refits: int = 1,
    ):
        self.problem = problem
        self.belief = belief
        self.configurations = configurations
        self.budget = budget
        self.n_jobs = n_jobs
        self.n_workers = effective_n_jobs(n_jobs)
        self.n_refits = n_refits
        self.trials: list[Trial] = []
        self._cost_power = COST_POWER_TIMED if budget.limited else COST_POWER_COUNTED
        self._tried: set[int] = set()
        self._applicable = {
            index for index, name in enumerate(belief.names) if name in configurations
        }

    def run(self) -> SearchResult:
        """Search until the budget is spent or nothing is left to gain.

        Returns
        -------
        SearchResult
            Also after an interrupt from the keyboard: what was found is kept.
        """
        try:
            reason = None
            while reason is None:
                batch, reason = self.ask()
                if batch:
                    self.tell(batch, self._evaluate(batch))
        except KeyboardInterrupt:
            reason = "interrupted"
            warnings.warn(
                "The search was interrupted; the best configurations so far are used.",
                UserWarning,
                stacklevel=2,
            )
        return SearchResult(tuple(self.trials), reason)

    def ask(self) -> tuple[list[int], str | None]:
        """Choose the next round, or say why there is none."""
        left = self.budget.candidates_left()
        if left <= 0:
            return [], "n_candidates reached"
        if self._seconds_left() <= 0:
            return [], "time budget spent"
        if len(self._tried) == len(self.configurations):
            return [], "every configuration evaluated"
        if len(self.trials) >= MIN_TRIALS and self._gain_left() < TOLERANCE:
            return [], "no gain expected"
        batch = self._choose(1 if self._warming_up else int(min(left, ROUND)))
        if not batch and not self.trials:
            seconds = self.belief.seconds()
            batch = [min(self._applicable, key=lambda index: seconds[index])]
        self.budget.start(len(batch))
        return batch, None if batch else "nothing left that fits the time budget"

    def _choose(self, size: int) -> list[int]:
        """The round: each pick assumes that the earlier ones score as expected."""
        belief, batch = self.belief.copy(), list[int]()
        for _ in range(size):
            allowed = sorted(self._allowed(batch))
            if not allowed:
                break
            index = pick(belief, allowed, self._cost_power)
            belief.observe(index, float(belief.mean()[index]))
            batch.append(index)
        return batch

    @property
    def _warming_up(self) -> bool:
        """Whether the first configuration is still to be run.

        Under a time budget it is a cheap one, run in this process: workers take
        seconds to start, and something must be there at the deadline.
        """
        return self.budget.limited and not self.trials

    def _gain_left(self) -> float:
        """Largest expected improvement of what may still be tried."""
        allowed = sorted(self._allowed([]))
        if not self.belief.observed or not allowed:
            return np.inf
        return float(self.belief.expected_improvement()[allowed].max())

    def _allowed(self, batch: list[int]) -> set[int]:
        """Configurations not tried yet that are expected to end in time."""
        waves = ceil(len(self.problem.splits) / self.n_workers)
        seconds = self.belief.seconds_at_most() * waves
        left = self._seconds_left() - seconds[batch].sum()
        in_time = set(np.flatnonzero(seconds <= left).tolist())
        return (in_time & self._applicable) - self._tried - set(batch)

    def _reserve(self) -> float:
        """Seconds to keep for the refit of the best configurations."""
        if not self.budget.limited:
            return 0.0
        complete = SearchResult(tuple(self.trials), "").complete()
        if not complete:
            return 0.0
        best = sorted(complete, key=lambda e: -e.mean(SCORE))
        seconds = [e.fit_seconds for e in best[: self.n_refits]]
        needed = max(sum(seconds) / self.n_workers, max(seconds))
        reserve = _REFIT_MARGIN * needed * self.problem.refit_factor
        if self.n_workers > 1:
            # Stopping running fits costs the workers; new ones take their time.
            reserve += min(_RESTART, self.budget.share(0.1))
        return min(reserve, self.budget.share(_REFIT_SHARE))

    def tell(self, batch: list[int], evaluations: list[Evaluation]) -> None:
        """Record the round and condition the belief on it."""
        mean, seconds = self.belief.mean(), self.belief.seconds()
        elapsed = self.budget.elapsed()
        for index, evaluation in zip(batch, evaluations, strict=True):
            trial = Trial(evaluation, mean[index], seconds[index], elapsed)
            self.trials.append(trial)
            self._tried.add(index)
            logger.info(
                "%s: %s, %.2f s a fold",
                evaluation.name,
                evaluation.error or f"{evaluation.mean(SCORE):.4g}",
                evaluation.fit_seconds,
            )
        for index, evaluation in zip(batch, evaluations, strict=True):
            if evaluation.status == OK:
                self._condition(index, evaluation)

    def _condition(self, index: int, evaluation: Evaluation) -> None:
        metric = self.problem.metric
        scores = evaluation.scores(SCORE if metric.exact else STORED)
        loss = as_loss(scores, metric.stored)
        if np.isfinite(loss).all():
            dummy = self.problem.dummy_loss
            slope = h_per_loss(loss.mean(), dummy)
            noise = _UNPAIRED * slope**2 * loss.var() / len(loss)
            self.belief.observe(index, float(to_h(loss.mean(), dummy)), noise)
        self.belief.observe_seconds(index, evaluation.fit_seconds)

    def _evaluate(self, batch: list[int]) -> list[Evaluation]:
        names = [self.belief.names[index] for index in batch]
        units = [(name, split) for name in names for split in self.problem.splits]
        calls = [self._unit(*unit) for unit in units]
        n_jobs = 1 if self._warming_up else self.n_jobs
        outcomes = run_calls(_evaluate_unit, calls, n_jobs, self._seconds_left)
        results = [_as_result(outcome) for outcome in outcomes]
        n_splits = len(self.problem.splits)
        return [
            Evaluation(name, tuple(results[i * n_splits : (i + 1) * n_splits]))
            for i, name in enumerate(names)
        ]

    def _seconds_left(self) -> float:
        return self.budget.remaining(self._reserve())

    def _unit(self, name: str, split) -> tuple:
        """Arguments of :func:`_evaluate_unit`."""
        problem, metric = self.problem, self.problem.metric
        pipeline = self.configurations[name].build(problem.table, problem.random_state)
        scorers = {SCORE: metric.scorer}
        optional = {} if metric.exact else {STORED: metric.stored_scorer}
        data = (problem.X, problem.y, split, scorers, problem.target.classes)
        return pipeline, *data, optional


def pick(belief: Belief, allowed: list[int], cost_power: float) -> int:
    """The most useful configuration for its predicted seconds.

    Parameters
    ----------
    belief : Belief
    allowed : list of int
        Positions that may be chosen.
    cost_power : float
        0 ignores the seconds, 1 is utility per second.

    Returns
    -------
    int
    """
    value = belief.utility(allowed) / belief.seconds()[allowed] ** cost_power
    return allowed[int(np.argmax(value))]


def _evaluate_unit(pipeline, X, y, split, scorers, classes, optional) -> FoldResult:
    return evaluate_fold(pipeline, X, y, split, scorers, classes, optional=optional)


def _as_result(outcome) -> FoldResult:
    """What became of a call, as the result of a fold."""
    if isinstance(outcome, Late):
        return FoldResult(TIMEOUT, error="stopped at the deadline")
    if isinstance(outcome, Died):
        return FoldResult(DIED, error="the worker process was killed")
    return outcome
