"""How long ``recommend`` takes, by the size of the table.

Run it as ``python benchmarks/recommend_time.py``; the first call of a process reads
the trained meta-model, too.
"""

import argparse
import time

from sklearn.datasets import make_classification, make_regression

from sk_meta import MetaLearnerEstimator

SIZES = ((1_000, 20), (10_000, 100), (100_000, 100))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    print("task            rows  columns  call  seconds")
    for make in (make_classification, make_regression):
        task = make.__name__.removeprefix("make_")
        for n_rows, n_columns in SIZES:
            X, y = make(n_rows, n_columns, random_state=0)
            for call in range(1, repeats + 1):
                start = time.perf_counter()
                MetaLearnerEstimator(random_state=0).recommend(X, y)
                seconds = time.perf_counter() - start
                print(f"{task:14} {n_rows:6,} {n_columns:7} {call:5} {seconds:8.2f}")


if __name__ == "__main__":
    main()
