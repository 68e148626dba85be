"""What finding out what the columns are costs on clean numbers.

    python benchmarks/table_overhead.py

Seconds that ``fit`` spends on checking X, describing its columns and looking for what
is to be told of them (``findings_``), and their share of a run of 30 seconds, on arrays
of random numbers and on the same as frames. The aim is less than 2 %. The best of
several repetitions, so that other work on the machine counts little.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from sk_meta import MetaLearnerEstimator
from sk_meta._findings import find
from sk_meta._table import describe_table
from sk_meta._validation import check_X

ROWS, COLUMNS = (100, 1_000, 10_000, 100_000), (10, 30, 100)
BUDGET, AIM, REPEATS = 30, 0.02, 5


def seconds_of(X, y: np.ndarray) -> float:
    """Seconds of the shortest repetition."""
    model = MetaLearnerEstimator("regression", random_state=0)
    problem = model._describe(*model._check(X, y))
    found = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        describe_table(check_X(model, X, reset=True))
        find(problem)
        found.append(time.perf_counter() - start)
    return min(found)


def main() -> None:
    """Print a line a shape."""
    rng = np.random.RandomState(0)
    print(f"| rows | columns | array, s | share of {BUDGET} s | frame, s | share of "
          f"{BUDGET} s | under {AIM:.0%} |")  # fmt: skip
    print("|---" * 7 + "|")
    for n_rows in ROWS:
        for n_columns in COLUMNS:
            X, y = rng.normal(size=(n_rows, n_columns)), rng.normal(size=n_rows)
            row = [f"{n_rows:,}", n_columns]
            shares = []
            for table in (X, pd.DataFrame(X).add_prefix("x")):
                spent = seconds_of(table, y)
                shares.append(spent / BUDGET)
                row += [f"{spent:.4f}", f"{shares[-1]:.3%}"]
            row.append("yes" if max(shares) < AIM else "no")
            print("| " + " | ".join(map(str, row)) + " |", flush=True)


if __name__ == "__main__":
    main()
