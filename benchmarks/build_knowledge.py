"""Run every applicable configuration on the corpus: the raw knowledge base.

One JSON file per task is written to ``--out`` every few seconds, so the script
can be killed at any time and goes on where it stopped; a configuration that is
in the file is not run again. ``pack_knowledge.py`` makes the shipped knowledge
base of these files.

    python benchmarks/build_knowledge.py --pool     # for choose_portfolio.py
    python benchmarks/build_knowledge.py            # the catalogue on all tasks
    python benchmarks/build_knowledge.py --curves   # some tables at other sizes
    python benchmarks/build_knowledge.py --new      # what the shipped one lacks
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from corpus import TASKS, load
from joblib import Parallel, delayed
from pool import SUBSET, pool
from sklearn.model_selection import KFold, StratifiedKFold

from sk_meta import KnowledgeBase
from sk_meta._catalogue import catalogue
from sk_meta._evaluation import TIMEOUT, FoldResult, evaluate_fold
from sk_meta._scoring import STORED_METRICS, stored_scorer
from sk_meta._table import as_table, describe_table, describe_target
from sk_meta._together import quiet

OUT = Path(__file__).parent / "raw" / "results"
MAX_ROWS = 1500
# Boosting fits one tree per class and round, over all columns: a table with many
# of both is run on fewer rows.
DEAR_CLASSES, DEAR_COLUMNS, DEAR_ROWS = 8, 250, 600
# Every row is predicted once whatever the number of folds, so that the score of
# three folds is hardly noisier than that of five, at half the cost.
FEW_ROWS, FEW_ROWS_FOLDS, FOLDS = 400, 5, 3
# One third of a large table is enough to score on.
MANY_ROWS = 1500
# How ranks and seconds move with the number of rows: parts of large tables with few
# columns, and of every other table that has so many rows the largest part alone.
CURVE_ROWS, LARGEST_ROWS = (500, 1000, 2000, 4000), 16_000
CURVES = (
    "hotel_rate", "health_insurance", "crash_fatal",
    "trump_vote", "magic", "check_times", "gss_income",
    "minneapolis_stops", "movie_rating", "lending_club", "nyc_weather_temp",
    "smoke_ban", "taxi_tip", "earnings", "delivery_time", "nafld_death",
    "nlswork_wage", "abortion_any", "cps1988_wage", "insured_nhis",
    "fertility_morekids",
)  # fmt: skip
# Many classes are told from each other by other models on more rows than the 600 that
# they are run on else.
CLASS_CURVES = {
    "digits": 1500, "leaf_flavia": 1500, "household_income": 4000,
    "storm_status": 4000, "texture": 4000, "letter": 4000, "rodent_species": 4000,
    "tweet_source": 4000, "penbased": 4000,
}  # fmt: skip
FIT_LIMIT = 20
WRITE_EVERY = 5.0
# What must not have changed for earlier results to count.
SAME_TABLE = ("kind", "source", "target", "n_rows", "n_columns", "n_classes")


class _TimeUp(BaseException):
    """Raised by the alarm; not an Exception, so that no candidate catches it."""


def _raise_time_up(signum, frame):
    raise _TimeUp


def load_capped(task):
    """Table and target with as many rows as are run."""
    if "@" in task.name:
        X, y = load(task, max_rows=int(task.name.split("@")[1]))
        return as_table(X), y.to_numpy()
    X, y = load(task, max_rows=MAX_ROWS)
    classes = y.nunique() if task.task == "classification" else 1
    if classes > DEAR_CLASSES or describe_table(as_table(X)).n_encoded > DEAR_COLUMNS:
        X, y = load(task, max_rows=DEAR_ROWS)
    return as_table(X), y.to_numpy()


def splits(y, target):
    """Folds, the same for every configuration."""
    n_splits = FEW_ROWS_FOLDS if len(y) <= FEW_ROWS else FOLDS
    kind = StratifiedKFold if target.task == "classification" else KFold
    folds = kind(n_splits, shuffle=True, random_state=0).split(np.zeros(len(y)), y)
    return list(folds)[: 1 if len(y) > MANY_ROWS else None]


def run_fold(configuration, table, X, y, split, scorers, classes) -> FoldResult:
    """One fold within the time limit; seconds are those of the process."""
    signal.signal(signal.SIGALRM, _raise_time_up)
    signal.alarm(FIT_LIMIT)
    try:
        pipeline = configuration.build(table, random_state=0)
        return evaluate_fold(
            pipeline, X, y, split, scorers, classes, clock=time.process_time
        )
    except (_TimeUp, KeyboardInterrupt):  # CatBoost turns the one into the other
        return FoldResult(TIMEOUT, error=f"over {FIT_LIMIT} s", fit_seconds=FIT_LIMIT)
    finally:
        signal.alarm(0)


def resident(field: str) -> float:
    """Memory of this process in MB: now (VmRSS) or at its highest (VmHWM)."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def forget_peak() -> None:
    """Start VmHWM again from the memory held now (Linux, proc(5))."""
    Path("/proc/self/clear_refs").write_text("5")


def run_configuration(configuration, table, target, X, y, folds, scorers) -> dict:
    """All folds of one configuration, stopping at the first failure."""
    reason = configuration.why_not(table, target)
    if reason is not None:
        return {"status": "excluded", "error": reason, "folds": []}
    results, peaks = [], []
    for split in folds:
        forget_peak()
        before = resident("VmRSS")
        fold = run_fold(configuration, table, X, y, split, scorers, target.classes)
        results.append(fold)
        peaks.append(round(resident("VmHWM") - before, 2))
        if fold.status != "ok":
            break
    return {
        "status": results[-1].status,
        "error": results[-1].error,
        "folds": [
            {
                "fit_seconds": fold.fit_seconds,
                "predict_seconds": fold.predict_seconds,
                "peak_mb": peak,
                **fold.scores,
            }
            for fold, peak in zip(results, peaks, strict=True)
        ],
    }


def curves() -> list:
    """Tasks at several numbers of rows, as tasks of their own."""
    parts = [(t, rows) for t in TASKS if t.name in CURVES for rows in CURVE_ROWS]
    parts += [(t, CLASS_CURVES[t.name]) for t in TASKS if t.name in CLASS_CURVES]
    families: set[str] = set()
    for task in sorted(TASKS, key=lambda task: task.name not in CURVES):
        if task.synthetic or (task.family in families and task.name not in CURVES):
            continue
        X, y = load(task, max_rows=LARGEST_ROWS)
        classes = y.nunique() if task.task == "classification" else 1
        dear = describe_table(as_table(X)).n_encoded > DEAR_COLUMNS
        if len(y) == LARGEST_ROWS and classes <= DEAR_CLASSES and not dear:
            families.add(task.family)
            parts.append((task, LARGEST_ROWS))
    return [replace(task, name=f"{task.name}@{rows}") for task, rows in parts]


def describe(task, table, target) -> dict:
    """What is known of a task before anything is fitted."""
    name, _, rows = task.name.partition("@")
    curve = {"corpus_task": name, "rows": int(rows)} if rows else {}
    return {
        **curve,
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


def run_task(task, configurations, out: Path, known=frozenset()) -> None:
    """Run what is missing of one task and keep its file up to date.

    Configurations in ``known`` are not run.
    """
    path = out / f"{task.name}.json"
    X, y = load_capped(task)
    table, target = describe_table(X), describe_target(y, task.task)
    record = json.loads(path.read_text()) if path.exists() else {"results": {}}
    now = describe(task, table, target)
    if any(record.get(name, now[name]) != now[name] for name in SAME_TABLE):
        record = {"results": {}}  # of another table, since the corpus was changed
    record.update(now)
    scorers = {name: stored_scorer(name) for name in STORED_METRICS[task.task]}
    folds = splits(y, target)
    started = written = time.time()
    known = known | record["results"].keys()
    todo = [c for c in configurations if c.name not in known]
    with quiet():
        for configuration in todo:
            record["results"][configuration.name] = run_configuration(
                configuration, table, target, X, y, folds, scorers
            )
            if time.time() > written + WRITE_EVERY:
                write(path, record)
                written = time.time()
    write(path, record)
    shape = f"{table.n_rows} x {table.n_columns}"
    print(
        f"{time.strftime('%H:%M:%S')} {task.name:24s} {shape:>12s} "
        f"{len(todo):4d} run, {time.time() - started:7.1f} s",
        flush=True,
    )


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
    parser.add_argument(
        "--pool", action="store_true", help="the whole pool, on its subset of tasks"
    )
    parser.add_argument(
        "--curves", action="store_true", help="only what is run at other sizes"
    )
    parser.add_argument(
        "--new", action="store_true", help="only what the shipped knowledge base lacks"
    )
    options = parser.parse_args()
    configurations = {
        kind: pool(kind) if options.pool else catalogue(kind) for kind in STORED_METRICS
    }
    everything = [c for group in configurations.values() for c in group]
    needed = {c.requires for c in everything if c.requires}
    if absent := sorted(name for name in needed if find_spec(name) is None):
        parser.error(f"install {absent} first, or their results would be missing")
    options.out.mkdir(parents=True, exist_ok=True)
    wanted = options.tasks
    if options.pool:
        wanted = [name for names in SUBSET.values() for name in names]
    tasks = curves() if options.curves else TASKS
    tasks = [t for t in tasks if not wanted or t.name in wanted]
    known = shipped() if options.new else {}
    Parallel(n_jobs=options.jobs)(
        delayed(run_task)(
            t, configurations[t.task], options.out, known.get(t.name, frozenset())
        )
        for t in tasks
    )


def shipped() -> dict[str, frozenset[str]]:
    """Configurations of which the package has results, by task."""
    return {
        str(task): frozenset(group)
        for results in KnowledgeBase.load().results.values()
        for task, group in results.groupby("task", observed=True)["configuration"]
    }


if __name__ == "__main__":
    main()
