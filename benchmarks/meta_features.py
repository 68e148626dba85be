"""Seconds and agreement of our meta-features and pymfe's on the same tables.

Usage::

    python benchmarks/meta_features.py [--runs 3] [--small]

pymfe computes the groups "general", "statistical", "info-theory" and
"landmarking" in full; ours are measured on a bounded sample, with 3 folds for
the landmarkers where pymfe has 10. So the ratio is one of purposes, not of
implementations. The largest absolute difference is over the meta-features that
both have, on tables that ours does not sample; "digits" differs because pymfe
averages over its constant columns and ours leaves them out.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings

import numpy as np
import pandas as pd
from pymfe.mfe import MFE
from sklearn import datasets

from sk_meta._metafeatures import compute_meta_features
from sk_meta._sample import MAX_ROWS

GROUPS = ["general", "statistical", "info-theory", "landmarking"]
SUMMARIES = ["mean", "sd", "median", "min", "max"]


def bundled_tables() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Classification tables that come with scikit-learn."""
    loaders = {
        "iris": datasets.load_iris,
        "wine": datasets.load_wine,
        "breast_cancer": datasets.load_breast_cancer,
        "digits": datasets.load_digits,
    }
    return {name: load(return_X_y=True) for name, load in loaders.items()}


def enlarged(
    X: np.ndarray, y: np.ndarray, n_rows: int = 10_000, n_columns: int = 50
) -> tuple[np.ndarray, np.ndarray]:
    """Resampled rows with noise, and columns that are sums of two real ones."""
    rng = np.random.RandomState(0)
    X = (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0, X.std(axis=0), 1)
    X = X[:, X.std(axis=0) > 0]
    rows = rng.randint(len(X), size=n_rows)
    left, right = rng.randint(X.shape[1], size=(2, n_columns))
    large = X[rows][:, left] + X[rows][:, right]
    return large + 0.1 * rng.randn(n_rows, n_columns), y[rows]


def ours(X: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Our meta-features, by name."""
    return compute_meta_features(X, y, "classification").to_dict()


def theirs(X: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """pymfe's meta-features, by name."""
    extractor = MFE(groups=GROUPS, summary=SUMMARIES, suppress_warnings=True)
    extractor.fit(X, y, rescale="standard", suppress_warnings=True)
    names, values = extractor.extract(suppress_warnings=True)
    return dict(zip(names, values, strict=True))


def timed(function, X, y, n_runs: int) -> tuple[float, dict[str, float]]:
    """Median wall-clock seconds over the runs, and the last result."""
    seconds = []
    for _ in range(n_runs):
        start = time.perf_counter()
        result = function(X, y)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds), result


def compare(name: str, X: np.ndarray, y: np.ndarray, n_runs: int) -> dict:
    """One row of the printed table."""
    our_seconds, our_values = timed(ours, X, y, n_runs)
    their_seconds, their_values = timed(theirs, X, y, n_runs)
    shared = our_values.keys() & their_values.keys()
    differences = {n: abs(our_values[n] - their_values[n]) for n in shared}
    worst = max(differences, key=lambda n: np.nan_to_num(differences[n], nan=-1))
    exact = len(X) <= MAX_ROWS
    return {
        "table": name,
        "rows": X.shape[0],
        "columns": X.shape[1],
        "ours_s": round(our_seconds, 3),
        "pymfe_s": round(their_seconds, 3),
        "ratio": round(their_seconds / our_seconds, 1),
        "shared": len(shared),
        "largest_difference": f"{differences[worst]:.1e}" if exact else "sampled",
        "of": worst if exact else "",
    }


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="runs per table")
    parser.add_argument("--small", action="store_true", help="leave out 10,000 rows")
    options = parser.parse_args()
    tables = bundled_tables()
    if not options.small:
        for name in ("breast_cancer", "digits"):
            tables[f"{name} enlarged"] = enlarged(*tables[name])
    warnings.simplefilter("ignore")
    ours(*tables["iris"])  # the first call imports the learners
    rows = [compare(name, X, y, options.runs) for name, (X, y) in tables.items()]
    print(pd.DataFrame(rows).to_string(index=False))


if __name__ == "__main__":
    main()
