"""What one column of a table is, from its dtype, its values, and what the user says.

With :mod:`._table` the only code that looks at dtypes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from ._kinds import (
    AWARE,
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
    READ_FROM_TEXT,
    TEXT,
)
from ._texts import (
    DECLARED_SHARE,
    DURATION_TEXT,
    READ_SHARE,
    SAMPLE,
    WITH_SECONDS,
    WITHOUT_SECONDS,
    date_format,
    decimal_mark,
    mark_and_unit,
    plain,
    present_texts,
    replacements,
    share_read,
    with_commas,
)

# A string column with more distinct values than this is not one-hot encoded;
# the same threshold as skrub's TableVectorizer.
LOW_CARDINALITY = 40
# Distinct numbers are counted up to here, and looked for in so many rows first.
FEW_NUMBERS = 200
_LOOKED_AT = 2_000
# Fewer distinct values may be different by chance.
_MIN_IDENTIFIERS = 20
# Two numbers in one text are no key.
_PAIR = re.compile(r"[-+]?\d+(\.\d+)?\s*[/,;x×]\s*[-+]?\d+(\.\d+)?")
# Columns of codes are no numbers, whatever their values look like.
_CODE_NAME = re.compile(
    r"(.*[\W_])?(zip|postal|post_?code|zip_?code|phone|code|fips|isbn)([\W_].*)?"
)
_NAMED = re.compile(
    r"(.*[\W_])?(id|uid|uuid|guid|rownames?|row_?(num|number|id|index|idx)?)"
    # The index of the rows; one of prices is a number.
    r"|index|idx|.*[a-z]ID|unnamed: \d+",
)


@dataclass(frozen=True)
class Column:
    """One column: how to select it, what it is, and its size.

    Parameters
    ----------
    selector : str or int
        Name, or position where names are not unique strings.
    kind : str
        One of the kinds of this module.
    n_unique : int or None
        Distinct values; of numbers that are written as such only where they are no
        more than ``FEW_NUMBERS``, not declared and not sparse.
    missing : float
        Share of missing values.
    detail : Any, default=None
        What reading it takes: the decimal mark of numbers in text (and a star or their
        unit, see :func:`replacements`), the format of dates in text, "text" for
        durations in text, ``AWARE`` for dates with a time zone, the levels of an
        ordinal column in order, and "number" for categories, or what is declared to
        be text, that are numbers or truth values.
    """

    selector: str | int
    kind: str
    n_unique: int | None
    missing: float
    detail: Any = None

    @property
    def is_text(self) -> bool:
        """Whether it holds dates, durations or numbers that are written as text."""
        return is_read_from_text(self.kind, self.detail)


def is_read_from_text(kind: str, detail: Any) -> bool:
    """Whether numbers, dates or durations are written as text.

    Parameters
    ----------
    kind : str
    detail : Any
        As of a :class:`Column`.

    Returns
    -------
    bool
    """
    return kind in READ_FROM_TEXT and detail not in (None, AWARE)


def holds_numbers(series: pd.Series) -> bool:
    """Whether values are numbers or truth values, also of categories and objects.

    Parameters
    ----------
    series : Series

    Returns
    -------
    bool
    """
    if isinstance(series.dtype, pd.CategoricalDtype):
        return pd.api.types.is_numeric_dtype(series.dtype.categories.dtype)
    if series.dtype == object:
        kinds = ("boolean", "integer", "floating", "mixed-integer-float")
        return pd.api.types.infer_dtype(series, skipna=True) in kinds
    return pd.api.types.is_numeric_dtype(series.dtype)


def describe_series(series: pd.Series, selector, declared: str | None = None) -> Column:
    """Find out what a column is.

    Parameters
    ----------
    series : Series
    selector : str or int
    declared : str or None, default=None
        What the user says that it is; one of ``DECLARABLE``.

    Returns
    -------
    Column
    """
    missing = float(series.isna().mean())
    if declared is not None:
        return _as_declared(series, selector, declared, missing)
    if missing == 1:
        return Column(selector, MISSING, 0, missing)
    if is_number(series):
        return _describe_quantity(series, selector, missing)
    present = series.dropna()
    if not isinstance(series.dtype, pd.CategoricalDtype):
        present = _hashable(present)
    n_unique = int(present.nunique())
    if n_unique == 1 and missing == 0:
        return Column(selector, CONSTANT, 1, missing)
    kind, detail = _recognise(present, n_unique, selector)
    return Column(selector, kind, n_unique, missing, detail)


def is_number(series: pd.Series) -> bool:
    """Whether a column holds numbers, truth values aside."""
    known = pd.api.types
    return known.is_numeric_dtype(series) and not known.is_bool_dtype(series)


def as_floats(series: pd.Series, column: Column) -> np.ndarray:
    """A quantity, or seconds since 1970 of a date, as floats; NaN where missing.

    Parameters
    ----------
    series : Series
    column : Column

    Returns
    -------
    ndarray of shape (n_rows,)
    """
    if column.kind == DATETIME:
        return _seconds_since_1970(series, column.detail if column.is_text else None)
    if column.kind == DURATION:
        if column.is_text:
            series = series.astype(str)
            series = series.replace(WITHOUT_SECONDS, WITH_SECONDS, regex=True)
        series = pd.to_timedelta(series, errors="coerce").dt.total_seconds()
    elif column.kind == ORDINAL and column.detail is not None:
        levels = {str(level): i for i, level in enumerate(column.detail)}
        series = series.astype(str).map(levels)
    elif column.kind == NUMBER_TEXT:
        series = series.astype(object)
        series = with_commas(series) if column.detail[0] == "," else series
        for pattern, value in replacements(column.detail).values():
            series = series.replace(pattern, value, regex=True)
    numbers = pd.to_numeric(series, errors="coerce")
    return numbers.to_numpy(dtype=float, na_value=np.nan)


def _describe_quantity(series: pd.Series, selector, missing: float) -> Column:
    """A numeric column; asked whether it varies and has few values, which is cheap."""
    if missing == 0 and series.min() == series.max():
        return Column(selector, CONSTANT, None, missing)
    whole = pd.api.types.is_integer_dtype(series.dtype)
    if whole and _named_like_one(selector) and _all_differ(series):
        return Column(selector, IDENTIFIER, len(series), missing)
    return Column(selector, NUMERIC, count_if_few(series), missing)


def count_if_few(values: pd.Series | np.ndarray) -> int | None:
    """How many different numbers a column has, if they are few.

    Parameters
    ----------
    values : Series or ndarray of shape (n_rows,)

    Returns
    -------
    int or None
        None if they are more than ``FEW_NUMBERS``.
    """
    step = len(values) // _LOOKED_AT
    # Most columns of measurements are known by a part of them.
    if step > 1 and _count(values[::step]) > FEW_NUMBERS:
        return None
    n_unique = _count(values)
    return n_unique if n_unique <= FEW_NUMBERS else None


def _count(values: pd.Series | np.ndarray) -> int:
    unique = pd.unique(values)
    return len(unique) - int(pd.isna(unique).any())


def _named_like_one(selector) -> bool:
    """Whether a column is named like an identifier of the rows."""
    if not isinstance(selector, str):
        return False
    return bool(_NAMED.fullmatch(selector) or _NAMED.fullmatch(selector.lower()))


def _all_differ(values: pd.Series) -> bool:
    return len(values) >= _MIN_IDENTIFIERS and values.is_unique


def _hashable(present: pd.Series) -> pd.Series:
    """Values as strings where the column mixes types or holds lists."""
    known = ("string", "boolean", "datetime64", "datetime", "date", "timedelta64",
             "timedelta", "period")  # fmt: skip
    if (inferred := pd.api.types.infer_dtype(present)) in known:
        return present
    text = present.astype(str)
    if inferred in ("mixed", "mixed-integer"):
        numbers = present.map(lambda value: isinstance(value, (Real, Decimal)))
        if numbers.any() and decimal_mark(present_texts(text[~numbers])) == ",":
            return with_commas(present).astype(str)
    return text


def _recognise(present: pd.Series, n_unique: int, selector) -> tuple[str, Any]:
    """Kind and detail of a column that varies and is not of a numeric dtype."""
    dtype, inferred = present.dtype, pd.api.types.infer_dtype(present)
    if isinstance(dtype, pd.CategoricalDtype):
        return _kind_of_levels(dtype, n_unique)
    if inferred == "boolean":
        return BOOLEAN, "number"
    if inferred in ("timedelta", "timedelta64"):
        return DURATION, None
    if inferred in ("datetime", "datetime64", "date", "period"):
        return DATETIME, AWARE if have_zone(present) else None
    return _kind_of_text(present.astype(str), n_unique, selector)


def have_zone(dates: pd.Series) -> bool:
    """Whether dates have a time zone.

    Parameters
    ----------
    dates : Series
        Without missing values.

    Returns
    -------
    bool
        Whether one of them has, where they are objects.
    """
    if dates.dtype == object:
        return any(getattr(date, "tzinfo", None) is not None for date in dates)
    return getattr(dates.dtype, "tz", None) is not None


def _kind_of_levels(dtype: pd.CategoricalDtype, n_unique: int) -> tuple[str, Any]:
    """A column that the user has made one of categories."""
    numbers = pd.api.types.is_numeric_dtype(dtype.categories.dtype)
    if dtype.ordered:
        return ORDINAL, None if numbers else tuple(map(str, dtype.categories))
    kind = CATEGORICAL if n_unique <= LOW_CARDINALITY else HIGH_CARDINALITY
    return kind, "number" if numbers else None


def _kind_of_text(text: pd.Series, n_unique: int, selector) -> tuple[str, Any]:
    told = present_texts(text)
    sample = told.iloc[:: max(1, len(told) // SAMPLE)]
    if form := date_format(sample):
        return DATETIME, form
    coded = isinstance(selector, str) and _CODE_NAME.fullmatch(selector.lower())
    if not coded and (mark := decimal_mark(sample)) and decimal_mark(told):
        return NUMBER_TEXT, mark
    if sample.str.fullmatch(DURATION_TEXT).mean() >= READ_SHARE:
        return DURATION, "text"
    if n_unique <= LOW_CARDINALITY:
        return CATEGORICAL, None
    mark = decimal_mark(plain(sample))
    if not coded and mark and decimal_mark(plain(told)):
        return NUMBER_TEXT, f"{mark}*"
    if not coded and (read_as := mark_and_unit(told)):
        return NUMBER_TEXT, read_as
    words = sample.str.count(r"\s+").mean() + 1
    if words < 1.5 and _all_differ(text) and (
        _named_like_one(selector) or _are_codes(sample) and not _are_pairs(sample)
    ):  # fmt: skip
        return IDENTIFIER, None
    if words >= 3 or n_unique > 0.9 * len(text):
        return TEXT, None
    return HIGH_CARDINALITY, None


def _are_pairs(text: pd.Series) -> bool:
    return text.str.fullmatch(_PAIR).mean() >= READ_SHARE


def _are_codes(text: pd.Series) -> bool:
    """Whether the values have one shape, as numbered or random keys do."""
    numbered = text.str.replace(r"[0-9a-fA-F]*\d[0-9a-fA-F]*", "0", regex=True)
    if numbered.str.contains("0").all() and numbered.nunique() <= 2:
        return True
    random = text.str.fullmatch(r"[A-Z0-9_-]{8,}").all()
    shapes = text.str.replace(r"[A-Z0-9]", "A", regex=True)
    return bool(random and shapes.nunique() == 1)


def _as_declared(series: pd.Series, selector, declared: str, missing: float) -> Column:
    """A column that is what the user says."""
    present = series.dropna()
    numbers = holds_numbers(present)
    if isinstance(series.dtype, pd.CategoricalDtype):
        present = present.astype(series.dtype.categories.dtype)
        if declared == TEXT:
            present = present.astype(str)
    if declared == DATETIME and numbers:
        raise ValueError(
            f"column_kinds: column {selector!r} holds numbers. Convert them to dates "
            "first, for example with pd.to_datetime(column, unit='s')."
        )
    if declared == DURATION and numbers:
        declared = NUMERIC  # as they are, whatever their unit
    if declared in (NUMERIC, IDENTIFIER):
        if declared == NUMERIC and (not numbers or series.dtype == "category"):
            unit = mark_and_unit(present_texts(present), declared=True)
            marks = (".", ",", ".*", ",*", *([unit] if unit else []))
            mark = max(marks, key=lambda m: share_read(present, NUMBER_TEXT, m))
            _check_read(present, selector, NUMBER_TEXT, mark, "numbers")
            return Column(selector, NUMBER_TEXT, None, missing, mark)
        return Column(selector, declared, None, missing)
    n_unique = int(_hashable(present).nunique())
    detail: Any = None
    if declared == CATEGORICAL:
        declared = CATEGORICAL if n_unique <= LOW_CARDINALITY else HIGH_CARDINALITY
        detail = "number" if numbers else None
    elif declared == TEXT:
        detail = "number" if numbers else None
    elif declared == ORDINAL and not numbers:
        levels = sorted(present.astype(str).unique())
        if isinstance(series.dtype, pd.CategoricalDtype):
            levels = [str(level) for level in series.dtype.categories]
        detail = tuple(levels)
    elif declared == DURATION and _is_text(present):
        detail = "text"
        _check_read(present, selector, DURATION, detail, "durations")
    elif declared == DATETIME and _is_text(present):
        detail = date_format(present_texts(present)) or "mixed"
        _check_read(present, selector, DATETIME, detail, "dates")
    elif declared == DATETIME and have_zone(present):
        detail = AWARE
    return Column(selector, declared, n_unique, missing, detail)


def _check_read(present: pd.Series, selector, kind: str, read_as: str, what: str):
    """Refuse a declaration by which most values would become missing."""
    share = share_read(present, kind, read_as)
    if share < DECLARED_SHARE:
        told = present_texts(present)
        bad = next(v for v in told if share_read(pd.Series([v]), kind, read_as) == 0)
        raise ValueError(
            f"column_kinds: {100 * (1 - share):.0f} % of the values of column "
            f"{selector!r} can't be read as {what}, such as {bad!r}. "
            "Convert them, or declare the column to be something else."
        )


def _is_text(present: pd.Series) -> bool:
    return pd.api.types.infer_dtype(present) in ("string", "mixed")


def _seconds_since_1970(series: pd.Series, form: str | None) -> np.ndarray:
    if isinstance(series.dtype, pd.PeriodDtype):
        series = series.dt.start_time
    dates = pd.to_datetime(
        series.astype(str), format=form or "ISO8601", errors="coerce", utc=True
    )
    # In microseconds the year 9999, which stands for "never", has room, too.
    since = dates.dt.tz_localize(None).to_numpy().astype("datetime64[us]")
    return np.where(np.isnat(since), np.nan, since.astype(np.int64) / 1e6)
