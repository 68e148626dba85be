"""Run calls in joblib's workers until a deadline, whatever the calls do."""

from __future__ import annotations

import multiprocessing
import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from joblib import Parallel, delayed, effective_n_jobs
from joblib.externals.loky.process_executor import BrokenProcessPool
from threadpoolctl import threadpool_limits


@contextmanager
def quiet():
    """One thread per numerical library, and no warnings.

    One thread makes results the same for any number of workers. Both are settings
    of the whole process, so this is entered once and not by every thread.
    """
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Late:
    """Instead of a result: the call had not ended at the deadline."""


class Died:
    """Instead of a result: the call took its worker with it."""


def run_calls(
    function: Callable,
    calls: Sequence[tuple],
    n_jobs: int | None,
    seconds_left: Callable[[], float],
) -> list[Any]:
    """Results of ``function(*call)``, in the order of the calls.

    Parameters
    ----------
    function : callable
        Should return its exceptions rather than raise them.
    calls : sequence of tuple
        Arguments of every call.
    n_jobs : int or None
        As in scikit-learn. With one job the calls run in this process, where a
        running one can't be stopped; the first is then always run.
    seconds_left : callable
        Seconds until the deadline, infinite if there is none.

    Returns
    -------
    list
        A result, :class:`Late` or :class:`Died` for every call.
    """
    results: list[Any] = [Late()] * len(calls)
    with quiet():
        if effective_n_jobs(n_jobs) == 1:
            _run_here(function, calls, results, seconds_left)
        else:
            _run_in_workers(function, calls, results, n_jobs, seconds_left)
    return results


def _run_here(function, calls, results, seconds_left) -> None:
    for number, call in enumerate(calls):
        if number == 0 or seconds_left() > 0:
            results[number] = function(*call)


def _run_in_workers(function, calls, results, n_jobs, seconds_left) -> None:
    try:
        numbers = range(len(calls))
        _collect(function, calls, numbers, results, n_jobs, seconds_left)
    except BrokenProcessPool:
        # Find out who did it: run what is left one by one.
        for number in [n for n, r in enumerate(results) if isinstance(r, Late)]:
            try:
                _collect(function, calls, [number], results, n_jobs, seconds_left)
            except BrokenProcessPool:
                results[number] = Died()


def _collect(function, calls, numbers: Iterable[int], results, n_jobs, seconds_left):
    """Store the results of some of the calls as they come in."""
    if seconds_left() <= 0:
        return
    limited = seconds_left() != float("inf")
    parallel = Parallel(
        n_jobs=n_jobs,
        return_as="generator_unordered",
        batch_size=1,
        timeout=seconds_left() if limited else None,
    )
    here = os.getpid()
    done = parallel(delayed(_numbered)(n, here, function, *calls[n]) for n in numbers)
    try:
        for number, result in done:
            results[number] = result
            if limited:
                # joblib counts the timeout anew after each result.
                parallel.timeout = max(seconds_left(), 0.0)
    except (TimeoutError, multiprocessing.TimeoutError):
        return
    finally:
        done.close()


def _numbered(number: int, parent: int, function: Callable, *call) -> tuple[int, Any]:
    """Call the function; a worker that is a process of its own is made quiet."""
    with nullcontext() if os.getpid() == parent else quiet():
        return number, function(*call)
