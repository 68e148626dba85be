"""Which rows are fitted on and scored on, for few, some and many rows."""

import warnings
from itertools import combinations

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, StratifiedKFold

from sk_meta._folds import (
    HOLDOUT_ROWS,
    LOOKS,
    N_RESTARTS,
    fewer_folds,
    plan_folds,
    with_restarts,
)
from sk_meta._table import describe_target

KINDS = pytest.mark.parametrize("kind", ["classification", "regression"])


def target_of(n_rows, kind="classification", shares=(0.7, 0.3)):
    rng = np.random.default_rng(0)
    if kind == "regression":
        y = rng.normal(size=n_rows)
    else:
        y = rng.choice(len(shares), n_rows, p=shares)
    return y, describe_target(y, kind)


def plan(n_rows, kind="classification", cv=None, seed=0, **params):
    y, target = target_of(n_rows, kind, **params)
    return plan_folds(cv, np.zeros((n_rows, 1)), y, target, seed), y, target


def plan_all(n_rows, kind="classification", cv=None):
    """With those of further searches."""
    folds, y, target = plan(n_rows, kind, cv)
    return with_restarts(folds, y, target, 0)


def check(folds, n_rows):
    """What is true of all folds whatsoever."""
    for train, test in folds.splits:
        assert len(train) and len(test)
        assert not np.isin(train, test).any()
        assert len(np.unique(train)) == len(train)
        assert 0 <= min(train.min(), test.min())
        assert max(train.max(), test.max()) < n_rows
    known = set(range(len(folds.splits)))
    later = [part for search in folds.restarts for part in search]
    parts = (*folds.stages, *folds.repeats, *later)
    assert known == {i for part in parts for i in part}


def scored_rows(folds, positions):
    return np.sort(np.concatenate([folds.splits[i][1] for i in positions]))


@KINDS
@pytest.mark.parametrize(
    ("n_rows", "n_folds", "n_repeats", "n_looks"),
    [
        (20, 5, 4, 0),
        (299, 5, 4, 0),
        (300, 5, 1, 0),
        (5_000, 5, 1, 0),
        (5_001, 5, 0, 0),
        (24_990, 5, 0, 0),
        (25_010, 5, 0, 1),
        (99_990, 5, 0, 1),
        (100_000, 1, 0, 1),
        (219_900, 1, 0, 1),
        (220_100, 1, 0, 2),
    ],
)
def test_folds_for_so_many_rows(kind, n_rows, n_folds, n_repeats, n_looks):
    folds, _, _ = plan(n_rows, kind)
    check(folds, n_rows)
    assert folds.automatic
    assert len(folds.judged) == n_folds
    assert len(folds.repeats) == n_repeats
    assert not folds.restarts
    assert len(folds.stages) == n_looks + 1
    assert f"{n_rows:,} rows" in folds.why
    sizes = [folds.n_train(stage) for stage in range(len(folds.stages))]
    assert tuple(sizes[:-1]) == LOOKS[:n_looks]
    assert sizes == sorted(sizes)


@KINDS
@pytest.mark.parametrize("n_rows", [100, 1000])
def test_every_row_is_scored_once_per_repetition(kind, n_rows):
    folds, _, _ = plan(n_rows, kind)
    for part in (folds.stages[-1], *folds.repeats):
        np.testing.assert_array_equal(scored_rows(folds, part), np.arange(n_rows))


@pytest.mark.parametrize("n_rows", [200, 1000, 24_990])
def test_a_further_search_has_folds_of_its_own(n_rows):
    folds = plan_all(n_rows)
    check(folds, n_rows)
    assert len(folds.restarts) == N_RESTARTS
    assert folds.again(0) is folds
    used = {i for part in (folds.stages[-1], *folds.repeats) for i in part}
    for number in range(1, N_RESTARTS + 1):
        again = folds.again(number)
        assert len(again.judged) == 5 and len(again.repeats) == len(folds.repeats)
        assert len(again.restarts) == N_RESTARTS - number
        for part in (again.stages[-1], *again.repeats):
            np.testing.assert_array_equal(scored_rows(again, part), np.arange(n_rows))
            assert not used & set(part)
            used |= set(part)


@KINDS
def test_there_are_none_for_many_rows_or_given_folds(kind):
    for n_rows, cv in [(25_010, None), (120_000, None), (200, 5)]:
        assert plan_all(n_rows, kind, cv).restarts == ()


def test_there_are_none_for_many_rows_in_groups():
    for n_rows, n_searches in [(5_000, N_RESTARTS), (5_001, 0)]:
        folds, y, target = plan(n_rows)
        groups = np.arange(n_rows) // 100
        again = with_restarts(folds, y, target, 0, groups)
        assert len(again.restarts) == n_searches


@pytest.mark.parametrize("n_rows", [200, 1000])
def test_those_of_one_search_are_what_they_were_without_others(n_rows):
    folds, _, _ = plan(n_rows)
    everything = plan_all(n_rows)
    assert len(everything.splits) > len(folds.splits)
    for one in (folds, everything):
        assert len(one.of_one_search) == len(folds.splits)
        for found, known in zip(one.of_one_search, folds.splits, strict=True):
            np.testing.assert_array_equal(found[0], known[0])
            np.testing.assert_array_equal(found[1], known[1])


def test_repeats_are_divided_otherwise():
    folds = plan_all(200)
    parts = [folds.stages[-1], *folds.repeats]
    parts += [part for search in folds.restarts for part in search]
    divided = [{tuple(folds.splits[i][1]) for i in part} for part in parts]
    for first, second in combinations(divided, 2):
        assert not first & second


@KINDS
@pytest.mark.parametrize("n_rows", [120_000, 400_000])
def test_with_one_split_all_stages_are_scored_on_the_same_rows(kind, n_rows):
    folds, _, _ = plan(n_rows, kind)
    (train, test), rest = folds.judged[0], folds.splits
    assert len(test) == min(n_rows // 5, 20_000)
    assert len(train) + len(test) == n_rows
    for part, scored in rest:
        np.testing.assert_array_equal(scored, test)
        assert np.isin(part, train).all()


def test_looks_before_several_folds_are_scored_on_a_part_of_the_rows():
    folds, _, _ = plan(60_000)
    train, test = folds.judged[0]
    ((look,), _) = folds.stages
    part, scored = folds.splits[look]
    assert np.isin(part, train).all() and np.isin(scored, test).all()
    assert len(scored) == LOOKS[0]


@pytest.mark.parametrize("n_rows", [50, 1000, 30_000, 120_000])
def test_every_part_has_the_shares_of_the_classes(n_rows):
    folds, y, _ = plan(n_rows)
    for train, test in folds.splits:
        for rows in (train, test):
            off = abs(y[rows].mean() - y.mean())
            assert off <= 1.0 / len(rows) + 1e-9


@pytest.mark.parametrize("n_rows", [1_000, HOLDOUT_ROWS])
def test_the_seed_decides_and_nothing_else(n_rows):
    (first, _, _), (again, _, _), (other, _, _) = (
        plan(n_rows, seed=seed) for seed in (0, 0, 1)
    )
    for a, b in zip(first.splits, again.splits, strict=True):
        np.testing.assert_array_equal(a[0], b[0])
        np.testing.assert_array_equal(a[1], b[1])
    assert not np.array_equal(first.splits[0][1], other.splits[0][1])


@pytest.mark.parametrize("n_rows", [200, 30_000, 120_000])
@pytest.mark.parametrize("cv", [3, StratifiedKFold(4)])
def test_folds_that_are_given_are_left_alone(n_rows, cv):
    folds, y, target = plan(n_rows, cv=cv)
    check(folds, n_rows)
    n_folds = cv if isinstance(cv, int) else 4
    assert len(folds.splits) == n_folds
    assert folds.stages == (tuple(range(n_folds)),)
    assert folds.repeats == () and not folds.automatic
    assert fewer_folds(folds, 1000.0, 1.0, y, target, 0) is folds


def test_groups_that_are_given_stay_together():
    y, target = target_of(100)
    groups = np.arange(100) // 10
    cv = list(GroupKFold(5).split(y, y, groups))
    folds = plan_folds(cv, np.zeros((100, 1)), y, target, 0)
    for train, test in folds.splits:
        assert not set(groups[train]) & set(groups[test])


def test_a_class_with_few_members_means_fewer_folds():
    y = np.repeat([0, 1, 2], [60, 40, 3])
    with pytest.warns(UserWarning, match="3 folds"):
        folds = plan_folds(None, np.zeros((103, 1)), y, describe_target(y, "auto"), 0)
    check(folds, 103)
    assert len(folds.judged) == 3
    # Said once, and not again for every repetition.
    assert len(folds.repeats) == 4
    assert all(2 in y[test] for _, test in folds.splits)


@pytest.mark.parametrize("n_rows", [30_000, 120_000])
def test_a_class_with_one_member_does_not_stop_large_tables(n_rows):
    y, _ = target_of(n_rows)
    y[7] = 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        folds = plan_folds(
            None, np.zeros((n_rows, 1)), y, describe_target(y, "classification"), 0
        )
    check(folds, n_rows)
    assert len(folds.stages) > 1


def test_enough_time_leaves_the_folds_alone():
    folds, y, target = plan(10_000)
    assert fewer_folds(folds, 1.0, 5 * 20 * 1.0, y, target, 0) is folds
    assert fewer_folds(folds, 0.0, 1.0, y, target, 0) is folds


def test_less_time_means_three_folds():
    folds, y, target = plan(10_000)
    fewer = fewer_folds(folds, 1.0, 3 * 20 * 1.0, y, target, 0)
    check(fewer, 10_000)
    assert len(fewer.judged) == 3 and fewer.repeats == ()
    scored = scored_rows(fewer, fewer.stages[-1])
    np.testing.assert_array_equal(scored, np.arange(10_000))
    assert fewer.why == "3 folds for the time: 1 s a fold are expected"


def test_little_time_means_one_split_with_looks():
    folds, y, target = plan(30_000)
    fewer = fewer_folds(folds, 10.0, 30.0, y, target, 0)
    check(fewer, 30_000)
    assert len(fewer.judged) == 1
    assert len(fewer.stages) == 2
    assert fewer.why == "one split for the time: 10 s a fold are expected"


def test_on_few_rows_one_split_would_say_too_little():
    for n_rows, n_folds in ((200, 3), (4_990, 3), (5_010, 1)):
        folds, y, target = plan(n_rows)
        assert len(fewer_folds(folds, 100.0, 1.0, y, target, 0).judged) == n_folds


def test_fewer_folds_than_three_are_not_made_more():
    y = np.repeat([0, 1], [98, 2])
    with pytest.warns(UserWarning, match="2 folds"):
        folds = plan_folds(None, np.zeros((100, 1)), y, describe_target(y, "auto"), 0)
    fewer = fewer_folds(folds, 100.0, 1.0, y, describe_target(y, "auto"), 0)
    assert len(fewer.judged) == 2
