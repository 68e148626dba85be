"""What may be different about a table at predict time, and what that changes."""

import numpy as np
import pandas as pd
import pytest
from conftest import make_messy, make_target
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone

from sk_meta import MetaLearnerClassifier, MetaLearnerRegressor

N_ROWS = 240
TREES_AND_LINES = ["logistic-C1", "ridge", "tree-depth3", "forest", "hist-gb-fast"]


@pytest.fixture(scope="module", params=["classification", "regression"])
def fitted(request):
    """An ensemble on the messy frame, and rows that it has not seen."""
    task = request.param
    frame = make_messy(2 * N_ROWS).assign(
        code=np.arange(2 * N_ROWS) % 4,
        level=pd.Categorical(np.arange(2 * N_ROWS) % 3, ordered=False),
    )
    y = make_target(frame, task)
    names = [n for n in TREES_AND_LINES if (n == "ridge") <= (task == "regression")]
    names = [n for n in names if (n == "logistic-C1") <= (task == "classification")]
    cls = MetaLearnerClassifier if task == "classification" else MetaLearnerRegressor
    model = cls(
        n_candidates=4, cv=2, candidates=names, column_kinds={"code": "categorical"},
        random_state=0,
    ).fit(frame[:N_ROWS], y[:N_ROWS])  # fmt: skip
    return model, frame[N_ROWS:].reset_index(drop=True)


def predicted(model, frame):
    has = hasattr(model, "predict_proba")
    return model.predict_proba(frame) if has else model.predict(frame)


@pytest.mark.parametrize(
    "change",
    [
        lambda X: X.assign(category=X["category"].cat.reorder_categories(
            ["mid", "low", "high"])),
        lambda X: X.assign(category=X["category"].cat.add_categories("other")),
        lambda X: X.assign(category=X["category"].astype(object)),
        lambda X: X.assign(category=X["category"].astype("string")),
        lambda X: X.assign(letters=X["letters"].astype("category")),
        lambda X: X.assign(letters=X["letters"].astype("string")),
        lambda X: X.assign(flag=X["flag"].astype("boolean")),
        lambda X: X.assign(flag=X["flag"].astype(int)),
        lambda X: X.assign(nullable_flag=X["nullable_flag"].astype(object)),
        lambda X: X.assign(flag=X["flag"].astype(str)),
        lambda X: X.assign(nullable=X["nullable"].astype("float64")),
        lambda X: X.assign(count=X["count"].astype(float)),
        lambda X: X.assign(count=X["count"].astype(str)),
        lambda X: X.assign(number=X["number"].astype("Float64")),
        lambda X: X.assign(code=X["code"].astype(float)),
        lambda X: X.assign(code=X["code"].astype("Int64")),
        lambda X: X.assign(level=X["level"].astype(float)),
        lambda X: X.assign(level=X["level"].astype(int)),
        lambda X: X.assign(grade=X["grade"].astype(str)),
        lambda X: X.assign(grade=X["grade"].cat.as_unordered()),
        lambda X: X.assign(date_text=X["date_text"].astype("string")),
        lambda X: X.assign(constant="other", empty=1.0, patient_id=0),
        lambda X: X.set_index(X.index + 1000),
    ],
)  # fmt: skip
def test_what_means_the_same_predicts_the_same(fitted, change):
    model, frame = fitted
    np.testing.assert_allclose(
        predicted(model, change(frame)), predicted(model, frame), rtol=1e-6
    )


def test_rows_do_not_depend_on_each_other(fitted):
    model, frame = fitted
    whole = predicted(model, frame)
    order = np.random.default_rng(0).permutation(len(frame))
    np.testing.assert_allclose(predicted(model, frame.iloc[order]), whole[order])
    np.testing.assert_allclose(predicted(model, frame[:1]), whole[:1])
    few = frame[frame["category"] == "low"]
    np.testing.assert_allclose(predicted(model, few), whole[few.index])


@pytest.mark.parametrize("labels", [["7", "8", "x"], ["01", "1", "x"], [7, 8, "x"]])
def test_a_batch_of_an_array_is_not_typed_by_what_it_happens_to_hold(labels):
    """Rows whose cells all read as numbers, among others that do not."""
    column = np.array(labels, dtype=object)[np.arange(90) % 3]
    X = np.column_stack([np.random.default_rng(0).normal(size=90), column])
    y = (column == labels[1]).astype(int)
    model = MetaLearnerClassifier(
        n_candidates=2, cv=2, candidates=["logistic-C1", "tree-depth3"], random_state=0
    ).fit(X, y)
    whole = model.predict_proba(X)
    assert whole[y == 1, 1].min() > 0.5
    for label in labels:
        part = column == label
        np.testing.assert_allclose(model.predict_proba(X[part]), whole[part])


@pytest.mark.parametrize("column", ["letters", "category", "string", "mixed", "key"])
def test_a_new_category_moves_only_its_own_rows_and_is_like_any_other_new_one(
    fitted, column
):
    model, frame = fitted
    touched = np.arange(len(frame)) < 10
    plain = frame.assign(**{column: frame[column].astype(object)})
    one, two = plain.copy(), plain.copy()
    one.loc[touched, column], two.loc[touched, column] = "new", "another"
    whole = predicted(model, frame)
    np.testing.assert_allclose(predicted(model, one)[~touched], whole[~touched])
    np.testing.assert_allclose(predicted(model, one), predicted(model, two))


@pytest.mark.parametrize("value", [None, np.nan, pd.NA])
def test_all_ways_to_say_missing_are_the_same(fitted, value):
    model, frame = fitted
    gone = frame.assign(letters=[value] * len(frame), mixed=[value] * len(frame))
    expected = frame.assign(letters=None, mixed=None)
    np.testing.assert_allclose(predicted(model, gone), predicted(model, expected))


def test_renamed_categories_move_the_predictions(fitted):
    """The test above can fail: here is what it looks like when values do change."""
    model, frame = fitted
    before = predicted(model, frame)
    names = {"low": "high", "high": "low", "mid": "mid"}
    renamed = frame.assign(category=frame["category"].astype(object).map(names))
    after = predicted(model, renamed)
    same = frame["category"].isin(["mid"]) | frame["category"].isna()
    assert not np.allclose(after, before)
    np.testing.assert_allclose(after[same], before[same])
    moved = frame.assign(number=-frame["number"])
    assert not np.allclose(predicted(model, moved), before)


def test_missing_reordered_and_renamed_columns_are_errors(fitted):
    model, frame = fitted
    for other in (
        frame.drop(columns="letters"),
        frame[frame.columns[::-1]],
        frame.rename(columns={"letters": "signs"}),
        frame.assign(extra=1),
    ):
        with pytest.raises(ValueError, match="feature names should match"):
            model.predict(other)


def test_words_where_there_were_numbers_are_an_error(fitted):
    model, frame = fitted
    with pytest.raises(ValueError, match="Column 'count' of X held numbers in fit"):
        model.predict(frame.assign(count="many"))
    with pytest.raises(ValueError, match="'perhaps' is neither True nor False"):
        model.predict(frame.assign(flag="perhaps"))


def test_polars_and_arrow_predict_like_pandas(fitted):
    polars = pytest.importorskip("polars")
    pyarrow = pytest.importorskip("pyarrow", exc_type=ImportError)
    model, frame = fitted
    text = frame["mixed"].map(lambda value: value if value is None else str(value))
    plain = frame.assign(mixed=text)
    expected = predicted(model, plain)
    table = pyarrow.Table.from_pandas(plain)
    for other in (table, polars.from_pandas(plain), table.to_pandas(
            types_mapper=pd.ArrowDtype)):  # fmt: skip
        np.testing.assert_allclose(predicted(model, other), expected, rtol=1e-6)


@pytest.fixture(scope="module")
def times():
    """A model of numbers, dates and durations, in their types and as text."""
    n = 80
    days = pd.date_range("2021-01-01", periods=n)
    frame = pd.DataFrame({
        "number": np.arange(n) % 7 + 0.5,
        "date": days,
        "written": days.strftime("%Y-%m-%d"),
        "length": pd.to_timedelta(np.arange(n), unit="h"),
        "share": [f"{i} %" for i in range(n)],
        "moment": days.tz_localize("Europe/Paris"),
        "word": [f"0{i % 5}" for i in range(n)],
    })  # fmt: skip
    model = MetaLearnerClassifier(
        n_candidates=1, cv=2, candidates="linear", random_state=0
    )
    return model.fit(frame, np.arange(n) % 2), frame


@pytest.mark.parametrize(
    ("column", "other", "message"),
    [
        ("number", "date", "'number' of X held numbers in fit and holds dates now"),
        ("number", "length", "'number' of X held numbers in fit and holds durations"),
        ("date", "number", "'date' of X held dates in fit and holds numbers now"),
        ("written", "date", "held dates as text in fit and holds dates now"),
        ("length", "number", "held durations in fit and holds numbers now"),
        ("share", "date", "held numbers as text in fit and holds dates now"),
        ("date", "moment", "held dates without a time zone in fit and holds such with"),
        ("moment", "date", "held dates with a time zone in fit and holds such without"),
        ("moment", "written", "held dates with a time zone in fit and holds such"),
        ("date", "word", "held dates in fit and holds something else now"),
        ("length", "word", "held durations in fit and holds something else now"),
    ],
)
def test_another_type_of_time_is_an_error(times, column, other, message):
    model, frame = times
    with pytest.raises(ValueError, match=message):
        model.predict(frame.assign(**{column: frame[other]}))


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("written", pd.date_range("2021-01-01", periods=80).strftime("%d/%m/%y")),
        ("written", "tomorrow"),
        ("share", [f"{i},0 %" for i in range(80)]),
        ("share", "many"),
        ("share", [*(f"{i} %" for i in range(48)), *(f"{i},5 %" for i in range(32))]),
        ("share", pd.Categorical([f"{i},5 %" for i in range(80)])),
        ("share", [*range(40), *(f"{i},5 %" for i in range(40))]),
        ("share", [*[None] * 40, *(f"{i},5 %" for i in range(40))]),
    ],
)
def test_what_is_written_otherwise_is_told(times, column, values):
    model, frame = times
    with pytest.warns(UserWarning, match=f"'{column}'.* are written otherwise now"):
        model.predict(frame.assign(**{column: values}))


def test_what_can_be_read_is_read_without_a_word(times, recwarn):
    model, frame = times
    expected = predicted(model, frame)
    same = [
        frame.assign(share=np.arange(80.0)),
        frame.assign(date=frame["written"]),
        frame.assign(written=frame["written"].astype("category")),
        frame.assign(moment=frame["moment"].map(lambda moment: moment.isoformat())),
        frame.assign(moment=frame["moment"].dt.tz_convert("UTC")),
        frame.assign(moment=frame["moment"].astype(object)),
        frame.assign(moment=frame["moment"].astype(str).str[:-3]),  # +01, +02
        frame.assign(moment=frame["moment"].astype("category")),
        frame.assign(date=frame["date"].astype("category")),
        frame.assign(length=frame["length"].astype(str)),
    ]
    for other in same:
        np.testing.assert_allclose(predicted(model, other), expected)
    predicted(model, frame.assign(written=None, share=np.nan, date=pd.NaT))
    some, missing = np.arange(80) % 9 == 0, [None, "n/a", ""]
    for name in ("date", "moment", "length"):
        text = frame[name].astype(str)
        blank = [predicted(model, frame.assign(**{name: text.mask(some, value)}))
                 for value in missing]  # fmt: skip
        np.testing.assert_array_equal(blank[0], blank[1])
        np.testing.assert_array_equal(blank[0], blank[2])
    minutes = frame.assign(length=[f"{i}:00" for i in range(80)])
    np.testing.assert_allclose(predicted(model, minutes), expected)
    assert not [w for w in recwarn if "in fit" in str(w.message)]


@pytest.mark.parametrize("numbers", [range(80), np.arange(80) / 1.0])
def test_numbers_where_there_was_text_are_told(times, numbers):
    model, frame = times
    with pytest.warns(UserWarning, match="'word' of X held text in fit and .*numbers"):
        model.predict(frame.assign(word=numbers))


@pytest.mark.parametrize("dtype", [float, "float32", "Float64", object])
def test_numbers_are_no_thousands_where_there_were_decimal_commas(dtype, recwarn):
    values = np.arange(80) / 8  # such as .125, like thousands without their first digit
    texts = [f"{value:.3f}".replace(".", ",") for value in values]
    model = MetaLearnerClassifier(
        n_candidates=1, cv=2, candidates="linear", random_state=0
    ).fit(pd.DataFrame({"x": texts}), values > 5)
    assert model.columns_["read_as"][0] == ","
    expected = model.predict_proba(pd.DataFrame({"x": texts}))
    numbers = pd.DataFrame({"x": pd.Series(values).astype(dtype)})
    np.testing.assert_allclose(model.predict_proba(numbers), expected)
    mixed = pd.DataFrame({"x": [*texts[:40], *values[40:]]}, dtype=object)
    np.testing.assert_allclose(model.predict_proba(mixed), expected)
    again = clone(model).fit(mixed, values > 5)
    assert again.columns_["read_as"][0] == ","
    np.testing.assert_allclose(again.predict_proba(mixed), expected)
    assert not [w for w in recwarn if "written otherwise" in str(w.message)]


def test_other_names_must_be_in_the_same_order(cancer):
    X, y = cancer
    frame = pd.DataFrame(X[:, :3], columns=["b", "a", "a"])
    model = MetaLearnerClassifier(
        n_candidates=1, cv=2, candidates="linear", random_state=0
    ).fit(frame, y)
    assert model.other_names_ == ["b", "a", "a"]
    model.predict(frame)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame.iloc[:, ::-1])


@pytest.mark.parametrize(
    ("values", "kind"),
    [(np.arange(80) % 50, "text"), (np.array([*range(4)] * 20, object), "categorical")],
)
def test_numbers_that_are_declared_something_else_are_no_news(values, kind, recwarn):
    X = pd.DataFrame({"x": values, "other": np.arange(80) % 7})
    model = MetaLearnerClassifier(
        n_candidates=1, cv=2, candidates="linear", random_state=0,
        column_kinds={"x": kind},
    ).fit(X, np.arange(80) % 2)  # fmt: skip
    expected = model.predict_proba(X)
    whole = X.assign(x=X["x"].astype(int))
    np.testing.assert_array_equal(model.predict_proba(whole), expected)
    assert not [w for w in recwarn if "in fit" in str(w.message)]


def test_numbered_columns_in_another_order_are_an_error(cancer):
    X, y = cancer
    frame = pd.DataFrame(X[:, :4])
    model = MetaLearnerClassifier(
        n_candidates=1, cv=2, candidates="linear", random_state=0
    ).fit(frame, y)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[[1, 0, 2, 3]])
    # A part of another table may be numbered otherwise.
    expected = model.predict_proba(frame)
    for names in (range(10, 14), ["0", "1", "2", "3"]):
        renamed = frame.set_axis(names, axis=1)
        np.testing.assert_array_equal(model.predict_proba(renamed), expected)
    np.testing.assert_array_equal(model.predict_proba(X[:, :4]), expected)


def test_other_containers_than_in_fit(cancer):
    X, y = cancer[0][:, :4], cancer[1]
    settings = {"n_candidates": 1, "cv": 2, "candidates": "linear", "random_state": 0}
    model = MetaLearnerClassifier(**settings).fit(X, y)
    expected = model.predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(sparse.csr_array(X)), expected)
    frame = pd.DataFrame(X, columns=list("abcd")).assign(e=list("xy") * 284 + ["x"])
    model = MetaLearnerClassifier(**settings).fit(frame, y)
    expected = model.predict_proba(frame)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        numbered = model.predict_proba(frame.set_axis(range(5), axis=1))
    np.testing.assert_allclose(numbered, expected)


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_frames_that_transformers_are_to_return_change_nothing(container):
    pytest.importorskip(container)
    frame = make_messy(N_ROWS)[["number", "letters", "category"]]
    y = make_target(frame, "classification")
    names = ["logistic-C1", "tree-depth3"]
    settings = {"n_candidates": 2, "cv": 2, "candidates": names, "random_state": 0}
    expected = MetaLearnerClassifier(**settings).fit(frame, y).predict_proba(frame)
    with config_context(transform_output=container):
        model = MetaLearnerClassifier(**settings).fit(frame, y)
        found = model.predict_proba(frame)
    assert model.leaderboard_["status"].tolist() == ["ok", "ok"]
    np.testing.assert_allclose(found, expected)
