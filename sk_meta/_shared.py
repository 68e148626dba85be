"""The table and its splits, held once for all workers."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import joblib
from joblib.externals.loky.backend import resource_tracker

from ._evaluation import forget_encoded

_SHARED_MEMORY = Path("/dev/shm")
# In a worker: the last task it was given, by its file. One is enough, since a worker
# serves one search at a time.
_loaded: dict[str, tuple] = {}


@dataclass(frozen=True)
class Reference:
    """What a call needs to find the task: the task itself, or its file.

    Parameters
    ----------
    key : str
        Tells this task from all others, also from those of other processes: workers of
        a cluster serve several of them, and keep encoded folds by this.
    data : tuple or None
        The data, where they can be passed as they are.
    """

    key: str
    data: tuple | None = None

    def load(self) -> tuple:
        """The data that the task was made of; arrays are mapped, not read."""
        if self.data is not None:
            return self.data
        if self.key not in _loaded:
            _loaded.clear()
            _loaded[self.key] = joblib.load(self.key, mmap_mode="r")
        return _loaded[self.key]


class SharedTask:
    """A folder with the task, mapped by the workers, removed when it is closed.

    It lies in the shared memory of the system, or where joblib puts its own
    (``JOBLIB_TEMP_FOLDER``). Where nothing can be written, every call carries the
    data instead, which is slower.

    Parameters
    ----------
    *data : Any
        Table, target, splits, description of the table, and sample weights.
    processes : bool
        Whether the calls run in other processes; if not, nothing is written.
    """

    def __init__(self, *data: Any, processes: bool):
        self.folder: Path | None = None
        self.reference = Reference(f"task {uuid4()}", data)
        if processes:
            try:
                self._write(data)
            except OSError:
                self.close()

    def _write(self, data: tuple) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sk_meta_", dir=_place()))
        # Should this process be killed, joblib's tracker removes the folder.
        resource_tracker.register(str(self.folder), "folder")
        path = str(self.folder / "task")
        joblib.dump(data, path)
        self.reference = Reference(path)

    def close(self) -> None:
        """Remove the folder, and what this process has encoded for the task."""
        forget_encoded()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            resource_tracker.unregister(str(self.folder), "folder")
            self.folder = None


def _place() -> str | None:
    """Folder for temporary files, as joblib chooses it."""
    chosen = os.environ.get("JOBLIB_TEMP_FOLDER")
    if chosen:
        return chosen
    if _SHARED_MEMORY.is_dir() and os.access(_SHARED_MEMORY, os.W_OK):
        return str(_SHARED_MEMORY)
    return None


def forget() -> None:
    """Let go of the task that is held in this process."""
    _loaded.clear()
