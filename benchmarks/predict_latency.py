"""Seconds for predicting one row with a single pipeline.

    python benchmarks/predict_latency.py

An estimator with ``ensemble_size=1`` is fitted with each family of the catalogue in
turn, on a table of numbers and on one of mixed columns (numbers, categories, dates,
text), and predicts one row again and again: the median of the repetitions, and what
share of it is ours (checking the row and delegating) and not the pipeline's. The aim is
less than 50 ms. The same is printed for the default ensemble.
"""

from __future__ import annotations

import time
import warnings

import numpy as np
import pandas as pd
from corpus import TASKS, load
from dirty_tables import TASKS as DIRTY

from sk_meta import MetaLearnerEstimator
from sk_meta._catalogue import catalogue

TABLES = ("pima", "credit_approval", "poll_share", "tweet_device")
ROWS, REPEATS, AIM, SEED = 1_500, 30, 0.05, 0


def seconds_of(predict, row) -> float:
    """Median seconds of a call, after the first."""
    predict(row)
    found = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        predict(row)
        found.append(time.perf_counter() - start)
    return float(np.median(found))


def measured(X: pd.DataFrame, y, task: str, **options) -> tuple[float, float] | None:
    """Seconds for one row, by us and by the pipeline alone; None if nothing fits."""
    model = MetaLearnerEstimator(
        task, cv=2, random_state=SEED, n_jobs=1, **options
    ).fit(X, y)
    if model.best_params_["configuration"] == "dummy":
        return None  # no configuration of the family is made for the table
    row = X.iloc[[0]]
    whole = seconds_of(model.predict, row)
    pipeline = model.best_estimator_
    return whole, min(seconds_of(pipeline.predict, row), whole)


def main() -> None:
    """Print a line a table and family."""
    warnings.simplefilter("ignore")
    print(f"| table | family | ms for one row | of them ours | under {AIM * 1e3:.0f} |")
    print("|---" * 5 + "|")
    known = {task.name: task for task in (*TASKS, *DIRTY.values())}
    for name in TABLES:
        task = known[name]
        X, y = load(task, ROWS)
        families = sorted({c.family for c in catalogue(task.task)} - {"dummy"})
        for family in families:
            found = measured(
                X, y, task.task, candidates=family, n_candidates=1, ensemble_size=1
            )
            if found is not None:
                print_line(name, family, *found)
        print_line(name, "ensemble", *measured(X, y, task.task, n_candidates=20))


def print_line(table: str, family: str, whole: float, pipeline: float) -> None:
    """One line of the table."""
    ours = "" if family == "ensemble" else f"{1e3 * (whole - pipeline):.1f}"
    verdict = "yes" if whole < AIM else "no"
    print(
        f"| {table} | {family} | {1e3 * whole:.1f} | {ours} | {verdict} |", flush=True
    )


if __name__ == "__main__":
    main()
