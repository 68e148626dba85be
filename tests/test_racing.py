"""When the first folds of a configuration are enough to give it up."""

import numpy as np
import pytest

from sk_meta._racing import LEVEL, MARGIN, RANK, compare, margin, typical_variance

BEST = np.array([-1.0, -0.8, -1.2, -0.9, -1.1])


@pytest.mark.parametrize("n_run", [1, 2, 4])
def test_what_is_far_worse_on_every_fold_is_hopeless(n_run):
    gap = compare(BEST[:n_run] + 1.5, BEST[:n_run], 5, 0.02**2)
    assert gap.is_hopeless(MARGIN)
    assert gap.mean == pytest.approx(1.5)


@pytest.mark.parametrize("n_run", [1, 2, 4])
@pytest.mark.parametrize("gap", [-1.0, 0.0, 0.9 * MARGIN])
def test_what_is_within_the_margin_never_is(n_run, gap):
    for variance in (None, 0.0, 0.01**2, 0.5**2):
        found = compare(BEST[:n_run] + gap, BEST[:n_run], 5, variance)
        assert not found.is_hopeless(MARGIN)


def test_noise_of_the_folds_that_both_share_does_not_count():
    noise = np.array([2.0, -3.0, 1.0])
    apart = compare(BEST[:3] + 0.5 + noise, BEST[:3] + noise, 5, 0.02**2)
    assert apart.is_hopeless(MARGIN)
    assert apart.mean == pytest.approx(0.5)


def test_one_bad_fold_is_less_sure_than_three():
    gaps = [compare(BEST[:n] + 0.12, BEST[:n], 5, 0.2**2) for n in (1, 3, 4)]
    assert [gap.is_hopeless(MARGIN) for gap in gaps] == [False, True, True]
    assert np.all(np.diff([gap.variance for gap in gaps]) < 0)
    assert np.all(np.diff([gap.freedom for gap in gaps]) > 0)


def test_folds_that_disagree_are_less_sure_than_folds_that_agree():
    agree = compare(BEST[:3] + 0.2, BEST[:3], 5, 0.02**2)
    disagree = compare(BEST[:3] + [-2.2, 0.2, 2.6], BEST[:3], 5, 0.02**2)
    assert agree.mean == pytest.approx(disagree.mean)
    assert agree.is_hopeless(MARGIN) and not disagree.is_hopeless(MARGIN)


def test_with_all_folds_run_nothing_is_left_to_guess():
    gap = compare(BEST + [0.0, 0.2, 0.4, 0.1, 0.3], BEST, 5)
    assert gap.variance == 0
    assert gap.is_hopeless(MARGIN) == (gap.mean > MARGIN)


@pytest.mark.parametrize("sd", [0.02, 0.1, 0.3])
def test_what_ends_within_the_margin_is_seldom_given_up(sd):
    """Five folds of equal configurations: the level is kept, looks at all folds."""
    rng = np.random.default_rng(0)
    n, dropped = 4000, 0
    for _ in range(n):
        h = BEST + rng.normal(0, sd, 5)
        if (h - BEST).mean() > MARGIN:
            continue
        dropped += any(
            compare(h[:k], BEST[:k], 5, sd**2).is_hopeless(MARGIN) for k in range(1, 5)
        )
    # There are four looks, each at the level, at what is hardly ever at the margin.
    assert dropped / n < 1.5 * LEVEL


def test_once_there_are_enough_one_must_be_among_the_best():
    few = [-1.0, -0.5]
    assert margin(few) == MARGIN
    assert len(few) == RANK - 1
    assert margin([*few, -0.9]) == MARGIN  # the third is far off
    assert margin([*few, -0.9, -0.97, -0.98]) == pytest.approx(0.03)


def test_clear_losers_are_given_up_early():
    rng = np.random.default_rng(0)
    gaps = (compare(BEST[:2] + 0.8 + rng.normal(0, 0.1, 2), BEST[:2], 5, 0.1**2)
            for _ in range(200))  # fmt: skip
    assert np.mean([gap.is_hopeless(MARGIN) for gap in gaps]) > 0.9


def test_typical_variance_is_that_of_the_differences():
    rng = np.random.default_rng(0)
    runs = [BEST + k + rng.normal(0, 0.2, 5) for k in range(200)]
    assert typical_variance(runs, BEST) == pytest.approx(0.04, rel=0.3)


def test_one_odd_configuration_does_not_make_it_untypical():
    rng = np.random.default_rng(0)
    runs = [BEST + rng.normal(0, 0.1, 5) for _ in range(9)]
    odd = BEST + [0, 50, 0, -50, 0]
    known = typical_variance(runs, BEST)
    assert typical_variance([*runs, odd], BEST) < 3 * known


def test_without_others_no_variance_is_known():
    assert typical_variance([], BEST) is None
    assert typical_variance([np.array([0.1])], BEST[:1]) is None


def test_agreement_by_chance_is_not_taken_for_certainty():
    assert typical_variance([BEST + 0.3], BEST) == pytest.approx(0.003**2)
