"""Frames and parameters as texts for a page, with what they are sorted by."""

from __future__ import annotations

from inspect import signature

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from ._evaluation import OK

_LONG = 32  # characters from which a column is broken into lines
_LONGEST = 300  # characters of a value that are shown
_UNKNOWN = "–"


def number(value) -> str:
    """A number with four digits, or a dash.

    Parameters
    ----------
    value : float

    Returns
    -------
    str

    Examples
    --------
    >>> number(0.93848), number(12345.6), number(float("nan"))
    ('0.9385', '12,346', '–')
    """
    if not np.isfinite(value):
        return _UNKNOWN
    if value == round(value) or abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:#.4g}".rstrip(".")


def table(
    frame: pd.DataFrame,
    name: str,
    caption: str,
    labels: dict[str, str] | None = None,
    marked=None,
) -> dict:
    """A frame for the template of tables.

    Parameters
    ----------
    frame : DataFrame
        Its index is not shown, nor columns that hold dictionaries.
    name : str
        Identifier on the page.
    caption : str
    labels : dict of str to str or None, default=None
        Heads of columns; of others their name, without underscores.
    marked : array-like of bool or None, default=None
        Rows to point out.

    Returns
    -------
    dict
        name, caption, columns, head (position of the column that names the rows),
        sorted (label of the column by which they are sorted, or None) and rows.
    """
    labels = labels or {}
    shown = [key for key, column in frame.items() if not _holds(column, dict)]
    columns = [
        _column(frame[key], labels.get(key, str(key).replace("_", " ")))
        for key in shown
    ]
    marks = [False] * len(frame) if marked is None else list(marked)
    rows = zip(*(column.pop("cells") for column in columns), strict=True)
    return {
        "name": name,
        "caption": caption,
        "columns": columns,
        # The first column of words names the rows.
        "head": next((i for i, c in enumerate(columns) if c["kind"] != "number"), -1),
        "sorted": columns[0]["label"] if shown[:1] == ["rank"] else None,
        "rows": [
            {"cells": cells, "marked": mark}
            for cells, mark in zip(rows, marks, strict=True)
        ],
    }


def left_out(leaderboard: pd.DataFrame) -> dict:
    """What was dropped, has failed or was not applicable, for the template.

    Parameters
    ----------
    leaderboard : DataFrame

    Returns
    -------
    dict
    """
    rest = leaderboard[leaderboard["status"] != OK]
    return table(
        rest[["configuration", "reason", "status", "family"]],
        "left-out-table",
        "Configurations that were dropped early, failed or can't be used here",
    )


def changed(estimator) -> list[tuple[str, str]]:
    """Parameters that don't have their default, and their values in short.

    Parameters
    ----------
    estimator : estimator

    Returns
    -------
    list of (str, str)
    """
    if not hasattr(estimator, "get_params"):
        return []
    usual = signature(type(estimator).__init__).parameters
    return [
        (name, _shortened(repr(value)))
        for name, value in estimator.get_params(deep=False).items()
        if name not in usual or repr(value) != repr(usual[name].default)
    ]


def parts_of(step) -> list[str]:
    """What a step of a pipeline does: to which columns, or with which parameters.

    Parameters
    ----------
    step : estimator or str

    Returns
    -------
    list of str
    """
    if not isinstance(step, ColumnTransformer):
        return [f"{name} = {text}" for name, text in changed(step)]
    parts = []
    # A fitted one has a transformer in the place of this word.
    as_is = [name for name, way, _ in step.transformers if str(way) == "passthrough"]
    for name, way, columns in getattr(step, "transformers_", step.transformers):
        if way == "drop" or not np.size(columns):
            continue
        way = "passthrough" if name in as_is else way
        inner = [one for _, one in way.steps] if isinstance(way, Pipeline) else [way]
        kinds = " → ".join(one if isinstance(one, str) else type(one).__name__
                           for one in inner)  # fmt: skip
        parts.append(f"{name}, {_count(columns)}: {kinds}")
    return parts


def _count(columns) -> str:
    """How many columns a column transformer names."""
    if isinstance(columns, (list, tuple, np.ndarray, pd.Index)):
        flags = np.asarray(columns)
        n = int(flags.sum()) if flags.dtype == bool else len(flags)
        return f"{n} column{'s' * (n != 1)}"
    return "some columns"


def _holds(column: pd.Series, kind: type) -> bool:
    return any(isinstance(value, kind) for value in column)


def _column(column: pd.Series, label: str) -> dict:
    """Label, kind ("number", "long" or ""), and cells: text, and value to sort by."""
    if is_numeric_dtype(column) and not is_bool_dtype(column):
        cells = [
            {"text": number(value), "value": repr(value) if np.isfinite(value) else ""}
            for value in column.astype(float)
        ]
        return {"label": label, "kind": "number", "cells": cells}
    texts = [_text(value) for value in column]
    kind = "long" if any(len(text) > _LONG for text in texts) else ""
    cells = [{"text": text or _UNKNOWN, "value": text} for text in texts]
    return {"label": label, "kind": kind, "cells": cells}


def _text(value) -> str:
    if isinstance(value, (list, tuple)):
        value = ", ".join(map(str, value))
    return "" if pd.isna(value) else _shortened(str(value))


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
