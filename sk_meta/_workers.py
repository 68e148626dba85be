"""Where calls run: in worker processes, in threads, or here.

All kinds have the same methods: ``submit`` starts a call, ``wait`` returns what has
ended, ``span`` tells when it ran and where, ``stop`` ends what runs, ``close`` tidies
up. Processes are joblib's (loky), one executor per worker: so a worker that dies or
hangs is known by its call, and can be ended without disturbing the others.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Collection, Hashable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from multiprocessing import current_process
from threading import RLock, Thread
from typing import Any

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from joblib._parallel_backends import LokyBackend, SequentialBackend, ThreadingBackend
from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.process_executor import BrokenProcessPool
from joblib.parallel import get_active_backend

from ._calls import Raised, outcome_of, run, run_in_process
from ._executors import (
    cut_off,
    end_worker,
    give_back,
    keep_for_later,
    start_worker,
    take_worker,
)
from ._together import undisturbed

Outcomes = list[tuple[Hashable, Any]]
_LOOK_SECONDS = 5.0  # how often it is looked whether workers that are waited for live


class Late:
    """Instead of a result: the call had not ended at the deadline."""


class Died:
    """Instead of a result: the call took its worker with it."""


class _Spans:
    """When each call ran, and on which worker."""

    # Seconds from now in which calls that were submitted ahead may begin; after them
    # they are returned as Late.
    patience = np.inf

    def __init__(self) -> None:
        self._spans: dict[Hashable, tuple[int, float, float]] = {}

    def _begins(self, key: Hashable, worker: int) -> None:
        self._spans[key] = worker, time.perf_counter(), np.nan

    def _ends(self, key: Hashable) -> None:
        with contextlib.suppress(KeyError):  # it was asked for when this was given up
            self._spans[key] = *self._spans[key][:2], time.perf_counter()

    def span(self, key: Hashable) -> tuple[int, float, float] | None:
        """When a call ran; asked for once.

        Returns
        -------
        tuple of (int, float, float), or None
            Number of the worker, from 0, and when the call began and ended, in seconds
            of ``time.perf_counter``; NaN if it has not ended. None if it never began.
        """
        return self._spans.pop(key, None)

    def running(self) -> dict[Hashable, float]:
        """Calls that run and can be ended, and for how many seconds they have."""
        return {}

    def close(self) -> None:
        """Give back what was taken."""


class Here(_Spans):
    """Calls run in this process, one after another, when they are submitted."""

    size = 1
    hard = False
    processes = False

    def __init__(self) -> None:
        super().__init__()
        self._ended: Outcomes = []

    def free(self, ahead: int = 0) -> int:
        """Calls that may be submitted now.

        Parameters
        ----------
        ahead : int, default=0
            How many may wait for the first worker process that is free; they begin
            without the caller. No others wait.
        """
        return 1 - len(self._ended)

    def busy(self) -> int:
        """Calls that were submitted and not returned by :meth:`wait`."""
        return len(self._ended)

    def submit(self, key: Hashable, function: Callable, *args: Any) -> None:
        """Start ``function(*args)``; its outcome will be known by ``key``."""
        self._begins(key, 0)
        with undisturbed():
            self._ended.append((key, outcome_of(function, args)))
        self._ends(key)

    def wait(self, seconds: float) -> Outcomes:
        """Return what has ended, at the latest after so many seconds."""
        ended, self._ended = self._ended, []
        return ended

    def stop(self) -> list[Hashable]:
        """End the calls that run, if that can be; return their keys."""
        return [key for key, _ in self.wait(0)]


class Rounds(Here):
    """Calls run by whatever backend of joblib is active, so many at a time."""

    def __init__(self, n_jobs: int | None):
        super().__init__()
        self.n_jobs = n_jobs
        self.size = effective_n_jobs(n_jobs)
        self._calls: list[tuple] = []

    def free(self, ahead: int = 0) -> int:
        return self.size - self.busy()

    def busy(self) -> int:
        return len(self._calls) + len(self._ended)

    def submit(self, key: Hashable, function: Callable, *args: Any) -> None:
        self._calls.append((key, function, args))

    def wait(self, seconds: float) -> Outcomes:
        if seconds <= 0:
            return super().wait(0)
        calls, self._calls = self._calls, []
        for number, (key, _, _) in enumerate(calls):
            self._begins(key, number)
        parallel = Parallel(n_jobs=self.n_jobs)
        outcomes = parallel(delayed(run)(f, args, np.inf) for _, f, args in calls)
        for (key, _, _), outcome in zip(calls, outcomes, strict=True):
            self._ends(key)
            self._ended.append((key, outcome))
        return super().wait(seconds)

    def stop(self) -> list[Hashable]:
        keys, self._calls = [key for key, _, _ in self._calls], []
        return keys + super().stop()


class Threads(_Spans):
    """Calls run in threads of this process, which can't be ended.

    They are daemons: one that never returns does not keep Python from exiting.
    """

    hard = False
    processes = False

    def __init__(self, size: int):
        super().__init__()
        self.size = size
        self._running: dict[Future, tuple[int, Hashable]] = {}

    def free(self, ahead: int = 0) -> int:
        return self.size - len(self._running)

    def busy(self) -> int:
        return len(self._running)

    def submit(self, key: Hashable, function: Callable, *args: Any) -> None:
        future: Future = Future()
        taken = {number for number, _ in self._running.values()}
        number = min(set(range(len(taken) + 1)) - taken)

        def call() -> None:
            try:
                outcome = outcome_of(function, args)
            except BaseException as error:  # else it would be waited for for ever
                outcome = Raised(error)
            self._ends(key)
            future.set_result(outcome)

        self._begins(key, number)
        self._running[future] = (number, key)
        Thread(target=call, daemon=True).start()

    def wait(self, seconds: float) -> Outcomes:
        ended: Outcomes = []
        for future in _first(self._running, seconds):
            _, key = self._running.pop(future)
            ended.append((key, future.result()))
        return ended

    def stop(self) -> list[Hashable]:
        keys, self._running = [key for _, key in self._running.values()], {}
        return keys


class Processes(_Spans):
    """Calls run in worker processes, which are ended if they are late.

    They start while the caller goes on. A call that was submitted ahead is given to the
    first worker that is free, by the thread of loky's in which it learns of that: so
    workers need not wait for a caller that thinks.

    Parameters
    ----------
    size : int
    memory : float
        Bytes that a call may allocate.
    hurry : bool
        Whether a thread of this process takes calls until the first worker is ready
        (see :attr:`starting`); it can't be ended, and has no limit of memory.
    """

    hard = True
    processes = True

    def __init__(self, size: int, memory: float = np.inf, hurry: bool = False):
        super().__init__()
        self.size = size
        self.memory = memory
        self.hurry = hurry
        # What follows is read and changed by threads of loky's, too.
        self._lock = RLock()
        self._workers: list[ProcessPoolExecutor | None] = [None] * size
        self._starting: dict[Future, int] = {}
        self._running: dict[Future, tuple[int, Hashable]] = {}
        self._ahead: deque[tuple[Hashable, tuple]] = deque()
        self._ahead_until = np.inf
        self._over: list[tuple[Hashable, Future]] = []
        self._broken: set[int] = set()  # workers that took their call with them
        self._substitute = Threads(1)
        self._begun = False
        for number in range(size):
            self._start(number)

    @property
    def patience(self) -> float:  # type: ignore[override]
        return self._ahead_until - time.perf_counter()

    @patience.setter
    def patience(self, seconds: float) -> None:
        self._ahead_until = time.perf_counter() + seconds

    def _start(self, number: int) -> None:
        """Start a worker in a thread, so that the imports are not waited for here."""
        started: Future = Future()
        self._starting[started] = number
        Thread(target=start_worker, args=(started,), daemon=True).start()

    def _send(self, number: int, *call: Any) -> Future:
        """Submit to a worker, or to a new one if it died while it was idle."""
        while True:
            worker = self._workers[number] or take_worker()
            self._workers[number] = worker
            try:
                return worker.submit(*call)
            except BrokenProcessPool:
                end_worker(worker)
                self._workers[number] = None

    @property
    def starting(self) -> bool:
        """Whether calls run in a thread, because no worker has been ready yet."""
        self._note_started(0)
        return self.hurry and not self._begun

    def _note_started(self, seconds: float) -> None:
        for future in _first(self._starting, seconds):
            with self._lock:
                number = self._starting.pop(future)
                self._begun = True
                if future.exception() is None:
                    self._workers[number] = future.result()
        with self._lock:
            for number in self._idle_workers():
                self._give_next(number)

    def _idle_workers(self) -> list[int]:
        taken = {number for number, _ in self._running.values()}
        taken |= self._broken | set(self._starting.values())
        return [number for number in range(self.size) if number not in taken]

    def free(self, ahead: int = 0) -> int:
        if self.starting:
            return self._substitute.free()
        with self._lock:
            return max(0, len(self._idle_workers()) + ahead - len(self._ahead))

    def busy(self) -> int:
        with self._lock:
            mine = len(self._running) + len(self._over) + len(self._ahead)
        return mine + self._substitute.busy()

    def submit(self, key: Hashable, function: Callable, *args: Any) -> None:
        if self.starting:
            return self._substitute.submit(key, function, *args)
        with self._lock:
            idle = self._idle_workers()
            if idle:
                self._give(idle[0], key, (function, args))
            else:
                self._ahead.append((key, (function, args)))

    def _give(self, number: int, key: Hashable, call: tuple) -> None:
        self._begins(key, number)
        future = self._send(number, run_in_process, *call, self.memory)
        self._running[future] = number, key
        future.add_done_callback(self._note_over)

    def _give_next(self, number: int) -> None:
        """Give a free worker a call that was submitted ahead."""
        if self._ahead and self.patience > 0:
            self._give(number, *self._ahead.popleft())

    def _note_over(self, future: Future) -> None:
        with self._lock:
            if future not in self._running:
                return  # it was stopped, or is noted already
            number, key = self._running.pop(future)
            self._ends(key)
            self._over.append((key, future))
            if isinstance(future.exception(), BrokenProcessPool):
                self._broken.add(number)
            else:
                self._give_next(number)

    def wait(self, seconds: float) -> Outcomes:
        self._replace_broken()
        with self._lock:
            everything = {*self._running, *self._starting, *self._substitute._running}
            seconds = 0.0 if self._over else seconds
            if self._ahead:
                seconds = min(seconds, self.patience)
        for future in self._first_of(everything, seconds):
            self._note_over(future)  # its thread may not have come to it
        self._replace_broken()
        self._note_started(0)
        ended = self._substitute.wait(0)
        with self._lock:
            over, self._over = self._over, []
            if self.patience <= 0:
                ended += [(key, Late()) for key, _ in self._ahead]
                self._ahead.clear()
        return ended + [(key, _result_of(future)) for key, future in over]

    def _first_of(self, futures: set[Future], seconds: float) -> set[Future]:
        """Those that are done; meanwhile, calls of workers that died are ended."""
        end = time.perf_counter() + seconds
        while True:
            left = end - time.perf_counter()
            done = wait(futures, max(0, min(left, _LOOK_SECONDS)), FIRST_COMPLETED).done
            if done or not futures:
                return done
            with self._lock:
                for number, _ in self._running.values():
                    cut_off(self._workers[number])
            if left <= _LOOK_SECONDS:
                return done

    def _replace_broken(self) -> None:
        with self._lock:
            broken, self._broken = self._broken, set()
            dead = [self._workers[number] for number in broken]
            for number in broken:
                self._workers[number] = None
                self._start(number)
        for worker in dead:
            end_worker(worker)

    def span(self, key: Hashable) -> tuple[int, float, float] | None:
        span = self._substitute.span(key)
        if span is None:
            return super().span(key)
        return self.size, *span[1:]  # one more, that no worker has

    def running(self) -> dict[Hashable, float]:
        with self._lock:
            now = time.perf_counter()
            keys = [key for _, key in self._running.values()]
            return {key: now - self._spans[key][1] for key in keys}

    def end(self, keys: Collection[Hashable]) -> list[Hashable]:
        """End some calls that run; keys of those that had not ended by themselves."""
        with self._lock:
            late = [f for f, (_, key) in self._running.items() if key in keys]
            taken = self._take_out([f for f in late if not f.done()])
        for number, key, worker, future in taken:
            end_worker(worker, future)
            self._ends(key)
            self._start(number)
        return [key for _, key, *_ in taken]

    def stop(self) -> list[Hashable]:
        with self._lock:
            keys = [key for key, _ in (*self._over, *self._ahead)]
            taken = self._take_out_all()
        for number, _, worker, future in taken:
            end_worker(worker, future)
            self._start(number)  # it will be ready when it is needed
        return [*keys, *(key for _, key, *_ in taken), *self._substitute.stop()]

    def _take_out_all(self) -> list[tuple]:
        self._over.clear()
        self._ahead.clear()
        return self._take_out(list(self._running))

    def _take_out(self, calls: list[Future]) -> list[tuple]:
        """Forget calls that run, and their workers."""
        taken = []
        for future in calls:
            number, key = self._running.pop(future)
            taken.append((number, key, self._workers[number], future))
            self._workers[number] = None
        return taken

    def close(self) -> None:
        with self._lock:
            taken = self._take_out_all()
        for _, _, worker, future in taken:
            end_worker(worker, future)
        self._substitute.stop()
        for started in self._starting:
            started.add_done_callback(keep_for_later)
        for worker in self._workers:
            if worker is not None:
                give_back(worker)
        self._workers, self._starting = [None] * self.size, {}


def _result_of(call: Future) -> Any:
    try:
        return call.result()
    except BrokenProcessPool:
        return Died()
    except Exception as error:
        return Raised(error)


def open_workers(n_jobs: int | None, *, timed: bool, memory: float = np.inf):
    """Choose where calls run, from joblib's backend and what is asked for.

    Parameters
    ----------
    n_jobs : int or None
        As in scikit-learn.
    timed : bool
        Whether there is a deadline. Then even a single job gets a process of its
        own, because a call in this process can't be ended.
    memory : float, default=inf
        Bytes that a call in a worker process may allocate.

    Returns
    -------
    Here, Threads, Processes or Rounds
        Within another parallel loop never processes: one level of them is enough.
    """
    backend, _ = get_active_backend()
    size = effective_n_jobs(n_jobs)
    nested = backend.nesting_level > 0
    if isinstance(backend, ThreadingBackend) or (nested and size > 1):
        return Threads(size) if size > 1 else Here()
    if nested or isinstance(backend, SequentialBackend):
        return Here()
    if size == 1 and (not timed or current_process().daemon):
        return Here()  # a daemon may not have processes of its own
    if size == 1 or isinstance(backend, LokyBackend):
        return Processes(size, memory, hurry=timed)
    return Rounds(n_jobs)


def _first(futures, seconds: float) -> list[Future]:
    """Those that are done, waiting for the first of them."""
    if not futures:
        return []
    return list(wait(list(futures), _timeout(seconds), FIRST_COMPLETED).done)


def _timeout(seconds: float) -> float | None:
    return None if seconds == float("inf") else max(seconds, 0.0)
