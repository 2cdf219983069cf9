"""What the data of a panel is measured in, said at its axes, its colour bar and under the pointer (pure).

Units are declared with the keys of a bundle. They hold for values as they were read; what is computed of them has units
of its own, which nobody knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from plotter2.datter.figures.figure import Axis, Layer, Panel

VALUE = "value"
"""What an axis is called whose values have no name."""


def measured(panel: Panel, units: Mapping[str, str], name: str) -> Panel:
    """The panel with units where they belong.

    Args:
        panel: what was made of the data.
        units: by column; "" for the values themselves.
        name: what the data is called.
    """
    if not panel.is_drawn:
        return panel
    known = {one: unit for one, unit in units.items() if one}
    if "" in units:
        known = {name: units[""], VALUE: units[""], **known}
    x, y = (_axis(axis, known) for axis in (panel.x, panel.y))
    shared = {known.get(layer.name, "") for layer in panel.layers if layer.name}
    if panel.visual == "line" and not y.unit and len(shared) == 1:  # the panel of a family: loss of train and test
        y = replace(y, unit=shared.pop())
    colours = panel.colours
    if colours is not None and (unit := known.get(colours.title or VALUE, "")):
        colours = replace(colours, title=f"{colours.title or name} [{unit}]".lstrip())
    return replace(panel, x=x, y=y, colours=colours, layers=tuple(_layer(layer, known) for layer in panel.layers))


def _axis(axis: Axis, known: Mapping[str, str]) -> Axis:
    return replace(axis, unit=known[axis.label]) if axis.label in known else axis


def _layer(layer: Layer, known: Mapping[str, str]) -> Layer:
    if not any(label in known for label, _ in layer.hover):
        return layer
    said = tuple((f"{label} [{known[label]}]" if label in known else label, column) for label, column in layer.hover)
    return replace(layer, hover=said)
