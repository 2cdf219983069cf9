"""The words that draw: labels, plots, animations, text, tables, lines, reports (requirements 133 to 158).

They put things into frames; what becomes of them is decided in `automatic` and `compose`. Frame and data may come in
either order (the seed uses both); without a frame, the last one that was made is meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.context import current
from plotter2.datter.figures import automatic as choices
from plotter2.datter.figures import pictures
from plotter2.datter.figures.extent import FARTHEST
from plotter2.datter.figures.frame import Break, Curve, Frame, MotionOf, Page, Report, Said, TableOf, TextAt, as_table
from plotter2.datter.figures.looks import axis, frame
from plotter2.datter.figures.placing import checked, last, parted, placed, taken, texts_of, times_of
from plotter2.datter.mathematics.cluster import kmean, scale
from plotter2.datter.pages.compose import send
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.keys import shown, unknown
from plotter2.datter.values.points import Labels, Points, label_column, numbers, points
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError


def label(data: Any, name: Any = None, by: str | None = None) -> Any:
    """A name for data; or the groups of its rows: by a column, by a list of one label a row, or found by itself.

    Without arguments: a table's text column with 2 to 20 values, else clusters.
    """
    if isinstance(data, Frame):
        data.title = str(name or "")
        return data
    if isinstance(data, Table) and (by or name is None or (isinstance(name, str) and name in data.names)):
        column = by or (name if isinstance(name, str) else label_column(data))
        return current().alike(data, _passed_on(data, data.labelled(column))) if column else _clustered(data)
    if isinstance(name, str):
        current().datum(data).name = name
        return data
    if name is not None:
        found, texts = points(data), texts_of("label: labels", name)
        if len(texts) != len(found):
            raise UsageError(f"label: {len(texts)} labels for {len(found)} rows.")
        names = tuple(dict.fromkeys(texts))
        codes = np.array([names.index(one) for one in texts])
        return current().alike(data, _passed_on(data, replace(found, groups=Labels("label", names, codes))))
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
    target, rest = parted(what)
    target = target or last(current())
    target.items.extend(taken(rest))
    return target


def plotme(*what: Any) -> Any:
    """Draw and send: into a child frame it queues into its root, into a root frame it queues and sends."""
    target, rest = parted(what)
    context = current()
    if target is None:
        if not rest:
            raise UsageError("plotme needs data, a frame, or both.")
        return send(context, Frame(items=taken(rest)))
    target.items.extend(taken(rest))
    return send(context, target) if target.parent is None else target


def animate(*what: Any) -> Frame:
    """Queue an animation of a group (in its order) or of an array whose first axis is time."""
    target, rest = parted(what)
    return plot(target or last(current()), *(_moving(one) for one in rest))


def animateme(*what: Any) -> Any:
    """Draw an animation and send it; frames as in `plotme`."""
    target, rest = parted(what)
    return plotme(*([target] if target else []), *(_moving(one) for one in rest))


def _moving(value: Any) -> MotionOf:
    context = current()
    context.is_plotted.add(id(value))
    return context.know(MotionOf(value), context.name_of(value), context.datum(value).digest)  # type: ignore[no-any-return] # know gives back what it got


def automatic(*what: Any) -> Frame:
    """A frame in which data is drawn as it suits it; it waits to be sent."""
    target, rest = parted(what)
    return plot(target or frame(), *rest)


def visualtype(data: Any, kind: str | None = None) -> Any:
    """Which picture suits data; with a second argument, which one shall be drawn."""
    own = current().additions.visuals
    if kind is None:
        word = pictures.suiting(current(), data)
        return pictures.said_of(current(), data)[0] or (word.name if word is not None else choices.visual_of(data))
    if kind not in choices.VISUALS and kind not in own:
        raise unknown("visual type", kind, [*choices.VISUALS, *own])
    current().datum(data).visual = kind
    return data


def text(*what: Any, x: float | None = None, y: float | None = None, colour: str = "", rel: bool = False) -> Any:
    """Words: a paragraph of a frame, or with x and y at a place in data coordinates, with `rel` in shares of the panel.

    They look as `font` has said for this frame.

    Raises:
        UsageError: there are no words, or a place has only one coordinate.
    """
    target, rest = parted(what)
    if not rest:
        raise UsageError("text needs words.")
    places = rest[1:3] if len(rest) > 2 else [x, y]  # noqa: PLR2004 -- words, x, y
    home = target or last(current())
    look = replace(home.look.font, colour=checked(colour)) if colour else home.look.font
    across, up = places
    if (across is None) != (up is None):
        raise UsageError("text: a place is x and y; one of them is missing.")
    if any(one is not None and not _is_place(one) for one in places):
        said = " and ".join(map(shown, places))
        raise UsageError(f"text: a place is two numbers up to {FARTHEST:g}, x and y, not {said}.")
    words = str(rest[0])
    if across is None or up is None:
        return placed(Said.of(words, look), target)
    return placed(TextAt(words, float(across), float(up), look, rel), target)


def _is_place(value: Any) -> bool:
    number: Any = value
    is_number = isinstance(value, int | float | np.integer | np.floating)
    return is_number and bool(abs(number) <= FARTHEST)


def table(*what: Any, columns: Sequence[str] | None = None, title: str = "") -> Any:
    """A table to be shown as text: of a Table, a list of records, or columns by name."""
    target, rest = parted(what)
    if len(rest) != 1:
        raise UsageError("table needs the data that it shows, once.")
    found = as_table(rest[0])
    if columns is not None and not (isinstance(columns, list | tuple) and all(isinstance(one, str) for one in columns)):
        raise UsageError(f"table: columns are a list of names, not {shown(columns)} of something else.")
    return placed(TableOf(found.select(list(columns)) if columns else found, title), target)


def line(*what: Any, name: str = "", colour: str = "") -> Any:
    """A line: over its place, through x and y, or between two points (x0, y0, x1, y1)."""
    target, rest = parted(what)
    if len(rest) == 4:  # noqa: PLR2004 -- two points
        rest = [np.concatenate([numbers(one).ravel() for one in rest[side::2]]).astype(float) for side in (0, 1)]
    if len(rest) not in {1, 2}:
        raise UsageError("line needs y, or x and y, or x0, y0, x1, y1.")
    ys = numbers(rest[-1]).ravel()
    xs = _along(rest[0]) if len(rest) > 1 else np.arange(len(ys))
    if len(xs) != len(ys):
        raise UsageError(f"line: x has {len(xs)} values and y has {len(ys)}; they must be equally many.")
    return placed(Curve(xs, ys, name or current().name_of(rest[-1]), checked(colour) if colour else ""), target)


def _along(x: Any) -> NDArray[Any]:
    """Where the values of a line stand: numbers or times."""
    times = times_of(x)
    return times.ravel() if times is not None else numbers(x).ravel()


PAGE_ROWS, PAGE_ROWS_MAX = 100, 10_000


def page(what: Any = None, size: int = PAGE_ROWS) -> Any:
    """Anything with a length in pages of `size`, as the lists of the API are; without it, a new page of a report.

    Raises:
        UsageError: it has no length, or a page would hold none or more than 10,000.
    """
    if what is None:
        return Break()
    if not 1 <= size <= PAGE_ROWS_MAX:
        raise UsageError(f"page: a page holds 1 to {PAGE_ROWS_MAX:,}, not {size}.")
    total = _length(what)
    if total is None:
        raise UsageError(f"page needs a list, a table or a group, not {shown(what)}; list(...) makes a list.")
    return [Page(what[at : at + size], at, size, total) for at in range(0, total, size)]


def _length(what: Any) -> int | None:
    """How many things there are, of which some can be taken; None where it is nothing of that kind."""
    try:
        return len(what) if hasattr(what, "__getitem__") and not isinstance(what, str | bytes | dict) else None
    except TypeError:  # an array without any axis
        return None


def report(*items: Any, title: str = "", template: str = "") -> Report:
    """One page of figures, tables and paragraphs; `.add`, `.text`, `.table` go on. Written when the task ends.

    `template` names how it looks, as of a frame.

    Raises:
        UsageError: there is no such template.
    """
    if template:
        current().additions.template(template)
    rest = list(items)
    if not title and rest and isinstance(rest[0], str):
        title = rest.pop(0)
    made = Report(title, template=template)
    for item in rest:
        made.add(item)
    current().reports.append(made)
    return made
