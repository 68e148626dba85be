"""Seconds of a fold, and where the losses of a task lie."""

import numpy as np
import pandas as pd
import pytest

from sk_meta._clock import Clock
from sk_meta._scale import Scale

N_TASKS = 60
SIZES = {"nr_inst": 1000.0, "nr_encoded": 20.0, "nr_class": 2.0}


def make_tasks(n_tasks=N_TASKS, seed=0):
    """Sizes of tables as they occur."""
    rng = np.random.RandomState(seed)
    return pd.DataFrame(
        {
            "nr_inst": rng.randint(50, 5000, n_tasks).astype(float),
            "nr_encoded": rng.randint(2, 200, n_tasks).astype(float),
            "nr_class": rng.randint(2, 9, n_tasks).astype(float),
        }
    )


def make_log_seconds(tasks, seed=0):
    """Six configurations: half linear in the rows, half in rows and columns."""
    rng = np.random.RandomState(seed)
    rows, columns = np.log(tasks["nr_inst"]), np.log(tasks["nr_encoded"])
    kinds = [rows - 8, rows + columns - 9]
    known = np.column_stack([kinds[j % 2] + 0.3 * j for j in range(6)])
    return known + 0.05 * rng.normal(size=known.shape)


@pytest.fixture(scope="module")
def timed():
    tasks = make_tasks()
    return tasks, make_log_seconds(tasks)


@pytest.fixture(scope="module")
def clock(timed):
    return Clock().fit(*timed, np.ones(N_TASKS))


def test_clock_learns_how_seconds_grow_with_the_table(clock):
    new = make_tasks(20, seed=1)
    expected = make_log_seconds(new, seed=1)
    believed = [
        clock.prior(task._asdict()).mean for task in new.itertuples(index=False)
    ]
    gap = np.abs(np.array(believed) - expected)
    assert np.median(gap) < 0.15
    assert gap.max() < 1.5


def test_sizes_without_classes_are_enough():
    tasks = make_tasks().drop(columns="nr_class")
    clock = Clock().fit(tasks, make_log_seconds(tasks), np.ones(N_TASKS))
    sizes = {"nr_inst": 1000.0, "nr_encoded": 20.0}
    assert np.isfinite(clock.prior(sizes).mean).all()
    np.testing.assert_array_equal(
        clock.prior({**sizes, "nr_class": np.nan}).mean, clock.prior(sizes).mean
    )


@pytest.mark.parametrize("factor", [1 / 3, 3.0])
def test_one_measured_fold_moves_all(clock, factor):
    belief = clock.prior(SIZES)
    before = belief.mean.copy()
    belief.observe(2, before[2] + np.log(factor), 0.01)
    moved = (belief.mean - before) / np.log(factor)
    assert moved[2] == pytest.approx(1, abs=0.05)
    assert (moved > 0.8).all() and (moved < 1.1).all()


def test_one_measured_fold_tells_of_the_others(clock):
    belief = clock.prior(SIZES)
    before = belief.sd()
    belief.observe(2, float(belief.mean[2]), 0.01)
    assert (belief.sd() < before / 2).all()


def test_another_machine_may_be_twice_as_fast(clock):
    assert (clock.prior(SIZES).sd() > np.log(2)).all()


def test_beliefs_of_two_tasks_are_apart(clock):
    clock.prior(SIZES).observe(0, 99.0, 0.01)
    assert clock.prior(SIZES).mean.max() < 20


def test_what_was_rarely_run_is_taken_to_be_typical(timed):
    tasks, log_seconds = timed
    few = log_seconds.copy()
    few[4:, 0] = np.nan  # four tasks are too few to learn from
    mean = Clock().fit(tasks, few, np.ones(N_TASKS)).prior(SIZES).mean
    others = mean[1:]
    assert others.min() < mean[0] < others.max()


def test_gaps_are_left_out(timed, clock):
    tasks, log_seconds = timed
    gaps = np.where(np.arange(N_TASKS)[:, None] % 4, log_seconds, np.nan)
    gaps[:, 1:] = log_seconds[:, 1:]
    mean = Clock().fit(tasks, gaps, np.ones(N_TASKS)).prior(SIZES).mean
    full = clock.prior(SIZES).mean
    assert mean[0] == pytest.approx(full[0], abs=0.2)
    np.testing.assert_allclose(mean[1:], full[1:])


def test_family_of_many_copies_counts_once(timed, clock):
    tasks, log_seconds = timed
    rows = np.r_[np.arange(N_TASKS), np.zeros(9, dtype=int)]
    weights = np.where(rows == 0, 0.1, 1.0)
    copied = Clock().fit(tasks.iloc[rows], log_seconds[rows], weights)
    np.testing.assert_allclose(copied.prior(SIZES).mean, clock.prior(SIZES).mean)


def test_restored_clock_tells_the_same_time(clock):
    again, first = Clock().restore(clock.arrays()).prior(SIZES), clock.prior(SIZES)
    np.testing.assert_allclose(again.mean, first.mean, rtol=1e-5)
    np.testing.assert_allclose(again.covariance, first.covariance, rtol=1e-5)


@pytest.fixture(scope="module")
def scale():
    """Spread grows with the first feature, location falls with the second."""
    rng = np.random.RandomState(0)
    features = rng.normal(size=(200, 2))
    spread = np.exp(-1 + 0.5 * features[:, 0] + 0.2 * rng.normal(size=200))
    location = -0.5 - 0.3 * features[:, 1] + 0.1 * rng.normal(size=200)
    return Scale(features, location, spread, np.arange(200), np.ones(200))


def test_spread_and_location_follow_the_meta_features(scale):
    found = {
        key: np.array(scale.components(np.array([key])))
        for key in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]
    }
    middle = found[0.0, 0.0].mean(axis=0)
    assert middle[[0, 2]] == pytest.approx([-0.5, np.exp(-1)], abs=0.1)
    assert found[1.0, 0.0].mean(axis=0)[2] > middle[2] + 0.1
    assert found[0.0, 1.0].mean(axis=0)[0] < middle[0] - 0.2


def test_components_are_as_far_apart_as_the_residuals(scale):
    spreads = np.log([spread for _, _, spread in scale.components(np.zeros((1, 2)))])
    assert len(spreads) == 7
    assert (np.diff(spreads) > 0).all()
    # Quantiles of a normal with standard deviation 0.2, from 1/14 to 13/14.
    assert spreads[-1] - spreads[0] == pytest.approx(2 * 1.465 * 0.2, rel=0.25)


def test_variance_of_the_location_is_that_of_the_noise(scale):
    variance = scale.components(np.zeros((1, 2)))[0][1]
    assert variance == pytest.approx(0.01, rel=0.3)


def test_without_trust_every_task_is_like_all_of_them(scale):
    far, near = np.array([[3.0, -3.0]]), np.zeros((1, 2))
    lost = np.array(scale.components(far, trust=0.0))
    np.testing.assert_allclose(lost, scale.components(near, trust=0.0))
    known = np.array(scale.components(near))
    assert lost[0, 1] > 2 * known[0, 1]  # the location may be anywhere
    assert np.ptp(np.log(lost[:, 2])) > 1.5 * np.ptp(np.log(known[:, 2]))


def test_location_may_depend_on_the_spread():
    rng = np.random.RandomState(0)
    log_spread = rng.normal(size=200)
    scale = Scale(
        np.zeros((200, 1)),
        -log_spread,
        np.exp(log_spread),
        np.arange(200),
        np.ones(200),
    )
    locations, _, spreads = np.array(scale.components(np.zeros((1, 1)))).T
    np.testing.assert_allclose(locations, -np.log(spreads), atol=0.3)
    assert locations[0] > locations[-1] + 1


def test_scale_counts_a_family_of_copies_once():
    rng = np.random.RandomState(0)
    features, location = rng.normal(size=(40, 1)), rng.normal(size=40)
    rows = np.r_[np.arange(40), np.zeros(9, dtype=int)]
    weights = np.where(rows == 0, 0.1, 1.0)
    spread = np.exp(rng.normal(size=40))
    once, copied, unweighted = (
        Scale(features[i], location[i], spread[i], families, w)
        for i, families, w in [
            (slice(None), np.arange(40), np.ones(40)),
            (rows, rows, weights),
            (rows, rows, np.ones(49)),
        ]
    )
    task = np.array([[0.5]])
    middle, same, other = (
        scale.components(task)[3][0] for scale in (once, copied, unweighted)
    )
    assert abs(same - middle) < abs(other - middle)
