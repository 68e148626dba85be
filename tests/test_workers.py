"""Calls in workers: order, deadline, deaths, threads, warnings."""

import os
import time
import warnings

import numpy as np
import pytest
from joblib import parallel_config
from threadpoolctl import threadpool_info, threadpool_limits

from sk_meta._parallel import Died, Late, run_calls

FOREVER = float("inf")


def no_deadline():
    return FOREVER


def countdown(seconds):
    end = time.monotonic() + seconds
    return lambda: end - time.monotonic()


def square(x):
    return x**2


def act(deed):
    if deed == "exit":
        os._exit(1)
    time.sleep(float(deed))
    return deed


def threads(_):
    np.ones((50, 50)) @ np.ones((50, 50))
    return max(pool["num_threads"] for pool in threadpool_info())


def warn(_):
    warnings.warn("from a candidate", UserWarning, stacklevel=1)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_results_come_in_the_order_of_the_calls(n_jobs):
    calls = [(i,) for i in range(7)]
    assert run_calls(square, calls, n_jobs, no_deadline) == [i**2 for i in range(7)]


def test_whoever_kills_the_worker_is_found_out():
    results = run_calls(act, [("0",), ("exit",), ("0.1",)], 2, no_deadline)
    assert isinstance(results[1], Died)
    assert [results[0], results[2]] == ["0", "0.1"]


def test_what_runs_at_the_deadline_is_stopped():
    started = time.monotonic()
    results = run_calls(act, [("0",), ("600",)], 2, countdown(4))
    assert results[0] == "0" and isinstance(results[1], Late)
    assert time.monotonic() - started < 60


def test_results_on_the_way_do_not_move_the_deadline():
    calls = [("1",)] * 40
    results = run_calls(act, calls, 2, countdown(6))
    # 40 calls of a second on two workers would take 20.
    assert isinstance(results[-1], Late)
    assert "1" in results


def test_in_this_process_the_first_call_is_always_run():
    results = run_calls(square, [(2,), (3,)], 1, lambda: -1.0)
    assert results[0] == 4 and isinstance(results[1], Late)


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_one_thread_in_every_worker_and_as_before_afterwards(backend, n_jobs):
    with threadpool_limits(limits=2), parallel_config(backend=backend):
        before = threads(0)
        blas = run_calls(blas_threads, [(i,) for i in range(8)], n_jobs, no_deadline)
        assert set(blas) == {1}
        assert threads(0) == before


def blas_threads(_):
    return max(p["num_threads"] for p in threadpool_info() if p["user_api"] == "blas")


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_warnings_of_calls_are_not_shown(n_jobs, recwarn):
    run_calls(warn, [(0,), (1,)], n_jobs, no_deadline)
    assert len(recwarn) == 0
