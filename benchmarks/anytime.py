"""Held-out error after 5, 10, 30, 60, 120 and 300 seconds.

    python benchmarks/anytime.py --half report --tables 8
    python benchmarks/anytime.py --half report --min-rows 25000 --max-rows 1000000

Every budget is a fit of its own, as users have it, with a knowledge base without the
table's family. The error is one minus ROC AUC, log loss or RMSE, relative to that of
the shortest budget. One result file per table and budget is kept, in a folder for the
largest number of rows and the split.
"""

from __future__ import annotations

import argparse
import json
import warnings
from itertools import islice
from pathlib import Path

import numpy as np
from corpus import load
from final_model import METRICS, kind_of, some_tables
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split

from sk_meta import KnowledgeBase, MetaLearnerEstimator

OUT = Path(__file__).parent / "raw" / "anytime"
SECONDS = (5, 10, 30, 60, 120, 300)
MAX_ROWS = 20_000


def run(
    task, seconds: float, knowledge, n_jobs: int = 2, rows: int = MAX_ROWS, split=0
) -> dict:
    """Fit for so long; error on the rows kept aside, and what was tried."""
    X, y = load(task, rows)
    kind = kind_of(task, y)
    labels = None if kind == "regression" else y
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=1 / 3, random_state=split, stratify=labels
    )
    model = MetaLearnerEstimator(
        task.task, time_budget=seconds, n_jobs=n_jobs, random_state=0,
        scoring=METRICS[kind], knowledge=knowledge,
    )  # fmt: skip
    model.recommend(X, y)  # trains the meta-model, which is not what is timed
    model.fit(X, y)
    score = get_scorer(METRICS[kind])(model, X_test, y_test)
    board = model.leaderboard_
    return {
        "error": 1 - score if kind == "binary" else -score,
        "seen": int((board["n_folds"] > 0).sum()),
        "new": int(board["configuration"].str.contains("~").sum()),
        "stop": model.stop_reason_,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--half", choices=("development", "report"), required=True)
    parser.add_argument("--tables", type=int, default=8)
    parser.add_argument("--seconds", default=",".join(map(str, SECONDS)))
    parser.add_argument("--min-rows", type=int, default=0, help="of tables")
    parser.add_argument("--max-rows", type=int, default=MAX_ROWS, help="of a table")
    parser.add_argument("--split", type=int, default=0, help="seed of the rows kept")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    folder = options.out / f"{options.max_rows}-{options.split}"
    folder.mkdir(parents=True, exist_ok=True)
    warnings.filterwarnings("ignore")
    budgets = [float(part) for part in options.seconds.split(",")]
    print("| table |", " | ".join(f"{s:g} s" for s in budgets), "|")
    print("|---|" + "---|" * len(budgets))
    relative = []
    tables = (t for t in some_tables(options.half, 1000)
              if len(load(t, options.max_rows)[1]) >= options.min_rows)  # fmt: skip
    for task in islice(tables, options.tables):
        knowledge = KnowledgeBase.load().without({task.family})
        found = []
        for seconds in budgets:
            path = folder / f"{task.name}@{seconds:g}-{options.jobs}.json"
            if not path.exists():
                done = run(task, seconds, knowledge, options.jobs, options.max_rows,
                           options.split)  # fmt: skip
                path.write_text(json.dumps(done))
            found.append(json.loads(path.read_text()))
        errors = np.array([one["error"] for one in found])
        relative.append(errors / errors[0])
        cells = [f"{e:.3f} ({one['seen']}, {one['new']} new)"
                 for e, one in zip(relative[-1], found, strict=True)]  # fmt: skip
        print(f"| {task.name} |", " | ".join(cells), "|", flush=True)
    mean = np.exp(np.log(relative).mean(axis=0))
    print("| geometric mean |", " | ".join(f"{m:.3f}" for m in mean), "|")


if __name__ == "__main__":
    main()
