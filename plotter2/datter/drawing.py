"""The words that draw: frames, axes, legends, colours, labels, plots, reports, shapes (requirements 133 to 158).

They put things into frames; what becomes of them is decided in `automatic` and `compose`. Frame and data may come in
either order (the seed uses both); without a frame, the last one that was made is meant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from plotter2.datter import automatic as choices
from plotter2.datter.cluster import kmean, scale
from plotter2.datter.compose import send
from plotter2.datter.context import Context, current
from plotter2.datter.frame import Curve, Frame, MotionOf, Report, TableOf, TextAt, as_table
from plotter2.datter.group import DataGroup
from plotter2.datter.keys import unknown
from plotter2.datter.points import Labels, Points, label_column, numbers, points
from plotter2.datter.table import Table
from plotter2.errors import UsageError

COLOURS = {
    "blue": "#0072B2", "orange": "#E69F00", "green": "#009E73", "red": "#D55E00", "purple": "#CC79A7", "sky": "#56B4E9",
    "brown": "#8C6D31", "grey": "#7F7F7F", "gray": "#7F7F7F", "black": "#1c2733",
}  # fmt: skip
SCALE_NAMES = ("linear", "log")
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


def frame(parent: Any = None, title: str = "", columns: int = 0) -> Frame:
    """A container to draw in; `frame(parent)` nests. Children lie left to right and then wrap."""
    if isinstance(parent, str):
        parent, title = None, parent
    if not isinstance(parent, Frame | None):
        raise UsageError(f"frame: a frame lies in a frame, not in {type(parent).__name__}.")
    made = Frame(title, parent, columns)
    if parent is None:
        current().roots.append(made)
    return made


def _parted(what: Sequence[Any]) -> tuple[Frame | None, list[Any]]:
    """The frame among the arguments, and the rest."""
    frames = [one for one in what if isinstance(one, Frame)]
    if len(frames) > 1:
        raise UsageError("One call draws into one frame; two were given.")
    return (frames[0] if frames else None), [one for one in what if not isinstance(one, Frame)]


def _last(context: Context) -> Frame:
    waiting = [root for root in context.roots if not root.is_sent]
    if not waiting:
        context.roots.append(Frame())
    return list((waiting or context.roots)[-1].walk())[-1]


def axis(
    *what: Any,
    x: str | None = None,
    y: str | None = None,
    xscale: str | None = None,
    yscale: str | None = None,
    xrange: tuple[float, float] | None = None,
    yrange: tuple[float, float] | None = None,
) -> Frame:
    """Titles, scales (linear, log) and ranges of a frame's axes; without arguments, the automatic ones."""
    target, rest = _parted(what)
    target = target or _last(current())
    x, y = (x, y) if not rest else (str(rest[0]), str(rest[1]) if len(rest) > 1 else y)
    for given in (xscale, yscale):
        if given is not None and given not in SCALE_NAMES:
            raise unknown("scale of an axis called", given, SCALE_NAMES)
    for span in (xrange, yrange):
        if span is not None and not span[0] < span[1]:
            raise UsageError(f"axis: a range is (smaller, larger), not {span}.")
    look = target.look
    target.look = replace(
        look, x=x if x is not None else look.x, y=y if y is not None else look.y, x_scale=xscale or look.x_scale,
        y_scale=yscale or look.y_scale, x_range=xrange or look.x_range, y_range=yrange or look.y_range,
    )  # fmt: skip
    return target


def legend(*what: Any, show: bool = True, title: str | None = None) -> Frame:
    """Whether a frame has a legend, and its title. It stands beside the data, never on it."""
    target, rest = _parted(what)
    target = target or _last(current())
    target.look.has_legend = None if show else False
    target.look.legend_title = title if not rest else str(rest[0])
    return target


def colour(*what: Any) -> Any:
    """Colours of a frame or of a line: names (blue, orange, ...) or #rrggbb; none: the colour-blind safe palette."""
    target, rest = _parted(what)
    names = [
        one for given in rest for one in (given if isinstance(given, list | tuple) else [given]) if isinstance(one, str)
    ]
    chosen = tuple(_checked(name) for name in names)
    curve = next((one for one in rest if isinstance(one, Curve)), None)
    if curve is not None and chosen:
        return replace(curve, colour=chosen[0])
    target = target or _last(current())
    target.look.palette = chosen
    return target


def _checked(name: str) -> str:
    if name.lower() not in COLOURS and not _HEX.fullmatch(name):
        raise unknown("colour", name, COLOURS)
    return COLOURS.get(name.lower(), name)


def label(data: Any, name: Any = None, by: str | None = None) -> Any:
    """A name for data; or the groups of its rows: by a column, by a list of one label a row, or found by itself.

    Without arguments: a table's text column with 2 to 20 values, else clusters.
    """
    if isinstance(data, Frame):
        data.title = str(name or "")
        return data
    if isinstance(data, Table) and (by or name is None or name in data.names):
        column = by or (name if isinstance(name, str) else label_column(data))
        return _passed_on(data, data.labelled(column)) if column else _clustered(data)
    if isinstance(name, str):
        current().datum(data).name = name
        return data
    if name is not None:
        found, texts = points(data), [str(one) for one in name]
        if len(texts) != len(found):
            raise UsageError(f"label: {len(texts)} labels for {len(found)} rows.")
        names = tuple(dict.fromkeys(texts))
        codes = np.array([names.index(one) for one in texts])
        return _passed_on(data, replace(found, groups=Labels("label", names, codes)))
    if isinstance(data, DataGroup | str | dict) or (isinstance(data, Points) and data.groups is not None):
        return data  # a group is labelled by its names already
    return _clustered(data)


def _clustered(data: Any) -> Any:
    return _passed_on(data, kmean(data, seed=current().run.seed))


def _passed_on(before: Any, after: Any) -> Any:
    """A value that was made of another keeps its name and where it came from."""
    context = current()
    return context.know(after, context.name_of(before))


def scaled(what: Any, how: str = "zscore") -> Any:
    """Data brought to a scale (zscore, minmax, log, linear); of a frame, the scale of its axes (linear, log)."""
    if isinstance(what, Frame):
        return axis(what, xscale=how, yscale=how)
    return _passed_on(what, scale(what, how))


def plot(*what: Any) -> Frame:
    """Queue data for drawing in a frame; it is sent with the frame, at the latest when the task ends."""
    target, rest = _parted(what)
    target = target or _last(current())
    target.items.extend(rest)
    return target


def plotme(*what: Any) -> Any:
    """Draw and send: into a child frame it queues into its root, into a root frame it queues and sends."""
    target, rest = _parted(what)
    context = current()
    if target is None:
        if not rest:
            raise UsageError("plotme needs data, a frame, or both.")
        return send(context, Frame(items=list(rest)))
    target.items.extend(rest)
    return send(context, target) if target.parent is None else target


def animate(*what: Any) -> Frame:
    """Queue an animation of a group (in its order) or of an array whose first axis is time."""
    target, rest = _parted(what)
    return plot(target or _last(current()), *(_moving(one) for one in rest))


def animateme(*what: Any) -> Any:
    """Draw an animation and send it; frames as in `plotme`."""
    target, rest = _parted(what)
    return plotme(*([target] if target else []), *(_moving(one) for one in rest))


def _moving(value: Any) -> MotionOf:
    context = current()
    context.is_plotted.add(id(value))
    return context.know(MotionOf(value), context.name_of(value), context.datum(value).digest)  # type: ignore[no-any-return] # know gives back what it got


def automatic(*what: Any) -> Frame:
    """A frame in which data is drawn as it suits it; it waits to be sent."""
    target, rest = _parted(what)
    return plot(target or frame(), *rest)


def visualtype(data: Any, kind: str | None = None) -> Any:
    """Which picture suits data; with a second argument, which one shall be drawn."""
    if kind is None:
        return current().datum(data).visual or choices.visual_of(data)
    if kind not in choices.VISUALS:
        raise unknown("visual type", kind, choices.VISUALS)
    current().datum(data).visual = kind
    return data


def text(*what: Any, x: float | None = None, y: float | None = None, colour: str = "") -> Any:
    """Words: a paragraph of a frame, or with x and y at a place in data coordinates."""
    target, rest = _parted(what)
    places = [float(one) for one in rest[1:3]] if len(rest) > 2 else [x, y]  # noqa: PLR2004 -- words, x, y
    words = str(rest[0]) if rest else ""
    made = (
        words
        if places[0] is None or places[1] is None
        else TextAt(words, places[0], places[1], _checked(colour) if colour else "")
    )
    if target is not None:
        target.items.append(made)
    return made


def table(*what: Any, columns: Sequence[str] | None = None, title: str = "") -> Any:
    """A table to be shown as text: of a Table, a list of records, or columns by name."""
    target, rest = _parted(what)
    if len(rest) != 1:
        raise UsageError("table needs the data that it shows, once.")
    found = as_table(rest[0])
    made = TableOf(found.select(list(columns)) if columns else found, title)
    if target is not None:
        target.items.append(made)
    return made


def line(*what: Any, name: str = "", colour: str = "") -> Any:
    """A line: over its place, through x and y, or between two points (x0, y0, x1, y1)."""
    target, rest = _parted(what)
    if len(rest) == 4:  # noqa: PLR2004 -- two points
        rest = [np.array([rest[0], rest[2]], float), np.array([rest[1], rest[3]], float)]
    if len(rest) not in {1, 2}:
        raise UsageError("line needs y, or x and y, or x0, y0, x1, y1.")
    ys = numbers(rest[-1]).ravel()
    xs = np.asarray(rest[0]).ravel() if len(rest) > 1 else np.arange(len(ys))
    if len(xs) != len(ys):
        raise UsageError(f"line: x has {len(xs)} values and y has {len(ys)}; they must be equally many.")
    made = Curve(xs, ys, name or current().name_of(rest[-1]), _checked(colour) if colour else "")
    if target is not None:
        target.items.append(made)
    return made


def report(*items: Any, title: str = "") -> Report:
    """One page of figures, tables and paragraphs; `.add`, `.text`, `.table` go on. Written when the task ends."""
    rest = list(items)
    if not title and rest and isinstance(rest[0], str):
        title = rest.pop(0)
    made = Report(title)
    for item in rest:
        made.add(item)
    current().reports.append(made)
    return made
