"""What each column of a table is, and what its target is.

With :mod:`._columns` the only code that looks at dtypes. Everything downstream
(meta-features, preprocessing) reads the :class:`Table` and :class:`Target` made here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils.multiclass import type_of_target

from ._columns import (
    Column,
    count_if_few,
    describe_series,
    holds_numbers,
    is_number,
)
from ._kinds import (
    CATEGORICAL,
    CONSTANT,
    DATETIME,
    DECLARABLE,
    HIGH_CARDINALITY,
    LEFT_OUT,
    MISSING,
    NUMBER_TEXT,
    NUMERIC,
    QUANTITIES,
    TEXT,
)
from ._texts import with_commas

# Integer targets with more distinct values than this are quantities.
MAX_INTEGER_CLASSES = 20
# Beyond it squares, and what is kept in single precision, overflow.
HUGE = 1e30
# Numbers are discrete from so many values on, in so many rows each on average. Fewer
# values are nearly told apart by what is made of the number itself.
_MIN_DISCRETE, _ROWS_PER_VALUE = 8, 20
# In the place of the classes: several labels, each of which a row has or has not.
MULTILABEL = "multilabel"


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
    in_range : bool
        Whether it is an array of floats, none of them infinite or huge.
    density : float
        Share of stored values; 1.0 unless sparse.
    one_target : bool
        Whether the target has one column, by which categories can be encoded.
    labels_like_numbers : bool
        Whether there are strings among the labels that can be read as integers.
    """

    n_rows: int
    columns: tuple[Column, ...]
    container: str
    plain: bool = True
    in_range: bool = False
    density: float = 1.0
    one_target: bool = True
    labels_like_numbers: bool = False

    @property
    def n_columns(self) -> int:
        """Number of columns, constant ones included."""
        return len(self.columns)

    def select(self, *kinds: str) -> list[str | int]:
        """Selectors of the columns of the given kinds."""
        return [column.selector for column in self.of_kind(*kinds)]

    def of_kind(self, *kinds: str) -> list[Column]:
        """The columns of the given kinds."""
        return [column for column in self.columns if column.kind in kinds]

    @cached_property
    def only_numeric(self) -> bool:
        """Whether every column is numeric and none is constant."""
        return all(column.kind == NUMERIC for column in self.columns)

    @cached_property
    def discrete(self) -> list[Column]:
        """Numbers of few values, in many rows each, which may stand for categories."""
        return [
            column
            for column in self.of_kind(NUMERIC)
            if column.n_unique is not None
            and _MIN_DISCRETE <= column.n_unique
            and _ROWS_PER_VALUE * column.n_unique
            <= round(self.n_rows * (1 - column.missing))
        ]

    @cached_property
    def n_discrete(self) -> int:
        """Number of columns that the discrete numbers are after one-hot encoding."""
        return sum(map(_one_hot_width, self.discrete))

    @cached_property
    def missing(self) -> float:
        """Share of missing cells."""
        return float(np.mean([column.missing for column in self.columns]))

    @cached_property
    def n_encoded(self) -> int:
        """Number of columns after one-hot encoding, dates and text expanded."""
        width = {HIGH_CARDINALITY: 1, TEXT: 30, DATETIME: 6}
        width |= dict.fromkeys(QUANTITIES, 1)
        return max(
            1,
            sum(
                width.get(column.kind) or _one_hot_width(column)
                for column in self.columns
                if column.kind not in LEFT_OUT
            ),
        )

    def with_whole_texts(self, also: bool = False) -> Table:
        """A copy, in which a text is one value of many, as a name is, or also is."""
        kept = [c for c in self.columns if also or c.kind != TEXT]
        whole = [replace(c, kind=HIGH_CARDINALITY) for c in self.of_kind(TEXT)]
        return replace(self, columns=(*kept, *whole))

    def to_frame(self) -> pd.DataFrame:
        """One row per column: its kind, number of values, share missing, how read."""
        rows = [(c.selector, c.kind, c.n_unique, c.missing) for c in self.columns]
        frame = pd.DataFrame(rows, columns=["column", "kind", "n_unique", "missing"])
        read = [c.detail if isinstance(c.detail, str) else None for c in self.columns]
        return frame.assign(read_as=np.array(read, dtype=object))


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
    n_outputs : int, default=1
        Number of quantities, or of labels that a row may have at a time; with several
        labels there are no classes.
    """

    task: str
    n_rows: int
    classes: np.ndarray | None = None
    counts: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))
    n_outputs: int = 1

    @property
    def n_classes(self) -> int:
        """Number of classes, 0 for regression and for several labels."""
        return 0 if self.classes is None else len(self.classes)

    @property
    def form(self) -> np.ndarray | str | None:
        """What predictions look like: the classes, None (values), or MULTILABEL."""
        if self.task == "classification" and self.classes is None:
            return MULTILABEL
        return self.classes


def _one_hot_width(column: Column) -> int:
    """Levels, a missing value being one; two levels need one column."""
    levels = (column.n_unique or 1) + (column.missing > 0)
    return 1 if levels <= 2 else levels


def is_frame(X) -> bool:
    """Whether X is a DataFrame of pandas or polars, or a table of pyarrow."""
    return isinstance(X, pd.DataFrame) or _is_of(X, "polars") or _is_of(X, "pyarrow")


def _is_of(X, package: str) -> bool:
    return type(X).__module__.split(".")[0] == package and hasattr(type(X), "columns")


def as_table(X):
    """Bring X into one of the three containers that the pipelines take.

    Parameters
    ----------
    X : {DataFrame, pyarrow.Table, ndarray, sparse matrix or array}
        Two-dimensional table.

    Returns
    -------
    X : pandas.DataFrame, float ndarray or CSR
        Frames of polars and tables of pyarrow become pandas frames; arrays of
        objects, strings or dates become frames when they hold anything but numbers.
        Columns whose names are not unique are numbered instead, since pipelines
        select by name.
    """
    if _is_of(X, "polars"):
        X = _from_polars(X)
    elif _is_of(X, "pyarrow"):
        X = X.to_pandas(date_as_object=False)
    if isinstance(X, pd.DataFrame):
        X = _without_arrow_times(X)
        return X if X.columns.is_unique else X.set_axis(range(X.shape[1]), axis=1)
    if sparse.issparse(X):
        return _with_narrow_indices(X.tocsr())
    X = np.asarray(X)
    if X.dtype.kind in "fiu":
        # Not every library looks at the order of the bytes.
        return X.astype(X.dtype.newbyteorder("="), copy=False)
    if X.dtype.kind in "mM":
        return pd.DataFrame(X)
    try:
        return X.astype(float)
    except (TypeError, ValueError):
        # Plain column-wise inference keeps numbers in mixed arrays numeric.
        return pd.DataFrame(X.astype(object)).apply(_as_numbers)


def _from_polars(X) -> pd.DataFrame:
    if not hasattr(X, "to_dict"):
        raise ValueError(f"X is a {type(X).__name__} of polars. Pass X.collect().")
    try:
        return X.to_pandas()
    except ImportError:  # without pyarrow
        return pd.DataFrame(X.to_dict(as_series=False))


def _without_arrow_times(X: pd.DataFrame) -> pd.DataFrame:
    """Dates, durations and levels of Arrow columns as pandas has them else."""
    of_arrow = [
        name
        for name, dtype in X.dtypes.items()
        if isinstance(dtype, pd.ArrowDtype)
        and dtype.kind in "mMO"
        and not pd.api.types.is_string_dtype(dtype)
    ]
    X = X.copy(deep=False) if of_arrow else X
    for name in of_arrow:
        values = X[name].array.__arrow_array__().to_pandas(date_as_object=False)
        levels = isinstance(values.dtype, pd.CategoricalDtype)
        X[name] = values.array if levels else values.to_numpy()
    return X


def _as_numbers(column: pd.Series) -> pd.Series:
    """Numbers if all values are, or read as, numbers; else as it was."""
    inferred = column.infer_objects()
    if inferred.dtype.kind in "mM":  # these would be read as numbers, too
        return inferred
    try:
        return pd.to_numeric(column)
    except (TypeError, ValueError):
        return inferred


def _with_narrow_indices(X):
    """CSR with 32-bit indices, the only ones that every estimator takes."""
    if X.indices.dtype == np.int32 or X.nnz > np.iinfo(np.int32).max:
        return X
    parts = (X.data, X.indices.astype(np.int32), X.indptr.astype(np.int32))
    return type(X)(parts, shape=X.shape)


def describe_table(X, column_kinds: dict | None = None) -> Table:
    """Find out what each column of X is.

    Parameters
    ----------
    X : pandas.DataFrame, ndarray or CSR
        As returned by :func:`as_table`.
    column_kinds : dict of str or int to str, or None, default=None
        What some columns are, by name or position; X is a frame then. One of
        "numeric", "ordinal", "duration", "categorical", "text", "datetime", and
        "identifier", which is left out.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        If there is no such column or kind.
    """
    if isinstance(X, pd.DataFrame):
        declared = _check_declared(column_kinds or {}, X.columns)
        unique_names = X.columns.is_unique and all(
            isinstance(name, str) for name in X.columns
        )
        columns = [
            describe_series(
                X.iloc[:, i], name if unique_names else i, declared.get(name)
            )
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
    if all(column.kind in LEFT_OUT for column in columns):
        # Something must reach the model; numbers as they are, the rest encoded.
        columns = [
            Column(column.selector, *_kind_of_last_resort(X, i, column))
            for i, column in enumerate(columns)
        ]
    in_range = container == "array" and into_range(X) is X
    return Table(
        X.shape[0], tuple(columns), container, plain, in_range, float(density)
    )


def into_range(X: np.ndarray) -> np.ndarray:
    """Floats of which none is infinite or huge: missing instead, or cut.

    Parameters
    ----------
    X : ndarray of numbers

    Returns
    -------
    ndarray
        X itself, and no copy, if it is such. Integers become floats of 64 bits, which
        LightGBM would make floats of 32.
    """
    if X.dtype.kind != "f":
        return X.astype(float)
    # Missing values are passed over.
    low, high = float(np.fmin.reduce(X, None)), float(np.fmax.reduce(X, None))
    if low >= -HUGE and high <= HUGE or np.isnan(low):
        return X
    ends = np.array([-HUGE, HUGE])  # half precision can't hold them
    return np.clip(np.where(np.isinf(X), np.nan, X), *ends).astype(X.dtype)


def written_alike(X, table: Table):
    """Write the numbers among texts that are numbers as these are.

    Parameters
    ----------
    X : pandas.DataFrame, ndarray or CSR
    table : Table

    Returns
    -------
    X : as given
    """
    for position, column in enumerate(table.columns):
        if column.kind == NUMBER_TEXT and column.detail.startswith(","):
            X = X.copy(deep=False)
            name = X.columns[position]
            X[name] = with_commas(X[name])
    return X


def _check_declared(column_kinds: dict, names: pd.Index) -> dict:
    """The kinds that the user gave, by the names of the columns."""
    declared = {}
    for key, kind in column_kinds.items():
        position = isinstance(key, (int, np.integer)) and key not in names
        if position and 0 <= key < len(names):
            key = names[key]
        if key not in names:
            raise ValueError(
                f"column_kinds names {key!r}, which is not a column of X. Use a name "
                f"of {[*map(str, names[:10])]}{'…' if len(names) > 10 else ''}, or a "
                "position."
            )
        if kind not in DECLARABLE:
            raise ValueError(
                f"column_kinds[{key!r}]={kind!r} must be one of {list(DECLARABLE)}."
            )
        declared[key] = kind
    return declared


def _kind_of_last_resort(X, position: int, column: Column) -> tuple:
    """Kind, size and detail of a column that is used because there is no other."""
    size = (column.n_unique, column.missing)
    if not isinstance(X, pd.DataFrame) or is_number(X.iloc[:, position]):
        return NUMERIC, *size
    numbers = holds_numbers(X.iloc[:, position])
    return CATEGORICAL, *size, "number" if numbers else None


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
    kinds = np.full(n_columns, NUMERIC, dtype=object)
    kinds[(low == high) & (missing == 0)] = CONSTANT
    kinds[missing == 1] = MISSING
    pairs = zip(kinds.tolist(), missing.tolist(), strict=True)
    counted = {NUMERIC} if isinstance(X, np.ndarray) else set()
    return [
        Column(i, kind, count_if_few(X[:, i]) if kind in counted else None, share)
        for i, (kind, share) in enumerate(pairs)
    ]


def describe_target(y, task: str = "auto") -> Target:
    """Decide the task and find the classes.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Target without missing values.
    task : {"auto", "classification", "regression"}, default="auto"
        With "auto", numbers with a fractional part and integers with more than
        20 distinct values are quantities, everything else is a label. Several columns
        of zeros and ones are labels, others quantities.

    Returns
    -------
    Target
    """
    y = np.asarray(y)
    if y.ndim == 2:
        labels = task != "regression" and bool(np.isin(y, (0, 1)).all())
        kind = "classification" if labels else "regression"
        return Target(kind, len(y), n_outputs=y.shape[1])
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


def main_output(y: np.ndarray, target: Target) -> tuple[np.ndarray, Target]:
    """One target in the place of several, for what can look at one only.

    Parameters
    ----------
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    target : Target

    Returns
    -------
    y : ndarray of shape (n_samples,)
        The first principal component of the quantities, or the label that most nearly
        half of the rows have.
    target : Target
    """
    if y.ndim == 1:
        return y, target
    if target.form is None:
        y = (y - y.mean(axis=0)) / np.maximum(y.std(axis=0), 1e-12)
        _, axes = np.linalg.eigh(y.T @ y)
        y = y @ axes[:, -1]
    else:
        y = y[:, np.abs(y.mean(axis=0) - 0.5).argmin()]
    return y, describe_target(y, target.task)


def _is_quantity(y: np.ndarray) -> bool:
    if y.dtype.kind not in "fiu":
        return False
    if type_of_target(y).startswith("continuous"):
        return True
    return len(np.unique(y)) > MAX_INTEGER_CLASSES
