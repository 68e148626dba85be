"""The steps of ``fit`` between the table and the fitted estimator.

Each function takes the outcome of the step before it; :mod:`._estimator` calls
them in order.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.dummy import DummyClassifier, DummyRegressor
from threadpoolctl import threadpool_limits

from ._budget import Budget
from ._catalogue import Configuration, catalogue
from ._ensemble import Selection, WeightedEnsemble, select
from ._evaluation import score_prediction
from ._knowledge import KnowledgeBase
from ._metafeatures import MetaFeatures, compute_meta_features
from ._metamodel import Belief, History, MetaModel
from ._scoring import as_loss, resolve_scoring
from ._search import Problem, SearchResult
from ._table import describe_table, describe_target
from ._validation import make_splits


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
    """

    belief: Belief
    configurations: dict[str, Configuration]
    excluded: dict[str, str]
    meta_features: MetaFeatures


def describe(X, y, *, task, scoring, cv, seed: int) -> Problem:
    """Table and target → how candidates are compared on them."""
    table, target = describe_table(X), describe_target(y, task)
    metric = resolve_scoring(scoring, target.task)
    splits = make_splits(cv, X, y, target, seed)
    loss = _dummy_loss(y, target, metric)
    return Problem(X, y, table, target, splits, metric, loss, seed)


def _dummy_loss(y, target, metric) -> float:
    """Loss of the constant prediction in the stored metric."""
    rows = np.zeros((len(y), 1))
    if target.task == "regression":
        dummy = DummyRegressor().fit(rows, y)
    else:
        dummy = DummyClassifier().fit(rows, y)
    if target.n_classes == 1:
        return 0.0
    return float(as_loss(metric.stored_scorer(dummy, rows, y), metric.stored))


def believe(
    problem: Problem, knowledge: KnowledgeBase, candidates, meta_model: str
) -> Prior:
    """Meta-features → prior over the applicable configurations."""
    target = problem.target
    meta_features = compute_meta_features(
        problem.X,
        problem.y,
        random_state=problem.random_state,
        table=problem.table,
        target=target,
    )
    model = _trained(knowledge, target.task, problem.metric.stored, meta_model)
    configurations, excluded = {}, {}
    for configuration in chosen(candidates, target.task):
        reason = configuration.why_not(problem.table, target)
        if reason is None:
            configurations[configuration.name] = configuration
        else:
            excluded[configuration.name] = reason
    belief = model.belief(meta_features.to_dict())
    return Prior(belief, configurations, excluded, meta_features)


@lru_cache(maxsize=8)
def _trained(
    knowledge: KnowledgeBase, task: str, metric: str, meta_model: str
) -> MetaModel:
    """Meta-model of a knowledge base; the fits of one process share it."""
    names = tuple(configuration.name for configuration in catalogue(task))
    return MetaModel(meta_model).fit(History.of(knowledge, task, metric, names), task)


def chosen(candidates, task: str) -> list[Configuration]:
    """Configurations that the ``candidates`` parameter names.

    Parameters
    ----------
    candidates : list of str or None
        Names of configurations or families; None is the whole catalogue.
    task : {"classification", "regression"}

    Returns
    -------
    list of Configuration

    Raises
    ------
    ValueError
        If a name is unknown, or none is of this kind of task.
    """
    known = catalogue(task)
    if candidates is None:
        return list(known)
    everything = catalogue("classification") + catalogue("regression")
    names = {c.name for c in everything} | {c.family for c in everything}
    unknown = [name for name in candidates if name not in names]
    wanted = [c for c in known if c.name in candidates or c.family in candidates]
    if unknown or not wanted:
        families = sorted({c.family for c in known})
        raise ValueError(
            f"candidates={unknown or list(candidates)!r} are not known for {task}. Use "
            "names from the 'configuration' column of recommend(X, y), or families: "
            f"{families}."
        )
    return wanted


def combine(problem: Problem, result: SearchResult, size: int) -> Selection | None:
    """Complete evaluations → weights of the ensemble, or None if there are none."""
    complete = result.complete()
    if not complete:
        return None
    metric, classes = problem.metric, problem.target.classes

    def score(prediction, y):
        return score_prediction(prediction, y, metric.scorer, classes)

    return select(
        complete,
        metric.name,
        [problem.y[test] for _, test in problem.splits],
        score,
        classes,
        size=size,
        absolute="absolute" in metric.stored,
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

    best: object
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
    means = [evaluation.mean(problem.metric.name) for evaluation in complete]
    order = sorted(range(len(complete)), key=lambda i: (-selection.weights[i], i))
    members = [i for i in order if selection.weights[i] > 0]
    best = int(np.nanargmax(means))
    wanted = [best, *(i for i in members if i != best)]
    affordable = _affordable(problem, complete, wanted, budget, n_jobs)
    chosen_ones = [prior.configurations[complete[i].name] for i in affordable]
    pipelines = [c.build(problem.table, problem.random_state) for c in chosen_ones]
    fitted = Parallel(n_jobs=n_jobs)(
        delayed(_fit)(pipeline, problem.X, problem.y) for pipeline in pipelines
    )
    kept = {i: p for i, p in zip(affordable, fitted, strict=True) if p is not None}
    if len(kept) < len(wanted):
        lost = [complete[i].name for i in wanted if i not in kept]
        warnings.warn(
            f"Not refitted, for lack of time or because they failed: {lost}. "
            "Raise time_budget, or lower ensemble_size.",
            UserWarning,
            stacklevel=3,
        )
    if not kept:
        return _refit_dummy(problem, prior, result)
    return _assemble(problem, complete, kept, selection.weights)


def _assemble(problem, complete, kept: dict, weights) -> Fitted:
    """Ensemble of the members that were fitted, the best of them beside it."""
    classes = problem.target.classes
    scores = {i: complete[i].mean(problem.metric.name) for i in kept}
    best = max(kept, key=lambda i: scores[i])
    members = [i for i in kept if weights[i] > 0] or [best]
    shares = np.array([weights[i] or 1.0 for i in members])
    ensemble = WeightedEnsemble(
        [kept[i] for i in members], shares / shares.sum(), classes
    )
    return Fitted(kept[best], complete[best].name, ensemble)


def _affordable(problem, complete, wanted: list, budget: Budget, n_jobs) -> list:
    """The first of the wanted, and as many more as there is time for."""
    left, spent = budget.remaining(), 0.0
    kept: list[int] = []
    for i in wanted:
        spent += complete[i].fit_seconds * problem.refit_factor
        if not kept or spent / effective_n_jobs(n_jobs) <= left:
            kept.append(i)
    return kept


def _fit(pipeline, X, y):
    """The fitted pipeline, or None if it fails on all rows."""
    try:
        with threadpool_limits(limits=1), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pipeline.fit(X, y)
    except Exception:
        return None


def _refit_dummy(problem: Problem, prior: Prior, result: SearchResult) -> Fitted:
    """What is left if nothing could be evaluated: a constant prediction."""
    reasons = {trial.evaluation.error for trial in result.trials}
    reasons |= set(prior.excluded.values())
    warnings.warn(
        "No configuration could be evaluated, so the predictions are constant. "
        f"{len(result.trials)} were tried, {len(prior.excluded)} excluded; reasons: "
        f"{sorted(map(str, reasons))[:5]}. Raise time_budget or n_candidates, name "
        "other candidates, or check the data.",
        UserWarning,
        stacklevel=4,
    )
    (dummy,) = chosen(["dummy"], problem.target.task)[:1]
    pipeline = dummy.build(problem.table, problem.random_state)
    pipeline.fit(problem.X, problem.y)
    ensemble = WeightedEnsemble([pipeline], np.ones(1), problem.target.classes)
    return Fitted(pipeline, dummy.name, ensemble)
