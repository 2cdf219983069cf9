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
class Plan:
    """What a redo of this version would run, in order."""

    bundle: str
    version: int
    runs: tuple[PlannedRun, ...]
