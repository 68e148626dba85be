"""The tables of a knowledge base: their columns, and what can't be in them.

Tasks have one row each, configurations one row each, results one row per task,
configuration and fold.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ._scoring import STORED_METRICS

TASK_COLUMNS = ("task", "kind", "family", "source", "target", "n_rows", "n_columns",
                "n_encoded", "n_classes", "synthetic")  # fmt: skip
RESULT_COLUMNS = ("task", "configuration", "fold", "status", "error", "fit_seconds",
                  "predict_seconds", "peak_mb")  # fmt: skip
CONFIGURATION_COLUMNS = ("kind", "configuration", "family", "params", "requires")
NUMBERS = ("fit_seconds", "predict_seconds", "peak_mb")
STATUSES = ("ok", "failed", "timeout", "died", "excluded")

# Areas under curves are sums of floats and end a rounding error above 1.
_ROUNDING = 1e-9
_SHOWN = 3


def check_kind(kind: str, name: str = "kind") -> None:
    """Raise if there is no such kind of task.

    Parameters
    ----------
    kind : str
    name : str, default="kind"
        What the value is called where it was given.

    Raises
    ------
    ValueError
    """
    if kind not in list(STORED_METRICS):
        raise ValueError(f"{name}={kind!r} must be one of {list(STORED_METRICS)}.")


def tidy(table: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Give results all columns, in order; what was not measured is NaN.

    Parameters
    ----------
    table : DataFrame
    kind : {"classification", "regression"}

    Returns
    -------
    DataFrame
    """
    numbers = [*NUMBERS, *STORED_METRICS[kind]]
    columns = dict.fromkeys([*RESULT_COLUMNS, *STORED_METRICS[kind], *table])
    return table.reindex(columns=list(columns)).astype(dict.fromkeys(numbers, float))


def rows_of_record(record: dict) -> list[dict]:
    """Results of one raw task record, as :meth:`KnowledgeBase.from_records` takes it.

    Parameters
    ----------
    record : dict

    Returns
    -------
    list of dict
        One per configuration and fold; only the last fold can have gone wrong.
    """
    rows = []
    for name, result in record["results"].items():
        head = {"task": record["task"], "configuration": name}
        end = {"status": result["status"], "error": result["error"]}
        for number, fold in enumerate(result["folds"] or [{}]):
            last = number == len(result["folds"]) - 1 or not result["folds"]
            state = end if last else {"status": "ok", "error": None}
            rows.append({**head, "fold": number, **state, **fold})
    return rows


def rows_given(results: pd.DataFrame, name: str, kind: str) -> pd.DataFrame:
    """Results that a user gave for one task.

    Parameters
    ----------
    results : DataFrame
        As :meth:`KnowledgeBase.add` takes it.
    name : str
        Name of the task.
    kind : {"classification", "regression"}

    Returns
    -------
    DataFrame

    Raises
    ------
    ValueError
        If a column is missing, unknown or not numeric though it should be, or
        there are no results of the dummy.
    """
    metrics = list(STORED_METRICS[kind])
    needed = set(RESULT_COLUMNS) - {"task", "error", "peak_mb"}
    absent = sorted(needed - set(results))
    unknown = sorted(set(results) - {*RESULT_COLUMNS, *metrics}, key=str)
    found = [f"lacks the columns {absent}"] if absent else []
    if unknown:
        found.append(
            f"has the unknown columns {unknown} (the scores of {kind} are {metrics})"
        )
    if found:
        raise ValueError(f"results {' and '.join(found)}.")
    for column in [name for name in (*NUMBERS, *metrics) if name in results]:
        try:
            results[column].astype(float)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"results has a column {column!r} that is not numeric: {error}. Use "
                "NaN for what was not measured."
            ) from error
    if not (results["configuration"] == "dummy").any():
        raise ValueError(
            "results has no rows of the configuration 'dummy', to which all scores are "
            "relative. Score DummyClassifier or DummyRegressor on the same folds."
        )
    if "error" not in results:
        results = results.assign(error=None)
    return tidy(results.assign(task=name).reset_index(drop=True), kind)


def names_alone(results: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Configurations of which only the names are known.

    Parameters
    ----------
    results : dict of str to DataFrame

    Returns
    -------
    DataFrame
    """
    names = [
        (kind, name)
        for kind, table in results.items()
        for name in table["configuration"].unique()
    ]
    table = pd.DataFrame(names, columns=list(CONFIGURATION_COLUMNS[:2]))
    return table.reindex(columns=list(CONFIGURATION_COLUMNS)).astype(object)


def united(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Configurations of both; what the second says of one wins.

    Parameters
    ----------
    first, second : DataFrame

    Returns
    -------
    DataFrame
    """
    keys = list(CONFIGURATION_COLUMNS[:2])
    both = pd.concat([first.astype(object), second.astype(object)])
    return both.groupby(keys, sort=False).last().reset_index()


def find_problems(tasks: pd.DataFrame, results: dict[str, pd.DataFrame]) -> list[str]:
    """Look for entries that can't be.

    Parameters
    ----------
    tasks : DataFrame
        One row per task, indexed by its name.
    results : dict of str to DataFrame
        One row per task, configuration and fold, for every kind of task.

    Returns
    -------
    list of str
        One sentence per kind of problem, with the first entry that has it.
    """
    found = []
    if absent := [name for name in TASK_COLUMNS[1:] if name not in tasks]:
        return [f"the tasks have no columns {absent}"]
    if len(repeated := tasks.index[tasks.index.duplicated()].unique()):
        found.append(f"tasks that have the same name: {_some(repeated)}")
    unknown = tasks.index[~tasks["kind"].isin(STORED_METRICS)]
    if len(unknown):
        kind = tasks["kind"][~tasks["kind"].isin(STORED_METRICS)].iloc[0]
        found.append(f"tasks of an unknown kind such as {kind!r}: {_some(unknown)}")
    if set(results) != set(STORED_METRICS):
        found.append(f"results for {sorted(results)}, not for {sorted(STORED_METRICS)}")
    for kind in STORED_METRICS:
        if kind in results:
            names = tasks.index[tasks["kind"] == kind]
            found += _problems_of_kind(kind, names, results[kind])
    return found


def refuse(problems: list[str], what: str) -> None:
    """Raise if there are problems.

    Parameters
    ----------
    problems : list of str
        As :func:`find_problems` returns them.
    what : str
        What holds the entries.

    Raises
    ------
    ValueError
        With the first few.
    """
    if problems:
        more = len(problems) - _SHOWN
        rest = f"; and {more} more, see KnowledgeBase.check()" if more > 0 else ""
        raise ValueError(
            f"{what} holds entries that can't be: {'; '.join(problems[:_SHOWN])}{rest}"
        )


def _problems_of_kind(kind: str, names: pd.Index, table: pd.DataFrame) -> list[str]:
    if absent := [name for name in RESULT_COLUMNS if name not in table]:
        return [f"{kind}: the results have no columns {absent}"]
    found = [
        f"{kind}: {what}: {_first(table, mask)}"
        for what, mask in _impossible_rows(kind, names, table)
        if mask.any()
    ]
    dummies = table[table["configuration"] == "dummy"]
    whole = (dummies["status"] == "ok").groupby(dummies["task"]).all()
    without = names.difference(whole.index[whole], sort=False)
    if len(without):
        found.append(
            f"{kind}: tasks on which the configuration 'dummy', to which all scores "
            f"are relative, is absent or not ok: {_some(without)}"
        )
    return found


def _impossible_rows(
    kind: str, names: pd.Index, table: pd.DataFrame
) -> Iterator[tuple[str, pd.Series]]:
    """What can't be, and the rows in which it is."""
    ok = table["status"] == "ok"
    keys = ["task", "configuration", "fold"]
    yield f"tasks that are not among those of {kind}", ~table["task"].isin(names)
    yield "no configuration or fold", table[keys[1:]].isna().any(axis=1)
    yield "the same task, configuration and fold twice", table.duplicated(keys)
    yield f"a status other than {list(STATUSES)}", ~table["status"].isin(STATUSES)
    for column in ("fit_seconds", "predict_seconds"):
        wrong = (table[column] < 0) | (ok & ~np.isfinite(table[column]))
        yield f"{column} negative, infinite, or missing where it is ok", wrong
    peak = table["peak_mb"]
    yield "peak_mb negative or infinite", (peak < 0) | np.isinf(peak)
    metrics = [metric for metric in STORED_METRICS[kind] if metric in table]
    yield "status ok, but no score", ok & table[metrics].isna().all(axis=1)
    for metric in metrics:
        low, high = _range(metric)
        values = table[metric]
        inside = values.between(low - _ROUNDING, high + _ROUNDING) & (values > -np.inf)
        yield f"{metric} outside {low:g} to {high:g}", values.notna() & ~inside


def _range(metric: str) -> tuple[float, float]:
    if metric.startswith("neg_"):
        return -np.inf, 0.0
    return (-np.inf if metric == "r2" else 0.0), 1.0


def _first(table: pd.DataFrame, mask: pd.Series) -> str:
    row = table[mask].iloc[0]
    name = f"task {row['task']!r}, configuration {row['configuration']!r}"
    return f"{int(mask.sum())} rows, first {name}, fold {row['fold']}"


def _some(names: pd.Index) -> str:
    rest = len(names) - _SHOWN
    more = f" and {rest} more" if rest > 0 else ""
    return f"{[str(name) for name in names[:_SHOWN]]}{more}"
