"""Worker processes are copies of one that has imported what they need."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.backend import utils
from joblib.externals.loky.backend.process import LokyProcess

if sys.platform != "linux":
    pytest.skip("only Linux copies processes", allow_module_level=True)

import resource

from sk_meta import _forkserver
from sk_meta._forkserver import ForkContext, ForkServer


@pytest.fixture(scope="module")
def server():
    server = ForkServer({"OMP_NUM_THREADS": "1", "SET_BY_US": "yes"})
    yield server
    server.close()


@pytest.fixture
def start(server):
    """Start a worker; they are ended after the test."""
    workers = []

    def start_one():
        workers.append(ProcessPoolExecutor(1, context=ForkContext(server)))
        return workers[-1]

    yield start_one
    for worker in workers:
        worker.shutdown(kill_workers=True)


def do(worker, function, *args):
    return worker.submit(function, *args).result(timeout=60)


def wait_until(true, seconds=30):
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    assert true()


def runs(pid):
    """Whether there is such a process, and it has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_workers_are_copies_of_one_process(start):
    one, other = start(), start()
    parents = {do(worker, os.getppid) for worker in (one, other)}
    assert len(parents) == 1
    assert parents != {os.getpid()}
    assert do(one, os.getpid) != do(other, os.getpid)
    assert do(one, eval, "'sk_meta' in __import__('sys').modules")


def test_a_worker_has_the_environment_and_folder_of_now(start, monkeypatch, tmp_path):
    do(start(), os.getpid)
    monkeypatch.setenv("SET_SINCE", "yes")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    worker = start()
    for name in ("SET_SINCE", "SET_BY_US"):
        assert do(worker, os.getenv, name) == "yes"
    assert do(worker, os.getcwd) == str(tmp_path)
    assert do(worker, eval, "__import__('sys').path") == sys.path
    assert do(worker, eval, "__import__('os').environ['OMP_NUM_THREADS']") == "1"


def test_workers_draw_different_random_numbers(start):
    one, other = start(), start()
    for draw in ("random.random()", "numpy.random.random()"):
        module, _, rest = draw.partition(".")
        draw = f"__import__({module!r}).{rest}"
        assert do(one, eval, draw) != do(other, eval, draw)


def test_the_server_has_no_threads_that_a_copy_would_miss(start):
    server = do(start(), os.getppid)
    threads = Path(f"/proc/{server}/task").glob("*/comm")
    names = [path.read_text().strip() for path in threads]
    # That of the allocator in pyarrow knows of copies, and starts itself anew.
    assert len([name for name in names if name != "jemalloc_bg_thd"]) == 1


def test_a_worker_that_dies_is_seen_and_can_be_replaced(start):
    worker = start()
    pid, server = do(worker, os.getpid), do(worker, os.getppid)
    call = worker.submit(time.sleep, 60)
    os.kill(pid, signal.SIGKILL)
    assert call.exception(timeout=30) is not None
    assert do(start(), os.getppid) == server


def test_a_worker_is_killed_also_where_no_tool_for_trees_is_installed(
    start, monkeypatch
):
    monkeypatch.setattr(utils, "psutil", None)
    monkeypatch.setenv("PATH", "")
    worker = start()
    pid = do(worker, os.getpid)
    call = worker.submit(time.sleep, 60)
    wait_until(call.running)
    with pytest.warns(UserWarning, match="psutil"):
        worker.shutdown(kill_workers=True)
        wait_until(lambda: not runs(pid))
    assert call.done()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_that_is_killed_takes_its_copies_and_is_started_again(start, how):
    worker = start()
    before, pid = do(worker, os.getppid), do(worker, os.getpid)
    os.kill(before, how)
    wait_until(lambda: not runs(before) and not runs(pid))
    assert do(start(), os.getppid) not in (before, os.getpid())


@pytest.mark.parametrize("limit", ["_MAX_BYTES", "_MAX_FILES"])
def test_what_the_server_refuses_is_started_by_loky(start, monkeypatch, limit):
    monkeypatch.setattr(_forkserver, limit, 0)
    assert do(start(), os.getppid) == os.getpid()


def test_files_that_the_server_has_open_itself_are_not_replaced(server):
    with open(os.devnull) as file:
        assert server.copy(LokyProcess(), file.fileno(), [file.fileno()]) > 0
        with pytest.raises(_forkserver.Refused):
            server.copy(LokyProcess(), file.fileno(), [0, file.fileno()])


_CALLER = """
import os, sys
from joblib.externals.loky import ProcessPoolExecutor
from sk_meta._calls import settle_in
from sk_meta._forkserver import ForkContext, ForkServer
server = ForkServer({})
worker = ProcessPoolExecutor(1, context=ForkContext(server), initializer=settle_in)
print(worker.submit(os.getpid).result(), worker.submit(os.getppid).result(), flush=True)
"""


def _caller(end, begin=_CALLER):
    """Run a script that has a server; what it prints are numbers of processes."""
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", begin + end],
        capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    return done, [int(word) for word in done.stdout.split()]


@pytest.mark.parametrize("end, code", [("", 0), ("os.kill(os.getpid(), 9)", -9)])
def test_the_server_ends_with_its_caller(end, code):
    done, (worker, server) = _caller(end)
    assert done.returncode == code, done.stderr
    assert end or not done.stderr
    wait_until(lambda: not runs(server))
    wait_until(lambda: not runs(worker))


def test_a_caller_may_end_while_the_server_starts():
    script = """
from sk_meta._executors import _context
from sk_meta._workers import Processes
Processes(2)
while _context.server._process is None:
    pass
print(_context.server._process.pid)
"""
    done, (server,) = _caller(script, begin="")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    wait_until(lambda: not runs(server))


def test_a_copy_of_the_caller_does_not_end_the_server():
    end = """
if os.fork() == 0:
    server.close()
    sys.exit()
os.wait()
print(worker.submit(os.getppid).result())
"""
    done, (_, server, still) = _caller(end)
    assert done.returncode == 0, done.stderr
    assert still == server


def _serve(before):
    """Serve nobody in a new process; the seconds that it took."""
    program = f"""
import os, socket, time
from sk_meta import _forkserver
_forkserver._IDLE_SECONDS, _forkserver._LOOK_SECONDS = 1.0, 0.1
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
{before}
start = time.monotonic()
_forkserver.serve(theirs.detach())
print(time.monotonic() - start)
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, timeout=60, env=env,
    )  # fmt: skip
    return float(done.stdout)


def test_a_server_without_workers_ends_after_a_while():
    assert _serve("") >= 1
    assert _serve("if os.fork() == 0: time.sleep(2); os._exit(0)") >= 1.5


def test_a_server_that_does_not_answer_is_not_started_again(monkeypatch):
    server = ForkServer({})
    monkeypatch.setattr(_forkserver, "__name__", "no_such_module")
    worker = ProcessPoolExecutor(1, context=ForkContext(server))
    assert do(worker, os.getppid) == os.getpid()
    monkeypatch.setattr(server, "_start", None)
    with pytest.raises(_forkserver.Refused):
        server.copy(LokyProcess(), 0, [0])
    worker.shutdown(kill_workers=True)


def test_what_a_worker_leaves_behind_does_not_hide_its_end(start):
    worker = start()
    leave = "__import__('subprocess').Popen(['sleep', '30'], close_fds=False).pid"
    left = do(worker, eval, leave)
    call = worker.submit(os.kill, do(worker, os.getpid), signal.SIGKILL)
    assert call.exception(timeout=20) is not None
    assert runs(left)
    os.kill(left, signal.SIGKILL)


def test_many_start_at_once(server, start):
    server._end()
    workers = [start() for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        pids = list(threads.map(lambda worker: do(worker, os.getpid), workers))
        parents = set(threads.map(lambda worker: do(worker, os.getppid), workers))
    assert len(set(pids)) == 4
    assert len(parents) == 1


def test_a_worker_may_have_no_more_files_than_the_server(server):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    server._end()  # the next one gets the limit of now
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
    try:
        with open(os.devnull) as file:
            assert server.copy(LokyProcess(), file.fileno(), [file.fileno()]) > 0
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            number = os.dup2(file.fileno(), 255)
            with pytest.raises(_forkserver.Refused):
                server.copy(LokyProcess(), number, [number])
            os.close(number)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_when_the_interpreter_ends_no_server_is_started():
    server = ForkServer({})
    server.close()
    worker = ProcessPoolExecutor(1, context=ForkContext(server))
    with pytest.raises(RuntimeError, match="interpreter ends"):
        worker.submit(os.getpid)
    assert server._process is None
    worker.shutdown()
