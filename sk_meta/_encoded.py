"""Encoded folds, kept in a worker for the next configuration with the same encoders."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any

_MAX_BYTES = 256 * 2**20
_MIN_SECONDS = 0.005  # what is encoded faster is not worth its memory


@dataclass(frozen=True)
class EncodedFold:
    """Fitted encoders of one fold, and what they made of it.

    Parameters
    ----------
    steps : list of (str, transformer)
        Fitted on the training rows.
    train, test : table
        Encoded rows.
    fit_seconds, predict_seconds : float
        What the training and the test rows took.
    """

    steps: list
    train: Any
    test: Any
    fit_seconds: float
    predict_seconds: float

    @property
    def n_bytes(self) -> int:
        """Bytes of the encoded rows."""
        return _size(self.train) + _size(self.test)


class EncodedFolds:
    """The latest encoded folds, as many as fit into the memory set aside.

    Parameters
    ----------
    max_bytes : int, default=256 MiB
    """

    def __init__(self, max_bytes: int = _MAX_BYTES):
        self.max_bytes = max_bytes
        self._folds: OrderedDict[tuple, EncodedFold] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple) -> EncodedFold | None:
        """The fold of that key, if it is still there."""
        with self._lock:
            if key in self._folds:
                self._folds.move_to_end(key)
            return self._folds.get(key)

    def put(self, key: tuple, fold: EncodedFold) -> None:
        """Keep a fold that took long enough; the oldest ones make room."""
        if fold.fit_seconds < _MIN_SECONDS or fold.n_bytes > self.max_bytes / 2:
            return
        with self._lock:
            self._folds[key] = fold
            while sum(f.n_bytes for f in self._folds.values()) > self.max_bytes:
                self._folds.popitem(last=False)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._folds.clear()


def _size(table) -> int:
    if hasattr(table, "memory_usage"):
        return int(table.memory_usage().sum())
    if hasattr(table, "data") and hasattr(table, "indices"):
        return table.data.nbytes + table.indices.nbytes
    return getattr(table, "nbytes", 0)
