"""Ask for the next fold, run it, tell the belief, until it is enough.

The unit of work is one configuration on one split. With a deadline units are asked
for as workers become free, and told as they end. Without one they are told in the
order in which they were asked for, always ``LAG`` behind: what is asked for then
depends only on what was told, never on which worker was first, so that the result is
the same for any number of jobs.
"""

from __future__ import annotations

from collections import deque
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ._calls import Raised
from ._catalogue import Configuration
from ._checkpoint import Checkpoint
from ._evaluation import (
    DIED,
    FAILED,
    OK,
    OTHER,
    SCORE,
    STORED,
    TIMEOUT,
    Evaluation,
    FoldResult,
    reason,
)
from ._log import logger, warn_user
from ._record import FROM_CHECKPOINT, Told
from ._runs import Run
from ._shared import SharedTask
from ._strategy import Strategy, Unit
from ._together import quiet
from ._unit import Rules, drop_model, evaluate_unit
from ._workers import Died, Late

LAG = 4
INTERRUPTED, STOPPED_BY_CALLBACK = "interrupted", "stopped by a callback"
STOPPED = FoldResult(TIMEOUT, error="stopped by a callback")
_MOMENT = 2.0  # seconds for running folds after a callback has asked to stop
_AHEAD = 1  # units that the first free worker may take while the search thinks
_KEPT = 8  # configurations whose fold models are kept, at least
# Of the free memory, what the fold models of one configuration may take, looks and
# repetitions apart.
_KEPT_SHARE = 0.01


@dataclass(frozen=True)
class Trial:
    """One evaluated configuration, with what was expected of it before.

    Parameters
    ----------
    evaluation : Evaluation
    configuration : Configuration
    expected_h : float
        Relative log loss believed when it was proposed.
    expected_seconds : float
        Seconds of one fold believed then.
    elapsed : float
        Seconds since the start of ``fit`` when its last result was in.
    """

    evaluation: Evaluation
    configuration: Configuration
    expected_h: float
    expected_seconds: float
    elapsed: float


@dataclass(frozen=True)
class SearchResult:
    """What was found.

    Parameters
    ----------
    trials : tuple of Trial
        Every configuration that was started, in the order of their proposal.
    pool : tuple of Evaluation
        Those that can be members of an ensemble, of one search all with the same test
        rows.
    rows : list of ndarray
        Test rows of every fold of the pool.
    n_train : tuple of int
        Training rows of a fold, of every member of the pool.
    stop_reason : str
        Why the search ended.
    n_comparable : int
        So many of the pool, the first, are scored on the same folds.
    told : tuple of Told
        Every result, in the order in which the strategy was told.
    """

    trials: tuple[Trial, ...]
    pool: tuple[Evaluation, ...]
    rows: list[np.ndarray]
    n_train: tuple[int, ...]
    stop_reason: str
    n_comparable: int
    told: tuple[Told, ...] = ()


class Unwatched:
    """What is told of the tasks of a fit, and to whom: here to nobody."""

    wants_models = False  # whether the models of the best folds are to be kept

    def task(self, name: str) -> AbstractContextManager:
        """A step of ``fit``."""
        return nullcontext()

    def search(self, strategy: Strategy) -> AbstractContextManager:
        """The step in which units are begun and ended."""
        return nullcontext()

    def began(self, unit: Unit) -> None:
        """A unit is given to a worker."""

    def ended(self, unit: Unit) -> bool:
        """The result of a unit was told; whether the search is to stop."""
        return False


class Search:
    """Spend a budget on the most promising configurations.

    Parameters
    ----------
    strategy : Strategy
        What to run next.
    workers : Here, Threads, Processes or Rounds
        Where the folds are run.
    task : SharedTask
        The table, for the workers.
    checkpoint : Checkpoint or None, default=None
        Results of an earlier search that was not finished.
    tasks : Unwatched, default=Unwatched()
        Is told of every unit.
    time_predict : bool, default=False
        Whether predicting is timed where folds have few rows.
    """

    def __init__(
        self,
        strategy: Strategy,
        workers,
        task: SharedTask,
        checkpoint: Checkpoint | None = None,
        tasks: Unwatched | None = None,
        time_predict: bool = False,
    ):
        self.strategy = strategy
        self.tasks = tasks or Unwatched()
        self.problem = strategy.problem
        self.budget = strategy.budget
        self.workers = workers
        self.task = task
        self.checkpoint = checkpoint
        self.busy_seconds = 0.0
        self.dispensable = False  # whether there is something to use without it
        self._n_kept = max(_KEPT, 2 * strategy.ensemble_size)
        self._stop = False
        self._rules = self._make_rules(time_predict)
        self._queue: deque[Unit] = deque()
        # Asked for and not told yet, in that order, with the outcome once it is in.
        self._untold: dict[Unit, Any] = {}
        self._from_checkpoint: set[Unit] = set()
        self._told: list[Told] = []
        self._best_score = np.nan

    def run(self) -> SearchResult:
        """Search until the budget is spent or nothing is left to gain.

        Returns
        -------
        SearchResult
            Also after an interrupt from the keyboard: what was found is kept.
        """
        with self.tasks.search(self.strategy):
            self._run()
            for unit, outcome in self._untold.items():
                # What was in by chance, when a callback stopped a search that is the
                # same every time, is not known either.
                if outcome is None or (self._stop and not self.budget.limited):
                    outcome = STOPPED if self._stop else Late()
                self._tell(unit, outcome)
        if not self.budget.limited:
            for run in self.strategy.runs:
                self._drop_models(run)  # kept for callbacks, which change nothing
        if self.checkpoint is not None and self.checkpoint.lost:
            lost, self.checkpoint.lost = self.checkpoint.lost, None
            warn_user(f"Results can't be kept in the checkpoint: {lost}")
        return self._result(self.strategy.reason)

    def keep_models_of(self, names: set[str]) -> SearchResult:
        """Drop all other fold models.

        Parameters
        ----------
        names : set of str

        Returns
        -------
        SearchResult
            As :meth:`run` has returned it, without them.
        """
        for run in self.strategy.runs:
            if run.name not in names:
                self._drop_models(run)
        return self._result(self.strategy.reason)

    def _run(self) -> None:
        try:
            with quiet():
                self._loop()
        except KeyboardInterrupt:
            self.strategy.reason = INTERRUPTED
            warn_user(
                "The search was interrupted; the best configurations so far are used."
            )
        finally:
            self._note_ended(self.workers.wait(0))
            self.workers.stop()

    def _loop(self) -> None:
        window = self.workers.size + 1 if self.budget.limited else LAG
        while True:
            if self._stopped:
                self.strategy.reason = STOPPED_BY_CALLBACK
                self._let_end()
                return
            self._ask(window)
            self._submit()
            # While only quick ones may be asked for, there may be more to do later.
            if not self._untold and not self.strategy.only_quick:
                return
            left = self.strategy.seconds_left()
            # No more is begun; what runs may end within the grace, if it can be ended.
            late = self.workers.hard and left + self.strategy.grace <= 0
            if left <= 0 and (late or not self.workers.busy()):
                self.strategy.reason = "time budget spent"
                return
            left += self.strategy.grace
            # What can't be ended is waited for.
            longest = left if self.workers.hard or left > 0 else np.inf
            self._note_ended(self.workers.wait(min(longest, self._end_stuck())))
            # Give the free workers something to do before thinking.
            self._submit()
            self._tell_what_is_in(window)

    @property
    def _stopped(self) -> bool:
        """Whether a callback has asked for it, and there is something to use."""
        return self._stop and (self.dispensable or bool(self.strategy.members()[1]))

    def _let_end(self) -> None:
        """Give running folds a moment: what is ended takes longer to start again."""
        end = self.budget.elapsed() + _MOMENT
        while self.workers.hard and self.workers.busy():
            if (left := end - self.budget.elapsed()) <= 0:
                return
            self._note_ended(self.workers.wait(left))

    def _ask(self, window: int) -> None:
        """Ask for units until so many are untold."""
        self.strategy.only_quick = getattr(self.workers, "starting", False)
        while len(self._untold) < window:
            unit = self.strategy.ask()
            if unit is None:
                return
            self._untold[unit] = None
            self._queue.append(unit)

    def _submit(self) -> None:
        left = self.strategy.seconds_left()
        self.workers.patience = left
        while self._queue and self.workers.free(ahead=_AHEAD):
            if self.budget.limited and left <= 0:
                return
            unit = self._queue.popleft()
            self.tasks.began(unit)
            known = None
            if self.checkpoint is not None:
                key = unit.run.configuration.key
                test = self.problem.folds.splits[unit.split][1]
                timed = self._rules.timed(len(test))
                known = self.checkpoint.get(key, unit.split, timed=timed)
            if known is None:
                self.workers.submit(unit, evaluate_unit, *self._call(unit))
            else:
                self._untold[unit] = known
                self._from_checkpoint.add(unit)

    def _end_stuck(self) -> float:
        """End folds that take far too long; seconds until there may be another."""
        running = self.workers.running()
        left = {unit: self.strategy.patience(unit, running) for unit in running}
        stuck = [unit for unit in running if left[unit] <= 0]
        if not stuck:
            return min(left.values(), default=np.inf)
        for unit in self.workers.end(stuck):
            self._untold[unit] = _given_up(unit, running[unit])
        return 0.0

    def _note_ended(self, outcomes) -> None:
        self._untold.update(outcomes)

    def _tell_what_is_in(self, window: int) -> None:
        """Tell outcomes: as they come in, or in their order if there is no deadline."""
        ordered = not self.budget.limited
        while self._untold:
            first = next(iter(self._untold))
            ready = [first] if ordered else list(self._untold)
            ready = [unit for unit in ready if self._untold[unit] is not None]
            if not ready:
                return
            for unit in ready:
                self._tell(unit, self._untold.pop(unit))
                if self._stopped:
                    return
                if ordered:
                    self._ask(window)
                    self._submit()

    def _tell(self, unit: Unit, outcome: Any) -> None:
        result = _as_result(outcome)
        if self.checkpoint is not None:
            self.checkpoint.put(unit.run.configuration.key, unit.split, result)
        self.busy_seconds += float(np.nan_to_num(result.spent_seconds))
        run = unit.run
        run.elapsed = self.budget.elapsed()
        n_observed = len(self.strategy.belief.journal)
        self.strategy.tell(unit, result)
        self._record(unit, result, n_observed)
        if self.tasks.ended(unit):
            self._stop = True
        _log_fold(unit, result)
        if run.over:
            # What fails on more rows can still be a member, by an earlier look.
            if run not in self.strategy.members()[1]:
                self._drop_models(run)
            logger.info("%s: %s", run.name, run.dropped or result.error)
        elif not run.under_way and not run.missing(self.problem.folds.stages[-1]):
            score = run.score(self.problem.folds.stages[-1])
            logger.info("%s: %.4g, %.2f s a fold", run.name, score, run.seconds)
            self._keep_the_best_models()

    def _record(self, unit: Unit, result: FoldResult, n_observed: int) -> None:
        """Note what was told, unless it was never begun."""
        now = unit.run.elapsed
        if unit in self._from_checkpoint:
            worker, start, end = FROM_CHECKPOINT, now, now
        elif (span := self.workers.span(unit)) is None:
            return
        else:
            worker, start, end = span[0], *map(self.budget.at, span[1:])
            end = now if np.isnan(end) else end  # it was still running
        last = self.problem.folds.stages[-1]
        if unit.split in last and unit.run.has(last):
            self._best_score = np.fmax(self._best_score, unit.run.score(last))
        seen = tuple(self.strategy.belief.journal[n_observed:])
        rest = replace(result, prediction=None, model=None)
        self._told.append(
            Told(unit.run, unit.split, worker, start, end, rest, self._best_score, seen)
        )

    def _make_rules(self, time_predict: bool) -> Rules:
        metric, keep = self.problem.metric, None
        stored = {} if metric.exact else {STORED: metric.stored_scorer}
        if self.budget.limited or self.tasks.wants_models:
            # Should there be no time for a refit, the fold models are at hand.
            keep = "" if self.task.folder is None else str(self.task.folder)
            if self.workers.processes and not keep:
                keep = None
        return Rules(
            {SCORE: metric.scorer},
            {**{OTHER + name: one for name, one in metric.others.items()}, **stored},
            self.problem.target.form,
            keep,
            _KEPT_SHARE * self.budget.free_memory / len(self.problem.splits),
            time_predict,
        )

    def _call(self, unit: Unit) -> tuple:
        """Arguments of :func:`evaluate_unit`."""
        return (
            self.task.reference,
            self._rules,
            unit.run.configuration,
            self.problem.random_state,
            unit.split,
            f"model-{unit.run.number}",
            self._worth_keeping(unit.split),
        )

    def _worth_keeping(self, split: int) -> float:
        """Score on a split that the model of a fold needs to be kept."""
        if not self.budget.limited:
            return -np.inf  # the callbacks want them
        scores = [
            run.results[split].scores.get(SCORE, np.nan)
            for run in self.strategy.runs
            if split in run.results
        ]
        known = sorted(score for score in scores if np.isfinite(score))
        return -np.inf if len(known) < self._n_kept else known[-self._n_kept]

    def _drop_models(self, run: Run) -> None:
        for split, result in run.results.items():
            if result.model is not None:
                run.results[split] = drop_model(result)

    def _keep_the_best_models(self) -> None:
        for run in self.strategy.ranked()[self._n_kept :]:
            self._drop_models(run)

    def _result(self, why: str) -> SearchResult:
        folds, strategy = self.problem.folds, self.strategy
        n_repeats, members = strategy.members()
        stages = [run.latest(folds) for run in members]
        pool = [run.passed(folds, stage, n_repeats)
                for run, stage in zip(members, stages, strict=True)]  # fmt: skip
        splits: list[int] = []
        if stages:
            # If there are several, they are all scored on the rows of the last.
            splits = list(folds.stages[stages[0]])
            for repeat in folds.repeats[:n_repeats]:
                splits += repeat
        n_train = tuple(folds.n_train(stage) for stage in stages)
        trials = tuple(
            Trial(
                run.evaluation(folds), run.configuration, run.expected_h,
                run.expected_seconds, run.elapsed,
            )
            for run in strategy.runs
        )  # fmt: skip
        rows = [folds.splits[i][1] for i in splits]
        told = tuple(self._told)
        return SearchResult(trials, tuple(pool), rows, n_train, why, len(pool), told)


def _log_fold(unit: Unit, result: FoldResult) -> None:
    score = result.scores.get(SCORE, np.nan)
    told = f"{score:.4g}, {result.fit_seconds + result.predict_seconds:.2f} s"
    if result.status != OK:
        told = f"{result.status}, {result.error}"
    logger.debug("%s, split %d: %s", unit.run.name, unit.split, told)


def _given_up(unit: Unit, seconds: float) -> FoldResult:
    expected = unit.run.expected_seconds
    why = f"there is no time for its other folds; {expected:.2g} s were expected"
    if unit.run.timed_out:
        why = "so was another of its folds"
    told = f"given up after {seconds:.0f} s: {why}"
    return FoldResult(TIMEOUT, error=told, spent_seconds=seconds)


def _as_result(outcome) -> FoldResult:
    """What became of a call, as the result of a fold."""
    if isinstance(outcome, Late):
        return FoldResult(TIMEOUT, error="stopped at the deadline")
    if isinstance(outcome, Died):
        return FoldResult(DIED, error="the worker process was killed")
    if isinstance(outcome, Raised):
        return FoldResult(FAILED, error=reason(outcome.error))
    return outcome
