"""The search once more, on other folds, while there is time for it.

What is the best of many on some folds is so in part by chance, and a longer search on
the same folds has not led to better models (``benchmarks/README.md``). Searches on
other folds err in other ways, so the final predictor is the mean of what they have
chosen, as in bagging (Breiman 1996).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ._belief import Belief
from ._evaluation import SCORE, TIMEOUT, Evaluation
from ._greedy import heaviest
from ._log import logger, warn_user
from ._problem import Problem
from ._search import (
    INTERRUPTED,
    STOPPED_BY_CALLBACK,
    Search,
    SearchResult,
    Trial,
)
from ._selection import Selection
from ._strategy import MIN_TRIALS

# Searches that have been stopped from outside.
_ENDED = frozenset({INTERRUPTED, STOPPED_BY_CALLBACK})


class Searches:
    """A search, and others on other folds while there is time for them.

    Parameters
    ----------
    begin : callable
        ``begin(problem, hung)`` is a new :class:`Search` that knows nothing of earlier
        ones, but for the names of the configurations that hung.
    choose : callable
        ``choose(problem, result, usable)`` is the :class:`Selection` of a search, or
        None; the names of those that may be members are given, or None for all.
    size : int
        Most members of the ensemble.
    max_predict_time : float, default=inf
        Seconds per 1,000 rows that the members may take together.
    """

    def __init__(
        self,
        begin: Callable[[Problem, set[str]], Search],
        choose: Callable[[Problem, SearchResult, set[str] | None], Selection | None],
        size: int,
        max_predict_time: float = np.inf,
    ):
        self._begin, self._choose = begin, choose
        self._size, self._max_predict_time = size, max_predict_time
        self._found: list[tuple[Search, SearchResult]] = []
        self._selections: list[Selection | None] = []

    @property
    def busy_seconds(self) -> float:
        """Seconds that workers have spent on folds."""
        return sum(search.busy_seconds for search, _ in self._found)

    @property
    def belief(self) -> Belief:
        """What the first search has come to believe."""
        return self._found[0][0].strategy.belief

    def run(self, problem: Problem) -> SearchResult:
        """Search, and search again.

        Parameters
        ----------
        problem : Problem
            Its folds tell how the rows are divided for further searches.

        Returns
        -------
        SearchResult
            See :func:`joined`.
        """
        self._search(problem)
        try:
            for number in range(1, len(problem.folds.restarts) + 1):
                search, result = self._found[-1]
                if result.stop_reason in _ENDED or not result.pool:
                    break
                if not search.strategy.has_time_for_another():
                    break
                logger.info("%s: searching again, on other folds", result.stop_reason)
                self._choose_one()
                self._drop_models()
                self._search(replace(problem, folds=problem.folds.again(number)))
        except KeyboardInterrupt:
            search, result = self._found[-1]
            self._found[-1] = search, replace(result, stop_reason=INTERRUPTED)
            warn_user("The search was interrupted; what it has found is used.")
        return joined([result for _, result in self._found])

    def choose(self, usable: set[str] | None = None) -> Selection | None:
        """The ensemble of all searches, of which the last was not chosen from yet.

        From that only those of ``usable`` names are members, if there are any.
        """
        if len(self._selections) < len(self._found):
            self._choose_one(usable)
        return mean_selection(
            [result for _, result in self._found], self._selections, self._size,
            self._max_predict_time,
        )  # fmt: skip

    def _search(self, problem: Problem) -> None:
        tried = [trial.evaluation for _, one in self._found for trial in one.trials]
        hung = {one.name for one in tried if one.status == TIMEOUT}
        search = self._begin(problem, hung)
        if self._found:
            search.dispensable = True
            search.strategy.keep_back_as(self._found[-1][0].strategy)
        self._found.append((search, search.run()))

    def _choose_one(self, usable: set[str] | None = None) -> None:
        search, result = self._found[-1]
        if len(self._found) > 1:
            # One that had no time to find its way is no match for the first.
            n_first = len(self._found[0][0].strategy.complete())
            enough = len(search.strategy.complete()) >= min(MIN_TRIALS, n_first)
            if result.stop_reason in _ENDED or not enough:
                self._selections.append(None)
                return
        self._selections.append(self._choose(search.problem, result, usable))

    def _drop_models(self) -> None:
        """Of the folds of what was not chosen, nor is the best: there may be many."""
        (search, result), chosen = self._found[-1], self._selections[-1]
        if chosen is None:
            return
        members = {result.pool[i].name for i in np.flatnonzero(chosen.weights)}
        best = max(result.pool, key=lambda one: one.mean(SCORE))
        self._found[-1] = search, search.keep_models_of({*members, best.name})


def joined(results: list[SearchResult]) -> SearchResult:
    """What several searches have found, as if it were one.

    Parameters
    ----------
    results : list of SearchResult

    Returns
    -------
    SearchResult
        A configuration is told of by the first search in which it may be a member, or
        else by the first that has tried it. The rows are those of the first search,
        and so are the first of the pool, which alone are compared.
    """
    if len(results) == 1:
        return results[0]
    trials: dict[str, Trial] = {}
    pool: dict[str, Evaluation] = {}
    n_train: list[int] = []
    for result in results:
        new = {one.name for one in result.pool} - set(pool)
        for trial in result.trials:
            name = trial.configuration.name
            if name in new or name not in trials:
                trials[name] = trial
        for one, n_rows in zip(result.pool, result.n_train, strict=True):
            if one.name in new:
                pool[one.name] = one
                n_train.append(n_rows)
    first = results[0]
    best = first.told[-1].best_score if first.told else np.nan
    told = list(first.told)
    for result in results[1:]:
        # What is best on other folds is not better, and the belief began anew.
        told += [replace(t, best_score=best, observations=()) for t in result.told]
    return SearchResult(
        tuple(trials.values()), tuple(pool.values()), first.rows, tuple(n_train),
        results[-1].stop_reason, len(first.pool), tuple(told),
    )  # fmt: skip


def mean_selection(
    results: list[SearchResult],
    selections: list[Selection | None],
    size: int,
    max_predict_time: float = np.inf,
) -> Selection | None:
    """The mean of the ensembles that several searches have chosen.

    Parameters
    ----------
    results : list of SearchResult
    selections : list of Selection or None
        Of each, in the order of its own pool.
    size : int
        Most members; the heaviest are kept.
    max_predict_time : float, default=inf
        Seconds per 1,000 rows that the members may take together.

    Returns
    -------
    Selection or None
        In the order of the pool of all; None if there is none.
    """
    pairs = [(result, one) for result, one in zip(results, selections, strict=True)
             if one is not None]  # fmt: skip
    if len(results) == 1 or not pairs:
        return selections[0]
    everything = joined(results)
    place = {one.name: i for i, one in enumerate(everything.pool)}
    if len(pairs) == 1:
        result, one = pairs[0]
        return one.placed([place[member.name] for member in result.pool], len(place))
    chosen = [one for _, one in pairs]
    own = any(one.temperatures is not None for one in chosen)
    weights, heats = np.zeros((2, len(place)))
    for result, one in pairs:
        here = [place[member.name] for member in result.pool]
        weights[here] += one.weights / len(pairs)
        heat = 1.0 if one.temperatures is None else one.temperatures
        # If members have temperatures, so has each that of its blend.
        heats[here] += one.weights / len(pairs) * np.log(heat * one.temperature)
    costs = np.array([one.predict_time(everything.rows) for one in everything.pool])
    kept = heaviest(weights, size, costs, max_predict_time)
    if not len(kept):  # all are too slow
        kept = np.array([np.where(weights > 0, costs, np.inf).argmin()])
    few = np.zeros_like(weights)
    few[kept] = weights[kept] / weights[kept].sum()
    return replace(
        chosen[0],
        weights=few,
        score=float(np.mean([one.score for one in chosen])),
        single=len(kept) == 1,
        temperature=1.0 if own else float(np.exp(heats.sum())),
        temperatures=np.exp(heats / np.where(weights > 0, weights, 1)) if own else None,
    )
