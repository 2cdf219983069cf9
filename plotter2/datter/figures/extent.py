"""How far what is drawn in a panel reaches along an axis: for drawing without a browser, and equal axes (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.figures.figure import Axis, Layer, Panel
from plotter2.errors import UsageError

PAD = 0.05
FARTHEST = 1e307
"""Places beyond it leave no room within a float for what lies between them, and for air around them."""
_ALONG = {"x": ("x", "x0", "x1", "left", "right", "xs"), "y": ("y", "y0", "y1", "top", "bottom", "low", "high", "ys")}
Name = Literal["x", "y"]


def extents(panel: Panel, axis: Axis, name: Name, air: float = PAD) -> tuple[float, float]:
    """Lowest and highest place of an axis: what it says, else what its layers span and a share of that as air."""
    if axis.scale == "category":
        return -0.5, max(len(axis.factors), 1) - 0.5
    parts = [_places(layer, name, axis) for layer in panel.layers if not layer.is_relative]
    values = np.concatenate([*parts, np.array([], float)])
    values = values[np.isfinite(values)]
    if axis.scale == "log":
        values = np.log10(values[values > 0])
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    around = (high - low or abs(high) or 1.0) * air if air else 0.0
    low, high = low - around, high + around
    if axis.scale == "log":
        low, high = 10.0**low, 10.0**high
    return low if axis.low is None else axis.low, high if axis.high is None else axis.high


@contextmanager
def within_floats() -> Iterator[None]:
    """Work out what is drawn; where a number leaves what a float can hold, that is said.

    Raises:
        UsageError: one did.
    """
    try:
        with np.errstate(over="raise"):
            yield
    except FloatingPointError:
        raise UsageError(
            f"These values are too large to be drawn, or too far apart: places reach to {FARTHEST:g}, values shown "
            "as colours or in motion to 3.4e38; divide them by a unit first."
        ) from None


def check_reach(panel: Panel) -> None:
    """Refuse a panel that reaches further than can be drawn.

    Raises:
        UsageError: it does, with the axis.
    """
    if panel.space is not None:
        reached = [(one, (one.low or 0.0, one.high or 0.0)) for one in panel.space.axes]
    else:
        reached = [(panel.x, _raw(panel, panel.x, "x")), (panel.y, _raw(panel, panel.y, "y"))]
    for (axis, (low, high)), name in zip(reached, "xyz", strict=False):
        if axis.scale != "category" and not max(-low, high) <= FARTHEST:
            raise UsageError(
                f"The axis {axis.label or name} reaches from {low:g} to {high:g}, which is further than "
                f"{FARTHEST:g}, the furthest that can be drawn; divide the values by a unit first."
            )


def _raw(panel: Panel, axis: Axis, name: Name) -> tuple[float, float]:
    try:
        return extents(panel, axis, name, air=0.0)
    except OverflowError:  # a logarithm that is rounded up
        return 0.0, np.inf


def places(values: Any, axis: Axis) -> NDArray[Any]:
    """Values of a column as numbers along an axis: times as milliseconds, categories by their place."""
    if axis.scale == "category":
        ranks = {name: float(place) for place, name in enumerate(axis.factors)}
        return np.array([ranks.get(one, np.nan) if isinstance(one, str) else float(one) for one in list(values)])
    array = np.asarray(values)
    if array.dtype.kind == "M":
        missing = np.isnat(array)
        return np.where(missing, np.nan, array.astype("datetime64[ms]").astype(float))
    return array.astype(float).ravel()


def _places(layer: Layer, name: Name, axis: Axis) -> NDArray[Any]:
    if "image" in layer.columns:
        start, size = float(layer.columns[name][0]), float(layer.columns["dw" if name == "x" else "dh"][0])
        return np.array([start, start + size])
    columns = layer.columns
    parts = [columns[one] for one in _ALONG[name] if one in columns]
    if name == "y" and layer.mark == "points":
        parts = [columns["y"]]
    flat = [
        places(np.concatenate(part) if isinstance(part, list) and _is_nested(part) else part, axis) for part in parts
    ]
    return np.concatenate(flat) if flat else np.array([], float)


def _is_nested(part: list[Any]) -> bool:
    return bool(part) and isinstance(part[0], np.ndarray)
