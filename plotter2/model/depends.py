"""What a manifest says it builds on: `meta.depends` of it and of its submanifests (requirement 059; pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from typing_extensions import override

from plotter2.errors import ManifestError, PathRefusedError
from plotter2.model import paths
from plotter2.model.manifest import Manifest

DEPENDS_MAX = 1_000
VERSION_DIGITS_MAX = 9


@dataclass(frozen=True, slots=True)
class Dependency:
    """A bundle that is built on; version 0: any."""

    bundle: str
    version: int = 0

    @override
    def __str__(self) -> str:
        return f"{self.bundle}@{self.version}" if self.version else self.bundle


def metas(paper: Manifest) -> Iterator[tuple[str, dict[str, Any]]]:
    """`meta` of a manifest and of all its submanifests, each with its place in the document."""
    waiting: list[tuple[str, dict[str, Any], dict[str, Any]]] = [("", paper.meta, paper.contains)]
    while waiting:
        where, meta, contains = waiting.pop(0)
        yield f"{where}meta", meta
        for index, part in enumerate(contains.get("submanifests", [])):
            place = f"{where}contains.submanifests[{index}]."
            waiting.append((place, part.get("meta", {}), part.get("contains", {})))


def depends(paper: Manifest) -> tuple[Dependency, ...]:
    """What it builds on, each once, in the order of the document.

    Raises:
        ManifestError: not a list of `bundle` and `bundle@version`; the message names the place.
    """
    found: dict[Dependency, None] = {}
    for place, meta in metas(paper):
        listed = meta.get("depends", [])
        if not isinstance(listed, list) or len(listed) > DEPENDS_MAX:
            raise ManifestError(
                f"manifest.json: '{place}.depends' must be a list of at most {DEPENDS_MAX} bundles, as 'data/x@3'."
            )
        for index, one in enumerate(listed):
            found[_dependency(one, f"{place}.depends[{index}]")] = None
    return tuple(found)


def _dependency(one: Any, place: str) -> Dependency:
    if not isinstance(one, str):
        raise ManifestError(f"manifest.json: '{place}' must be a bundle, as 'data/flights' or 'data/flights@3'.")
    head, at, tail = one.rpartition("@")
    has_version = at and tail.isascii() and tail.isdigit() and 0 < len(tail) <= VERSION_DIGITS_MAX and int(tail) > 0
    try:
        return Dependency(paths.bundle_path(head), int(tail)) if has_version else Dependency(paths.bundle_path(one))
    except PathRefusedError as wrong:
        raise ManifestError(f"manifest.json: '{place}' is no bundle: {wrong.message}") from None
