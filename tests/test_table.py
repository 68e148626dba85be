"""What the columns of a table and its target are found to be."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.pipeline import Pipeline

from sk_meta._catalogue._preprocessing import one_hot
from sk_meta._columns import Column, as_floats, describe_series
from sk_meta._kinds import (
    BOOLEAN,
    CATEGORICAL,
    CONSTANT,
    DATETIME,
    DURATION,
    HIGH_CARDINALITY,
    IDENTIFIER,
    MISSING,
    NUMBER_TEXT,
    NUMERIC,
    ORDINAL,
    TEXT,
)
from sk_meta._table import (
    Table,
    as_table,
    describe_table,
    describe_target,
)

KINDS = {
    "number": NUMERIC,
    "holes": NUMERIC,
    "infinite": NUMERIC,
    "count": NUMERIC,
    "nullable": NUMERIC,
    "letters": CATEGORICAL,
    "category": CATEGORICAL,
    "string": CATEGORICAL,
    "flag": BOOLEAN,
    "nullable_flag": BOOLEAN,
    "mixed": CATEGORICAL,
    "key": HIGH_CARDINALITY,
    "text": TEXT,
    "date": DATETIME,
    "date_text": DATETIME,
    "grade": ORDINAL,
    "duration": DURATION,
    "clock": DURATION,
    "price": NUMBER_TEXT,
    "percent": NUMBER_TEXT,
    "patient_id": IDENTIFIER,
    "constant": CONSTANT,
    "empty": MISSING,
}


def kind_of(values, **options):
    """Kind of one column, beside a column that varies."""
    column = pd.Series(values, **options)
    frame = pd.DataFrame({"it": column, "other": np.arange(len(column))})
    return describe_table(frame).columns[0].kind


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_kind_of_every_column_of_the_messy_frame(messy, name, kind):
    table = describe_table(messy)
    assert name in table.select(kind)


def test_every_column_is_described_in_order(messy):
    table = describe_table(messy)
    assert [column.selector for column in table.columns] == list(messy.columns)
    assert (table.n_rows, table.n_columns) == messy.shape
    assert table.container == "frame"


def test_share_of_missing_values_is_that_of_pandas(messy):
    table = describe_table(messy)
    expected = messy.isna().mean()
    np.testing.assert_allclose([c.missing for c in table.columns], expected)
    assert table.missing == pytest.approx(expected.mean())


def test_nullable_numbers_are_not_plain(messy):
    assert not describe_table(messy).plain
    assert describe_table(messy.drop(columns="nullable")).plain


@pytest.mark.parametrize("dtype", ["int64", "float64", "float32", "Int64", "Float64"])
@pytest.mark.parametrize("n_values", [7, 8, 200, 201])
def test_different_numbers_are_counted_where_they_are_few(dtype, n_values):
    column = pd.Series(np.arange(10_000) % n_values, dtype=dtype)
    frame = pd.DataFrame({"it": column, "other": np.arange(10_000) / 3})
    if not dtype.startswith("int"):
        frame.loc[::9, "it"] = None
    tables = [describe_table(frame)]
    if tables[0].plain:
        tables.append(describe_table(frame.to_numpy()))
    for table in tables:
        found = [column.n_unique for column in table.columns]
        assert found == [n_values if n_values <= 200 else None, None]
        assert len(table.discrete) == (8 <= n_values <= 200)


@pytest.mark.parametrize(("n_rows", "n_missing", "discrete"),
                         [(200, 0, True), (199, 0, False), (220, 21, False),
                          (244, 44, True)])
def test_numbers_are_discrete_where_twenty_rows_have_each(n_rows, n_missing, discrete):
    values = np.arange(n_rows) % 10.0
    values[:n_missing] = np.nan
    table = describe_table(np.column_stack([values, np.arange(n_rows)]))
    assert [column.selector for column in table.discrete] == [0][:discrete]


def test_what_is_declared_to_be_a_number_stands_for_no_category():
    frame = pd.DataFrame({"it": np.arange(400) % 10, "other": np.arange(400)})
    assert describe_table(frame).discrete
    assert not describe_table(frame, {"it": "numeric"}).discrete


def test_description_as_frame_has_one_row_per_column(messy):
    frame = describe_table(messy).to_frame()
    assert dict(zip(frame["column"], frame["kind"], strict=True)) == KINDS


@pytest.mark.parametrize(
    "values",
    [
        ["2021-01-05", "1999-12-31", "2020-02-29"] * 5,
        ["31/12/2020", "01/02/2021"] * 5,
        ["12/31/2020", "01/02/2021"] * 5,
        ["31.12.2020", "1.2.2021"] * 5,
        ["2020/12/31", "2021/02/01"] * 5,
        ["2021-01-05T10:30:00", "2020-02-29T23:59:59"] * 5,
        ["5 Jan 2021", "29 Feb 2020"] * 5,
        ["Jan 5, 2021", "Feb 29, 2020"] * 5,
        ["2021-01-05 10:30", "2020-02-29 23:59"] * 5,
        ["1/5/2021 10:30", "2/29/2020 23:59"] * 5,
        ["1/5/21", "2/29/20"] * 5,
        ["1/5/21 10:30", "2/29/20 23:59"] * 5,
        ["Mar-2018", "Dec-1999"] * 5,
        ["2021-01-05", "unknown", "2020-02-29", ""] * 5,
        ["2021-01-05"] * 30 + ["yesterday"],
        # The first days of a month may be months.
        pd.date_range("2021-01-01", periods=60).strftime("%d-%m-%Y"),
        pd.date_range("2021-01-01", periods=60).strftime("%d/%m/%Y %H:%M:%S"),
        pd.date_range("2021-01-01", periods=60).strftime("%d.%m.%Y %H:%M"),
        ["Thu Jan 21 10:00:00 +0000 2021", "Fri Feb 05 11:30:00 +0000 2021"] * 5,
        [datetime.date(2020, 1, day) for day in range(1, 11)],
        [datetime.datetime(2020, 1, day, 5) for day in range(1, 11)],
        pd.period_range("2020-01", periods=10, freq="M"),
        pd.date_range("2020-01-01", periods=10, tz="Europe/Paris"),
    ],
    ids=lambda values: str(values[0]),
)
def test_dates_are_recognised(values):
    assert kind_of(values) == DATETIME


@pytest.mark.parametrize(
    "values",
    [
        ["1-2", "3-4", "10-12"] * 5,
        ["01067", "80331", "20095"] * 5,
        ["192.168.0.1", "10.0.0.7"] * 5,
        ["2021-01-05", "not yet known"] * 5,
        ["2021-13-45", "2021-02-31"] * 5,
    ],
    ids=lambda values: values[-1],
)
def test_strings_with_digits_are_not_dates(values):
    assert kind_of(values) == CATEGORICAL


def test_numbers_that_are_named_codes_are_no_numbers():
    codes = pd.Series(["80331", "10115", "20095"] * 5)
    for name in ("zip_code", "Zip", "area code", "phone"):
        assert describe_series(codes, name).kind == CATEGORICAL
    for name in ("price", "posts", "decoded", "phones"):
        assert describe_series(codes, name).kind == NUMBER_TEXT


def test_dates_with_missing_values_stay_dates():
    assert kind_of(["2021-01-05", None, "2020-02-29", np.nan] * 5) == DATETIME


@pytest.mark.parametrize("dtype", [object, "string", "category"])
def test_forty_values_are_categories_and_more_are_high_cardinality(dtype):
    few, many = ([f"k{i % n}" for i in range(200)] for n in (40, 41))
    assert kind_of(few, dtype=dtype) == CATEGORICAL
    assert kind_of(many, dtype=dtype) == HIGH_CARDINALITY


def test_sentences_are_text_even_when_some_repeat():
    sentences = [f"the patient came {i % 60} times this year" for i in range(200)]
    assert kind_of(sentences) == TEXT


def test_nearly_unique_words_are_text():
    words = [f"{'abcdefghij'[i % 10]}{'klmnopqrst'[i // 10]}ville" for i in range(100)]
    assert kind_of(words) == TEXT


def test_column_of_lists_does_not_break_the_description():
    assert kind_of([["x"], ["y"], ["x", "y"]] * 5) == CATEGORICAL


def test_one_value_and_missing_ones_is_not_constant():
    assert kind_of(["yes", None] * 5) == CATEGORICAL
    assert kind_of([1.0, np.nan] * 5) == NUMERIC


@pytest.mark.parametrize("values", [["a"] * 5, [True] * 5, [2.5] * 5])
def test_a_single_value_is_constant(values):
    assert kind_of(values) == CONSTANT


@pytest.mark.parametrize("dtype", [object, float, "Float64", "string", "category"])
def test_a_column_without_values_is_all_missing(dtype):
    assert kind_of([None] * 5, dtype=dtype) == MISSING


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1,200", "15", "3,400,000", None], [1200, 15, 3400000, np.nan]),
        (["12 %", "7%", "3.5 %", "?"], [12, 7, 3.5, np.nan]),
        (["$1,200.50", "€7", "£ 30", "-"], [1200.5, 7, 30, np.nan]),
        (["1.200,5", "3,25", "7", ""], [1200.5, 3.25, 7, np.nan]),
        (["1e3", "-2.5E-2", "+4", "n/a"], [1000, -0.025, 4, np.nan]),
        ([" 1", "2 ", "3", "nan"], [1, 2, 3, np.nan]),
        ([1, "2", 3.5, None], [1, 2, 3.5, np.nan]),
        ([Decimal("1.125"), Decimal(2), Decimal("3.5"), None], [1.125, 2, 3.5, np.nan]),
    ],
    ids=str,
)
def test_numbers_in_text_are_read(values, expected):
    series = pd.Series(values * 5, dtype=object)
    column = describe_series(series, "it")
    assert column.kind == NUMBER_TEXT
    np.testing.assert_allclose(as_floats(series, column)[:4], expected)


@pytest.mark.parametrize(
    ("write", "read"),
    [
        ("{0}.5k", lambda i: (i + 0.5) * 1e3),
        ("${0}.5 M", lambda i: (i + 0.5) * 1e6),
        ("({0},000)", lambda i: -1000.0 * i),
        ("\u2212{0}", lambda i: -1.0 * i),
        ("({0}.000,5)", lambda i: -1000.0 * i - 0.5),
        ("{0}.5mg", lambda i: i + 0.5),
        ("{0} km/h", lambda i: float(i)),
        ("{0},25 °C", lambda i: i + 0.25),
    ],
)
def test_numbers_with_other_signs_and_units_are_read(write, read):
    series = pd.Series([write.format(i) for i in range(1, 61)] + [None])
    column = describe_series(series, "it")
    assert column.kind == NUMBER_TEXT
    expected = [*map(read, range(1, 61)), np.nan]
    np.testing.assert_allclose(as_floats(series, column), expected)
    table = Table(61, (column,), "frame")
    pipeline = Pipeline(one_hot(table, "regression"))
    found = pipeline.fit_transform(series.to_frame("it"))
    np.testing.assert_allclose(np.ravel(found), expected)


@pytest.mark.parametrize(
    ("detail", "values", "expected"),
    [
        # Without its comma, 12,5 would be 125.
        (".", ["12,5", "0,125", "1.200,5", "1,200"], [np.nan, np.nan, np.nan, 1200]),
        (",", ["12.5", "0.125", "1,200.5", "1.200"], [np.nan, np.nan, np.nan, 1200]),
        (".*", ["12,5k", "(1,5)", "5 k", "(7)"], [np.nan, np.nan, 5000, -7]),
        (". mg", ["5 g", "1,5 mg", "5", "1,500 mg"], [np.nan, np.nan, 5, 1500]),
    ],
)  # fmt: skip
def test_what_is_written_otherwise_is_no_other_number(detail, values, expected):
    column = Column("it", NUMBER_TEXT, None, 0.0, detail)
    series = pd.Series(values, dtype=object, name="it")
    np.testing.assert_allclose(as_floats(series, column), expected)
    pipeline = Pipeline(one_hot(Table(4, (column,), "frame"), "regression"))
    found = pipeline.fit_transform(series.to_frame())
    np.testing.assert_allclose(np.ravel(found), expected)


def test_few_values_with_units_are_categories():
    assert kind_of(["5K", "10K", "21K"] * 10) == CATEGORICAL


@pytest.mark.parametrize(
    "values",
    [["$", "$$", "$$$"], ["+", "-"], ["%", "€"], ["E10", "E11", "E66"]],
    ids=str,
)
def test_signs_and_codes_without_a_number_are_categories(values):
    assert kind_of(values * 10) == CATEGORICAL


def test_a_few_words_among_numbers_are_missing_and_many_are_not():
    few, many = (
        [f"{i}.5" for i in range(100 - n)] + ["below limit"] * n for n in (5, 10)
    )
    assert kind_of(few) == NUMBER_TEXT
    assert kind_of(many) != NUMBER_TEXT


@pytest.mark.parametrize(
    "values",
    [
        [datetime.timedelta(hours=h) for h in range(10)],
        [datetime.time(h, 30) for h in range(10)],
        [f"{h}:30" for h in range(10)],
        [f"{h}:30:15" for h in range(10)],
        [f"{h}h 15m" for h in range(10)],
        [f"{60 * h} min" for h in range(10)],
        [str(pd.Timedelta(hours=h)) for h in range(10)],
        [str(pd.Timedelta(hours=h + 20)) for h in range(10)],
        [f"PT{h}H0M" for h in range(10)],
        [f"{3600000 * h} ms" for h in range(10)],
    ],
    ids=lambda values: str(values[0]),
)
def test_durations_are_seconds(values):
    series = pd.Series(values)
    column = describe_series(series, "it")
    assert column.kind == DURATION
    assert (np.diff(as_floats(series, column)) == 3600).all()


def test_levels_of_an_ordered_dtype_keep_their_order():
    grades = pd.Categorical(
        ["low", "high", None, "mid"] * 5, ["low", "mid", "high"], ordered=True
    )
    column = describe_series(pd.Series(grades), "it")
    assert (column.kind, column.detail) == (ORDINAL, ("low", "mid", "high"))
    np.testing.assert_equal(
        as_floats(pd.Series(grades), column)[:4], [0, 2, np.nan, 1]
    )


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("id", range(1, 51)),
        ("Unnamed: 0", range(50)),
        ("customerID", range(100, 150)),
        ("patient_id", [f"person {'abcdefg'[i % 7]}{i}"[7:] for i in range(50)]),
        ("anything", [f"A-{i:05d}" for i in range(50)]),
        ("anything", [f"{i:05d}B" for i in range(50)]),
        ("row_index", range(50)),
        ("anything", [f"{i * 7919 + 2**40:x}-{i:04x}" for i in range(50)]),
        ("key", [f"{'ABCDE'[i % 5]}XYZ-{'KLMNOPQRST'[i // 5]}VW" for i in range(50)]),
    ],
)
def test_what_numbers_the_rows_is_an_identifier(name, values):
    assert describe_series(pd.Series(list(values)), name).kind == IDENTIFIER


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("id", [*range(25), *range(25)]),
        ("width", range(50)),
        ("grid", range(50)),
        ("consumer_price_index", range(100, 150)),
        ("dose", [f"{i / 8:.1f}mg" for i in range(50)]),
        ("dose", ["0", *(f"{i / 8:.1f}mg" for i in range(50))]),
        ("id", np.linspace(0, 1, 50)),
        ("id", range(10)),
        ("share", [f"{i}/50" for i in range(50)]),
        ("place", [f"{i / 7:.2f},-5.25" for i in range(50)]),
        ("name", [f"{'abcdefghij'[i % 10] * 3}{'klmno'[i // 10]}" for i in range(50)]),
    ],
)
def test_what_tells_something_is_no_identifier(name, values):
    assert describe_series(pd.Series(list(values)), name).kind != IDENTIFIER


@pytest.mark.parametrize(
    ("values", "declared", "kind"),
    [
        ([1, 2, 3] * 5, "categorical", CATEGORICAL),
        (range(50), "categorical", HIGH_CARDINALITY),
        ([1, 2, 3] * 5, "identifier", IDENTIFIER),
        (["a", "b", "c"] * 5, "text", TEXT),
        (["a", "b", "c"] * 5, "ordinal", ORDINAL),
        (["1", "2", "x"] * 5, "numeric", NUMBER_TEXT),
        (["20210105", "20200229"] * 5, "datetime", DATETIME),
        (["10:30", "7:15"] * 5, "duration", DURATION),
        (pd.Categorical(["10:30", "7:15"] * 5), "duration", DURATION),
        (pd.Categorical(["2020-01-01", "2021-02-02"] * 5), "datetime", DATETIME),
        ([0.1, 0.5] * 5, "duration", NUMERIC),
        ([1.5, 2.5] * 5, "numeric", NUMERIC),
    ],
)
def test_what_the_user_declares_wins(values, declared, kind):
    frame = pd.DataFrame({"it": values})
    frame["other"] = np.arange(len(frame))
    assert describe_table(frame, {"it": declared}).columns[0].kind == kind
    assert describe_table(frame, {0: declared}).columns[0].kind == kind


def test_declared_dates_and_durations_are_read_from_a_category_dtype():
    for values, kind in ((["1:30", "2:00"], "duration"),
                         (["2020-01-01", "2020-01-02"], "datetime")):  # fmt: skip
        series = pd.Series(pd.Categorical(values * 5))
        column = describe_series(series, "it", kind)
        found = as_floats(series.astype(str), column)
        assert found[1] - found[0] in (1800, 86400)


def test_numbers_are_not_dates_by_declaration():
    with pytest.raises(ValueError, match="'it' holds numbers. Convert them to dates"):
        describe_series(pd.Series([2015.0, 2016.0]), "it", "datetime")


def test_declaring_what_does_not_exist_is_refused():
    frame = pd.DataFrame({"it": [1, 2]})
    with pytest.raises(ValueError, match=r"'that', which is not a column .* \['it'\]"):
        describe_table(frame, {"that": "numeric"})
    with pytest.raises(ValueError, match="must be one of"):
        describe_table(frame, {"it": "number"})


def test_duplicated_names_are_selected_by_position(duplicated):
    table = describe_table(duplicated)
    assert [c.selector for c in table.columns] == list(range(duplicated.shape[1]))
    # Without a name a number is not known to be an identifier.
    kinds = KINDS | {"patient_id": NUMERIC}
    assert [c.kind for c in table.columns] == list(kinds.values())


def test_names_that_are_not_strings_are_selected_by_position():
    table = describe_table(pd.DataFrame({10: [1, 2, 3], 20: ["a", "b", "a"]}))
    assert [c.selector for c in table.columns] == [0, 1]


def test_all_constant_frame_still_has_columns_to_fit_on():
    table = describe_table(pd.DataFrame({"one": [1.0] * 5, "word": ["a"] * 5}))
    assert [c.kind for c in table.columns] == [NUMERIC, CATEGORICAL]


def test_all_constant_array_still_has_columns_to_fit_on():
    table = describe_table(np.ones((5, 2)))
    assert table.only_numeric


def test_array_columns_constant_missing_and_varying():
    X = np.array([[1.0, np.nan, 1.0, np.nan], [1.0, np.nan, 2.0, 3.0]])
    kinds = [c.kind for c in describe_table(X).columns]
    assert kinds == [CONSTANT, MISSING, NUMERIC, NUMERIC]
    assert [c.missing for c in describe_table(X).columns] == [0, 1, 0, 0.5]


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csr_array])
def test_sparse_columns_with_missing_values(make):
    dense = np.array([[0, 1, np.nan, 0], [0, 2, 0, np.nan], [0, 0, 0, np.nan]])
    table = describe_table(as_table(make(dense)))
    kinds = [c.kind for c in table.columns]
    assert kinds == [CONSTANT, NUMERIC, NUMERIC, NUMERIC]
    np.testing.assert_allclose([c.missing for c in table.columns], [0, 0, 1 / 3, 2 / 3])
    assert table.container == "sparse"
    assert table.density == pytest.approx(5 / 12)


def test_sparse_column_of_missing_values_only_is_constant():
    dense = np.array([[np.nan, 1.0], [np.nan, 0.0]])
    table = describe_table(as_table(sparse.csc_array(dense)))
    assert [c.kind for c in table.columns] == [MISSING, NUMERIC]


def test_object_array_of_numbers_becomes_floats():
    X = as_table(np.array([[1, 2.5], [None, 4]], dtype=object))
    assert X.dtype == float
    assert np.isnan(X[1, 0])


def test_mixed_object_array_keeps_its_numeric_columns_numeric():
    X = as_table(np.array([[1, "a"], [2, "b"], [3, "a"]], dtype=object))
    assert [c.kind for c in describe_table(X).columns] == [NUMERIC, CATEGORICAL]


def test_boolean_array_is_numeric():
    table = describe_table(as_table(np.array([[True, False], [False, True]])))
    assert table.only_numeric and table.container == "array"


def test_missing_dates_of_an_array_stay_missing():
    days = np.array([["2020-01-01"], ["NaT"], ["2021-05-05"]], dtype="datetime64[D]")
    (column,) = describe_table(as_table(days)).columns
    assert column.missing == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("value", "kind"),
    [(pd.Timestamp("2020-01-01"), DATETIME), (pd.Timedelta("1h"), DURATION)],
)
def test_dates_and_durations_of_an_array_of_objects(value, kind):
    values = np.empty((40, 2), dtype=object)
    values[:, 0] = range(40)
    values[:, 1] = [value * i if kind == DURATION else value + pd.Timedelta(i, "D")
                    for i in range(40)]  # fmt: skip
    values[3, 1] = None
    X = as_table(values)
    number, column = describe_table(X).columns
    assert (number.kind, column.kind) == (NUMERIC, kind)
    seconds = as_floats(X[1], column)
    assert np.isnan(seconds[3]) and np.isfinite(np.delete(seconds, 3)).all()
    step = 3600 if kind == DURATION else 86400
    assert seconds[11] - seconds[10] == step


@pytest.mark.parametrize(
    "values",
    [
        [datetime.date(9999, 12, 31), datetime.date(2020, 1, 1)],
        np.array(["9999-12-31", "2020-01-01"], dtype="datetime64[s]"),
        pytest.param(
            ["9999-12-31", "2020-01-01"],
            marks=pytest.mark.skipif(
                pd.__version__ < "3", reason="pandas 2 reads dates up to 2262"
            ),
        ),
    ],
    ids=["objects", "seconds", "text"],
)
def test_dates_that_stand_for_never(values):
    series = pd.Series(np.tile(np.asarray(values), 20))
    column = describe_series(series, "it")
    assert column.kind == DATETIME
    seconds = as_floats(series, column)
    assert seconds[1] == datetime.datetime(
        2020, 1, 1, tzinfo=datetime.UTC
    ).timestamp()
    assert np.isnan(seconds[0]) or seconds[0] > seconds[1]


@pytest.mark.parametrize("unit", ["N", "pm"])
def test_what_changes_the_number_is_no_unit(unit):
    series = pd.Series([f"{i}.5 {unit}" for i in range(60)])
    assert describe_series(series, "it").kind != NUMBER_TEXT


@pytest.mark.parametrize("declared", ["datetime", "duration", "numeric", "text"])
def test_what_is_declared_may_have_no_value(declared):
    column = describe_series(pd.Series([None] * 5, dtype=object), "it", declared)
    assert column.missing == 1


def test_a_lazy_frame_is_refused_in_words():
    polars = pytest.importorskip("polars")
    with pytest.raises(ValueError, match="Pass X.collect"):
        as_table(polars.LazyFrame({"a": [1]}))


def test_levels_of_an_arrow_dictionary_stay():
    pyarrow = pytest.importorskip("pyarrow", exc_type=ImportError)
    codes = pyarrow.array([0, 1, 2, 1] * 5, pyarrow.int32())
    levels = pyarrow.array(["low", "mid", "high"])
    for ordered, kind in ((True, ORDINAL), (False, CATEGORICAL)):
        grades = pyarrow.DictionaryArray.from_arrays(codes, levels, ordered=ordered)
        table = pyarrow.table({"grade": grades})
        frame = table.to_pandas(types_mapper=pd.ArrowDtype)
        for X in (table, frame):
            (column,) = describe_table(as_table(X)).columns
            assert column.kind == kind


def test_polars_frame_is_described_like_the_pandas_frame():
    polars = pytest.importorskip("polars")
    values = {
        "number": [1.5, None, 2.5, 0.0],
        "word": ["a", "b", None, "a"],
        "flag": [True, False, True, None],
        "date": [datetime.date(2020, 1, day) for day in range(1, 5)],
    }
    X = as_table(polars.DataFrame(values))
    assert isinstance(X, pd.DataFrame)
    table = describe_table(X)
    kinds = [c.kind for c in table.columns]
    assert kinds == [NUMERIC, CATEGORICAL, BOOLEAN, DATETIME]
    assert [c.missing for c in table.columns] == [0.25, 0.25, 0.25, 0]


def test_arrow_columns_are_described_like_those_of_numpy(messy):
    pyarrow = pytest.importorskip("pyarrow", exc_type=ImportError)
    plain = messy.drop(columns="mixed")  # Arrow has no such columns
    wanted = describe_table(as_table(plain)).to_frame()
    arrow = plain.convert_dtypes(dtype_backend="pyarrow")
    for table in (pyarrow.Table.from_pandas(plain), arrow):
        found = describe_table(as_table(table)).to_frame()
        pd.testing.assert_frame_equal(found, wanted)


def test_description_leaves_the_frame_alone(messy):
    before = messy.copy(deep=True)
    describe_table(as_table(messy))
    pd.testing.assert_frame_equal(messy, before)


@pytest.mark.parametrize(
    "kinds", [[NUMERIC], [CATEGORICAL], [HIGH_CARDINALITY], [TEXT], [DATETIME]]
)
def test_n_encoded_is_close_to_the_number_of_encoded_columns(messy, kinds):
    table = describe_table(messy)
    X = messy[table.select(*kinds)]
    table = describe_table(X)
    y = np.arange(len(X)) % 7.0
    encoded = Pipeline(one_hot(table, "regression")).fit_transform(X, y)
    assert table.n_encoded == pytest.approx(encoded.shape[1], rel=0.3)


def test_n_encoded_of_binary_columns_is_one_each():
    X = pd.DataFrame({"sex": ["f", "m"] * 5, "smokes": [True, False] * 5})
    assert describe_table(X).n_encoded == 2


def test_n_encoded_is_never_zero():
    assert describe_table(np.ones((4, 1))).n_encoded == 1


def test_strings_are_labels():
    target = describe_target(np.array(["b", "a", "b"]))
    assert target.task == "classification"
    assert list(target.classes) == ["a", "b"]
    assert list(target.counts) == [1, 2]
    assert (target.n_rows, target.n_classes) == (3, 2)


def test_fractions_are_quantities():
    target = describe_target(np.array([0.5, 1.0, 2.0]))
    assert target.task == "regression"
    assert target.classes is None and target.n_classes == 0


@pytest.mark.parametrize(
    ("n_distinct", "task"), [(20, "classification"), (21, "regression")]
)
def test_integers_with_many_values_are_quantities(n_distinct, task):
    y = np.arange(100) % n_distinct
    assert describe_target(y).task == task
    assert describe_target(y.astype(float)).task == task


@pytest.mark.parametrize("dtype", [bool, int, np.uint8])
def test_two_values_are_labels(dtype):
    assert describe_target(np.array([0, 1, 1], dtype=dtype)).n_classes == 2


def test_strings_stay_labels_however_many():
    assert describe_target(np.array([f"k{i}" for i in range(50)])).n_classes == 50


def test_the_task_given_wins_over_the_values():
    y = np.array([0, 1, 0, 1])
    assert describe_target(y, "regression").task == "regression"
    assert describe_target(np.arange(60), "classification").n_classes == 60


def test_labels_without_a_common_order_are_refused_with_advice():
    with pytest.raises(ValueError, match=r"y mixes types .* y\.astype\(str\)"):
        describe_target(np.array(["a", 1, "b"], dtype=object))


def test_the_format_that_reads_most_dates_is_taken():
    # All but three could be days before months.
    days = pd.date_range("2020-01-01", periods=900).to_series()
    text = pd.concat([days[days.dt.day <= 12].head(97), days[days.dt.day > 27].head(3)])
    column = describe_series(text.dt.strftime("%m/%d/%Y"), "day")
    assert (column.kind, column.detail) == ("datetime", "%m/%d/%Y")


@pytest.mark.parametrize(
    ("declared", "what"),
    [("numeric", "numbers"), ("datetime", "dates"), ("duration", "durations")],
)
def test_what_is_declared_must_be_readable(declared, what):
    doses = pd.Series([f"{i} or {i + 5} mg" for i in range(100, 200)])
    with pytest.raises(ValueError, match=f"100 % .* 'dose' can't be read as {what}"):
        describe_series(doses, "dose", declared)


def test_what_is_declared_numeric_may_have_signs_and_units():
    column = describe_series(pd.Series(["1k", "(2)", "3.5k"]), "it", "numeric")
    assert column.detail == ".*"
    np.testing.assert_allclose(as_floats(pd.Series(["1k", "(2)"]), column), [1000, -2])
    doses = pd.Series(["5mg", "10mg", None])
    column = describe_series(doses, "dose", "numeric")
    assert column.detail == ". mg"
    np.testing.assert_allclose(as_floats(doses, column), [5, 10, np.nan])


@pytest.mark.parametrize(
    ("texts", "value"), [(["0,125", "1,250"], 0.125), (["1,125", "1,250"], 1125)]
)
def test_what_follows_a_zero_is_no_group_of_thousands(texts, value):
    series = pd.Series(texts * 30)
    assert as_floats(series, describe_series(series, "it"))[0] == value


def test_what_stands_for_missing_does_not_hide_how_the_rest_is_written():
    series = pd.Series(["3,5", "2,25"] * 45 + ["n/a"] * 10)
    column = describe_series(series, "it", "numeric")
    assert (column.kind, column.detail) == (NUMBER_TEXT, ",")
    days = pd.Series(["31/01/2020", "01/02/2020"] * 45 + ["-"] * 10)
    assert describe_series(days, "day", "datetime").detail == "%d/%m/%Y"
