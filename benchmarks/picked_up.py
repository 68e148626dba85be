"""Whether the ensemble gains from configurations that a race had dropped.

    python benchmarks/picked_up.py --half development --tables 12

Every table is fitted twice with as many candidates and a knowledge base without the
table's family: as it is, where the best of each family run all their folds at last, and
without that. The error is one minus ROC AUC, log loss or RMSE on a third of the rows.
One result file per table is kept.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
from corpus import load
from final_model import METRICS, kind_of, some_tables
from joblib import Parallel, delayed
from sklearn.metrics import get_scorer
from sklearn.model_selection import train_test_split

from sk_meta import KnowledgeBase, MetaLearnerEstimator, _strategy

OUT = Path(__file__).parent / "raw" / "picked_up"
MAX_ROWS, CANDIDATES = 4000, 20


def run(task, path: Path) -> None:
    """Fit with and without, and keep what came of it."""
    warnings.filterwarnings("ignore")
    X, y = load(task, MAX_ROWS)
    kind = kind_of(task, y)
    labels = None if kind == "regression" else y
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=1 / 3, random_state=0, stratify=labels
    )
    knowledge = KnowledgeBase.load().without({task.family})
    found = []
    for number in (0, _strategy.PER_FAMILY):
        before, _strategy.PER_FAMILY = _strategy.PER_FAMILY, number
        model = MetaLearnerEstimator(
            task.task, n_candidates=CANDIDATES, random_state=0, knowledge=knowledge,
            scoring=METRICS[kind],
        )  # fmt: skip
        model.recommend(X, y)  # trains the meta-model, which is not what is timed
        start = time.perf_counter()
        model.fit(X, y)
        _strategy.PER_FAMILY = before
        score = get_scorer(METRICS[kind])(model, X_test, y_test)
        found.append({
            "error": 1 - score if kind == "binary" else -score,
            "seconds": time.perf_counter() - start,
            "pool": int((model.leaderboard_["status"] == "ok").sum()),
        })  # fmt: skip
    path.write_text(json.dumps(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--half", choices=("development", "report"), required=True)
    parser.add_argument("--tables", type=int, default=12)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    tasks = some_tables(options.half, options.tables)
    paths = {task.name: options.out / f"{task.name}.json" for task in tasks}
    missing = [task for task in tasks if not paths[task.name].exists()]
    Parallel(n_jobs=2)(delayed(run)(task, paths[task.name]) for task in missing)
    print("| table | error | seconds | to choose from |\n|---|---|---|---|")
    ratios = []
    for name, path in paths.items():
        without, now = json.loads(path.read_text())
        error, seconds = (now[key] / without[key] for key in ("error", "seconds"))
        ratios.append((error, seconds))
        print(f"| {name} | {error:.4f} | {seconds:.2f} | "
              f"{without['pool']}, {now['pool']} |")  # fmt: skip
    error, seconds = np.exp(np.log(ratios).mean(axis=0))
    lower = sum(error < 1 for error, _ in ratios)
    higher = sum(error > 1 for error, _ in ratios)
    print(f"| geometric mean | {error:.4f} | {seconds:.2f} | |")
    print(f"\nlower on {lower}, higher on {higher} of {len(ratios)}")


if __name__ == "__main__":
    main()
