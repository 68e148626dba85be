"""The knowledge base: what every configuration did on every prior task.

A folder of files that pandas can read: ``tasks.csv`` (one row per task, its
meta-features in it), ``classification.csv.gz`` and ``regression.csv.gz`` (one
row per task, configuration and fold), ``configurations.csv`` (what the names of
the configurations stand for) and ``card.json`` (provenance, schema number,
hash). Nothing in it is pickled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from numbers import Integral
from pathlib import Path

import numpy as np
import pandas as pd

from ._card import (
    SCHEMA,
    contents,
    merge_cards,
    read_card,
    read_tables,
    sources_frame,
    stamp,
    write,
)
from ._checks import (
    TASK_COLUMNS,
    check_kind,
    find_problems,
    names_alone,
    refuse,
    rows_given,
    rows_of_record,
    tidy,
    united,
)
from ._metafeatures import compute_meta_features
from ._normal_scores import META_FEATURES, NormalScores
from ._scoring import STORED_METRICS
from ._table import as_table, describe_table, describe_target

__all__ = ["SCHEMA", "SHIPPED", "KnowledgeBase", "read"]

SHIPPED = Path(__file__).parent / "data"


@dataclass(frozen=True, eq=False)
class KnowledgeBase:
    """Results of many configurations on many prior tasks.

    Trained models share its tables: do not change them in place, but make a new
    knowledge base with :meth:`add`, :meth:`merge` or :meth:`without`.

    Parameters
    ----------
    tasks : DataFrame
        One row per task, indexed by its name: kind, family, source
        ("package:item"), target, size, whether it is synthetic, and one column
        per meta-feature. A table that was run on several numbers of rows is
        several tasks of one family and source, named ``name@rows``.
    results : dict of str to DataFrame
        For "classification" and "regression", one row per task, configuration
        and fold: status, error, seconds, ``peak_mb`` (peak memory of fit and
        predict above what the process held before, in MB), and one column per
        stored metric, greater is better. What was not measured is NaN. The
        metrics are scikit-learn's scorer names, except ``average_precision``
        (of the rarer class, or the mean over the classes if there are more than
        two), ``neg_mean_pinball_loss_0.1`` and ``neg_mean_pinball_loss_0.9``;
        ``sk_meta._scoring.stored_scorer(name)`` gives the scorer of each.
    card : dict
        Provenance: sources, licences, versions, date, how to regenerate.
    configurations : DataFrame, default=None
        What the names in the results stand for: kind, configuration, family,
        params (JSON text) and requires, the optional package it needs. None
        lists the names alone.

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
    configurations: pd.DataFrame = None

    def __post_init__(self):
        if self.configurations is None:
            object.__setattr__(self, "configurations", names_alone(self.results))

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
            If the folder has no knowledge base, one of a newer schema, or files
            that can't be read or don't match the hash on the card.
        """
        shared = read(path)
        results = {kind: table.copy() for kind, table in shared.results.items()}
        tasks, configurations = shared.tasks.copy(), shared.configurations.copy()
        return cls(tasks, results, deepcopy(shared.card), configurations)

    def save(self, path: str | Path) -> None:
        """Write the knowledge base.

        Parameters
        ----------
        path : str or Path
            Folder; it is made if it does not exist.

        Raises
        ------
        ValueError
            If :meth:`check` finds anything.
        """
        refuse(self.check(), "The knowledge base")
        write(
            Path(path),
            self.tasks,
            self.results,
            self.configurations,
            {**self.card, **contents(self.tasks, self.results)},
        )

    def check(self) -> list[str]:
        """Look for entries that can't be.

        :meth:`add`, :meth:`merge` and :meth:`save` refuse what it finds;
        :meth:`load` trusts the hash.

        Returns
        -------
        list of str
            Problems, such as a score outside its range, time that runs
            backwards, results of an unknown task, the same result twice, or a
            task without results of the configuration "dummy".
        """
        return find_problems(self.tasks, self.results)

    def sources(self) -> pd.DataFrame:
        """Where every table comes from.

        Returns
        -------
        DataFrame
            Indexed by task: source, package, and the licence of the package.
        """
        return sources_frame(self.tasks, self.card)

    def fingerprint(self) -> str:
        """Hash of tasks and results as they are now.

        Returns
        -------
        str
            The same for a copy in another process.
        """
        digest = hashlib.sha256()
        for table in (self.tasks, *self.results.values()):
            digest.update(",".join(map(str, table.columns)).encode())
            digest.update(pd.util.hash_pandas_object(table).to_numpy().tobytes())
        return digest.hexdigest()

    def select(self, kind: str) -> pd.DataFrame:
        """Select the tasks of one kind.

        Parameters
        ----------
        kind : {"classification", "regression"}
            Kind of task.

        Returns
        -------
        DataFrame
            The rows of ``tasks``.

        Raises
        ------
        ValueError
            If the kind is unknown, as for all methods that take one.
        """
        check_kind(kind)
        return self.tasks[self.tasks["kind"] == kind]

    def meta_feature_names(self) -> list[str]:
        """Name the meta-features that the tasks are described by.

        Returns
        -------
        list of str
            Columns of ``tasks``.
        """
        return [name for name in self.tasks if name not in TASK_COLUMNS]

    def scores(self, kind: str, metric: str) -> pd.DataFrame:
        """Mean score over the folds.

        Parameters
        ----------
        kind : {"classification", "regression"}
            Kind of task.
        metric : str
            A stored metric.

        Returns
        -------
        DataFrame of shape (n_tasks, n_configurations)
            NaN where a configuration was excluded or failed.

        Raises
        ------
        ValueError
            If the kind is unknown or the metric not stored.
        """
        check_kind(kind)
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
            Kind of task.

        Returns
        -------
        DataFrame of shape (n_tasks, n_configurations)
            NaN where a configuration was not run.
        """
        results = self._results_of(kind)
        total = results["fit_seconds"] + results["predict_seconds"].fillna(0)
        return self._table(kind, total)

    def failed(self, kind: str) -> pd.DataFrame:
        """Where a configuration was started and did not end well.

        Parameters
        ----------
        kind : {"classification", "regression"}
            Kind of task.

        Returns
        -------
        DataFrame of bool of shape (n_tasks, n_configurations)
            False also where it was excluded.
        """
        bad = ~self._results_of(kind)["status"].isin(["ok", "excluded"])
        return self._table(kind, bad.astype(float)) > 0

    def _results_of(self, kind: str) -> pd.DataFrame:
        """Results of one kind, empty if there are none."""
        check_kind(kind)
        if kind in self.results:
            return self.results[kind]
        return tidy(pd.DataFrame(), kind)

    def _table(self, kind: str, values) -> pd.DataFrame:
        results = self._results_of(kind)
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
            Names as in the column "family" of ``tasks``; unknown ones are ignored.

        Returns
        -------
        KnowledgeBase
            A new one, with the same card.
        """
        tasks = self.tasks[~self.tasks["family"].isin(list(families))]
        results = {
            kind: table[table["task"].isin(tasks.index)]
            for kind, table in self.results.items()
        }
        return KnowledgeBase(tasks, results, self.card, self.configurations)

    def merge(self, other: KnowledgeBase) -> KnowledgeBase:
        """The tasks of both; where both know a task, the other's results win.

        Parameters
        ----------
        other : KnowledgeBase
            What was learned elsewhere.

        Returns
        -------
        KnowledgeBase
            Its card is this one's, with the sources of both; what else the
            other's card says is listed under "merged".

        Raises
        ------
        TypeError
            If `other` is not a knowledge base, but the path of one, for example.
        ValueError
            If :meth:`check` finds anything in the result.
        """
        if not isinstance(other, KnowledgeBase):
            raise TypeError(
                f"other is a {type(other).__name__}, not a KnowledgeBase. If it is the "
                "folder of one, load it first: KnowledgeBase.load(other)."
            )
        new = other.tasks.index
        tasks = pd.concat([self.tasks[~self.tasks.index.isin(new)], other.tasks])
        results = {}
        for kind in STORED_METRICS:
            mine = self._results_of(kind)
            parts = [mine[~mine["task"].isin(new)], other._results_of(kind)]
            # An empty table has no dtypes and would spoil those of the other.
            parts = [part for part in parts if len(part)] or parts[:1]
            results[kind] = pd.concat(parts, ignore_index=True)
        refuse(find_problems(tasks, results), "The merged knowledge base")
        return KnowledgeBase(
            tasks,
            results,
            merge_cards(self.card, other.card),
            united(self.configurations, other.configurations),
        )

    def add(
        self, name: str, X, y, results: pd.DataFrame, *, family: str | None = None,
        source: str = "own", target: str = "y", task: str | None = None,
    ) -> KnowledgeBase:  # fmt: skip
        """The knowledge base with one more task.

        Parameters
        ----------
        name : str
            Name of the task; a known name is refused, since only
            :meth:`merge` replaces.
        X : {DataFrame, ndarray, sparse matrix} of shape (n_samples, n_features)
            Features of any kind, from which the meta-features are computed.
        y : array-like of shape (n_samples,)
            Target without missing values.
        results : DataFrame
            One row per configuration and fold: configuration, fold, status
            ("ok", "failed", "timeout", "died" or "excluded"), fit_seconds,
            predict_seconds, and, where known, error, peak_mb and the stored
            metrics. The rows of the configuration "dummy" (DummyClassifier or
            DummyRegressor) are required, on the same folds: what is learned
            from a task are scores relative to the dummy's. The estimators learn
            only from configurations that have a name of their catalogue.
        family : str, default=None
            Dataset that tasks share when they are made from the same data;
            None is `name`.
        source : str, default="own"
            Where the table comes from, as "package:item".
        target : str, default="y"
            Name of the target.
        task : {"classification", "regression"}, default=None
            Kind of task; None decides from `y`.

        Returns
        -------
        KnowledgeBase
            A new one.

        Raises
        ------
        ValueError
            If the name is known, the dummy absent, a column missing, unknown
            or not numeric, or an entry impossible.
        """
        if name in self.tasks.index:
            raise ValueError(
                f"name={name!r} is a task of the knowledge base already. Choose "
                "another one, or replace the task with KnowledgeBase.merge."
            )
        X, y, features = _described(X, y, task)
        table, kind = describe_table(X), features.task
        fields = (name, kind, family or name, source, target, table.n_rows,
                  table.n_columns, table.n_encoded,
                  describe_target(y, kind).n_classes, False)  # fmt: skip
        row = {**dict(zip(TASK_COLUMNS, fields, strict=True)), **features.to_dict()}
        rows = {other: tidy(pd.DataFrame(), other) for other in STORED_METRICS}
        rows[kind] = rows_given(results, name, kind)
        card = {"name": name, "made": date.today().isoformat(), "protocol": "as added"}
        new = KnowledgeBase(pd.DataFrame([row]).set_index("task"), rows, card)
        refuse(new.check(), f"The task {name!r}")
        return self.merge(new)

    def nearest(
        self, X, y, k: int = 5, *, task: str | None = None, metric: str | None = None,
        features: Iterable[str] | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """Prior tasks that look most like a table, and what was best on them.

        One task per family, the nearest of it: a table can be in the knowledge
        base on several numbers of rows (``name@rows``).

        Parameters
        ----------
        X : {DataFrame, ndarray, sparse matrix} of shape (n_samples, n_features)
            Features of any kind; missing values are allowed.
        y : array-like of shape (n_samples,)
            Target without missing values.
        k : int, default=5
            Number of tasks, at least 1.
        task : {"classification", "regression"}, default=None
            Kind of task; None decides from `y`.
        metric : str, default=None
            Stored metric of the score; None is accuracy or R².
        features : str or iterable of str, default=None
            Meta-features to compare; None takes those of the meta-model.

        Returns
        -------
        DataFrame
            Indexed by task, nearest first: family, source, distance (root mean
            square difference of the meta-features' normal scores), n_rows,
            n_columns, and the best configuration with its score, both NaN if
            the metric was not measured there.

        Raises
        ------
        ValueError
            If there are no tasks of this kind, a name is unknown, or `k` is not
            a positive integer.

        Examples
        --------
        >>> from sklearn.datasets import load_wine
        >>> from sk_meta import KnowledgeBase
        >>> near = KnowledgeBase.load().nearest(*load_wine(return_X_y=True), k=3)
        >>> "wine" in near.index
        True
        """
        if not isinstance(k, Integral) or k < 1:
            raise ValueError(f"k={k!r} must be an integer of at least 1.")
        _, _, here = _described(X, y, task)
        prior = self.select(here.task)
        if not len(prior):
            raise ValueError(f"The knowledge base has no tasks for {here.task}.")
        shared = [name for name in here.names if name in self.tasks]
        if features is None:
            features = [n for n in META_FEATURES[here.task] if n in shared]
        names = [features] if isinstance(features, str) else list(features)
        if not names or (unknown := sorted(set(names) - set(shared))):
            raise ValueError(
                f"features={names if not names else unknown!r} are not meta-features "
                f"of the prior tasks for {here.task}. Use some of {shared}."
            )
        known = prior[names].to_numpy(dtype=float)
        scale = NormalScores().fit(known)
        point = scale.transform(np.array([[here[name] for name in names]]))
        distance = np.sqrt(np.mean((scale.transform(known) - point) ** 2, axis=1))
        near = prior[["family", "source"]].assign(distance=distance)
        near = near.join(prior[["n_rows", "n_columns"]])
        near = near.sort_values("distance", kind="stable")
        near = near[~near["family"].duplicated()].head(k)
        scores = self.scores(here.task, metric or STORED_METRICS[here.task][0])
        return near.join(_best(scores))

    @classmethod
    def from_records(
        cls, records: Iterable[dict], card: dict, configurations=None
    ) -> KnowledgeBase:
        """Make a knowledge base of raw task records.

        Parameters
        ----------
        records : iterable of dict
            Per task: the fields ``task``, ``kind``, ``family``, ``source``,
            ``target``, ``n_rows``, ``n_columns``, ``n_encoded``,
            ``n_classes``, the dict ``meta_features``, and the dict ``results``
            with, per configuration, ``status``, ``error`` and the list
            ``folds`` of dicts of seconds, ``peak_mb`` and scores. The field
            ``synthetic`` is optional.
        card : dict
            Provenance.
        configurations : DataFrame, default=None
            What the names of the configurations stand for.

        Returns
        -------
        KnowledgeBase

        Raises
        ------
        ValueError
            If a record lacks a field or is of an unknown kind, or there is none.
        """
        needed = (*TASK_COLUMNS, "meta_features", "results")
        tasks: list[dict] = []
        rows: dict[str, list[dict]] = {kind: [] for kind in STORED_METRICS}
        for number, record in enumerate(records):
            record = {"synthetic": False, **record}
            which = f"record {record.get('task', number)!r}"
            if absent := [name for name in needed if name not in record]:
                raise ValueError(
                    f"{which} lacks {absent}. Add them as "
                    "KnowledgeBase.from_records describes."
                )
            check_kind(record["kind"], f"{which} can't be used: kind")
            fields = {name: record[name] for name in TASK_COLUMNS}
            tasks.append({**fields, **record["meta_features"]})
            rows[record["kind"]] += rows_of_record(record)
        if not tasks:
            raise ValueError("records is empty. Pass the record of at least one task.")
        results = {kind: tidy(pd.DataFrame(rows[kind]), kind) for kind in rows}
        if configurations is not None:
            configurations = united(names_alone(results), configurations)
        return cls(pd.DataFrame(tasks).set_index("task"), results, card, configurations)


def _described(X, y, task: str | None) -> tuple:
    """Table and target as the package takes them, and their meta-features."""
    if task is not None:
        check_kind(task, "task")
    X, y = as_table(X), _as_target(y)
    return X, y, compute_meta_features(X, y, task or "auto")


def _as_target(y) -> np.ndarray:
    """Target as an array; objects that are all numbers become numbers."""
    y = pd.Series(np.asarray(y).ravel()).infer_objects()
    if missing := int(y.isna().sum()):
        raise ValueError(f"y has {missing} missing values. Drop those rows of X and y.")
    return y.to_numpy()


def _best(scores: pd.DataFrame) -> pd.DataFrame:
    """Best configuration and its score on every task that has scores."""
    scores = scores.dropna(how="all")
    columns = {"configuration": scores.idxmax(axis=1), "score": scores.max(axis=1)}
    return pd.DataFrame(columns)


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
    return _read(path, stamp(path))


@lru_cache(maxsize=4)
def _read(path: Path, stamp: tuple) -> KnowledgeBase:
    """Read the files; ``stamp`` changes when they do."""
    card = read_card(path)
    tasks, results, configurations = read_tables(path, card["schema"])
    return KnowledgeBase(tasks, results, card, configurations)
