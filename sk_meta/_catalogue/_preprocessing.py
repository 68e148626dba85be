"""Preprocessing of a table for one kind of model, as named pipeline steps.

Every function takes a :class:`~sk_meta._table.Table` and the task and returns
steps made of public classes of scikit-learn and skrub. A table of numbers gets
a flat list of steps; a mixed one, or one whose discrete numbers are encoded as well,
gets a ``ColumnTransformer`` in front.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from importlib import import_module
from operator import methodcaller

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
)

from .._columns import Column
from .._compat import target_encoder
from .._kinds import (
    CATEGORIES,
    DATETIME,
    DURATION,
    HIGH_CARDINALITY,
    NUMBER_TEXT,
    NUMERIC,
    ORDINAL,
    TEXT,
)
from .._table import HUGE, Table
from .._texts import WITH_SECONDS, WITHOUT_SECONDS, replacements
from ._configuration import Steps

COUNTS = "counts"  # block that counts texts
# What is removed from a text, so that the characters that are left are the count.
# n-grams tell what is said, and counts how: headings are written in capitals.
_NOT_COUNTED = {
    "words": r"\s+|(?<=\S)\S",  # all but their first characters
    "capitals": r"[^A-Z]+",
    "digits": r"\D+",
}
_MISSING = [np.nan, "nan", "None", "<NA>", "NaT"]
# Share of missing values above which a column may be empty in a fold.
_MOSTLY = 0.5


# Methods of frames are called by a ``methodcaller`` without keywords, which skops
# writes whole; of ``DataFrame.astype`` it keeps the name alone.


def _call(function, **options) -> FunctionTransformer:
    """A step that is a public function."""
    return FunctionTransformer(
        function, kw_args=options or None, feature_names_out="one-to-one"
    )


def _to_float():
    return "to_float", _call(methodcaller("astype", "float"))


def _to_text():
    return "to_text", _call(methodcaller("astype", "str"))


def _finite() -> Steps:
    """Turn infinities into missing values, and cut what is huge."""
    blank = {"nan": np.nan, "posinf": np.nan, "neginf": np.nan}
    return [
        ("finite", _call(np.nan_to_num, **blank)),
        ("cut", _call(np.clip, a_min=-HUGE, a_max=HUGE)),
    ]


def _numbers(table: Table, numeric: Steps) -> Steps:
    """Steps for columns of a numeric dtype."""
    if table.in_range:  # each step makes a copy
        return numeric
    # Nullable and Arrow columns hold pd.NA, which NumPy can't take.
    return [*([] if table.plain else [_to_float()]), *_finite(), *numeric]


def _impute(table: Table) -> Steps:
    """Median, with an indicator where the table has missing values."""
    return [
        (
            "impute",
            SimpleImputer(
                strategy="median",
                add_indicator=table.missing > 0,
                keep_empty_features=True,
            ),
        )
    ]


def _parsed(column: Column) -> Steps:
    """Read the numbers of a column that holds them as text."""
    found = replacements(column.detail)
    steps = [(name, _replaced(*found[name])) for name in found]
    return [_to_text(), *steps, *_to_number()]


def _to_number() -> Steps:
    return [("to_number", _each(pd.to_numeric)), _to_float()]


def _seconds(column: Column) -> Steps:
    """Seconds of a column of durations."""
    if not column.is_text:
        steps = [("to_duration", _each(pd.to_timedelta))]
    else:
        steps = [
            _to_text(),
            ("with_seconds", _replaced(WITHOUT_SECONDS, WITH_SECONDS)),
            ("to_duration", _each(pd.to_timedelta)),
        ]
    seconds = _call(methodcaller("div", np.timedelta64(1, "s")))
    return [*steps, ("to_seconds", seconds)]


def _places(column: Column) -> Steps:
    """Places of the levels in their order; unknown ones are missing."""
    if column.detail is None:
        return [_to_float()]
    places = OrdinalEncoder(
        categories=[list(column.detail)],
        handle_unknown="use_encoded_value",
        unknown_value=np.nan,
    )
    return [_to_text(), ("to_place", places)]


_READ = {NUMBER_TEXT: _parsed, DURATION: _seconds, ORDINAL: _places}


def _replaced(pattern: str, value: str) -> FunctionTransformer:
    return _call(methodcaller("map", partial(re.sub, pattern, value), "ignore"))


def _each(function, **options) -> FunctionTransformer:
    read = partial(function, errors="coerce", **options)
    return _call(methodcaller("apply", read))


def _to_date(form: str) -> FunctionTransformer:
    return _each(pd.to_datetime, format=form, utc=True)


def _text() -> Steps:
    """Strings out of categories, truth values and mixed objects."""
    # None, NaN, pd.NA and NaT are one and the same: missing.
    one_missing = _call(methodcaller("replace", _MISSING, "missing"))
    return [_to_text(), ("one_missing", one_missing)]


def _expand_dates_and_text():
    # skrub is imported only for the tables that need it.
    from skrub import DatetimeEncoder, StringEncoder, TableVectorizer

    # The day of the week lowered the loss of boosting by 1 % in the geometric mean of
    # nine tables with dates; the day of the year did not lower it further, and n-grams
    # of names that repeat, beside their target encoding, raised it.
    return TableVectorizer(
        # What is text stays text, however few values it has.
        cardinality_threshold=0,
        high_cardinality=StringEncoder(),
        datetime=DatetimeEncoder(add_weekday=True),
        # A column that is empty in a fold must not leave the steps after it nothing.
        drop_null_fraction=None,
    )


def import_needed(table: Table, packages: Iterable[str] = ()) -> None:
    """Import what the configurations for a table need.

    Before a thread does: while it imports a package, if only to load a model that a
    worker has sent, the others see half of it. skrub and CatBoost import polars, and
    scikit-learn asks whether polars is there.

    Parameters
    ----------
    table : Table
    packages : iterable of str, default=()
        Optional packages. One that can't be imported is left to what needs it, which
        will say so.
    """
    if table.of_kind(DATETIME, TEXT):
        import skrub  # noqa: F401
    for package in packages:
        with suppress(Exception):
            import_module(package)


def _one_hot(drop: str | None = "if_binary") -> OneHotEncoder:
    return OneHotEncoder(
        drop=drop,
        handle_unknown="infrequent_if_exist",
        min_frequency=3,
        sparse_output=False,
    )


def _ordinal() -> OrdinalEncoder:
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)


def _encode(table: Table, task: str, numeric: Steps, categorical) -> Steps:
    """Apply ``numeric`` to numbers and ``categorical`` to categories."""
    if table.container == "sparse":
        # The mean keeps the zeros where they are, unlike centring.
        gaps: Steps = [("impute", SimpleImputer(strategy="mean"))]
        return [*(gaps if table.missing > 0 else []), ("scale", MaxAbsScaler())]
    if table.only_numeric:
        return _numbers(table, numeric)
    return [("encode", ColumnTransformer(_blocks(table, task, numeric, categorical)))]


def _blocks(
    table: Table, task: str, numeric: Steps, categorical, many=None
) -> list[tuple]:
    """Name, transformer and columns of every kind that the table has.

    ``many`` encodes categories of many values, by default by the target.
    """
    blocks: list[tuple] = []
    if columns := table.select(NUMERIC):
        steps = _numbers(table, numeric)
        numbers = Pipeline(steps) if steps else "passthrough"
        blocks.append(("numeric", numbers, columns))
    for i, column in enumerate(table.of_kind(*_READ)):
        read = [*_READ[column.kind](column), *_finite(), *numeric]
        blocks.append((f"quantity_{i}", Pipeline(read), [column.selector]))
    encode = [("encode", categorical)]
    blocks += _symbols("categorical", table.of_kind(*CATEGORIES), encode)
    if many is None:
        many = target_encoder(task) if table.one_target else _ordinal()
    encode = [("encode", many), *numeric]
    blocks += _symbols("high_cardinality", table.of_kind(HIGH_CARDINALITY), encode)
    if table.of_kind(DATETIME, TEXT):
        blocks += _dates_and_text(table, numeric)
    texts = [column.selector for column in table.of_kind(TEXT)]
    # Boosting gains by them, and models with imputed or scaled numbers do not: see
    # benchmarks/text_counts.py.
    if texts and not numeric:
        blocks.append((COUNTS, Pipeline(counted()), texts))
    return blocks


def _dates_and_text(table: Table, numeric: Steps) -> list[tuple]:
    expand: Steps = [("expand", _expand_dates_and_text()), *numeric]
    written = [c for c in table.of_kind(DATETIME) if c.is_text]
    blocks: list[tuple] = []
    for i, column in enumerate(written):
        steps = [_to_text(), ("to_date", _to_date(column.detail)), *expand]
        blocks.append((f"date_{i}", Pipeline(steps), [column.selector]))
    rest = [c.selector for c in table.of_kind(DATETIME, TEXT) if c not in written]
    if rest:
        blocks.append(("dates_and_text", Pipeline(expand), rest))
    return blocks


def counted() -> Steps:
    """How long texts are, and what they are made of; a missing one has no character."""
    count = [("count", _call(methodcaller("map", len))), _to_float()]
    counts = [("characters", Pipeline(count))]
    for name, pattern in _NOT_COUNTED.items():
        counts.append((name, Pipeline([("pick", _replaced(pattern, "")), *count])))
    empty = _call(methodcaller("replace", _MISSING, ""))
    return [_to_text(), ("empty", empty), ("count", FeatureUnion(counts))]


def _symbols(name: str, columns: list[Column], encode: Steps) -> list[tuple]:
    """Blocks of categories; those that are numbers apart."""
    numbers = [c.selector for c in columns if c.detail == "number"]
    others = [c.selector for c in columns if c.detail != "number"]
    # 1, 1.0 and True are the same number, but not the same text.
    blocks = [
        (name, [*_text(), *encode], others),
        (f"{name}_numbers", [*_to_number(), *_text(), *encode], numbers),
    ]
    return [(name, Pipeline(steps), chosen) for name, steps, chosen in blocks if chosen]


def _standardised(table: Table) -> Steps:
    return [*_impute(table), ("scale", StandardScaler())]


def _splined(table: Table, n_knots: int = 5) -> Steps:
    basis = SplineTransformer(
        n_knots=n_knots, knots="quantile", extrapolation="linear", include_bias=False
    )
    # Before NumPy 2 the last knot is not compared with single precision as it is.
    double = ("double", _call(methodcaller("astype", "float64")))
    return [double, *_standardised(table), ("spline", basis)]


def scaled(table: Table, task: str) -> Steps:
    """One-hot categories, imputed and standardised numbers."""
    return _encode(table, task, _standardised(table), _one_hot())


def gaussian(table: Table, task: str) -> Steps:
    """Like :func:`scaled`, numbers mapped to a normal by their quantiles."""
    quantiles = QuantileTransformer(
        n_quantiles=max(10, min(200, table.n_rows // 2)), output_distribution="normal"
    )
    numeric = [*_impute(table), ("gaussian", quantiles)]
    return _encode(table, task, numeric, _one_hot())


def splines(table: Table, task: str, n_knots: int = 5) -> Steps:
    """Cubic B-splines of the numbers, knots at their quantiles."""
    return _encode(table, task, _splined(table, n_knots), _one_hot())


def binned(table: Table, task: str, n_bins: int = 8) -> Steps:
    """Numbers cut at their quantiles and one-hot encoded."""
    bins = KBinsDiscretizer(
        n_bins=n_bins, encode="onehot-dense", strategy="quantile", subsample=None
    )
    numeric = [*_impute(table), ("bin", bins)]
    return _encode(table, task, numeric, _one_hot())


def discrete(table: Table, task: str) -> Steps:
    """Like :func:`scaled`, numbers of few values one-hot as well."""
    return _and_discrete(table, task, _standardised(table))


def discrete_splines(table: Table, task: str) -> Steps:
    """Like :func:`splines`, numbers of few values one-hot as well."""
    return _and_discrete(table, task, _splined(table))


def _and_discrete(table: Table, task: str, numeric: Steps) -> Steps:
    # 0.1 in double precision is the same number as in single precision.
    single = ("single", _call(methodcaller("astype", "float32")))
    # An unseen number is nothing to be warned of, as it were if values were dropped.
    steps = _numbers(table, [single, ("encode", _one_hot(drop=None))])
    columns = [column.selector for column in table.discrete]
    blocks = _blocks(table, task, numeric, _one_hot())
    discrete = ("discrete", Pipeline(steps), columns)
    return [("encode", ColumnTransformer([*blocks, discrete]))]


def interactions(table: Table, task: str) -> Steps:
    """Squares and pairwise products of the encoded columns, standardised."""
    return [
        *scaled(table, task),
        ("interactions", PolynomialFeatures(degree=2, include_bias=False)),
        ("rescale", StandardScaler()),
    ]


def decorrelated(table: Table, task: str) -> Steps:
    """Principal components that hold 95 % of the variance of :func:`scaled`."""
    return [*scaled(table, task), ("pca", PCA(n_components=0.95, svd_solver="full"))]


def varying(table: Table, task: str) -> Steps:
    """Like :func:`scaled`, without columns that are constant in the fold."""
    return [*scaled(table, task), ("varying", VarianceThreshold(1e-8))]


def ordinal(table: Table, task: str) -> Steps:
    """Codes for categories, numbers untouched: for models that take NaN."""
    steps = _encode(table, task, [], _ordinal())
    if any(column.missing > _MOSTLY for column in table.columns):
        # scikit-learn 1.9 can't bin a column that is empty in a fold.
        steps.append(("known", VarianceThreshold()))
    return steps


def native(table: Table, task: str) -> Steps:
    """Like :func:`ordinal` in a frame, for models that are told of categories."""
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, dtype=np.int64
    )
    # Texts that come back tell CatBoost more than their n-grams alone.
    both = table.with_whole_texts(also=True)
    blocks = ColumnTransformer(_blocks(both, task, [], codes, codes))
    # Codes must be whole numbers, and in an array with others they are not.
    whole = dict.fromkeys(native_positions(table), "int64")
    to_array = FunctionTransformer(np.asarray).set_output(transform="default")
    return [
        ("encode", blocks),
        ("to_array", to_array),
        ("to_frame", FunctionTransformer(pd.DataFrame)),
        ("to_whole", FunctionTransformer(methodcaller("astype", whole))),
    ]


def native_positions(table: Table) -> list[int]:
    """Places of the categories among the columns that :func:`native` makes."""
    n_before = len(table.of_kind(NUMERIC, *_READ))
    n_categories = len(table.of_kind(*CATEGORIES, HIGH_CARDINALITY, TEXT))
    return list(range(n_before, n_before + n_categories))


def ordinal_imputed(table: Table, task: str) -> Steps:
    """Like :func:`ordinal`, missing numbers imputed."""
    return _encode(table, task, _impute(table), _ordinal())


def one_hot(table: Table, task: str) -> Steps:
    """One-hot categories, numbers untouched: for trees that take NaN."""
    return _encode(table, task, [], _one_hot())


def whole_texts(prepare, table: Table, task: str) -> Steps:
    """Another preprocessing, to which a text is one value of many, as a name is."""
    return prepare(table.with_whole_texts(), task)


def as_is(table: Table, task: str) -> Steps:
    """No preprocessing: for the dummies, which don't look at the table."""
    return []


splines_fine = partial(splines, n_knots=10)
ordinal_whole_texts = partial(whole_texts, ordinal)
native_whole_texts = partial(whole_texts, native)
