"""The steps of ``fit`` after the problem is described.

Each function takes the outcome of the step before it; :mod:`._base` calls them
in order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ._belief import Belief
from ._budget import Budget
from ._catalogue import Configuration, catalogue, choose
from ._kinds import TEXT
from ._log import logger
from ._memory import memory_needed
from ._metafeatures import MetaFeatures, compute_meta_features
from ._pretrained import trained
from ._problem import Problem
from ._recommendation import recommendation
from ._relatives import Relatives
from ._report import ranking_frame
from ._search import SearchResult
from ._selection import Goal, Selection, select
from ._table import main_output

_USABLE = 0.9  # of the budget, for the search
_PROMISING = 20  # configurations by whose predicted seconds the folds are chosen
# In which a character is made n-grams, and these a few numbers: what is learned of the
# prior tasks, few of which have texts and none many rows, says little about that.
_SECONDS_PER_CHARACTER = 3e-6
_SOME_TEXTS = 200  # rows whose lengths are looked at


@dataclass(frozen=True)
class Prior:
    """What is believed before the first fit.

    Parameters
    ----------
    belief : Belief
        Over the whole catalogue.
    configurations : dict of str to Configuration
        The applicable ones.
    excluded : dict of str to str
        Reason for every one that is not.
    meta_features : MetaFeatures
    embedding : ndarray of shape (n_dimensions,)
        Representation of the task by the meta-model.
    seconds_on : callable
        ``seconds_on(n_rows)`` is the seconds of every configuration on fewer rows,
        relative to those on all.
    families : frozenset of str
        Families that were asked for as a whole, of which there may be more than the
        catalogue has.
    neighbors : DataFrame
        Prior tasks, the nearest first.
    own : frozenset of str
        Configurations that no prior task knows.
    """

    belief: Belief
    configurations: dict[str, Configuration]
    excluded: dict[str, str]
    meta_features: MetaFeatures
    embedding: np.ndarray
    seconds_on: Callable[[int], np.ndarray]
    families: frozenset[str]
    neighbors: pd.DataFrame
    own: frozenset[str]

    def without(self, names: set[str]) -> Prior:
        """A copy, of which some configurations are no part."""
        rest = {k: v for k, v in self.configurations.items() if k not in names}
        return replace(self, belief=self.belief.copy(), configurations=rest)


def believe(
    problem: Problem, knowledge, candidates, meta_model: str, memory: float = np.inf
) -> Prior:
    """Meta-features → prior over the applicable configurations.

    One that is expected to need more than ``memory`` bytes is not applicable.
    """
    target = problem.target
    y, described = main_output(problem.y, target)
    # Landmarkers' folds as on the prior tasks, whatever the seed of the search is.
    meta_features = compute_meta_features(
        problem.X, y, table=problem.table, target=described
    )
    chosen = choose(candidates, target.task)
    names = tuple(configuration.name for configuration in catalogue(target.task))
    model = trained(knowledge, target.task, meta_model, names)
    configurations, excluded = {}, {}
    for configuration in chosen:
        reason = configuration.why_not(problem.table, target, problem.weighted)
        reason = reason or _why_too_large(configuration, problem, memory)
        if reason is None:
            configurations[configuration.name] = configuration
        else:
            excluded[configuration.name] = reason
    known = meta_features.to_dict()
    belief = model.belief(known, problem.metric.stored)
    relatives = Relatives(
        [c for c in chosen if c.name not in names], catalogue(target.task)
    )
    belief = relatives.belief(belief)
    if belief.novelty > 1:
        logger.info(
            "unlike any prior task (novelty %.1f): the ranking leans on what works "
            "on most tasks",
            belief.novelty,
        )
    embedding = model.embed(known)
    return Prior(
        belief, configurations, excluded, meta_features, embedding,
        lambda n_rows: relatives.values(model.seconds_on(known, n_rows)),
        _whole_families(candidates, chosen), model.neighbors(known),
        frozenset(relatives.names),
    )  # fmt: skip


def _whole_families(candidates, chosen: list[Configuration]) -> frozenset[str]:
    """Families that were not narrowed down to some of their configurations."""
    families = {configuration.family for configuration in chosen}
    if callable(candidates):
        return frozenset()
    if candidates is not None:
        named = [candidates] if isinstance(candidates, str) else list(candidates)
        families &= {name for name in named if isinstance(name, str)}
    return frozenset(families)


def _why_too_large(configuration, problem: Problem, memory: float) -> str | None:
    needed = memory_needed(configuration, problem.table)
    if needed <= memory or configuration.family == "dummy":
        return None
    return (
        f"would take about {needed / 2**20:,.0f} MiB of memory, and a worker may take "
        f"{memory / 2**20:,.0f}"
    )


def plan(
    problem: Problem, prior: Prior, budget: Budget, n_workers: int,
    ensemble_size: int = 1,
) -> Problem:  # fmt: skip
    """Fewer folds if the time is short, and what they cost relative to all rows.

    Where time alone is limited, and several searches can be averaged, folds for further
    ones are added.
    """
    if budget.limited and prior.configurations:
        # Of the whole budget, not of what is left: the same folds every time.
        left = budget.share(_USABLE) * n_workers
        seconds = _typical_seconds(prior) + _seconds_of_texts(problem)
        problem = problem.fit_into(seconds, left)
    timed = budget.limited and np.isinf(budget.candidates_left())
    if timed and ensemble_size > 1:
        problem = problem.with_restarts()
    folds, n_rows = problem.folds, len(problem.y)
    of_all = n_rows / folds.n_train(-1)
    parts = [
        prior.seconds_on(min(n_rows, round(folds.n_train(stage) * of_all)))
        for stage in range(len(folds.stages))
    ]
    return replace(problem, relative_seconds=tuple(parts))


def _typical_seconds(prior: Prior) -> float:
    """Expected for a fold of those that will be run: the promising ones."""
    usable = np.array([name in prior.configurations for name in prior.belief.names])
    expected = np.where(usable, prior.belief.mean(), np.inf)
    promising = np.argsort(expected, kind="stable")[: min(_PROMISING, usable.sum())]
    return float(np.median(prior.belief.seconds()[promising]))


def _seconds_of_texts(problem: Problem) -> float:
    """Expected for the texts of a fold, on top of what any table takes."""
    texts = [i for i, c in enumerate(problem.table.columns) if c.kind == TEXT]
    if not texts:
        return 0.0
    rows = np.linspace(0, len(problem.y) - 1, _SOME_TEXTS).astype(int)
    some = problem.X.iloc[rows]
    length = sum(some.iloc[:, i].astype(str).str.len().mean() for i in texts)
    return _SECONDS_PER_CHARACTER * length * problem.folds.n_train(-1)


def packages(prior: Prior) -> list[str]:
    """Optional packages that the applicable configurations need."""
    needed = {one.requires for one in prior.configurations.values()}
    return sorted(package for package in needed if package is not None)


def rank(problem: Problem, prior: Prior) -> pd.DataFrame:
    """What is believed of every configuration, the most promising first."""
    return ranking_frame(
        prior.belief,
        prior.configurations,
        prior.excluded,
        problem.metric,
        problem.dummy_loss,
    )


def recommend(problem: Problem, prior: Prior) -> pd.DataFrame:
    """The ranking, with the chance of being the best and a reason in words."""
    ranking = rank(problem, prior)
    return recommendation(ranking, prior.belief, prior.neighbors, set(prior.own))


def combine(
    problem: Problem, result: SearchResult, size: int, max_predict_time: float = np.inf,
    usable: set[str] | None = None,
) -> Selection | None:  # fmt: skip
    """Complete evaluations → weights of the ensemble, or None if there are none.

    Only those of ``usable`` names are members, if there are any.
    """
    if not result.pool:
        return None
    goal = Goal(
        problem.score,
        problem.metric.stored if problem.metric.exact else "",
        problem.y,
        problem.target.form,
        size,
        max_predict_time,
        problem.weights,
        problem.groups,
    )
    n_folds = min(len(result.rows), len(problem.splits))
    everything = list(range(len(result.pool)))
    places = [i for i in everything if usable is None or result.pool[i].name in usable]
    places = places or everything
    some = [result.pool[i] for i in places]
    selection = select(some, result.rows, goal, n_folds)
    return selection.placed(places, len(everything))
