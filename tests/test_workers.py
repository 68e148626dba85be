"""Calls here, in threads and in processes: outcomes, deaths, what is left behind."""

import gc
import io
import os
import random
import signal
import struct
import subprocess
import sys
import time
import warnings
from contextlib import closing
from multiprocessing import get_context

import numpy as np
import pytest
from conftest import ended
from joblib import Parallel, delayed, parallel_config
from scipy import linalg
from threadpoolctl import threadpool_info, threadpool_limits

from sk_meta import _evaluation, _executors, _shared, _workers
from sk_meta._calls import Raised
from sk_meta._shared import SharedTask
from sk_meta._together import quiet
from sk_meta._workers import (
    Died,
    Here,
    Late,
    Processes,
    Rounds,
    Threads,
    open_workers,
)

FOREVER = float("inf")
TESTS = os.path.dirname(__file__)
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

KINDS = {
    "here": Here,
    "threads": lambda: Threads(2),
    "processes": lambda: Processes(2),
    "rounds": lambda: Rounds(2),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def workers(kind):
    with parallel_config(backend="multiprocessing" if kind == "rounds" else "loky"):
        with closing(KINDS[kind]()) as opened:
            yield opened


@pytest.fixture
def one():
    """One worker process."""
    with closing(Processes(1)) as opened:
        yield opened


def run(workers, calls, seconds=120):
    """Outcomes by key, those that have not ended left out."""
    waiting, outcomes = list(calls.items()), {}
    end = time.monotonic() + seconds
    while (waiting or workers.busy()) and time.monotonic() < end:
        while waiting and workers.free():
            key, call = waiting.pop(0)
            workers.submit(key, *call)
        outcomes.update(workers.wait(min(1.0, end - time.monotonic())))
    return outcomes


def settled(workers):
    """The workers, once all of them have started."""
    while workers.free() < workers.size:
        workers.wait(1)
    return workers


def result(workers, *call):
    return run(workers, {"it": call})["it"]


def square(x):
    return x**2


def sleep(seconds):
    time.sleep(seconds)
    return seconds


def pid(*_):
    return os.getpid()


def die(how):
    if how == "exit":
        os._exit(1)
    os.kill(os.getpid(), signal.SIGKILL)


def leave(how):
    if how == "raise":
        raise ValueError("the reason")
    if how == "exit":
        sys.exit(3)


def answer_in_part():
    """Die while the answer is sent, as where it is large and the time is over."""
    frame = sys._getframe()
    while "result_queue" not in frame.f_locals:
        frame = frame.f_back
    answers = frame.f_locals["result_queue"]._writer.fileno()
    os.write(answers, struct.pack("!i", 1000) + b"half of it")
    os.kill(os.getpid(), signal.SIGKILL)


def unpicklable():
    return io.TextIOWrapper(io.BytesIO())


def hoard():
    return np.ones(2**27).sum()


def factorise():
    table = np.eye(50)
    return float(linalg.lu_factor(table)[0].sum() + (table @ table).sum())


def chatter():
    print("out")
    print("error", file=sys.stderr)
    os.write(1, b"out")


def warn():
    warnings.warn("from a candidate", UserWarning, stacklevel=1)


def blas_threads():
    return max(p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas")


def seed():
    np.random.seed(5)
    random.seed(5)
    return np.random.rand()


def state():
    return np.random.get_state()[1].tolist(), random.getstate()


def fork():
    return os.fork() == 0


def fork_and_wait():
    child = os.fork()
    if child == 0:
        time.sleep(600)
    return child


def note_and_sleep(path):
    path.write_text(str(os.getpid()))
    time.sleep(600)


def load(reference):
    table, _ = reference.load()
    return table.sum()


def held():
    return len(_shared._loaded), len(_evaluation._encoded._folds)


def kind_of(n_jobs, timed):
    with closing(open_workers(n_jobs, timed=timed)) as opened:
        return type(opened).__name__


def eventually(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


@every_kind
def test_every_call_has_its_outcome_under_its_key(workers):
    calls = {f"call {i}": (square, i) for i in range(7)}
    assert run(workers, calls) == {f"call {i}": i**2 for i in range(7)}
    assert workers.busy() == 0
    assert settled(workers).busy() == 0


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_a_quick_call_does_not_wait_for_a_slow_one(workers):
    settled(workers).submit("slow", sleep, 600)
    workers.submit("quick", sleep, 0.5)
    assert workers.free() == 0
    assert workers.wait(60) == [("quick", 0.5)]
    assert workers.busy() == 1 and workers.free() == 1
    assert workers.stop() == ["slow"]


@every_kind
def test_whoever_raises_costs_only_itself(workers):
    calls = {"good": (square, 3), "bad": (leave, "raise"), "exit": (leave, "exit")}
    outcomes = run(workers, calls)
    assert outcomes.pop("good") == 9
    assert {type(outcome) for outcome in outcomes.values()} == {Raised}
    assert str(outcomes["bad"].error) == "the reason"
    assert isinstance(outcomes["exit"].error, SystemExit)
    assert result(workers, square, 4) == 16


def test_what_cannot_be_sent_has_raised(one):
    calls = {
        "result": (unpicklable,),
        "argument": (square, io.TextIOWrapper(io.BytesIO())),
        "good": (square, 3),
    }
    outcomes = run(one, calls)
    assert outcomes.pop("good") == 9
    assert {type(outcome) for outcome in outcomes.values()} == {Raised}


@pytest.mark.parametrize("how", ["exit", "kill"])
def test_whoever_kills_its_worker_is_found_out(how):
    with closing(Processes(2)) as workers:
        calls = {"first": (sleep, 0.2), "bad": (die, how), "last": (sleep, 0.1)}
        outcomes = run(workers, calls)
        assert isinstance(outcomes.pop("bad"), Died)
        assert outcomes == {"first": 0.2, "last": 0.1}
        assert run(workers, {i: (square, i) for i in range(4)}) == {
            i: i**2 for i in range(4)
        }


@linux
def test_whoever_dies_within_its_answer_is_found_out(monkeypatch):
    monkeypatch.setattr(_workers, "_LOOK_SECONDS", 0.2)
    with closing(settled(Processes(2))) as workers:
        workers.submit("bad", answer_in_part)
        ((key, outcome),) = workers.wait(60)
        assert key == "bad" and isinstance(outcome, Died)
        assert run(workers, {i: (square, i) for i in range(4)}) == {
            i: i**2 for i in range(4)
        }


@linux
def test_python_ends_though_a_worker_was_stopped_within_its_answer():
    script = (
        "import time\n"
        "from test_workers import answer_in_part, settled\n"
        "from sk_meta._workers import Processes\n"
        "workers = settled(Processes(1))\n"
        "(process,) = workers._workers[0]._processes.values()\n"
        "workers.submit('it', answer_in_part)\n"
        "while process.is_alive():\n"
        "    time.sleep(0.01)\n"
        "time.sleep(0.5)\n"
        "print(workers.busy(), workers.stop())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([TESTS, *sys.path])},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "1 ['it']\n"), done.stderr


@linux
def test_what_is_stopped_ends_and_the_next_call_is_run(tmp_path):
    with closing(Processes(2)) as workers:
        for name in ("a", "b"):
            while not workers.free():
                workers.wait(1)
            workers.submit(name, note_and_sleep, tmp_path / name)
        files = [tmp_path / name for name in ("a", "b")]
        assert eventually(lambda: all(f.exists() and f.read_text() for f in files))
        assert workers.wait(0.1) == []
        assert sorted(workers.stop()) == ["a", "b"]
        assert eventually(lambda: all(ended(f.read_text()) for f in files))
        assert workers.busy() == 0 and workers.wait(0) == []
        assert run(workers, {i: (square, i) for i in range(3)}) == {0: 0, 1: 1, 2: 4}


def test_a_worker_that_was_stopped_is_replaced_at_once(one):
    settled(one).submit("slow", sleep, 600)
    assert one.stop() == ["slow"]
    assert one._starting, "not only when the next call comes"
    assert run(one, {"quick": (square, 3)}) == {"quick": 9}


@linux
def test_one_call_can_be_ended_and_the_others_go_on(tmp_path):
    note = tmp_path / "note"
    with closing(Processes(2)) as workers:
        begun_ahead(
            workers, ("stuck", note_and_sleep, note), ("other", sleep, 10.0),
            ("ahead", square, 3),
        )  # fmt: skip
        assert eventually(lambda: note.exists() and note.read_text())
        seconds = workers.running()
        assert set(seconds) == {"stuck", "other"} and min(seconds.values()) > 0
        assert workers.end({"stuck", "nothing of that name"}) == ["stuck"]
        assert eventually(lambda: ended(note.read_text()))
        _, begun, over = workers.span("stuck")
        assert over - begun >= seconds["stuck"]
        outcomes = run(workers, {"next": (square, 4)})
        assert outcomes == {"other": 10.0, "ahead": 9, "next": 16}
        assert workers.running() == {} and workers.end({"other"}) == []


def test_calls_that_have_ended_are_not_ended_again(one):
    settled(one)
    with one._lock:  # the thread that learns of its end must wait to note it
        one.submit("it", sleep, 0.5)
        (call,) = one._running
        assert eventually(call.done) and set(one.running()) == {"it"}
        assert one.end({"it"}) == []
    assert run(one, {}) == {"it": 0.5}


def test_threads_can_not_be_ended():
    with closing(Threads(1)) as workers:
        workers.submit("it", sleep, 0.5)
        assert workers.busy() == 1 and workers.running() == {}


def begun_ahead(workers, *calls):
    """The workers, with the first call running and the others submitted ahead."""
    settled(workers)
    for key, *call in calls:
        assert workers.free(ahead=len(calls)) > 0
        workers.submit(key, *call)
    return workers


def test_a_call_ahead_begins_without_the_caller(one, tmp_path):
    workers = begun_ahead(
        one, ("first", sleep, 0.1), ("ahead", note_and_sleep, tmp_path / "note")
    )
    assert workers.free() == 0 and workers.free(ahead=1) == 0
    assert eventually(lambda: (tmp_path / "note").exists()), "nobody has waited"
    assert workers.wait(60) == [("first", 0.1)]
    assert workers.busy() == 1
    assert workers.stop() == ["ahead"]


def test_a_call_ahead_outlives_the_worker_of_another(one):
    workers = begun_ahead(one, ("bad", die, "kill"), ("ahead", square, 3))
    outcomes = run(workers, {})
    assert isinstance(outcomes.pop("bad"), Died)
    assert outcomes == {"ahead": 9}


def test_a_call_ahead_goes_to_the_first_worker_that_is_free():
    with closing(Processes(2)) as workers:
        begun_ahead(
            workers, ("slow", sleep, 600), ("quick", sleep, 0.1), ("ahead", square, 3)
        )
        outcomes = {}
        while len(outcomes) < 2:
            outcomes.update(workers.wait(60))
        assert outcomes == {"quick": 0.1, "ahead": 9}
        assert workers.span("ahead")[0] == workers.span("quick")[0]
        assert workers.stop() == ["slow"]


def test_a_call_ahead_does_not_begin_too_late(one, tmp_path):
    note = tmp_path / "note"
    workers = begun_ahead(one, ("first", sleep, 1.0), ("ahead", note_and_sleep, note))
    workers.patience = 0.1
    outcomes = run(workers, {})
    assert isinstance(outcomes.pop("ahead"), Late) and outcomes == {"first": 1.0}
    assert workers.span("ahead") is None and not note.exists()


def test_what_was_ahead_is_stopped_too(one):
    workers = begun_ahead(one, ("slow", sleep, 600), ("ahead", square, 3))
    assert sorted(workers.stop()) == ["ahead", "slow"]
    assert workers.busy() == 0
    assert run(workers, {"next": (square, 4)}) == {"next": 16}


@every_kind
def test_when_a_call_ran_is_told_once(workers):
    start = time.perf_counter()
    assert run(workers, {"it": (sleep, 0.2)}) == {"it": 0.2}
    _, begun, ended = workers.span("it")
    assert start <= begun <= ended - 0.2 and ended <= time.perf_counter()
    assert workers.span("it") is None


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_when_a_call_ended_does_not_depend_on_when_that_is_seen(workers):
    settled(workers).submit("it", sleep, 0.1)
    time.sleep(2)  # a caller that thinks
    looked = time.perf_counter()
    assert run(workers, {}) == {"it": 0.1}
    assert workers.span("it")[2] < looked


def test_a_worker_does_not_look_through_its_modules_for_garbage(one):
    assert result(one, square, 2) == 4
    assert result(one, gc.get_freeze_count) > 10_000


def test_threads_that_are_stopped_are_not_waited_for():
    workers = Threads(1)
    workers.submit("slow", sleep, 2)
    assert workers.wait(0.01) == []
    assert workers.stop() == ["slow"]
    assert result(workers, square, 3) == 9


def test_what_is_never_submitted_is_not_waited_for():
    with closing(Processes(1)) as workers:
        assert run(workers, {"it": (square, 2)}) == {"it": 4}
        assert workers.wait(FOREVER) == []


@every_kind
@pytest.mark.parametrize("n_threads", [2])
def test_one_thread_per_library_and_as_before_afterwards(workers, n_threads):
    with threadpool_limits(limits=n_threads):
        before = blas_threads()
        with quiet():
            outcomes = run(workers, dict.fromkeys(range(4), (blas_threads,)))
        assert set(outcomes.values()) == {1}
        assert blas_threads() == before


def test_worker_processes_have_one_thread_whatever_is_asked_for_here(one):
    with threadpool_limits(limits=2):
        assert result(one, blas_threads) == 1


@every_kind
def test_warnings_of_calls_are_not_shown(workers, recwarn):
    with quiet():
        run(workers, dict.fromkeys(range(3), (warn,)))
    assert len(recwarn) == 0


def test_what_worker_processes_print_is_not_shown(one, capfd):
    assert result(one, chatter) is None
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", ["here", "processes", "rounds"])
def test_global_random_states_here_are_left_alone(workers):
    before = state()
    run(workers, dict.fromkeys(range(3), (seed,)))
    assert state() == before


def test_global_random_states_of_a_worker_are_left_alone(one):
    before = result(one, state)
    result(one, seed)
    assert result(one, state) == before


@forks
def test_a_call_that_forks_has_one_result(one):
    outcomes = run(one, {"fork": (fork,), "next": (square, 3)})
    assert outcomes == {"fork": False, "next": 9}


@forks
def test_a_call_that_forks_here_leaves_no_copy_of_this_process(tmp_path):
    # A copy would go on with the script, and write a line of its own.
    script = (
        "import os, time\n"
        "from sk_meta._workers import Here\n"
        "workers = Here()\n"
        "workers.submit('it', os.fork)\n"
        "workers.wait(0)\n"
        "os.write(1, b'line\\n')\n"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True)
    assert shown.stdout == b"line\n"


@linux
def test_what_a_call_has_started_ends_with_it(one):
    child = result(one, fork_and_wait)
    assert ended(child)


@linux
def test_a_call_that_wants_too_much_memory_raises():
    with closing(Processes(1, memory=2**28)) as workers:
        outcomes = run(workers, {"greedy": (hoard,), "modest": (square, 3)})
    assert isinstance(outcomes["greedy"].error, MemoryError)
    assert outcomes["modest"] == 9


def test_the_limit_of_memory_is_that_of_the_latest_call():
    with closing(Processes(1, memory=2**28)) as workers:
        assert result(workers, square, 3) == 9
    with closing(Processes(1)) as workers:
        assert result(workers, hoard) == 2**27


@linux
def test_linear_algebra_works_with_next_to_no_memory(monkeypatch):
    monkeypatch.setattr(_executors, "_idle", [])
    with closing(Processes(1, memory=2**20)) as workers:
        # OpenBLAS would wait for ever for the memory of its buffers.
        assert run(workers, {"it": (factorise,)}, seconds=60) == {"it": 100.0}


@pytest.mark.parametrize(
    ("backend", "n_jobs", "timed", "expected"),
    [
        ("loky", 1, False, "Here"),
        ("loky", None, False, "Here"),
        ("loky", 1, True, "Processes"),
        ("loky", 2, False, "Processes"),
        ("loky", 2, True, "Processes"),
        ("threading", 1, True, "Here"),
        ("threading", 2, False, "Threads"),
        ("threading", 2, True, "Threads"),
        ("sequential", 2, False, "Here"),
        ("sequential", 2, True, "Here"),
        ("multiprocessing", 1, False, "Here"),
        ("multiprocessing", 1, True, "Processes"),
        ("multiprocessing", 2, False, "Rounds"),
    ],
)
def test_where_calls_run(backend, n_jobs, timed, expected):
    with parallel_config(backend=backend):
        assert kind_of(n_jobs, timed) == expected


def test_jobs_of_the_surrounding_configuration_count():
    with parallel_config(backend="threading", n_jobs=3):
        workers = open_workers(None, timed=False)
    assert isinstance(workers, Threads) and workers.size == 3


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_no_processes_within_a_parallel_loop(backend):
    asked = [(n_jobs, timed) for n_jobs in (1, 2) for timed in (False, True)]
    kinds = Parallel(n_jobs=2, backend=backend)(delayed(kind_of)(*a) for a in asked)
    assert set(kinds) <= {"Here", "Threads"}


def test_no_processes_within_a_daemon():
    # It may not have any: Python refuses.
    with get_context("spawn").Pool(1) as pool:
        assert pool.apply(kind_of, (1, True)) == "Here"
        assert pool.apply(kind_of, (2, True)) == "Here"


def test_workers_are_used_again(one):
    first = result(one, pid)
    one.close()
    with closing(Processes(1)) as workers:
        assert result(workers, pid) == first


def test_workers_that_wait_hold_no_data_of_a_task(one):
    with closing(SharedTask(np.ones(10), None, processes=True)) as task:
        assert result(one, load, task.reference) == 10
        assert result(one, held)[0] == 1
    one.close()
    with closing(Processes(1)) as workers:
        assert result(workers, held) == (0, 0)


@linux
def test_a_worker_that_dies_while_it_waits_is_replaced():
    with closing(Processes(1)) as workers:
        first = result(workers, pid)
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: ended(first))
    time.sleep(0.5)  # its executor learns of it
    with closing(Processes(1)) as workers:
        assert result(workers, pid) != first


@linux
def test_a_worker_that_dies_between_two_calls_is_replaced(one):
    first = result(one, pid)
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: ended(first))
    time.sleep(0.5)
    assert result(one, pid) not in (first, os.getpid())


@forks
def test_a_copy_of_this_process_has_workers_of_its_own(tmp_path):
    script = (
        "import os, sys\n"
        "from sk_meta._workers import Processes\n"
        "def call():\n"
        "    workers = Processes(1)\n"
        "    while not workers.free():\n"
        "        workers.wait(1)\n"
        "    workers.submit('it', os.getpid)\n"
        "    ((key, pid),) = workers.wait(60)\n"
        "    workers.close()\n"
        "    return pid\n"
        "first = call()\n"
        "if os.fork() == 0:\n"
        "    print(call() not in (first, os.getpid()), flush=True)\n"
        "    os._exit(0)\n"
        "os.wait()\n"
    )
    # Not a pipe: what the copy has started would keep it open.
    with (tmp_path / "shown").open("w") as shown:
        subprocess.run(
            [sys.executable, "-c", script], stdout=shown, stderr=shown, timeout=60
        )
    assert (tmp_path / "shown").read_text().startswith("True\n")


def test_in_a_hurry_a_thread_takes_calls_until_a_worker_is_ready(monkeypatch):
    monkeypatch.setattr(_executors, "_idle", [])
    with closing(Processes(2, hurry=True)) as workers:
        assert workers.starting and workers.free() == 1
        assert result(workers, pid) == os.getpid()
        while workers.starting:
            workers.wait(1)
        assert result(workers, pid) != os.getpid()


def test_without_hurry_no_call_runs_in_this_process(monkeypatch):
    monkeypatch.setattr(_executors, "_idle", [])
    with closing(Processes(2)) as workers:
        assert not workers.starting
        outcomes = run(workers, dict.fromkeys(range(4), (pid,)))
    assert os.getpid() not in outcomes.values()


def test_the_environment_and_the_handlers_of_signals_are_left_alone(monkeypatch):
    monkeypatch.setattr(_executors, "_idle", [])
    signals = [signal.SIGINT, signal.SIGTERM]
    before = dict(os.environ), [signal.getsignal(s) for s in signals]
    with closing(Processes(1)) as workers:
        result(workers, square, 2)
        assert (dict(os.environ), [signal.getsignal(s) for s in signals]) == before
