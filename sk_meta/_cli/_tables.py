"""Tables in files: read by the ending of the name, written in the same formats."""

from __future__ import annotations

import sys
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

from .._saving import replacing
from ._output import STANDARD, Mistake, say_beside

# Reading CSV in pieces would type them apart.
_csv = partial(pd.read_csv, low_memory=False)
# "007" in quotes is no number. Since pandas 3.1, dtype=False concerns dates too.
_dates = {"convert_dates": False}
if tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1):
    _dates = {}
_lines = partial(pd.read_json, lines=True, dtype=False, **_dates)
_READERS: dict[str, Callable] = {
    ".csv": _csv,
    ".tsv": partial(_csv, sep="\t"),
    ".tab": partial(_csv, sep="\t"),
    ".parquet": pd.read_parquet,
    ".arrow": pd.read_feather,
    ".feather": pd.read_feather,
    ".jsonl": _lines,
    ".ndjson": _lines,
}
_TEXT = (".csv", ".tsv", ".tab")
_LINES = (".jsonl", ".ndjson")
FORMATS = "CSV, TSV, Parquet, Arrow/Feather or JSON lines"
_ENDINGS = ".csv, .tsv, .parquet, .arrow, .feather, .jsonl; the text ones also .gz"


def read_table(
    path: str, as_text: tuple = (), sep: str | None = None, encoding: str | None = None
) -> pd.DataFrame:
    """Read a table.

    Parameters
    ----------
    path : str
    as_text : tuple, default=()
        Columns that are not numbers even where a file of text holds numbers alone.
    sep : str or None, default=None
        What is between the columns of a file of text, if its ending does not say so.
    encoding : str or None, default=None
        Of a file of text; None is UTF-8.

    Returns
    -------
    DataFrame
        With at least one row and one column.

    Raises
    ------
    Mistake
        If there is no such file, its format is unknown or another one, or it is empty.
    """
    ending = _ending(path)
    if not Path(path).exists():
        raise Mistake(f"there is no file {path!r}.{like(path)}")
    options = _written(ending, sep, encoding)
    if as_text and ending in _TEXT:
        options["dtype"] = dict.fromkeys(as_text, str)
    try:
        table = _READERS[ending](path, **options)
    except pd.errors.EmptyDataError as error:
        raise Mistake(f"{path!r} is empty.") from error
    except ImportError as error:
        raise Mistake(
            f"reading {path!r} needs pyarrow: pip install pyarrow."
        ) from error
    except UnicodeDecodeError as error:
        raise Mistake(
            f"{path!r} is not in UTF-8. Name its --encoding, such as latin-1 or cp1252."
        ) from error
    except OSError as error:
        if error.errno is None:  # of pyarrow or gzip: the contents, not the file
            raise _unreadable(path, ending, error) from error
        raise
    except (TypeError, ValueError, EOFError, AttributeError) as error:
        raise _unreadable(path, ending, error) from error
    if 0 in table.shape:
        raise Mistake(f"{path!r} has no rows, or no columns.")
    return table.set_axis(table.columns.map(str), axis=1)


def _written(ending: str, sep: str | None, encoding: str | None) -> dict[str, Any]:
    """How a file of text is read that is not written as its ending says."""
    options: dict[str, Any] = {}
    if sep is not None:
        if ending not in _TEXT:
            raise Mistake(f"--sep is for CSV, and not for {ending}.")
        options["sep"] = sep
    if encoding is not None:
        if ending not in (*_TEXT, *_LINES):
            raise Mistake(f"--encoding is for files of text, and not for {ending}.")
        options["encoding"] = encoding
    return options


def read_labelled(
    path: str, target: str, as_text: tuple = (), sep: str | None = None,
    encoding: str | None = None,
) -> tuple[pd.DataFrame, pd.Series]:
    """Read a table and its target; rows that have none are left out, with a warning.

    Parameters
    ----------
    path : str
    target : str
        Column to predict. In a file of text, "None" is a class if others are words.
    as_text : tuple, default=()
    sep, encoding : str or None, default=None
        See :func:`read_table`.

    Returns
    -------
    X : DataFrame
    y : Series

    Raises
    ------
    Mistake
        As in :func:`read_table`; or if there is no such column, or nothing in it.
    """
    table = read_table(path, as_text, sep, encoding)
    check_columns(table, [target], "--target")
    position = table.columns.get_loc(target)
    y = table.pop(target)
    hint = ""
    if y.hasnans and _ending(path) in _TEXT:
        # The whole table as before: a single column would be told apart otherwise
        # where the first one has no name.
        options = _written(_ending(path), sep, encoding)
        options |= {"dtype": {target: str}, "keep_default_na": False}
        written = _READERS[_ending(path)](path, **options).iloc[:, position].fillna("")
        y = _with_none(y, written)
        texts = sorted({*written[y.isna()]} - {""})
        hint = f" ({', '.join(texts)} is read as missing)" if texts else ""
    known = y.notna()
    if not known.any():
        raise Mistake(f"--target: no row has a value of {target!r}.")
    if known.all():
        return table, y
    say_beside(
        f"sk-meta: warning: {(~known).sum()} rows without a value of {target!r} are "
        f"left out{hint}."
    )
    return table[known].reset_index(drop=True), y[known].reset_index(drop=True)


def _with_none(y: pd.Series, written: pd.Series) -> pd.Series:
    """A target in which the text "None" is a class, if the others are words."""
    none = written == "None"
    words = y.map(type).isin([str, float]).all() and not is_numeric_dtype(y)
    if not (words and none.any()):
        return y
    say_beside(
        f"sk-meta: warning: 'None' in {none.sum()} rows of {y.name!r} is taken for a "
        "class."
    )
    return y.mask(none, "None")


def _unreadable(path: str, ending: str, error: Exception) -> Mistake:
    reason = " ".join(str(error).split())[:200]
    return Mistake(
        f"{path!r} can't be read as {ending[1:]}: {reason}. Does its ending say what "
        "it is?"
    )


def _ending(path: str) -> str:
    """Ending that tells the format."""
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    packed = suffixes[-1:] == [".gz"]
    ending = (suffixes[:-1] if packed else suffixes)[-1:] or [""]
    if ending[0] not in _READERS or packed and ending[0] not in (*_TEXT, *_LINES):
        raise Mistake(f"the format of {path!r} is not known. Use {_ENDINGS}.")
    return ending[0]


def like(path: str) -> str:
    """Ask whether a file was meant that is named like one that is absent.

    Parameters
    ----------
    path : str

    Returns
    -------
    str
        Empty, if there is none in the folder.
    """
    folder = Path(path).parent
    names = [file.name for file in folder.iterdir()] if folder.is_dir() else []
    near = get_close_matches(Path(path).name, names, n=1)
    return f" Did you mean {str(folder / near[0])!r}?" if near else ""


def take_column(table: pd.DataFrame, name: str, option: str) -> pd.Series:
    """Take a column out of a table.

    Parameters
    ----------
    table : DataFrame
        Loses it.
    name : str
    option : str
        Where it was named.

    Returns
    -------
    Series

    Raises
    ------
    Mistake
        If there is none; the message names those that are spelled like it.
    """
    check_columns(table, [name], option)
    return table.pop(name)


def check_columns(table: pd.DataFrame, names, option: str) -> None:
    """Raise if a table lacks a column.

    Parameters
    ----------
    table : DataFrame
    names : iterable of str
    option : str
        Where they were named.

    Raises
    ------
    Mistake
    """
    known = list(map(str, table.columns))
    for name in names:
        if name not in known:
            if len(known) == 1 and (marks := [m for m in ";\t|" if m in known[0]]):
                raise Mistake(
                    f"{option}: no column {name!r}, as the table has a single one, "
                    f"{known[0][:40]!r}. Is it separated by {marks[0]!r}? Then say "
                    f"--sep {marks[0]!r}."
                )
            near = get_close_matches(name, known, n=3, cutoff=0.5)
            shown = near or known[:10]
            hint = "Did you mean" if near else "There are"
            rest = "" if near or len(known) <= 10 else f" and {len(known) - 10} more"
            raise Mistake(f"{option}: no column {name!r}. {hint} {shown}{rest}?")


def check_format(path: str | None) -> None:
    """Raise if a table can't be written in the format that a name asks for.

    Parameters
    ----------
    path : str or None
    """
    if path is None or path == STANDARD:
        return
    if _ending(path) not in (*_TEXT, *_LINES) and find_spec("pyarrow") is None:
        raise Mistake(f"writing {path!r} needs pyarrow: pip install pyarrow.")


def write_table(table: pd.DataFrame, path: str) -> None:
    """Write a table, as CSV to the standard output if the path is "-".

    Parameters
    ----------
    table : DataFrame
    path : str
    """
    if path == STANDARD:
        table.to_csv(sys.stdout, index=False)
        return
    ending = _ending(path)
    packed = "gzip" if path.lower().endswith(".gz") else None
    with replacing(path) as part:
        if ending in _TEXT:
            sep = "," if ending == ".csv" else "\t"
            table.to_csv(part, index=False, sep=sep, compression=packed)
        elif ending in _LINES:
            table.to_json(part, orient="records", lines=True, compression=packed)
        else:
            write = table.to_parquet if ending == ".parquet" else table.to_feather
            write(part)
