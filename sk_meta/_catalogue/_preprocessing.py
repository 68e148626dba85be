"""Preprocessing of a table for one kind of model, as named pipeline steps.

Every function takes a :class:`~sk_meta._table.Table` and the task and returns
steps made of public classes of scikit-learn and skrub. A table of numbers gets
a flat list of steps; a mixed one gets a ``ColumnTransformer`` in front.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
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

from .._compat import target_encoder
from .._table import CATEGORICAL, DATETIME, HIGH_CARDINALITY, NUMERIC, TEXT, Table
from ._configuration import Steps

_MISSING = [np.nan, "nan", "None", "<NA>", "NaT"]


def _finite(table: Table) -> Steps:
    """Turn infinities into missing values, whatever the dtypes."""
    steps: Steps = []
    if not table.plain:
        # Nullable and Arrow columns hold pd.NA, which NumPy can't take.
        steps.append(
            (
                "to_float",
                FunctionTransformer(pd.DataFrame.astype, kw_args={"dtype": float}),
            )
        )
    blank = {"nan": np.nan, "posinf": np.nan, "neginf": np.nan}
    steps.append(("finite", FunctionTransformer(np.nan_to_num, kw_args=blank)))
    return steps


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


def _text(*steps) -> Pipeline | FunctionTransformer:
    """Strings out of categories, booleans and mixed objects, then ``steps``."""
    as_text = FunctionTransformer(
        pd.DataFrame.astype, kw_args={"dtype": str}, feature_names_out="one-to-one"
    )
    # None, NaN, pd.NA and NaT are one and the same: missing.
    one_missing = FunctionTransformer(
        pd.DataFrame.replace,
        kw_args={"to_replace": _MISSING, "value": "missing"},
        feature_names_out="one-to-one",
    )
    return Pipeline([("as_text", as_text), ("one_missing", one_missing), *steps])


def _expand_dates_and_text():
    # skrub is imported only for the tables that need it.
    from skrub import TableVectorizer

    return TableVectorizer()


def _one_hot() -> OneHotEncoder:
    return OneHotEncoder(
        drop="if_binary",
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
        return [*_finite(table), *numeric]
    blocks = []
    if columns := table.select(NUMERIC):
        blocks.append(("numeric", Pipeline([*_finite(table), *numeric]), columns))
    if columns := table.select(CATEGORICAL):
        blocks.append(("categorical", _text(("encode", categorical)), columns))
    if columns := table.select(HIGH_CARDINALITY):
        encode = _text(("encode", target_encoder(task)), *numeric)
        blocks.append(("high_cardinality", encode, columns))
    if columns := table.select(DATETIME, TEXT):
        expand = Pipeline([("expand", _expand_dates_and_text()), *numeric])
        blocks.append(("dates_and_text", expand, columns))
    return [("encode", ColumnTransformer(blocks))]


def scaled(table: Table, task: str) -> Steps:
    """One-hot categories, imputed and standardised numbers."""
    numeric = [*_impute(table), ("scale", StandardScaler())]
    return _encode(table, task, numeric, _one_hot())


def gaussian(table: Table, task: str) -> Steps:
    """Like :func:`scaled`, numbers mapped to a normal by their quantiles."""
    quantiles = QuantileTransformer(
        n_quantiles=max(10, min(200, table.n_rows // 2)), output_distribution="normal"
    )
    numeric = [*_impute(table), ("gaussian", quantiles)]
    return _encode(table, task, numeric, _one_hot())


def splines(table: Table, task: str, n_knots: int = 5) -> Steps:
    """Cubic B-splines of the numbers, knots at their quantiles."""
    basis = SplineTransformer(
        n_knots=n_knots, knots="quantile", extrapolation="linear", include_bias=False
    )
    numeric = [
        *_impute(table),
        ("scale", StandardScaler()),
        ("spline", basis),
    ]
    return _encode(table, task, numeric, _one_hot())


def binned(table: Table, task: str, n_bins: int = 8) -> Steps:
    """Numbers cut at their quantiles and one-hot encoded."""
    bins = KBinsDiscretizer(
        n_bins=n_bins, encode="onehot-dense", strategy="quantile", subsample=None
    )
    numeric = [*_impute(table), ("bin", bins)]
    return _encode(table, task, numeric, _one_hot())


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
    return _encode(table, task, [], _ordinal())


def ordinal_imputed(table: Table, task: str) -> Steps:
    """Like :func:`ordinal`, missing numbers imputed."""
    return _encode(table, task, _impute(table), _ordinal())


def one_hot(table: Table, task: str) -> Steps:
    """One-hot categories, numbers untouched: for trees that take NaN."""
    return _encode(table, task, [], _one_hot())


def as_is(table: Table, task: str) -> Steps:
    """No preprocessing: for the dummies, which don't look at the table."""
    return []


splines_fine = partial(splines, n_knots=10)
