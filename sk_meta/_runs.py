"""A configuration on its way through the splits."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ._catalogue import Configuration
from ._evaluation import (
    DROPPED,
    OK,
    SCORE,
    STORED,
    TIMEOUT,
    Evaluation,
    FoldResult,
)
from ._folds import Folds
from ._history import to_h
from ._problem import Problem
from ._scoring import as_loss


@dataclass(eq=False)
class Run:
    """What has been found of one configuration, and what is under way.

    Parameters
    ----------
    configuration : Configuration
    index : int or None
        Position in the belief; None if it is not from the catalogue.
    number : int
        How many were started before it.
    expected_h, expected_seconds : float
        Relative log loss and seconds of a fold that were believed at the start.
    """

    configuration: Configuration
    index: int | None
    number: int
    expected_h: float
    expected_seconds: float
    results: dict[int, FoldResult] = field(default_factory=dict)
    under_way: set[int] = field(default_factory=set)
    stage: int = 0
    waiting: bool = False  # a look is over, and the next stage is not begun
    dropped: str | None = None
    picked_up: bool = False  # it was dropped, and is to run all its folds after all
    repeatable: bool = True
    n_judged: int = 1  # folds
    elapsed: float = np.nan

    @property
    def name(self) -> str:
        """Name of the configuration."""
        return self.configuration.name

    @property
    def failed(self) -> bool:
        """Whether a fold has not ended well."""
        return any(result.status != OK for result in self.results.values())

    @property
    def timed_out(self) -> bool:
        """Whether a fold was ended."""
        return any(result.status == TIMEOUT for result in self.results.values())

    @property
    def over(self) -> bool:
        """Whether nothing of it is run any more, repeats apart."""
        return self.failed or (self.dropped is not None and not self.picked_up)

    def missing(self, splits: tuple[int, ...]) -> list[int]:
        """Splits that are neither run nor under way."""
        return [i for i in splits if i not in self.results and i not in self.under_way]

    def has(self, splits: tuple[int, ...]) -> bool:
        """Whether these splits are run, and ended well."""
        return all(i in self.results and self.results[i].status == OK for i in splits)

    def h(self, problem: Problem, splits) -> np.ndarray:
        """Relative log loss on each of the splits."""
        return to_h(self.losses(problem, splits), problem.dummy_loss)

    def losses(self, problem: Problem, splits) -> np.ndarray:
        """Loss on each of the splits, in the stored metric."""
        metric = problem.metric
        name = SCORE if metric.exact else STORED
        scores = [self.results[i].scores.get(name, np.nan) for i in splits]
        return as_loss(np.array(scores), metric.stored)

    def score(self, splits) -> float:
        """Mean score on some splits, in the user's metric."""
        return float(np.mean([self.results[i].scores[SCORE] for i in splits]))

    @property
    def seconds(self) -> float:
        """Mean seconds of its latest folds, as many as it is judged by."""
        known = [r.fit_seconds + r.predict_seconds for r in self.results.values()]
        known = known[-self.n_judged :]
        return float(np.mean(known)) if known else self.expected_seconds

    def taken_by(self, result: FoldResult) -> float:
        """Seconds that a fold of it has taken; what dies tells no time."""
        fold = result.fit_seconds + result.predict_seconds
        known = [s for s in (result.spent_seconds, fold) if np.isfinite(s)]
        return [*known, self.expected_seconds][0]

    def has_models(self, splits: tuple[int, ...]) -> bool:
        """Whether the models of all these folds, which are run, are at hand."""
        return all(self.results[i].model is not None for i in splits)

    def latest(self, folds: Folds) -> int:
        """The latest stage that it has passed; -1 if none."""
        passed = [s for s, splits in enumerate(folds.stages) if self.has(splits)]
        return passed[-1] if passed else -1

    def passed(self, folds: Folds, stage: int, n_repeats: int) -> Evaluation:
        """The folds of a stage, and of the first repetitions, all of which ended well.

        Parameters
        ----------
        folds : Folds
        stage, n_repeats : int
        """
        wanted = [*folds.stages[stage], *sum(folds.repeats[:n_repeats], ())]
        return Evaluation(self.name, tuple(self.results[i] for i in wanted))

    def evaluation(self, folds: Folds) -> Evaluation:
        """The folds it is judged by, or the first look if it came no further.

        Parameters
        ----------
        folds : Folds
        """
        stage = len(folds.stages) - 1
        started = [s for s, splits in enumerate(folds.stages)
                   if any(i in self.results for i in splits)]  # fmt: skip
        if started and self.latest(folds) != stage and not self.dropped:
            stage = started[-1]
        rest = FoldResult(DROPPED, error=self.dropped)
        if self.dropped is None:
            rest = FoldResult(TIMEOUT, error="the search ended before its last fold")
        found = [self.results.get(i, rest) for i in folds.stages[stage]]
        return Evaluation(self.name, tuple(found))
