"""Loky's executors of one worker process: started, kept for the next fit, ended."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from concurrent.futures import Future
from threading import Lock

from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.backend.utils import kill_process_tree

from ._calls import ready, settle_in, tidy_up

# Numerical libraries read these when they are loaded.
_ONE_THREAD = {
    f"{name}_NUM_THREADS": "1"
    for name in ("OMP", "OPENBLAS", "MKL", "BLIS", "NUMEXPR", "VECLIB_MAXIMUM")
}
# Where workers are copies of a process that has imported what they need.
_context = None
if sys.platform == "linux":
    from ._forkserver import ForkContext, ForkServer, is_possible

    if is_possible():
        _context = ForkContext(ForkServer(_ONE_THREAD))
_IDLE_SECONDS = 60.0  # after which a worker that has nothing to do ends
_SENT_SECONDS = 1.0  # in which a call is on its way to its worker
# Workers of earlier fits that wait for the next one: starting one takes seconds.
_idle: list[ProcessPoolExecutor] = []
_idle_lock = Lock()
if hasattr(os, "register_at_fork"):  # they are of no use to a copy of this process
    os.register_at_fork(after_in_child=_idle.clear)


def take_worker() -> ProcessPoolExecutor:
    """One that waits for calls, or one whose process starts with its first call."""
    return _take_kept() or _new_worker()


def _take_kept() -> ProcessPoolExecutor | None:
    with _idle_lock:
        return _idle.pop() if _idle else None


def _new_worker() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        max_workers=1,
        timeout=_IDLE_SECONDS,
        initializer=settle_in,
        context=_context,
        env=_ONE_THREAD,
    )


def start_worker(started: Future) -> None:
    """Set a future to a worker that has imported what calls need."""
    try:
        started.set_result(_ready_worker())
    except Exception as error:
        started.set_exception(error)


def _ready_worker() -> ProcessPoolExecutor:
    while kept := _take_kept():
        with contextlib.suppress(Exception):  # it died while it was idle
            kept.submit(ready).result()
            return kept
        end_worker(kept)
    worker = _new_worker()
    try:
        worker.submit(ready).result()
    except Exception:
        end_worker(worker)
        raise
    return worker


def keep_for_later(started: Future) -> None:
    """Keep a worker that was not ready in time."""
    if started.exception() is None:
        give_back(started.result())


def give_back(worker: ProcessPoolExecutor) -> None:
    """Keep a worker for the next fit, without the data of this one."""
    try:
        if worker._processes:  # else it would be started for that
            worker.submit(tidy_up)
    except Exception:
        return end_worker(worker)
    with _idle_lock:
        _idle.append(worker)


def end_worker(worker: ProcessPoolExecutor | None, call: Future | None = None) -> None:
    """Kill a worker, with whatever it has started; ``call`` is its latest."""
    if worker is None:
        return
    # A thread of loky's would trip over a call that it has not sent yet.
    latest = time.monotonic() + _SENT_SECONDS
    while call and not (call.running() or call.done()) and time.monotonic() < latest:
        time.sleep(0.001)
    if worker._flags.broken is None:  # else loky ends them, which must not be at once
        _end_answers(worker)
    # Loky would do it in a thread of its own, too late if this process ends now. The
    # number of a process that has ended may be another's by now.
    for process in list((worker._processes or {}).values()):
        if process.is_alive():
            _kill(process)
    with contextlib.suppress(Exception):
        worker.shutdown(wait=False, kill_workers=True)


def cut_off(worker: ProcessPoolExecutor | None) -> None:
    """End a call whose worker died within its answer; loky finds most others out."""
    if worker is None:
        return
    processes = list((worker._processes or {}).values())
    if processes and not any(process.is_alive() for process in processes):
        _end_answers(worker)


def _end_answers(worker: ProcessPoolExecutor) -> None:
    # A thread of loky's waits for the rest of an answer for as long as anybody could
    # write it, which this process could, too; and Python does not end before it.
    if worker._result_queue is not None:
        worker._result_queue._writer.close()


def _kill(process) -> None:
    try:
        kill_process_tree(process)
    except Exception:  # it needs psutil or pgrep to find the tree
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
