"""The constants of the meta-model, one varied at a time.

    python benchmarks/constants.py

On the development half of the families, as in ``leave_one_family_out.py``: the mean
regret over metrics and over 2, 3, 5, 8 and 12 evaluations (or 1 to 32 seconds, for
what matters only under a time budget), for the value in use and for others. What is
in use is chosen by these tables; differences below 0.003 are noise. What the
meta-models are trained on is varied with the linear prior, which trains fast. Then
the priors' own parameters, by the mean squared error of the standardised losses out
of family; and the regret at which the search stops, and after how many evaluations,
by the expected gain that is not worth a fit.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import leave_one_family_out
import numpy as np
from corpus import half_of
from joblib import Parallel, delayed
from leave_one_family_out import (
    METRICS,
    N_FOLDS,
    by_count,
    by_seconds,
    fold_of,
    held_out_tasks,
    ours,
)
from meta_feature_importance import judged_tasks

from sk_meta import KnowledgeBase, _belief, _clock, _history, _metamodel, _strategy
from sk_meta._catalogue import catalogue
from sk_meta._history import Experience
from sk_meta._metamodel import MetaModel
from sk_meta._priors import PRIORS, out_of_family


@dataclass(frozen=True)
class Constant:
    """A constant, the values to try, and what has to be done again for it."""

    label: str
    module: object
    name: str
    values: tuple
    timed: bool = False  # whether it matters only under a time budget


BELIEF = (
    Constant("weight of the portfolio term", _belief, "_PORTFOLIO_WEIGHT", (0, 1.0, 3)),
    Constant("the same, first pick", _belief, "_PORTFOLIO_FIRST", (0, 1.0)),
    Constant("width of the match of tasks", _belief, "_PORTFOLIO_WIDTH", (0.03, 0.1)),
    Constant("share of uniform weights", _belief, "_UNIFORM", (0.03, 0.3)),
    Constant("nugget", _metamodel, "_NUGGET", (1e-4, 1e-2)),
    Constant("configurations a round", leave_one_family_out, "ROUND", (1, 4)),
    Constant("power of the seconds", _strategy, "COST_POWER_TIMED", (0.3, 0.5, 1.0),
             timed=True),
    Constant("spread between machines", _clock, "_MACHINE_SD", (0.3, 1.2), timed=True),
)  # fmt: skip
TRAINED = (
    Constant("largest standardised loss", _history, "_WORST", (0.5, 2.0)),
    Constant("offset of the relative loss", _history, "_OFFSET", (0.01, 0.05)),
)  # fmt: skip
PRIOR_PARAMETERS = {
    "linear": {"alpha": (7.0, 60.0)},
    "neighbors": {"n_effective": (8.0, 30.0), "shrinkage": (2.0, 12.0)},
    "forest": {"min_leaf": (2, 5), "max_features": (0.3, 1.0)},
    "neural": {
        "hidden": ((16,), (64, 16)), "decay": (1.0, 10.0),
        "learning_rate": (0.003, 0.03), "n_epochs": (40, 160),
    },
}  # fmt: skip


@contextmanager
def patched(module, name: str, value) -> Iterator[None]:
    """Another value for a while."""
    kept = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, kept)


def trained(knowledge, kind: str, fold: int, names, prior: str) -> MetaModel:
    """Meta-model without the families of a fold."""
    out = {f for f in knowledge.tasks["family"] if fold_of(f) == fold}
    experience = Experience.of(knowledge.without(out), kind, names)
    return MetaModel(prior).fit(experience, kind)


def development(knowledge, kind: str, fold: int, names) -> dict[str, list]:
    """Tasks of a fold that belong to the development half, by metric."""
    return {
        metric: [
            task
            for task in held_out_tasks(knowledge, kind, metric, names)
            if fold_of(task.family) == fold and half_of(task.family) == "development"
        ]
        for metric in METRICS[kind]
    }


def regrets(model: MetaModel, tasks: dict[str, list], timed: bool = False) -> list:
    """Metric and mean of the regret curve of every task."""
    found = []
    for metric, group in tasks.items():
        for task in group:
            belief = model.belief(task.meta_features, metric)
            if timed:
                power = _strategy.COST_POWER_TIMED
                order = ours(task, belief, leave_one_family_out.ROUND, power)
                curve = by_seconds(order, task.regret, task.seconds)[:6]
            else:
                power = _strategy.COST_POWER_COUNTED
                order = ours(task, belief, leave_one_family_out.ROUND, power)
                curve = by_count(order, task.regret)[1:6]
            found.append((metric, float(curve.mean())))
    return found


def one_fold(knowledge, kind: str, names, fold: int) -> tuple[dict, list]:
    """Results of every constant and value on one fold, and the stops."""
    train = partial(trained, knowledge, kind, fold, names)
    model, tasks = train("hybrid"), development(knowledge, kind, fold, names)
    found = {("in use", "counted"): regrets(model, tasks),
             ("in use", "timed"): regrets(model, tasks, timed=True)}  # fmt: skip
    for constant in BELIEF:
        for value in constant.values:
            with patched(constant.module, constant.name, value):
                key = (constant.label, value)
                found[key] = regrets(model, tasks, constant.timed)
    found["linear prior", "in use"] = regrets(train("linear"), tasks)
    for constant in TRAINED:
        for value in constant.values:
            with patched(constant.module, constant.name, value):
                # The scale of the losses is another one.
                rescaled = development(knowledge, kind, fold, names)
                found[constant.label, value] = regrets(train("linear"), rescaled)
    return found, stops(model, tasks)


def prior_error(knowledge, kind: str, names, prior: str, parameters: dict) -> float:
    """Mean squared error out of family, on the development half."""
    experience = Experience.of(knowledge, kind, names)
    model = MetaModel("none").fit(experience, kind)
    families, weights = model._families, model._weights
    make = partial(PRIORS[prior], **parameters)
    known = (model._features, model._targets)
    guess = out_of_family(make, *known, families, weights)
    judged = judged_tasks(experience.tasks)
    gaps = ((guess - model._targets) ** 2).mean(axis=1)
    return float(np.average(gaps[judged], weights=weights[judged]))


TOLERANCES = (0.0002, 0.0005, 0.001, 0.002, 0.005)


def rounds(task, belief):
    """Replay the search; yield the belief and the order before every round."""
    order: list[int] = []
    for chosen in chunks(ours(task, belief.copy(), leave_one_family_out.ROUND, 0.0)):
        yield belief, order
        for index in chosen:
            if np.isfinite(task.h[index]):
                belief.observe(index, task.h[index])
        order = order + chosen


def chunks(order: list[int]) -> list[list[int]]:
    """The rounds that an order was chosen in."""
    size = leave_one_family_out.ROUND
    return [order[k : k + size] for k in range(0, len(order), size)]


def stops(model: MetaModel, tasks: dict[str, list]) -> list:
    """Tolerance, evaluations and regret at the stop of every task."""
    found = []
    for metric, group in tasks.items():
        for task in group:
            belief = model.belief(task.meta_features, metric)
            left = set(TOLERANCES)
            for now, order in rounds(task, belief):
                rest = np.setdiff1d(np.flatnonzero(np.isfinite(task.h)), order)
                if not len(rest):
                    break
                if len(order) < _strategy.MIN_TRIALS:
                    continue
                gain = now.expected_improvement()[rest].max()
                for tolerance in sorted(left):
                    if gain < tolerance:
                        left.remove(tolerance)
                        regret = task.regret[order].min()
                        found.append((metric, tolerance, len(order), regret))
            regret = task.regret[order].min()
            found += [(metric, tolerance, len(order), regret) for tolerance in left]
    return found


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--knowledge", help="folder; the shipped one by default")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    knowledge = KnowledgeBase.load(options.knowledge)
    found: dict[tuple, dict[str, list]] = {}
    stopped, names = [], {k: tuple(c.name for c in catalogue(k)) for k in METRICS}
    for kind in METRICS:
        run = partial(one_fold, knowledge, kind, names[kind])
        folds = Parallel(options.jobs)(delayed(run)(k) for k in range(N_FOLDS))
        for fold, ends in folds:
            stopped += ends
            for key, rows in fold.items():
                for metric, regret in rows:
                    found.setdefault(key, {}).setdefault(metric, []).append(regret)
    metrics = [metric for group in METRICS.values() for metric in group]
    print("| constant | value | mean | " + " | ".join(metrics) + " |")
    print("|---" * (len(metrics) + 3) + "|")
    for (label, value), by_metric in found.items():
        means = [np.mean(by_metric[metric]) for metric in metrics]
        cells = " | ".join(f"{mean:.3f}" for mean in means)
        print(f"| {label} | {value} | {np.mean(means):.4f} | {cells} |")
    print_priors(knowledge, names, options.jobs)
    print_stops(stopped)


def print_priors(knowledge, names: dict, jobs: int) -> None:
    """Error of every prior, by the value of its parameters."""
    wanted = [(prior, {}) for prior in PRIOR_PARAMETERS]
    for prior, parameters in PRIOR_PARAMETERS.items():
        for name, values in parameters.items():
            wanted += [(prior, {name: value}) for value in values]
    print("\n| prior | parameter | " + " | ".join(METRICS) + " |\n|---|---|---|---|")
    errors = {
        kind: Parallel(jobs)(
            delayed(prior_error)(knowledge, kind, names[kind], *one) for one in wanted
        )
        for kind in METRICS
    }
    for row, (prior, parameters) in enumerate(wanted):
        setting = ", ".join(f"{k}={v}" for k, v in parameters.items()) or "in use"
        cells = " | ".join(f"{errors[kind][row]:.4f}" for kind in METRICS)
        print(f"| {prior} | {setting} | {cells} |")


def print_stops(stopped: list[tuple]) -> None:
    """Where the search ends, by the gain that is not worth a fit."""
    print("\n| gain in h | evaluations (median) | regret (mean) |\n|---|---|---|")
    for tolerance in TOLERANCES:
        ends = [end for end in stopped if end[1] == tolerance]
        count, regret = np.median([e[2] for e in ends]), np.mean([e[3] for e in ends])
        print(f"| {tolerance} | {count:.0f} | {regret:.4f} |")


if __name__ == "__main__":
    main()
