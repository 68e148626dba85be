"""What results mean: they condition the belief, and end what is hopeless."""

from __future__ import annotations

import numpy as np

from ._belief import Belief
from ._history import h_per_loss
from ._problem import Problem
from ._racing import compare, margin, typical_variance
from ._runs import Run
from ._standings import Standings

UNRACED = 3  # configurations that run all their folds, to learn how folds differ
# Folds are shared, so most of their noise is common to all configurations.
_UNPAIRED = 0.25
# By how much h is worse at a first look than at last, and how sure that is.
_LOOK_GAP, _LOOK_SD = 0.1, 0.15
# How well the seconds of all rows are known from those of a look, as a share of the
# logarithm of what is between the two.
_GROWTH_SD = 0.2


class Conditioning(Standings):
    """Runs on one table, and what is believed of all configurations by them.

    Parameters
    ----------
    problem : Problem
    belief : Belief
        Prior over the configurations; it is conditioned on every result.
    ensemble_size : int
        Most configurations that will be wanted in the end.
    """

    def __init__(self, problem: Problem, belief: Belief, ensemble_size: int):
        super().__init__(problem, ensemble_size)
        self.belief = belief
        self._variance: float | None = None
        self._look_gaps: list[list[float]] = [[] for _ in self._folds.stages]
        self._n_folds = len(self._folds.stages[-1])

    def _relative_seconds(self, stage: int) -> np.ndarray:
        """Seconds at a stage, relative to those of a fold of all rows."""
        return self.problem.relative_seconds[stage]

    def _note_seconds(self, run: Run, split: int) -> None:
        """Condition the clock on the first fold of every stage."""
        splits = self._folds.stages[run.stage]
        if run.index is None or [i for i in splits if i in run.results] != [split]:
            return
        result, part = run.results[split], self._relative_seconds(run.stage)[run.index]
        # Few rows are fitted on in a look, but not so few are predicted.
        seconds = result.fit_seconds / part + result.predict_seconds
        noise = (_GROWTH_SD * np.log(part)) ** 2
        self.belief.observe_seconds(run.index, seconds, noise)

    def _note_look(self, run: Run) -> None:
        """Condition the belief on a first look, less what a look is worse by."""
        h = self._h_of(run, self._folds.stages[run.stage])
        if run.index is None or not np.isfinite(h):
            return
        gaps = np.array([_LOOK_GAP, *self._look_gaps[run.stage]])
        spread = ((gaps - gaps.mean()) ** 2).sum() + _LOOK_SD**2
        self.belief.observe(
            run.index, h - gaps.mean(), spread / len(gaps), provisional=True
        )

    def _note_score(self, run: Run) -> None:
        """Condition the belief on all the folds, relative to those of the others."""
        complete, best = self.complete(), self._best() or run
        splits = self._folds.stages[-1]
        others = [
            r.h(self.problem, splits) for r in complete
            if r is not best and not r.picked_up and self._is_known(r, best)
        ]  # fmt: skip
        self._variance = typical_variance(others, best.h(self.problem, splits))
        h = self._mean_h(run)
        # What was picked up told the belief when it was dropped.
        told = run.picked_up and run is not best
        if run.index is None or told or not np.isfinite(h):
            return
        loss = run.losses(self.problem, splits)
        slope = h_per_loss(loss.mean(), self.problem.dummy_loss)
        noise = _UNPAIRED * slope**2 * loss.var() / len(loss)
        self.belief.observe(run.index, h, noise)
        for stage in range(self._last):
            if run.has(self._folds.stages[stage]):
                look = self._h_of(run, self._folds.stages[stage])
                self._look_gaps[stage] += [look - h] if np.isfinite(look) else []

    def _race(self, run: Run) -> None:
        """Drop a run whose folds so far say that it is hopeless."""
        best = self._best()
        if best is None or run.number < UNRACED or self._variance is None:
            return
        if run.picked_up or not self._is_known(run, best):
            return
        done = self._done(run)
        gap = compare(
            run.h(self.problem, done), best.h(self.problem, done),
            self._n_folds, self._variance,
        )  # fmt: skip
        if not gap.is_hopeless(margin([self._mean_h(one) for one in self.complete()])):
            return
        worse = 100 * np.expm1(gap.mean)
        run.dropped = (
            f"after {len(done)} of {self._n_folds} folds its loss was "
            f"{worse:{'.0f' if worse >= 10 else '.2g'}} % above the best"
        )
        if run.index is not None:
            h = self._mean_h(best) + gap.mean
            self.belief.observe(run.index, h, gap.variance)

    def _estimate(self, run: Run) -> float:
        """Expected h of a run that is under way."""
        best, done = self._best(), self._done(run)
        if best is None or not done or not self._is_known(run, best):
            return float(self.belief.mean()[run.index])
        gap = run.h(self.problem, done) - best.h(self.problem, done)
        return self._mean_h(best) + float(gap.mean())

    def _with_pending(self) -> Belief:
        """The belief, with what is under way taken to end as it looks now."""
        pending = [run for run in self.runs
                   if run.index is not None and not run.over and not run.waiting
                   and not run.has(self._folds.stages[-1])]  # fmt: skip
        if not pending:
            return self.belief
        belief = self.belief.copy()
        for run in pending:
            assert run.index is not None  # only the catalogue has a belief
            belief.observe(run.index, self._estimate(run))
        return belief
