"""How far what is drawn in a panel reaches along an axis: for drawing without a browser, and equal axes (pure)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.figures.figure import Axis, Layer, Panel

PAD = 0.05
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
    around = (high - low or abs(high) or 1.0) * air
    low, high = low - around, high + around
    if axis.scale == "log":
        low, high = 10.0**low, 10.0**high
    return low if axis.low is None else axis.low, high if axis.high is None else axis.high


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
