"""Whether boosting does better with categories as such than with their codes.

    python benchmarks/native_categories.py

The configurations of the catalogue see integer codes of the categories, which trees
cut as if they were ordered. HistGradientBoosting, LightGBM, XGBoost and CatBoost can
also be told which columns are categories. Every one of them is fitted in both ways on
the same folds of the development half of the corpus and of the dirty tables, on at
most 3,000 rows and ten classes, wherever a column of categories has three values or
more. Printed is the loss of a table with categories over the one with codes, and the
geometric mean over the families. CatBoost's configurations with categories
(``catboost-native``) also take those of more than forty values as such, which the
others encode by their target: that is the last column.
"""

from __future__ import annotations

import warnings

import corpus
import dirty_tables
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.metrics import log_loss, root_mean_squared_error
from sklearn.model_selection import KFold, StratifiedKFold

from sk_meta._catalogue import catalogue
from sk_meta._kinds import CATEGORIES
from sk_meta._table import as_table, describe_table, describe_target

MODELS = ("hist-gb", "lightgbm", "xgboost-depth4", "catboost")
WHOLE = "catboost-native"
MAX_ROWS, MIN_ROWS, MAX_CLASSES, FOLDS, SEED = 3_000, 200, 10, 3, 0
FEW_VALUES = 3  # two values are cut in the same way either way


def tables():
    """Tasks of the development halves, one of a family."""
    seen = set()
    for task in (*corpus.TASKS, *dirty_tables.TASKS.values()):
        if corpus.half_of(task.family) == "development" and task.family not in seen:
            seen.add(task.family)
            yield task


def described_tables():
    """These tasks with table and target, where there are rows enough, few classes."""
    for task in tables():
        X, y = corpus.load(task, MAX_ROWS)
        X, y = as_table(X), y.to_numpy()
        if task.task == "classification":
            y = np.unique(y, return_inverse=True)[1]
        many = task.task == "classification" and y.max() >= MAX_CLASSES
        if len(y) >= MIN_ROWS and not many:
            yield task, describe_table(X), X, y


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
    if name.startswith("xgboost"):
        model.set_params(enable_categorical=True)
        return model, frame.astype(dict.fromkeys(many, "category"))
    return model.set_params(cat_features=many), frame


def loss(model, X, y, train, test, classes) -> float:
    """Log loss or RMSE on the test rows."""
    part = (lambda rows: X.iloc[rows]) if hasattr(X, "iloc") else X.__getitem__
    fitted = model.fit(part(train), y[train])
    if classes is None:
        return root_mean_squared_error(y[test], fitted.predict(part(test)))
    return log_loss(y[test], fitted.predict_proba(part(test)), labels=classes)


def ratio(name: str, task, table, X, y) -> float:
    """Loss with categories over the one with codes, NaN without categories."""
    columns = [
        column.selector
        for column in table.of_kind(*CATEGORIES)
        if column.n_unique >= FEW_VALUES and column.detail != "number"
    ]
    if not columns:
        return np.nan
    total = np.zeros(2)
    for train, test, classes in folds_of(task, y):
        pipeline = named(name, task).build(table, SEED)
        values, many = encoded(pipeline, columns, X, y, train)
        model = pipeline.steps[-1][1]
        model = getattr(model, "estimators", [(None, model)])[0][1]
        total[0] += loss(model, values, y, train, test, classes)
        model, frame = as_categories(name, model, values, many)
        total[1] += loss(model, frame, y, train, test, classes)
    return total[1] / total[0]


def ratio_of_pipelines(name: str, other: str, task, table, X, y) -> float:
    """Loss of one configuration over that of another one, NaN where it is not for."""
    target = describe_target(y, task.task)
    if named(name, task).why_not(table, target) is not None:
        return np.nan
    total = np.zeros(2)
    for train, test, classes in folds_of(task, y):
        for k, configuration in enumerate((named(other, task), named(name, task))):
            pipeline = configuration.build(table, SEED)
            total[k] += loss(pipeline, X, y, train, test, classes)
    return total[1] / total[0]


def named(name: str, task):
    """Configuration of that name."""
    return next(c for c in catalogue(task.task) if c.name == name)


def folds_of(task, y):
    """Training rows, test rows and classes of every fold."""
    classification = task.task == "classification"
    classes = np.arange(y.max() + 1) if classification else None
    kind = StratifiedKFold if classification else KFold
    for train, test in kind(FOLDS, shuffle=True, random_state=SEED).split(y, y):
        yield train, test, classes


def print_means(names, ratios) -> None:
    """A line for every model: geometric mean over the tables, less those of NaN."""
    for name, column in zip(names, np.array(ratios).T, strict=True):
        there = column[~np.isnan(column)]
        mean, wins = np.exp(np.log(there).mean()), int((there < 1).sum())
        print(f"{name}: {mean:.3f}, better on {wins} of {len(there)} tables")


def main() -> None:
    """Print a line a table, then the means."""
    warnings.simplefilter("ignore")
    columns = (*MODELS, WHOLE)
    print(f"| table | rows | {' | '.join(columns)} |\n{'|---' * (2 + len(columns))}|")
    found = []
    for task, table, X, y in described_tables():
        ratios = [ratio(name, task, table, X, y) for name in MODELS]
        ratios.append(ratio_of_pipelines(WHOLE, "catboost", task, table, X, y))
        if not np.isnan(ratios).all():
            found.append(ratios)
            shown = " | ".join("" if np.isnan(r) else f"{r:.3f}" for r in ratios)
            print(f"| {task.name} | {len(y):,} | {shown} |", flush=True)
    print_means(columns, found)


if __name__ == "__main__":
    main()
