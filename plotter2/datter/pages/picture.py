"""A figure as one small picture, drawn from its specification without any browser: what lists of outputs show.

What it leaves out, so that it stays small: panels beyond 9, points and polygons beyond 1,500 a layer (evenly chosen),
legend entries beyond 8, rows of tables beyond 9. The page beside it has them all. Of a long line it keeps what is seen
of it: where it enters and leaves each column of pixels, and how far it goes up and down in there (M4: Jugel and others,
"M4: A Visualization-Oriented Time Series Data Aggregation", PVLDB 7, 2014).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from plotter2.datter.figures import space, ticks
from plotter2.datter.figures.extent import extents, places
from plotter2.datter.figures.figure import GRID, INK, MUTED, Axis, Colours, Figure, Layer, Panel
from plotter2.datter.figures.palette import ANCHORS, shades, table
from plotter2.datter.pages import ramp
from plotter2.datter.pages.canvas import Canvas, Places, shortened, wrapped
from plotter2.datter.pages.strokes import cornered, dashed

PANELS_MAX, THINNED_MAX, PIXELS_MAX, LONG = 9, 1_500, 256, 400
ENTRIES_MAX, ROWS_MAX, HEADS_MAX, LETTERS_MAX = 8, 9, 5, 22
SIZES = {1: (480, 300), 2: (320, 220), 3: (240, 180)}
TITLE_HEIGHT, GAP = 26, 8
SMALL, MIDDLE, LARGE = 10, 11, 14
LETTER_WIDTH = 0.56
LEFT_MIN, BOTTOM, TOP, RIGHT = 30.0, 34.0, 10.0, 12.0
BAR_WIDTH, LEGEND_WIDTH = 52.0, 84.0
RAMP_HEIGHT, RAMP_WIDTH = 34, 300.0


def size_of(figure: Figure) -> tuple[int, int]:
    """Width and height of a figure's picture in pixels."""
    columns, shown = min(max(figure.columns, 1), 3), figure.panels[:PANELS_MAX]
    width, height = SIZES[columns]
    rows = -(-len(shown) // columns)
    return columns * width, TITLE_HEIGHT + rows * height + RAMP_HEIGHT * bool(ramp.shared(shown))


def draw(figure: Figure, canvas: Canvas) -> None:
    """Draw a figure on a canvas of its size."""
    columns, shown = min(max(figure.columns, 1), 3), figure.panels[:PANELS_MAX]
    width, height = SIZES[columns]
    more = f"  (+{len(figure.panels) - len(shown)} more)" if len(figure.panels) > len(shown) else ""
    title = shortened(figure.title, int(columns * width / LARGE / LETTER_WIDTH) - len(more))
    canvas.words(title + more, GAP, 18, LARGE, INK, is_bold=True)
    for place, panel in enumerate(shown):
        left, top = place % columns * width, TITLE_HEIGHT + place // columns * height
        _Drawing(canvas, space.still(panel), left, top, width, height).draw()
    if scales := ramp.shared(shown):
        _draw_ramp(canvas, scales[0], size_of(figure)[1] - RAMP_HEIGHT)


def _draw_ramp(canvas: Canvas, colours: Colours, top: float) -> None:
    """The bar of the panels that share their colours, below all of them."""
    strip = np.full((1, 256, 4), 255, np.uint8)
    strip[0, :, :3] = table(colours.stops or ANCHORS[colours.palette])
    left = GAP + LEFT_MIN
    canvas.image(strip, left, top + 4, RAMP_WIDTH, 10)
    for share, word in ramp.marks(colours):
        canvas.words(shortened(word, LETTERS_MAX), left + share * RAMP_WIDTH, top + 26, SMALL, MUTED, "middle")
    canvas.words(shortened(colours.title, LETTERS_MAX), left + RAMP_WIDTH + GAP * 2, top + 13, SMALL, MUTED)


class _Drawing:
    """One panel on its part of the paper."""

    def __init__(self, canvas: Canvas, panel: Panel, left: float, top: float, width: float, height: float) -> None:
        self.canvas, self.panel = canvas, panel
        self.left, self.top, self.right, self.bottom = left + GAP, top, left + width - GAP, top + height - GAP / 2
        self._has_bar = panel.colours is not None and not panel.shares_colours

    def draw(self) -> None:
        """All of it."""
        if self.panel.title:
            room = int((self.right - self.left) / MIDDLE / LETTER_WIDTH)
            self.canvas.words(shortened(self.panel.title, room), self.left, self.top + 11, MIDDLE, INK, is_bold=True)
            self.top += 16
        if self.panel.visual == "table":
            self._table()
        elif not self.panel.is_drawn:
            self._text()
        else:
            self._plot()

    def _text(self) -> None:
        size = min(self.panel.font.size, LARGE)
        wide = int((self.right - self.left) / size / LETTER_WIDTH)
        lines = int((self.bottom - self.top) / size / 1.4)
        for place, line in enumerate(wrapped(self.panel.text, max(wide, 8), max(lines, 1))):
            self.canvas.words(line, self.left, self.top + (place + 1) * size * 1.4, size, self.panel.font.colour or INK)

    def _table(self) -> None:
        heads = self.panel.heads[:HEADS_MAX]
        step = (self.right - self.left) / max(len(heads), 1)
        letters = min(int(step / SMALL / LETTER_WIDTH) - 1, LETTERS_MAX)
        rows = [[_written(one) for one in row[:HEADS_MAX]] for row in self.panel.rows[:ROWS_MAX]]
        for down, row in enumerate([list(heads), *rows]):
            for across, word in enumerate(row):
                at = self.left + across * step, self.top + 14 + down * 18
                self.canvas.words(shortened(word, letters), *at, SMALL, INK if down else MUTED, is_bold=not down)
        line = np.array([[self.left, self.top + 20], [self.right, self.top + 20]])
        self.canvas.line(line, GRID, 1)

    def _plot(self) -> None:
        panel = self.panel
        self._x_ends, self._y_ends = extents(panel, panel.x, "x"), extents(panel, panel.y, "y")
        x_marks, y_marks = ticks.marks(panel.x, *self._x_ends), ticks.marks(panel.y, *self._y_ends)
        widest = max((len(word) for _, word in y_marks), default=0) if panel.y.is_shown else 0
        margin = max(LEFT_MIN, min(widest, LETTERS_MAX) * SMALL * LETTER_WIDTH + 10) + (14 if panel.y.words else 0)
        names = list(dict.fromkeys(layer.name for layer in panel.layers if layer.name)) if panel.has_legend else []
        self._inner = (
            self.left + margin, self.top + TOP,
            self.right - RIGHT - BAR_WIDTH * self._has_bar - LEGEND_WIDTH * bool(names), self.bottom - BOTTOM,
        )  # fmt: skip
        self._keep_aspect()
        self._axes(x_marks, y_marks)
        left, top, right, bottom = self._inner
        self.canvas.clip(left, top, right - left, bottom - top)
        for layer in panel.layers:
            self._layer(layer)
        self.canvas.clip(0, 0, 0, 0)
        self._legend(names)
        self._bar()

    def _keep_aspect(self) -> None:
        left, top, right, bottom = self._inner
        if self.panel.aspect and right > left:
            width = min(right - left, (bottom - top) / self.panel.aspect)
            self._inner = left, top, left + width, top + width * self.panel.aspect

    def _place(self, xs: Any, ys: Any, layer: Layer) -> Places:
        left, top, right, bottom = self._inner
        if layer.is_relative:
            across, up = np.asarray(xs, float), np.asarray(ys, float)
        else:
            across = _share(places(xs, self.panel.x), self.panel.x, *self._x_ends)
            up = _share(places(ys, self.panel.y), self.panel.y, *self._y_ends)
        return np.column_stack([left + across * (right - left), bottom - up * (bottom - top)])

    def _axes(self, x_marks: ticks.Marks, y_marks: ticks.Marks) -> None:
        left, top, right, bottom = self._inner
        whole = self.panel
        if whole.x.is_shown:
            step = max(-(-len(x_marks) * max((len(word) for _, word in x_marks), default=1) * SMALL * 6 // 10
                         // max(int(right - left), 1)), 1)  # fmt: skip
            for at, word in x_marks[:: int(step)]:
                x = left + float(_share(np.array([at]), whole.x, *self._x_ends)[0]) * (right - left)
                self.canvas.line(np.array([[x, top], [x, bottom]]), GRID, 1)
                self.canvas.words(shortened(word, LETTERS_MAX), x, bottom + 13, SMALL, MUTED, "middle")
            self.canvas.words(shortened(whole.x.words, 60), (left + right) / 2, bottom + 28, MIDDLE, INK, "middle")
            self.canvas.line(np.array([[left, bottom], [right, bottom]]), MUTED, 1)
        if whole.y.is_shown:
            step = max(int(len(y_marks) * (SMALL + 3) / max(bottom - top, 1)) + 1, 1)
            for at, word in y_marks[::step]:
                y = bottom - float(_share(np.array([at]), whole.y, *self._y_ends)[0]) * (bottom - top)
                self.canvas.line(np.array([[left, y], [right, y]]), GRID, 1)
                self.canvas.words(shortened(word, LETTERS_MAX), left - 5, y + 3.5, SMALL, MUTED, "end")
            if whole.y.words:
                self.canvas.words(
                    shortened(whole.y.words, 32), self.left + 9, (top + bottom) / 2, MIDDLE, INK, "middle",
                    is_upright=True,
                )  # fmt: skip
            self.canvas.line(np.array([[left, top], [left, bottom]]), MUTED, 1)

    def _layer(self, layer: Layer) -> None:
        columns, canvas = layer.columns, self.canvas
        if layer.mark == "line":
            way = dashed(_seen(self._place(columns["x"], columns["y"], layer)), layer.pattern)
            canvas.line(way, layer.colour, layer.size * 0.8, layer.alpha)
        elif layer.mark == "band":
            there = self._place(columns["x"], columns["low"], layer), self._place(columns["x"], columns["high"], layer)
            canvas.area(np.vstack([there[0], there[1][::-1]]), layer.colour, layer.alpha)
        elif layer.mark in {"image", "rgba"}:
            self._image(layer)
        elif layer.mark == "points":
            self._points(layer)
        elif layer.mark == "bars":
            self._bars(layer)
        elif layer.mark == "text":
            for (x, y), word in zip(self._place(columns["x"], columns["y"], layer), columns["text"], strict=True):
                font = layer.font
                canvas.words(str(word), x, y, font.size * 0.8, layer.colour, is_bold=font.is_bold)
        else:
            self._outlines(layer)

    def _points(self, layer: Layer) -> None:
        spots = self._place(layer.columns["x"], layer.columns["y"], layer)
        chosen = _chosen(len(spots))
        colours = self._shades(layer)
        size = max(layer.size * 0.7, 2)
        if layer.pattern:
            for corners in cornered(spots[chosen], layer.pattern, size):
                self.canvas.area(corners, layer.colour, layer.alpha)
            return
        if colours is None:
            self.canvas.dots(spots[chosen], layer.colour, size, layer.alpha)
            return
        shown = np.array(colours)[chosen]
        for colour in dict.fromkeys(shown.tolist()):
            self.canvas.dots(spots[chosen][shown == colour], colour, size, layer.alpha)

    def _bars(self, layer: Layer) -> None:
        columns = layer.columns
        if "left" in columns:
            sides = np.asarray(columns["left"], float), np.asarray(columns["right"], float)
        else:
            middle, half = places(columns["x"], self.panel.x), np.asarray(columns["width"], float) / 2
            sides = middle - half, middle + half
        for left, right, low, high in zip(*sides, columns["bottom"], columns["top"], strict=True):
            corners = self._place([left, right, right, left], [low, low, high, high], layer)
            if np.isfinite(corners).all():
                self.canvas.area(corners, layer.colour, 0.85 * layer.alpha)

    def _outlines(self, layer: Layer) -> None:
        columns = layer.columns
        colours = self._shades(layer)
        if layer.mark in {"segments", "arrows"}:
            tails = self._place(columns["x0"], columns["y0"], layer)
            tips = self._place(columns["x1"], columns["y1"], layer)
            lines = np.stack([tails, tips, np.full_like(tails, np.nan)], axis=1).reshape(-1, 2)
            self.canvas.line(lines, layer.colour, layer.size * 0.8, layer.alpha)
            if layer.mark == "arrows":
                self._heads(tails, tips, layer.colour)
            return
        for at in _chosen(len(columns["xs"])):
            outline = self._place(columns["xs"][at], columns["ys"][at], layer)
            colour = colours[at] if colours else layer.colour
            if layer.mark == "curves":
                self.canvas.line(_seen(outline), colour, layer.size * 0.8, layer.alpha)
            else:
                self.canvas.area(outline, colour, layer.alpha, layer.edge, layer.size * 0.8)

    def _heads(self, tails: Places, tips: Places, colour: str) -> None:
        size = 7.0 if len(tips) < ENTRIES_MAX * 3 else 3.5
        for tail, tip in zip(tails, tips, strict=True):
            way = tip - tail
            length = float(np.hypot(*way))
            if not np.isfinite(length) or not length:
                continue
            back = tip - way / length * size
            side = np.array([-way[1], way[0]]) / length * size * 0.45
            self.canvas.area(np.array([tip, back + side, back - side]), colour, 1.0)

    def _shades(self, layer: Layer) -> list[str] | None:
        if self.panel.colours is None or "colour" not in layer.columns:
            return None
        found = shades(np.asarray(layer.columns["colour"], float), self.panel.colours)
        return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue, _ in found.tolist()]

    def _image(self, layer: Layer) -> None:
        columns = layer.columns
        array = np.asarray(columns["image"])
        step = -(-max(array.shape[:2]) // PIXELS_MAX)
        array = array[::step, ::step]
        if layer.mark == "rgba":
            pixels = np.ascontiguousarray(array).view(np.uint8).reshape(*array.shape[:2], 4)
        elif self.panel.colours is not None:
            pixels = shades(array.astype(float), self.panel.colours)
        else:
            return
        xs = [columns["x"][0], columns["x"][0] + columns["dw"][0]]
        ys = [columns["y"][0], columns["y"][0] + columns["dh"][0]]
        (x0, y0), (x1, y1) = self._place(xs, ys, layer).tolist()
        pixels = pixels[::-1] if y0 > y1 else pixels
        pixels = pixels[:, ::-1] if x0 > x1 else pixels
        self.canvas.image(np.ascontiguousarray(pixels), min(x0, x1), min(y0, y1), abs(x1 - x0), abs(y1 - y0))

    def _legend(self, names: list[str]) -> None:
        left, top = self._inner[2] + 10 + BAR_WIDTH * self._has_bar, self._inner[1]
        colours = {layer.name: layer.colour for layer in reversed(self.panel.layers) if layer.name}
        title = [(shortened(self.panel.legend_title, 14), "")] if self.panel.legend_title else []
        more = [(f"+{len(names) - ENTRIES_MAX} more", "")] if len(names) > ENTRIES_MAX else []
        entries = title + [(name, colours[name]) for name in names[:ENTRIES_MAX]] + more
        for place, (name, colour) in enumerate(entries):
            y = top + 8 + place * 15
            if colour:
                self.canvas.dots(np.array([[left + 4, y - 3.5]]), colour, 7, 1.0)
            at = left + 12 * bool(colour)
            self.canvas.words(shortened(name, 13 if colour else 15), at, y, SMALL, INK if colour else MUTED)

    def _bar(self) -> None:
        colours = self.panel.colours
        if colours is None or not self._has_bar:
            return
        left, top, bottom = self._inner[2] + 8, self._inner[1], self._inner[3]
        ramp = np.full((256, 1, 4), 255, np.uint8)
        ramp[::-1, 0, :3] = table(colours.stops or ANCHORS[colours.palette])
        self.canvas.image(ramp, left, top, 10, bottom - top)
        axis = Axis(scale="log" if colours.is_log else "linear")
        ends = colours.low, colours.high
        for at, word in ticks.marks(axis, *ends)[:: 1 if bottom - top > 80 else 2]:  # noqa: PLR2004 -- pixels
            y = bottom - float(_share(np.array([at]), axis, *ends)[0]) * (bottom - top)
            self.canvas.words(shortened(word, 6), left + 13, y + 3.5, SMALL - 1, MUTED)


def _written(value: Any) -> str:
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return "\N{EN DASH}"
    return ticks.number(value) if isinstance(value, float) else str(value)


def _share(values: Any, axis: Axis, low: float, high: float) -> Any:
    """Where values lie between the ends of an axis: 0 to 1."""
    if axis.scale == "log":
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.log10(np.where(values > 0, values, np.nan))
        low, high = float(np.log10(low)), float(np.log10(high))
    return (values - low) / ((high - low) or 1.0)


def _chosen(count: int) -> Any:
    """Places of what is drawn of so many."""
    if count <= THINNED_MAX:
        return np.arange(count)
    return np.linspace(0, count - 1, THINNED_MAX).astype(int)


def _seen(line: Places) -> Places:
    """What is seen of a long line: of its way through a column of pixels the first, lowest, highest and last place."""
    if len(line) <= LONG:
        return line
    columns = np.where(np.isfinite(line).all(axis=1), np.floor(line[:, 0]), np.nan)
    is_first = np.append(True, columns[1:] != columns[:-1])
    firsts = np.flatnonzero(is_first)
    lasts = np.append(firsts[1:], len(line)) - 1
    by_height = np.lexsort((line[:, 1], np.cumsum(is_first)))
    seen: Places = line[np.unique(np.concatenate([firsts, lasts, by_height[firsts], by_height[lasts]]))]
    return seen
