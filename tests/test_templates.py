"""Templates and the configurations drawn from them."""

import json
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import make_messy
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris

from sk_meta._catalogue import written_by_hand
from sk_meta._catalogue._template import _PREPARED
from sk_meta._catalogue._templates import TEMPLATES
from sk_meta._table import describe_table, describe_target

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
pool = pytest.importorskip("pool")

TASKS = ("classification", "regression")
BY_KEY = {(t.task, t.name): t for t in TEMPLATES}
every_template = pytest.mark.parametrize("key", BY_KEY, ids="/".join)
pytestmark = pytest.mark.filterwarnings("ignore")


def small_table(template):
    task = template.task
    if template.name.endswith("-discrete"):  # for numbers of few values, in many rows
        X, y = load_diabetes(return_X_y=True)
        return (50 * X[:, :5]).round(), y if task == "regression" else y > np.median(y)
    if task == "regression":
        X, y = load_diabetes(return_X_y=True)
        X, y = X[:150, :5], y[:150]
    else:
        X, y = load_iris(return_X_y=True)
    if template.name.endswith(("-native", "-whole-texts")):  # for categories and texts
        visits = [f"visit {i % 50} of the year" for i in range(len(y))]
        X = pd.DataFrame(X, columns=list("abcde")[: X.shape[1]]).assign(visit=visits)
    return X, y


@lru_cache(maxsize=1)
def large_table():
    """Large enough for every number of components, with strings in it."""
    return describe_table(make_messy(1000)[["number", "holes", "letters"]])


def settings(configuration):
    """All parameters of the pipeline that it builds, as text."""
    params = configuration.build(large_table(), 0).get_params()
    # Estimators among them have parameters of their own.
    return {
        key: type(value).__name__ if hasattr(value, "get_params") else str(value)
        for key, value in params.items()
        if not key.endswith(("steps", "transformers"))
    }


def quick(pipeline):
    """The same pipeline with few trees and rounds."""
    few = {
        name: 5
        for name, value in pipeline.get_params().items()
        if name.split("__")[-1] in ("n_estimators", "iterations", "max_iter")
        and isinstance(value, int)
        and value > 5
    }
    return pipeline.set_params(**few)


def test_names_are_unique_within_a_kind_of_task():
    assert len(BY_KEY) == len(TEMPLATES)
    assert {t.task for t in TEMPLATES} == set(TASKS)


@every_template
def test_samples_are_inside_the_ranges(key):
    template = BY_KEY[key]
    space = {"preprocess": list(template.preprocess), **template.ranges}
    samples = template.sample(60, random_state=0)
    assert samples
    for params in samples:
        assert set(params) == set(space)
        for name, value in params.items():
            if isinstance(space[name], list):
                assert value in space[name]
            else:
                low, high = space[name].support()
                assert low * 0.999 <= value <= high * 1.001


@every_template
def test_samples_use_the_ranges(key):
    template = BY_KEY[key]
    samples = template.sample(60, random_state=0)
    for name, values in template.ranges.items():
        n_different = len({str(params[name]) for params in samples})
        fixed = isinstance(values, list) and len(values) == 1
        assert n_different == 1 if fixed else n_different > 1, name
    assert {params["preprocess"] for params in samples} == set(template.preprocess)


@every_template
def test_samples_have_two_digits_and_are_the_same_every_time(key):
    template = BY_KEY[key]
    samples = template.sample(20, random_state=3)
    assert samples == template.sample(20, random_state=3)
    assert samples != template.sample(20, random_state=4)
    for params in samples:
        for value in params.values():
            if isinstance(value, float):
                assert float(f"{value:.2g}") == value


@every_template
def test_json_keeps_a_configuration(key):
    template = BY_KEY[key]
    for k, params in enumerate(template.sample(3, random_state=1)):
        again = json.loads(json.dumps(params))
        assert again == params
        first, second = (template.configuration(f"it{k}", p) for p in (params, again))
        assert first.name == second.name == f"it{k}"
        assert first.params == second.params
        assert settings(first) == settings(second)


@every_template
def test_making_a_configuration_leaves_the_hyperparameters_alone(key):
    (params,) = BY_KEY[key].sample(1, random_state=0)
    before = json.dumps(params)
    BY_KEY[key].configuration("it", params)
    assert json.dumps(params) == before


@every_template
def test_every_hyperparameter_reaches_the_pipeline(key):
    # Two that differ in one hyperparameter alone build different pipelines.
    template = BY_KEY[key]
    samples = template.sample(40, random_state=2)
    for name in samples[0]:
        other = next((s for s in samples if s[name] != samples[0][name]), None)
        if other is None:
            continue
        changed = {**samples[0], name: other[name]}
        first, second = (
            settings(template.configuration("it", params))
            for params in (samples[0], changed)
        )
        assert first != second, name


@every_template
def test_samples_build_clone_and_fit_a_small_table(key):
    template = BY_KEY[key]
    X, y = small_table(template)
    table, target = describe_table(X), describe_target(y, template.task)
    fitted = 0
    for params in template.sample(4, random_state=5):
        configuration = template.configuration("it", params)
        if configuration.requires is not None:
            pytest.importorskip(configuration.requires)
        assert configuration.task == template.task
        assert configuration.family.startswith(template.family)
        if configuration.why_not(table, target) is None:
            pipeline = clone(quick(configuration.build(table, 0)))
            prediction = pipeline.fit(X, y).predict(X)
            assert prediction.shape[0] == len(y)
            # Trees of many rows a leaf have one leaf here.
            assert len(np.unique(prediction)) > 1 or template.name.endswith("-wide")
            fitted += 1
    assert fitted >= 3


@every_template
def test_every_preprocessing_of_a_template_fits(key):
    template = BY_KEY[key]
    X, y = small_table(template)
    (params,) = template.sample(1, random_state=0)
    for name in template.preprocess:
        configuration = template.configuration("it", {**params, "preprocess": name})
        if configuration.requires is not None:
            pytest.importorskip(configuration.requires)
        pipeline = quick(configuration.build(describe_table(X), 0))
        assert len(pipeline.fit(X, y).predict(X)) == len(y)


@every_template
def test_preprocessing_adds_its_limits_and_lifts_none(key):
    template = BY_KEY[key]
    (params,) = template.sample(1, random_state=0)
    for name in template.preprocess:
        configuration = template.configuration("it", {**params, "preprocess": name})
        limits = [
            tags["max_encoded"]
            for tags in (template.tags, _PREPARED[name][1])
            if "max_encoded" in tags
        ]
        assert configuration.max_encoded == min(limits, default=None)
        assert configuration.max_rows == template.tags.get("max_rows")


@pytest.mark.parametrize("name", ["logistic", "ridge"])
def test_linear_models_on_a_wider_base_are_families_of_their_own(name):
    template = next(t for t in TEMPLATES if t.name == name)
    (params,) = template.sample(1, random_state=0)
    families = {
        base: template.configuration("it", {**params, "preprocess": base}).family
        for base in ("scaled", "gaussian", "splines", "bins", "interactions")
    }
    assert families == {
        "scaled": "linear",
        "gaussian": "linear",
        "splines": "linear on splines",
        "bins": "linear on splines",
        "interactions": "linear on interactions",
    }


@pytest.mark.parametrize("task", TASKS)
def test_neighbours_want_twice_as_many_rows(task):
    template = BY_KEY[task, "knn"]
    for params in template.sample(10, random_state=0):
        rows = template.configuration("it", params).min_rows
        assert rows == 2 * params["n_neighbors"]


def of_any_table(task):
    """Templates that the pool draws from; of others it has what is written by hand."""
    special = ("-wide", "-discrete", "-native", "-whole-texts")
    return {n for kind, n in BY_KEY if kind == task and not n.endswith(special)}


@pytest.mark.parametrize("task", TASKS)
def test_drawn_configurations_are_the_same_every_time(task):
    drawn = pool.drawn(task)
    assert drawn == pool.drawn(task)
    assert json.loads(json.dumps(drawn)) == [list(entry) for entry in drawn]
    assert {template for _, template, _ in drawn} == of_any_table(task)


@pytest.mark.parametrize("task", TASKS)
def test_every_template_is_drawn_from(task):
    assert set(pool.DRAWS[task]) == of_any_table(task)


@pytest.mark.parametrize("task", TASKS)
def test_no_two_draws_of_a_template_are_alike(task):
    seen = [json.dumps(entry[1:], sort_keys=True) for entry in pool.drawn(task)]
    twice = {entry for entry in seen if seen.count(entry) > 1}
    assert len(twice) <= 2, twice


@pytest.mark.parametrize("task", TASKS)
def test_pool_holds_what_was_written_by_hand_and_drawn(task):
    names = [c.name for c in pool.pool(task)]
    assert len(names) == len(set(names))
    assert set(names) == {c.name for c in written_by_hand(task)} | {
        name for name, _, _ in pool.drawn(task)
    }
    assert {c.task for c in pool.pool(task)} == {task}
