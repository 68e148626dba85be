"""One run of one AutoML tool, inside the tool's own environment.

    python -P versus_runner.py run FOLDER
    python -P versus_runner.py knowledge FAMILY FOLDER

``versus.py`` starts it as a process of its own. It must be importable where only
the tool is installed. The folder holds ``job.json`` and the tables; what the tool
predicted for the test rows and its seconds are written beside them. Nothing is
scored here.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import sys
import time
import traceback
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

PACKAGES = ("sk-meta", "flaml", "autogluon.tabular", "mljar-supervised", "tpot",
            "lightautoml", "skrub", "scikit-learn", "lightgbm", "xgboost",
            "xgboost-cpu", "catboost", "torch", "pandas", "numpy")  # fmt: skip


def write_table(path: Path, table: pd.DataFrame) -> None:
    """One column a line, as JSON: every environment can read it, whatever pandas.

    Columns of strings are of dtype object there, whatever they are here; dates stay
    dates where they are of a dtype of dates.
    """
    with path.open("w", encoding="utf8") as file:
        for name, column in table.items():
            strings = isinstance(column.dtype, pd.StringDtype)
            entry = {"name": name, "dtype": "object" if strings else str(column.dtype)}
            if isinstance(column.dtype, pd.CategoricalDtype):
                entry |= {
                    "dtype": "category",
                    "categories": column.cat.categories.tolist(),
                    "ordered": bool(column.cat.ordered),
                }
            values = column.astype(object).where(column.notna(), None).tolist()
            json.dump(entry | {"values": values}, file, default=str)
            file.write("\n")


def read_table(path: Path) -> pd.DataFrame:
    """Inverse of :func:`write_table`; what is missing in strings becomes NaN."""
    with path.open(encoding="utf8") as file:
        columns = [_column(json.loads(line)) for line in file]
    return pd.concat(columns, axis=1)


def _column(entry: dict) -> pd.Series:
    dtype, values = entry["dtype"], entry["values"]
    if dtype == "category":
        dtype = pd.CategoricalDtype(entry["categories"], entry["ordered"])
    elif dtype == "object":
        values = [np.nan if value is None else value for value in values]
    elif dtype.startswith("datetime"):
        # Offsets from UTC differ by season.
        values = pd.to_datetime(values, format="ISO8601", utc="," in dtype)
        return pd.Series(values, name=entry["name"]).astype(dtype)
    return pd.Series(values, name=entry["name"], dtype=dtype)


def run(folder: Path) -> None:
    """Fit, predict, and write predictions and seconds."""
    # Last, since names of other scripts here are also those of packages.
    sys.path.append(str(Path(__file__).parent))
    from versus_tools import LABEL, TOOLS, Job

    told = json.loads((folder / "job.json").read_text(encoding="utf8"))
    job = Job(**told, folder=folder)
    # Also of tools that ask the machine instead of their parameter.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: job.cores])
    np.random.seed(job.seed)
    train, test = read_table(folder / "train.json"), read_table(folder / "test.json")
    X, y = train.drop(columns=LABEL), train[LABEL]
    fit = TOOLS[job.tool](job)
    start = time.perf_counter()
    predict, notes = fit(X, y)
    fitted = time.perf_counter()
    found = np.asarray(predict(test), dtype=float)
    done = time.perf_counter()
    if found.ndim == 1 and job.kind == "binary":
        found = np.column_stack([1 - found, found])
    np.save(folder / "predictions.npy", found)
    finish(
        folder,
        fit_seconds=fitted - start,
        predict_seconds=done - fitted,
        versions=versions(),
        notes=notes,
    )


def finish(folder: Path, **outcome) -> None:
    """Write the outcome in one step, so that a killed run leaves none."""
    part = folder / "outcome.part"
    part.write_text(json.dumps(outcome, default=str), encoding="utf8")
    part.replace(folder / "outcome.json")


def versions() -> dict[str, str]:
    """Versions of what matters among what is installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    if "sk-meta" in found:
        # The checkout changes more often than its version number.
        found["sk-meta"] += f"+{_sources('sk_meta')}"
    return found


def _sources(package: str) -> str:
    """Short hash of a package's files."""
    folder = Path(sys.modules[package].__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def build_knowledge(family: str, folder: Path) -> None:
    """The shipped knowledge base without a family, its meta-models trained."""
    from sk_meta import KnowledgeBase, train_meta_models

    KnowledgeBase.load().without([family]).save(folder)
    train_meta_models(folder)


def main() -> None:
    """Command line."""
    warnings.filterwarnings("ignore")
    command, *arguments = sys.argv[1:]
    if command == "knowledge":
        build_knowledge(arguments[0], Path(arguments[1]))
        return
    folder = Path(arguments[0])
    try:
        run(folder)
    except BaseException as error:
        traceback.print_exc()
        finish(folder, error=f"{type(error).__name__}: {error}"[:500])
        raise SystemExit(1) from error


if __name__ == "__main__":
    main()
