"""How the meta-model's choices get better with the number of prior families.

    python benchmarks/meta_model_learning.py --half report

As ``leave_one_family_out.py``, with the meta-model and the greedy portfolio made of
some of the other families only: the same random order of families for all, of which
the first 10, 20, 40, 80 and all are taken.
"""

from __future__ import annotations

import argparse
import zlib
from functools import partial

import numpy as np
from corpus import half_of
from joblib import Parallel, delayed
from leave_one_family_out import (
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
from sk_meta._history import Experience
from sk_meta._metamodel import MetaModel
from sk_meta._strategy import COST_POWER_COUNTED

N_FAMILIES = (10, 20, 40, 80, None)


def some_families(knowledge, kind: str, fold: int, n: int | None) -> list[str]:
    """The first n families outside a fold, in an order that is random but fixed."""
    families = {f for f in knowledge.select(kind)["family"] if fold_of(f) != fold}
    return sorted(families, key=lambda f: zlib.crc32(f"order/{f}".encode()))[:n]


def run_fold(knowledge, kind: str, names, half, fold: int) -> list[tuple]:
    """Regret by count for every metric, task and number of families."""
    found = []
    for n in N_FAMILIES:
        keep = set(some_families(knowledge, kind, fold, n))
        rest = knowledge.without(set(knowledge.tasks["family"]) - keep)
        experience = Experience.of(rest, kind, names)
        model = MetaModel().fit(experience, kind)
        for metric in METRICS[kind]:
            history = experience.histories[metric]
            for task in held_out_tasks(knowledge, kind, metric, names):
                if fold_of(task.family) != fold:
                    continue
                if half not in (None, half_of(task.family)):
                    continue
                belief = model.belief(task.meta_features, metric)
                mine = ours(task, belief, ROUND, COST_POWER_COUNTED)
                other = portfolio_order(history, task.available)
                regrets = [by_count(order, task.regret) for order in (mine, other)]
                found.append((metric, n, *regrets))
    return found


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--knowledge", help="folder; the shipped one by default")
    parser.add_argument("--half", choices=("development", "report"))
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    knowledge = KnowledgeBase.load(options.knowledge)
    for kind in METRICS:
        names = tuple(c.name for c in catalogue(kind))
        run = partial(run_fold, knowledge, kind, names, options.half)
        folds = Parallel(options.jobs)(delayed(run)(k) for k in range(N_FOLDS))
        results = [result for fold in folds for result in fold]
        for metric in METRICS[kind]:
            print(f"\n### {kind}, {metric}\n")
            print("| prior families | ours at 5 | at 12 | portfolio at 5 | at 12 |")
            print("|---|---|---|---|---|")
            for n in N_FAMILIES:
                chosen = [r for r in results if r[:2] == (metric, n)]
                mine, other = (np.mean([r[k] for r in chosen], axis=0) for k in (2, 3))
                cells = (mine[3], mine[5], other[3], other[5])
                line = " | ".join(f"{cell:.3f}" for cell in cells)
                print(f"| {n or 'all'} | {line} |")


if __name__ == "__main__":
    main()
