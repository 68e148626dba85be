"""Seconds and candidates, on a clock that the tests move."""

import math

import pytest

from sk_meta._budget import Budget


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_seconds_run_from_the_opening(clock):
    budget = Budget(60, clock=clock)
    clock.now += 12.5
    assert budget.elapsed() == 12.5
    assert budget.remaining() == 47.5


def test_reserve_is_taken_off_what_is_left(clock):
    budget = Budget(60, clock=clock)
    clock.now += 50
    assert budget.remaining(reserve=4) == 6


def test_what_is_left_is_negative_after_the_deadline(clock):
    budget = Budget(1, clock=clock)
    clock.now += 3
    assert budget.remaining() == -2


def test_share_is_of_all_the_seconds(clock):
    budget = Budget(60, clock=clock)
    clock.now += 50
    assert budget.share(0.25) == 15


def test_without_seconds_there_is_no_deadline(clock):
    budget = Budget(count=3, clock=clock)
    clock.now += 1e9
    assert not budget.limited
    assert budget.remaining(reserve=10) == math.inf
    assert budget.share(0.1) == math.inf


def test_with_seconds_it_is_limited():
    assert Budget(0.5).limited


def test_candidates_are_counted_when_they_start():
    budget = Budget(count=5)
    budget.start(2)
    budget.start(1)
    assert budget.candidates_left() == 2


def test_without_a_count_candidates_never_run_out():
    budget = Budget(10)
    budget.start(10_000)
    assert budget.candidates_left() == math.inf


def test_clocks_of_two_budgets_are_independent(clock):
    first = Budget(60, clock=clock)
    clock.now += 10
    second = Budget(60, clock=clock)
    clock.now += 5
    assert (first.elapsed(), second.elapsed()) == (15, 5)


def test_the_clock_is_monotonic_by_default():
    budget = Budget(3600)
    readings = [budget.elapsed() for _ in range(100)]
    assert readings == sorted(readings)
    assert 0 <= readings[0]
