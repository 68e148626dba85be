"""Intervals hold what they promise."""

import numpy as np
import pytest
from conftest import excerpt
from scipy.stats import norm

from sk_meta._belief import COUNTS, LEVEL, TAILS, Belief, Gaussian
from sk_meta._calibration import reach_of
from sk_meta._catalogue import catalogue
from sk_meta._history import Experience, weighted_quantiles
from sk_meta._metamodel import MetaModel

NORMAL = norm.ppf(TAILS)
N_NAMES = 14


def believed(rng, n_tasks=300, too_narrow=1.0):
    """Beliefs about made-up tasks, and results that are drawn from them."""
    root = rng.normal(size=(N_NAMES, N_NAMES)) / np.sqrt(N_NAMES)
    covariance = root @ root.T + 0.2 * np.eye(N_NAMES)
    names = tuple(f"c{i}" for i in range(N_NAMES))
    for h in rng.multivariate_normal(np.zeros(N_NAMES), covariance, n_tasks):
        gaussian = Gaussian(np.zeros(N_NAMES), covariance / too_narrow**2)
        yield Belief(names, [gaussian], 1e-9, clock=None, history=None), h, 1.0


def coverage(belief, h, seen):
    """Share of the other results inside the interval."""
    low, high = belief.interval()
    rest = np.setdiff1d(np.flatnonzero(np.isfinite(h)), seen)
    return ((low <= h) & (h <= high))[rest].mean()


def test_right_beliefs_have_normal_intervals():
    reach = reach_of(believed(np.random.RandomState(0)))
    assert reach.shape == (len(COUNTS), 2)
    np.testing.assert_allclose(reach, np.tile(NORMAL, (len(COUNTS), 1)), atol=0.2)


def test_intervals_of_narrow_beliefs_are_widened():
    reach = reach_of(believed(np.random.RandomState(0), too_narrow=2.0))
    np.testing.assert_allclose(reach[0], 2 * NORMAL, atol=0.3)


def test_bad_surprises_widen_only_the_bad_side():
    surprised = []
    for belief, h, weight in believed(np.random.RandomState(0)):
        surprised.append((belief, np.where(h > 0, 4 * h, h), weight))
    low, high = reach_of(surprised)[0]
    assert low == pytest.approx(NORMAL[0], abs=0.2)
    assert high > 3 * NORMAL[1]


def test_tasks_count_by_their_weight_and_not_by_their_number_of_results():
    rng = np.random.RandomState(0)
    weighted = []
    for k, (belief, h, _) in enumerate(believed(rng)):
        h = 3 * h if k % 2 else np.where(np.arange(N_NAMES) < 4, h, np.nan)
        weighted.append((belief, h, 1e-9 if k % 2 else 1.0))
    np.testing.assert_allclose(reach_of(weighted)[0], NORMAL, atol=0.25)


@pytest.mark.parametrize("n_known", [0, 1, 3, 5])
def test_few_configurations_give_every_count_an_interval(n_known):
    few = []
    for belief, h, weight in believed(np.random.RandomState(0)):
        few.append((belief, np.where(np.arange(N_NAMES) < n_known, h, np.nan), weight))
    reach = reach_of(few)
    assert reach.shape == (len(COUNTS), 2)
    assert (reach[:, 0] < 0).all() and (reach[:, 1] > 0).all()
    np.testing.assert_array_equal(reach[-1], reach[-2])


def test_interval_grows_between_the_counts_that_were_learned():
    belief, h, _ = next(believed(np.random.RandomState(0)))
    belief.reach = np.column_stack([-np.arange(1.0, 7.0), np.arange(1.0, 7.0)])
    widths = []
    for index in range(3):
        low, high = belief.interval()
        widths.append(((high - low) / (2 * belief.sd()))[-1])
        np.testing.assert_allclose((low + high) / 2, belief.mean())
        belief.observe(index, h[index])
    assert widths == pytest.approx([1.0, 2.0, 3.0])  # at 0, 1 and 2 results
    belief.observe(3, h[3])
    low, high = belief.copy().interval()
    assert ((high - low) / (2 * belief.sd()))[-1] == pytest.approx(4.0)


def test_weighted_quantiles():
    values, levels = np.array([3.0, 1.0, 2.0, 5.0]), [0.1, 0.5, 0.9]
    even = weighted_quantiles(values, np.ones(4), levels)
    assert even[1] == pytest.approx(np.median(values))
    scaled = weighted_quantiles(values, np.full(4, 7.0), levels)
    np.testing.assert_allclose(scaled, even)
    heavy = weighted_quantiles(values, np.array([1.0, 1.0, 1.0, 50.0]), levels)
    assert heavy[1] == pytest.approx(5.0, abs=0.2)


@pytest.mark.parametrize(
    ("task", "metric"),
    [("classification", "neg_log_loss"), ("regression", "neg_root_mean_squared_error")],
)
def test_on_unseen_families_they_cover_better_than_normal_ones(knowledge, task, metric):
    some = excerpt(knowledge, 60)
    known = set(some.results[task]["configuration"])
    names = tuple(c.name for c in catalogue(task) if c.name in known)
    families = some.select(task)["family"].unique()
    out = set(families[::3])
    rest = Experience.of(some.without(out), task, names)
    model = MetaModel("linear").fit(rest, task)
    twin = MetaModel("linear").fit(rest, task)
    twin._reach = {metric: np.tile(NORMAL, (len(COUNTS), 1))}
    new = Experience.of(some, task, names)
    history = new.histories[metric]
    found = {"learned": [], "normal": []}
    for row, (_, described) in enumerate(history.tasks.iterrows()):
        if described["family"] not in out:
            continue
        for label, asked in (("learned", model), ("normal", twin)):
            belief = asked.belief(described.to_dict(), metric)
            seen = np.argsort(belief.mean())[:5]
            for index in seen:
                belief.observe(index, history.h[row, index])
            found[label].append(coverage(belief, history.h[row], seen))
    assert len(found["learned"]) >= 12
    learned, normal = np.mean(found["learned"]), np.mean(found["normal"])
    assert abs(learned - LEVEL) < abs(normal - LEVEL)
    assert 0.7 < learned < 0.9
