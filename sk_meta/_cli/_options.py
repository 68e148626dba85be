"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

from argparse import (
    ArgumentParser,
    ArgumentTypeError,
    RawDescriptionHelpFormatter,
    _SubParsersAction,
)
from codecs import lookup
from collections.abc import Callable
from difflib import get_close_matches
from math import isfinite

from sklearn.metrics import get_scorer_names

from .._catalogue import TASKS, catalogue
from .._kinds import DECLARABLE
from ._tables import FORMATS

# What stands for a file or a folder in the usage; completion knows them by it.
FILE, FOLDER = "FILE", "FOLDER"


def add_command(
    commands: _SubParsersAction, name: str, run: Callable, about: str, examples: str
) -> ArgumentParser:
    """Add a command.

    Parameters
    ----------
    commands : action of subparsers
    name : str
    run : callable
        Gets the options.
    about : str
        What it does, in a sentence.
    examples : str
        Lines of a shell, and what else is to be said below the options.

    Returns
    -------
    ArgumentParser
    """
    command = commands.add_parser(
        name,
        help=about,
        description=about[0].upper() + about[1:] + ".",
        epilog="examples:\n" + examples,
        formatter_class=RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run)
    return command


def add_json(command: ArgumentParser) -> None:
    """Add the option that makes the output readable by machines.

    Parameters
    ----------
    command : ArgumentParser
    """
    command.add_argument("--json", action="store_true", help="write JSON, not words")


def add_model(command: ArgumentParser) -> None:
    """Add the model to read, and what it may hold.

    Parameters
    ----------
    command : ArgumentParser
    """
    command.add_argument("model", metavar=FILE, help="model: .skops, .joblib or .pkl")
    add_trust(command)


def add_trust(command: ArgumentParser) -> None:
    """Add what a model may hold.

    Parameters
    ----------
    command : ArgumentParser
    """
    command.add_argument(
        "--trust", metavar="TYPE", action="append", default=[],
        help="a type of your own that a .skops file may hold, such as "
        "my_module.MyModel (repeatable)",
    )  # fmt: skip


def add_table(command: ArgumentParser) -> None:
    """Add a table with a target, and what its columns and the task are.

    Parameters
    ----------
    command : ArgumentParser
    """
    command.add_argument("data", metavar=FILE, help=f"table: {FORMATS}")
    add_writing(command)
    command.add_argument(
        "-y", "--target", metavar="COLUMN", required=True, help="column to predict"
    )
    add_task(command)


def add_writing(command: ArgumentParser) -> None:
    """Add how a table of text is written.

    Parameters
    ----------
    command : ArgumentParser
    """
    command.add_argument(
        "--sep", metavar="TEXT", type=separator, default=None,
        help="what is between the columns of CSV (default: a comma)",
    )  # fmt: skip
    command.add_argument(
        "--encoding", metavar="NAME", type=encoding, default=None,
        help="of a table of text, such as latin-1 (default: utf-8)",
    )  # fmt: skip


def add_rows(command: ArgumentParser) -> None:
    """Add columns that say something about the rows, and are not features.

    Parameters
    ----------
    command : ArgumentParser
    """
    add = command.add_argument
    add("--groups", metavar="COLUMN",
        help="rows with the same value stay on one side of a split")  # fmt: skip
    add("--weights", metavar="COLUMN", help="weight of each row")


def add_task(command: ArgumentParser) -> None:
    """Add the kind of task.

    Parameters
    ----------
    command : ArgumentParser
    """
    command.add_argument(
        "--task", choices=["auto", "classification", "regression"], default="auto",
        help="kind of task (default: told by the target)",
    )  # fmt: skip


def add_choice(command: ArgumentParser) -> None:
    """Add what is searched, and for what.

    Parameters
    ----------
    command : ArgumentParser
    """
    add = command.add_argument
    add("--kind", metavar="COLUMN=KIND", action="append", type=kind, default=[],
        help="what a column is, where it is not what is found: "
        f"{', '.join(DECLARABLE)} (which leaves it out); repeatable")  # fmt: skip
    add("--models", metavar="NAMES", action="extend", type=names, default=None,
        help="families or configurations to choose from, with commas between "
        "(default: all)")  # fmt: skip
    add("--scoring", metavar="SCORER", type=scorer, default=None,
        help="scorer of scikit-learn (default: accuracy or r2)")  # fmt: skip
    add("--knowledge", metavar=FOLDER, default=None,
        help="knowledge base to use (default: the one in the package)")  # fmt: skip
    add("--seed", metavar="NUMBER", type=natural, default=0,
        help="seed of all that is random (default: 0)")  # fmt: skip


def kind(text: str) -> tuple[str, str]:
    """Read ``COLUMN=KIND``.

    Parameters
    ----------
    text : str

    Returns
    -------
    tuple of str
    """
    column, equals, found = text.rpartition("=")
    if not equals or found not in DECLARABLE:
        raise ArgumentTypeError(
            f"{text!r} is not COLUMN=KIND with a kind of {', '.join(DECLARABLE)}"
        )
    return column, found


def separator(text: str) -> str:
    """Read what is between columns; a tab may be written as in Python.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    text = text.replace("\\t", "\t")
    if len(text) != 1:
        raise ArgumentTypeError(f"{text!r} is not a single character")
    return text


def encoding(text: str) -> str:
    """Read the name of an encoding.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    try:
        return lookup(text).name
    except LookupError as error:
        raise ArgumentTypeError(f"{text!r} is no known encoding") from error


def names(text: str) -> list[str]:
    """Read names of configurations or families, with commas between.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str
    """
    wanted = [name.strip() for name in text.split(",") if name.strip()]
    if not wanted:
        raise ArgumentTypeError("it names no family and no configuration")
    everything = [c for task in TASKS for c in catalogue(task)]
    families = sorted({c.family for c in everything})
    known = [*families, *sorted({c.name for c in everything})]
    for name in wanted:
        if name not in known:
            near = get_close_matches(name, known, n=3)
            hint = f"did you mean {', '.join(near)}? " if near else ""
            raise ArgumentTypeError(
                f"{name!r} is neither a family nor a configuration; {hint}Families: "
                f"{', '.join(families)}; recommend shows configurations"
            )
    return wanted


def scorer(text: str) -> str:
    """Read the name of a scorer.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    known = get_scorer_names()
    if text not in known:
        near = get_close_matches(text, known, n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "see scikit-learn's list"
        raise ArgumentTypeError(f"{text!r} is no scorer of scikit-learn; {hint}")
    return text


def seconds(text: str) -> float:
    """Read a positive number of seconds.

    Parameters
    ----------
    text : str

    Returns
    -------
    float
    """
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not (isfinite(value) and value > 0):
        raise ArgumentTypeError(f"{text!r} is not a positive number of seconds")
    return value


def jobs(text: str) -> int:
    """Read a number of jobs, of which negative ones are counted from all processors.

    Parameters
    ----------
    text : str

    Returns
    -------
    int
    """
    number = text.removeprefix("-")
    if not number.isdecimal() or not 0 < int(number) < 2**16:
        raise ArgumentTypeError(f"{text!r} is not a number of jobs; -1 is all")
    return int(text)


def positive(text: str) -> int:
    """Read a whole number of at least one.

    Parameters
    ----------
    text : str

    Returns
    -------
    int
    """
    return _whole(text, 1)


def natural(text: str) -> int:
    """Read a whole number of at least zero.

    Parameters
    ----------
    text : str

    Returns
    -------
    int
    """
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    if not (text.isdecimal() and least <= int(text) < 2**32):
        raise ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
    return int(text)
