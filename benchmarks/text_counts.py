"""Whether models do better when texts are counted: characters, words, capitals, digits.

    python benchmarks/text_counts.py

Texts are n-grams to all models of the catalogue (skrub's ``StringEncoder``); those that
take numbers as they are also get the counts. Every table of the development half of the
corpus and of the dirty tables that has a column of text is fitted in both ways on the
same folds, on at most 3,000 rows and ten classes. Printed is the loss with the counts
over the one without, and the geometric mean over the families.
"""

from __future__ import annotations

import warnings

import numpy as np
from native_categories import SEED, described_tables, folds_of, loss, named, print_means
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sk_meta._catalogue import _preprocessing as prep
from sk_meta._kinds import TEXT

MODELS = ("hist-gb", "lightgbm-r03", "xgboost-depth4", "catboost", "forest",
          "extra-trees")  # fmt: skip
LINEAR = {"classification": "logistic-C1", "regression": "ridge"}


def both(pipeline: Pipeline, texts: list) -> tuple[Pipeline, Pipeline]:
    """The pipeline without the counts, and with them."""
    (_, encode), *rest = pipeline.steps
    others = [block for block in encode.transformers if block[0] != prep.COUNTS]
    counted = Pipeline([*prep.counted(), ("scale", StandardScaler())])
    return tuple(
        Pipeline([("encode", ColumnTransformer(blocks)), *rest])
        for blocks in (others, [*others, (prep.COUNTS, counted, texts)])
    )


def ratio(name: str, task, table, X, y) -> float:
    """Loss with the counts over the one without."""
    texts = [column.selector for column in table.of_kind(TEXT)]
    total = np.zeros(2)
    for train, test, classes in folds_of(task, y):
        pipelines = both(named(name, task).build(table, SEED), texts)
        total += [loss(p, X, y, train, test, classes) for p in pipelines]
    return total[1] / total[0]


def main() -> None:
    """Print a line a table, then the means."""
    warnings.simplefilter("ignore")
    columns = (*MODELS, "linear")
    print(f"| table | rows | {' | '.join(columns)} |\n{'|---' * (2 + len(columns))}|")
    found = []
    for task, table, X, y in described_tables():
        if not table.of_kind(TEXT):
            continue
        names = (*MODELS, LINEAR[task.task])
        found.append([ratio(name, task, table, X, y) for name in names])
        shown = " | ".join(f"{r:.3f}" for r in found[-1])
        print(f"| {task.name} | {len(y):,} | {shown} |", flush=True)
    print_means(columns, found)


if __name__ == "__main__":
    main()
