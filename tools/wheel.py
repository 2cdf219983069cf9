"""Build hook: in a wheel the daemons travel under plotter2/services/, in a checkout they stay where they are.

So nothing called `manager` or `worker` lands at the top of a user's site-packages (house 3.10).
"""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

DAEMONS = ("manager", "stager", "servicer", "worker", "watchdogs")


class DaemonsUnderServices(BuildHookInterface[Any]):
    """Places the five daemons; editable installs see only `plotter2`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it builds."""
        if version == "standard":
            build_data["force_include"].update({name: f"plotter2/services/{name}" for name in DAEMONS})
