"""Whether linear models do better with numbers of few values one-hot as well.

    python benchmarks/discrete_numbers.py

A number that many rows share, such as an index of the state they are in, may stand for
a group. Every table of the development half of the corpus and of the dirty tables that
has such numbers (``Table.discrete``) is fitted by linear models with and without these
columns one-hot beside what they are otherwise, on the same folds of at most 3,000 rows,
ten classes at most. Printed is the loss with them over the one without, and that of the
best of these models with them to choose from over that of the best without.
"""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
from native_categories import SEED, described_tables, folds_of, loss, named, print_means

from sk_meta._catalogue import _preprocessing as prep

MODELS = {
    "classification": ("logistic-C0.1", "logistic-splines-C0.3"),
    "regression": ("ridge", "ridge-splines"),
}
WITH_GROUPS = (prep.discrete, prep.discrete_splines)
COLUMNS = ("linear", "linear on splines", "best")


def losses(configuration, preprocess, task, table, X, y) -> np.ndarray:
    """Sum over the folds of the loss without, and with the groups."""
    pair = (configuration, replace(configuration, preprocess=preprocess))
    total = np.zeros(2)
    for train, test, classes in folds_of(task, y):
        for k, one in enumerate(pair):
            total[k] += loss(one.build(table, SEED), X, y, train, test, classes)
    return total


def main() -> None:
    """Print a line a table, then the means."""
    warnings.simplefilter("ignore")
    print(f"| table | rows | {' | '.join(COLUMNS)} |\n{'|---' * (2 + len(COLUMNS))}|")
    ratios = []
    for task, table, X, y in described_tables():
        if not table.discrete:
            continue
        models = [named(name, task) for name in MODELS[task.task]]
        found = np.array([
            losses(model, preprocess, task, table, X, y)
            for model, preprocess in zip(models, WITH_GROUPS, strict=True)
        ])  # fmt: skip
        best = found.min() / found[:, 0].min()
        ratios.append([*(found[:, 1] / found[:, 0]), best])
        shown = " | ".join(f"{r:.3f}" for r in ratios[-1])
        print(f"| {task.name} | {len(y):,} | {shown} |", flush=True)
    print_means(COLUMNS, ratios)


if __name__ == "__main__":
    main()
