"""The orders that others would try the configurations in."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sk_meta import compute_meta_features
from sk_meta._history import Experience, History
from sk_meta._metamodel import META_FEATURES, MetaModel

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
corpus = pytest.importorskip("corpus")
strategies = pytest.importorskip("strategies")
judge = pytest.importorskip("leave_one_family_out")

N_TASKS, N_NAMES = 40, 12
FEATURES = np.column_stack([np.arange(N_TASKS), np.full(N_TASKS, 3.0)])


@pytest.fixture
def history():
    """Forty tasks in two groups of tasks, six configurations good on either."""
    rng = np.random.RandomState(0)
    group = np.arange(N_TASKS)[:, None] % 2
    h = -1 + 0.4 * (group == np.arange(N_NAMES) % 2) + np.linspace(0, 0.2, N_NAMES)
    h = h + 0.02 * rng.normal(size=h.shape)
    tasks = pd.DataFrame(
        {
            "nr_inst": rng.randint(50, 1000, N_TASKS).astype(float),
            "nr_encoded": 10.0,
            "inst_to_attr": 9.0,
            "family": [f"family {i}" for i in range(N_TASKS)],
        },
        index=[f"task {i}" for i in range(N_TASKS)],
    )
    return History(tuple("abcdefghijkl"), tasks, h, np.zeros_like(h))


def every_order(history, h, available):
    """The orders of all strategies."""
    regular = [
        strategies.average_order(history, available),
        strategies.portfolio_order(history, available),
        strategies.portfolio_order(history, available, np.linspace(1, 9, N_NAMES)),
        strategies.warm_start_order(history, FEATURES, FEATURES[3], available),
        strategies.low_rank_order(history, h, available),
    ]
    return [
        *regular,
        judge.ours(new_task(history, h, available), believed(history), 3, 0.0),
    ]


def believed(history):
    experience = Experience(
        history.names, history.tasks, {"one": history}, history.log_seconds
    )
    model = MetaModel("none").fit(experience, "regression")
    return model.belief(history.tasks.iloc[0].to_dict(), "one")


def new_task(history, h, available):
    seconds = np.where(available, 2.0, np.inf)
    known = history.tasks.iloc[0].to_dict()
    return judge.HeldOut(
        "new", "new", known, h, np.zeros(N_NAMES), seconds, 2, available
    )


@pytest.mark.parametrize("absent", [[], [0], [1, 5, 6], list(range(1, 12))])
def test_every_order_is_a_permutation_of_what_is_available(history, absent):
    available = ~np.isin(np.arange(N_NAMES), absent)
    h = history.h[7].copy()
    for order in every_order(history, h, available):
        assert sorted(order) == np.flatnonzero(available).tolist()


def test_failed_ones_are_in_the_orders_too(history):
    available = np.arange(N_NAMES) != 4
    h = history.h[7].copy()
    h[[2, 9]] = np.nan
    for order in every_order(history, h, available):
        assert sorted(order) == np.flatnonzero(available).tolist()


def test_average_order_goes_by_the_mean(history):
    mean = history.standardised()[2].mean(axis=0)
    order = strategies.average_order(history, np.ones(N_NAMES, dtype=bool))
    assert (np.diff(mean[order]) >= 0).all()


def test_portfolio_takes_one_of_either_group(history):
    everything = np.ones(N_NAMES, dtype=bool)
    first, second = strategies.portfolio_order(history, everything)[:2]
    assert first % 2 != second % 2


def test_portfolio_per_second_puts_the_slow_later(history):
    everything = np.ones(N_NAMES, dtype=bool)
    first = strategies.portfolio_order(history, everything)[0]
    seconds = np.where(np.arange(N_NAMES) == first, 1e4, 1.0)
    order = strategies.portfolio_order(history, everything, seconds)
    assert order.index(first) > 2


@pytest.mark.parametrize("row", [0, 3, 20, 39])
def test_warm_start_begins_with_the_best_of_the_nearest_task(history, row):
    everything = np.ones(N_NAMES, dtype=bool)
    order = strategies.warm_start_order(history, FEATURES, FEATURES[row], everything)
    assert order[0] == history.h[row].argmin()


def test_warm_start_takes_the_next_best_if_the_best_is_not_available(history):
    available = np.ones(N_NAMES, dtype=bool)
    best, second = history.h[3].argsort()[:2]
    available[best] = False
    order = strategies.warm_start_order(history, FEATURES, FEATURES[3], available)
    assert order[0] == second


def test_warm_start_scales_the_meta_features_to_their_range(history):
    # The second meta-feature is large but varies little: it must count as much.
    features = np.column_stack([np.arange(N_TASKS), 1e6 * (np.arange(N_TASKS) % 2)])
    task = np.array([4.0, 1e6])  # near to rows 3 and 5, not to row 4
    everything = np.ones(N_NAMES, dtype=bool)
    order = strategies.warm_start_order(history, features, task, everything)
    assert order[0] in (history.h[3].argmin(), history.h[5].argmin())


def test_warm_start_takes_missing_meta_features(history):
    features = FEATURES.copy()
    features[5, 1] = np.nan
    everything = np.ones(N_NAMES, dtype=bool)
    order = strategies.warm_start_order(history, features, FEATURES[3], everything)
    assert order[0] == history.h[3].argmin()


def test_low_rank_puts_failed_ones_last(history):
    h = history.h[7].copy()
    h[[2, 9]] = np.nan
    order = strategies.low_rank_order(history, h, np.ones(N_NAMES, dtype=bool))
    assert order[-2:] == [2, 9]


def test_low_rank_learns_from_what_it_saw(history):
    # After the first six it knows the group of the task: those that are good on
    # it come before the others.
    everything = np.ones(N_NAMES, dtype=bool)
    for row in (0, 1):
        order = strategies.low_rank_order(history, history.h[row], everything)
        rest = order[strategies.RANK :]
        good = [j for j in rest if j % 2 != row % 2]
        assert good == rest[: len(good)]


def test_low_rank_does_not_look_ahead(history):
    # What is only seen later has no influence on what comes earlier.
    everything = np.ones(N_NAMES, dtype=bool)
    order = strategies.low_rank_order(history, history.h[7], everything)
    h = history.h[7].copy()
    h[order[-1]] = -5.0
    assert strategies.low_rank_order(history, h, everything) == order


def test_best_regret_by_count_and_by_seconds():
    regret = np.array([0.9, 0.5, 0.7, 0.1])
    order, seconds = [0, 2, 1, 3], np.array([1.5, 2.0, 1.0, 90.0])
    np.testing.assert_allclose(
        judge.by_count(order, regret), [0.9, 0.7, 0.5, 0.1, 0.1, 0.1, 0.1]
    )
    # After 1, 2, 4, 8, 16, 32 and 64 s; the last one never ends in time.
    np.testing.assert_allclose(
        judge.by_seconds(order, regret, seconds), [3, 0.9, 0.7, 0.5, 0.5, 0.5, 0.5]
    )


def test_our_order_does_not_look_ahead(history):
    everything = np.ones(N_NAMES, dtype=bool)
    h = history.h[7]
    order = judge.ours(new_task(history, h, everything), believed(history), 1, 0.0)
    changed = h.copy()
    changed[order[-1]] = -5.0
    again = judge.ours(
        new_task(history, changed, everything), believed(history), 1, 0.0
    )
    assert again == order


def test_families_are_dealt_into_halves_and_folds():
    families = [f"family {i}" for i in range(500)]
    halves = [corpus.half_of(family) for family in families]
    assert set(halves) == {"development", "report"}
    assert 200 < halves.count("report") < 300
    folds = np.bincount([judge.fold_of(f) for f in families], minlength=judge.N_FOLDS)
    assert len(folds) == judge.N_FOLDS and folds.min() > 20


@pytest.mark.parametrize("task", META_FEATURES)
def test_landmarkers_are_those_meta_features_that_need_a_fit(task):
    y = np.arange(60) % 2 if task == "classification" else np.arange(60.0)
    table = compute_meta_features(np.random.rand(60, 3), y, task).to_frame()
    fitted = set(table[table["group"] == "landmarker"]["name"])
    assert set(META_FEATURES[task]) & fitted == set(META_FEATURES[task]) & set(
        judge.LANDMARKERS
    )


def test_interval_of_a_ratio_holds_it():
    rng = np.random.RandomState(0)
    theirs = rng.uniform(0.2, 1, size=60)
    low, high = judge.bootstrap_ratio(0.5 * theirs, theirs, np.arange(60) // 2)
    assert low == pytest.approx(0.5) and high == pytest.approx(0.5)
    ours = 0.5 * theirs + 0.1 * rng.uniform(size=60)
    low, high = judge.bootstrap_ratio(ours, theirs, np.arange(60) // 2)
    assert low < ours.mean() / theirs.mean() < high
