"""What each column of a table is, and what its target is.

The only module that looks at dtypes. Everything downstream (meta-features,
preprocessing) reads the :class:`Table` and :class:`Target` made here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils.multiclass import type_of_target

# A string column with more distinct values than this is not one-hot encoded;
# the same threshold as skrub's TableVectorizer.
LOW_CARDINALITY = 40
# Integer targets with more distinct values than this are quantities.
MAX_INTEGER_CLASSES = 20
# Dates and text are recognised on a sample of the non-missing values.
_SAMPLE = 200

NUMERIC = "numeric"
CATEGORICAL = "categorical"
HIGH_CARDINALITY = "high-cardinality"
TEXT = "text"
DATETIME = "datetime"
CONSTANT = "constant"


@dataclass(frozen=True)
class Column:
    """One column: how to select it, what it is, and its size.

    ``n_unique`` counts the distinct values of columns that are not numeric.
    """

    selector: str | int
    kind: str
    n_unique: int | None
    missing: float


@dataclass(frozen=True)
class Table:
    """Description of a feature table.

    Parameters
    ----------
    n_rows : int
        Number of rows.
    columns : tuple of Column
        One entry per column, in the order of the table.
    container : {"frame", "array", "sparse"}
        What holds the values.
    plain : bool
        Whether every numeric column has a NumPy dtype, so that the values can
        be read as one float array.
    density : float
        Share of stored values; 1.0 unless sparse.
    """

    n_rows: int
    columns: tuple[Column, ...]
    container: str
    plain: bool = True
    density: float = 1.0

    @property
    def n_columns(self) -> int:
        """Number of columns, constant ones included."""
        return len(self.columns)

    def select(self, *kinds: str) -> list[str | int]:
        """Selectors of the columns of the given kinds."""
        return [column.selector for column in self.columns if column.kind in kinds]

    @cached_property
    def only_numeric(self) -> bool:
        """Whether every column is numeric and none is constant."""
        return all(column.kind == NUMERIC for column in self.columns)

    @cached_property
    def missing(self) -> float:
        """Share of missing cells."""
        return float(np.mean([column.missing for column in self.columns]))

    @cached_property
    def n_encoded(self) -> int:
        """Number of columns after one-hot encoding, dates and text expanded."""
        width = {HIGH_CARDINALITY: 1, TEXT: 30, DATETIME: 5, NUMERIC: 1}
        return max(
            1,
            sum(
                width.get(column.kind) or _one_hot_width(column)
                for column in self.columns
                if column.kind != CONSTANT
            ),
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per column: its kind, number of values, share missing."""
        return pd.DataFrame(
            [(c.selector, c.kind, c.n_unique, c.missing) for c in self.columns],
            columns=["column", "kind", "n_unique", "missing"],
        )


@dataclass(frozen=True)
class Target:
    """Description of a target.

    Parameters
    ----------
    task : {"classification", "regression"}
        Kind of task.
    n_rows : int
        Number of values.
    classes : ndarray or None
        Sorted class labels of a classification target.
    counts : ndarray
        Number of members of each class; empty for regression.
    """

    task: str
    n_rows: int
    classes: np.ndarray | None = None
    counts: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))

    @property
    def n_classes(self) -> int:
        """Number of classes, 0 for regression."""
        return 0 if self.classes is None else len(self.classes)


def _one_hot_width(column: Column) -> int:
    """Levels, a missing value being one; two levels need one column."""
    levels = (column.n_unique or 1) + (column.missing > 0)
    return 1 if levels <= 2 else levels


def is_frame(X) -> bool:
    """Whether X is a pandas or polars DataFrame."""
    return isinstance(X, pd.DataFrame) or _is_polars(X)


def _is_polars(X) -> bool:
    return type(X).__module__.split(".")[0] == "polars" and hasattr(X, "to_dict")


def as_table(X):
    """Bring X into one of the three containers that the pipelines take.

    Parameters
    ----------
    X : {DataFrame, ndarray, sparse matrix or array}
        Two-dimensional table.

    Returns
    -------
    X : pandas.DataFrame, float ndarray or CSR
        polars frames become pandas frames; arrays of objects, strings or dates
        become frames when they hold anything but numbers. Columns whose names
        are not unique are numbered instead, since pipelines select by name.
    """
    if _is_polars(X):
        return pd.DataFrame(X.to_dict(as_series=False))
    if isinstance(X, pd.DataFrame):
        return X if X.columns.is_unique else X.set_axis(range(X.shape[1]), axis=1)
    if sparse.issparse(X):
        return _with_narrow_indices(X.tocsr())
    X = np.asarray(X)
    if X.dtype.kind in "fiu":
        return X
    if X.dtype.kind in "mM":
        return pd.DataFrame(X)
    try:
        return X.astype(float)
    except (TypeError, ValueError):
        # Plain column-wise inference keeps numbers in mixed arrays numeric.
        return pd.DataFrame(X.astype(object)).apply(_as_numbers)


def _as_numbers(column: pd.Series) -> pd.Series:
    """Numbers if all values are, or read as, numbers; else as it was."""
    try:
        return pd.to_numeric(column)
    except (TypeError, ValueError):
        return column.infer_objects()


def _with_narrow_indices(X):
    """CSR with 32-bit indices, the only ones that every estimator takes."""
    if X.indices.dtype == np.int32 or X.nnz > np.iinfo(np.int32).max:
        return X
    parts = (X.data, X.indices.astype(np.int32), X.indptr.astype(np.int32))
    return type(X)(parts, shape=X.shape)


def describe_table(X) -> Table:
    """Find out what each column of X is.

    Parameters
    ----------
    X : pandas.DataFrame, ndarray or CSR
        As returned by :func:`as_table`.

    Returns
    -------
    Table
    """
    if isinstance(X, pd.DataFrame):
        unique_names = X.columns.is_unique and all(
            isinstance(name, str) for name in X.columns
        )
        columns = [
            _describe_series(X.iloc[:, i], name if unique_names else i)
            for i, name in enumerate(X.columns)
        ]
        plain = all(
            isinstance(X.dtypes.iloc[i], np.dtype)
            for i, column in enumerate(columns)
            if column.kind == NUMERIC
        )
        container, density = "frame", 1.0
    else:
        columns = _describe_numbers(X)
        plain = True
        container = "sparse" if sparse.issparse(X) else "array"
        density = X.nnz / max(1, np.prod(X.shape)) if container == "sparse" else 1.0
    if all(column.kind == CONSTANT for column in columns):
        # Something must reach the model; numbers as they are, the rest encoded.
        columns = [
            Column(c.selector, _kind_of_constant(X, i), c.n_unique, c.missing)
            for i, c in enumerate(columns)
        ]
    return Table(X.shape[0], tuple(columns), container, plain, float(density))


def _kind_of_constant(X, position: int) -> str:
    if not isinstance(X, pd.DataFrame):
        return NUMERIC
    series = X.iloc[:, position]
    return NUMERIC if _is_number(series) else CATEGORICAL


def _is_number(series: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(
        series
    )


def _describe_series(series: pd.Series, selector) -> Column:
    missing = float(series.isna().mean())
    if _is_number(series):
        return _describe_quantity(series, selector, missing)
    present = series.dropna()
    if not isinstance(series.dtype, pd.CategoricalDtype):
        present = _hashable(present)
    n_unique = int(present.nunique())
    if n_unique == 0 or (n_unique == 1 and missing == 0):
        kind = CONSTANT
    elif _is_time(series):
        kind = DATETIME
    else:
        kind = _kind_of_values(present, n_unique)
    return Column(selector, kind, n_unique, missing)


def _describe_quantity(series: pd.Series, selector, missing: float) -> Column:
    """A numeric column; it is only asked whether it varies, which is cheap."""
    low, high = series.min(), series.max()
    constant = missing == 1 or (missing == 0 and low == high)
    return Column(selector, CONSTANT if constant else NUMERIC, None, missing)


def _is_time(series: pd.Series) -> bool:
    return (
        pd.api.types.is_datetime64_any_dtype(series)
        or pd.api.types.is_timedelta64_dtype(series)
        or isinstance(series.dtype, pd.PeriodDtype)
    )


def _hashable(present: pd.Series) -> pd.Series:
    """Values as strings where the column mixes types or holds lists."""
    if pd.api.types.infer_dtype(present) in ("string", "boolean", "datetime64"):
        return present
    return present.astype(str)


def _kind_of_values(present: pd.Series, n_unique: int) -> str:
    """Kind of a column of strings, booleans, categories or mixed objects."""
    if isinstance(present.dtype, pd.CategoricalDtype):
        return CATEGORICAL if n_unique <= LOW_CARDINALITY else HIGH_CARDINALITY
    sample = present.iloc[:_SAMPLE]
    if _looks_like_dates(sample):
        return DATETIME
    if n_unique <= LOW_CARDINALITY:
        return CATEGORICAL
    words = sample.astype(str).str.count(r"\s+").mean() + 1
    return TEXT if words >= 3 or n_unique > 0.9 * len(present) else HIGH_CARDINALITY


def _looks_like_dates(sample: pd.Series) -> bool:
    if pd.api.types.infer_dtype(sample) in ("datetime", "datetime64", "date"):
        return True
    text = sample.astype(str)
    # pandas reads bare numbers as years; a date has digits and a separator.
    if not text.str.contains(r"\d[-/:.]\d", regex=True).all():
        return False
    formats = ("ISO8601", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d")
    return any(
        pd.to_datetime(text, format=form, errors="coerce").notna().all()
        for form in formats
    )


def _describe_numbers(X) -> list[Column]:
    """Columns of a numeric array or CSR matrix, by whole-array operations."""
    n_rows, n_columns = X.shape
    if sparse.issparse(X):
        low, high = (
            np.asarray(extreme(axis=0).todense()).ravel()
            for extreme in (X.min, X.max)
        )
        missing = np.zeros(n_columns)
        bad = np.isnan(X.data) if X.data.dtype.kind == "f" else np.zeros(0, bool)
        if bad.any():
            missing = np.bincount(X.indices[bad], minlength=n_columns) / n_rows
    else:
        missing = np.isnan(X).mean(axis=0) if X.dtype.kind == "f" else np.zeros(
            n_columns
        )
        filled = missing < 1
        low, high = np.zeros(n_columns), np.zeros(n_columns)
        low[filled] = np.nanmin(X[:, filled], axis=0)
        high[filled] = np.nanmax(X[:, filled], axis=0)
    constant = (missing == 1) | ((low == high) & (missing == 0))
    return [
        Column(i, CONSTANT if constant[i] else NUMERIC, None, float(missing[i]))
        for i in range(n_columns)
    ]


def describe_target(y, task: str = "auto") -> Target:
    """Decide the task and find the classes.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Target without missing values.
    task : {"auto", "classification", "regression"}, default="auto"
        With "auto", numbers with a fractional part and integers with more than
        20 distinct values are quantities, everything else is a label.

    Returns
    -------
    Target
    """
    y = np.asarray(y)
    if task == "auto":
        task = "regression" if _is_quantity(y) else "classification"
    if task == "regression":
        return Target(task, len(y))
    try:
        classes, counts = np.unique(y, return_counts=True)
    except TypeError as error:
        raise ValueError(
            "y mixes types that have no common order, such as strings and numbers. "
            "Convert the labels to one type, for example with y.astype(str)."
        ) from error
    return Target(task, len(y), classes, counts)


def _is_quantity(y: np.ndarray) -> bool:
    if y.dtype.kind not in "fiu":
        return False
    if type_of_target(y).startswith("continuous"):
        return True
    return len(np.unique(y)) > MAX_INTEGER_CLASSES
