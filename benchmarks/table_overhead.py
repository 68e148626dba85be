"""What finding out what the columns are costs on clean numbers.

    python benchmarks/table_overhead.py

Seconds that ``fit`` spends on checking X and describing its columns before anything
else, and their share of a run of 30 seconds, on arrays of random numbers. The aim is
less than 2 %. The best of several repetitions, so that other work on the machine
counts little.
"""

from __future__ import annotations

import time

import numpy as np

from sk_meta import MetaLearnerEstimator
from sk_meta._table import describe_table
from sk_meta._validation import check_X

ROWS, COLUMNS = (100, 1_000, 10_000, 100_000), (10, 30, 100)
BUDGET, AIM, REPEATS = 30, 0.02, 5


def seconds_of(X: np.ndarray) -> float:
    """Seconds of the shortest repetition."""
    found = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        describe_table(check_X(MetaLearnerEstimator(), X, reset=True))
        found.append(time.perf_counter() - start)
    return min(found)


def main() -> None:
    """Print a line a shape."""
    rng = np.random.RandomState(0)
    print(f"| rows | columns | seconds | share of {BUDGET} s | under {AIM:.0%} |")
    print("|---" * 5 + "|")
    for n_rows in ROWS:
        for n_columns in COLUMNS:
            spent = seconds_of(rng.normal(size=(n_rows, n_columns)))
            share = spent / BUDGET
            verdict = "yes" if share < AIM else "no"
            row = (f"{n_rows:,}", n_columns, f"{spent:.4f}", f"{share:.3%}", verdict)
            print("| " + " | ".join(map(str, row)) + " |")


if __name__ == "__main__":
    main()
