"""The knowledge base: what every configuration did on every prior task.

A folder of files that pandas can read: ``tasks.csv`` (one row per task, its
meta-features in it), ``classification.csv.gz`` and ``regression.csv.gz`` (one
row per task, configuration and fold) and ``card.json`` (provenance, schema
number, hash). Nothing in it is pickled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from ._scoring import STORED_METRICS

SCHEMA = 1
SHIPPED = Path(__file__).parent / "data"

_TASK_COLUMNS = ("task", "kind", "family", "source", "target", "n_rows", "n_columns",
                 "n_encoded", "n_classes")
_RESULT_COLUMNS = ("task", "configuration", "fold", "status", "error", "fit_seconds",
                   "predict_seconds")


@dataclass(frozen=True, eq=False)
class KnowledgeBase:
    """Results of many configurations on many prior tasks.

    Parameters
    ----------
    tasks : DataFrame
        One row per task, indexed by its name: kind, family, source, target,
        size, and one column per meta-feature.
    results : dict of str to DataFrame
        For "classification" and "regression", one row per task, configuration
        and fold: status, error, seconds, and one column per stored metric
        (scikit-learn's scorer names, greater is better).
    card : dict
        Provenance: sources, licences, versions, date, how to regenerate.

    Examples
    --------
    >>> from sk_meta import KnowledgeBase
    >>> knowledge = KnowledgeBase.load()
    >>> sorted(knowledge.results)
    ['classification', 'regression']
    >>> len(knowledge.tasks) >= 60
    True
    """

    tasks: pd.DataFrame
    results: dict[str, pd.DataFrame]
    card: dict

    @classmethod
    def load(cls, path: str | Path | None = None) -> KnowledgeBase:
        """Read a knowledge base.

        Parameters
        ----------
        path : str, Path or None, default=None
            Folder that :meth:`save` wrote; None is the one shipped with the
            package.

        Returns
        -------
        KnowledgeBase

        Raises
        ------
        ValueError
            If the folder has no knowledge base, another schema, or files that
            don't match the hash on the card.
        """
        shared = read(path)
        results = {kind: table.copy() for kind, table in shared.results.items()}
        return cls(shared.tasks.copy(), results, dict(shared.card))

    def save(self, path: str | Path) -> None:
        """Write the knowledge base.

        Parameters
        ----------
        path : str or Path
            Folder; it is made if it does not exist.
        """
        path = Path(path)
        path.mkdir(parents=True, exist_ok=True)
        self.tasks.to_csv(path / "tasks.csv", float_format="%.6g")
        for kind, results in self.results.items():
            # No time stamp in the header: the same content has the same hash.
            results.to_csv(
                path / f"{kind}.csv.gz",
                index=False,
                float_format="%.6g",
                compression={"method": "gzip", "mtime": 0},
            )
        card = {**self.card, "schema": SCHEMA, "sha256": _hash(path)}
        (path / "card.json").write_text(json.dumps(card, indent=2) + "\n")

    def select(self, kind: str) -> pd.DataFrame:
        """Tasks of one kind.

        Parameters
        ----------
        kind : {"classification", "regression"}

        Returns
        -------
        DataFrame
        """
        return self.tasks[self.tasks["kind"] == kind]

    def meta_feature_names(self) -> list[str]:
        """Names of the meta-features that the tasks are described by."""
        return [name for name in self.tasks if name not in _TASK_COLUMNS]

    def scores(self, kind: str, metric: str) -> pd.DataFrame:
        """Mean score over the folds.

        Parameters
        ----------
        kind : {"classification", "regression"}
        metric : str
            A stored metric.

        Returns
        -------
        DataFrame of shape (n_tasks, n_configurations)
            NaN where a configuration was excluded or failed.

        Raises
        ------
        ValueError
            If the metric is not stored.
        """
        if metric not in STORED_METRICS[kind]:
            raise ValueError(
                f"metric={metric!r} is not stored for {kind}. "
                f"Use one of {list(STORED_METRICS[kind])}."
            )
        return self._table(kind, metric)

    def seconds(self, kind: str) -> pd.DataFrame:
        """Mean seconds for fitting and predicting one fold.

        Parameters
        ----------
        kind : {"classification", "regression"}

        Returns
        -------
        DataFrame of shape (n_tasks, n_configurations)
        """
        results = self.results[kind]
        total = results["fit_seconds"] + results["predict_seconds"].fillna(0)
        return self._table(kind, total)

    def failed(self, kind: str) -> pd.DataFrame:
        """Where a configuration was started and did not end well.

        Parameters
        ----------
        kind : {"classification", "regression"}

        Returns
        -------
        DataFrame of bool of shape (n_tasks, n_configurations)
        """
        bad = ~self.results[kind]["status"].isin(["ok", "excluded"])
        return self._table(kind, bad.astype(float)) > 0

    def _table(self, kind: str, values) -> pd.DataFrame:
        results = self.results[kind]
        if isinstance(values, str):
            # A configuration that failed on one fold has no score.
            values = results[values].where(results["status"] == "ok")
        keys = [results["task"], results["configuration"]]
        table = values.groupby(keys, sort=False).mean()
        table[values.isna().groupby(keys, sort=False).any()] = np.nan
        wide = table.unstack("configuration")
        return wide.reindex(self.select(kind).index)

    def without(self, families: Iterable[str]) -> KnowledgeBase:
        """The knowledge base less all tasks of some families.

        Parameters
        ----------
        families : iterable of str

        Returns
        -------
        KnowledgeBase
        """
        tasks = self.tasks[~self.tasks["family"].isin(list(families))]
        results = {
            kind: table[table["task"].isin(tasks.index)]
            for kind, table in self.results.items()
        }
        return KnowledgeBase(tasks, results, self.card)

    def merge(self, other: KnowledgeBase) -> KnowledgeBase:
        """The tasks of both; where both know a task, the other's results win.

        Parameters
        ----------
        other : KnowledgeBase

        Returns
        -------
        KnowledgeBase
        """
        new = other.tasks.index
        tasks = pd.concat([self.tasks[~self.tasks.index.isin(new)], other.tasks])
        results = {}
        for kind, mine in self.results.items():
            parts = [mine[~mine["task"].isin(new)], other.results[kind]]
            # An empty table has no dtypes and would spoil those of the other.
            parts = [part for part in parts if len(part)] or parts[:1]
            results[kind] = pd.concat(parts, ignore_index=True)
        return KnowledgeBase(tasks, results, self.card)

    @classmethod
    def from_records(cls, records: Iterable[dict], card: dict) -> KnowledgeBase:
        """Make a knowledge base of raw task records.

        Parameters
        ----------
        records : iterable of dict
            Per task: the fields ``task``, ``kind``, ``family``, ``source``,
            ``target``, ``n_rows``, ``n_columns``, ``n_encoded``,
            ``n_classes``, the dict ``meta_features``, and the dict ``results``
            with, per configuration, ``status``, ``error`` and the list
            ``folds`` of dicts of seconds and scores.
        card : dict
            Provenance.

        Returns
        -------
        KnowledgeBase

        Raises
        ------
        ValueError
            If a record lacks a field.
        """
        tasks: list[dict] = []
        rows: dict[str, list[dict]] = {kind: [] for kind in STORED_METRICS}
        for record in records:
            if absent := [name for name in _TASK_COLUMNS if name not in record]:
                raise ValueError(f"record {record.get('task')!r} lacks {absent}")
            fields = {name: record[name] for name in _TASK_COLUMNS}
            tasks.append({**fields, **record["meta_features"]})
            rows[record["kind"]] += _result_rows(record)
        results = {
            kind: pd.DataFrame(rows[kind], columns=[*_RESULT_COLUMNS, *metrics])
            for kind, metrics in STORED_METRICS.items()
        }
        return cls(pd.DataFrame(tasks).set_index("task"), results, card)


def _result_rows(record: dict) -> list[dict]:
    rows = []
    for name, result in record["results"].items():
        head = {"task": record["task"], "configuration": name}
        end = {"status": result["status"], "error": result["error"]}
        for number, fold in enumerate(result["folds"] or [{}]):
            last = number == len(result["folds"]) - 1 or not result["folds"]
            state = end if last else {"status": "ok", "error": None}
            rows.append({**head, "fold": number, **state, **fold})
    return rows


_FILES = ("tasks.csv", *(f"{kind}.csv.gz" for kind in STORED_METRICS))


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    for name in _FILES:
        digest.update((path / name).read_bytes())
    return digest.hexdigest()


def read(path: str | Path | None = None) -> KnowledgeBase:
    """Read a knowledge base that nobody will change.

    Parameters
    ----------
    path : str, Path or None, default=None
        As for :meth:`KnowledgeBase.load`.

    Returns
    -------
    KnowledgeBase
        The same object as long as the files are the same.

    Raises
    ------
    ValueError
        As :meth:`KnowledgeBase.load`.
    """
    path = Path(SHIPPED if path is None else path).resolve()
    files = [path / name for name in ("card.json", *_FILES)]
    if absent := [file.name for file in files if not file.is_file()]:
        raise ValueError(
            f"knowledge={str(path)!r} holds no knowledge base: {absent} missing. "
            "Pass a folder written by KnowledgeBase.save."
        )
    stats = [file.stat() for file in files]
    return _read(path, tuple((stat.st_mtime_ns, stat.st_size) for stat in stats))


@lru_cache(maxsize=4)
def _read(path: Path, stamp: tuple) -> KnowledgeBase:
    """Read the files; ``stamp`` changes when they do."""
    card = json.loads((path / "card.json").read_text())
    if card.get("schema") != SCHEMA:
        raise ValueError(
            f"knowledge={str(path)!r} has schema {card.get('schema')!r}, this version "
            f"of sk_meta reads {SCHEMA}. Write it again with this version."
        )
    if card.get("sha256") != _hash(path):
        raise ValueError(
            f"knowledge={str(path)!r} does not match the hash on its card: a file was "
            "changed or is incomplete. Write or install it again."
        )
    tasks = pd.read_csv(path / "tasks.csv", index_col="task")
    results = {kind: pd.read_csv(path / f"{kind}.csv.gz") for kind in STORED_METRICS}
    return KnowledgeBase(tasks, results, card)
