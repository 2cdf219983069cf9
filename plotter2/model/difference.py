"""What differs between two versions: files that were added, changed or are gone, and parameters (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from plotter2.model import package
from plotter2.model.bundle import BundleVersion, FileEntry


class ChangeKind(StrEnum):
    """What became of a file or a parameter."""

    ADDED = "added"
    CHANGED = "changed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class FileChange:
    """A file that is not the same on both sides; None where it is not."""

    before: FileEntry | None
    after: FileEntry | None

    @property
    def path(self) -> str:
        """The file's path inside the bundle."""
        return (self.after or self.before or FileEntry("", 0)).path

    @property
    def kind(self) -> ChangeKind:
        """Added, changed or gone."""
        return _kind(self.before, self.after)


@dataclass(frozen=True, slots=True)
class ParameterChange:
    """A parameter whose value is not the same on both sides: JSON in its own spelling; None where it is not."""

    name: str
    before_json: str | None
    after_json: str | None

    @property
    def kind(self) -> ChangeKind:
        """Added, changed or gone."""
        return _kind(self.before_json, self.after_json)


def _kind(before: object | None, after: object | None) -> ChangeKind:
    if before is None:
        return ChangeKind.ADDED
    return ChangeKind.GONE if after is None else ChangeKind.CHANGED


def files(before: Iterable[FileEntry], after: Iterable[FileEntry]) -> Iterator[FileChange]:
    """The files that differ in content or permissions, by path."""
    old, new = {one.path: one for one in before}, {one.path: one for one in after}
    for path in sorted(old.keys() | new.keys()):
        left, right = old.get(path), new.get(path)
        if left is None or right is None or (left.digest, left.mode) != (right.digest, right.mode):
            yield FileChange(left, right)


def parameters(before: BundleVersion, after: BundleVersion) -> tuple[ParameterChange, ...]:
    """The parameters that differ, by name; numbers are compared by value, so 0.10 is 0.1."""
    old, new = settings(before), settings(after)
    return tuple(
        ParameterChange(name, old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys())
        if name not in old or name not in new or json.loads(old[name]) != json.loads(new[name])
    )


def settings(version: BundleVersion) -> dict[str, str]:
    """Each parameter of a version as JSON: what it was made with, else the default that it declares."""
    found: dict[str, str] = {}
    if version.package_json:
        declared = package.parse(version.package_json).parameters
        found = {name: json.dumps(one.default, ensure_ascii=False) for name, one in declared.items()}
    if version.parameters_json:
        given = msgspec.json.decode(version.parameters_json, type=dict[str, msgspec.Raw])
        found |= {name: bytes(value).decode() for name, value in given.items()}
    return found
