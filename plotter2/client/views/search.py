"""What a search finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from plotter2.client.views.page import json_or, when
from plotter2.client.views.values import Values
from plotter2.model.entry import Entry


@dataclass(frozen=True, slots=True)
class Found(Values):
    """A bundle at its newest version, or a run that has not become one, with its values.

    Attributes:
        version: 0 for a run that has left no bundle (yet).
        state: done for a bundle; else queued, running, harvesting, failed or stopped.
        time: when it came into this state.
    """

    bundle: str
    version: int
    state: str
    time: str = ""
    archived: bool = False
    parameters_json: str = field(default="", repr=False)
    metrics_json: str = field(default="", repr=False)
    tags_json: str = field(default="", repr=False)

    @classmethod
    def of(cls, entry: Entry) -> Found:
        """The view of an entry."""
        return cls(
            bundle=entry.path,
            version=entry.version,
            state=entry.state.value,
            time=when(entry.at),
            archived=entry.archived,
            parameters_json=entry.parameters_json,
            metrics_json=entry.metrics_json,
            tags_json=entry.tags_json,
        )

    @property
    def tags(self) -> dict[str, Any]:
        """Marks to find it by."""
        return json_or(self.tags_json, {})  # type: ignore[no-any-return]  # JSON is Any

    @property
    def flat(self) -> dict[str, Any]:
        """One row for a data frame, named as in queries: `pandas.DataFrame(one.flat for one in found)`."""
        return {
            "path": self.bundle,
            "version": self.version,
            "state": self.state,
            "time": self.time,
            **{f"param.{name}": value for name, value in self.parameters.items()},
            **{f"metric.{name}": value for name, value in self.metrics.items()},
            **{f"tag.{name}": value for name, value in self.tags.items()},
        }
