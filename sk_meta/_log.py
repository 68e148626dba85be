"""What users are told: the log, silent unless it is asked for, and warnings."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_SILENT = logging.CRITICAL + 1
# Of the fit that runs in this thread; to set the level of the logger itself would
# concern the fits of other threads.
_level: ContextVar[int] = ContextVar("level", default=_SILENT)


class _FitLogger(logging.LoggerAdapter):
    """The logger "sk_meta", with a level of its own in every fit."""

    def isEnabledFor(self, level: int) -> bool:
        return level >= _level.get() or self.logger.isEnabledFor(level)

    def log(self, level: int, msg, *args, **kwargs) -> None:
        if not self.isEnabledFor(level):
            return
        file, line, function, _ = self.logger.findCaller(stacklevel=2)
        record = self.logger.makeRecord(
            self.logger.name, level, file, line, msg, args, None, function
        )
        self.logger.handle(record)
        if level >= _level.get() and not _has_handler(self.logger):
            logging.StreamHandler().handle(record)


def _has_handler(logger: logging.Logger | None) -> bool:
    """Whether the application has said where the log goes."""
    while logger is not None:
        if any(not isinstance(h, logging.NullHandler) for h in logger.handlers):
            return True
        logger = logger.parent if logger.propagate else None
    return False


_plain = logging.getLogger("sk_meta")
_plain.addHandler(logging.NullHandler())
logger = _FitLogger(_plain)


@contextmanager
def logged(verbose: int) -> Iterator[None]:
    """Log what this thread does: with 1 every configuration, with 2 every fold.

    The lines go to the handlers of the logger "sk_meta" and its parents, or to the
    standard error if there are none.

    Parameters
    ----------
    verbose : int
        0 logs what the application has asked for by the level of the logger.
    """
    levels = (_level.get(), logging.INFO, logging.DEBUG)
    token = _level.set(levels[min(int(verbose), 2)])
    try:
        yield
    finally:
        _level.reset(token)


def warn_user(message: str) -> None:
    """Warn of what concerns the user, at the line that has called the package.

    Parameters
    ----------
    message : str
        What it is, and what to do.
    """
    frame, level = sys._getframe(1), 2
    while (back := frame.f_back) and _is_between(frame):
        frame, level = back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)


def _is_between(frame) -> bool:
    """Whether a frame is neither the user's nor below it."""
    package = frame.f_globals.get("__name__", "").partition(".")[0]
    return package in ("sk_meta", "sklearn", "joblib", "contextlib")
