"""Days and times as people write them: 31.12.2024, 12/31/2024 11:59 pm, 31 Dec 2024, 2024/12/31.

The year has four digits. A point stands after the day, then the month; of two numbers before a year one above 12 shows
which is the day. 01/02/2024 shows nothing; another value or column may, or package.json. Times are taken as they are
written, without a zone. Knows no file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.loading.decimals import SIGNS, UnfitError

DAY_FIRST, MONTH_FIRST, YEAR_FIRST = "dmy", "mdy", "ymd"
MONTHS_MAX = 12
_CLOCK = (
    r"(?:(?:[T,]\s*|\s+|,\s+)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<part>\d{1,6}))?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?)?$"
)
_MONTH_WORDS = {
    word: place
    for place, words in enumerate(
        ("jan", "feb", "mar mär mrz", "apr", "may mai", "jun", "jul", "aug", "sep", "oct okt", "nov", "dec dez"), 1
    )
    for word in words.split()
}
_WORD = r"(?P<month>[A-Za-zä]{3})[a-zä]*\.?"
_PARTS = r"(?P<one>\d{1,4})(?P<mark>[./-])(?P<two>\d{1,2})(?P<again>[./-])(?P<three>\d{1,4})"
_NUMERIC = f"^{_PARTS}{_CLOCK}"
_WORDED = (
    rf"^(?:[A-Z][a-zä]{{1,8}}\.?,?\s+)?(?P<day>\d{{1,2}})[.\s-]+{_WORD}[.,\s-]+(?P<year>\d{{4}}){_CLOCK}",
    rf"^(?:[A-Z][a-zä]{{2,8}},?\s+)?{_WORD}\s+(?P<day>\d{{1,2}}),?\s+(?P<year>\d{{4}}){_CLOCK}",
)
_YEAR_DIGITS = 4
_PLACES = {
    DAY_FIRST: ("three", "two", "one"),
    MONTH_FIRST: ("three", "one", "two"),
    YEAR_FIRST: ("one", "two", "three"),
}
"""Year, month and day, by the order of the numbers."""


@dataclass(frozen=True, slots=True)
class Dates:
    """How a column of text is one of days or times.

    Attributes:
        order: dmy, mdy or ymd; "" where the month is a word.
        has_clock: some have a time of day.
    """

    order: str
    has_clock: bool = False

    def apply(self, texts: Any) -> Any:
        """The days (date32) or times (timestamp[us]) of an Arrow array of text.

        Raises:
            UnfitError: one is none.
        """
        arrow = import_module("pyarrow")
        parts = _parted(_cleaned(texts))
        if parts is None:
            raise UnfitError
        day, has_clock = _days(parts, self.order), bool(np.any(parts["hour"] >= 0))
        if has_clock and not self.has_clock:
            raise UnfitError
        missing = parts["missing"]
        if not self.has_clock:
            return arrow.array(day, arrow.date32(), mask=missing)
        return arrow.array(day.astype("M8[us]") + _clocks(parts), arrow.timestamp("us"), mask=missing)

    def wider(self) -> Dates | None:
        """What to try when a value further down does not fit."""
        return None if self.has_clock else replace(self, has_clock=True)

    @property
    def said(self) -> str:
        """What was done, for a note."""
        words = {DAY_FIRST: "day, month, year", MONTH_FIRST: "month, day, year", YEAR_FIRST: "year, month, day"}
        return f"read as times, written {words[self.order]}" if self.order else "read as times"


def dates_in(texts: Any, order: str = "") -> Dates | str | None:
    """How texts are days or times; "dmy" or "mdy" as `order` decides where they do not show it.

    Returns:
        Dates; "" when day and month cannot be told apart; None when they are none.
    """
    parts = _parted(_cleaned(texts))
    if parts is None or parts["missing"].all():
        return None
    orders = _orders(parts)
    found = order if order in orders else orders[0] if len(orders) == 1 else ""
    if not orders or (not found and not parts["is_worded"]):
        return "" if orders else None
    try:
        _days(parts, found)
        _clocks(parts)
    except UnfitError:
        return None
    return Dates(found, has_clock=bool(np.any(parts["hour"] >= 0)))


def _orders(parts: dict[str, Any]) -> list[str]:
    """In which orders all of them are days."""
    if parts["is_worded"]:
        return [""]
    one, two, three, there = parts["one"], parts["two"], parts["three"], ~parts["missing"]
    if np.all(parts["digits_one"][there] == _YEAR_DIGITS):
        return [YEAR_FIRST] * bool(np.all(two[there] <= MONTHS_MAX) and np.all(three[there] <= MONTHS_MAX * 3))
    if not np.all(parts["digits_three"][there] == _YEAR_DIGITS):
        return []
    found = [DAY_FIRST] * bool(np.all(two[there] <= MONTHS_MAX))
    if not np.any(parts["is_pointed"][there]):
        found += [MONTH_FIRST] * bool(np.all(one[there] <= MONTHS_MAX))
    return found


def _days(parts: dict[str, Any], order: str) -> NDArray[Any]:
    """datetime64[D]; what is missing is any day.

    Raises:
        UnfitError: there is no such day.
    """
    there = ~parts["missing"]
    if order and parts["is_worded"]:
        raise UnfitError
    year, month, day = (np.where(there, parts[name], 1) for name in _PLACES.get(order, ("year", "month", "day")))
    if np.any((month < 1) | (month > MONTHS_MAX) | (day < 1)):
        raise UnfitError
    months = (year - 1970).astype("M8[Y]").astype("M8[M]") + (month - 1)
    found: NDArray[Any] = months.astype("M8[D]") + (day - 1)
    if np.any(found.astype("M8[M]") != months):
        raise UnfitError
    return found


def _clocks(parts: dict[str, Any]) -> NDArray[Any]:
    """The time of day as timedelta64[us].

    Raises:
        UnfitError: there is no such time.
    """
    hour, minute, second = (np.maximum(parts[name], 0) for name in ("hour", "minute", "second"))
    has_half = parts["half"] >= 0
    hour = np.where(has_half, hour % MONTHS_MAX + 12 * (parts["half"] > 0), hour)
    if np.any((hour > 23) | (minute > 59) | (second > 59)):  # noqa: PLR2004 -- of a clock
        raise UnfitError
    found: NDArray[Any] = ((hour * 60 + minute) * 60 + second) * 1_000_000 + np.maximum(parts["micros"], 0)
    return found.astype("m8[us]")


def _cleaned(texts: Any) -> Any:
    compute, arrow = import_module("pyarrow.compute"), import_module("pyarrow")
    stripped = compute.utf8_trim_whitespace(texts)
    missing = compute.match_substring_regex(stripped, f"^(?:{SIGNS})?$")
    return compute.if_else(missing, arrow.scalar(None, stripped.type), stripped)


def _parted(cleaned: Any) -> dict[str, Any] | None:
    """The parts of each, as whole numbers (-1 for none); None where one is no day."""
    compute = import_module("pyarrow.compute")
    for pattern in (_NUMERIC, *_WORDED):
        if compute.all(compute.match_substring_regex(cleaned, pattern)).as_py() is not False:
            return _read(compute.extract_regex(cleaned, pattern), is_worded=pattern is not _NUMERIC)
    return None


def _read(found: Any, *, is_worded: bool) -> dict[str, Any] | None:
    compute = import_module("pyarrow.compute")
    text = {one.name: found.field(place) for place, one in enumerate(found.type)}
    missing = found.is_null().to_numpy(zero_copy_only=False)
    parts: dict[str, Any] = {"missing": missing, "is_worded": is_worded}
    for name in ("hour", "minute", "second", *(("day", "year") if is_worded else ("one", "two", "three"))):
        parts[name] = _whole(text[name], missing)
    parts["micros"] = _whole(compute.utf8_rpad(text["part"], 6, "0"), missing)
    parts["micros"][_whole(compute.utf8_length(text["part"]), missing) < 1] = 0
    half = compute.utf8_lower(compute.utf8_slice_codeunits(text["half"], 0, 1))
    parts["half"] = _whole(compute.index_in(half, value_set=_array(["a", "p"])), missing)
    if is_worded:
        word = compute.utf8_lower(text["month"])
        places = _whole(compute.index_in(word, value_set=_array(list(_MONTH_WORDS))), missing)
        if np.any(places[~missing] < 0):
            return None
        parts["month"] = np.array(list(_MONTH_WORDS.values()))[places]
        return parts
    if compute.any(compute.not_equal(text["mark"], text["again"])).as_py():
        return None
    parts["digits_one"], parts["digits_three"] = (
        _whole(compute.utf8_length(text[name]), missing) for name in ("one", "three")
    )
    parts["is_pointed"] = compute.fill_null(compute.equal(text["mark"], "."), False).to_numpy(zero_copy_only=False)  # noqa: FBT003 -- Arrow's order of arguments
    return parts


def _array(words: list[str]) -> Any:
    return import_module("pyarrow").array(words)


def _whole(values: Any, missing: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers, -1 where there are none."""
    compute, arrow = import_module("pyarrow.compute"), import_module("pyarrow")
    if arrow.types.is_string(values.type):
        values = compute.if_else(compute.equal(values, ""), arrow.scalar(None, arrow.string()), values)
    found = compute.fill_null(values.cast(arrow.int64()), -1).to_numpy(zero_copy_only=False).copy()
    found[missing] = -1
    return np.asarray(found)
