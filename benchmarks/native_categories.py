"""Whether boosting does better with categories as such than with their codes.

    python benchmarks/native_categories.py

The configurations of the catalogue see integer codes of the categories, which trees
cut as if they were ordered. HistGradientBoosting, LightGBM and CatBoost can also be
told which columns are categories. Every one of them is fitted in both ways on the
same folds of the development half of the corpus and of the dirty tables, on at most
3,000 rows, wherever a column of categories has three values or more. Printed is the
loss of a table with categories over the one with codes, and the geometric mean over
the families.
"""

from __future__ import annotations

import argparse
import warnings

import corpus
import dirty_tables
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import log_loss, root_mean_squared_error
from sklearn.model_selection import KFold, StratifiedKFold

from sk_meta._catalogue import catalogue
from sk_meta._columns import CATEGORIES
from sk_meta._table import as_table, describe_table

MODELS = ("hist-gb", "lightgbm", "catboost")
MAX_ROWS, MIN_ROWS, FOLDS, SEED = 3_000, 200, 3, 0
FEW_VALUES = 3  # two values are cut in the same way either way


def tables():
    """Tasks of the development halves, one of a family."""
    seen = set()
    for task in (*corpus.TASKS, *dirty_tables.TASKS.values()):
        if corpus.half_of(task.family) == "development" and task.family not in seen:
            seen.add(task.family)
            yield task


def encoded(pipeline, columns: list, X, y, rows):
    """All rows encoded as fitted on some, and the positions of the categories."""
    encode = pipeline.steps[0][1].fit(X.iloc[rows], y[rows])
    place = encode.output_indices_
    names = [c for name, _, c in encode.transformers_ if name == "categorical"][0]
    start = place["categorical"].start
    many = [start + names.index(name) for name in columns]
    return np.asarray(encode.transform(X), dtype=float), many


def as_categories(name: str, model, X: np.ndarray, many: list[int]):
    """The model that is told of the categories, and the table in its form."""
    model = clone(model)
    if name == "hist-gb":
        # It takes no more than 255 values; the rest stay codes.
        few = [k for k in many if X[:, k].max() < 255]
        return model.set_params(categorical_features=few), X
    frame = pd.DataFrame(X).astype(dict.fromkeys(many, int))
    if name == "lightgbm":
        return model, frame.astype(dict.fromkeys(many, "category"))
    return model.set_params(cat_features=many), frame


def loss(model, X, y, train, test, classes) -> float:
    """Log loss or RMSE on the test rows."""
    part = (lambda rows: X.iloc[rows]) if hasattr(X, "iloc") else X.__getitem__
    fitted = model.fit(part(train), y[train])
    if classes is None:
        return root_mean_squared_error(y[test], fitted.predict(part(test)))
    return log_loss(y[test], fitted.predict_proba(part(test)), labels=classes)


def ratio(name: str, task, X, y) -> float | None:
    """Loss with categories over the one with codes, None without categories."""
    table = describe_table(X)
    columns = [
        column.selector
        for column in table.of_kind(*CATEGORIES)
        if column.n_unique >= FEW_VALUES and column.detail != "number"
    ]
    if not columns:
        return None
    configuration = next(c for c in catalogue(task.task) if c.name == name)
    classification = task.task == "classification"
    classes = np.arange(y.max() + 1) if classification else None
    folds = (StratifiedKFold if classification else KFold)(
        FOLDS, shuffle=True, random_state=SEED
    )
    total = np.zeros(2)
    for train, test in folds.split(X, y):
        pipeline = configuration.build(table, SEED)
        values, many = encoded(pipeline, columns, X, y, train)
        model = pipeline.steps[-1][1]
        model = getattr(model, "estimators", [(None, model)])[0][1]
        total[0] += loss(model, values, y, train, test, classes)
        model, frame = as_categories(name, model, values, many)
        total[1] += loss(model, frame, y, train, test, classes)
    return total[1] / total[0]


def main() -> None:
    """Print a line a table, then the means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    models = parser.parse_args().models
    warnings.simplefilter("ignore")
    print(f"| table | rows | {' | '.join(models)} |\n{'|---' * (2 + len(models))}|")
    found = []
    for task in tables():
        X, y = corpus.load(task, MAX_ROWS)
        X, y = as_table(X), y.to_numpy()
        if len(y) < MIN_ROWS:
            continue
        y = np.unique(y, return_inverse=True)[1] if task.task != "regression" else y
        ratios = [ratio(name, task, X, y) for name in models]
        if None not in ratios:
            found.append(ratios)
            shown = " | ".join(f"{r:.3f}" for r in ratios)
            print(f"| {task.name} | {len(y):,} | {shown} |", flush=True)
    means = np.exp(np.log(found).mean(axis=0))
    better = (np.array(found) < 1).sum(axis=0)
    for name, mean, wins in zip(models, means, better, strict=True):
        print(f"{name}: {mean:.3f}, better on {wins} of {len(found)} tables")


if __name__ == "__main__":
    main()
