"""Things in three dimensions: points, ways and surfaces that a page lets people turn, and the still picture of them.

The page gets the numbers and turns them itself (`assets/space.js`); what needs a picture without a browser gets the
view from one place, flattened here into plain layers, farthest first. Both see the box by the same rule: each axis
spans its own range (or, with `axis(equal=True)`, one unit is as long on each), the eye stands `DISTANCE` half boxes
off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.figures import ticks, visuals
from plotter2.datter.figures.figure import GRID, INK, MUTED, Axis, Colours, Font, Layer, Panel, Space
from plotter2.datter.figures.palette import colours_for
from plotter2.datter.mathematics.cluster import pca
from plotter2.datter.mathematics.expression import Expr
from plotter2.datter.values.points import Labels, Points, complete, label_column, numbers, points
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError

SIDES = 3
AZIMUTH, ELEVATION, DISTANCE = np.deg2rad(-60.0), np.deg2rad(22.0), 6.0
POINTS_MAX, WAY_MAX = 10_000, 10_000
SURFACE_SIDE_MAX = 120
STILL_SIDE_MAX, STILL_PIECES_MAX = 34, 1_200
VIEW = (-2.3, 2.0), (-1.75, 1.4)
"""What the still picture shows, in half boxes: left and right, bottom and top."""
PAD = 0.04
FLATTEST = 0.05
LETTERS, LETTER = Font(12), 0.066
"""How words in the still picture look, and how wide a letter of theirs is, in half boxes."""
Vectors = NDArray[np.float64]


def scene(value: Any, _: str, palette: Sequence[str]) -> list[Panel]:
    """Rows of three columns as points in a box; of more columns, their first three principal components.

    Raises:
        UsageError: fewer than three columns, or no row without a missing value.
    """
    found, names = _columns(value)
    labels = found.groups or Labels("", ("",), np.zeros(len(found), int))
    chosen, notes = _chosen(len(found), POINTS_MAX, "rows")
    matrix, codes = found.matrix[chosen], labels.codes[chosen]
    colours = list(palette) or colours_for(len(labels.names))
    hover = tuple(zip(names, "xyz", strict=True))
    size = float(np.clip(60 / np.sqrt(max(len(matrix), 1)), 3, 7))
    layers = [
        Layer("points", _xyz(matrix[codes == code]), one, colours[code % len(colours)], 0.9, size, hover)
        for code, one in enumerate(labels.names)
        if (codes == code).any()
    ]
    panel = _panel("scene", names, layers, [*found.notes, *notes])
    return [replace(panel, has_legend=len(labels.names) > 1, legend_title=labels.title)]


def trajectory(value: Any, _: str, __: Sequence[str]) -> list[Panel]:
    """Rows of three columns as one way through a box, in their order, coloured from its begin to its end.

    Raises:
        UsageError: fewer than three columns, or no row without a missing value.
    """
    found, names = _columns(value)
    chosen, notes = _chosen(len(found), WAY_MAX, "places of the way")
    columns = {**_xyz(found.matrix[chosen]), "colour": chosen.astype(float)}
    hover = (("place", "colour"), *zip(names, "xyz", strict=True))
    panel = _panel("trajectory", names, [Layer("line", columns, size=2, hover=hover)], [*found.notes, *notes])
    colours = Colours("strokes", 0.0, max(float(len(found) - 1), 1.0), "place")
    return [replace(panel, colours=colours)]


def surface(value: Any, name: str, _: Sequence[str]) -> list[Panel]:
    """A grid of heights, or a formula of two variables, as a surface coloured by height.

    Raises:
        UsageError: no grid of at least 2 x 2, or no height that is finite.
    """
    if isinstance(value, Expr) and len(value.ranges) == visuals.SEVERAL:
        (across, xs), (up, ys) = value.ranges.items()
        heights, label = np.asarray(value.y, float).T, value.name or "value"
    else:
        heights = numbers(value).astype(float)
        across, up, label = "column", "row", name or "value"
        if heights.ndim != visuals.SEVERAL:
            raise UsageError(f"A surface needs rows and columns of heights; this has the shape {heights.shape}.")
        xs, ys = np.arange(heights.shape[1], dtype=float), np.arange(heights.shape[0], dtype=float)
    if min(heights.shape) < visuals.SEVERAL:
        raise UsageError(f"A surface needs at least 2 x 2 heights; this has the shape {heights.shape}.")
    low, high = visuals.extent(heights)
    steps = [-(-(side - 1) // (SURFACE_SIDE_MAX - 1)) for side in heights.shape]
    notes = []
    if max(steps) > 1:
        notes = [
            f"Every {steps[0]}th row and {steps[1]}th column of {heights.shape[0]:,} x {heights.shape[1]:,} heights."
        ]
    heights = heights[:: steps[0], :: steps[1]]
    grid_x, grid_y = np.meshgrid(np.asarray(xs, float)[:: steps[1]], np.asarray(ys, float)[:: steps[0]])
    columns = {"x": grid_x.ravel(), "y": grid_y.ravel(), "z": heights.ravel(), "colour": heights.ravel()}
    hover = ((str(across), "x"), (str(up), "y"), (label, "z"))
    layer = Layer("surface", {**columns, "rows": [heights.shape[0]]}, hover=hover)
    panel = _panel("surface", (str(across), str(up), label), [layer], notes)
    return [replace(panel, colours=visuals.colour_scale((low, high), label))]


def _columns(value: Any) -> tuple[Points, tuple[str, ...]]:
    if isinstance(value, Table) and not value.label:
        column = label_column(value)
        value = value.labelled(column) if column else value
    found = complete(points(value))
    if found.shape[1] < SIDES:
        raise UsageError(f"Something in three dimensions needs three columns of numbers; this has {found.shape[1]}.")
    if found.shape[1] == SIDES:
        return found, found.names
    flat = pca(found, SIDES)
    note = f"The first three principal components of {found.shape[1]} columns."
    names = tuple(f"{one} ({share:.1%})" for one, share in zip(flat.names, flat.explained, strict=True))
    return replace(flat, notes=(*flat.notes, note), groups=flat.groups or found.groups), names


def _chosen(count: int, most: int, what: str) -> tuple[NDArray[Any], list[str]]:
    if count <= most:
        return np.arange(count), []
    return np.linspace(0, count - 1, most).astype(int), [f"{most:,} of {count:,} {what}, evenly chosen."]


def _xyz(matrix: Vectors) -> dict[str, Any]:
    return {name: np.ascontiguousarray(matrix[:, side], np.float32) for side, name in enumerate("xyz")}


def _panel(visual: str, names: Sequence[str], layers: Sequence[Layer], notes: Sequence[str]) -> Panel:
    axes = tuple(
        axis(name, np.concatenate([layer.columns[side] for layer in layers]))
        for name, side in zip(names, "xyz", strict=True)
    )
    return Panel(visual, layers=(), has_legend=False, notes=tuple(notes), space=Space(axes, tuple(layers)))


def axis(name: str, values: NDArray[Any]) -> Axis:
    """An axis that holds these values and a little air."""
    low, high = visuals.extent(np.asarray(values, float))
    pad = (high - low) * PAD or 0.5
    return Axis(name, low=low - pad, high=high + pad)


def proportions(space: Space) -> tuple[float, ...]:
    """Half the length of each axis, the longest is 1."""
    if not space.is_equal:
        return (1.0, 1.0, 0.8)
    spans = [(axis.high or 0.0) - (axis.low or 0.0) for axis in space.axes]
    return tuple(max(span / max(spans), FLATTEST) for span in spans)


# --- the still picture ------------------------------------------------------------------------------------------------


def still(panel: Panel) -> Panel:
    """What the eye sees from where it stands first, as a flat panel: the box, then everything, farthest first."""
    space = panel.space
    if space is None:
        return panel
    eye = _Eye(space)
    layers = [*eye.box(), *(flat for layer in space.layers for flat in eye.flat(layer))]
    (left, right), (bottom, top) = VIEW
    x, y = Axis(low=left, high=right, is_shown=False), Axis(low=bottom, high=top, is_shown=False)
    return replace(panel, space=None, layers=tuple(layers), x=x, y=y, aspect=(top - bottom) / (right - left))


class _Eye:
    """Turns places in the box into places on the picture."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.half = np.array(proportions(space))
        self.low = np.array([axis.low for axis in space.axes], float)
        self.high = np.array([axis.high for axis in space.axes], float)
        across, up = (np.cos(AZIMUTH), np.sin(AZIMUTH)), (np.cos(ELEVATION), np.sin(ELEVATION))
        self.toward = np.array([up[0] * across[0], up[0] * across[1], up[1]])
        self.turn = np.array(
            [[-across[1], across[0], 0.0], [-up[1] * across[0], -up[1] * across[1], up[0]], self.toward]
        )

    def see(self, xyz: Vectors) -> tuple[Vectors, Vectors]:
        """Where places are seen, n x 2, and how near each is."""
        turned = ((xyz - self.low) / (self.high - self.low) * 2 - 1) * self.half @ self.turn.T
        return turned[:, :2] * (DISTANCE / (DISTANCE - turned[:, 2]))[:, None], turned[:, 2]

    def flat(self, layer: Layer) -> list[Layer]:
        """A layer as it is seen."""
        if layer.mark == "surface":
            return [self._tiles(layer)]
        step = -(-len(layer.columns["x"]) // STILL_PIECES_MAX) if layer.mark == "line" else 1
        xyz = np.column_stack([np.asarray(layer.columns[side], float)[::step] for side in "xyz"])
        seen, near = self.see(xyz)
        columns = {"x": seen[:, 0], "y": seen[:, 1]}
        if layer.mark == "line" and "colour" in layer.columns:
            ends = {"xs": list(np.column_stack([seen[:-1, 0], seen[1:, 0]])),
                    "ys": list(np.column_stack([seen[:-1, 1], seen[1:, 1]])),
                    "colour": np.asarray(layer.columns["colour"], float)[::step][1:]}  # fmt: skip
            return [replace(layer, mark="curves", columns=ends)]
        if layer.mark == "line":
            return [replace(layer, columns=columns)]
        order = np.argsort(near, kind="stable")
        shade = {"colour": np.asarray(layer.columns["colour"])[order]} if "colour" in layer.columns else {}
        return [replace(layer, columns={"x": seen[order, 0], "y": seen[order, 1], **shade})]

    def _tiles(self, layer: Layer) -> Layer:
        """A surface as four-cornered pieces, few enough for a small picture."""
        rows = layer.columns["rows"][0]
        grids = [np.asarray(layer.columns[side], float).reshape(rows, -1) for side in "xyz"]
        steps = [max(-(-(side - 1) // (STILL_SIDE_MAX - 1)), 1) for side in grids[0].shape]
        grids = [one[:: steps[0], :: steps[1]] for one in grids]
        seen, near = self.see(np.column_stack([one.ravel() for one in grids]))
        shape = grids[0].shape
        corners = [(slice(0, -1), slice(0, -1)), (slice(0, -1), slice(1, None)),
                   (slice(1, None), slice(1, None)), (slice(1, None), slice(0, -1))]  # fmt: skip
        outline = np.stack([seen.reshape(*shape, 2)[one].reshape(-1, 2) for one in corners], axis=1)
        height = np.mean([grids[2][one] for one in corners], axis=0).ravel()
        depth = np.mean([near.reshape(shape)[one] for one in corners], axis=0).ravel()
        order = [at for at in np.argsort(depth, kind="stable").tolist() if np.isfinite(outline[at]).all()]
        columns = {"xs": [outline[at, :, 0] for at in order], "ys": [outline[at, :, 1] for at in order],
                   "colour": height[order]}  # fmt: skip
        return replace(layer, mark="polygons", columns=columns, size=0.6)

    def box(self) -> list[Layer]:
        """The three walls behind, their grid, and ticks and names at the edges in front of them."""
        behind = np.where(self.toward > 0, self.low, self.high)
        before = np.where(self.toward > 0, self.high, self.low)
        lines: list[Vectors] = []
        words: list[tuple[Vectors, str, bool]] = []
        for side in range(SIDES):
            axis = self.space.axes[side]
            edge = self._edge(side, behind, before)
            for at, word in ticks.marks(axis, *self._span(side)):
                for other in {0, 1, 2} - {side}:
                    third = ({0, 1, 2} - {side, other}).pop()
                    ends = np.tile(behind, (2, 1))
                    ends[:, side] = at
                    ends[1, third] = before[third]
                    lines.append(ends)
                words.append((_put(edge, side, at), word, False))
            middle = sum(self._span(side)) / 2 if side < SIDES - 1 else self.high[side]  # z is written on top
            words.append((_put(edge, side, middle), axis.label, True))
        seen = [self.see(one)[0] for one in lines]
        grid = Layer(
            "curves", {"xs": [one[:, 0] for one in seen], "ys": [one[:, 1] for one in seen]}, colour=GRID, size=1
        )
        return [grid, *self._words(words)]

    def _span(self, side: int) -> tuple[float, float]:
        return float(self.low[side]), float(self.high[side])

    def _edge(self, side: int, behind: Vectors, before: Vectors) -> Vectors:
        """The edge that an axis is written at: the floor's for x and y; the leftmost upright one for z."""
        if side < SIDES - 1:
            edge = behind.copy()
            edge[1 - side] = before[1 - side]
            return edge
        found = [np.array([x, y, behind[2]]) for x, y in ((behind[0], before[1]), (before[0], behind[1]))]
        return min(found, key=lambda one: float(self.see(one[None])[0][0, 0]))

    def _words(self, words: Sequence[tuple[Vectors, str, bool]]) -> list[Layer]:
        spots, _ = self.see(np.array([at for at, _, _ in words]))
        middle, _ = self.see((self.low + self.high)[None] / 2)
        away = spots - middle
        away /= np.maximum(np.hypot(*away.T), 1e-9)[:, None]
        away[-1] = (0.0, 0.45)
        out = np.array([0.42 if is_name else 0.13 for _, _, is_name in words])[:, None]
        put = spots + away * out
        layers = []
        for is_name, colour in ((False, MUTED), (True, INK)):
            at = [place for place, one in enumerate(words) if one[2] is is_name and one[1]]
            wide = LETTER * np.array([len(words[place][1]) for place in at])
            columns = {
                "x": put[at, 0] + wide * (away[at, 0] - 1) / 2,
                "y": put[at, 1] - 0.03,
                "text": [words[place][1] for place in at],
            }
            layers.append(Layer("text", columns, colour=colour, font=LETTERS))
        return layers


def _put(place: Vectors, side: int, value: float) -> Vectors:
    found = place.copy()
    found[side] = value
    return found
