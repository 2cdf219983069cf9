"""Tasks that a manifest describes: what its sender asks for together with what it gives (requirements 021, 058; pure).

A manifest sets nothing: each of its tasks becomes a request of its own once the delivery is in, caused by the push.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from plotter2.errors import ManifestError
from plotter2.model.manifest import Manifest
from plotter2.model.package import TaskDeclaration
from plotter2.model.task import Limits, TaskKind

TASKS_MAX = 100
SOURCES_BYTES_MAX = 16 << 20
"""The sources of all tasks of one manifest together."""


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A task of a manifest with its source read."""

    name: str
    kind: TaskKind
    source: str
    filename: str
    parameters_json: str = "{}"
    limits: Limits = Limits()


def tasks(paper: Manifest) -> list[TaskDeclaration]:
    """The tasks of a manifest and its submanifests, in the order of the document.

    Raises:
        ManifestError: too many.
    """
    found: list[TaskDeclaration] = []
    waiting = [paper.contains]
    while waiting:
        contains = waiting.pop(0)
        found += (msgspec.convert(one, TaskDeclaration) for one in contains.get("tasks", []))
        waiting += (part.get("contains", {}) for part in contains.get("submanifests", []))
    if len(found) > TASKS_MAX:
        raise ManifestError(f"manifest.json describes {len(found)} tasks; one delivery may ask for {TASKS_MAX}.")
    return found
