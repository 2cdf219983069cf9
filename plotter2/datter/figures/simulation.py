"""simulate: things that move, step by step, as a scene that is played in the page (requirement 156).

A scene is where each object is at each step: steps x objects x 2, or x 3 in a box that can be turned. It comes from an
array, or from a function that is given a state and gives the next one. It is written as JSON beside its page, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from plotter2.datter.figures import curves, space, visuals
from plotter2.datter.figures.extent import FARTHEST
from plotter2.datter.figures.figure import INK, PALETTE, Axis, Layer, Motion, Panel, Space
from plotter2.datter.figures.frame import Scene
from plotter2.datter.figures.placing import parted, placed, texts_of
from plotter2.datter.values.keys import shown
from plotter2.datter.values.points import numbers
from plotter2.errors import UsageError

STEPS, STEPS_MAX = 100, 10_000
PLACES_MAX = 2_000_000
PLANE, SPACE, SCENE = 2, 3, 3
PAD = 0.05
TRAIL_MAX, TRAIL_PLACES = 12, 1_000


def scene_json(panels: Sequence[Panel]) -> bytes:
    """The scenes of a page for other programs: objects by name, times, and all places, steps x objects x 2 or 3."""
    scenes = []
    for panel in panels:
        if panel.motion is None:
            continue
        parts = PLANE if panel.space is None else SPACE
        places = np.stack(np.split(panel.motion.frames, parts, axis=1), axis=2).round(6)
        first = (panel.layers if panel.space is None else panel.space.layers)[0]
        scenes.append({"objects": first.columns["object"], "times": panel.motion.labels, "states": places.tolist()})
    return msgspec.json.encode({"kind": "scene", "scenes": scenes})


def simulate(
    *what: Any, state: Any = None, steps: int = STEPS, dt: float = 1.0, names: Sequence[str] | None = None
) -> Scene:
    """Things that move: `simulate(states)` of steps x objects x 2 or 3, or `simulate(step, state=first, steps=100)`.

    `step(state)` gives the next state: objects x 2 or 3, or only the place of one. The scene lies in the frame, and
    plays; one in three dimensions can be turned meanwhile.

    Raises:
        UsageError: no states, states of other shapes, more than 10,000 steps or 2,000,000 places, a name too many.
    """
    target, rest = parted(what)
    if len(rest) != 1:
        raise UsageError("simulate needs states, or a function that gives the next state.")
    if not 1 <= steps <= STEPS_MAX:
        raise UsageError(f"simulate: 1 to {STEPS_MAX:,} steps, not {steps}.")
    if not 0 < dt <= FARTHEST:
        raise UsageError(
            f"simulate: dt is the time between two steps, more than 0, at most {FARTHEST:g}, not {shown(dt)}."
        )
    states = _run(rest[0], state, steps) if callable(rest[0]) else numbers(rest[0]).astype(float)
    states = states[:, None, :] if states.ndim == PLANE else states
    if states.ndim != SCENE or states.shape[2] not in {PLANE, SPACE} or len(states) < PLANE:
        raise UsageError(
            f"simulate: states are steps x objects x 2 or 3, at least two steps, not the shape {states.shape}."
        )
    if states.shape[0] * states.shape[1] > PLACES_MAX:
        raise UsageError(
            f"simulate: {states.shape[0] * states.shape[1]:,} places are too many; at most {PLACES_MAX:,}."
        )
    called = (
        tuple(texts_of("simulate: names", names))
        if names is not None
        else tuple(str(place) for place in range(states.shape[1]))
    )
    if len(called) != states.shape[1]:
        raise UsageError(f"simulate: {len(called)} names for {states.shape[1]} objects.")
    made: Scene = placed(Scene(states, float(dt), called), target)
    return made


def _run(step: Callable[[Any], Any], state: Any, steps: int) -> NDArray[Any]:
    if state is None:
        raise UsageError("simulate: a function needs the state that it begins with: simulate(step, state=...).")
    states = [numbers(state).astype(float)]
    while len(states) <= steps:
        state = step(state)
        now = numbers(state).astype(float)
        if now.shape != states[0].shape:
            raise UsageError(f"simulate: step {len(states)} gave the shape {now.shape}, not {states[0].shape}.")
        if len(states) * now.size > PLACES_MAX * SPACE:
            raise UsageError(f"simulate: more than {PLACES_MAX:,} places; take fewer steps or objects.")
        states.append(now)
    return np.stack(states)


def panel_of(value: Any, _: str, palette: Sequence[str]) -> list[Panel]:
    """The scene as an animation: a point an object, on axes that hold all steps."""
    if not isinstance(value, Scene):
        raise UsageError("Only what simulate(...) gives can be drawn as a scene.")
    if value.states.shape[2] == SPACE:
        return [_in_space(value, palette)]
    (x_low, x_high), (y_low, y_high) = (visuals.extent(value.states[..., side]) for side in range(PLANE))
    pads = [(high - low) * PAD or 1.0 for low, high in ((x_low, x_high), (y_low, y_high))]
    x = Axis("x", low=x_low - pads[0], high=x_high + pads[0])
    y = Axis("y", low=y_low - pads[1], high=y_high + pads[1])
    first = value.states[0].astype(np.float32)
    colour = palette[0] if palette else PALETTE[0]
    columns = {"x": first[:, 0].copy(), "y": first[:, 1].copy(), "object": list(value.names)}
    ways = _ways(value, palette)
    ink = INK if any(name for name, _ in ways) else colour
    layers = [Layer("points", columns, colour=ink, size=9, hover=(("object", "object"), ("x", "x"), ("y", "y")))]
    for place, (name, shade) in enumerate(ways):
        way = curves.lines([("", value.states[:, place, 0], value.states[:, place, 1])], "", "").layers[0]
        layers.append(replace(way, name=name, colour=shade, alpha=0.8 if name else 0.4, size=1.3, hover=()))
    frames = np.concatenate([value.states[..., 0], value.states[..., 1]], axis=1).astype(np.float32)
    labels = tuple(f"{step * value.dt:g}" for step in range(len(frames)))
    aspect = float(np.clip(((y.high or 0) - (y.low or 0)) / ((x.high or 1) - (x.low or 0)), 0.4, 1.2))
    note = f"{len(frames):,} steps of {value.dt:g}, {len(value.names):,} objects."
    return [
        Panel(
            "scene", x=x, y=y, layers=tuple(layers), has_legend=ink == INK, aspect=aspect,
            motion=Motion(frames, labels, "time", "place"), notes=(note,),
        )
    ]  # fmt: skip


def _ways(value: Scene, palette: Sequence[str]) -> list[tuple[str, str]]:
    """Name and colour of each object's way: its own where few objects have names, grey without; of many, none."""
    count = len(value.names)
    if 1 < count <= len(PALETTE) and value.names != tuple(map(str, range(count))):
        colours = list(palette) or list(PALETTE)
        return [(name, colours[place % len(colours)]) for place, name in enumerate(value.names)]
    return [("", PALETTE[-1])] * (count if count <= TRAIL_MAX else 0)


def _in_space(value: Scene, palette: Sequence[str]) -> Panel:
    """The same in three dimensions."""
    parts = [value.states[..., side].astype(np.float32) for side in range(SPACE)]
    axes = tuple(space.axis(name, part) for name, part in zip("xyz", parts, strict=True))
    hover = (("object", "object"), ("x", "x"), ("y", "y"), ("z", "z"))
    first = {name: part[0].copy() for name, part in zip("xyz", parts, strict=True)}
    colour = palette[0] if palette else PALETTE[0]
    ways = _ways(value, palette)
    ink = INK if any(name for name, _ in ways) else colour
    layers = [Layer("points", {**first, "object": list(value.names)}, colour=ink, size=10, hover=hover)]
    step = -(-len(value.states) // TRAIL_PLACES)
    for at, (called, shade) in enumerate(ways):
        way = {name: np.ascontiguousarray(part[::step, at]) for name, part in zip("xyz", parts, strict=True)}
        layers.append(Layer("line", way, called, shade, alpha=0.8 if called else 0.4, size=1.3))
    labels = tuple(f"{at * value.dt:g}" for at in range(len(value.states)))
    return Panel(
        "scene", has_legend=ink == INK, space=Space(axes, tuple(layers)),
        motion=Motion(np.concatenate(parts, axis=1), labels, "time", "space"),
        notes=(f"{len(labels):,} steps of {value.dt:g}, {len(value.names):,} objects.",),
    )  # fmt: skip
