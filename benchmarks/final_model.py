"""What the final predictor should be: refits or fold models, which ensemble.

    python benchmarks/final_model.py --half development
    python benchmarks/final_model.py --half report

On each table a search of ``CANDIDATES`` configurations runs on two thirds of the
rows, with a knowledge base without the table's family. Every configuration that
ended is then fitted on all those rows (a refit) and on every training fold (fold
models, whose predictions are averaged), and predicts the other third. From these
predictions all the ways to make the final model are scored on the same rows. The
predictions of a table are kept in ``--out``, so that the script can be stopped and
goes on where it was.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from corpus import TASKS, load
from leave_one_family_out import half_of
from sklearn.model_selection import train_test_split

from sk_meta import KnowledgeBase
from sk_meta import _steps as steps
from sk_meta._budget import Budget
from sk_meta._evaluation import SCORE, fit_all_rows, predict_with, take
from sk_meta._parallel import quiet
from sk_meta._problem import describe
from sk_meta._search import Search

OUT = Path(__file__).parent / "raw" / "final"
CANDIDATES, MAX_ROWS, MIN_ROWS = 14, 4000, 150
METRICS = {"binary": "roc_auc", "multiclass": "neg_log_loss",
           "regression": "neg_root_mean_squared_error"}  # fmt: skip


def kind_of(task, y) -> str:
    if task.task == "regression":
        return "regression"
    return "binary" if y.nunique() == 2 else "multiclass"


def collect(task, out: Path) -> None:
    """Search on a table and keep all predictions of what was evaluated."""
    X, y = load(task, MAX_ROWS)
    kind = kind_of(task, y)
    y = y.to_numpy()
    classes = None if task.task == "regression" else y
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=1 / 3, random_state=0, stratify=classes
    )
    problem = describe(
        X.reset_index(drop=True), y, task=task.task, scoring=METRICS[kind], cv=None,
        seed=0,
    )  # fmt: skip
    knowledge = KnowledgeBase.load().without({task.family})
    prior = steps.believe(problem, knowledge, None, "hybrid")
    budget = Budget(count=CANDIDATES)
    result = Search(problem, prior.belief, prior.configurations, budget).run()
    members = result.complete()
    kept = {"kind": kind, "y": problem.y, "y_test": y_test,
            "names": [m.name for m in members],
            "scores": np.array([m.scores(SCORE) for m in members])}  # fmt: skip
    if problem.target.classes is not None:
        kept["classes"] = problem.target.classes
    for k, (_, rows) in enumerate(problem.splits):
        kept[f"rows{k}"] = rows
        kept[f"fold{k}"] = np.stack([m.folds[k].prediction for m in members])
    everything = np.arange(len(y))
    parts = [train for train, _ in problem.splits] + [everything]
    predictions, seconds = [], []
    for member in members:
        configuration = prior.configurations[member.name]
        mine, spent = [], []
        for rows in parts:
            pipeline = configuration.build(problem.table, 0)
            start = time.perf_counter()
            model = fit_all_rows(pipeline, take(problem.X, rows), problem.y[rows])
            spent.append(time.perf_counter() - start)
            mine.append(predict_with(model, X_test, problem.target.classes))
        predictions.append(mine)
        seconds.append(spent)
    kept["test"], kept["seconds"] = np.array(predictions), np.array(seconds)
    np.savez_compressed(out / f"{task.name}.npz", **kept)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--half", choices=("development", "report"), required=True)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--tables", type=int, default=40)
    parser.add_argument("--part", type=int, default=0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    warnings.filterwarnings("ignore")
    seen, chosen = set(), []
    for task in TASKS:
        if half_of(task.family) == options.half and not task.synthetic:
            if task.family not in seen:
                seen.add(task.family)
                chosen.append(task)
    for number, task in enumerate(chosen[: options.tables]):
        path = options.out / f"{task.name}.npz"
        if number % 2 != options.part or path.exists():
            continue
        start = time.perf_counter()
        try:
            if len(load(task, MAX_ROWS)[1]) < MIN_ROWS:
                continue
            with quiet():
                collect(task, options.out)
        except Exception as error:
            print(task.name, "failed:", repr(error)[:200], flush=True)
        print(task.name, f"{time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
