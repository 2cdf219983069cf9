"""Ranges of values, written in one word (requirement 018; pure).

::

    1..3             1, 2, 3                    5..1             5, 4, 3, 2, 1
    0..1..0.25       0, 0.25, 0.5, 0.75, 1      lin:0:1:5        the same: five values from 0 to 1
    log:1e-4:1e-1:4  1e-4, 0.001, 0.01, 1e-1    four values, each the same multiple of the one before

Both ends keep the spelling that they were given. What lies between is reckoned in decimal, so 0.1 is never
0.30000000000000004, and written with as few digits as tell the values apart, at least six.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Context, Decimal, Overflow
from typing import Any

from plotter2.errors import UsageError

VALUES_MAX = 10_000
DIGITS = (6, 9, 12, 15)
"""How many significant digits are tried, one after another."""
_NUMBER = r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?"
_STEPS = re.compile(rf"({_NUMBER})\.\.({_NUMBER})(?:\.\.({_NUMBER}))?")
_SPACED = re.compile(rf"(lin|log):({_NUMBER}):({_NUMBER}):(\d{{1,9}})")
_MEANT = re.compile(r"(lin|log):")
_EXACT = Context(prec=60, traps=[Overflow])


def texts(given: Any) -> list[str]:
    """The values that JSON stands for, as JSON texts: a list of several, a range, or one.

    Raises:
        UsageError: meant as a range, and none.
    """
    if isinstance(given, str):
        return values(given) or [json.dumps(given)]
    return [json.dumps(one) for one in (given if isinstance(given, list) else [given])]


def values(text: str) -> list[str] | None:
    """The values that a range stands for, as JSON texts; None for what is no range.

    Raises:
        UsageError: meant as a range, and none: the message says how to write it, or how to write it as a text.
    """
    steps = _STEPS.fullmatch(text)
    if steps is not None:
        return _counted(text, *steps.groups())
    spaced = _SPACED.fullmatch(text)
    if spaced is not None:
        return _spaced(text, *spaced.groups())
    kind = _MEANT.match(text)
    if kind is not None:
        raise _wrong(
            text, f"it is written {kind[1]}:FROM:TO:COUNT, as {kind[1]}:0.001:1:4; as a text write '\"{text}\"'"
        )
    return None


def _counted(text: str, first: str, last: str, by: str | None) -> list[str]:
    start, stop = Decimal(first), Decimal(last)
    if by is None and not (start == start.to_integral_value() and stop == stop.to_integral_value()):
        raise _wrong(text, f"between numbers with a fraction the step must be given, as {first}..{last}..0.1")
    step = abs(Decimal(by)) if by is not None else Decimal(1)
    if not step:
        raise _wrong(text, "its step is 0")
    reach = _EXACT.divide(abs(stop - start), step)
    if reach >= VALUES_MAX:
        raise _wrong(text, f"that is more than {VALUES_MAX:,} values")
    signed = step if stop >= start else -step
    found = [start + number * signed for number in range(int(reach) + 1)]
    return [_ends(one, (first, last)) or _plain(one) for one in found]


def _spaced(text: str, kind: str, first: str, last: str, how_many: str) -> list[str]:
    start, stop, count = Decimal(first), Decimal(last), int(how_many)
    if not 2 <= count <= VALUES_MAX:  # noqa: PLR2004 -- a range has two ends
        raise _wrong(text, f"its count must be from 2 to {VALUES_MAX:,}")
    if kind == "log" and (not start or not stop or (start < 0) != (stop < 0)):
        raise _wrong(text, "both ends of a log range must be greater than 0, or both less")
    between = _line(start, stop, count) if kind == "lin" else _curve(start, stop, count)
    inner = _told_apart([between(number) for number in range(count)])
    if inner is None:
        raise _wrong(text, "its ends are too near each other for so many values")
    return [_spelled(first), *inner[1:-1], _spelled(last)]


def _line(start: Decimal, stop: Decimal, count: int) -> Callable[[int], Decimal]:
    return lambda number: start + _EXACT.divide((stop - start) * number, Decimal(count - 1))


def _curve(start: Decimal, stop: Decimal, count: int) -> Callable[[int], Decimal]:
    whole = _EXACT.ln(_EXACT.divide(stop, start))
    return lambda number: start * _EXACT.exp(_EXACT.divide(whole * number, Decimal(count - 1)))


def _told_apart(found: list[Decimal]) -> list[str] | None:
    for digits in DIGITS:
        rounded = [Context(prec=digits).plus(one) for one in found]
        if len(set(rounded)) == len(found):
            return [_plain(one) for one in rounded]
    return None


def _ends(value: Decimal, spelled: tuple[str, str]) -> str:
    return next((_spelled(one) for one in spelled if Decimal(one) == value), "")


def _spelled(text: str) -> str:
    """A number as it was given, where JSON can hold it so."""
    bare = text.removeprefix("+")
    return _plain(Decimal(bare)) if re.match(r"-?0\d", bare) else bare


def _plain(value: Decimal) -> str:
    """The shortest way to write a number."""
    if not value:
        return "0"
    short = value.normalize()
    exponent = short.adjusted()
    if -5 <= exponent < 16:  # noqa: PLR2004 -- where Python too writes a number without an exponent
        return format(short, "f")
    return str(short).replace("E+", "e").replace("E", "e")


def _wrong(text: str, why: str) -> UsageError:
    return UsageError(f"{text!r} is no range of values: {why}.")
