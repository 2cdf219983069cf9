"""The words that settle how a frame looks: frame, axis, legend, colour, gradient, font (requirements 134 to 149).

They change the frame that they are given, without one the last that was made. What is refused is refused here, at the
script's own line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from plotter2.datter.context import current
from plotter2.datter.figures.extent import FARTHEST
from plotter2.datter.figures.figure import PLAIN, Family, Font
from plotter2.datter.figures.frame import Coloured, Curve, Frame
from plotter2.datter.figures.placing import checked, instead, last, parted
from plotter2.datter.values.keys import shown, unknown
from plotter2.errors import UsageError

SCALE_NAMES = ("linear", "log")
SIZE_MIN, SIZE_MAX = 80, 4_000
FONT_MIN, FONT_MAX = 6, 96
AXES_MAX = 2
STOPS_MIN, STOPS_MAX = 2, 16
FAMILIES: tuple[Family, ...] = ("sans", "serif", "mono")
PAIR = 2


def frame(parent: Any = None, title: str = "", columns: int = 0, template: str = "") -> Frame:
    """A container to draw in; `frame(parent)` nests. Children lie left to right and then wrap.

    `template` names how the whole page looks; without it, that of the bundle's `config`, else the default one.

    Raises:
        UsageError: the parent is no frame, they are nested too deep, or there is no such template.
    """
    if isinstance(parent, str):
        parent, title = None, parent
    if not isinstance(parent, Frame | None):
        raise UsageError(f"frame: a frame lies in a frame, not in {shown(parent)}.")
    if template and parent is not None:
        raise UsageError("frame: a template is the look of a whole page, so name it at the outermost frame.")
    if template:
        current().additions.template(template)
    made = Frame(title, parent, columns, template=template)
    if parent is None:
        current().roots.append(made)
    return made


def axis(  # noqa: PLR0913 -- each is one thing that people say about axes
    *what: Any,
    x: str | None = None,
    y: str | None = None,
    xscale: str | None = None,
    yscale: str | None = None,
    xrange: tuple[float, float] | None = None,
    yrange: tuple[float, float] | None = None,
    count: int | None = None,
    size: Any = None,
    equal: bool = False,
) -> Frame:
    """The axes of a frame: titles, scales (linear, log), ranges; how many are drawn (0, 1: only x, 2); their size.

    `size` is (width, height) or a height, in pixels; `equal` makes one unit of x as long as one of y. Without
    arguments, the automatic ones.

    Raises:
        UsageError: a scale, range, count or size that is none.
    """
    target, rest = parted(what)
    target = target or last(current())
    x, y = (x, y) if not rest else (str(rest[0]), str(rest[1]) if len(rest) > 1 else y)
    for given in (xscale, yscale):
        if given is not None and given not in SCALE_NAMES:
            raise unknown("scale of an axis called", given, SCALE_NAMES)
    xrange, yrange = _range(xrange), _range(yrange)
    if count is not None and count not in range(AXES_MAX + 1):
        raise UsageError(
            f"axis: a panel has 0, 1 or {AXES_MAX} axes, not {count}; a third one is drawn as colour: colour(by=...)."
        )
    look = target.look
    target.look = replace(
        look, x=x if x is not None else look.x, y=y if y is not None else look.y, x_scale=xscale or look.x_scale,
        y_scale=yscale or look.y_scale, x_range=xrange or look.x_range, y_range=yrange or look.y_range,
        axes=look.axes if count is None else count, size=_size(size) or look.size, is_equal=equal or look.is_equal,
    )  # fmt: skip
    return target


def _size(given: Any) -> tuple[int, int]:
    if given is None:
        return ()  # type: ignore[return-value] # nothing said, so what was said before holds
    pair = _pair((0, given) if isinstance(given, int | float) else given)
    if pair is None or any(one and not SIZE_MIN <= one <= SIZE_MAX for one in pair):
        raise UsageError(
            f"axis: a size is a height or (width, height), {SIZE_MIN} to {SIZE_MAX:,} pixels, not {_given(given)}."
        )
    return int(pair[0]), int(pair[1])


def _range(given: Any) -> tuple[float, float] | None:
    if not _is_range(given):
        raise UsageError(f"axis: a range is (smaller, larger), two numbers up to {FARTHEST:g}, not {_given(given)}.")
    return _pair(given)


def _is_range(given: Any) -> bool:
    """Whether these are a smaller and a larger number between which something can be drawn, or nothing."""
    pair = _pair(given)
    return given is None or (pair is not None and -FARTHEST <= pair[0] < pair[1] <= FARTHEST)


def _pair(given: Any) -> tuple[float, float] | None:
    """Two numbers as floats; None where they are none."""
    try:
        first, second = given
        return None if np.iscomplexobj([first, second]) else (float(first), float(second))
    except (TypeError, ValueError, OverflowError):
        return None


def _given(value: Any) -> str:
    """What was given for a pair: each of two, or what it is."""
    is_pair = isinstance(value, tuple | list) and len(value) == PAIR
    return f"({shown(value[0])}, {shown(value[1])})" if is_pair else shown(value)


def legend(*what: Any, show: bool = True, title: str | None = None) -> Frame:
    """Whether a frame has a legend, and its title. It stands beside the data, never on it."""
    target, rest = parted(what)
    target = target or last(current())
    target.look.has_legend = None if show else False
    target.look.legend_title = title if not rest else str(rest[0])
    return target


@dataclass(frozen=True, slots=True)
class Gradient:
    """A way through colours, evenly between `limits`, None for what the data spans: what `gradient` makes."""

    stops: tuple[str, ...]
    limits: tuple[float, float] | None = None

    def __call__(self, value: float) -> str:
        """The colour at a value between the limits, without limits between 0 and 1; beyond them that of the end.

        Raises:
            UsageError: it is no number, or a missing one.
        """
        number: Any = value
        if not isinstance(number, int | float | np.integer | np.floating) or not -FARTHEST <= value <= FARTHEST:
            raise UsageError(f"gradient: {shown(value)} has no place between two numbers, so it has no colour.")
        low, high = self.limits or (0.0, 1.0)
        share = float(np.clip((value - low) / (high - low), 0, 1)) * (len(self.stops) - 1)
        parts = np.array([[int(stop[at : at + 2], 16) for at in (1, 3, 5)] for stop in self.stops], float)
        mixed = [round(float(np.interp(share, np.arange(len(parts)), parts[:, part]))) for part in range(3)]
        return "#{:02x}{:02x}{:02x}".format(*mixed)


def gradient(*what: Any, low: float | None = None, high: float | None = None) -> Gradient:
    """A colour gradient: of 2 to 16 colours, for what is coloured by value in a frame; call it for one colour.

    `graident` is the same word.

    Raises:
        UsageError: fewer than two colours, one that is none, or limits of which only one is given.
    """
    target, rest = parted(what)
    names = [one for given in rest for one in (given if isinstance(given, list | tuple) else [given])]
    if not STOPS_MIN <= len(names) <= STOPS_MAX:
        raise UsageError(f'gradient needs {STOPS_MIN} to {STOPS_MAX} colours, as gradient("white", "blue").')
    if (low is None) != (high is None) or not _is_range((low, high) if low is not None else None):
        raise UsageError(
            f"gradient: limits are low and high, two finite numbers, the smaller first, not {shown(low)} "
            f"and {shown(high)}."
        )
    limits = (float(low), float(high)) if low is not None and high is not None else None
    made = Gradient(tuple(checked(name) for name in names), limits)
    if target is not None:
        target.look.stops, target.look.limits = made.stops, made.limits
    return made


def colour(*what: Any, by: Any = None) -> Any:
    """Colours of a frame or a line: names (blue, orange, ...), #rrggbb or a gradient; or colour by something.

    `by`: a column, "cluster", or one value a row; of data it gives the coloured data, of a frame it holds for the rows
    in it. Without anything: the colour-blind safe palette.

    Raises:
        UsageError: a colour that is none.
    """
    target, rest = parted(what)
    shade = next((one for one in rest if isinstance(one, Gradient)), None)
    names = [
        one for given in rest for one in (given if isinstance(given, list | tuple) else [given]) if isinstance(one, str)
    ]
    chosen = tuple(checked(name) for name in names)
    curve = next((one for one in rest if isinstance(one, Curve)), None)
    if curve is not None and chosen:
        return instead(curve, replace(curve, colour=chosen[0]))
    loose = [one for one in rest if not isinstance(one, str | list | tuple | Gradient)]
    if by is not None and loose:
        context = current()
        return context.know(Coloured(loose[0], by), context.name_of(loose[0]), context.datum(loose[0]).digest)
    target = target or last(current())
    target.look.palette = chosen or target.look.palette if by is not None or shade else chosen
    target.look.by = by if by is not None else target.look.by
    if shade is not None:
        target.look.stops, target.look.limits = shade.stops, shade.limits
    return target


def font(
    *what: Any,
    size: float | None = None,
    family: str | None = None,
    colour: str | None = None,
    bold: bool | None = None,
) -> Frame:
    """How the words that follow in a frame look: pixels, sans, serif or mono, a colour, heavy; nothing: as before.

    Raises:
        UsageError: a size, family or colour that is none.
    """
    target, rest = parted(what)
    target = target or last(current())
    size = next((one for one in rest if isinstance(one, int | float)), size)
    family = next((one for one in rest if isinstance(one, str)), family)
    before = target.look.font if any(one is not None for one in (size, family, colour, bold)) else PLAIN
    if size is not None and not FONT_MIN <= size <= FONT_MAX:
        raise UsageError(f"font: words are {FONT_MIN} to {FONT_MAX} pixels high, not {size}.")
    if family is not None and family not in FAMILIES:
        raise unknown("font called", family, FAMILIES)
    target.look.font = Font(
        before.size if size is None else int(size),
        before.family if family is None else next(one for one in FAMILIES if one == family),
        before.colour if colour is None else checked(colour),
        before.is_bold if bold is None else bold,
    )
    return target
