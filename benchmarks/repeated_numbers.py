"""Whether numbers that come back are better taken for categories as well.

    python benchmarks/repeated_numbers.py

A number that many rows share, such as an index of the state they are in, may stand for
a group. Every table of the development half of the corpus and of the dirty tables that
has numbers with a fraction, of 8 to 200 values, each in 20 rows on average, is fitted
with and without these columns one-hot beside what the catalogue makes of them, on the
same folds of at most 3,000 rows, ten classes at most. Printed is the loss with them
over the one without, and that of the best of these models with them to choose from
over that of the best without.
"""

from __future__ import annotations

import warnings

import numpy as np
from native_categories import SEED, described_tables, folds_of, loss, named, print_means
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import OneHotEncoder

MODELS = {
    "classification": ("logistic-C0.1", "logistic-splines-C0.3", "hist-gb"),
    "regression": ("ridge", "ridge-splines", "hist-gb"),
}
COLUMNS = ("linear", "linear on splines", "hist-gb", "best")
MIN_VALUES, MAX_VALUES, ROWS_PER_VALUE = 8, 200, 20


def repeated(X) -> list[str]:
    """Columns of numbers, most with a fraction, that come back."""
    found = []
    for name, column in X.select_dtypes("float").items():
        known = column.dropna()
        n_values = known.nunique()
        come_back = len(known) >= ROWS_PER_VALUE * n_values
        if MIN_VALUES <= n_values <= MAX_VALUES and come_back:
            found += [name] if (known % 1 != 0).mean() > 0.5 else []
    return found


def with_categories(pipeline: Pipeline, columns: list[str]) -> Pipeline:
    """The pipeline, with these columns one-hot as well."""
    *encode, model = pipeline.steps
    one_hot = OneHotEncoder(
        handle_unknown="ignore", min_frequency=5, sparse_output=False
    )
    both = FeatureUnion([
        ("as_before", Pipeline(encode)),
        ("repeated", ColumnTransformer([("one_hot", one_hot, columns)])),
    ])  # fmt: skip
    return Pipeline([("encode", both), model])


def losses(name: str, columns: list[str], task, table, X, y) -> np.ndarray:
    """Mean loss without, and with the categories."""
    total = np.zeros(2)
    for train, test, classes in folds_of(task, y):
        for k in range(2):
            pipeline = named(name, task).build(table, SEED)
            pipeline = with_categories(pipeline, columns) if k else pipeline
            total[k] += loss(pipeline, X, y, train, test, classes)
    return total


def main() -> None:
    """Print a line a table, then the means."""
    warnings.simplefilter("ignore")
    print(f"| table | rows | {' | '.join(COLUMNS)} |\n{'|---' * (2 + len(COLUMNS))}|")
    ratios = []
    for task, table, X, y in described_tables():
        if not (columns := repeated(X)):
            continue
        found = np.array([
            losses(name, columns, task, table, X, y) for name in MODELS[task.task]
        ])  # fmt: skip
        best = found.min() / found[:, 0].min()
        ratios.append([*(found[:, 1] / found[:, 0]), best])
        shown = " | ".join(f"{r:.3f}" for r in ratios[-1])
        print(f"| {task.name} | {len(y):,} | {shown} |", flush=True)
    print_means(COLUMNS, ratios)


if __name__ == "__main__":
    main()
