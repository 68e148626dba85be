"""How low can the regret get? What is left to chance in cross-validated scores.

    python benchmarks/noise_ceiling.py

Every fold of every task of the report half is judged alone: the regret of the best
configuration so far, by the losses of that fold. "Other folds" tries the
configurations in the order of their mean loss on the task's other folds: it has
already run everything, and what it still loses is the noise of a fold. No order that
is made beforehand can be expected to do much better, so its ratio to the greedy
portfolio is about the least that a ratio of a meta-model could be.
"""

from __future__ import annotations

import argparse
from functools import partial

import numpy as np
from joblib import Parallel, delayed
from leave_one_family_out import (
    BASELINE,
    COUNTED,
    COUNTS,
    METRICS,
    N_FOLDS,
    by_count,
    fold_of,
    half_of,
    held_out_tasks,
    ours,
)
from strategies import portfolio_order

from sk_meta import KnowledgeBase
from sk_meta._catalogue import catalogue
from sk_meta._history import Experience
from sk_meta._metamodel import MetaModel
from sk_meta._scoring import as_loss
from sk_meta._search import COST_POWER_COUNTED, ROUND

OTHER_FOLDS = "other folds"


def losses_by_fold(knowledge, kind: str, metric: str, task: str, names) -> np.ndarray:
    """Losses of one task, of shape (n_configurations, n_folds)."""
    results = knowledge.results[kind]
    table = results[results["task"] == task].pivot(
        index="configuration", columns="fold", values=metric
    )
    return as_loss(table.reindex(list(names)).to_numpy(dtype=float), metric)


def regret_of(loss: np.ndarray) -> np.ndarray:
    """Normalised regret in one fold, 3 where nothing came out."""
    best, middle = np.nanmin(loss), np.nanmedian(loss)
    regret = np.clip((loss - best) / max(middle - best, 1e-9), 0, 3)
    return np.where(np.isfinite(regret), regret, 3.0)


def order_by_others(losses: np.ndarray, fold: int, available) -> list[int]:
    """Configurations by their mean loss on the folds but one."""
    mean = np.delete(losses, fold, axis=1).mean(axis=1)
    mean = np.where(np.isfinite(mean), mean, np.inf)
    return [j for j in np.argsort(mean, kind="stable").tolist() if available[j]]


def run_fold(knowledge, kind: str, names, fold: int, half: str) -> list[tuple]:
    """Metric and regrets of every fold of the tasks whose families are left out."""
    out = {f for f in knowledge.tasks["family"] if fold_of(f) == fold}
    model = MetaModel().fit(Experience.of(knowledge.without(out), kind, names), kind)
    found = []
    for metric in METRICS[kind]:
        history = model.experience.histories[metric]
        for task in held_out_tasks(knowledge, kind, metric, names):
            if task.family not in out or half_of(task.family) != half:
                continue
            losses = losses_by_fold(knowledge, kind, metric, task.name, names)
            belief = model.belief(task.meta_features, metric)
            orders = {
                BASELINE: portfolio_order(history, task.available),
                COUNTED: ours(task, belief, ROUND, COST_POWER_COUNTED),
            }
            for part, loss in enumerate(losses.T):
                orders[OTHER_FOLDS] = order_by_others(losses, part, task.available)
                regret = regret_of(loss)
                curves = {name: by_count(o, regret) for name, o in orders.items()}
                found.append((metric, curves))
    return found


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--knowledge", help="folder; the shipped one by default")
    parser.add_argument("--half", choices=("development", "report"), default="report")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    knowledge = KnowledgeBase.load(options.knowledge)
    print("| metric | order | " + " | ".join(map(str, COUNTS)) + " |")
    print("|---" * (len(COUNTS) + 2) + "|")
    for kind, metrics in METRICS.items():
        names = tuple(c.name for c in catalogue(kind))
        run = partial(run_fold, knowledge, kind, names, half=options.half)
        folds = Parallel(options.jobs)(delayed(run)(fold=k) for k in range(N_FOLDS))
        results = [result for fold in folds for result in fold]
        for metric in metrics:
            curves = [curve for name, curve in results if name == metric]
            base = np.mean([curve[BASELINE] for curve in curves], axis=0)
            for name in (BASELINE, COUNTED, OTHER_FOLDS):
                mean = np.mean([curve[name] for curve in curves], axis=0)
                pairs = zip(mean, base, strict=True)
                cells = [f"{m:.3f} ({m / b:.2f})" for m, b in pairs]
                print(f"| {metric} | {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
