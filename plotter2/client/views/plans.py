"""What a redo would run, before anybody asks for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from plotter2.client.views.page import json_or


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """One value: the bundle it would become. `reused` is the `bundle@version` that is there already, "" for none."""

    bundle: str
    parameters_json: str = field(repr=False)
    reused: str = ""

    @property
    def parameters(self) -> dict[str, Any]:
        """What the experiment would be given."""
        return json_or(self.parameters_json, {})  # type: ignore[no-any-return]  # JSON is Any


@dataclass(frozen=True, slots=True)
class Axis:
    """A name that a script wants bound: to the keys of which data, and how many there are."""

    name: str
    keys_of: str
    keys: int


@dataclass(frozen=True, slots=True)
class LinkedPlan:
    """Another task that runs with one, and how many instances it has; `warning` says why none."""

    task: str
    total: int
    warning: str = ""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run of a script or pipeline would come to: `first` of its `total` instances, by what binds their axes.

    Attributes:
        linked: the tasks that run with it, those that it is linked to.
        known: of each of the first the run whose results it would be answered with; "" where it would be run.
        known_total: of how many instances in all the results are known.
    """

    bundle: str
    version: int
    axes: tuple[Axis, ...]
    total: int
    first: tuple[dict[str, str], ...]
    warning: str = ""
    linked: tuple[LinkedPlan, ...] = ()
    known: tuple[str, ...] = ()
    known_total: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a redo of this version would run, in order."""

    bundle: str
    version: int
    runs: tuple[PlannedRun, ...]
