"""Frames and what is put into them: plain objects that scripts hold on to until their figure is sent.

A frame nests others; its root is what is sent as one figure. Knows nothing of how things are drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from plotter2.datter.figures.figure import PLAIN, Font, Panel
from plotter2.datter.values.incoming import taken_in
from plotter2.datter.values.keys import shown
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

DEPTH_MAX = 16


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A line through points: the shape that `line` makes."""

    x: NDArray[Any]
    y: NDArray[Any]
    name: str = ""
    colour: str = ""


@dataclass(frozen=True, slots=True)
class TextAt:
    """Words at a place in data coordinates."""

    words: str
    x: float
    y: float
    font: Font = PLAIN
    is_relative: bool = False


class Said(str):
    """A paragraph with a look of its own; one object each, so that it can be told from the same words elsewhere."""

    __slots__ = ("font",)
    font: Font

    @classmethod
    def of(cls, words: str, font: Font) -> Said:
        """The words and how they look."""
        made = cls(words)
        made.font = font
        return made


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What a word for shapes makes: `draw` gives its panels in the colours of the frame that it is put into."""

    draw: Callable[[Sequence[str]], list[Panel]]
    value: Any = None
    name: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Coloured:
    """Data whose rows are coloured by something: what `colour(data, by=...)` makes."""

    value: Any
    by: Any


@dataclass(frozen=True, slots=True)
class Page:
    """Some of many things: `items` from `offset` on, at most `limit` of `total`."""

    items: Any
    offset: int
    limit: int
    total: int


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """Where objects are, what `simulate` makes: `states` is steps x objects x 2 or 3, `dt` the time of a step."""

    states: NDArray[Any]
    dt: float
    names: tuple[str, ...]


class Break:
    """A new page when the report is printed: what `page()` makes."""


@dataclass(frozen=True, slots=True, eq=False)
class TableOf:
    """A table to be shown as text: what `table` makes."""

    table: Table
    title: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class MotionOf:
    """Data to be shown one after the other: what `animate` queues."""

    value: Any


@dataclass(slots=True, eq=False)
class Look:
    """What a script said about the axes, legend and colours of a frame; None means: choose."""

    x: str | None = None
    y: str | None = None
    x_scale: str | None = None
    y_scale: str | None = None
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    has_legend: bool | None = None
    legend_title: str | None = None
    palette: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    limits: tuple[float, float] | None = None
    by: Any = None
    font: Font = PLAIN
    axes: int | None = None
    size: tuple[int, int] = (0, 0)
    is_equal: bool = False

    @property
    def has_axes(self) -> bool:
        """Whether the script said something of one x and one y."""
        said = (self.x, self.y, self.x_scale, self.y_scale, self.x_range, self.y_range)
        return self.is_equal or any(one is not None for one in said)


@dataclass(slots=True, eq=False)
class Frame:
    """A container of things to draw, and of further frames, which lie left to right and then wrap."""

    title: str = ""
    parent: Frame | None = None
    columns: int = 0
    look: Look = field(default_factory=Look)
    items: list[Any] = field(default_factory=list)
    children: list[Frame] = field(default_factory=list)
    is_sent: bool = False
    template: str = ""

    def __post_init__(self) -> None:
        if self.parent is not None:
            if sum(1 for _ in self.parent.lineage()) >= DEPTH_MAX:
                raise UsageError(f"Frames can be nested {DEPTH_MAX} deep, not deeper.")
            self.parent.children.append(self)

    def lineage(self) -> Iterator[Frame]:
        """This frame and what it lies in, up to the root."""
        one: Frame | None = self
        while one is not None:
            yield one
            one = one.parent

    @property
    def root(self) -> Frame:
        """The outermost frame around this one."""
        return list(self.lineage())[-1]

    def walk(self) -> Iterator[Frame]:
        """This frame and all within it, in the order in which they were made."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be drawn in it."""
        return not any(one.items for one in self.walk())


@dataclass(slots=True, eq=False)
class Report:
    """One page of many figures, tables and paragraphs, written when the task ends."""

    title: str
    frames: list[Frame] = field(default_factory=list)
    subtitle: str = ""
    template: str = ""

    def add(self, *items: Any, title: str = "") -> Report:
        """A section: frames as they are, everything else drawn as it suits it."""
        loose = [taken_in(item) for item in items if not isinstance(item, Frame)]
        for item in items:
            if isinstance(item, Frame):
                item.root.is_sent = True
                item.root.title = item.root.title or title
                self.frames.append(item.root)
        if loose:
            self.frames.append(Frame(title, items=loose, is_sent=True))
        return self

    def text(self, words: str, title: str = "") -> Report:
        """Paragraphs, parted by empty lines."""
        return self.add(words, title=title)

    def table(self, data: Any, title: str = "") -> Report:
        """A table: of a Table, a list of records, or columns by name."""
        return self.add(TableOf(as_table(data)), title=title)


def as_table(data: Any) -> Table:
    """Whatever can be a table, as one.

    Raises:
        UsageError: it cannot.
    """
    data = taken_in(data)
    if isinstance(data, Table):
        return data
    if isinstance(data, dict) and data:
        if all(hasattr(column, "__len__") and not isinstance(column, str) for column in data.values()):
            return Table(data)
        return Table({"name": list(map(str, data)), "value": [_simple(value) for value in data.values()]})
    if isinstance(data, list) and data and all(isinstance(row, dict) for row in data):
        return Table.of_rows(data)
    raise UsageError(f"table needs columns by name, a list of records or a Table, not {shown(data)}.")


def _simple(value: Any) -> Any:
    return value if isinstance(value, str | int | float | None) else str(value)
