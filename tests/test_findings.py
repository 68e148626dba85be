"""Data problems are found and told, and nothing is dropped for them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.model_selection import KFold, TimeSeriesSplit

from sk_meta import MetaLearnerClassifier
from sk_meta._findings import find
from sk_meta._problem import describe
from sk_meta._table import as_table


def problems(X, y, cv=None, **known):
    problem = describe(
        as_table(X), np.asarray(y), task="auto", scoring=None, cv=cv, seed=0, **known
    )
    return find(problem).set_index("problem")


@pytest.fixture
def frame(cancer):
    X, y = cancer
    return pd.DataFrame(X).add_prefix("x"), y


@pytest.fixture
def days():
    """Dates of 600 days, and a quantity that grows."""
    rng = np.random.RandomState(0)
    dates = pd.date_range("2023-01-01", periods=600)
    X = pd.DataFrame({"date": dates, "noise": rng.normal(size=600)})
    return X, np.arange(600) / 100 + rng.normal(size=600)


@pytest.mark.parametrize("data", ["cancer", "diabetes"])
def test_a_clean_table_has_no_problems(data, request):
    assert problems(*request.getfixturevalue(data)).empty


def test_constant_columns_are_left_out():
    found = problems(*load_digits(return_X_y=True))
    assert found.loc["constant", "columns"] == [0, 32, 39]
    assert found.loc["constant", "action"] == "left out"


def test_identifiers_and_row_numbers_are_told(frame):
    X, y = frame
    order = np.random.RandomState(0).permutation(len(y))
    found = problems(X.assign(patient_id=order, x31=order + 7), y)
    columns = found.loc["identifier-like", "columns"].tolist()
    assert columns == [["patient_id"], ["x31"]]
    assert found["action"].iloc[0].startswith("left out")
    assert found["action"].iloc[1].startswith("kept")


def test_missing_values_are_told(frame):
    X, y = frame
    rows = np.random.RandomState(0).rand(len(y))
    half = X["x0"].where(rows > 0.6)
    some = X["x1"].where(rows > 0.4)
    found = problems(X.assign(half=half, some=some, none=np.nan), y)
    assert found.loc["mostly missing", "columns"] == ["half"]
    assert f"{100 * half.isna().mean():.0f} %" in found.loc["mostly missing", "detail"]
    assert found.loc["all missing", "columns"] == ["none"]


@pytest.mark.parametrize("container", [pd.DataFrame, np.asarray])
def test_duplicated_rows_are_counted(cancer, container):
    X, y = cancer
    twice = np.vstack([X, X[:25]])
    labels = np.append(y, np.where(np.arange(25) < 4, 1 - y[:25], y[:25]))
    detail = problems(container(twice), labels).loc["duplicated rows", "detail"]
    assert detail.startswith("25 rows equal an earlier one")
    assert "4 sets of copies have different labels" in detail


def test_a_column_that_tells_the_class_is_a_suspect(frame):
    X, y = frame
    leak = np.where(y == 1, "benign", "malignant")
    rng = np.random.RandomState(0)
    noisy = np.where(rng.rand(len(y)) < 0.1, 1 - y, y) + rng.rand(len(y))
    found = problems(X.assign(leak=leak, noisy=noisy), y)
    assert found.loc["leak-suspect", "columns"] == ["leak"]
    assert found.loc["leak-suspect", "action"].startswith("kept")


def test_that_a_value_is_missing_can_be_a_leak(frame):
    X, y = frame
    found = problems(X.assign(leak=X["x0"].where(y == 1)), y)
    assert found.loc["leak-suspect", "columns"] == ["leak"]


@pytest.mark.parametrize("shape", [np.negative, np.exp, np.square])
def test_a_column_that_is_a_function_of_the_quantity_is_a_suspect(diabetes, shape):
    X, y = diabetes
    found = problems(np.column_stack([X, shape(y / 100)]), y)
    assert found.loc["leak-suspect", "columns"] == [X.shape[1]]


def test_noise_is_no_leak_however_many_columns_there_are():
    rng = np.random.RandomState(0)
    for n_rows in (30, 200):
        X, y = rng.normal(size=(n_rows, 500)), np.arange(n_rows) % 2
        assert "leak-suspect" not in problems(X, y).index


def test_one_value_of_the_target_leaks_nothing(cancer):
    X, _ = cancer
    assert problems(X, np.full(len(X), 1.5)).empty


def test_drift_between_the_splits_of_the_user_is_told(days):
    X, y = days
    found = problems(X, y, cv=TimeSeriesSplit(4))
    told = found.loc["drift between splits"]
    assert told["columns"].tolist() == [["date"], []]
    assert "the target differs" in told["detail"].iloc[1]
    shuffled = problems(X, y, cv=KFold(4, shuffle=True, random_state=0))
    assert "drift between splits" not in shuffled.index


def test_drift_of_a_category_is_told(days):
    X, _ = days
    X = X.assign(plant=np.where(np.arange(600) < 300, "old", "new"))
    y = np.arange(600) % 2
    found = problems(X, y, cv=TimeSeriesSplit(4))
    assert found.loc["drift between splits", "columns"] == ["date", "plant"]


def test_shuffled_splits_of_rows_in_time_order_are_told(days):
    X, y = days
    assert problems(X, y).loc["rows in time order", "columns"] == ["date"]
    assert "rows in time order" not in problems(X, y, cv=TimeSeriesSplit(4)).index
    mixed = np.random.RandomState(0).permutation(len(y))
    assert "rows in time order" not in problems(X.iloc[mixed], y[mixed]).index


def test_texts_that_were_not_read_are_told(frame):
    X, y = frame
    sizes = [f"{i % 50 + 1},{i % 1000:03d}" for i in range(len(y) - 3)]
    X = X.assign(size=[*sizes, "large", "small", "NA"])
    found = problems(X, y).loc["unread values"]
    assert found["columns"] == ["size"]
    assert "2 of 569 values" in found["detail"] and "'large'" in found["detail"]


@pytest.mark.parametrize(
    ("form", "ambiguous"),
    [("%d/%m/%Y", True), ("%m/%d/%y", True), ("%Y-%m-%d", False), ("%d %b %Y", False)],
)
def test_dates_that_can_be_read_in_two_ways_are_told(frame, form, ambiguous):
    X, y = frame
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(len(y)) % 12, "D")
    found = problems(X.assign(day=days.strftime(form)), y)
    assert ("ambiguous dates" in found.index) == ambiguous
    clear = (days + pd.Timedelta(10, "D")).strftime(form)  # up to the 22nd
    assert "ambiguous dates" not in problems(X.assign(day=clear), y).index


def test_a_messy_table_is_looked_through(messy):
    y = np.arange(len(messy)) % 3
    found = problems(messy.assign(lists=[[i] for i in range(len(messy))]), y)
    assert found.loc["constant", "columns"] == ["constant"]
    assert found.loc["all missing", "columns"] == ["empty"]
    assert "patient_id" in found.loc["identifier-like", "columns"]


def test_fit_tells_of_a_leak_and_keeps_it(frame):
    X, y = frame
    X = X.assign(leak=y * 2.0, same=1)
    model = MetaLearnerClassifier(
        n_candidates=2, candidates="decision tree", cv=2, random_state=0
    ).fit(X, y)
    found = model.findings_.set_index("problem")
    assert found.loc["leak-suspect", "columns"] == ["leak"]
    kinds = model.columns_.set_index("column")["kind"]
    assert kinds["leak"] == "numeric"
    assert model.best_score_ == 1.0
    assert "leak-suspect (leak)" in model.summary()
    assert "constant (same)" in model.summary()


@pytest.mark.parametrize("shuffled", [False, True])
def test_rows_are_taken_by_place_whatever_the_index(shuffled):
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    X = X.iloc[np.r_[:60, 0, 1, 60:100]].reset_index(drop=True).assign(count=range(102))
    y = y.iloc[np.r_[:60, 0, 1, 60:100]].to_numpy()
    X.index = X.index / 2
    order = np.random.RandomState(0).permutation(102) if shuffled else np.arange(102)
    model = MetaLearnerClassifier(
        candidates="linear", n_candidates=1, cv=2, random_state=0
    )
    found = model.fit(X.iloc[order], y[order]).findings_
    assert ("identifier-like", ["count"]) in zip(
        found["problem"], found["columns"], strict=True
    )
