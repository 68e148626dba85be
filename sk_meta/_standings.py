"""What was found so far: which runs are complete, and which are the best."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ._history import to_h
from ._problem import Problem
from ._runs import Run

CONTENDERS = 8  # what repeated folds tell apart
MEMBER_MARGIN = 0.1  # in h: what is worse by more hardly has much weight in an ensemble
# By how much in h what is of another family may be worse, to be of use in an ensemble.
DIFFERENT_MARGIN = 0.3


class Standings:
    """Runs on one table, compared.

    Parameters
    ----------
    problem : Problem
    ensemble_size : int
        Most configurations that will be wanted in the end.
    """

    def __init__(self, problem: Problem, ensemble_size: int):
        self.problem = problem
        self.ensemble_size = ensemble_size
        self.runs: list[Run] = []
        self._folds = problem.folds
        self._last = len(self._folds.stages) - 1

    def complete(self) -> list[Run]:
        """Runs that have passed all folds, in the order of their proposal."""
        return [run for run in self.runs if run.has(self._folds.stages[-1])]

    def ranked(self) -> list[Run]:
        """Complete runs, the best by the user's metric first."""
        splits = self._folds.stages[-1]
        return sorted(self.complete(), key=lambda run: -run.score(splits))

    def likely_members(self, usable: Callable[[Run], bool]) -> list[Run]:
        """Complete runs that the ensemble may need, the best first.

        Of the usable ones: what is worse than another that can't be used is needed all
        the same.
        """
        ranked = [run for run in self.ranked() if usable(run)]
        if not ranked:
            return []
        worst = min(map(self._mean_h, ranked)) + MEMBER_MARGIN
        return [run for run in ranked if self._mean_h(run) <= worst]

    def members(self) -> tuple[int, list[Run]]:
        """Number of repeats, and the runs that have all the same folds.

        If none has come to the last stage, those that have come furthest. With a
        single split all stages have the same test rows, and all runs count.
        """
        folds = self._folds
        if len(folds.stages[-1]) == 1:
            return 0, [run for run in self.runs if run.latest(folds) >= 0]
        for stage in range(self._last, -1, -1):
            found = [run for run in self.runs if run.latest(folds) == stage]
            if found:
                break
        for n_repeats in range(len(folds.repeats), 0, -1):
            wanted = sum(folds.repeats[:n_repeats], ())
            repeated = [run for run in found if run.has(wanted)]
            n_wanted = sum(run.repeatable for run in found)
            if len(repeated) >= min(CONTENDERS, n_wanted) > 0:
                return n_repeats, repeated
        return 0, found

    def _contenders(self) -> list[Run]:
        """The best ones; if there may be an ensemble, half are the best of a family."""
        ranked = self.ranked()
        firsts: dict[str, Run] = {}
        worst = self._mean_h(ranked[0]) + DIFFERENT_MARGIN if ranked else 0.0
        for run in ranked:
            if self.ensemble_size > 1 and self._mean_h(run) <= worst:
                firsts.setdefault(run.configuration.family, run)
        order = dict.fromkeys([*ranked[: CONTENDERS // 2], *firsts.values(), *ranked])
        return [*order][:CONTENDERS]

    def _is_known(self, *runs: Run) -> bool:
        """Whether the stored metric is defined on all folds that these have run."""
        return all(
            np.isfinite(run.h(self.problem, self._done(run))).all() for run in runs
        )

    def _done(self, run: Run) -> list[int]:
        return [i for i in self._folds.stages[-1] if i in run.results]

    def _best(self) -> Run | None:
        """The complete run with the lowest loss."""
        complete = self.complete()
        return min(complete, key=self._mean_h) if complete else None

    def _mean_h(self, run: Run) -> float:
        return self._h_of(run, self._folds.stages[-1])

    def _h_of(self, run: Run, splits) -> float:
        loss = run.losses(self.problem, splits).mean()
        h = float(to_h(loss, self.problem.dummy_loss))
        return h if np.isfinite(h) else np.inf
