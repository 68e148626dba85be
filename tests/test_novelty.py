"""How unlike the prior tasks a task is."""

import numpy as np
import pytest

from sk_meta._novelty import Novelty


@pytest.fixture
def known():
    """Two hundred prior tasks of as many families."""
    return np.random.RandomState(0).normal(size=(200, 4)), np.arange(200)


def test_distance_computed_by_hand():
    # On a line with steps of one, the five nearest of an inner task are one, one,
    # two, two and three steps away, those of the last one to five.
    places = np.arange(1000.0)[:, None]
    novelty = Novelty(places, np.arange(1000))
    assert novelty.of(np.array([1004.0])) == pytest.approx(7 / 1.8)
    assert novelty.of(np.array([500.0])) == pytest.approx(1.2 / 1.8)


def test_tasks_like_the_prior_ones_are_not_novel(known):
    novelty = Novelty(*known)
    new = np.random.RandomState(1).normal(size=(1000, 4))
    assert np.mean([novelty.of(task) < 1 for task in known[0]]) >= 0.99
    assert np.mean([novelty.of(task) < 1 for task in new]) >= 0.96


def test_far_task_is_novel_and_more_so_further_out(known):
    novelty = Novelty(*known)
    found = [novelty.of(np.full(4, far)) for far in (0.0, 3.0, 10.0, 1e3, 1e6)]
    assert found == sorted(found)
    assert found[0] < 1 < found[2]
    assert found[4] / found[3] == pytest.approx(1000, rel=0.01)


def test_gap_among_the_prior_tasks_is_novel_too(known):
    places, families = known
    places = places + np.where(np.arange(200) < 100, -20, 20)[:, None]
    assert Novelty(places, families).of(np.zeros(4)) > 1


def test_own_family_does_not_count():
    # Eight runs of the same table on different numbers of rows lie together; the
    # next family is far away, and as far away a new task may be.
    rng = np.random.RandomState(0)
    centers = 10 * rng.normal(size=(30, 4))
    places = np.repeat(centers, 8, axis=0) + 0.01 * rng.normal(size=(240, 4))
    families = np.repeat(np.arange(30), 8)
    new = centers[0] + 1.0
    assert Novelty(places, families).of(new) < 1
    assert Novelty(places, np.arange(240)).of(new) > 10


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_unit_does_not_matter(known, factor):
    places, families = known
    one = Novelty(places, families).of(np.full(4, 3.0))
    other = Novelty(factor * places, families).of(np.full(4, factor * 3.0))
    assert other == pytest.approx(one)


def test_without_other_families_nothing_is_novel():
    novelty = Novelty(np.random.RandomState(0).normal(size=(9, 2)), np.repeat("a", 9))
    assert novelty.of(np.full(2, 1e6)) == 0


def test_prior_tasks_that_are_all_alike_make_everything_else_novel():
    novelty = Novelty(np.zeros((9, 2)), np.arange(9))
    assert novelty.of(np.zeros(2)) == 0
    assert 1 < novelty.of(np.ones(2)) < np.inf
