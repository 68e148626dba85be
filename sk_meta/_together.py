"""Settings of the whole process that several threads want changed at a time."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from threading import Event, Lock, Thread

import numpy as np
from threadpoolctl import threadpool_limits


class _Together:
    """A context that the first thread enters and the last one leaves."""

    def __init__(self, make: Callable[[], AbstractContextManager]):
        self._make = make
        self._lock, self._n_inside = Lock(), 0
        self._entered: AbstractContextManager | None = None

    def __enter__(self) -> None:
        with self._lock:
            if self._entered is None:
                entered = self._make()
                entered.__enter__()
                self._entered = entered
            self._n_inside += 1

    def __exit__(self, *error) -> None:
        with self._lock:
            self._n_inside -= 1
            if self._n_inside == 0 and self._entered is not None:
                entered, self._entered = self._entered, None
                # An error is one thread's own, and the setting is everybody's.
                entered.__exit__(None, None, None)


def together(
    make: Callable[[], AbstractContextManager],
) -> Callable[[], AbstractContextManager]:
    """Make a context safe for threads that are in it at the same time.

    Each on its own would restore what it found: the first to leave ends the setting
    for all, and the last one leaves it as it is for ever.

    Parameters
    ----------
    make : callable
        Returns a context manager that changes something of the whole process.

    Returns
    -------
    callable
        Returns a context manager that changes it from when the first thread enters
        until the last one has left.
    """
    shared = _Together(make)
    return wraps(make)(lambda: shared)


@contextmanager
def ignored(message: str = r"(?s).*") -> Iterator[None]:
    """Ignore some warnings, or all.

    Unlike ``catch_warnings`` it takes back only its own filter, also from the filters
    that a ``catch_warnings`` of another thread will bring back.

    Parameters
    ----------
    message : str, default=everything
        Regular expression that the start of a message matches.
    """
    warnings.filterwarnings("ignore", message=message)
    within, mine = warnings.filters, warnings.filters[0]
    try:
        yield
    finally:
        for filters in (within, warnings.filters):
            if mine in filters:
                filters.remove(mine)  # type: ignore[attr-defined]


@together
@contextmanager
def _quiet_process():
    # threadpoolctl lets OpenBLAS have its threads back only where they were taken, and
    # the first to enter need not be the last to leave: one more thread does both. An
    # executor would refuse when the main thread has ended and others still fit.
    limited, over = Event(), Event()

    def keep() -> None:
        try:
            with threadpool_limits(limits=1, user_api="blas"):
                limited.set()
                over.wait()
        finally:
            limited.set()

    keeper = Thread(target=keep, daemon=True)
    keeper.start()
    limited.wait()
    try:
        with ignored():
            yield
    finally:
        over.set()
        keeper.join()


@contextmanager
def quiet():
    """One thread per numerical library, and no warnings.

    One thread makes results the same for any number of workers. These are settings
    of the whole process, but for the threads of OpenMP, which every thread has its own
    number of, and for a limit of BLAS that the caller's thread has set itself; it is
    entered by every fit, and not by the workers' threads.
    """
    with _quiet_process(), threadpool_limits(limits=1):
        yield


@contextmanager
def undisturbed():
    """Leave the global random states as they were."""
    numpy_state, python_state = np.random.get_state(), random.getstate()
    try:
        yield
    finally:
        np.random.set_state(numpy_state)
        random.setstate(python_state)
