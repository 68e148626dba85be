"""Worker processes that are copies of one, which has imported what they need.

Importing pandas, SciPy and scikit-learn takes seconds of a core, for every worker anew.
Here it is done once: in a process that does nothing else and has no threads, so that
copying it is safe; what the standard library calls a fork server. (Its own would run
the caller's script again in every worker.) The rest is loky's: what a new process is
sent and how it is talked to. For Linux alone: elsewhere libraries may not be copied
once they are loaded.
"""

from __future__ import annotations

import atexit
import ctypes
import fcntl
import gc
import importlib
import io
import json
import os
import resource
import runpy
import signal
import socket
import subprocess
import sys
import time
import warnings
from multiprocessing.connection import wait
from multiprocessing.context import set_spawning_popen
from multiprocessing.process import ORIGINAL_DIR  # type: ignore[attr-defined]
from multiprocessing.util import Finalize
from threading import Lock
from typing import Any

import numpy as np
from joblib.externals.loky.backend import popen_loky_posix, reduction, spawn
from joblib.externals.loky.backend.context import LokyContext
from joblib.externals.loky.backend.process import LokyProcess

_IDLE_SECONDS = 60.0  # without a request or a copy, after which the server ends
_LOOK_SECONDS = 1.0  # how often it looks for that
_ANSWER_SECONDS = 120.0  # for the imports, on a busy machine
_MAX_BYTES = 100_000  # of a request
_MAX_FILES = 100  # that a request may send along
_PR_SET_PDEATHSIG = 1  # of prctl: the signal when the parent ends
_ENDED = 255  # how a process has ended is known to the server alone


def is_possible() -> bool:
    """Whether this system tells when a process ends that is not a child (Linux 5.3)."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


class Refused(Exception):
    """There is no copy; the process has to be started in another way."""


class ForkServer:
    """The process that is copied. It is started when it is needed.

    Parameters
    ----------
    env : dict of str to str
        Added to the environment before anything is imported.
    """

    def __init__(self, env: dict[str, str]):
        self.env = env
        self._lock = Lock()
        self._channel: socket.socket | None = None
        self._process: subprocess.Popen | None = None
        self._fails = False  # it was started and did not answer; it is not tried again
        self._closed = False
        os.register_at_fork(after_in_child=self._forget)
        atexit.register(self.close)

    def copy(self, process: LokyProcess, pipe: int, fds: list[int]) -> int:
        """Start a process as loky does, with the same files under the same numbers.

        Parameters
        ----------
        process : LokyProcess
        pipe : int
            The file that tells it what to do.
        fds : list of int
            All that it is to have; ``pipe`` is one of them.

        Returns
        -------
        int
            The number of the process. The first waits for the imports.

        Raises
        ------
        Refused
            If the server can't be started or copied.
        RuntimeError
            If the interpreter ends.
        """
        env = {**os.environ, **self.env, **process.env}
        request = json.dumps([process.name, pipe, fds, env]).encode()
        if len(request) > _MAX_BYTES or len(fds) > _MAX_FILES:
            raise Refused
        with self._lock:
            pid = None
            if self._channel is not None:
                pid = self._ask(self._channel, request, fds)
            if pid is None:  # it has ended since, because it was idle
                pid = self._start_and_ask(request, fds)
        if self._closed:
            raise RuntimeError("no process is started when the interpreter ends")
        if not pid:
            raise Refused
        return pid

    def _start_and_ask(self, request: bytes, fds: list[int]) -> int | None:
        if self._fails or self._closed:
            return None
        pid = self._ask(self._start(), request, fds)
        self._fails = pid is None
        return pid

    def _ask(self, server: socket.socket, request: bytes, fds: list[int]) -> int | None:
        """The number of a copy, 0 if there is none, None if the server has ended."""
        try:
            socket.send_fds(server, [request], fds)
            return int(server.recv(32))
        except (ConnectionError, TimeoutError, ValueError):
            self._end()
            return None
        except OSError:  # this could not be sent
            return 0
        except BaseException:  # an interrupt; the answer would be the next one's
            self._end()
            raise

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        path = [
            folder or ORIGINAL_DIR for folder in sys.path if isinstance(folder, str)
        ]
        program = (
            "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
            f"sys.path[:] = {path!r}; "
            f"from {__name__} import serve; serve({theirs.fileno()})"
        )
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", program],
                pass_fds=[theirs.fileno()],
                env={**os.environ, **self.env},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        ours.settimeout(_ANSWER_SECONDS)
        self._channel = ours
        return ours

    def close(self) -> None:
        """End the server, and with it what was copied of it."""
        self._closed = True
        self._end()

    def _end(self) -> None:
        channel, process = self._channel, self._process
        self._channel = self._process = None
        if channel is not None:
            channel.close()
        if process is not None:
            process.kill()
            process.wait()

    def _forget(self) -> None:
        """In a copy of the caller: the server ends with the caller alone."""
        self._lock = Lock()
        if self._channel is not None:
            self._channel.close()
        if self._process is not None:
            self._process.returncode = 0  # it is not for this process to wait for it
        self._channel = self._process = None


def serve(number: int) -> None:
    """Copy this process for whoever asks, until nobody does.

    Parameters
    ----------
    number : int
        Of the file where requests arrive.
    """
    channel = socket.socket(fileno=number)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the copies
    warnings.simplefilter("ignore")
    own = {fd for fd in map(int, os.listdir("/proc/self/fd")) if _is_open(fd)}
    own.discard(number)
    gc.collect()
    gc.freeze()  # else the collector would write to all that is shared
    needed = time.monotonic()
    while time.monotonic() < needed + _IDLE_SECONDS:
        asked = wait([channel], _LOOK_SECONDS)
        if asked or _has_children():
            needed = time.monotonic()
        if not asked:
            continue
        request, received, _, _ = socket.recv_fds(channel, _MAX_BYTES, _MAX_FILES)
        if not request:
            return  # the caller has ended
        name, pipe, wanted, env = json.loads(request)
        server = os.getpid()
        pid = _fork() if _can_have(wanted, received, own) else None
        if pid == 0:
            channel.close()
            return _become(server, name, pipe, wanted, received, env)
        for fd in received:
            os.close(fd)
        channel.send(str(pid or 0).encode())


def _fork() -> int | None:
    """As ``os.fork``; None if there are too many processes, or too little memory."""
    try:
        return os.fork()
    except OSError:
        return None


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _can_have(wanted: list[int], received: list[int], own: set[int]) -> bool:
    """Whether files can be opened under these numbers."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = len(received) == len(wanted) and max(wanted) + 1 + len(wanted) < most
    return enough and not own & set(wanted)


def _has_children() -> bool:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


def _become(
    server: int,
    name: str,
    pipe: int,
    wanted: list[int],
    received: list[int],
    env: dict[str, str],
) -> None:
    """Do in a copy of the server what loky does in a new process."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    above = max(wanted) + 1  # out of the way, so that none takes another's number
    spare = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, above) for fd in received]
    for fd in received:
        os.close(fd)
    for fd, number in zip(spare, wanted, strict=True):
        os.dup2(fd, number)
        os.close(fd)
    os.environ.clear()
    os.environ.update(env)
    importlib.invalidate_caches()
    np.random.seed()  # else that of all copies would be the same
    sys.argv = ["", "--process-name", name, "--pipe", str(pipe)]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == server:  # else there is nobody left to work for
        runpy.run_module(popen_loky_posix.__name__, run_name="__main__")


class _Popen(popen_loky_posix.Popen):
    """Of a process that is a child of the server."""

    def __init__(self, process: LokyProcess, server: ForkServer):
        self.server = server
        self.returncode: int | None = None
        super().__init__(process)

    def _launch(self, process: LokyProcess) -> None:
        message = io.BytesIO()
        set_spawning_popen(self)  # then files that are pickled are noted in _fds
        try:
            known = spawn.get_preparation_data(process.name, False)
            reduction.dump(known, message)
            reduction.dump(process, message)
        finally:
            set_spawning_popen(None)
        pipe, ours = os.pipe()
        fds = [*self._fds, known["tracker_fd"], known["mp_tracker_fd"], pipe]
        try:
            with os.fdopen(ours, "wb") as file:
                self.pid = self.server.copy(process, pipe, list(dict.fromkeys(fds)))
                self.sentinel = _watch(self.pid)
                Finalize(self, os.close, (self.sentinel,))
                file.write(message.getbuffer())
        finally:
            os.close(pipe)

    def poll(self, flag: int = os.WNOHANG) -> int | None:
        if self.returncode is None and wait([self.sentinel], 0):
            self.returncode = _ENDED
        return self.returncode

    def kill(self) -> None:
        """Which loky does where it finds no other way to."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int | None:
        wait([self.sentinel], timeout)
        return self.poll()


def _watch(pid: int) -> int:
    """A file that can be read when a process has ended, whatever it leaves behind."""
    try:
        return os.pidfd_open(pid)
    except OSError as error:  # it has ended already
        raise Refused from error


class ForkContext(LokyContext):
    """Loky's context, with processes that are copied where that can be.

    Parameters
    ----------
    server : ForkServer
    """

    def __init__(self, server: ForkServer):
        self.server = server

    def Process(self, *args: Any, **kwargs: Any) -> LokyProcess:  # noqa: N802
        """A process of loky's that is not started yet."""
        process = LokyProcess(*args, **kwargs)
        process._Popen = self._popen  # type: ignore[method-assign]
        return process

    def _popen(self, process: LokyProcess) -> Any:
        del process._Popen  # it is sent to the other process
        try:
            return _Popen(process, self.server)
        except (Refused, OSError):
            return LokyProcess._Popen(process)
