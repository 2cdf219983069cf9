"""Where the marks of an axis lie and what is written at them, for pictures that no browser draws (pure).

Linear axes have steps of 1, 2 or 5 times a power of ten, logarithmic ones whole decades (or 1, 2, 5 of few), times the
step of the calendar that gives 3 to 7 marks, in UTC. Numbers are written as the page's script writes them: as they are
from a ten thousandth to a thousand million, else with a power of ten.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np

from plotter2.datter.figures.figure import Axis

WANTED = 5
LONG, SMALL = 1e5, 1e-4
DECADES_MANY = 8
_MS = 1_000.0
_STEPS_MS = tuple(
    _MS * seconds
    for seconds in (
        1e-3, 1e-2, 0.1, 1, 5, 15, 30, 60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
        2_629_800, 7_889_400, 15_778_800, 31_557_600, 63_115_200, 157_788_000, 315_576_000, 1_577_880_000,
    )
)  # fmt: skip
Marks = list[tuple[float, str]]
PLAIN_FROM, PLAIN_TO, DIGITS_MAX = 1e-4, 1e9, 5
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def marks(axis: Axis, low: float, high: float) -> Marks:
    """Place and words of each mark between two ends."""
    if axis.ticks:
        return [(at, word) for at, word in axis.ticks if min(low, high) <= at <= max(low, high)]
    if axis.scale == "category":
        return [(float(at), name) for at, name in enumerate(axis.factors)]
    low, high = min(low, high), max(low, high)
    if axis.scale == "log":
        return _decades(low, high)
    return (
        _calendar(low, high, axis) if axis.scale in {"datetime", "clock"} else _even(low, high, is_whole=axis.is_whole)
    )


def number(value: float) -> str:
    """A number of an axis in few characters."""
    if value == 0:
        return "0"
    if not SMALL <= abs(value) < LONG:
        mantissa, _, power = f"{value:.3g}".partition("e")
        return f"{mantissa}e{int(power)}" if power else mantissa
    return f"{value:,.6g}"


def _even(low: float, high: float, *, is_whole: bool) -> Marks:
    span = high - low
    if not span > 0:
        return [(low, number(low))]
    power = 10.0 ** np.floor(np.log10(span / WANTED))
    step = float(next((power * part for part in (1, 2, 5) if span / (power * part) <= WANTED + 1), power * 10))
    step = max(step, 1.0) if is_whole else step
    places = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
    return list(zip(places.tolist(), words(places.tolist()), strict=True))


def words(places: Sequence[float]) -> list[str]:
    """What is written at the marks of one axis: so many digits as tell one from the next."""
    top = max(map(abs, places), default=0.0)
    steps = [abs(one - other) for one, other in pairwise(places) if one != other]
    fine = math.floor(math.log10(min(steps, default=top)) + 1e-9) if top else 0
    return [_written(at, fine, top) for at in places]


def _written(value: float, fine: int, top: float) -> str:
    power = math.floor(math.log10(abs(value)) + 1e-9) if value else 0
    if abs(value) < 10.0 ** (fine - 1):
        return "0"
    digits = max(power - fine, 0)
    if PLAIN_FROM <= top < PLAIN_TO or digits > DIGITS_MAX:
        return _plain(value, max(-fine, 0))
    return f"{_plain(value / 10.0**power, digits)}\N{MULTIPLICATION SIGN}10{str(power).translate(_RAISED)}"


def _plain(value: float, digits: int) -> str:
    found = f"{value:,.{digits}f}"
    found = found.rstrip("0").rstrip(".") if "." in found else found
    return found.replace("-", "\N{MINUS SIGN}")


def _decades(low: float, high: float) -> Marks:
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    parts = (1.0,) if last - first > 2 else (1.0, 2.0, 5.0)  # noqa: PLR2004 -- few decades
    every = max((last - first) // DECADES_MANY, 1)
    places = [part * 10.0**power for power in range(first, last + 1, every) for part in parts]
    return [(at, number(at)) for at in places if low <= at <= high]


def _calendar(low: float, high: float, axis: Axis) -> Marks:
    step = next((step for step in _STEPS_MS if (high - low) / step <= WANTED + 2), _STEPS_MS[-1])
    month = 28 * 86_400 * _MS
    if axis.scale == "clock" and step >= 86_400 * _MS:
        step = 21_600 * _MS
    if step < month:
        places = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
        form = "%H:%M:%S" if step < 60 * _MS else "%H:%M" if step < 43_200 * _MS or axis.scale == "clock" else "%-d %b"
        return [(float(at), _moment(float(at)).strftime(form)) for at in places]
    months = max(round(step / (30.4 * 86_400 * _MS)), 1)
    start = _moment(low)
    found: Marks = []
    at = start.year * 12 + start.month - 1
    at -= at % months
    while (place := datetime(at // 12, at % 12 + 1, 1, tzinfo=UTC).timestamp() * _MS) <= high:
        written = str(at // 12) if months >= 12 else f"{_moment(place):%b %Y}"  # noqa: PLR2004 -- months a year
        found += [(place, written)] * (place >= low)
        at += months
    return found


def _moment(milliseconds: float) -> datetime:
    return datetime.fromtimestamp(milliseconds / _MS, UTC)
