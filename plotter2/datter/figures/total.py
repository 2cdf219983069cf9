"""What many instances showed, together: the visual `series_total` (requirement 184).

Two pictures that belong together: the sum of all matrices with the cells that all of them share, and the sum as it
grew over their order, with a mark where the instance that draws it stands. All but the mark is worked out once for a
group, because ten thousand instances draw the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plotter2.datter.context import current
from plotter2.datter.figures import curves, visuals
from plotter2.datter.figures.figure import INK, PALETTE, Axis, Layer, Panel, digest
from plotter2.datter.scripting.contract import THRESHOLD
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.keys import shown
from plotter2.datter.values.points import numbers
from plotter2.errors import UsageError

NAME = "series_total"
LISTED_MAX = 1_000
STRETCHES = 500
"""Of the curve, which as many figures carry as it has values: what each of them carries has an end."""
VEIL = 0xA0808080
"""Over what is not shared: a grey that both backgrounds show through."""
MARK_SIZE = 12


@dataclass(frozen=True, slots=True, eq=False)
class _Summed:
    """A group, summed.

    Attributes:
        places: of each member on the axis. sums: of all members up to each one.
    """

    heat: Panel
    curve: Panel
    places: NDArray[Any]
    sums: NDArray[Any]
    about: dict[str, Any]


def suits(group: DataGroup) -> bool:
    """Whether these are arrays of one shape that instances of a run have shown: what has a total."""
    return bool(group.numbered) and bool(group.once("alike", _are_alike))


def _are_alike(group: DataGroup) -> bool:
    return len({numbers(one).shape for one in group}) == 1


def panels(value: Any, name: str, palette: Sequence[str]) -> list[Panel]:
    """The two pictures.

    Args:
        value: a group of arrays of one shape.
        name: what they are called.
        palette: colours of the curve and of the mark instead of ours.

    Raises:
        UsageError: it is no group, or its arrays have several shapes.
    """
    if not isinstance(value, DataGroup) or not len(value):
        raise UsageError(f"{NAME} shows a group of matrices, not {shown(value)}.")
    context = current()
    threshold = float(context.parameters.get(THRESHOLD, 0))
    summed: _Summed = value.once(f"{NAME} {threshold}", lambda group: _summed(group, name, threshold))
    mine = context.carrier.mine if context.carrier is not None else {}
    own = [value.numbered[number] for number in mine if number in value.numbered]
    colours = list(palette) or list(PALETTE)
    marks = {"x": summed.places[own], "y": summed.sums[own]}
    hover = ((value.axis or "place", "x"), ("running total", "y"))
    mark = Layer("points", marks, "this one", colours[1 % len(colours)], size=MARK_SIZE, hover=hover)
    drawn = [replace(layer, colour=colours[0]) for layer in summed.curve.layers]
    curve = replace(summed.curve, layers=(*drawn, *[mark][: len(own)]), has_legend=bool(own))
    heat = replace(summed.heat, about={**summed.about, "marker": summed.places[own].tolist()})
    return [heat, curve]


def _summed(group: DataGroup, name: str, threshold: float) -> _Summed:
    first = numbers(group[0])
    total = np.zeros(first.shape)
    shared = np.ones(first.shape, bool)
    sums = np.empty(len(group))
    for place, one in enumerate(group):
        values = numbers(one)
        if values.shape != first.shape:
            raise UsageError(
                f"{NAME}: {group.names[place]!r} has the shape {values.shape} and {group.names[0]!r} {first.shape}; "
                "only arrays of one shape have a total."
            )
        total += values
        shared &= np.abs(values) > threshold
        sums[place] = total.sum()
    is_numeric = all(isinstance(key, int | float) for key in group.keys)
    places = np.asarray(group.keys if is_numeric else range(len(group)), float)
    called = group.name or name or "value"
    about = _about(group, total, shared, sums, places, threshold)
    flat = total.reshape(len(total), -1) if total.ndim > 1 else np.atleast_2d(total)
    heat = visuals.matrix(flat)
    common = f"{int(shared.sum()):,} of {shared.size:,} cells"
    note = f"{common} are further from 0 than {threshold:g} in all {len(group):,}; the rest is veiled."
    heat = replace(
        heat, visual=NAME, title=f"{called}: total of {len(group):,}", notes=(*heat.notes, note),
        layers=(*heat.layers, *_veil(shared.reshape(flat.shape))),
    )  # fmt: skip
    x, y = group.axis or "place", f"total of {called} so far"
    curve = curves.lines([("all", places, sums)], x, y, stretches=STRETCHES)
    return _Summed(heat, replace(curve, visual=NAME, is_part=True, y=Axis("running total")), places, sums, about)


def _veil(shared: NDArray[Any]) -> list[Layer]:
    """What lies over the cells that are not shared: whole cells, also of a matrix that is drawn by blocks."""
    if shared.all():
        return []
    rows, columns = shared.shape
    pixels = np.where(shared, 0, VEIL).astype(np.uint32)
    place = {"x": [-0.5], "y": [-0.5], "dw": [columns], "dh": [rows]}
    return [Layer("rgba", {"image": pixels, **place}, colour=INK)]


def _about(
    group: DataGroup,
    total: NDArray[Any],
    shared: NDArray[Any],
    sums: NDArray[Any],
    places: NDArray[Any],
    threshold: float,
) -> dict[str, Any]:
    """What programs are told; long lists by their digest only."""
    over: dict[str, Any] = {"axis": group.axis, "count": len(group), "digest": digest(np.stack([places, sums]))}
    if len(group) <= LISTED_MAX:
        over |= {"order": group.names, "running": sums.tolist()}
    mask = {"threshold": threshold, "cells": int(shared.sum()), "digest": digest(shared)}
    return {"total": {"digest": digest(total), "sum": float(total.sum())}, "over_time": over, "shared": mask}
