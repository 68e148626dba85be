"""New configurations around the best ones."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rv_discrete
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_wine

from sk_meta._catalogue import catalogue, template_of
from sk_meta._catalogue._template import LARGE_ROWS
from sk_meta._catalogue._templates import TEMPLATES
from sk_meta._kinds import TEXT
from sk_meta._proposals import N_BASES, Observed, _what_matters, propose
from sk_meta._table import describe_table, describe_target

BY_KEY = {(t.task, t.name): t for t in TEMPLATES}
every_template = pytest.mark.parametrize("key", BY_KEY, ids="/".join)
TASKS = ("classification", "regression")
LOGISTIC = BY_KEY["classification", "logistic"]
TREE = BY_KEY["classification", "tree"]
BOOSTING = BY_KEY["classification", "hist-gb"]
FOREST = BY_KEY["classification", "forest"]
TABLE = describe_table(load_wine(return_X_y=True)[0])


def observed(template, params, h, seconds=0.1):
    known = {**template.sample(1, random_state=0)[0], **params}
    name = f"{template.name} {sorted(known.items())}"
    return Observed(template.configuration(name, known), h, seconds)


def trees(hs):
    """Trees of several depths, with how bad they are."""
    return [observed(TREE, {"max_depth": d, "min_samples_leaf": 10}, h)
            for d, h in hs.items()]  # fmt: skip


def proposals(known, n=10, max_seconds=100.0):
    found = [propose(known, [], TABLE, max_seconds, seed) for seed in range(n)]
    return [p for p in found if p is not None]


def in_range(values, value):
    if isinstance(values, list):
        return value in values
    low, high = values.support()
    if isinstance(values.dist, rv_discrete):
        return isinstance(value, int) and low <= value <= high
    return low * 0.99 <= value <= high * 1.01


def table_and_target(task):
    X, y = (load_wine if task == "classification" else load_diabetes)(return_X_y=True)
    X, y = X[::3, :6], y[::3]
    return X, y, describe_table(X), describe_target(y, task)


@every_template
def test_moves_stay_within_the_ranges(key):
    template, rng = BY_KEY[key], np.random.default_rng(0)
    params = template.sample(1, random_state=1)[0]
    for _ in range(100):
        params = template.move(params, rng, 0.5, 0.3)
        assert list(params) == ["preprocess", *template.ranges]
        assert params["preprocess"] in template.preprocess
        assert all(in_range(template.ranges[name], params[name])
                   for name in template.ranges)  # fmt: skip


@every_template
def test_what_a_move_makes_can_be_fitted(key):
    task, _ = key
    template, rng = BY_KEY[key], np.random.default_rng(2)
    X, y, table, target = table_and_target(task)
    params = template.move(template.sample(1, random_state=2)[0], rng, 0.3, 0.3)
    configuration = template.configuration("it", params)
    if configuration.why_not(table, target):
        pytest.skip(configuration.why_not(table, target))
    pipeline = configuration.build(table, 0)
    few = {name: 5 for name, value in pipeline.get_params().items()
           if name.split("__")[-1] in ("n_estimators", "iterations", "max_iter")
           and isinstance(value, int) and value > 5}  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = clone(pipeline.set_params(**few)).fit(X, y)
    assert fitted.predict(X).shape == y.shape


@every_template
def test_positions_lie_in_the_unit_cube(key):
    template = BY_KEY[key]
    points = np.array([template.position(p) for p in template.sample(50, 0)])
    assert points.shape[1] == len(template.ranges) + 1
    assert (points >= 0).all() and (points <= 1).all()
    space = [list(template.preprocess), *template.ranges.values()]
    fixed = [isinstance(v, list) and len(set(map(str, v))) == 1 for v in space]
    assert (points.std(axis=0) > 0).tolist() == np.logical_not(fixed).tolist()


def test_a_larger_value_lies_further_up():
    places = [LOGISTIC.position({"C": C})[1] for C in (0.002, 0.1, 3.0, 90.0)]
    assert places == sorted(places)
    # The range is that of a logarithm.
    assert np.diff(places) == pytest.approx([0.34, 0.30, 0.30], abs=0.05)


def test_what_is_missing_lies_in_the_middle_and_what_is_beyond_at_the_end():
    odd = {"C": 1e9, "class_weight": "no such"}
    assert LOGISTIC.position(odd).tolist() == [0.5, 1.0, 0.5]
    assert LOGISTIC.position({}).tolist() == [0.5] * 3


def test_a_number_between_those_of_a_list_lies_between_them():
    names = list(BOOSTING._space())
    at = {
        rounds: BOOSTING.position({"max_iter": rounds})[names.index("max_iter")]
        for rounds in (10, 50, 150, 200, 1000)
    }
    assert list(at.values()) == sorted(at.values())
    assert at[10] == at[50] and at[200] < at[1000]
    assert at[150] == pytest.approx((BOOSTING.position({"max_iter": 100})[
        names.index("max_iter")] + at[200]) / 2)  # fmt: skip


def test_what_is_not_given_is_as_the_estimator_has_it():
    given = {"max_iter": 100, "max_leaf_nodes": 31, "learning_rate": 0.1}
    assert (BOOSTING.position({}) == BOOSTING.position(given)).all()
    # What is not moved is not given either, and what is beyond a range is kept.
    rng = np.random.default_rng(0)
    moved = BOOSTING.move({"max_iter": 5000}, rng, 0.1, 1.0)
    assert set(moved) == {"preprocess", "max_iter"} and moved["max_iter"] == 5000


@pytest.mark.parametrize("name", ["hist-gb", "lightgbm", "xgboost"])
@pytest.mark.parametrize("task", TASKS)
def test_defaults_are_those_of_the_estimators(task, name):
    for template in (BY_KEY[task, name], BY_KEY[task, f"{name}-wide"]):
        try:
            estimator = template.make()
        except ImportError:
            pytest.skip("the package is not installed")
        known = {name: value for name, value in estimator.get_params().items()
                 if name in template.ranges and value is not None}  # fmt: skip
        assert known == {name: template.defaults[name] for name in known}


@pytest.mark.parametrize("name", ["hist-gb", "lightgbm", "xgboost", "catboost"])
@pytest.mark.parametrize("task", TASKS)
def test_a_model_is_the_same_if_its_defaults_are_given(task, name):
    template = BY_KEY[task, name]
    load = load_wine if task == "classification" else load_diabetes
    X, y = load(return_X_y=True)
    try:
        default, given, other = (template.make() for _ in range(3))
    except ImportError:
        pytest.skip("the package is not installed")
    known = {k: v for k, v in template.defaults.items() if k in template.ranges}
    depth = {"hist-gb": "max_leaf_nodes", "lightgbm": "num_leaves"}.get(
        name, "depth" if name == "catboost" else "max_depth"
    )
    if name == "catboost":  # its own number of rounds, and rate, go by the rows
        few = {"iterations": 20, "learning_rate": 0.1}
        default.set_params(**few), given.set_params(**few), other.set_params(**few)
    default.fit(X, y)
    given.set_params(**known).fit(X, y)
    other.set_params(**{**known, depth: 2}).fit(X, y)
    assert np.array_equal(default.predict(X), given.predict(X))
    proba = "predict_proba" if task == "classification" else "predict"
    expected = getattr(default, proba)(X)
    assert np.allclose(getattr(given, proba)(X), expected)
    assert not np.allclose(getattr(other, proba)(X), expected)


@pytest.mark.parametrize("task", TASKS)
def test_large_tables_have_larger_trees_and_more_of_them(task):
    for name, size, rounds in [("hist-gb", "max_leaf_nodes", "max_iter"),
                               ("lightgbm", "num_leaves", "n_estimators"),
                               ("catboost", "depth", "iterations")]:  # fmt: skip
        template = BY_KEY[task, name]
        large = template.for_rows(LARGE_ROWS)
        assert template.for_rows(LARGE_ROWS - 1) is template
        for param in (size, rounds):
            assert max(large.ranges[param]) > max(template.ranges[param])
        assert set(large.ranges) == set(template.ranges)


@pytest.mark.parametrize("depth", [2, 5, 11])
def test_a_whole_number_moves_up_as_often_as_down(depth):
    rng = np.random.default_rng(0)
    params = {"preprocess": "ordinal", "max_depth": depth, "min_samples_leaf": 3}
    moved = np.array([TREE.move(params, rng, 0.1, 0.0)["max_depth"]
                      for _ in range(400)])  # fmt: skip
    assert moved.min() >= 2 and moved.max() <= 11
    assert (moved == depth).any() and (moved != depth).any()
    if depth == 5:
        assert np.mean(moved > 5) == pytest.approx(np.mean(moved < 5), abs=0.1)


def test_small_steps_stay_near_and_nothing_moves_if_all_is_kept():
    rng = np.random.default_rng(0)
    params = {"preprocess": "scaled", "C": 1.0, "class_weight": None}
    assert LOGISTIC.move(params, rng, 0.5, 1.0) == params
    start = LOGISTIC.position(params)[1]
    far = [
        np.std([LOGISTIC.position(LOGISTIC.move(params, rng, step, 0.0))[1] - start
                for _ in range(200)])
        for step in (0.02, 0.2)
    ]  # fmt: skip
    assert far[0] == pytest.approx(0.02, rel=0.2) and far[1] > 4 * far[0]


def test_values_out_of_range_come_back_into_it():
    rng = np.random.default_rng(0)
    moved = LOGISTIC.move({"preprocess": "none", "C": -5}, rng, 0.1, 0.0)
    assert moved["preprocess"] in LOGISTIC.preprocess
    assert 1e-3 <= moved["C"] <= 100


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_configurations_of_the_catalogue_can_be_moved(task):
    rng = np.random.default_rng(0)
    moved = 0
    table = table_and_target(task)[2]
    for configuration in catalogue(task):
        template = template_of(configuration)
        if template is None:
            continue
        params = template.move(configuration.params, rng, 0.2, 0.5)
        near = template.configuration("it", params)
        assert near.task == task and near.template == template.name
        if near.requires is None:
            assert near.build(table, 0).get_params()
        moved += 1
    assert moved > len(catalogue(task)) / 2


def test_rounds_that_end_early_still_do_after_a_move():
    base = next(c for c in catalogue("classification") if c.name == "hist-gb-long")
    found = proposals([Observed(base, 0.0, 1.0)])
    assert len({p.configuration.name for p in found}) > 1
    for p in found:
        given = p.configuration.params
        assert given["early_stopping"] and given["n_iter_no_change"] == 20
        model = p.configuration.build(TABLE, 0)[-1]
        assert model.early_stopping and model.max_iter == given["max_iter"]


def test_a_default_that_is_given_makes_no_other_configuration():
    params = BOOSTING.sample(1, random_state=0)[0]
    params["max_leaf_nodes"] = BOOSTING.defaults["max_leaf_nodes"]
    named = BOOSTING.configuration("named", params)
    omitted = BOOSTING.configuration("omitted", {
        name: value for name, value in params.items() if name != "max_leaf_nodes"
    })  # fmt: skip
    other = BOOSTING.configuration("other", {**params, "max_leaf_nodes": 8})
    assert _what_matters(named, TABLE) == _what_matters(omitted, TABLE)
    assert _what_matters(named, TABLE) != _what_matters(other, TABLE)


def test_proposals_are_new_and_named_after_their_template():
    known = trees({2: 0.0, 5: -0.5, 9: -0.4})
    names = [p.configuration.name for p in proposals(known)]
    assert all(name.startswith("tree~") for name in names)
    first = propose(known, [], TABLE, 100.0, 0).configuration
    second = propose(known, [first], TABLE, 100.0, 0).configuration
    assert second.name != first.name and second.params != first.params


@pytest.mark.parametrize("n_columns", [2, 13])
def test_a_share_of_few_columns_is_not_tried_twice(n_columns):
    table = describe_table(load_wine(return_X_y=True)[0][:, :n_columns])
    params = {"preprocess": "ordinal", "max_features": 0.8, "min_samples_leaf": 1,
              "criterion": "gini", "class_weight": None}  # fmt: skip
    first = observed(FOREST, params, -1.0)
    shares, tried = set(), [first.configuration]
    for seed in range(100):
        found = propose([first], tried, table, 100.0, seed)
        if found is None:  # there is nothing new nearby
            continue
        tried.append(found.configuration)
        same = {name: found.configuration.params[name] for name in params}
        if same == {**params, "max_features": same["max_features"]}:
            shares.add(same["max_features"])
    numbers = [max(1, int(share * n_columns)) for share in {0.8, *shares}]
    assert len(numbers) == len(set(numbers))
    assert (len(numbers) > 1) == (n_columns > 2)


@pytest.mark.parametrize("name", ["lightgbm", "lightgbm-whole-texts"])
def test_a_share_is_of_the_columns_that_texts_are_made(name):
    frame = pd.DataFrame({
        "text": [f"visit {i % 50} of the year" for i in range(200)],
        "number": np.arange(200.0),
    })  # fmt: skip
    template = BY_KEY["regression", name]
    one, other = (observed(template, {"colsample_bytree": share}, 0.5).configuration
                  for share in (0.7, 0.75))  # fmt: skip
    table = describe_table(frame)
    assert table.of_kind(TEXT)
    same = _what_matters(one, table) == _what_matters(other, table)
    assert same == (name == "lightgbm-whole-texts")


def test_equal_hyperparameters_have_equal_names():
    named = {}
    for p in proposals(trees({2: 0.0, 5: -0.5, 9: -0.4}), n=15):
        params = named.setdefault(p.configuration.name, p.configuration.params)
        assert params == p.configuration.params
    assert len(named) > 1


def test_the_seed_decides():
    known = trees({2: 0.0, 5: -0.5, 9: -0.4})
    one, again = (propose(known, [], TABLE, 100.0, seed) for seed in (3, 3))
    assert one.configuration.name == again.configuration.name
    assert (one.h, one.gain) == (again.h, again.gain)
    assert len({p.configuration.name for p in proposals(known)}) > 1


@pytest.mark.parametrize(("good", "bad"), [(3, 10), (10, 3)])
def test_proposals_lie_where_it_was_good(good, bad):
    near_good, near_bad = (range(d - 1, d + 2) for d in (good, bad))
    hs = {**dict.fromkeys(near_bad, 0.0), **dict.fromkeys(near_good, -1.0)}
    depths = [p.configuration.params["max_depth"] for p in proposals(trees(hs))]
    assert np.mean(np.abs(np.array(depths) - good) < abs(good - bad) / 2) >= 0.8


def test_the_template_of_the_best_is_preferred():
    lines = [observed(LOGISTIC, {"C": C}, -1.0) for C in (0.1, 1.0, 10.0)]
    found = proposals([*trees({2: 0.0, 5: 0.1, 9: 0.2}), *lines])
    assert {p.configuration.template for p in found} == {"logistic"}


def test_expected_values_are_near_what_was_seen():
    for p in proposals(trees({2: -0.9, 5: -1.0, 9: -0.8})):
        assert -1.3 < p.h < -0.6
        assert 0 <= p.gain < 0.3
        depth = p.configuration.params["max_depth"]
        assert any(p.seconds == pytest.approx(0.1 * depth / of) for of in (2, 5, 9))


def test_nothing_slow_is_proposed():
    slow = [observed(TREE, {"max_depth": d}, -2.0, seconds=50.0) for d in (3, 4, 5)]
    quick = [observed(LOGISTIC, {"C": 1.0}, 0.0)]
    found = proposals([*slow, *quick], max_seconds=1.0)
    assert {p.configuration.template for p in found} == {"logistic"}
    assert proposals(slow, max_seconds=1.0) == []


def test_what_has_no_template_has_no_neighbours():
    dummy = next(c for c in catalogue("classification") if c.family == "dummy")
    assert propose([Observed(dummy, 0.0, 0.001)], [], TABLE, 100.0, 0) is None


def test_one_observation_is_enough():
    assert propose(trees({4: -1.0}), [], TABLE, 100.0, 0) is not None


def test_more_rounds_and_larger_trees_take_more_seconds():
    given = {"max_iter": 100, "max_leaf_nodes": 16}
    found = proposals([observed(BOOSTING, given, -1.0, seconds=1.0)], n=20)
    for name, value in given.items():
        assert {p.configuration.params[name] for p in found} > {value}
    for p in found:
        rounds, leaves = (p.configuration.params[name] for name in given)
        assert p.seconds == pytest.approx(rounds / 100 * np.log2(leaves) / 4)
    few = proposals([observed(BOOSTING, given, -1.0, seconds=1.0)], max_seconds=1.0)
    assert few and all(p.seconds <= 1.0 for p in few)


def test_only_the_best_have_neighbours():
    best = trees(dict.fromkeys(range(2, 2 + N_BASES), -1.0))
    others = [observed(LOGISTIC, {"C": C}, 1.0) for C in (0.01, 0.1, 1.0, 10.0)]
    found = proposals([*others, *best])
    assert {p.configuration.template for p in found} == {"tree"}
