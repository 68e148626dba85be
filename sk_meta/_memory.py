"""How much memory is free, and how a process is kept from taking more."""

from __future__ import annotations

import os
from pathlib import Path

try:
    import resource
except ImportError:  # Windows has none; nothing is limited there
    resource = None  # type: ignore[assignment]

_STATUS = "/proc/self/status"
_COPIES = 4  # of the encoded table, while a model is fitted
_SHARE = 0.8  # of the free memory that all workers may take together
_LIMITS = (
    # File with the limit of the container, file with what it holds.
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes",
     "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)  # fmt: skip


def free_memory() -> float:
    """Bytes that may still be taken, here or in the container; inf if unknown."""
    known = [_available(), *(_left(*files) for files in _LIMITS)]
    return min(known)


def memory_per_worker(limit: float | None, n_workers: int) -> float:
    """Bytes that one worker may take for a candidate.

    Parameters
    ----------
    limit : float or None
        MiB per worker; None is four fifths of what is free, shared equally.
    n_workers : int

    Returns
    -------
    float
    """
    if limit is not None:
        return limit * 2**20
    return _SHARE * free_memory() / n_workers


def limit_memory(n_bytes: float) -> None:
    """Let this process allocate so much more than it holds; then ``MemoryError``.

    Where the system knows no such limit (``RLIMIT_DATA``), nothing is done.

    Parameters
    ----------
    n_bytes : float
        Infinite is no limit.
    """
    if resource is None or not os.path.exists(_STATUS):
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = hard
    if n_bytes != float("inf"):
        wanted = int(_held() + n_bytes)
        if hard != resource.RLIM_INFINITY:
            wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))


def _available() -> float:
    for line in _lines("/proc/meminfo"):
        if line.startswith("MemAvailable:"):
            return float(line.split()[1]) * 1024
    try:
        return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return float("inf")


def _left(limit: str, used: str) -> float:
    ends = [lines[0] for path in (limit, used) if (lines := _lines(path))]
    if len(ends) < 2 or not all(end.strip().isdigit() for end in ends):
        return float("inf")
    # Of what it holds, the cache of files is given up when memory is needed.
    told = [line.split() for line in _lines(str(Path(used).parent / "memory.stat"))]
    cached = [float(words[1]) for words in told if words[0].endswith("inactive_file")]
    return max(float(ends[0]) - float(ends[1]) + max(cached, default=0.0), 0.0)


def _held() -> int:
    """Bytes of data that this process holds, as ``RLIMIT_DATA`` counts them."""
    known = (line.split() for line in _lines(_STATUS) if line.startswith("VmData:"))
    return 1024 * int(next(known)[1])


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def begin_peak() -> float:
    """Forget the most memory that this process has held so far.

    Returns
    -------
    float
        MiB that it holds now, for :func:`peak_since`; NaN where the system can't tell.
    """
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return float("nan")
    return _status("VmRSS")


def peak_since(held: float) -> float:
    """MiB by which this process has risen above what it held, at the most.

    Parameters
    ----------
    held : float
        What :func:`begin_peak` returned.

    Returns
    -------
    float
        Of the whole process: threads beside this one count, too.
    """
    return max(_status("VmHWM") - held, 0.0) if held == held else held


def _status(name: str) -> float:
    known = [line for line in _lines(_STATUS) if line.startswith(f"{name}:")]
    return float(known[0].split()[1]) / 1024 if known else float("nan")


def memory_needed(configuration, table) -> float:
    """Bytes that fitting a configuration is expected to take, roughly.

    Copies of the encoded table, and what kernels and interactions make of it.

    Parameters
    ----------
    configuration : Configuration
    table : Table

    Returns
    -------
    float
    """
    width, per_row = float(configuration.width(table)), 0.0
    if "interactions" in configuration.family:
        width *= (width + 1) / 2
    elif "splines" in configuration.family:
        width *= 6
    if configuration.family == "kernel approximation":
        per_row = 1000.0
    elif configuration.family == "Gaussian process":
        per_row = 4.0 * table.n_rows
    density = max(table.density, 0.01) if table.container == "sparse" else 1.0
    return 8.0 * table.n_rows * (_COPIES * density * width + per_row)
