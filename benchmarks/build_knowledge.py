"""Run every applicable configuration on the corpus: the raw knowledge base.

One JSON file per task is written to ``--out`` after every configuration, so the
script can be killed at any time and goes on where it stopped; a configuration
that is in the file is not run again. ``pack_knowledge.py`` makes the shipped
knowledge base of these files.

    python benchmarks/build_knowledge.py --jobs 2
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from corpus import TASKS, load
from joblib import Parallel, delayed
from sklearn.metrics import get_scorer
from sklearn.model_selection import KFold, StratifiedKFold

from sk_meta._catalogue import catalogue
from sk_meta._evaluation import TIMEOUT, FoldResult, evaluate_fold
from sk_meta._parallel import quiet
from sk_meta._scoring import STORED_METRICS
from sk_meta._table import as_table, describe_table, describe_target

OUT = Path(__file__).parent / "raw" / "knowledge"
MAX_ROWS = 2000
# Some tables are run larger, so that the clock learns how seconds grow.
LARGE_ROWS = 5000
# Boosting fits one tree per class and round: with many classes, fewer rows.
MANY_CLASSES, MANY_CLASSES_ROWS = 8, 1000
FIT_LIMIT = 60


class _TimeUp(BaseException):
    """Raised by the alarm; not an Exception, so that no candidate catches it."""


def _raise_time_up(signum, frame):
    raise _TimeUp


def max_rows(task) -> int:
    """Row cap of a task: one in six is run large, chosen by its name."""
    return LARGE_ROWS if sum(map(ord, task.name)) % 6 == 0 else MAX_ROWS


def load_capped(task):
    """Table and target with as many rows as are run."""
    X, y = load(task, max_rows=max_rows(task))
    if task.task == "classification" and y.nunique() > MANY_CLASSES:
        X, y = load(task, max_rows=MANY_CLASSES_ROWS)
    return as_table(X), y.to_numpy()


def splits(y, target):
    """Five folds, three above 1,000 rows; the same for every configuration."""
    n_splits = 5 if len(y) <= 1000 else 3
    kind = StratifiedKFold if target.task == "classification" else KFold
    return list(kind(n_splits, shuffle=True, random_state=0).split(np.zeros(len(y)), y))


def run_fold(configuration, table, X, y, split, scorers, classes) -> FoldResult:
    """One fold within the time limit; seconds are those of the process."""
    signal.signal(signal.SIGALRM, _raise_time_up)
    signal.alarm(FIT_LIMIT)
    try:
        pipeline = configuration.build(table, random_state=0)
        with quiet():
            return evaluate_fold(
                pipeline, X, y, split, scorers, classes, clock=time.process_time
            )
    except (_TimeUp, KeyboardInterrupt):  # CatBoost turns the one into the other
        return FoldResult(TIMEOUT, error=f"over {FIT_LIMIT} s", fit_seconds=FIT_LIMIT)
    finally:
        signal.alarm(0)


def run_configuration(configuration, table, target, X, y, folds, scorers) -> dict:
    """All folds of one configuration, stopping at the first failure."""
    reason = configuration.why_not(table, target)
    if reason is not None:
        return {"status": "excluded", "error": reason, "folds": []}
    results = []
    for split in folds:
        fold = run_fold(configuration, table, X, y, split, scorers, target.classes)
        results.append(fold)
        if fold.status != "ok":
            break
    return {
        "status": results[-1].status,
        "error": results[-1].error,
        "folds": [
            {
                "fit_seconds": fold.fit_seconds,
                "predict_seconds": fold.predict_seconds,
                **fold.scores,
            }
            for fold in results
        ],
    }


def describe(task, table, target) -> dict:
    """What is known of a task before anything is fitted."""
    return {
        "task": task.name,
        "kind": task.task,
        "family": task.family,
        "source": f"{task.package}:{task.item}",
        "target": task.target,
        "n_rows": table.n_rows,
        "n_columns": table.n_columns,
        "n_encoded": table.n_encoded,
        "n_classes": target.n_classes,
    }


def run_task(task, out: Path) -> None:
    """Run what is missing of one task and keep its file up to date."""
    path = out / f"{task.name}.json"
    X, y = load_capped(task)
    table, target = describe_table(X), describe_target(y, task.task)
    record = json.loads(path.read_text()) if path.exists() else {"results": {}}
    record.update(describe(task, table, target))
    scorers = {name: get_scorer(name) for name in STORED_METRICS[task.task]}
    folds = splits(y, target)
    started = time.time()
    for configuration in catalogue(task.task):
        if configuration.name in record["results"]:
            continue
        record["results"][configuration.name] = run_configuration(
            configuration, table, target, X, y, folds, scorers
        )
        write(path, record)
    write(path, record)
    shape = f"{table.n_rows} x {table.n_columns}"
    print(f"{task.name:28s} {shape:>14s} {time.time() - started:7.1f} s", flush=True)


def write(path: Path, record: dict) -> None:
    """Replace the file in one step, so that a kill leaves the old or the new."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(record))
    os.replace(part, path)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--tasks", nargs="*", help="names; all by default")
    options = parser.parse_args()
    everything = catalogue("classification") + catalogue("regression")
    needed = {c.requires for c in everything if c.requires}
    if absent := sorted(name for name in needed if find_spec(name) is None):
        parser.error(f"install {absent} first, or their results would be missing")
    options.out.mkdir(parents=True, exist_ok=True)
    tasks = [t for t in TASKS if not options.tasks or t.name in options.tasks]
    Parallel(n_jobs=options.jobs)(delayed(run_task)(t, options.out) for t in tasks)


if __name__ == "__main__":
    main()
