"""``predict``, ``explain``, ``report`` and ``code``: what a model in a file is for."""

from __future__ import annotations

from argparse import Namespace, _SubParsersAction
from typing import Any

import numpy as np
import pandas as pd

from .._kinds import (
    CATEGORICAL,
    DATETIME,
    DURATION,
    HIGH_CARDINALITY,
    NUMBER_TEXT,
    TEXT,
)
from .._record import HEAD
from ._models import read_model, read_searched
from ._options import (
    FILE,
    add_command,
    add_json,
    add_model,
    add_writing,
    positive,
)
from ._output import STANDARD, Mistake, check_writable, say, say_json, write_text
from ._tables import FORMATS, check_columns, check_format, read_table, write_table

# Of these no column of a file was numbers alone in fit.
_WRITTEN = (CATEGORICAL, HIGH_CARDINALITY, TEXT, NUMBER_TEXT, DATETIME, DURATION)
_PREDICT = """\
  sk-meta predict model.skops new.csv -o out.csv
  sk-meta predict model.skops new.parquet --proba --keep id -o out.parquet
  sk-meta predict model.skops new.csv | head

Columns that the model does not know are ignored; the order of the columns is free.
A model in a .joblib or .pkl file is a pickle: load only files that you trust.
"""
_EXPLAIN = """\
  sk-meta explain model.skops
  sk-meta explain model.skops -n 1 --json
"""
_REPORT = """\
  sk-meta report model.skops -o report.html
"""
_CODE = """\
  sk-meta code model.skops
  sk-meta code model.skops -o script.py
"""


def add(commands: _SubParsersAction) -> None:
    """Add the four commands.

    Parameters
    ----------
    commands : action of subparsers
    """
    about = "predict the rows of a table by a model"
    command = add_command(commands, "predict", _predict, about, _PREDICT)
    add_model(command)
    command.add_argument("data", metavar=FILE, help=f"table: {FORMATS}")
    add_writing(command)
    _add_output(command, "table to write (default: CSV to the standard output)")
    command.add_argument(
        "--proba", action="store_true", help="also the probability of every class"
    )
    command.add_argument(
        "--keep", metavar="COLUMN", action="append", default=[],
        help="column of the table to write beside the predictions (repeatable)",
    )  # fmt: skip
    add_json(command)

    about = "say in words why these models were tried, and what came of it"
    command = add_command(commands, "explain", _explain, about, _EXPLAIN)
    add_model(command)
    command.add_argument(
        "-n", "--top", metavar="NUMBER", type=positive, default=5,
        help="how many models, at most 10 (default: 5)",
    )  # fmt: skip
    add_json(command)

    about = "make a page of HTML about the search, one file that loads nothing"
    command = add_command(commands, "report", _report, about, _REPORT)
    add_model(command)
    command.add_argument(
        "-o", "--output", metavar=FILE, required=True, help="page to write"
    )
    add_json(command)

    about = "write the best pipeline as a Python script that does not need sk_meta"
    command = add_command(commands, "code", _code, about, _CODE)
    add_model(command)
    _add_output(command, "script to write (default: to the standard output)")


def _add_output(command, about: str) -> None:
    command.add_argument("-o", "--output", metavar=FILE, default=STANDARD, help=about)


def _predict(options: Namespace) -> None:
    check_format(options.output)
    check_writable(options.output)
    model = read_model(options.model, options.trust)
    if options.proba and not hasattr(model, "predict_proba"):
        raise Mistake("--proba: the model knows no probabilities; leave it out.")
    written = options.sep, options.encoding
    table = read_table(options.data, text_columns(model), *written)
    check_columns(table, options.keep, "--keep")
    X = table
    if (names := getattr(model, "feature_names_in_", None)) is not None:
        check_columns(table, names, options.data)
        X = table[list(names)]
    found = _predictions(model, X, options.proba)
    found = pd.concat([table[options.keep], found], axis=1)
    if options.output != STANDARD or not options.json:
        write_table(found, options.output)
    if options.json:
        facts = {"output": options.output, "rows": len(found)}
        say_json(found if options.output == STANDARD else facts)


def text_columns(model) -> tuple[str, ...]:
    """Columns that were something else than plain numbers in fit.

    Parameters
    ----------
    model : estimator
        One that does not know its columns has none.

    Returns
    -------
    tuple of str
    """
    columns = getattr(model, "columns_", None)
    if columns is None:
        return ()
    return tuple(columns["column"][columns["kind"].isin(_WRITTEN)])


def _predictions(model, X: pd.DataFrame, proba: bool) -> pd.DataFrame:
    """What is predicted, and the probabilities of the classes, as columns."""
    columns = _columns("prediction", model.predict(X), None)
    if proba:
        classes: Any = getattr(model, "classes_", None)
        classes = None if isinstance(classes, list) else classes
        columns |= _columns("probability", model.predict_proba(X), classes)
    return pd.DataFrame(columns, index=X.index)


def _columns(name: str, values, of) -> dict[str, np.ndarray]:
    values = np.asarray(values)
    if values.ndim == 1:
        return {name: values}
    of = range(values.shape[1]) if of is None else of
    return {f"{name}_{one}": values[:, i] for i, one in enumerate(of)}


def _explain(options: Namespace) -> None:
    if options.top > HEAD:
        raise Mistake(f"--top: at most {HEAD}.")
    found = read_searched(options.model, options.trust).explain(options.top)
    if not options.json:
        say(str(found))
        return
    parts = ("configurations", "steps", "neighbors", "meta_features", "metric",
             "n_prior_tasks", "scoring")  # fmt: skip
    told = {part: getattr(found, part) for part in parts}
    tables = {"ranks": found.ranks, "effects": found.effects}
    say_json({**told, **{name: one.reset_index() for name, one in tables.items()}})


def _report(options: Namespace) -> None:
    check_writable(options.output)
    model = read_searched(options.model, options.trust)
    write_text(model.report().html, options.output)
    if options.json:
        say_json({"output": options.output})


def _code(options: Namespace) -> None:
    check_writable(options.output)
    model = read_searched(options.model, options.trust)
    write_text(model.to_code(), options.output)
