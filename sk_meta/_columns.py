"""What one column of a table is, from its dtype, its values, and what the user says.

With :mod:`._table` the only code that looks at dtypes.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from pandas.tseries.api import guess_datetime_format

# A string column with more distinct values than this is not one-hot encoded;
# the same threshold as skrub's TableVectorizer.
LOW_CARDINALITY = 40
# Dates, numbers and text are recognised on a sample of the non-missing values.
_SAMPLE = 200
# Share of the values that must read as numbers, dates or durations; the others become
# missing.
READ_SHARE = 0.95
# The same share of a column that the user has declared to be such.
_DECLARED_SHARE = 0.5
# Fewer distinct values may be different by chance.
_MIN_IDENTIFIERS = 20

NUMERIC = "numeric"
NUMBER_TEXT = "numbers in text"
ORDINAL = "ordinal"
DURATION = "duration"
BOOLEAN = "boolean"
CATEGORICAL = "categorical"
HIGH_CARDINALITY = "high-cardinality"
TEXT = "text"
DATETIME = "datetime"
IDENTIFIER = "identifier"
CONSTANT = "constant"
MISSING = "all missing"

QUANTITIES = (NUMERIC, NUMBER_TEXT, ORDINAL, DURATION)  # one number a value
CATEGORIES = (CATEGORICAL, BOOLEAN)  # one-hot encoded
SYMBOLIC = (*CATEGORIES, HIGH_CARDINALITY, TEXT)
LEFT_OUT = (IDENTIFIER, CONSTANT, MISSING)
READ_FROM_TEXT = (NUMBER_TEXT, DATETIME, DURATION)  # or so they may be
# Detail of dates with a time zone.
AWARE = "time zone"
# What a user can declare a column to be.
DECLARABLE = (NUMERIC, ORDINAL, DURATION, CATEGORICAL, TEXT, DATETIME, IDENTIFIER)

# What stands for a missing value where something else is written as text.
NULL_TEXT = ("", "?", "??", "-", "--", ".", "na", "n/a", "#n/a", "nan", "none", "null",
             "<na>", "nat", "missing", "unknown", r"\n")  # fmt: skip
# What is taken away before a text is read as a number: separators of thousands,
# spaces, signs of currencies and percent. The decimal mark is a point or a comma; a
# number among texts with commas is written with a point, which is no separator. Nor is
# what follows a zero: 0,125 is an eighth.
DECORATION = {".": r"[,\s'_%$€£¥]", ",": r"\.(?=\d{3}(?!\d))|[\s'_%$€£¥]"}
_PLAIN = (
    r"[-+]?[\s$€£¥]*(?={mark}?\d)(?:{whole}|\d+)?(?:{mark}\d*)?(?:[eE][-+]?\d+)?"
    r"[\s%$€£¥]*"
)
_GROUPED = r"[1-9]\d{{0,2}}(?:[{gap}'_ \xa0]\d{{3}})+"
_NUMBER = {
    ".": re.compile(_PLAIN.format(whole=_GROUPED.format(gap=","), mark=r"\.")),
    ",": re.compile(_PLAIN.format(whole=_GROUPED.format(gap="."), mark=",")),
}
# A unit after a number, without a space or with one: 127.5mg, 12 km. Which hemisphere
# or half of the day it is changes what the number means.
_WITH_UNIT = r"\d\s?((?![NSEW]$|[aApP][mM]$)[a-zA-Zµ°²³/]{1,5})$"
# Otherwise written: (1,200) and a minus that is no hyphen; 12.3k and 4M.
_SIGNS, _SIGNED = r"^\((.+)\)$|^\u2212", r"-\1"
_THOUSANDS, _MILLIONS = r"[kK]$", "M$"
# Two numbers in one text are no key.
_PAIR = re.compile(r"[-+]?\d+(\.\d+)?\s*[/,;x×]\s*[-+]?\d+(\.\d+)?")
# Postal codes and the like are no numbers.
_CODE = re.compile(r"0\d+")
_CODE_NAME = re.compile(
    r"(.*[\W_])?(zip|postal|post_?code|zip_?code|phone|code|fips|isbn)([\W_].*)?"
)
_UNIT = r"(w|weeks?|d|days?|h|hr|hours?|m|min|minutes?|s|sec|seconds?|ms)"
_DURATION = re.compile(
    rf"-?\d{{1,3}}:[0-5]\d(:[0-5]\d(\.\d+)?)?|(\d+(\.\d+)?\s*{_UNIT}\s*)+"
    r"|-?\d+ days?,? [-+]?\d{1,2}:\d\d:\d\d(\.\d+)?"  # as pandas writes them
    # ISO 8601, with as many digits as pandas reads.
    r"|P(?=.)(\d+D)?(T(?=.)(\d{1,2}H)?(\d{1,2}M)?(\d{1,2}(\.\d+)?S)?)?"
)
# pandas wants to be told the seconds, too.
WITHOUT_SECONDS, WITH_SECONDS = r"^(-?\d+:\d\d)$", r"\1:00"
_DATE = re.compile(r"\d[-/:.]\s?\d|\d[\s,-]+[A-Za-z]{3}|[A-Za-z]{3}[\s,-]+\d")
_DATE_FORMATS = ("ISO8601", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d", "%d/%m/%y",
                 "%m/%d/%y", "%d/%m/%y %H:%M", "%m/%d/%y %H:%M", "%d-%b-%y", "%b-%Y",
                 "%b %Y", "%B %Y", "%a %b %d %H:%M:%S %z %Y")  # fmt: skip
_GUESSES = 12  # values from which other formats are guessed
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
        Distinct values, of columns that hold no quantities.
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


def replacements(read_as: str) -> dict[str, tuple[str, str]]:
    """What makes numbers of texts, by name, in order: patterns and their values.

    Parameters
    ----------
    read_as : str
        Decimal mark; a star after it if there are signs and thousands that are not
        plain, or the unit that every number has.

    Returns
    -------
    dict of str to (str, str)
    """
    mark, rich, unit = read_as[0], read_as.endswith("*"), _unit_of(read_as)
    steps = {"signs": (_SIGNS, _SIGNED)} if rich else {}
    if unit:
        steps["without_unit"] = (_ending_in(unit), "")
    steps["undecorated"] = (DECORATION[mark], "")
    if mark == ",":
        steps["decimal_point"] = (",", ".")
    if rich:
        steps |= {"thousands": (_THOUSANDS, "e3"), "millions": (_MILLIONS, "e6")}
    return steps


def _unit_of(read_as: str) -> str:
    """The unit that numbers in text have, "" if none."""
    return read_as[1:].strip("* ")


def _ending_in(unit: str) -> str:
    return rf"(?<=\d)\s?{re.escape(unit)}\s*$"


def with_commas(series: pd.Series) -> pd.Series:
    """Write numbers in the way of the texts among them, whose mark is a comma.

    Parameters
    ----------
    series : Series
        Read as the texts are, its 1.125 would be more than a thousand.

    Returns
    -------
    Series
        What is no number is as it was.
    """
    return series.map(_written_with_comma, na_action="ignore")


def _written_with_comma(value):
    if isinstance(value, (Real, Decimal)) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            return value
        return np.format_float_positional(number, trim="-").replace(".", ",")
    return value


def _describe_quantity(series: pd.Series, selector, missing: float) -> Column:
    """A numeric column; it is only asked whether it varies, which is cheap."""
    if missing == 0 and series.min() == series.max():
        return Column(selector, CONSTANT, None, missing)
    whole = pd.api.types.is_integer_dtype(series.dtype)
    if whole and _named_like_one(selector) and _all_differ(series):
        return Column(selector, IDENTIFIER, len(series), missing)
    return Column(selector, NUMERIC, None, missing)


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
        if numbers.any() and _decimal_mark(_told(text[~numbers])) == ",":
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
    told = _told(text)
    sample = told.iloc[:: max(1, len(told) // _SAMPLE)]
    if form := _date_format(sample):
        return DATETIME, form
    coded = isinstance(selector, str) and _CODE_NAME.fullmatch(selector.lower())
    if not coded and (mark := _decimal_mark(sample)) and _decimal_mark(told):
        return NUMBER_TEXT, mark
    if sample.str.fullmatch(_DURATION).mean() >= READ_SHARE:
        return DURATION, "text"
    if n_unique <= LOW_CARDINALITY:
        return CATEGORICAL, None
    plain = _plain(sample)
    if not coded and (mark := _decimal_mark(plain)) and _decimal_mark(_plain(told)):
        return NUMBER_TEXT, f"{mark}*"
    if not coded and (mark_and_unit := _mark_and_unit(told)):
        return NUMBER_TEXT, mark_and_unit
    words = sample.str.count(r"\s+").mean() + 1
    if words < 1.5 and _all_differ(text) and (
        _named_like_one(selector) or _are_codes(sample) and not _are_pairs(sample)
    ):  # fmt: skip
        return IDENTIFIER, None
    if words >= 3 or n_unique > 0.9 * len(text):
        return TEXT, None
    return HIGH_CARDINALITY, None


def _date_format(text: pd.Series) -> str | None:
    """Format of dates that are written as text, None if they are not."""
    # pandas reads bare numbers as years; a date has digits and a separator.
    if text.empty or text.str.contains(_DATE).mean() < READ_SHARE:
        return None
    with warnings.catch_warnings():
        # It says so where the day comes first, which is what is asked here.
        warnings.simplefilter("ignore")
        some = text.iloc[:: max(1, len(text) // _GUESSES)]
        guesses = [guess_datetime_format(value, dayfirst=first)
                   for first in (False, True) for value in some]  # fmt: skip
    formats = (*_DATE_FORMATS, *(guess for guess in guesses if guess))
    best, most = None, READ_SHARE
    for form in dict.fromkeys(formats):
        dates = pd.to_datetime(text, format=form, errors="coerce", utc=True)
        share = dates.notna().mean()
        # The first of several that read as much: the day before the month.
        if share > most or (share == most and best is None):
            best, most = form, share
        if most == 1:
            break
    return best


def _decimal_mark(text: pd.Series) -> str | None:
    """Decimal mark of numbers that are written as text, None if they are not."""
    if text.empty or text.str.fullmatch(_CODE).any():
        return None
    for mark, pattern in _NUMBER.items():
        if text.str.fullmatch(pattern).mean() >= READ_SHARE:
            return mark
    return None


def _mark_and_unit(text: pd.Series, declared: bool = False) -> str | None:
    """Decimal mark and unit of numbers with one and the same unit."""
    units = text.str.extract(re.compile(_WITH_UNIT), expand=False)
    needed = _DECLARED_SHARE if declared else READ_SHARE
    if units.notna().sum() == 0 or units.notna().mean() < needed:
        return None
    unit = units.mode()[0]
    # Keys may end in letters, too: a measure has fractions, or a space before its unit.
    measure = re.compile(rf"[.,]\d+{re.escape(unit)}$|\s{re.escape(unit)}$")
    if (units == unit).mean() < needed or not (
        declared or text.str.contains(measure).any()
    ):
        return None
    numbers = _without_unit(text[units == unit], unit)
    mark = _decimal_mark(numbers)
    return mark and f"{mark} {unit}"


def _without_unit(text: pd.Series, unit: str) -> pd.Series:
    return text.str.replace(re.compile(_ending_in(unit)), "", regex=True)


def _plain(text: pd.Series) -> pd.Series:
    """Numbers with plain signs and without thousands and millions."""
    signed = text.str.replace(_SIGNS, _SIGNED, regex=True)
    return signed.str.replace(r"\s*[kKM]$", "", regex=True)


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


def share_read(series: pd.Series, kind: str, read_as: str) -> float:
    """Share of the texts that can be read as they were written in ``fit``.

    Parameters
    ----------
    series : Series
        Of texts.
    kind : {"datetime", "numbers in text", "duration"}
    read_as : str
        Detail of the column.

    Returns
    -------
    float
        Of a sample of those that are not missing; 1.0 if there are none.
    """
    text = _told(series)
    text = text.iloc[:: max(1, len(text) // _SAMPLE)]
    return float(_can_be_read(text, kind, read_as).mean()) if len(text) else 1.0


def unread(series: pd.Series, column: Column) -> pd.Series:
    """The texts that stand for no missing value, and can't be read as the others are.

    Parameters
    ----------
    series : Series
    column : Column
        Holds dates, durations or numbers as text.

    Returns
    -------
    Series of str
    """
    text = _told(series)
    return text[~_can_be_read(text, column.kind, column.detail)]


def other_order(series: pd.Series, column: Column) -> str | None:
    """Format by which dates can be read as well, day and month changing places.

    Parameters
    ----------
    series : Series
    column : Column

    Returns
    -------
    str or None
        None if there is only one way.
    """
    if column.kind != DATETIME or not column.is_text:
        return None
    places = {"%d": "%m", "%m": "%d"}
    other = re.sub("%[dm]", lambda found: places[found[0]], column.detail)
    year_first = column.detail.lower().startswith("%y")  # then comes the month
    both = "%d" in other and "%m" in other
    text = _told(series)
    if other == column.detail or year_first or not both or text.empty:
        return None
    as_many = [_can_be_read(text, DATETIME, f).sum() for f in (other, column.detail)]
    return other if as_many[0] >= as_many[1] else None


def _can_be_read(text: pd.Series, kind: str, read_as: str) -> pd.Series:
    if kind == DATETIME:
        return pd.to_datetime(text, format=read_as, errors="coerce", utc=True).notna()
    if kind == DURATION:
        return text.str.fullmatch(_DURATION).astype(bool)
    if unit := _unit_of(read_as):
        text = _without_unit(text, unit)
    text = _plain(text) if read_as.endswith("*") else text
    return text.str.fullmatch(_NUMBER[read_as[0]]).astype(bool)


def without_null_texts(series: pd.Series) -> pd.Series:
    """Missing values for the texts that stand for such.

    Parameters
    ----------
    series : Series

    Returns
    -------
    Series of object
    """
    text = series.astype(object)
    lower = text.map(lambda value: str(value).strip().lower())
    return text.mask(lower.isin(NULL_TEXT), None)


def _told(series: pd.Series) -> pd.Series:
    """The texts that do not stand for a missing value."""
    text = series.dropna().astype(str).str.strip()
    return text[~text.str.lower().isin(NULL_TEXT)]


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
            unit = _mark_and_unit(_told(present), declared=True)
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
        detail = _date_format(_told(present)) or "mixed"
        _check_read(present, selector, DATETIME, detail, "dates")
    elif declared == DATETIME and have_zone(present):
        detail = AWARE
    return Column(selector, declared, n_unique, missing, detail)


def _check_read(present: pd.Series, selector, kind: str, read_as: str, what: str):
    """Refuse a declaration by which most values would become missing."""
    share = share_read(present, kind, read_as)
    if share < _DECLARED_SHARE:
        told = _told(present)
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
