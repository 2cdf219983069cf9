"""The words for shapes and for pictures of a chosen kind (requirements 143 to 153).

Shapes lie in data coordinates (the x of points, polygons, paths and bands may be times), with `rel=True` in shares of
the panel: (0, 0) is its lower left, (1, 1) its upper right corner. All take
`name` (a legend entry), `colour`, `alpha` (0 to 1), `size` (pixels of a line or point) and `fill` (False: only the
outline).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.context import current
from plotter2.datter.figures import spread, visuals
from plotter2.datter.figures.automatic import panels_of
from plotter2.datter.figures.extent import within_floats
from plotter2.datter.figures.figure import PALETTE, Axis, Layer, Mark, Panel
from plotter2.datter.figures.frame import Shape
from plotter2.datter.figures.placing import checked, parted, placed, texts_of, times_of
from plotter2.datter.mathematics import geometry
from plotter2.datter.values.keys import shown, unknown
from plotter2.datter.values.points import Points, numbers, points
from plotter2.errors import UsageError

LOOK = ("name", "colour", "color", "alpha", "size", "fill", "rel")
PAIR, CORNERS_MIN, SIZE_MAX = 2, 3, 200
Columns = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Style:
    """What was said about the look of a shape."""

    name: str
    colour: str
    alpha: float | None
    size: float | None
    is_filled: bool
    is_relative: bool


def _style(word: str, given: dict[str, Any]) -> Style:
    for name in given:
        if name not in LOOK:
            raise unknown(f"argument of {word} called", name, LOOK)
    colour = given.get("colour", given.get("color", ""))
    alpha, size = given.get("alpha"), given.get("size")
    flags = _kinds(word, given)
    if alpha is not None and not 0 <= alpha <= 1:
        raise UsageError(f"{word}: alpha is 0 (not to be seen) to 1 (solid), not {shown(alpha)}.")
    if size is not None and not 0 < size <= SIZE_MAX:
        raise UsageError(f"{word}: size is up to {SIZE_MAX} pixels and more than 0, not {shown(size)}.")
    return Style(
        str(given.get("name", "")), "" if isinstance(colour, str) and not colour else checked(colour), alpha, size,
        flags["fill"], flags["rel"],
    )  # fmt: skip


def _kinds(word: str, given: dict[str, Any]) -> dict[str, bool]:
    """Whether a shape is filled and where it lies; what is said of its look is of the kind that it has to be."""
    for name in ("alpha", "size"):
        if given.get(name) is not None and not isinstance(given[name], Real):
            raise UsageError(f"{word}: {name} is a number, not {shown(given[name])}.")
    flags = {"fill": True, "rel": False} | {name: given[name] for name in ("fill", "rel") if name in given}
    for name, one in flags.items():
        if not isinstance(one, bool | np.bool_):
            raise UsageError(f"{word}: {name} is true or false, not {shown(one)}.")
    return flags


def _layer(mark: Mark, columns: Columns, style: Style, size: float, alpha: float) -> Layer:
    colour = style.colour or PALETTE[0]
    is_outline = mark == "polygons" and not style.is_filled
    return Layer(
        mark, columns, style.name, colour, 0.0 if is_outline else alpha if style.alpha is None else style.alpha,
        style.size or size, _HOVER.get(mark, ()), colour if mark == "polygons" else "", is_chosen=bool(style.colour),
        is_relative=style.is_relative,
    )  # fmt: skip


_HOVER: dict[str, tuple[tuple[str, str], ...]] = {
    "points": (("x", "x"), ("y", "y")), "line": (("x", "x"), ("y", "y")), "bars": (("x", "x"), ("height", "top")),
    "polygons": (("x", "$x"), ("y", "$y")), "curves": (("x", "$x"), ("y", "$y")),
    "segments": (("x", "$x"), ("y", "$y")), "arrows": (("from", "@{x0}, @{y0}"), ("to", "@{x1}, @{y1}")),
    "band": (("x", "$x"), ("y", "$y")),
}  # fmt: skip


def _made(what: Sequence[Any], layer: Layer, value: Any, **about: Any) -> Shape:
    """A shape of one layer, put where it belongs; along times where its places are some."""
    target, rest = parted(what)
    along = Axis(scale="datetime") if _are_times(rest[:1]) and not layer.is_relative else Axis()
    panel = Panel("shape", x=along, layers=(layer,), has_legend=bool(layer.name), **about)
    made: Shape = placed(Shape(lambda _: [panel], value, layer.name), target)
    return made


def _floats(word: str, given: Sequence[Any], names: str) -> list[float]:
    wanted = names.split(", ")
    if len(given) != len(wanted):
        raise UsageError(f"{word} needs {names}; {len(given)} values were given.")
    try:
        found = [float(one) for one in given]
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"{word} needs {names}, each one number.") from None
    if not np.isfinite(found).all():
        raise UsageError(f"{word}: {names} must be finite, not {found}.")
    return found


def _are_times(given: Sequence[Any]) -> bool:
    return bool(given) and times_of(given[0]) is not None


def _along(given: Any) -> NDArray[Any]:
    """Places along x: numbers, or times as milliseconds, as an axis of times has them."""
    times = times_of(given)
    if times is None:
        return numbers(given).astype(float).ravel()
    return np.where(np.isnat(times), np.nan, times.astype("datetime64[us]").astype(float) / 1e3).ravel()


def _pairs(word: str, rest: Sequence[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Places as x and y, as rows of two, or as a table or points of two columns."""
    if len(rest) == 1:
        found = points(rest[0])
        if found.shape[1] != PAIR:
            raise UsageError(f"{word} needs x and y, or rows of two numbers; these have {found.shape[1]}.")
        return found.matrix[:, 0], found.matrix[:, 1]
    if len(rest) != PAIR:
        raise UsageError(f"{word} needs x and y, or rows of two numbers; {len(rest)} values were given.")
    xs, ys = _along(rest[0]), numbers(rest[1]).astype(float).ravel()
    if len(xs) != len(ys):
        raise UsageError(f"{word}: x has {len(xs)} values and y has {len(ys)}; they must be equally many.")
    return xs, ys


def point(*what: Any, **look: Any) -> Shape:
    """One point or many: `point(x, y)`, each a number or a list, or `point(rows of two)`."""
    _, rest = parted(what)
    xs, ys = _pairs("point", rest)
    return _made(what, _layer("points", {"x": xs, "y": ys}, _style("point", look), 8, 0.9), rest)


def _polygons(word: str, what: Sequence[Any], look: dict[str, Any], xs: Any, ys: Any) -> Shape:
    layer = _layer("polygons", {"xs": [xs], "ys": [ys]}, _style(word, look), 1.5, 0.35)
    return _made(what, layer, parted(what)[1])


def circle(*what: Any, **look: Any) -> Shape:
    """A circle: `circle(x, y, radius)`, round where the axes are equal: `axis(equal=True)`."""
    x, y, radius = _floats("circle", parted(what)[1], "x, y, radius")
    if radius <= 0:
        raise UsageError(f"circle: a radius is more than 0, not {radius:g}.")
    return _polygons("circle", what, look, *geometry.ellipse(x, y, 2 * radius, 2 * radius))


def ellipse(*what: Any, angle: float = 0.0, **look: Any) -> Shape:
    """An ellipse: `ellipse(x, y, width, height, angle=degrees)` around (x, y)."""
    x, y, width, height = _floats("ellipse", parted(what)[1], "x, y, width, height")
    if min(width, height) <= 0:
        raise UsageError(f"ellipse: width and height are more than 0, not {width:g} and {height:g}.")
    return _polygons("ellipse", what, look, *geometry.ellipse(x, y, width, height, float(np.deg2rad(angle))))


def rect(*what: Any, **look: Any) -> Shape:
    """A rectangle: `rect(x, y, width, height)` from its lower left corner."""
    return _polygons("rect", what, look, *geometry.rectangle(*_floats("rect", parted(what)[1], "x, y, width, height")))


def polygon(*what: Any, **look: Any) -> Shape:
    """A polygon through its corners: `polygon(xs, ys)` or `polygon(rows of two)`."""
    xs, ys = _pairs("polygon", parted(what)[1])
    if len(xs) < CORNERS_MIN:
        raise UsageError(f"polygon needs at least {CORNERS_MIN} corners, not {len(xs)}.")
    return _polygons("polygon", what, look, xs, ys)


def arrow(*what: Any, **look: Any) -> Shape:
    """An arrow from one place to another: `arrow(x0, y0, x1, y1)`."""
    ends = _floats("arrow", parted(what)[1], "x0, y0, x1, y1")
    columns = {name: np.array([at]) for name, at in zip(("x0", "y0", "x1", "y1"), ends, strict=True)}
    return _made(what, _layer("arrows", columns, _style("arrow", look), 2, 1.0), ends)


def arc(*what: Any, **look: Any) -> Shape:
    """A piece of a circle: `arc(x, y, radius, start, end)`, angles in degrees against the clock from the right."""
    x, y, radius, start, end = _floats("arc", parted(what)[1], "x, y, radius, start, end")
    xs, ys = geometry.arc(x, y, radius, radius, (float(np.deg2rad(start)), float(np.deg2rad(end))))
    return _made(what, _layer("line", {"x": xs, "y": ys}, _style("arc", look), 2, 1.0), parted(what)[1])


def path(*what: Any, **look: Any) -> Shape:
    """A line through places in the order in which they are given: `path(xs, ys)` or `path(rows of two)`."""
    xs, ys = _pairs("path", parted(what)[1])
    return _made(what, _layer("line", {"x": xs, "y": ys}, _style("path", look), 2, 1.0), parted(what)[1])


def band(*what: Any, **look: Any) -> Shape:
    """The area between two curves: `band(x, low, high)`, or over its place `band(low, high)`."""
    _, rest = parted(what)
    if len(rest) not in {PAIR, PAIR + 1}:
        raise UsageError(f"band needs low and high, or x, low and high; {len(rest)} values were given.")
    low, high = (numbers(one).astype(float).ravel() for one in rest[-2:])
    xs = _along(rest[0]) if len(rest) > PAIR else np.arange(len(low), dtype=float)
    if len({len(xs), len(low), len(high)}) > 1:
        raise UsageError(
            f"band: x, low and high have {len(xs)}, {len(low)} and {len(high)} values; as many are needed."
        )
    return _made(what, _layer("band", {"x": xs, "low": low, "high": high}, _style("band", look), 0, 0.25), rest)


def quiver(*what: Any, **look: Any) -> Shape:
    """Arrows of a vector field: `quiver(x, y, u, v)`, or on a grid `quiver(u, v)` with rows upwards.

    One array of rows x columns x 2 is u and v, too.
    """
    _, rest = parted(what)
    if len(rest) == 1 and numbers(rest[0]).shape[-1] == PAIR:
        rest = list(np.moveaxis(numbers(rest[0]), -1, 0))
    if len(rest) == PAIR:
        u = numbers(rest[0])
        if u.ndim != PAIR:
            raise UsageError(f"quiver of u and v needs two grids; these have the shape {u.shape}.")
        up, across = np.mgrid[0 : u.shape[0], 0 : u.shape[1]]
        rest = [across, up, *rest]
    if len(rest) != 2 * PAIR:
        raise UsageError(f"quiver needs u and v, or x, y, u and v; {len(rest)} values were given.")
    style = _style("quiver", look)
    with within_floats():
        layer = spread.field(rest[0], rest[1], rest[2], rest[3], style.colour or PALETTE[0])
    layer = replace(layer, name=style.name, is_chosen=bool(style.colour))
    count = numbers(rest[2]).size
    drawn = len(layer.columns["x0"])
    missing = int((~np.isfinite(layer.columns["length"])).sum())
    notes: tuple[str, ...] = () if drawn == count else (f"{drawn:,} of {count:,} arrows, evenly chosen.",)
    notes += (f"{missing:,} arrows are missing or infinite and left out.",) * bool(missing)
    return _made(what, layer, rest, notes=notes)


def _picture(what: Sequence[Any], draw: Callable[[Sequence[str]], list[Panel]], value: Any) -> Shape:
    """A picture of a chosen kind; drawn once now, so that what cannot be drawn is refused at the script's line."""
    context = current()
    made = Shape(draw, value, context.name_of(value))
    panels_of(made)
    placed(made, parted(what)[0])
    return context.know(made, context.name_of(value), context.datum(value).digest)  # type: ignore[no-any-return] # know gives back what it got


def _one(word: str, what: Sequence[Any]) -> Any:
    _, rest = parted(what)
    if len(rest) != 1:
        raise UsageError(f"{word} needs the data that it shows, once; {len(rest)} values were given.")
    return rest[0]


def _as(word: str, visual: str, what: Sequence[Any]) -> Shape:
    value = _one(word, what)
    name = current().name_of(value)
    return _picture(what, lambda palette: panels_of(value, name, visual, palette), value)


def image(*what: Any) -> Shape:
    """A matrix as an image, row 0 on top; of rows x columns x 3 or 4, as a picture in its own colours."""
    return _as("image", "picture", what)


def heatmap(*what: Any) -> Shape:
    """A matrix by colour, with its scale; a table of numbers with the names of its columns."""
    return _as("heatmap", "heatmap", what)


def histogram(*what: Any, bins: int | None = None) -> Shape:
    """How often values fall into bins, one panel a column; bins by Freedman and Diaconis, or so many."""
    value = _one("histogram", what)
    if bins is not None and not 1 <= bins <= visuals.BINS_ASKED_MAX:
        raise UsageError(f"histogram: 1 to {visuals.BINS_ASKED_MAX} bins, not {bins}.")
    if bins is None:
        return _as("histogram", "histogram", what)
    name = current().name_of(value)
    if isinstance(value, Points) or hasattr(value, "of_kind"):
        found = points(value)
        return _picture(what, lambda _: [visuals.histogram(found.column(one), one, bins) for one in found.names], value)
    return _picture(what, lambda _: [visuals.histogram(value, name or "value", bins)], value)


def bars(*what: Any) -> Shape:
    """One bar a category: of a table, a dictionary or a list; `bars(names, heights)`."""
    _, rest = parted(what)
    if len(rest) == PAIR:
        names, heights = texts_of("bars: names", rest[0]), numbers(rest[1]).ravel()
        if len(names) != len(heights):
            raise UsageError(f"bars: {len(names)} names for {len(heights)} heights.")
        return _picture(what, lambda palette: [visuals.bars(names, heights, "", "value", palette)], heights)
    return _as("bars", "bars", what)


def box(*what: Any) -> Shape:
    """Box plots: one a column, a label or a member of a group; quartiles, whiskers within 1.5 of the box (Tukey)."""
    return _as("box", "box", what)


def violin(*what: Any) -> Shape:
    """Violins: how densely the values of each column, label or member of a group lie."""
    return _as("violin", "violin", what)


def hexbin(*what: Any) -> Shape:
    """How many points lie where: the cells of a honeycomb. `hexbin(x, y)`, or rows or a table of two columns."""
    _, rest = parted(what)
    if len(rest) == PAIR:
        xs, ys = _pairs("hexbin", rest)
        found = Points(np.column_stack([xs, ys]), ("x", "y"))
        return _picture(what, lambda _: [spread.honeycomb(found)], found)
    return _as("hexbin", "hexbin", what)


def contour(*what: Any) -> Shape:
    """Lines of equal height: `contour(grid)`, `contour(x, y, grid)`, or of points, lines of equal density."""
    _, rest = parted(what)
    if len(rest) == PAIR + 1:
        xs, ys = (numbers(one).astype(float).ravel() for one in rest[:2])
        grid = numbers(rest[2])
        return _picture(what, lambda _: [spread.contours(grid, xs, ys)], grid)
    return _as("contour", "contour", what)


KINDS: dict[str, Callable[..., Shape]] = {
    "point": point, "circle": circle, "ellipse": ellipse, "rect": rect, "polygon": polygon, "arrow": arrow, "arc": arc,
    "path": path, "band": band, "quiver": quiver, "image": image, "heatmap": heatmap, "histogram": histogram,
    "bars": bars, "box": box, "violin": violin, "hexbin": hexbin, "contour": contour,
}  # fmt: skip


def shape(*what: Any, **look: Any) -> Shape:
    """A shape by its name: `shape("circle", 1, 2, 0.5)` is `circle(1, 2, 0.5)`.

    Raises:
        UsageError: no shape has this name, or its numbers do not fit.
    """
    target, rest = parted(what)
    kind = rest.pop(0) if rest else ""
    if not isinstance(kind, str) or kind not in KINDS:
        raise unknown("shape called", str(kind), KINDS)
    return KINDS[kind](*([target] if target else []), *rest, **look)
