"""A call, as it is run: its outcome, and what a worker process does around it."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable
from threading import Thread
from typing import Any

import numpy as np
from scipy.linalg import eigh, lu_factor

from ._evaluation import forget_encoded
from ._memory import limit_memory
from ._shared import forget
from ._together import undisturbed


class Raised:
    """Instead of a result: the call raised, or could not be sent or sent back."""

    def __init__(self, error: BaseException):
        self.error = error


def settle_in() -> None:
    """Make a new worker quiet, and deaf to Ctrl-C, which is for its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    # OpenBLAS takes buffers when it is first used, one of numpy's and one of scipy's;
    # if there is no memory left for them by then, it tries again for ever.
    table = np.eye(200)
    eigh(table @ table)
    lu_factor(table)
    Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()


def _end_with_parent(parent: int) -> None:
    """End this process when its parent has been killed, also within a call."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def ready() -> bool:
    """Nothing; the worker has imported what calls need when it has done it."""
    return True


def tidy_up() -> None:
    """Forget the data of a fit."""
    forget()
    forget_encoded()


def run(function: Callable, args: tuple, memory: float) -> Any:
    """Call in another process: limited memory, and nothing left of what it started."""
    try:
        limit_memory(memory)
        with undisturbed():
            return outcome_of(function, args)
    finally:
        limit_memory(np.inf)  # what follows, such as sending the result, needs some
        _end_children()


def run_in_process(function: Callable, args: tuple, memory: float) -> Any:
    """Call in one of our worker processes."""
    try:
        return run(function, args, memory)
    finally:
        _freeze_modules()


_n_frozen = 0  # modules


def _freeze_modules() -> None:
    """Let the garbage collector pass over what has been imported.

    Without psutil, loky's workers collect once a second, which takes 0.15 s where
    scikit-learn and the boosting libraries are loaded. What is frozen is only ever
    freed by its references, so this is for worker processes alone.
    """
    global _n_frozen
    if len(sys.modules) > _n_frozen:
        gc.collect()
        gc.freeze()
        _n_frozen = len(sys.modules)


def outcome_of(function: Callable, args: tuple) -> Any:
    """What a call returns, or :class:`Raised`."""
    here = os.getpid()
    try:
        return function(*args)
    except (Exception, SystemExit) as error:
        return Raised(error)
    finally:
        if os.getpid() != here:
            os._exit(0)  # a candidate has forked, and this is the copy


def _end_children() -> None:
    """Kill the processes that a call has left behind, where they can be listed."""
    path = f"/proc/self/task/{os.getpid()}/children"
    try:
        with open(path) as file:
            children = file.read().split()
    except OSError:
        return
    for child in children:
        with contextlib.suppress(OSError):
            os.kill(int(child), signal.SIGKILL)
            os.waitpid(int(child), 0)
