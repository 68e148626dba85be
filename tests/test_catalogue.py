"""Every configuration fits what it says it fits."""

import pickle
import sys
import warnings
from dataclasses import replace
from functools import lru_cache
from itertools import permutations
from string import ascii_uppercase

import numpy as np
import pandas as pd
import pytest
from conftest import make_messy, make_target
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_wine
from sklearn.pipeline import Pipeline

from sk_meta import MetaLearnerEstimator
from sk_meta._catalogue import (
    Configuration,
    _configuration,
    catalogue,
    written_by_hand,
)
from sk_meta._catalogue import _preprocessing as prep
from sk_meta._kinds import TEXT
from sk_meta._memory import memory_needed
from sk_meta._problem import describe
from sk_meta._table import Table, as_table, describe_table, describe_target

TASKS = ("classification", "regression")
FAMILIES = {
    "linear",
    "linear on splines",
    "linear on interactions",
    "nearest neighbours",
    "kernel approximation",
    "support vectors",
    "Gaussian process",
    "neural network",
    "decision tree",
    "random forest",
    "extra trees",
    "histogram gradient boosting",
    "AdaBoost",
    "dummy",
}
CONFIGURATIONS = {(c.task, c.name): c for task in TASKS for c in catalogue(task)}
every_configuration = pytest.mark.parametrize(("task", "name"), CONFIGURATIONS)
pytestmark = pytest.mark.filterwarnings("ignore")


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


@lru_cache(maxsize=2)
def messy_table(task):
    X = make_messy()
    y = make_target(X, task)
    return X, y, describe_table(X), describe_target(y, task)


@lru_cache(maxsize=2)
def numeric_table(task):
    if task == "regression":
        X, y = load_diabetes(return_X_y=True)
        return X[:120, :6], y[:120]
    X, y = load_wine(return_X_y=True)
    rows = np.random.RandomState(0).permutation(len(y))[:120]
    return X[rows, :6], y[rows]


def usable(task, table, target):
    return [c for c in catalogue(task) if c.why_not(table, target) is None]


def outcome(pipeline, X, task):
    """What is asked of a fitted pipeline: probabilities or values."""
    if task == "classification":
        return pipeline.predict_proba(X)
    return np.ravel(pipeline.predict(X))


def assert_usable(prediction, n_rows, target):
    assert len(prediction) == n_rows
    assert np.isfinite(prediction).all()
    if target.task == "classification":
        assert prediction.shape[1] == target.n_classes
        np.testing.assert_allclose(prediction.sum(axis=1), 1, atol=1e-5)


def with_surprises(X):
    """Nine rows with categories, gaps and infinities that ``fit`` didn't see."""
    X = X.head(9).copy()
    X.loc[0, ["letters", "string", "key", "text"]] = "never seen before"
    X["category"] = X["category"].astype(object)
    X.loc[1, "category"] = "unheard of"
    X["number"] = np.nan
    X["count"] = X["count"].astype(float)
    X.loc[2, "count"] = -np.inf
    X.loc[3, ["key", "text", "date", "date_text"]] = None
    return X


def failures(task, X, y, table):
    """Usable configurations that can't be fitted, with the reason."""
    failed = {}
    for configuration in usable(task, table, describe_target(y, task)):
        try:
            quick(configuration.build(table, 0)).fit(X, y).predict(X)
        except Exception as error:
            failed[configuration.name] = str(error).splitlines()[-1]
    return failed


def configuration_of(task, name):
    """One of the catalogue, or written by hand and not chosen."""
    known = catalogue(task) + written_by_hand(task)
    configuration = next(c for c in known if c.name == name)
    if configuration.requires is not None:
        pytest.importorskip(configuration.requires)
    return configuration


@pytest.mark.parametrize("task", TASKS)
def test_names_are_unique(task):
    names = [c.name for c in catalogue(task)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("task", TASKS)
def test_catalogue_holds_only_the_task_asked_for(task):
    assert {c.task for c in catalogue(task)} == {task}


@pytest.mark.parametrize("task", TASKS)
def test_at_least_sixty_configurations_need_no_optional_package(task):
    assert sum(c.requires is None for c in catalogue(task)) >= 60


@pytest.mark.parametrize("task", TASKS)
def test_families_that_need_no_optional_package(task):
    known = {c.family for c in catalogue(task) if c.requires is None}
    assert FAMILIES <= known


def test_families_of_classifiers_only():
    known = {c.family for c in catalogue("classification")}
    assert {"discriminant analysis", "naive Bayes"} <= known


def test_a_package_that_cannot_be_imported_is_left_to_what_needs_it(
    tmp_path, monkeypatch
):
    (tmp_path / "half_installed.py").write_text("raise OSError('libgomp is missing')")
    (tmp_path / "all_there.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    table = describe_table(numeric_table("classification")[0])
    prep.import_needed(table, ["half_installed", "all_there"])
    assert "all_there" in sys.modules


@pytest.mark.parametrize("package", ["lightgbm", "xgboost", "catboost"])
@pytest.mark.parametrize("task", TASKS)
def test_boosting_libraries_join_the_catalogue(task, package):
    assert package in {c.requires for c in catalogue(task)}


@pytest.mark.parametrize("task", TASKS)
def test_there_is_a_configuration_for_any_table(task):
    table = Table(10**7, describe_table(np.eye(2)).columns, "sparse")
    target = describe_target(np.repeat(np.arange(500), 2), task)
    assert "dummy" in {c.name for c in usable(task, table, target)}


@every_configuration
def test_messy_frame_unseen_categories_and_new_gaps(task, name):
    X, y, table, target = messy_table(task)
    configuration = configuration_of(task, name)
    if reason := configuration.why_not(table, target):
        pytest.skip(reason)
    pipeline = quick(configuration.build(table, random_state=0)).fit(X, y)
    later = pd.concat([X.astype({"category": object}), with_surprises(X)])
    assert_usable(outcome(pipeline, later, task), len(later), target)
    if task == "classification":
        assert list(pipeline.classes_) == list(target.classes)


@every_configuration
def test_numeric_table_gaps_seeds_and_pickle(task, name):
    X, y = numeric_table(task)
    table, target = describe_table(X), describe_target(y, task)
    configuration = configuration_of(task, name)
    if reason := configuration.why_not(table, target):
        pytest.skip(reason)
    first, second = (quick(configuration.build(table, 7)).fit(X, y) for _ in range(2))
    prediction = outcome(first, X, task)
    np.testing.assert_array_equal(prediction, outcome(second, X, task))
    again = pickle.loads(pickle.dumps(first))
    np.testing.assert_array_equal(prediction, outcome(again, X, task))
    gaps = X[:9].copy()
    gaps[:, 1] = np.nan
    assert_usable(prediction, len(X), target)
    assert_usable(outcome(first, gaps, task), 9, target)
    assert_usable(outcome(first, X[:1], task), 1, target)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", ["tree-depth3", "knn-5", "hist-gb"])
def test_pipeline_for_the_messy_frame_pickles(task, name):
    X, y, table, _ = messy_table(task)
    pipeline = quick(configuration_of(task, name).build(table, 0)).fit(X, y)
    again = pickle.loads(pickle.dumps(pipeline))
    np.testing.assert_array_equal(again.predict(X), pipeline.predict(X))


@every_configuration
def test_pipeline_is_made_of_public_classes_and_clones(task, name):
    _, _, table, _ = messy_table(task)
    configuration = configuration_of(task, name)
    pipeline = configuration.build(table, random_state=3)
    assert type(pipeline) is Pipeline
    for value in [pipeline, *pipeline.get_params(deep=True).values()]:
        assert not type(value).__module__.startswith("sk_meta")
        assert not getattr(value, "__module__", "").startswith("sk_meta")
    copy = clone(pipeline)
    assert list(copy.get_params()) == list(pipeline.get_params())


@every_configuration
def test_random_state_reaches_every_step(task, name):
    table = describe_table(numeric_table(task)[0])
    params = configuration_of(task, name).build(table, random_state=11).get_params()
    seeds = {v for k, v in params.items() if k.split("__")[-1] == "random_state"}
    assert seeds <= {11}


@every_configuration
def test_builds_share_no_estimator(task, name):
    table = describe_table(numeric_table(task)[0])
    first, second = (
        {
            key: value
            for key, value in pipeline.get_params().items()
            if hasattr(value, "set_params")
        }
        for pipeline in (configuration_of(task, name).build(table, k) for k in (1, 2))
    )
    assert [key for key in first if first[key] is second[key]] == []


@pytest.mark.parametrize("steps", [prep.scaled, prep.ordinal, prep.gaussian])
def test_text_dates_and_keys_are_encoded_the_same_every_time(steps):
    X, y, table, _ = messy_table("classification")
    model = configuration_of("classification", "dummy").model
    configuration = Configuration("it", "it", "classification", steps, model)

    def encoded():
        return configuration.build(table, random_state=0)[:-1].fit_transform(X, y)

    np.testing.assert_array_equal(encoded(), encoded())


@pytest.mark.parametrize("dtype", [object, "string", "string[pyarrow]", "category"])
@pytest.mark.parametrize("steps", [prep.ordinal, prep.native])
def test_texts_are_counted_for_trees_that_take_numbers_as_they_are(steps, dtype):
    if dtype == "string[pyarrow]":
        pytest.importorskip("pyarrow")
    texts = [f"Some words of the {i}th ROW, Größe {i}" for i in range(50)]
    text = pd.Series([*texts, None, "", "  "], dtype=dtype)
    X = as_table(pd.DataFrame({"text": text, "number": np.arange(53.0)}))
    table = describe_table(X, {"text": "text"})
    (_, encode), *_ = steps(table, "classification")
    found = encode.fit(X, np.arange(53) % 2)
    start = found.output_indices_["counts"]
    counts = np.asarray(found.transform(X))[:, start].astype(float)
    expected = [
        [len(t), len(t.split()), sum(c in ascii_uppercase for c in t),
         sum(c.isdigit() for c in t)] for t in [*texts, "", "", "  "]
    ]  # fmt: skip
    np.testing.assert_array_equal(counts, expected)
    (_, scaled), *_ = prep.scaled(table, "classification")
    assert "counts" not in [name for name, *_ in scaled.transformers]


def of_thirty_places(task, container="array"):
    """A table of which a number names the place that the target depends on."""
    rng = np.random.RandomState(0)
    place = rng.randint(0, 30, 900) / 10
    effect = 3 * rng.normal(size=30)[(10 * place).round().astype(int)]
    y = effect + rng.normal(size=900)
    X = np.column_stack([place, rng.normal(size=900)])
    if container != "array":
        X = pd.DataFrame(X, columns=["place", "other"])
    if container == "mixed":
        X["place"] = X["place"].astype("Float64").mask(rng.rand(900) < 0.05)
        X["letter"] = rng.choice(["a", "b"], 900)
    return X, y if task == "regression" else y > np.median(y)


@pytest.mark.parametrize("name", ["ridge-splines", "ridge-fine-splines"])
def test_splines_know_their_ends_in_single_precision(name):
    X, y = of_thirty_places("regression")
    pipeline = configuration_of("regression", name).build(describe_table(X), 0)
    found = pipeline.fit(X[:600], y[:600]).predict(X.astype("float32"))
    np.testing.assert_allclose(found, pipeline.predict(X), rtol=1e-3, atol=1e-3)


DISCRETE = [key for key, c in CONFIGURATIONS.items() if c.discrete]


@pytest.mark.parametrize(("task", "name"), DISCRETE)
@pytest.mark.parametrize("container", ["array", "frame", "mixed"])
def test_numbers_of_few_values_are_categories_as_well(task, name, container):
    X, y = of_thirty_places(task, container)
    table, train = describe_table(X), slice(0, 600)
    configuration = configuration_of(task, name)
    pipeline = configuration.build(table, 0).fit(X[train], y[train])
    plain = {"classification": "logistic-C0.1", "regression": "ridge"}[task]
    plain = configuration_of(task, plain).build(table, 0).fit(X[train], y[train])
    assert pipeline.score(X[600:], y[600:]) > plain.score(X[600:], y[600:]) + 0.1
    if "splines" not in name:  # which the plain one has not
        before, after = (p[:-1].transform(X).shape[1] for p in (plain, pipeline))
        gaps = container == "mixed"  # a category of their own
        assert after == before + 30 + gaps
    # The same number in single precision is the same category.
    single = X.astype("float32") if container == "array" else X.astype(
        {"place": "float32" if container == "frame" else "Float32"})
    np.testing.assert_array_equal(pipeline.predict(single) > 0, pipeline.predict(X) > 0)
    unseen = X[:5] + 0.05 if container == "array" else X[:5].assign(place=77.7)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = outcome(pipeline, unseen, task)
    assert_usable(found, 5, describe_target(y, task))


@pytest.mark.parametrize(("task", "name"), DISCRETE)
def test_numbers_of_many_values_or_few_rows_are_no_categories(task, name):
    X, y = of_thirty_places(task)
    configuration, target = configuration_of(task, name), describe_target(y, task)
    assert configuration.why_not(describe_table(X), target) is None
    few = describe_table(X[:500])
    reason = "no number has few values, which it is for"
    assert configuration.why_not(few, target) == reason


def test_discrete_numbers_count_among_the_columns_after_encoding():
    X, y = of_thirty_places("regression")
    table, target = describe_table(X), describe_target(y, "regression")
    configuration = configuration_of("regression", "ridge-discrete-splines")
    assert (table.n_encoded, table.n_discrete) == (2, 30)
    assert configuration.width(table) == 32
    narrow = replace(configuration, max_encoded=31)
    assert narrow.why_not(table, target) == (
        "32 columns after encoding, made for at most 31"
    )
    plain = configuration_of("regression", "ridge-splines")
    assert memory_needed(configuration, table) > memory_needed(plain, table)


def of_sixty_texts(task):
    """Sixty texts of the same words in another order, each with an effect of its own.

    They say nothing by their words.
    """
    rng = np.random.RandomState(0)
    words = ["river", "stone", "market", "winter", "letter", "garden"]
    orders = list(permutations(words))
    texts = np.array([" ".join(orders[i]) for i in range(0, 720, 12)])
    place = rng.randint(60, size=900)
    X = pd.DataFrame({"text": texts[place], "number": rng.normal(size=900)})
    y = rng.normal(scale=3, size=60)[place] + rng.normal(size=900)
    X.loc[::100, "text"] = None
    return X, y if task == "regression" else y > np.median(y)


WHOLE_TEXTS = [key for key, c in CONFIGURATIONS.items() if c.texts]


@pytest.mark.parametrize(("task", "name"), WHOLE_TEXTS)
def test_a_text_is_one_value_of_many(task, name):
    X, y = of_sixty_texts(task)
    table, target = describe_table(X), describe_target(y, task)
    assert table.of_kind(TEXT)
    configuration = configuration_of(task, name)
    if reason := configuration.why_not(table, target):
        pytest.skip(reason)
    pipeline = configuration.build(table, 0).fit(X[:600], y[:600])
    assert pipeline[:-1].transform(X).shape[1] == 2
    assert pipeline.score(X[600:], y[600:]) > 0.7
    unseen = X[600:].assign(text="what has never been written")
    assert_usable(outcome(pipeline, unseen, task), 300, target)


@pytest.mark.parametrize(("task", "name"), WHOLE_TEXTS)
def test_without_texts_they_are_the_same_as_others(task, name):
    X, y = of_thirty_places(task, "frame")
    configuration = replace(configuration_of(task, name), requires=None)
    reason = configuration.why_not(describe_table(X), describe_target(y, task))
    assert reason == "no column has text, which it is for"


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("container", ["frame", "array"])
def test_a_text_is_a_category_beside_its_n_grams(task, container):
    X, y = of_sixty_texts(task)
    X.insert(2, "letter", np.resize(["a", "b", "c"], 900))
    if container == "array":
        X = as_table(X.to_numpy())
    table = describe_table(X)
    encoded = Pipeline(prep.native(table, task)).fit_transform(X, y)
    first = encoded.iloc[:, prep.native_positions(table)]
    assert [str(kind) for kind in first.dtypes] == ["int64"] * 2
    assert first.nunique().tolist() == [3, 61]
    assert encoded.shape[1] > 3 + 4  # the number, and the counts
    whole = table.with_whole_texts()
    encoded = Pipeline(prep.native_whole_texts(table, task)).fit_transform(X, y)
    assert encoded.shape[1] == 3
    first = encoded.iloc[:, prep.native_positions(whole)]
    assert first.nunique().tolist() == [3, 61]


@pytest.mark.parametrize("output", ["default", "pandas"])
def test_categories_are_whole_numbers_whatever_transformers_return(output):
    X = pd.DataFrame({"number": np.arange(60.0)})
    X["letter"] = np.resize(["a", "b", "c"], 60)
    table = describe_table(X)
    with config_context(transform_output=output), warnings.catch_warnings():
        warnings.simplefilter("error")
        encoded = Pipeline(prep.native(table, "regression")).fit_transform(X)
    assert [encoded.iloc[:, i].dtype.kind for i in range(2)] == ["f", "i"]
    assert prep.native_positions(table) == [1]


@pytest.mark.parametrize(("task", "name"), WHOLE_TEXTS)
def test_whole_texts_take_little_memory(task, name):
    X, _ = of_sixty_texts(task)
    table, configuration = describe_table(X), configuration_of(task, name)
    assert configuration.width(table) == 2
    plain = configuration_of(task, "hist-gb")
    assert memory_needed(configuration, table) < memory_needed(plain, table) / 10


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", ["tree-depth3", "knn-5", "hist-gb"])
def test_a_date_that_is_empty_in_a_fold(task, name):
    frame = pd.DataFrame({"number": np.arange(60.0), "day": pd.Series([pd.NaT] * 60)})
    frame.loc[50, "day"] = pd.Timestamp("2020-01-01")
    y = make_target(frame, task)
    pipeline = configuration_of(task, name).build(describe_table(frame), 0)
    assert len(quick(pipeline).fit(frame[:40], y[:40]).predict(frame[40:])) == 20


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", ["tree-depth3", "knn-5", "hist-gb"])
def test_duplicated_column_names(duplicated, task, name):
    X, y = as_table(duplicated), make_target(duplicated, task)
    pipeline = quick(configuration_of(task, name).build(describe_table(X), 0))
    assert len(pipeline.fit(X, y).predict(X)) == len(y)


@pytest.mark.parametrize("task", TASKS)
def test_duplicated_names_of_dates(messy, task):
    X, y = messy[["number", "date", "date_text"]], make_target(messy, task)
    X = as_table(X.set_axis(["number", "when", "when"], axis=1))
    pipeline = configuration_of(task, "tree-depth3").build(describe_table(X), 0)
    assert len(pipeline.fit(X, y).predict(X)) == len(X)


@pytest.mark.parametrize("task", TASKS)
def test_period_and_duration_columns(messy, task):
    messy["month"] = messy["date"].dt.to_period("M")
    messy["duration"] = messy["date"] - pd.Timestamp("2020-01-01")
    X = messy[["number", "month", "duration"]]
    pipeline = configuration_of(task, "tree-depth3").build(describe_table(X), 0)
    assert len(pipeline.fit(X, make_target(X, task)).predict(X)) == len(X)


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csr_array])
@pytest.mark.parametrize("task", TASKS)
def test_sparse_table_fits_wherever_it_applies(task, make):
    X, y = numeric_table(task)
    X = make(np.where(X > np.median(X, axis=0), X, 0))
    table = describe_table(X)
    assert len(usable(task, table, describe_target(y, task))) >= 15
    assert failures(task, X, y, table) == {}


@pytest.mark.parametrize("task", TASKS)
def test_sparse_table_with_missing_values_fits_wherever_it_applies(task):
    X, y = numeric_table(task)
    X = sparse.csr_array(np.where(X > np.median(X, axis=0), X, 0))
    X.data[::9] = np.nan
    assert failures(task, X, y, describe_table(X)) == {}


@pytest.mark.parametrize("n_rare", [1, 2])
def test_a_rare_class_fits_wherever_it_applies(n_rare):
    X, y = numeric_table("classification")
    y = np.where(y == 2, 1, y)
    y[:n_rare] = 2
    assert failures("classification", X, y, describe_table(X)) == {}


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("n_rows", [6, 10, 25])
def test_a_tiny_table_fits_wherever_it_applies(task, n_rows):
    X, _ = numeric_table(task)
    y = np.arange(n_rows) % 2 + (0.0 if task == "classification" else X[:n_rows, 0])
    table = describe_table(X[:n_rows])
    train = np.arange(n_rows) < n_rows * 4 // 5
    failed = {}
    for configuration in usable(task, table, describe_target(y, task)):
        pipeline = quick(configuration.build(table, 0))
        try:
            pipeline.fit(X[:n_rows][train], y[train]).predict(X[:n_rows])
        except Exception as error:
            failed[configuration.name] = str(error).splitlines()[-1]
    assert failed == {}


@pytest.mark.parametrize(
    ("task", "name"),
    [
        *(("classification", name) for name in ("logistic-C1", "naive-bayes")),
        *(("regression", name) for name in ("ridge", "ridge-splines")),
        *((task, name) for task in TASKS for name in ("dummy", "knn-5", "forest")),
    ],
)
def test_constant_table(task, name):
    X = pd.DataFrame({"one": np.ones(60), "word": ["a"] * 60})
    y = np.arange(60) % 3
    pipeline = quick(configuration_of(task, name).build(describe_table(X), 0))
    assert len(np.unique(pipeline.fit(X, y).predict(X))) == 1


def test_dense_table_is_no_reason():
    X, y = numeric_table("classification")
    configuration = configuration_of("classification", "lda")
    assert configuration.why_not(describe_table(X), describe_target(y)) is None


@pytest.fixture
def wanting():
    """A configuration with a limit of every kind."""
    return Configuration(
        "it",
        "it",
        "classification",
        prep.as_is,
        configuration_of("classification", "dummy").model,
        max_rows=100,
        min_rows=10,
        max_encoded=5,
        max_classes=3,
        min_class_size=4,
    )


@pytest.mark.parametrize(
    ("n_rows", "n_columns", "y", "reason"),
    [
        (101, 2, None, "101 rows, made for at most 100"),
        (9, 2, None, "9 rows, needs at least 10"),
        (60, 6, None, "6 columns after encoding, made for at most 5"),
        (60, 2, np.arange(60) % 4, "4 classes, made for at most 3"),
        (60, 2, np.arange(60) < 3, "a class has 3 members, needs at least 4"),
        (100, 5, np.arange(100) % 3, None),
    ],
)
def test_reason_why_it_does_not_apply(wanting, n_rows, n_columns, y, reason):
    X = np.random.RandomState(0).normal(size=(n_rows, n_columns))
    target = describe_target(np.arange(n_rows) % 2 if y is None else y)
    assert wanting.why_not(describe_table(X), target) == reason


def test_reason_for_a_sparse_table(wanting):
    table = describe_table(sparse.csr_array(np.eye(60)))
    target = describe_target(np.arange(60) % 2)
    assert wanting.why_not(table, target) == "needs a dense table"


@pytest.mark.parametrize("package", ["lightgbm", "xgboost", "catboost"])
def test_reason_for_a_missing_package(monkeypatch, package):
    monkeypatch.setattr(_configuration, "find_spec", lambda name: None)
    X, y = numeric_table("classification")
    table, target = describe_table(X), describe_target(y)
    configuration = next(
        c for c in catalogue("classification") if c.requires == package
    )
    assert configuration.why_not(table, target) == (
        f"needs the package {package}, which is not installed"
    )
    assert len(usable("classification", table, target)) >= 40


def test_better_than_the_dummy_on_a_real_table():
    X, y = load_wine(return_X_y=True)
    table = describe_table(X)
    scores = {
        name: configuration_of("classification", name)
        .build(table, 0)
        .fit(X[::2], y[::2])
        .score(X[1::2], y[1::2])
        for name in ("dummy", "logistic-C1", "lda", "svc-C3", "nystroem-gamma1-C1")
    }
    dummy = scores.pop("dummy")
    assert min(scores.values()) > dummy + 0.4


def test_labels_that_look_like_numbers_stay_strings():
    """They come so from OpenML, and scikit-learn takes some of them for integers."""
    X, y = load_wine(return_X_y=True)
    labels = np.array(["1", "10", "-2"])
    X, y = X[::2], labels[y[::2]]
    table = describe(X, y, task="auto", scoring=None, cv=None, seed=0).table
    seen = set()
    for configuration in catalogue("classification"):
        weighted = configuration.params.get("class_weight")
        one = configuration.family, weighted
        reason = configuration.why_not(table, describe_target(y, "classification"))
        if reason is None and one not in seen:
            fitted = quick(configuration.build(table)).fit(X, y)
            assert set(fitted.predict(X)) <= {*labels}, configuration.name
            seen.add(one)
    assert ("extra trees", "balanced") in seen


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_array_without_infinities_reaches_the_models_as_it_is(dtype):
    X = np.arange(60).reshape(20, 3).astype(dtype)
    for name in ("forest", "hist-gb"):
        pipeline = configuration_of("regression", name).build(describe_table(X))
        assert list(pipeline.named_steps) == ["model"]
    scaled = configuration_of("regression", "ridge")
    assert list(scaled.build(describe_table(X)).named_steps) == [
        "impute", "scale", "model",
    ]  # fmt: skip
    with_constant = describe_table(np.c_[X, np.ones(len(X), dtype)])
    (encode,) = configuration_of("regression", "hist-gb").build(with_constant).steps[:1]
    assert [block for _, block, _ in encode[1].transformers] == ["passthrough"]
    others = X.astype(int), np.where(X == 3, np.inf, X), pd.DataFrame(X)
    for other in others:
        steps = list(scaled.build(describe_table(other)).named_steps)
        assert steps == ["finite", "cut", "impute", "scale", "model"]


@pytest.mark.parametrize("task", TASKS)
def test_infinities_that_fit_did_not_see_are_missing(task):
    X, y = (load_wine if task == "classification" else load_diabetes)(return_X_y=True)
    new = X[:3].copy()
    new[0, 1], new[1, 2] = np.inf, 1e35
    missing = new.copy()
    missing[0, 1], missing[1, 2] = np.nan, 1e30
    candidates = ["linear", "histogram gradient boosting", "random forest",
                  "nearest neighbours"]  # fmt: skip
    model = MetaLearnerEstimator(
        task, candidates=candidates, n_candidates=6, cv=2, random_state=0
    ).fit(X, y)
    expected = model.predict(missing)
    for container in (np.asarray, pd.DataFrame):  # it was fitted on an array
        # The last digit depends on where in memory the rows lie.
        np.testing.assert_allclose(model.predict(container(new)), expected, rtol=1e-12)
    assert np.isinf(new[0, 1]) and new[1, 2] == 1e35


def test_integers_are_not_rounded_and_what_was_left_out_may_hold_anything():
    """LightGBM reads integers in 32 bits, where these are one and the same."""
    pytest.importorskip("lightgbm")
    y = np.arange(60) % 2
    X = np.c_[2**40 + y, np.zeros(60, int)]
    model = MetaLearnerEstimator(
        "classification", candidates=["lightgbm"], n_candidates=1, cv=2, random_state=0
    )
    for dtype in (int, float):
        fitted = clone(model).fit(X.astype(dtype), y)
        for given in (X, X.astype(float), X.astype(">f8"), pd.DataFrame(X)):
            assert fitted.score(given, y) == 1
        left_out = pd.DataFrame(X).assign(other="no number").to_numpy()[:, [0, 2]]
        assert fitted.score(left_out, y) == 1
