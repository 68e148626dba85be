"""Whether fit keeps its time, on an idle and a busy machine, and how it spends it.

    python benchmarks/budgets.py                     # idle
    python benchmarks/budgets.py --busy 2            # beside so many busy processes
    python benchmarks/budgets.py --large             # a million rows; 20,000 columns
    python benchmarks/budgets.py --profile 30        # where the seconds go
    python benchmarks/budgets.py --profile 30 --calls   # and the caller's, by function

Tables are drawn from real ones with replacement where more rows are asked for than
there are (a little noise keeps rows different): what counts here is the size. The
promise is ``1.1 × budget + 5 s``.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import subprocess
import sys
import time
import warnings

import numpy as np
from corpus import find, load
from sklearn.datasets import load_digits

from sk_meta import MetaLearnerEstimator

HELD_OUT = 600  # rows
ROWS, BUDGETS = (100, 1_000, 10_000, 100_000), (1, 3, 10, 30)
# Rows, columns and budgets: beyond what most tools take.
LARGE = ((1_000_000, 30, (10, 30, 60, 120)), (200, 20_000, (3, 10, 30)))
PROFILED = ("stackoverflow", "psid_wage", "ames")  # and digits


def table_of(n_rows: int):
    """So many rows of a real table of numbers, two classes; and rows held out."""
    X, y = load_digits(return_X_y=True)
    y = (y > 4).astype(int)
    X, X_test, y, y_test = X[HELD_OUT:], X[:HELD_OUT], y[HELD_OUT:], y[:HELD_OUT]
    rng = np.random.default_rng(0)
    rows = rng.integers(0, len(y), n_rows) if n_rows > len(y) else np.arange(n_rows)
    return X[rows] + rng.normal(0, 0.1, (n_rows, X.shape[1])), y[rows], X_test, y_test


def with_columns(X, n_columns: int):
    """So many of its columns; products of two of them where there are fewer."""
    rng = np.random.default_rng(1)
    if n_columns <= X.shape[1]:
        return X[:, rng.permutation(X.shape[1])[:n_columns]]
    pairs = rng.integers(0, X.shape[1], (2, n_columns))
    return X[:, pairs[0]] * X[:, pairs[1]]


def print_overruns(tables, n_jobs: int) -> None:
    """Seconds taken, and what was found in them on rows that were held out."""
    print("| rows | columns | budget | took | over the promise | configurations | "
          "error, of classes | folds | deadline |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    for n_rows, n_columns, budgets in tables:
        X, y, X_test, y_test = table_of(n_rows)
        X, X_test = with_columns(X, n_columns), with_columns(X_test, n_columns)
        for budget in budgets:
            model = MetaLearnerEstimator(
                "classification", time_budget=budget, n_jobs=n_jobs, random_state=0
            )
            start = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.fit(X, y)
            taken = time.perf_counter() - start
            error = 1 - model.score(X_test, y_test)
            n_seen = int((model.leaderboard_["n_folds"] > 0).sum())
            over = max(0.0, taken - 1.1 * budget - 5)
            print(f"| {n_rows:,} | {n_columns:,} | {budget} | {taken:.1f} | {over:.1f} "
                  f"| {n_seen} | {error:.3f} | {model.folds_} | {model.deadline_} |",
                  flush=True)  # fmt: skip


def print_profile(seconds: float, n_jobs: int, calls: bool) -> None:
    """Share of the workers' time that is spent within candidates, and what is ours.

    Utilisation is the share of the search in which calls run, from when they are sent,
    in the workers and in the thread that stands for them while they start.
    """
    tables = {"digits": load_digits(return_X_y=True)}
    for name in PROFILED:
        tables[name] = load(find(name), 4000)
    print("| table | took | folds | a fold, median s | search begins | utilisation | "
          "within candidates, of the search | of all |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    total = cProfile.Profile()
    for name, (X, y) in tables.items():
        model = MetaLearnerEstimator(
            time_budget=seconds, n_jobs=n_jobs, random_state=0, scoring=None
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if calls:
                total.runcall(model.fit, X, y)
            else:
                model.fit(X, y)
        runs, used = model.evaluations_, model.evaluation_time_ / n_jobs
        took = model.search_time_ + model.refit_time_
        begins, spans = runs["started"].min(), runs["ended"] - runs["started"]
        search = model.search_time_ - begins
        print(f"| {name} | {took:.1f} | {len(runs)} | {spans.median():.2f} | "
              f"{begins:.1f} | {spans.sum() / n_jobs / search:.2f} | "
              f"{used / search:.2f} | {(used + model.refit_time_) / took:.2f} |",
              flush=True)  # fmt: skip
    if not calls:
        return
    print("\nthe calling process, cumulative seconds over all tables:\n")
    stats = pstats.Stats(total).sort_stats("cumulative")
    stats.print_stats("sk_meta", 30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--busy", type=int, default=0)
    parser.add_argument("--large", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--profile", type=float)
    parser.add_argument("--calls", action="store_true")
    options = parser.parse_args()
    spin = [sys.executable, "-c", "while True: pass"]
    load_makers = [subprocess.Popen(spin) for _ in range(options.busy)]
    try:
        print(f"{os.cpu_count()} cores, n_jobs={options.jobs}, {options.busy} busy "
              "processes beside it\n")  # fmt: skip
        if options.profile is None:
            small = [(n_rows, 64, BUDGETS) for n_rows in ROWS]
            print_overruns(LARGE if options.large else small, options.jobs)
        else:
            print_profile(options.profile, options.jobs, options.calls)
    finally:
        for process in load_makers:
            process.kill()


if __name__ == "__main__":
    main()
