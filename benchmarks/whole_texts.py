"""Whether boosting does better when a text is one value of many, as a name is.

    python benchmarks/whole_texts.py

Texts are n-grams and counts to the configurations of the catalogue that take numbers as
they are. On every table of the development half of the corpus and of the dirty tables
that has a column of text beside others, on at most 3,000 rows and ten classes, boosting
is fitted with the texts as categories of many values instead, with both, and without
the texts, on the same folds. HistGradientBoosting and LightGBM see a mean of the target
in the place of such a category, and CatBoost is told of it. Printed is the loss over
the one with n-grams and counts alone, and the geometric mean over the families.
"""

from __future__ import annotations

import warnings
from dataclasses import replace

from native_categories import SEED, described_tables, folds_of, loss, named, print_means
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

from sk_meta._catalogue import Configuration
from sk_meta._catalogue import _preprocessing as prep
from sk_meta._kinds import CATEGORIES, HIGH_CARDINALITY, IDENTIFIER, TEXT
from sk_meta._table import Table

CODED, NATIVE = ("hist-gb", "lightgbm"), "catboost"
VARIANTS = ("whole", "both", "without")


def variants(table: Table) -> list:
    """The table as it is, and as each of the variants takes it."""
    dropped = [replace(column, kind=IDENTIFIER) if column.kind == TEXT else column
               for column in table.columns]  # fmt: skip
    return [
        table,
        table.with_whole_texts(),
        table.with_whole_texts(also=True),
        replace(table, columns=tuple(dropped)),
    ]


def told(task, table: Table) -> Pipeline:
    """CatBoost, told of all categories of a table."""
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1,
                           dtype=int)  # fmt: skip
    blocks = prep._blocks(table, task.task, [], codes, codes)
    encode = ColumnTransformer(blocks).set_output(transform="pandas")
    _, model = named(NATIVE, task).build(table, SEED).steps[-1]
    inner = getattr(model, "estimators", [(None, model)])[0][1]
    places = prep.native_positions(table)
    n_categories = len(table.of_kind(*CATEGORIES, HIGH_CARDINALITY))
    inner.set_params(cat_features=tuple(places[:n_categories]))
    return Configuration(
        NATIVE, "CatBoost", task.task, lambda *_: [("encode", encode)],
        lambda _: [("model", model)],
    ).build(table, SEED)  # fmt: skip


def ratios(task, table: Table, X, y) -> list[float]:
    """Losses of all models and variants over that with n-grams and counts alone."""
    found = []
    for name in (*CODED, NATIVE):
        total = dict.fromkeys(range(1 + len(VARIANTS)), 0.0)
        for train, test, classes in folds_of(task, y):
            for k, variant in enumerate(variants(table)):
                pipeline = (
                    told(task, variant) if name == NATIVE
                    else named(name, task).build(variant, SEED)
                )  # fmt: skip
                total[k] += loss(pipeline, X, y, train, test, classes)
        found += [total[k] / total[0] for k in range(1, 1 + len(VARIANTS))]
    return found


def main() -> None:
    """Print a line a table, then the means."""
    warnings.simplefilter("ignore")
    columns = [f"{name}, {one}" for name in (*CODED, NATIVE) for one in VARIANTS]
    print(f"| table | rows | {' | '.join(columns)} |\n{'|---' * (2 + len(columns))}|")
    found = []
    for task, table, X, y in described_tables():
        texts = table.of_kind(TEXT)
        if not texts or len(texts) == table.n_columns:
            continue
        found.append(ratios(task, table, X, y))
        shown = " | ".join(f"{r:.3f}" for r in found[-1])
        print(f"| {task.name} | {len(y):,} | {shown} |", flush=True)
    print_means(columns, found)


if __name__ == "__main__":
    main()
