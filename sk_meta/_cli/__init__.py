"""The command line, ``sk-meta``: tables and models in files, no Python needed."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence

from ._output import Mistake, say_beside
from ._parser import parser

__all__ = ["main"]

FAILED, USAGE, INTERRUPTED = 1, 2, 130
_LONGEST = 800  # characters of a message


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str or None, default=None
        Without the name of the program; None is what it was called with.

    Returns
    -------
    int
        0 if all went well, 1 after an error, 2 if the arguments are wrong, 130 if it
        was interrupted.

    Examples
    --------
    >>> from sk_meta._cli import main
    >>> main(["--version"])  # doctest: +ELLIPSIS
    sk-meta ...
    0
    """
    try:
        options = parser().parse_args(arguments)
    except SystemExit as end:
        return int(end.code or 0)
    with warnings.catch_warnings():
        # One line each, without the place in the code.
        warnings.showwarning = _show_warning
        try:
            options.run(options)
            sys.stdout.flush()
        except KeyboardInterrupt:
            say_beside("sk-meta: interrupted")
            return INTERRUPTED
        except BrokenPipeError:  # whoever read the output has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except (Mistake, ValueError, OSError, ImportError, MemoryError) as error:
            say_beside(f"sk-meta {options.command}: error: {_in_words(error)}")
            return FAILED
    return 0


def _in_words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{os.fspath(error.filename)!r}: {error.strerror}"
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _show_warning(message, category, filename, lineno, file=None, line=None) -> None:
    if issubclass(category, UserWarning):
        say_beside(f"sk-meta: warning: {message}")
