"""One clock and one deadline for everything that a fit does."""

from __future__ import annotations

import time
from collections.abc import Callable

from ._memory import free_memory

REFIT_GRACE = 2.0  # seconds that a refit in a worker may run over the budget


class Budget:
    """Seconds and candidates that may be spent.

    Parameters
    ----------
    seconds : float or None, default=None
        Wall-clock seconds from now; None is no limit.
    count : int or None, default=None
        Number of configurations that may be started; None is no limit.
    clock : callable, default=time.perf_counter
        Seconds now; tests pass their own.
    """

    def __init__(
        self,
        seconds: float | None = None,
        count: int | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ):
        self._clock = clock
        self._start = clock()
        self._seconds = float("inf") if seconds is None else float(seconds)
        self._count = float("inf") if count is None else count
        self._started = 0
        self.free_memory = free_memory()  # bytes, when the budget was opened

    @property
    def limited(self) -> bool:
        """Whether there is a limit on the seconds."""
        return self._seconds != float("inf")

    def elapsed(self) -> float:
        """Seconds since the budget was opened."""
        return self._clock() - self._start

    def at(self, moment: float) -> float:
        """Seconds since the budget was opened, at a moment of its clock."""
        return moment - self._start

    def remaining(self, reserve: float = 0.0) -> float:
        """Seconds left before the deadline, less a reserve for what follows."""
        return self._seconds - reserve - self.elapsed()

    def share(self, part: float) -> float:
        """A part of all the seconds; infinite if there is no limit."""
        return part * self._seconds

    def start(self, count: int) -> None:
        """Book ``count`` configurations as started."""
        self._started += count

    def candidates_left(self) -> float:
        """Configurations that may still be started."""
        return self._count - self._started
