"""How low can the regret get? What is left to chance in cross-validated scores.

    python benchmarks/noise_ceiling.py

Every fold of every task of the report half is judged alone: the regret of the best
configuration so far, by the losses of that fold; then the mean over a task's folds.
"Other folds" tries the configurations in the order of their mean loss on the task's
other folds: it has run all of them already, and what it still loses is the noise of
the folds. Ours is shown the results of the other folds too, but only of what it asked
for. The figures are higher than those of leave_one_family_out.py, whose losses are
means over the folds and less noisy; here the ratios among the orders count.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial

import numpy as np
from corpus import half_of
from joblib import Parallel, delayed
from leave_one_family_out import (
    BASELINE,
    COUNTED,
    COUNTS,
    METRICS,
    N_FOLDS,
    ROUND,
    by_count,
    fold_of,
    held_out_tasks,
    ours,
)
from strategies import portfolio_order

from sk_meta import KnowledgeBase
from sk_meta._catalogue import catalogue
from sk_meta._history import Experience, to_h
from sk_meta._metamodel import MetaModel
from sk_meta._scoring import as_loss
from sk_meta._strategy import COST_POWER_COUNTED

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


def order_by(losses: np.ndarray, available) -> list[int]:
    """Configurations by their loss, what failed last."""
    known = np.where(np.isfinite(losses), losses, np.inf)
    return [j for j in np.argsort(known, kind="stable").tolist() if available[j]]


def run_fold(knowledge, kind: str, names, fold: int, half: str) -> list[tuple]:
    """Metric and regrets of every task whose family is left out."""
    out = {f for f in knowledge.tasks["family"] if fold_of(f) == fold}
    model = MetaModel().fit(Experience.of(knowledge.without(out), kind, names), kind)
    found = []
    for metric in METRICS[kind]:
        history = model.experience.histories[metric]
        for task in held_out_tasks(knowledge, kind, metric, names):
            if task.family not in out or half_of(task.family) != half:
                continue
            losses = losses_by_fold(knowledge, kind, metric, task.name, names)
            if losses.shape[1] < 2:
                continue
            orders = {BASELINE: portfolio_order(history, task.available)}
            curves = {}
            for part, loss in enumerate(losses.T):
                others = np.delete(losses, part, axis=1).mean(axis=1)
                belief = model.belief(task.meta_features, metric)
                shown = replace(task, h=to_h(others, others[names.index("dummy")]))
                orders[COUNTED] = ours(shown, belief, ROUND, COST_POWER_COUNTED)
                orders[OTHER_FOLDS] = order_by(others, task.available)
                regret = regret_of(loss)
                for name, order in orders.items():
                    curves.setdefault(name, []).append(by_count(order, regret))
            found.append((metric, {k: np.mean(v, axis=0) for k, v in curves.items()}))
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
