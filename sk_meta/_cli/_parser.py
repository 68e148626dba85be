"""The parser of the command line: what all commands share, and the commands."""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter

from .. import __version__
from . import _completion, _experience, _search, _use
from ._tables import FORMATS

_ABOUT = "Find the best model of a table, learning from experience with other tables."
_MORE = f"""\
examples:
  sk-meta fit train.csv --target price --time 60 -o model.skops
  sk-meta predict model.skops new.csv -o out.csv
  sk-meta COMMAND --help

Tables are {FORMATS},
told by the endings .csv, .tsv, .parquet, .arrow, .feather and .jsonl; the ones of text
may be packed, as .csv.gz. What is written to a file replaces it only when it is whole.

exit codes:
  0  all went well
  1  an error; the message says what to do
  2  the arguments are wrong
  130  interrupted
"""


def parser() -> ArgumentParser:
    """Make the parser.

    Returns
    -------
    ArgumentParser
        The options have ``run``, a function of them, and ``command``, its name.
    """
    made = ArgumentParser(
        "sk-meta",
        description=_ABOUT,
        epilog=_MORE,
        formatter_class=RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=f"sk-meta {__version__}")
    commands = made.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _search.add(commands)
    _use.add(commands)
    _experience.add(commands)
    _completion.add(commands, parser)
    return made
