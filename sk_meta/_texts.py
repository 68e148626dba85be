"""Numbers, dates and durations that are written as text, and how they are read."""

from __future__ import annotations

import re
import warnings
from decimal import Decimal
from numbers import Real

import numpy as np
import pandas as pd
from pandas.tseries.api import guess_datetime_format

from ._kinds import DATETIME, DURATION

# Dates, numbers and text are recognised on a sample of the non-missing values.
SAMPLE = 200
# Share of the values that must read as numbers, dates or durations; the others become
# missing.
READ_SHARE = 0.95
# The same share of a column that the user has declared to be such.
DECLARED_SHARE = 0.5
# What stands for a missing value where something else is written as text.
NULL_TEXT = ("", "?", "??", "-", "--", ".", "na", "n/a", "#n/a", "nan", "none", "null",
             "<na>", "nat", "missing", "unknown", r"\n")  # fmt: skip
# What is taken away before a text is read as a number: separators of thousands,
# spaces, signs of currencies and percent. The decimal mark is a point or a comma; a
# number among texts with commas is written with a point, which is no separator. Nor is
# what follows a zero: 0,125 is an eighth.
_DECORATION = {".": r"[,\s'_%$€£¥]", ",": r"\.(?=\d{3}(?!\d))|[\s'_%$€£¥]"}
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
# Postal codes and the like are no numbers.
_CODE = re.compile(r"0\d+")
_UNIT = r"(w|weeks?|d|days?|h|hr|hours?|m|min|minutes?|s|sec|seconds?|ms)"
DURATION_TEXT = re.compile(
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
    # What is written in another way is not known: without its comma, 12,5 is 125.
    ending = r"\s*[kKM]?" if rich else ""
    steps["only_numbers"] = (_other_than(_NUMBER[mark].pattern + ending), "")
    steps["undecorated"] = (_DECORATION[mark], "")
    if mark == ",":
        steps["decimal_point"] = (",", ".")
    if rich:
        steps |= {"thousands": (_THOUSANDS, "e3"), "millions": (_MILLIONS, "e6")}
    return steps


def _unit_of(read_as: str) -> str:
    """The unit that numbers in text have, "" if none."""
    return read_as[1:].strip("* ")


def _other_than(pattern: str) -> str:
    return rf"(?s)^(?!\s*(?:{pattern})\s*\Z).*"


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


def date_format(text: pd.Series) -> str | None:
    """Find the format of dates that are written as text.

    Parameters
    ----------
    text : Series of str

    Returns
    -------
    str or None
        None if they are no dates.
    """
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


def decimal_mark(text: pd.Series) -> str | None:
    """Find the decimal mark of numbers that are written as text.

    Parameters
    ----------
    text : Series of str

    Returns
    -------
    str or None
        None if they are no numbers.
    """
    if text.empty or text.str.fullmatch(_CODE).any():
        return None
    for mark, pattern in _NUMBER.items():
        if text.str.fullmatch(pattern).mean() >= READ_SHARE:
            return mark
    return None


def mark_and_unit(text: pd.Series, declared: bool = False) -> str | None:
    """Find the decimal mark and the unit of numbers with one and the same unit.

    Parameters
    ----------
    text : Series of str
    declared : bool, default=False
        Whether the user says that they are numbers.

    Returns
    -------
    str or None
        Detail of the column; None if they are no such numbers.
    """
    units = text.str.extract(re.compile(_WITH_UNIT), expand=False)
    needed = DECLARED_SHARE if declared else READ_SHARE
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
    mark = decimal_mark(numbers)
    return mark and f"{mark} {unit}"


def _without_unit(text: pd.Series, unit: str) -> pd.Series:
    return text.str.replace(re.compile(_ending_in(unit)), "", regex=True)


def plain(text: pd.Series) -> pd.Series:
    """Write numbers with plain signs and without thousands and millions.

    Parameters
    ----------
    text : Series of str

    Returns
    -------
    Series of str
    """
    signed = text.str.replace(_SIGNS, _SIGNED, regex=True)
    return signed.str.replace(r"\s*[kKM]$", "", regex=True)


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
    text = present_texts(series)
    text = text.iloc[:: max(1, len(text) // SAMPLE)]
    return float(_can_be_read(text, kind, read_as).mean()) if len(text) else 1.0


def unread(series: pd.Series, kind: str, read_as: str) -> pd.Series:
    """The texts that stand for no missing value, and can't be read as the others are.

    Parameters
    ----------
    series : Series
    kind : {"datetime", "numbers in text", "duration"}
    read_as : str
        Detail of the column.

    Returns
    -------
    Series of str
    """
    text = present_texts(series)
    return text[~_can_be_read(text, kind, read_as)]


def other_order(series: pd.Series, form: str) -> str | None:
    """Format by which dates can be read as well, day and month changing places.

    Parameters
    ----------
    series : Series
        Of texts.
    form : str
        Format by which they are read.

    Returns
    -------
    str or None
        None if there is only one way.
    """
    places = {"%d": "%m", "%m": "%d"}
    other = re.sub("%[dm]", lambda found: places[found[0]], form)
    year_first = form.lower().startswith("%y")  # then comes the month
    both = "%d" in other and "%m" in other
    text = present_texts(series)
    if other == form or year_first or not both or text.empty:
        return None
    as_many = [_can_be_read(text, DATETIME, f).sum() for f in (other, form)]
    return other if as_many[0] >= as_many[1] else None


def _can_be_read(text: pd.Series, kind: str, read_as: str) -> pd.Series:
    if kind == DATETIME:
        return pd.to_datetime(text, format=read_as, errors="coerce", utc=True).notna()
    if kind == DURATION:
        return text.str.fullmatch(DURATION_TEXT).astype(bool)
    if unit := _unit_of(read_as):
        text = _without_unit(text, unit)
    text = plain(text) if read_as.endswith("*") else text
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


def present_texts(series: pd.Series) -> pd.Series:
    """The texts that do not stand for a missing value.

    Parameters
    ----------
    series : Series

    Returns
    -------
    Series of str
    """
    text = series.dropna().astype(str).str.strip()
    return text[~text.str.lower().isin(NULL_TEXT)]
