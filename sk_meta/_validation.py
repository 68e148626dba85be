"""Check what the user passes, and say what to do about what is wrong."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_consistent_length, validate_data

from ._columns import have_zone, is_read_from_text
from ._kinds import AWARE, BOOLEAN, DATETIME, DURATION, NUMBER_TEXT, NUMERIC, SYMBOLIC
from ._log import warn_user
from ._table import as_table, into_range, is_frame
from ._texts import (
    READ_SHARE,
    WITH_SECONDS,
    WITHOUT_SECONDS,
    share_read,
    with_commas,
    without_null_texts,
)

# Cells of a sparse table up to which it is made dense where a frame is needed: 400 MB.
MAX_DENSE_CELLS = 50_000_000
_NUMBERS = (NUMERIC, NUMBER_TEXT)
_TOO_LARGE = 1e150  # of a target: sums of squares overflow


def check_X(estimator, X, *, reset: bool):
    """Validate a table without changing what its columns are.

    Parameters
    ----------
    estimator : estimator
        Gets ``n_features_in_`` and ``feature_names_in_`` if ``reset``; has
        ``columns_`` and ``container_`` if not.
    X : {DataFrame, array-like, sparse matrix} of shape (n_samples, n_features)
    reset : bool
        Whether this is ``fit``.

    Returns
    -------
    DataFrame, ndarray or CSR
        What was an array in ``fit`` is one of floats, in which infinities are missing
        and what is huge is cut.

    Raises
    ------
    ValueError
        If the table is empty, not two-dimensional, or not the one of ``fit``.
    """
    if is_frame(X):
        _check_order(estimator, X, reset)
        X = as_table(X)
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        known = None if reset else getattr(estimator, "feature_names_in_", None)
        if known is not None and not isinstance(X.columns[0], str):
            X = X.set_axis(known, axis=1)  # as an array, of which it warns
        if 0 in X.shape:
            raise ValueError(
                f"Found array with {X.shape[0]} sample(s) and {X.shape[1]} feature(s) "
                f"(shape={X.shape}) while a minimum of 1 is required. X is empty; "
                "check how it was selected."
            )
        if any(dtype.kind == "c" for dtype in X.dtypes):
            raise ValueError("Complex data not supported. Pass real columns in X.")
        return X if reset else _contained(_as_in_fit(X, estimator.columns_), estimator)
    if reset:
        estimator.other_names_ = None
    X = validate_data(
        estimator,
        X,
        accept_sparse="csr",
        dtype=None,
        ensure_all_finite=False,
        reset=reset,
    )
    was_frame = not reset and estimator.container_ == "frame"
    if issparse(X) and not reset and estimator.container_ == "array":
        X = as_frame(X).to_numpy()
    if issparse(X) or not was_frame:
        X = as_table(X)
    else:
        # A batch must not be typed by the values that it happens to hold.
        X = pd.DataFrame(X)
    if issparse(X) and not _has_no_infinity(X):
        raise ValueError("Sparse X holds infinity. Replace it by NaN or a number.")
    if reset:
        return X
    names = getattr(estimator, "feature_names_in_", None)
    if not isinstance(X, pd.DataFrame):
        if names is None and not was_frame:
            return _contained(X, estimator)
        X = as_frame(X)
    # The pipelines were fitted on a frame and select columns by name.
    X = X if names is None else X.set_axis(names, axis=1)
    return _contained(_as_in_fit(X, estimator.columns_), estimator)


def _contained(X, estimator):
    """An array where there was one in ``fit``, whose pipelines may expect its range."""
    if estimator.container_ != "array":
        return X
    if isinstance(X, pd.DataFrame):
        # Only what is left out may hold anything but numbers.
        numbers = X.apply(pd.to_numeric, errors="coerce")
        X = numbers.to_numpy(dtype=float, na_value=np.nan)
    return into_range(X)


def as_frame(X) -> pd.DataFrame:
    """Hold an array or a sparse table as a frame, for what needs named columns.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_samples, n_features)

    Returns
    -------
    DataFrame

    Raises
    ------
    ValueError
        If it is sparse and has more than 50 million cells.
    """
    if not issparse(X):
        return pd.DataFrame(X)
    if np.prod(X.shape, dtype=float) > MAX_DENSE_CELLS:
        raise ValueError(
            f"X is sparse, and its {X.shape[0]:,} x {X.shape[1]:,} cells are too many "
            f"to be made dense (at most {MAX_DENSE_CELLS:,}), which column_kinds and "
            "an estimator fitted on a frame need. Leave out column_kinds, fit on the "
            "sparse table, or predict in smaller parts."
        )
    return pd.DataFrame(X.toarray())


def _check_order(estimator, X, reset: bool) -> None:
    """Compare names that scikit-learn does not: repeated ones, and numbers."""
    found: list[Any] = list(getattr(X, "column_names", X.columns))
    names = list(map(str, found))  # as they come back from a file
    unique = len(set(names)) == len(names)
    if reset:
        strings = all(isinstance(name, str) for name in found)
        estimator.other_names_ = None if unique and strings else names
        return
    known = getattr(estimator, "other_names_", None)
    if known is None or names == known:
        return
    # Other numbers may count the columns of a part anew; the same ones in another order
    # are other columns.
    repeated = len(set(known)) < len(known)
    if repeated or sorted(names) == sorted(known):
        raise ValueError(
            "The feature names should match those that were passed during fit, in the "
            f"same order: {known[:10]}, and not {names[:10]}."
        )


def _as_in_fit(X: pd.DataFrame, columns: pd.DataFrame) -> pd.DataFrame:
    """Numbers, truth values and dates where there were such in ``fit``."""
    X = X.copy(deep=False)
    for position, row in enumerate(columns.itertuples()):
        read_as = row.read_as if isinstance(row.read_as, str) else None
        name, kind = X.columns[position], row.kind
        if kind == NUMBER_TEXT and read_as is not None and read_as[0] == ",":
            X[name] = with_commas(X.iloc[:, position])
        _check_type(X.iloc[:, position], name, kind, read_as)
        if kind not in _READ_AGAIN or is_read_from_text(kind, read_as):
            continue
        try:
            X[name] = _READ_AGAIN[kind](X.iloc[:, position])
        except (TypeError, ValueError) as error:
            held = {NUMERIC: "numbers", BOOLEAN: "truth values", **_TIMES}[kind]
            raise ValueError(
                f"Column {name!r} of X held {held} in fit and holds something else "
                f"now: {error}. Convert it, or drop the rows."
            ) from error
        if kind == DATETIME:
            _check_zone(X.iloc[:, position], name, read_as)
    return X


_TIMES = {DATETIME: "dates", DURATION: "durations"}
_FOUND = {"datetime64": DATETIME, "datetime": DATETIME, "date": DATETIME,
          "period": DATETIME, "timedelta64": DURATION, "timedelta": DURATION,
          "integer": NUMERIC, "floating": NUMERIC, "mixed-integer-float": NUMERIC,
          "string": "text", "mixed": "text", "mixed-integer": "text"}  # fmt: skip


def _found(series: pd.Series) -> str | None:
    """What a column holds now: numbers, dates, durations or "text"."""
    present = series.dropna().iloc[:1000]
    if isinstance(series.dtype, pd.CategoricalDtype):
        present = present.astype(series.dtype.categories.dtype)
    return None if present.empty else _FOUND.get(pd.api.types.infer_dtype(present))


def _check_type(series: pd.Series, name, kind: str, read_as: str | None) -> None:
    """Refuse what would be read as something else; warn where it can't be read."""
    found, as_text = _found(series), is_read_from_text(kind, read_as)
    if found is None:
        return
    if kind in (*_TIMES, *_NUMBERS):
        numbers_for_times = kind in _TIMES and found == NUMERIC
        other_times = found in _TIMES and found != kind
        # Made text again, they would not have the format of fit.
        not_as_text = kind == found == DATETIME and as_text
        if numbers_for_times or other_times or not_as_text:
            held = f"{_TIMES.get(kind, 'numbers')}{' as text' if as_text else ''}"
            raise ValueError(
                f"Column {name!r} of X held {held} in fit and holds "
                f"{({**_TIMES, NUMERIC: 'numbers'})[found]} now. Convert it to what it "
                "was."
            )
        if found == "text" and as_text:
            _warn_unread(series, name, kind, str(read_as))
    elif kind in SYMBOLIC and read_as is None and found == NUMERIC:
        # A mixture may happen to hold nothing but numbers, as objects.
        if series.dtype != object:
            value = series.dropna().iloc[0]
            warn_user(
                f"Column {name!r} of X held text in fit and holds numbers now, which "
                f"are read as text: the first one as {str(value)!r}. What was written "
                "otherwise, such as '007', counts as unseen. Convert it to what it was."
            )


def _check_zone(dates: pd.Series, name, read_as: str | None) -> None:
    """Refuse dates with a time zone where there were such without, and vice versa."""
    present = dates.dropna()
    if present.empty or have_zone(present) == (read_as == AWARE):
        return
    then, now, zone = "with", "without", "the zone"
    if read_as != AWARE:
        then, now, zone = "without", "with", "None"
    raise ValueError(
        f"Column {name!r} of X held dates {then} a time zone in fit and holds such "
        f"{now} one now. Convert it: pd.to_datetime(column).dt.tz_localize({zone})."
    )


def _warn_unread(series: pd.Series, name, kind: str, read_as: str) -> None:
    share = share_read(series, kind, read_as)
    if share < READ_SHARE:
        held = _TIMES.get(kind, "numbers")
        warn_user(
            f"Column {name!r} of X held {held} as text in fit, and "
            f"{100 * (1 - share):.0f} % of its values are written otherwise now: they "
            "count as missing."
        )


_OFFSET = r"\d(?:Z|[+-]\d\d:?\d\d|:\d\d(?:\.\d+)?[+-]\d\d)$"  # from UTC


def _read_numbers(series: pd.Series) -> pd.Series:
    is_number = pd.api.types.is_numeric_dtype(series)
    return series if is_number else pd.to_numeric(series).astype(float)


def _read_truth(series: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(series):
        return series
    known = {True: 1.0, False: 0.0, "True": 1.0, "False": 0.0}
    truth = series.astype(object).map(known)
    unknown = series[truth.isna() & series.notna()]
    if len(unknown):
        raise ValueError(f"{unknown.iloc[0]!r} is neither True nor False")
    return truth.astype(float)


def _read_dates(series: pd.Series) -> pd.Series:
    """Dates that are text now, in the one format that can't be taken for another."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(series.dtype.categories.dtype)
    if _found(series) != "text":
        return series
    text = without_null_texts(series)
    aware = text.dropna().astype(str).str.contains(_OFFSET).all()
    return pd.to_datetime(text, format="ISO8601", utc=bool(aware))


def _read_durations(series: pd.Series) -> pd.Series:
    if _found(series) != "text":
        return series
    text = without_null_texts(series).replace(WITHOUT_SECONDS, WITH_SECONDS, regex=True)
    bare = text.astype(str).str.fullmatch(r"\s*[-+]?[\d.]+\s*")
    if bare.any():  # nanoseconds to pandas
        raise ValueError(f"{text[bare].iloc[0]!r} has no unit")
    return pd.to_timedelta(text)


_READ_AGAIN = {
    NUMERIC: _read_numbers,
    BOOLEAN: _read_truth,
    DATETIME: _read_dates,
    DURATION: _read_durations,
}


def _has_no_infinity(X) -> bool:
    """Whether a sparse table holds no infinity."""
    return X.data.dtype.kind != "f" or not np.isinf(X.data).any()


def check_y(X, y, task: str) -> np.ndarray:
    """Validate a target.

    Parameters
    ----------
    X : table
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    task : {"auto", "classification", "regression"}

    Returns
    -------
    ndarray of shape (n_samples,), or (n_samples, n_outputs) with several outputs

    Raises
    ------
    ValueError
        If y is missing, has another length than X, has missing values, or values of
        1e150 and more.
    """
    if y is None:
        raise ValueError(
            "This estimator requires y to be passed, but the target y is None. "
            "Pass the column to predict as y."
        )
    dtype = getattr(y, "dtype", None)
    if dtype is not None and hasattr(dtype, "numpy_dtype") and not pd.isna(y).any():
        # Nullable integers and booleans would become floats.
        y = y.to_numpy(dtype=dtype.numpy_dtype)
    several = getattr(y, "ndim", None) == 2 or (
        isinstance(y, (list, tuple)) and len(y) and np.ndim(y[0]) == 1
    )
    if several and np.shape(y)[1] > 1:
        return _check_outputs(X, y, task)
    y = column_or_1d(y, warn=True)
    check_consistent_length(X, y)
    if len(y) < 2:
        raise ValueError(
            f"Found array with {len(y)} sample(s) while a minimum of 2 is required: "
            "1 sample can't be split into a training and a test part."
        )
    missing = int(pd.isna(y).sum())
    if missing:
        raise ValueError(
            f"Input y contains NaN: {missing} of {len(y)} values are missing. Drop "
            "those rows of X and y; a missing target can't be learned from."
        )
    y = _with_kind(y, task)
    return _check_size(y)


def _check_size(y: np.ndarray) -> np.ndarray:
    if y.dtype.kind == "f" and not (np.abs(y.astype(float)) < _TOO_LARGE).all():
        raise ValueError(
            "Input y contains infinity or a value too large for dtype('float64'): it "
            f"must be below {_TOO_LARGE:g}, for squares of it are added. Drop or clip "
            "those rows, or divide y by a constant."
        )
    return y


def _check_outputs(X, y, task: str) -> np.ndarray:
    """Validate several quantities or labels."""
    if issparse(y):
        raise ValueError("y is sparse. Pass labels as a dense array: y.toarray().")
    y = y.to_numpy() if hasattr(y, "to_numpy") else np.asarray(y)
    if missing := int(pd.isna(y).any(axis=1).sum()):
        raise ValueError(
            f"Input y contains NaN: in {missing} of {len(y)} rows a target is missing. "
            "Drop those rows of X and y; a missing target can't be learned from."
        )
    y = check_array(
        _as_numbers(y), input_name="y", dtype="numeric", ensure_min_samples=2
    )
    check_consistent_length(X, y)
    if task == "classification" and not np.isin(y, (0, 1)).all():
        raise ValueError(
            f"y has {y.shape[1]} columns with other values than 0 and 1. Several "
            "targets with classes each are for MultiOutputClassifier(estimator)."
        )
    return _check_size(y.astype(float) if task == "regression" else y)


def _as_numbers(y: np.ndarray) -> np.ndarray:
    """Several targets in one array of numbers."""
    if y.dtype.kind == "O" and all(isinstance(v, (Real, np.bool_)) for v in y.flat):
        y = y.astype(float)
    if y.dtype.kind not in "biufc":  # complex ones are refused by scikit-learn
        raise ValueError(
            f"y has {y.shape[1]} columns, and some hold no numbers. Several targets "
            "are quantities, or labels of 0 and 1 that a row may have at once, such as "
            "(y == 'yes').astype(int). Several targets with classes each are for "
            "MultiOutputClassifier(estimator)."
        )
    return y


def _with_kind(y: np.ndarray, task: str) -> np.ndarray:
    """Values of a dtype that fits the task."""
    if task == "regression":
        try:
            return np.asarray(y, dtype=float)
        except (TypeError, ValueError) as error:
            raise ValueError(
                "task='regression' needs a numeric y; some values are not numbers. "
                "Convert them, or use task='classification' to predict labels."
            ) from error
    try:
        type_of_target(y, input_name="y", raise_unknown=True)
    except TypeError as error:
        raise ValueError(
            "y mixes types that have no common order, such as strings and numbers. "
            "Convert the labels to one type, for example with y.astype(str)."
        ) from error
    if task == "classification":
        check_classification_targets(y)
    if y.dtype.kind == "O" and pd.api.types.infer_dtype(y) == "boolean":
        return y.astype(bool)
    if y.dtype.kind == "O" and all(isinstance(value, str) for value in y):
        return y.astype(str)
    return y


def check_weights(sample_weight, y: np.ndarray) -> np.ndarray | None:
    """Validate sample weights.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples,), number or None
        The same weight for all is none at all.
    y : ndarray of shape (n_samples,)

    Returns
    -------
    ndarray of shape (n_samples,), or None
        With a mean of 1, so that no regularisation depends on their unit.

    Raises
    ------
    ValueError
        If they are of another length, negative, not finite, or all zero.
    """
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, dtype=float)
    if weights.ndim == 0:
        return None
    if weights.ndim != 1:
        raise ValueError(
            f"Sample weights must be 1D array or scalar, got {weights.ndim}D array."
        )
    if weights.shape != (len(y),):
        raise ValueError(
            f"sample_weight.shape == {weights.shape}, expected {(len(y),)}: one weight "
            "for each row of X."
        )
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise ValueError(
            "sample_weight holds negative weights, NaN or infinity, or zeros alone. "
            "Pass weights that are zero or more; rows of weight zero are left out."
        )
    if (weights == weights[0]).all():
        return None
    return weights / weights[weights > 0].mean()


def check_groups(groups, y: np.ndarray) -> np.ndarray | None:
    """Validate groups.

    Parameters
    ----------
    groups : array-like of shape (n_samples,) or None
    y : ndarray of shape (n_samples,)

    Returns
    -------
    ndarray of shape (n_samples,), or None

    Raises
    ------
    ValueError
        If they are of another length, or one is missing.
    """
    if groups is None:
        return None
    groups = column_or_1d(groups)
    check_consistent_length(y, groups)
    if missing := int(pd.isna(groups).sum()):
        raise ValueError(
            f"groups has {missing} missing values. Every row needs a group; give those "
            "without one a group of their own."
        )
    try:
        return pd.factorize(groups)[0]
    except TypeError as error:  # lists and the like
        raise ValueError(
            f"groups holds values that can't be compared: {error}. Pass numbers or "
            "strings."
        ) from error
