"""What is written: words, JSON, and files that are whole or not there."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from .._saving import replacing

STANDARD = "-"


class Mistake(Exception):
    """Something that the user can put right; the message says how."""


def say(text: str) -> None:
    """Write a text to the standard output.

    Parameters
    ----------
    text : str
    """
    sys.stdout.write(text.rstrip("\n") + "\n")


def say_beside(text: str) -> None:
    """Write a text to the standard error, which is not part of the result.

    Parameters
    ----------
    text : str
    """
    sys.stderr.write(text.rstrip("\n") + "\n")
    sys.stderr.flush()


def say_json(content: Any) -> None:
    """Write something as JSON; frames are lists of records, NaN is null.

    Parameters
    ----------
    content : object
    """
    say(json.dumps(_plain(content), indent=2, ensure_ascii=False))


def write_text(text: str, path: str) -> None:
    """Write a text to a file, or to the standard output if the path is "-".

    Parameters
    ----------
    text : str
    path : str
        An existing file is replaced when all is written.
    """
    if path == STANDARD:
        say(text)
        return
    with replacing(path) as part:
        part.write_text(text, encoding="utf8")


def _plain(content: Any) -> Any:
    if isinstance(content, dict):
        return {str(key): _plain(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_plain(value) for value in content]
    if isinstance(content, pd.DataFrame):
        text = content.to_json(orient="records", default_handler=str, date_format="iso")
        return json.loads(text)
    if hasattr(content, "item"):
        content = content.item()
    if isinstance(content, float) and not abs(content) < float("inf"):
        return None
    return (
        content if isinstance(content, (str, int, float, type(None))) else str(content)
    )


_OPTIONS = {
    'column_kinds={...: "identifier"}': "--kind COLUMN=identifier",
    "column_kinds": "--kind",
    "one value of groups": "one value of a column for --groups",
    "pass cv=TimeSeriesSplit(5)": "in Python, pass cv=TimeSeriesSplit(5)",
}


def in_options(text: str) -> str:
    """What is said to those who use Python, for those who use the command line.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    for parameter, option in _OPTIONS.items():
        text = text.replace(parameter, option)
    return text


def shown(frame: pd.DataFrame, columns: list[str] | None = None) -> str:
    """A frame as text, as wide as it is; columns that it lacks are left out.

    Parameters
    ----------
    frame : DataFrame
    columns : list of str or None, default=None
    """
    if columns is not None:
        frame = frame[[name for name in columns if name in frame]]
    frame = frame.dropna(axis=1, how="all")
    return frame.to_string(float_format="{:.4g}".format, na_rep="", max_colwidth=60)


def check_writable(path: str | None) -> None:
    """Raise if a file can't be written, before anything long is begun.

    Parameters
    ----------
    path : str or None

    Raises
    ------
    Mistake
    """
    if path is None or path == STANDARD:
        return
    folder = Path(path).parent
    if not folder.is_dir():
        raise Mistake(f"can't write {path!r}: there is no folder {str(folder)!r}.")
    if Path(path).is_dir():
        raise Mistake(f"can't write {path!r}: it is a folder. Name a file in it.")
    if Path(path).exists() and not Path(path).is_file():
        # To put a file in the place of a device would harm the system.
        raise Mistake(f"can't write {path!r}: it is no file.")
    if not os.access(folder, os.W_OK):
        raise Mistake(f"can't write {path!r}: no permission in {str(folder)!r}.")
