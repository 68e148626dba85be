"""The steps of ``fit`` after the problem is described.

Each function takes the outcome of the step before it; :mod:`._base` calls them
in order.
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass
from threading import Thread

import numpy as np
from joblib import effective_n_jobs
from sklearn.pipeline import Pipeline

from ._belief import Belief
from ._budget import Budget
from ._catalogue import Configuration, catalogue, choose
from ._ensemble import Selection, WeightedEnsemble, select
from ._evaluation import SCORE, fit_all_rows
from ._metafeatures import MetaFeatures, compute_meta_features
from ._parallel import quiet, run_calls
from ._pretrained import trained
from ._problem import Problem
from ._search import SearchResult

logger = logging.getLogger("sk_meta")

N_SPARES = 3  # refits to try before giving up
# Seconds that a refit may run over the budget, in workers and at last without.
REFIT_GRACE, LAST_GRACE = 3.0, 1.5


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
    """

    belief: Belief
    configurations: dict[str, Configuration]
    excluded: dict[str, str]
    meta_features: MetaFeatures
    embedding: np.ndarray


def believe(problem: Problem, knowledge, candidates, meta_model: str) -> Prior:
    """Meta-features → prior over the applicable configurations."""
    target = problem.target
    meta_features = compute_meta_features(
        problem.X,
        problem.y,
        random_state=problem.random_state,
        table=problem.table,
        target=target,
    )
    chosen = choose(candidates, target.task)
    names = tuple(configuration.name for configuration in catalogue(target.task))
    model = trained(knowledge, target.task, meta_model, names)
    configurations, excluded = {}, {}
    for configuration in chosen:
        reason = configuration.why_not(problem.table, target)
        if reason is None:
            configurations[configuration.name] = configuration
        else:
            excluded[configuration.name] = reason
    known = meta_features.to_dict()
    belief = model.belief(known, problem.metric.stored)
    if belief.novelty > 1:
        logger.info(
            "unlike any prior task (novelty %.1f): the ranking leans on what works "
            "on most tasks",
            belief.novelty,
        )
    embedding = model.embed(known)
    return Prior(belief, configurations, excluded, meta_features, embedding)


def combine(problem: Problem, result: SearchResult, size: int) -> Selection | None:
    """Complete evaluations → weights of the ensemble, or None if there are none."""
    complete = result.complete()
    if not complete:
        return None
    with quiet():
        return select(
            complete,
            SCORE,
            problem.y,
            [test for _, test in problem.splits],
            problem.score,
            problem.target.classes,
            size=size,
            absolute="absolute" in problem.metric.stored,
        )


@dataclass(frozen=True)
class Fitted:
    """Pipelines fitted on all rows.

    Parameters
    ----------
    best : Pipeline
        The best single configuration that could be refitted.
    best_name : str
    ensemble : WeightedEnsemble
    """

    best: Pipeline
    best_name: str
    ensemble: WeightedEnsemble


def refit(
    problem: Problem,
    prior: Prior,
    result: SearchResult,
    selection: Selection | None,
    budget: Budget,
    n_jobs,
) -> Fitted:
    """Fit the best configuration and the members of the ensemble on all rows.

    Members that the rest of the budget has no time for, or that fail on all
    rows, are left out with a warning.
    """
    if selection is None:
        return _refit_dummy(problem, prior, result)
    complete = result.complete()
    weights = selection.weights
    scores = [evaluation.mean(SCORE) for evaluation in complete]
    best = int(np.argmax(scores))
    members = sorted(np.flatnonzero(weights).tolist(), key=lambda i: -weights[i])
    wanted = [best, *(i for i in members if i != best)]
    kept: dict[int, Pipeline] = {}
    first = _affordable(problem, complete, wanted, budget, n_jobs)
    for batch in (first, *_spares(scores)):
        kept = _fit_all(problem, prior, complete, batch, budget, n_jobs)
        if kept:
            break
    if not kept and budget.limited:
        kept = _last_resort(problem, prior, complete, scores)
    if lost := [complete[i].name for i in wanted if i not in kept]:
        warnings.warn(
            f"Not refitted, for lack of time or because they failed: {lost}. "
            "Raise time_budget, or lower ensemble_size.",
            UserWarning,
            stacklevel=3,
        )
    if not kept:
        return _refit_dummy(problem, prior, result)
    return _assemble(problem, complete, kept, weights)


def _spares(scores: list[float]) -> list[list[int]]:
    """One by one, the best few, should none of the wanted ones be fitted."""
    return [[i] for i in np.argsort(scores)[::-1][:N_SPARES].tolist()]


def _fit_all(problem, prior, complete, batch, budget, n_jobs) -> dict[int, Pipeline]:
    """Fit some configurations on all rows; those that end well and in time."""
    calls = [
        (
            prior.configurations[complete[i].name].build(
                problem.table, problem.random_state
            ),
            problem.X,
            problem.y,
        )
        for i in batch
    ]

    def seconds_left() -> float:
        # The search kept this time back; a little more is better than nothing.
        return budget.remaining() + REFIT_GRACE if budget.limited else np.inf

    fitted = run_calls(fit_all_rows, calls, n_jobs, seconds_left)
    pairs = zip(batch, fitted, strict=True)
    return {i: model for i, model in pairs if isinstance(model, Pipeline)}


def _last_resort(problem, prior, complete, scores) -> dict[int, Pipeline]:
    """Fit the best of the quick ones in this process, but don't wait for ever.

    The workers may have been stopped at the deadline, and new ones be slow.
    """
    costs = [e.fit_seconds * problem.refit_factor for e in complete]
    quick = [i for i, cost in enumerate(costs) if cost < LAST_GRACE / 2]
    if not quick:
        return {}
    best = max(quick, key=lambda i: scores[i])
    configuration = prior.configurations[complete[best].name]
    pipeline = configuration.build(problem.table, problem.random_state)
    fitted: list = []

    def fit() -> None:
        fitted.append(fit_all_rows(pipeline, problem.X, problem.y))

    with quiet():
        thread = Thread(target=fit, daemon=True)
        thread.start()
        thread.join(LAST_GRACE)
    if fitted and isinstance(fitted[0], Pipeline):
        return {best: fitted[0]}
    return {}


def _assemble(problem, complete, kept: dict, weights) -> Fitted:
    """Ensemble of the members that were fitted, the best of them beside it."""
    best = max(kept, key=lambda i: complete[i].mean(SCORE))
    members = [i for i in kept if weights[i] > 0]
    if weights[members].sum() < 0.5:
        # What is left of the ensemble is not what was selected.
        members = [best]
    shares = np.array([weights[i] or 1.0 for i in members])
    ensemble = WeightedEnsemble(
        [kept[i] for i in members], shares / shares.sum(), problem.target.classes
    )
    return Fitted(kept[best], complete[best].name, ensemble)


def _affordable(problem, complete, wanted: list, budget: Budget, n_jobs) -> list:
    """The first of the wanted, and as many more as there is time for."""
    left = budget.remaining() * effective_n_jobs(n_jobs)
    kept: list[int] = []
    for i in wanted:
        cost = complete[i].fit_seconds * problem.refit_factor
        if not kept or cost <= left:
            kept.append(i)
            left -= cost
    return kept


def _refit_dummy(problem: Problem, prior: Prior, result: SearchResult) -> Fitted:
    """What is left if nothing could be evaluated and fitted: a constant."""
    reasons = {trial.evaluation.error or "not refitted" for trial in result.trials}
    reasons = reasons or set(prior.excluded.values())
    warnings.warn(
        "No configuration could be evaluated and fitted on all rows, so the "
        "predictions are constant. "
        f"{len(result.trials)} were tried, {len(prior.excluded)} excluded; reasons: "
        f"{sorted(map(str, reasons))[:5]}. Raise time_budget or n_candidates, name "
        "other candidates, or check the data.",
        UserWarning,
        stacklevel=4,
    )
    (dummy,) = choose(["dummy"], problem.target.task)[:1]
    pipeline = dummy.build(problem.table, problem.random_state)
    pipeline.fit(problem.X, problem.y)
    ensemble = WeightedEnsemble([pipeline], np.ones(1), problem.target.classes)
    return Fitted(pipeline, dummy.name, ensemble)
