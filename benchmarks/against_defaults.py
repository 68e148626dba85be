"""Held-out scores against what people would use instead, on unseen families.

    python benchmarks/against_defaults.py --seconds 20
    python benchmarks/against_defaults.py --seconds 20 --boosting

Each table is split once into training and test rows. Ours gets ``--seconds``
and a knowledge base without the table's family; the randomized search over
HistGradientBoosting gets as many seconds as ours took. Errors are 1 − ROC AUC
(two classes), log loss (more) and RMSE. A result file per table is kept in
``--out``, so that the script can be stopped and goes on where it was.

The tables are of the "report" half of the families (see
``leave_one_family_out.py``), on which nothing was tuned.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from corpus import TASKS, half_of, load
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.metrics import get_scorer
from sklearn.model_selection import RandomizedSearchCV, train_test_split
from skrub import tabular_pipeline
from versus_tools import boosting_space, encoded

from sk_meta import KnowledgeBase, MetaLearnerEstimator
from sk_meta._catalogue import catalogue
from sk_meta._pretrained import trained

OUT = Path(__file__).parent / "raw" / "defaults"
MAX_ROWS = 4000
OURS, SEARCH = "sk_meta", "randomized search"
BASELINES = ("HistGradientBoosting", "random forest", "skrub tabular_pipeline", SEARCH)
_OPTIONAL = ("LightGBM", "XGBoost", "CatBoost")


def baselines(kind: str) -> dict:
    """The fixed ones, by name."""
    classify = kind == "classification"
    boosting = (
        HistGradientBoostingClassifier if classify else HistGradientBoostingRegressor
    )
    forest = RandomForestClassifier if classify else RandomForestRegressor
    return {
        "HistGradientBoosting": encoded(boosting(random_state=0)),
        "random forest": encoded(forest(n_jobs=2, random_state=0)),
        "skrub tabular_pipeline": tabular_pipeline(
            "classifier" if classify else "regressor"
        ),
    }


def random_search(kind: str, X, y, scoring: str, seconds: float):
    """RandomizedSearchCV, two draws at a time until the time is up."""
    model = baselines(kind)["HistGradientBoosting"]
    name = model.steps[-1][0]
    space = {f"{name}__{key}": law for key, law in boosting_space().items()}
    start, best, seed = time.perf_counter(), None, 0
    while best is None or time.perf_counter() - start < seconds:
        search = RandomizedSearchCV(
            model, space, n_iter=2, scoring=scoring, cv=5, n_jobs=2, random_state=seed
        ).fit(X, y)
        if best is None or search.best_score_ > best.best_score_:
            best = search
        seed += 1
    return best


def scoring_for(kind: str, y) -> str:
    """Metric of a table."""
    if kind == "regression":
        return "neg_root_mean_squared_error"
    return "roc_auc" if y.nunique() == 2 else "neg_log_loss"


def compare(task, seconds: float, names: list[str] | None) -> dict:
    """Errors and seconds of everybody on one table."""
    X, y = load(task, max_rows=MAX_ROWS)
    stratify = y if task.task == "classification" else None
    X, X_test, y, y_test = train_test_split(
        X, y, test_size=0.3, random_state=0, stratify=stratify
    )
    scoring = scoring_for(task.task, y)
    scorer = get_scorer(scoring)
    knowledge = KnowledgeBase.load().without([task.family])
    # The shipped knowledge base comes with its meta-model trained; so does this one.
    trained(knowledge, task.task, "hybrid", tuple(c.name for c in catalogue(task.task)))
    models = {
        OURS: MetaLearnerEstimator(
            task.task, time_budget=seconds, scoring=scoring, candidates=names,
            knowledge=knowledge, n_jobs=2, random_state=0,
        ),
        **baselines(task.task),
    }  # fmt: skip
    errors, times = {}, {}
    for name, model in models.items():
        start = time.perf_counter()
        model.fit(X, y)
        times[name] = time.perf_counter() - start
        errors[name] = error(scorer(model, X_test, y_test), scoring)
    start = time.perf_counter()
    search = random_search(task.task, X, y, scoring, times[OURS])
    times[SEARCH] = time.perf_counter() - start
    errors[SEARCH] = error(scorer(search, X_test, y_test), scoring)
    board = models[OURS].leaderboard_
    return {
        "task": task.name,
        "metric": scoring,
        "n_rows": len(X),
        "errors": errors,
        "seconds": times,
        "n_evaluated": int((board["status"] == "ok").sum()),
        "stop_reason": models[OURS].stop_reason_,
        "best": models[OURS].best_params_["configuration"],
    }


def error(score: float, scoring: str) -> float:
    """Positive error of a score."""
    return 1 - score if scoring == "roc_auc" else -score


def report(results: list[dict]) -> None:
    """Print the table and the ratios."""
    frame = pd.DataFrame([r["errors"] for r in results])
    heads = [OURS, *BASELINES]
    print("| table | metric | rows | " + " | ".join(heads) + " | evaluated |")
    print("|---" * (len(heads) + 4) + "|")
    for result, row in zip(results, frame[heads].to_numpy(), strict=True):
        best = row.min()
        cells = [f"**{v:.4g}**" if v == best else f"{v:.4g}" for v in row]
        about = f"{result['task']} | {result['metric']} | {result['n_rows']}"
        print(f"| {about} | " + " | ".join(cells) + f" | {result['n_evaluated']} |")
    print("\n| ours against | median ratio of errors | ours better | seconds |")
    print("|---|---|---|---|")
    for name in BASELINES:
        ratio = frame[OURS] / frame[name]
        better = f"{int((ratio < 1).sum())} of {len(ratio)}"
        seconds = np.median([r["seconds"][name] for r in results])
        print(f"| {name} | {ratio.median():.3f} | {better} | {seconds:.1f} |")
    ours = np.median([r["seconds"][OURS] for r in results])
    print(f"\nMedian seconds of ours: {ours:.1f}; the longest: "
          f"{max(r['seconds'][OURS] for r in results):.1f}")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--boosting", action="store_true",
                        help="let ours use LightGBM, XGBoost and CatBoost too")
    parser.add_argument("--classification", type=int, default=16)
    parser.add_argument("--regression", type=int, default=10)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    out = options.out / f"{options.seconds:g}s{'-boosting' * options.boosting}"
    out.mkdir(parents=True, exist_ok=True)
    unseen = [task for task in TASKS if half_of(task.family) == "report"]
    results = []
    for kind in ("classification", "regression"):
        names = None
        if not options.boosting:
            names = [c.name for c in catalogue(kind) if c.family not in _OPTIONAL]
        tasks = [task for task in unseen if task.task == kind]
        for task in tasks[: getattr(options, kind)]:
            path = out / f"{task.name}.json"
            if not path.exists():
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    result = compare(task, options.seconds, names)
                path.write_text(json.dumps(result))
            results.append(json.loads(path.read_text()))
            print(f"{task.name}: done", flush=True)
    report(results)


if __name__ == "__main__":
    main()
