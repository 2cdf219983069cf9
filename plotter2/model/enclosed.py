"""Tasks and the package that a manifest describes: what its sender asks for together with what it gives (pure).

A manifest sets nothing (requirements 021, 058): each of its tasks becomes a request of its own once the delivery is in,
caused by the push. A package is registered: it is what the delivered version declares, its links with the rest
(requirements 065, 066), just as a package.json among the files would be.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

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
    found = [msgspec.convert(one, TaskDeclaration) for contains in _all(paper) for one in contains.get("tasks", [])]
    if len(found) > TASKS_MAX:
        raise ManifestError(f"manifest.json describes {len(found)} tasks; one delivery may ask for {TASKS_MAX}.")
    return found


def package_json(paper: Manifest) -> str:
    """The text of the package that a manifest or a submanifest describes; "" where none does.

    Raises:
        ManifestError: they describe several: a delivery goes to one bundle, and that has one package.
    """
    found = [one for contains in _all(paper) for one in contains.get("packages", [])]
    if any(one != found[0] for one in found):
        raise ManifestError(
            f"manifest.json describes {len(found)} packages; a delivery goes to one bundle, which has one. Send each"
            " bundle as a delivery of its own."
        )
    return json.dumps(found[0], indent=2, ensure_ascii=False) if found else ""


def _all(paper: Manifest) -> list[dict[str, Any]]:
    """What it contains, and what its submanifests contain, in the order of the document."""
    found, waiting = [], [paper.contains]
    while waiting:
        contains = waiting.pop(0)
        found.append(contains)
        waiting += (part.get("contains", {}) for part in contains.get("submanifests", []))
    return found
