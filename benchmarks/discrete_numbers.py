"""Whether linear models do better with numbers of few values one-hot as well.

    python benchmarks/discrete_numbers.py

A number that many rows share, such as an index of the state they are in, may stand for
a group. Every table of the development half of the corpus and of the dirty tables that
has such numbers (``Table.discrete``), and 300 columns after encoding at most, is fitted
by linear models with and without these columns one-hot beside what they are otherwise,
on the same folds of at most 3,000 rows, ten classes at most. Printed is the loss with
them over the one without, and that of the best of these models with them to choose from
over that of the best without.
"""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
from native_categories import SEED, described_tables, folds_of, loss, named, print_means

from sk_meta._catalogue import _preprocessing as prep
from sk_meta._table import describe_target

MODELS = {
    "classification": ("logistic-C0.1", "logistic-splines-C0.3"),
    "regression": ("ridge", "ridge-splines"),
}
ENCODED = (prep.discrete, prep.discrete_splines)
COLUMNS = ("linear", "linear on splines", "best")


def pairs(task) -> list[tuple]:
    """Every model without, and with discrete numbers encoded."""
    models = [named(name, task) for name in MODELS[task.task]]
    return [
        (model, replace(model, preprocess=preprocess, discrete=True, max_encoded=300))
        for model, preprocess in zip(models, ENCODED, strict=True)
    ]


def losses(pair, task, table, X, y) -> np.ndarray:
    """Sum over the folds of the loss without, and with them encoded."""
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
        target = describe_target(y, task.task)
        if any(with_.why_not(table, target) for _, with_ in pairs(task)):
            continue
        found = np.array([losses(pair, task, table, X, y) for pair in pairs(task)])
        best = found.min() / found[:, 0].min()
        ratios.append([*(found[:, 1] / found[:, 0]), best])
        shown = " | ".join(f"{r:.3f}" for r in ratios[-1])
        print(f"| {task.name} | {len(y):,} | {shown} |", flush=True)
    print_means(COLUMNS, ratios)


if __name__ == "__main__":
    main()
