"""Numbers as people write them: decimal commas, grouped thousands, a minus of print, signs for what is missing.

What a mark means is what the values show: `1,5` has a decimal comma, `1,234,567` a comma between thousands. `1,234`
shows nothing; another column of the file may, or package.json; else it stays the text that it is. Knows no file.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

POINT, COMMA = ".", ","
SIGNS = "-|--|\u2013|\u2014|\\?|\\.{1,3}|\\*"
"""What people put where a number is missing; in a column of words it is a word."""
_SPACES = " '\u2019\u00a0\u202f\u2009"
_MINUS = "\u2212"
_SIGN = rf"[+\-{_MINUS}]?"
_FIRST = r"[1-9]\d{0,2}"
_POWER = r"(?:[eE][+-]?\d+)?"
_NUMBERS = {
    POINT: rf"^{_SIGN}(?:\d+|{_FIRST}(?:[{_SPACES}]\d{{3}})+|{_FIRST}(?:,\d{{3}})+)?(?:\.\d*)?{_POWER}$",
    COMMA: rf"^{_SIGN}(?:\d+|{_FIRST}(?:[{_SPACES}]\d{{3}})+|{_FIRST}(?:\.\d{{3}})+)?(?:,\d*)?{_POWER}$",
}
_DIGIT = r"\d"
_MARKED = "[.,]"
_GROUPED = rf"^{_SIGN}{_FIRST}(?:\.\d{{3}})+$"
_TELLING = rf"^{_SIGN}(?:\d*\.\d{{1,2}}|\d*\.\d{{4,}}|0\.\d+|\d{{4,}}\.\d+){_POWER}$"
"""Has a point that can group nothing."""


class UnfitError(ValueError):
    """A value is none of those that were expected."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """How a column of text is one of numbers.

    Attributes:
        mark: the decimal mark.
        is_whole: no value has one, so they are whole numbers.
    """

    mark: str
    is_whole: bool = False

    def apply(self, texts: Any) -> Any:
        """The numbers of an Arrow array of text.

        Raises:
            UnfitError: one is none.
        """
        compute, arrow = import_module("pyarrow.compute"), import_module("pyarrow")
        cleaned = _cleaned(texts)
        if not _fits(cleaned, self.mark):
            raise UnfitError
        groups = COMMA if self.mark == POINT else POINT
        plain = compute.replace_substring_regex(cleaned, f"[{_SPACES}{groups}]", "")
        plain = compute.replace_substring(compute.replace_substring(plain, COMMA, POINT), _MINUS, "-")
        plain = compute.replace_substring_regex(plain, r"^\+", "")
        if self.is_whole:
            try:
                return plain.cast(arrow.int64())
            except (arrow.ArrowInvalid, arrow.ArrowNotImplementedError):
                raise UnfitError from None
        return plain.cast(arrow.float64())

    def wider(self) -> Numbers | None:
        """What to try when a value further down does not fit."""
        return Numbers(self.mark) if self.is_whole else None

    @property
    def said(self) -> str:
        """What was done, for a note."""
        groups = COMMA if self.mark == POINT else POINT
        return f"read as numbers whose decimal mark is {self.mark!r} and whose thousands may have {groups!r}"


def numbers_in(texts: Any, mark: str = "") -> Numbers | str | None:
    """How texts are numbers; "." or "," as `mark` decides where they do not show it.

    Returns:
        Numbers; "" when they are numbers of either mark, with different values; None when they are none.
    """
    compute = import_module("pyarrow.compute")
    cleaned = _cleaned(texts)
    if not compute.any(compute.match_substring_regex(cleaned, _DIGIT)).as_py():
        return None
    fitting = [one for one in (POINT, COMMA) if _fits(cleaned, one)]
    if not fitting:
        return None
    is_marked = bool(compute.any(compute.match_substring_regex(cleaned, _MARKED)).as_py())
    if len(fitting) > 1 and is_marked and mark not in fitting:
        return ""
    chosen = mark if mark in fitting else fitting[0]
    has_rest = compute.any(compute.match_substring_regex(cleaned, rf"[{chosen}eE]")).as_py()
    return Numbers(chosen, is_whole=not has_rest)


def is_grouped(cells: list[str]) -> bool:
    """Whether all numbers with a point could be thousands: 1.234 and 12.345.678, but no 1.5."""
    compute, arrow = import_module("pyarrow.compute"), import_module("pyarrow")
    pointed = [one.strip() for one in cells if POINT in one]
    return bool(pointed) and bool(compute.all(compute.match_substring_regex(arrow.array(pointed), _GROUPED)).as_py())


def has_points(cells: list[str]) -> bool:
    """Whether a number shows that the point is the decimal mark: 0.5, 1.25."""
    compute, arrow = import_module("pyarrow.compute"), import_module("pyarrow")
    stripped = arrow.array([one.strip() for one in cells], arrow.string())
    return bool(compute.any(compute.match_substring_regex(stripped, _TELLING)).as_py())


def _cleaned(texts: Any) -> Any:
    """Without space around; signs for what is missing are missing."""
    compute, arrow = import_module("pyarrow.compute"), import_module("pyarrow")
    stripped = compute.utf8_trim_whitespace(texts)
    missing = compute.match_substring_regex(stripped, f"^(?:{SIGNS})?$")
    return compute.if_else(missing, arrow.scalar(None, stripped.type), stripped)


def _fits(cleaned: Any, mark: str) -> bool:
    compute = import_module("pyarrow.compute")
    matching = compute.and_(
        compute.match_substring_regex(cleaned, _NUMBERS[mark]), compute.match_substring_regex(cleaned, _DIGIT)
    )
    return compute.all(matching).as_py() is not False
