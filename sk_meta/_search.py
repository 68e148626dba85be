"""Ask the belief, evaluate in parallel, tell the belief, until it is enough.

Configurations are proposed in rounds of fixed size, so that what is proposed
depends only on earlier rounds and never on which worker was first: with a count
budget the result is the same for any number of jobs.
"""

from __future__ import annotations

import logging
import multiprocessing
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from joblib.externals.loky.process_executor import BrokenProcessPool

from ._budget import Budget
from ._catalogue import Configuration
from ._evaluation import DIED, OK, TIMEOUT, Evaluation, FoldResult, evaluate_fold
from ._metamodel import Belief, to_h
from ._scoring import Metric, as_loss
from ._table import Table, Target

logger = logging.getLogger("sk_meta")

ROUND = 2  # configurations per round
# Power of the predicted seconds that a utility is divided by. Where evaluations
# are counted and not timed, a cheap one counts as much as a dear one.
COST_POWER_TIMED, COST_POWER_COUNTED = 0.5, 0.0
TOLERANCE = 0.002  # expected fall of the relative log loss that is worth a fit
PATIENCE = 5  # proposals in a row below the tolerance before stopping
MIN_TRIALS = 8
# Folds are shared, so most of their noise is common to all configurations.
_UNPAIRED = 0.25
_REFIT_MARGIN, _REFIT_SHARE = 1.3, 0.4


@dataclass(frozen=True)
class Problem:
    """A table, a target, and how candidates are compared on them.

    Parameters
    ----------
    X : DataFrame, ndarray or CSR
    y : ndarray of shape (n_samples,)
    table : Table
    target : Target
    splits : list of tuple of ndarray
        Training and test rows, shared by all configurations.
    metric : Metric
    dummy_loss : float
        Loss, in the stored metric, of predicting without looking at X.
    random_state : int
    """

    X: Any
    y: np.ndarray
    table: Table
    target: Target
    splits: list[tuple[np.ndarray, np.ndarray]]
    metric: Metric
    dummy_loss: float
    random_state: int

    @property
    def refit_factor(self) -> float:
        """Rows of the whole table over those of a training fold."""
        return len(self.y) / float(np.mean([len(train) for train, _ in self.splits]))


@dataclass(frozen=True)
class Trial:
    """One evaluated configuration, with what was expected of it before.

    Parameters
    ----------
    evaluation : Evaluation
    expected_h, expected_sd : float
        Relative log loss believed when it was proposed, and its uncertainty.
    expected_seconds : float
        Seconds of one fold believed then.
    elapsed : float
        Seconds since the start of ``fit`` when its result was in.
    """

    evaluation: Evaluation
    expected_h: float
    expected_sd: float
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
        self._idle_proposals = 0

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
        if self.budget.remaining(self._reserve()) <= 0:
            return [], "time budget spent"
        if len(self._tried) == len(self.configurations):
            return [], "every configuration evaluated"
        if self._idle_proposals >= PATIENCE and len(self.trials) >= MIN_TRIALS:
            return [], "no gain expected"
        batch = self._choose(int(min(left, ROUND)))
        if not batch and not self.trials:
            seconds = self.belief.seconds()
            batch = [min(self._applicable, key=lambda index: seconds[index])]
        self.budget.start(len(batch))
        return batch, None if batch else "nothing left that fits the time budget"

    def _choose(self, size: int) -> list[int]:
        """The round: each pick assumes that the earlier ones score as expected."""
        belief, batch = self.belief.copy(), list[int]()
        for _ in range(size):
            allowed = self._allowed() - set(batch)
            if not allowed:
                break
            index = pick(belief, sorted(allowed), self._cost_power)
            if belief.observed:
                idle = belief.expected_improvement()[index] < TOLERANCE
                self._idle_proposals = self._idle_proposals + 1 if idle else 0
            belief.observe(index, float(belief.mean()[index]))
            batch.append(index)
        return batch

    def _allowed(self) -> set[int]:
        """Configurations not tried yet that are expected to end in time."""
        seconds = self.belief.seconds_at_most() * len(self.problem.splits)
        parallel = min(self.n_workers, len(self.problem.splits))
        left = self.budget.remaining(self._reserve())
        in_time = set(np.flatnonzero(seconds / parallel <= left).tolist())
        return (in_time & self._applicable) - self._tried

    def _reserve(self) -> float:
        """Seconds to keep for the refit of the best configurations."""
        if not self.budget.limited:
            return 0.0
        complete = SearchResult(tuple(self.trials), "").complete()
        if not complete:
            return 0.0
        best = sorted(complete, key=lambda e: -e.mean(self.problem.metric.name))
        seconds = [e.fit_seconds for e in best[: self.n_refits]]
        needed = sum(seconds) * self.problem.refit_factor / self.n_workers
        needed = max(needed, max(seconds) * self.problem.refit_factor)
        return min(_REFIT_MARGIN * needed, self.budget.share(_REFIT_SHARE))

    def tell(self, batch: list[int], evaluations: list[Evaluation]) -> None:
        """Record the round and condition the belief on it."""
        mean, sd = self.belief.mean(), self.belief.sd()
        seconds = self.belief.seconds()
        elapsed = self.budget.elapsed()
        for index, evaluation in zip(batch, evaluations, strict=True):
            self.trials.append(
                Trial(evaluation, mean[index], sd[index], seconds[index], elapsed)
            )
            self._tried.add(index)
            logger.info(
                "%s: %s, %.2f s a fold",
                evaluation.name,
                evaluation.error or f"{evaluation.mean(self.problem.metric.name):.4g}",
                evaluation.fit_seconds,
            )
        for index, evaluation in zip(batch, evaluations, strict=True):
            if evaluation.status == OK:
                self._condition(index, evaluation)

    def _condition(self, index: int, evaluation: Evaluation) -> None:
        metric = self.problem.metric.stored
        loss = as_loss(evaluation.scores(metric), metric)
        if np.isfinite(loss).all():
            dummy = self.problem.dummy_loss
            slope = 1.0 / (max(loss.mean(), 0.0) + 0.02 * dummy + 1e-12)
            noise = _UNPAIRED * slope**2 * loss.var() / len(loss)
            self.belief.observe(index, float(to_h(loss.mean(), dummy)), noise)
        self.belief.observe_seconds(index, evaluation.fit_seconds)

    def _evaluate(self, batch: list[int]) -> list[Evaluation]:
        names = [self.belief.names[index] for index in batch]
        units = [(name, split) for name in names for split in self.problem.splits]
        results = self._run(units)
        n_splits = len(self.problem.splits)
        return [
            Evaluation(name, tuple(results[i * n_splits : (i + 1) * n_splits]))
            for i, name in enumerate(names)
        ]

    def _run(self, units: list) -> list[FoldResult]:
        """Results of all units, in their order, whatever happens to the workers."""
        if self.n_workers == 1:
            return [self._in_time(*unit) for unit in units]
        results: list[FoldResult | None] = [None] * len(units)
        try:
            self._collect(units, range(len(units)), results)
        except BrokenProcessPool:
            # Find out who did it: run what is left one by one.
            for i in [i for i, result in enumerate(results) if result is None]:
                try:
                    self._collect(units, [i], results)
                except BrokenProcessPool as error:
                    results[i] = FoldResult(DIED, error=_first_line(error))
        late = FoldResult(TIMEOUT, error="stopped at the deadline")
        return [late if result is None else result for result in results]

    def _collect(self, units, numbers, results) -> None:
        """Run some of the units and store their results as they come in."""
        left = self.budget.remaining(self._reserve())
        if left <= 0:
            return
        parallel = Parallel(
            n_jobs=self.n_jobs,
            return_as="generator_unordered",
            batch_size=1,
            timeout=left if self.budget.limited else None,
        )
        calls = (delayed(_numbered)(i, *self._unit(*units[i])) for i in numbers)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*worker.*", module="joblib")
            warnings.filterwarnings("ignore", message=".*cancelled.*")
            done = parallel(calls)
            try:
                for i, result in done:
                    results[i] = result
            except (TimeoutError, multiprocessing.TimeoutError):
                logger.info("deadline reached, running fits are stopped")
            finally:
                done.close()

    def _in_time(self, name: str, split) -> FoldResult:
        if self.trials and self.budget.remaining(self._reserve()) <= 0:
            return FoldResult(TIMEOUT, error="stopped at the deadline")
        return evaluate_fold(*self._unit(name, split))

    def _unit(self, name: str, split) -> tuple:
        """Arguments of :func:`evaluate_fold`."""
        problem, metric = self.problem, self.problem.metric
        pipeline = self.configurations[name].build(problem.table, problem.random_state)
        scorers = {metric.stored: metric.stored_scorer, metric.name: metric.scorer}
        return pipeline, problem.X, problem.y, split, scorers, problem.target.classes


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


def _numbered(number: int, *args) -> tuple[int, FoldResult]:
    return number, evaluate_fold(*args)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:200]
