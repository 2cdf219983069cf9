"""What a redo would run: values bound to parameters and checked, children named, keys computed (requirement 018; pure).

Made at the edge, where the store can be asked; nothing is decided here.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from blake3 import blake3

from manager.events import PlannedChild
from manager.experiment import Experiment
from plotter2.errors import RefusedError
from plotter2.model import names, paths
from plotter2.model.package import Parameter

CHILDREN_MAX = 10_000
NAME_CHARS_MAX = 120
QUOTED_CHARS_MAX = 100
TYPES: dict[str, tuple[type, ...]] = {"float": (int, float), "int": (int,), "str": (str,), "bool": (bool,)}


@dataclass(frozen=True, slots=True)
class Axis:
    """One parameter and its values: JSON texts, spelled as the user gave them."""

    parameter: str
    values_json: tuple[str, ...]


def plan(experiment: Experiment, axes: Sequence[Axis]) -> tuple[PlannedChild, ...]:
    """Bind every combination of values, the last axis fastest, and compute its key.

    Raises:
        RefusedError: a parameter is not declared or given twice; a value does not fit; there are too many.
    """
    parameters = [axis.parameter for axis in axes]
    for name in parameters:
        if parameters.count(name) > 1:
            raise RefusedError(f"Parameter {name!r} is given twice; put its values into one list.")
    for axis in axes:
        _check_axis(axis, experiment)
    count = math.prod(len(axis.values_json) for axis in axes)
    if count > CHILDREN_MAX:
        raise RefusedError(f"That asks for {count:,} runs; one request may have at most {CHILDREN_MAX:,}.")
    return tuple(
        _planned(experiment, dict(zip(parameters, values, strict=True)))
        for values in itertools.product(*(axis.values_json for axis in axes))
    )


def plan_points(experiment: Experiment, points: Sequence[tuple[str, str]]) -> tuple[PlannedChild, ...]:
    """Run just these again, each a child's path and all its parameters; what was not declared then has its default.

    Raises:
        RefusedError: a parameter is declared no more; a value does not fit any more.
    """
    found = []
    for path, parameters_json in points:
        given = {name: bytes(value).decode() for name, value in _values(parameters_json).items()}
        for name, value in given.items():
            if value != _default(experiment.declared.parameters.get(name)):
                _check_axis(Axis(name, (value,)), experiment)
        text = _bound(experiment, given)
        found.append(PlannedChild(path, text, experiment.key(text)))
    return tuple(found)


def _values(parameters_json: str) -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(parameters_json, type=dict[str, msgspec.Raw])


def _default(declared: Parameter | None) -> str | None:
    return json.dumps(declared.default) if declared is not None else None


def _check_axis(axis: Axis, experiment: Experiment) -> None:
    declared = experiment.declared.parameters
    if axis.parameter not in declared:
        near = names.did_you_mean(axis.parameter, declared)
        raise RefusedError(
            f"Bundle {str(experiment.version.path)!r} has no parameter {axis.parameter!r}; "
            f"the declared parameters are: {names.listed(declared)}{near}"
        )
    if not axis.values_json:
        raise RefusedError(f"Parameter {axis.parameter!r} was given no value.")
    for text in axis.values_json:
        _check_value(axis.parameter, text, declared[axis.parameter])


def _check_value(name: str, text: str, declared: Parameter) -> None:
    try:
        value = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError):
        raise RefusedError(f"Parameter {name!r}: {text[:QUOTED_CHARS_MAX]!r} is not a JSON value.") from None
    wanted = TYPES.get(declared.type)
    if wanted and (not isinstance(value, wanted) or (isinstance(value, bool) and declared.type != "bool")):
        raise RefusedError(f"Parameter {name!r} is declared {declared.type}; {text} is not.")
    if declared.choices is not None and value not in declared.choices:
        near = names.did_you_mean(str(value), [one for one in declared.choices if isinstance(one, str)])
        raise RefusedError(f"Parameter {name!r} may be one of {json.dumps(declared.choices)}; {text} is not{near}")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        _check_range(name, value, text, declared)


def _no_number(constant: str) -> None:
    raise ValueError(constant)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _check_range(name: str, value: float, text: str, declared: Parameter) -> None:
    if declared.min is not None and value < declared.min:
        raise RefusedError(f"Parameter {name!r} must be at least {declared.min}; {text} is less.")
    if declared.max is not None and value > declared.max:
        raise RefusedError(f"Parameter {name!r} must be at most {declared.max}; {text} is more.")


def _planned(experiment: Experiment, given: Mapping[str, str]) -> PlannedChild:
    text = _bound(experiment, given)
    child = paths.child(experiment.version.path, child_name(given))
    return PlannedChild(child, text, experiment.key(text))


def _bound(experiment: Experiment, given: Mapping[str, str]) -> str:
    bound = {name: given.get(name, json.dumps(one.default)) for name, one in experiment.declared.parameters.items()}
    return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in bound.items()) + "}"


def child_name(given: Mapping[str, str]) -> str:
    """What the child is called: `lr=0.1,seed=3`; long or odd values are shortened and made unique by a digest."""
    if not given:
        return "default"
    name = ",".join(f"{key}={_plain(value)}" for key, value in given.items())
    safe = "".join(char if (char.isascii() and char.isalnum()) or char in "=,.-+_" else "_" for char in name)
    if safe == name and len(name) <= NAME_CHARS_MAX and not name.startswith("."):
        return name
    return f"{safe[:NAME_CHARS_MAX].lstrip('.')}~{blake3(name.encode()).hexdigest()[:8]}"


def _plain(text: str) -> str:
    value: Any = json.loads(text)
    return value if isinstance(value, str) else text
