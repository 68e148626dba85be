"""Which configuration to run next, on which split, and when it is enough.

Nothing is run here. :meth:`Strategy.ask` names the next unit of work and
:meth:`Strategy.tell` takes its result; what runs between the two is the caller's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

import numpy as np

from ._belief import Belief
from ._budget import REFIT_GRACE, Budget
from ._catalogue import Configuration
from ._conditioning import UNRACED, Conditioning
from ._evaluation import FAILED, OK, FoldResult
from ._memory import memory_needed
from ._problem import Problem
from ._proposals import Observed, propose
from ._runs import Run
from ._standings import DIFFERENT_MARGIN

# Power of the predicted seconds that a utility is divided by. Where evaluations
# are counted and not timed, a cheap one counts as much as a dear one.
COST_POWER_TIMED, COST_POWER_COUNTED = 0.7, 0.0
TOLERANCE = 0.0005  # expected fall of the relative log loss that is worth a fit
MIN_TRIALS = 8
# So many of each family run all their folds, so that there are different ones to choose
# the ensemble from.
PER_FAMILY = 1
# Time that is kept back for refits: so much more than is expected; this share of the
# budget at most, or the second for those that no fold models can take the place of;
# for two, since for most other members there are fold models.
_REFIT_MARGIN, _REFIT_SHARE, _ONLY_REFIT_SHARE, _REFITS = 1.3, 0.2, 1 / 3, 2
_GRACE_SHARE, _MOST_GRACE = 0.05, 3.0
# Configurations in vain, of each of the steps that take turns when no gain is expected,
# after which the step is over; one that was dropped counts by the share of its folds.
PATIENCE = 40
# Of the seconds of this search, what must be left for one on other folds: most of what
# there is to find is found early.
_RESTART_SHARE = 1 / 3
# A fold that leaves no time for the others is given up, but not before this share of
# the budget, so many times what it was expected to take at most, and so many seconds,
# for what it imports.
_STUCK_SHARE, _STUCK_TIMES, _STUCK_SECONDS = 0.25, 3.0, 5.0
_QUICK_SECONDS, _QUICK_SHARE = 1.0, 0.1  # what may be run while workers start


@dataclass(frozen=True, eq=False)
class Unit:
    """One configuration on one split."""

    run: Run
    split: int


Step = Callable[[], Unit | None]


@dataclass
class _Spent:
    """In vain, since the last gain."""

    folds: int = 0
    seconds: float = 0.0

    def add(self, run: Run, result: FoldResult) -> None:
        # What fails is not run on the other folds.
        self.folds += 1 if result.status == OK else run.n_judged
        self.seconds += run.taken_by(result)


class Strategy(Conditioning):
    """What to run next, from all that is known so far.

    Parameters
    ----------
    problem : Problem
    belief : Belief
        Prior over the configurations; it is conditioned on every result.
    configurations : dict of str to Configuration
        The applicable ones.
    budget : Budget
    n_workers : int, default=1
    hard : bool, default=False
        Whether fits that run at the deadline can be ended.
    ensemble_size : int, default=1
        Most configurations that will be wanted in the end.
    families : frozenset of str, default=frozenset()
        Families of which new configurations may be made.
    memory : float, default=inf
        Bytes that a new configuration may be expected to need.
    """

    def __init__(
        self,
        problem: Problem,
        belief: Belief,
        configurations: dict[str, Configuration],
        budget: Budget,
        *,
        n_workers: int = 1,
        hard: bool = False,
        ensemble_size: int = 1,
        families: frozenset[str] = frozenset(),
        memory: float = np.inf,
    ):
        super().__init__(problem, belief, ensemble_size)
        self.configurations = configurations
        self.budget = budget
        self.n_workers = n_workers
        self.families = families
        self.memory = memory
        # Ending a fit costs its worker, and a new one takes longer than this.
        self.grace = 0.0
        if budget.limited and hard:
            self.grace = min(budget.share(_GRACE_SHARE), _MOST_GRACE)
        self._least_kept_back = self._kept_back = self.grace
        self.reason = "nothing was asked for"
        self.only_quick = False
        self._cost_power = COST_POWER_TIMED if budget.limited else COST_POWER_COUNTED
        self._by_index: dict[int, Run] = {}
        self._applicable = {
            index for index, name in enumerate(belief.names) if name in configurations
        }
        self._plain: dict[str, bool] = {}
        # What is done once no gain is expected, and the step that a run is due to.
        self._spent: dict[Step, _Spent] = {
            step: _Spent() for step in (self._pick_up, self._propose, self._go_through)
        }
        self._due_to: dict[Run, Step] = {}
        self._nothing_new_around = 0  # so many runs
        self._begun = budget.elapsed()
        # Of the workers, for what a gain was expected of and for what not.
        self._seconds_with, self._seconds_without = 0.0, 0.0

    def ask(self) -> Unit | None:
        """The next unit, or None if there is none before more is told.

        If nothing is under way either, the search is over, and ``reason`` says why.
        """
        if self.seconds_left() <= 0 and self.runs:
            self.reason = "time budget spent"
            return None
        found = self._go_on() or self._begin()
        if found is None and self.budget.limited:
            used_up = self._gain_is_used_up
            found = self._without_a_gain() if used_up else self._pick_up()
        if found is not None:
            found.run.under_way.add(found.split)
        return found

    def tell(self, unit: Unit, result: FoldResult) -> None:
        """Take the result of a unit."""
        self._take(unit, result)
        self._kept_back = self._to_keep_back()

    def _take(self, unit: Unit, result: FoldResult) -> None:
        run = unit.run
        run.under_way.discard(unit.split)
        if not run.has(self._folds.stages[-1]):
            if run in self._due_to:
                self._spent[self._due_to[run]].add(run, result)
                self._seconds_without += run.taken_by(result)
            else:
                self._seconds_with += run.taken_by(result)
        run.results[unit.split] = result
        if result.status != OK:
            if run.has(self._folds.stages[-1]):
                del run.results[unit.split]  # a repeat; it was judged before
                run.repeatable = False
            elif result.status == FAILED and run.stage < self._last:
                # It may be for want of rows.
                del run.results[unit.split]
                run.stage += 1
                run.waiting = True
            return
        self._note_seconds(run, unit.split)
        if run.over:
            return
        splits = self._folds.stages[run.stage]
        if unit.split not in splits:
            return
        if run.has(splits):
            self._end_stage(run)
        elif run.stage == self._last:
            self._race(run)

    def _end_stage(self, run: Run) -> None:
        if run.stage < self._last:
            self._note_look(run)
            run.stage += 1
            run.waiting = True
            return
        self._note_score(run)
        if run is self._best():
            # There is a new neighbourhood, and where it came from there may be more.
            for step in (self._propose, self._due_to.get(run, self._propose)):
                self._spent[step] = _Spent()

    def seconds_left(self) -> float:
        """Seconds in which a fit may be begun; infinite if there is no deadline.

        After them there are ``grace`` seconds for those that run, and time for the
        refits.
        """
        return self.budget.remaining(self._kept_back)

    def keep_back_as(self, earlier: Strategy) -> None:
        """Keep back the time for refits of what an earlier search has found, too."""
        self._least_kept_back = max(self._least_kept_back, earlier._kept_back)
        self._kept_back = max(self._kept_back, self._least_kept_back)

    def patience(self, unit: Unit, running: dict[Unit, float]) -> float:
        """Seconds for which a fold may go on, as its worker could do other things.

        Until it has taken much longer than expected, and there is no time for the other
        folds if they take as long; infinite if there is nothing else at all.
        ``running`` has the seconds for which it, and others, have run.
        """
        run, seconds = unit.run, running[unit]
        if run.timed_out:
            return 0.0  # it is of no use without the other
        at_most = run.seconds
        if run.index is not None:
            at_most = max(at_most, self.belief.seconds_at_most()[run.index])
        share = self.budget.share(_STUCK_SHARE)
        soonest = max(share, _STUCK_TIMES * at_most, _STUCK_SECONDS) - seconds
        if soonest > 0:
            return soonest
        begun = {*run.results, *(one.split for one in running if one.run is run)}
        waves = ceil(len({*self._folds.stages[-1]} - begun) / self.n_workers)
        if not waves or not (self.complete() or self._allowed()):
            return np.inf
        return (self.seconds_left() - waves * seconds) / (waves + 1)

    def has_time_for_another(self) -> bool:
        """Whether it is worth while to search once more, on other folds."""
        if not self._folds.restarts:
            return False
        so_far = self.budget.elapsed() - self._begun
        return self.seconds_left() >= _RESTART_SHARE * so_far

    def _to_keep_back(self) -> float:
        """Seconds for the grace and the refit of the best configurations."""
        if not self.budget.limited:
            return 0.0
        share = self.budget.share(_REFIT_SHARE)
        most = min(self.budget.share(_ONLY_REFIT_SHARE), self.budget.remaining())
        splits = self._folds.stages[-1]

        def seconds(run: Run) -> float:
            return run.seconds * self.problem.refit_factor

        # What takes longer than there may be time for is its fold models, or no member
        # where there are none.
        members = self.likely_members(
            lambda run: run.has_models(splits) or seconds(run) <= most + REFIT_GRACE
        )[: min(self.ensemble_size, _REFITS)]
        only = [seconds(run) for run in members if not run.has_models(splits)]
        others = [seconds(run) for run in members if run.has_models(splits)]
        others = [s for s in others if s <= share + REFIT_GRACE]
        needed = max(self._needed(only, most), self._needed([*only, *others], share))
        return max(needed + self.grace, self._least_kept_back)

    def _needed(self, seconds: list[float], most: float) -> float:
        """What refits that take so long may take in parallel, or the most if more."""
        together = sum(seconds) / self.n_workers
        return min(_REFIT_MARGIN * max(together, *seconds, 0.0), most)

    # What to do next.

    def _go_on(self) -> Unit | None:
        """The next fold of a configuration that is under evaluation."""
        for run in self.runs:
            if run.over or run.waiting:
                continue
            missing = run.missing(self._folds.stages[run.stage])
            if missing and (not run.under_way or self._unraced(run, len(missing))):
                return Unit(run, missing[0])
        return None

    def _unraced(self, run: Run, n_missing: int) -> bool:
        """Whether its folds need not wait for each other."""
        if run.stage < self._last or run.number < UNRACED or run.picked_up:
            return True
        return run.expected_seconds * n_missing > self.seconds_left() / 2

    def _begin(self) -> Unit | None:
        """The first fold of a new configuration, or of the next stage of one."""
        allowed = sorted(self._allowed())
        if not allowed:
            self.reason = self._why_none()
            return None
        if self._gain_is_used_up:
            self.reason = "no gain expected"
            return None
        return self._begin_one_of(allowed)

    def _begin_one_of(self, allowed: list[int]) -> Unit | None:
        index = self._most_useful(allowed)
        if index is None:
            return None
        seconds = self.belief.seconds()
        run = self._by_index.get(index)
        if run is None:
            run = self._start(
                self.configurations[self.belief.names[index]], index,
                float(self.belief.mean()[index]), float(seconds[index]),
            )  # fmt: skip
        run.waiting = False
        return Unit(run, self._folds.stages[run.stage][0])

    def _most_useful(self, allowed: list[int]) -> int | None:
        """The configuration to begin, or None if none may be while workers start."""
        belief, seconds = self._with_pending(), self.belief.seconds()
        allowed = list(allowed)
        while allowed:
            cost = np.array([seconds[i] * self._part_left(i) for i in allowed])
            index = belief.pick(allowed, self._cost_power, cost)
            if not self.only_quick or self._is_plain(index):
                return index
            allowed.remove(index)
        return None

    def _start(self, configuration, index, h: float, seconds: float) -> Run:
        run = Run(configuration, index, len(self.runs), h, seconds)
        run.n_judged = self._n_folds
        self.runs.append(run)
        self.budget.start(1)
        if index is not None:
            self._by_index[index] = run
        return run

    def _allowed(self) -> set[int]:
        """Configurations that may be begun, or go on, and end in time."""
        waiting = {i for i, run in self._by_index.items() if run.waiting}
        new: set[int] = set()
        if self.budget.candidates_left() > 0:
            new = self._applicable - set(self._by_index)
        if not self.budget.limited:
            return new | waiting
        left = self.seconds_left()
        if self.only_quick:
            left = min(left * _QUICK_SHARE, _QUICK_SECONDS)
        seconds, at_most = self.belief.seconds(), self.belief.seconds_at_most()
        in_time = {
            i for i in new | waiting
            if at_most[i] * self._waves(i, next_only=True) <= left
            and seconds[i] * self._waves(i) <= self.seconds_left()
        }  # fmt: skip
        if not in_time and not self.runs and not self.only_quick and new:
            return {min(new, key=lambda i: seconds[i])}
        return in_time

    def _is_plain(self, index: int) -> bool:
        """Whether it is all of scikit-learn, which may be trusted in this process."""
        name = self.belief.names[index]
        if name not in self._plain:
            configuration = self.configurations[name]
            self._plain[name] = configuration.requires is None and all(
                type(step).__module__.startswith("sklearn.")
                for _, step in configuration.build(self.problem.table).steps
            )
        return self._plain[name]

    def _waves(self, index: int, next_only: bool = False) -> float:
        """Seconds until it can be a member, relative to a fold of all rows."""
        stages = self._stages_left(index)
        if next_only or self._n_folds == 1:
            stages = stages[:1]  # with a single split looks can be members, too
        return sum(
            ceil(len(self._folds.stages[stage]) / self.n_workers)
            * self._relative_seconds(stage)[index]
            for stage in stages
        )

    def _stages_left(self, index: int) -> range:
        run = self._by_index.get(index)
        return range(0 if run is None else run.stage, self._last + 1)

    def _part_left(self, index: int) -> float:
        """Seconds until it is judged, relative to those of a fold of all rows."""
        return sum(
            len(self._folds.stages[stage]) * self._relative_seconds(stage)[index]
            for stage in self._stages_left(index)
        )

    def _why_none(self) -> str:
        if self.budget.candidates_left() <= 0:
            return "n_candidates reached"
        if len(self._by_index) == len(self.configurations):
            return "every configuration evaluated"
        return "nothing left that fits the time budget"

    @property
    def _gain_is_used_up(self) -> bool:
        """Whether no configuration of the catalogue is expected to be better."""
        if len(self.runs) < MIN_TRIALS or not self.belief.observed:
            waiting = any(run.waiting for run in self._by_index.values())
            return len(self._by_index) == len(self.configurations) and not waiting
        allowed = sorted(self._allowed())
        if not allowed:
            return True
        return bool(
            self.belief.expected_improvement()[allowed].max() < TOLERANCE
        )

    # When no gain is expected.

    def _without_a_gain(self) -> Unit | None:
        """What was dropped, what is new, what is left, and repeated folds.

        The first three take turns: first comes that on which less time was spent
        since its last gain, until all have been tried in vain for long.
        """
        if self._best() is None:
            return None
        enough = self._seconds_without > self._seconds_with
        elsewhere = enough and self.has_time_for_another()
        steps: list[Step] = [
            step for step in sorted(self._spent, key=lambda s: self._spent[s].seconds)
            if self._spent[step].folds < PATIENCE * self._n_folds
            and not elsewhere
        ]  # fmt: skip
        # On few rows noise decides, more than hyperparameters.
        steps.insert(0 if len(self._folds.repeats) > 1 else len(steps), self._repeat)
        for step in steps:
            if (unit := step()) is not None:
                if step in self._spent:
                    self._due_to[unit.run] = step
                return unit
        return None

    def _pick_up(self) -> Unit | None:
        """A fold that is left of a dropped run, if it is one of the best of its family.

        Races keep what is like the best, and an ensemble needs what is good in another
        way.
        """
        best, splits = self._best(), self._folds.stages[-1]
        if best is None or self.ensemble_size == 1:
            return None
        left = self.seconds_left() / ceil(self._n_folds / self.n_workers)
        number = Counter(
            run.configuration.family for run in self.runs
            if not run.failed and (run.picked_up or run.has(splits))
        )  # fmt: skip
        dropped = [
            run for run in self.runs
            if run.dropped and not run.picked_up and not run.failed
            and not run.under_way
            and run.missing(splits) and run.seconds <= left
            and number[run.configuration.family] < PER_FAMILY
            and self._is_known(run, best)
        ]  # fmt: skip
        behind = [self._estimate(run) - self._mean_h(best) for run in dropped]
        if min(behind, default=np.inf) > DIFFERENT_MARGIN:
            return None
        run = dropped[int(np.argmin(behind))]
        run.picked_up = True
        return Unit(run, run.missing(splits)[0])

    def _go_through(self) -> Unit | None:
        """The most useful of the catalogue; the belief in no gain may be wrong."""
        allowed = sorted(self._allowed())
        return self._begin_one_of(allowed) if allowed else None

    def _repeat(self) -> Unit | None:
        """One more fold of the next repetition, for one of the best."""
        contenders = [run for run in self._contenders() if run.repeatable]
        for splits in self._folds.repeats:
            for run in contenders:
                missing = run.missing(splits)
                if missing and run.seconds <= self.seconds_left():
                    return Unit(run, missing[0])
        return None

    def _propose(self) -> Unit | None:
        if self.budget.candidates_left() <= 0:
            return None
        observed = [
            Observed(run.configuration, self._mean_h(run), run.seconds)
            for run in self.complete()
            if run.configuration.family in self.families
        ]
        observed = [one for one in observed if np.isfinite(one.h)]
        if not observed or len(observed) == self._nothing_new_around:
            return None
        waves = ceil(self._n_folds / self.n_workers)
        found = propose(
            observed,
            [run.configuration for run in self.runs],
            self.problem.table,
            self.seconds_left() / waves,
            self.problem.random_state + len(self.runs),
            self._may_be_tried,
        )
        if found is None or found.gain < TOLERANCE:
            # To look again takes time; it is of use if there is another to look around.
            self._nothing_new_around = len(observed)
            return None
        run = self._start(found.configuration, None, found.h, found.seconds)
        run.stage = self._last
        return Unit(run, self._folds.stages[-1][0])

    def _may_be_tried(self, configuration: Configuration) -> bool:
        """Whether a new configuration is for this table, and was asked for."""
        table, weighted = self.problem.table, self.problem.weighted
        return (
            configuration.family in self.families
            and configuration.why_not(table, self.problem.target, weighted) is None
            and memory_needed(configuration, table) <= self.memory
        )
