"""What an experiment was given and what it measured, for every view that has both."""

from __future__ import annotations

from typing import Any

from plotter2.client.views.page import json_or


class Values:
    """Parameters and metrics out of the JSON in which they came."""

    __slots__ = ()
    parameters_json: str
    metrics_json: str

    @property
    def parameters(self) -> dict[str, Any]:
        """What the experiment was given; empty for data that was pushed."""
        return json_or(self.parameters_json, {})  # type: ignore[no-any-return]  # JSON is Any

    @property
    def metrics(self) -> dict[str, float]:
        """What it measured: the last value of each metric by its name, and its extremes as `loss.min`, `loss.max`."""
        return {name: float(value) for name, value in json_or(self.metrics_json, {}).items()}
