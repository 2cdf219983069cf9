"""What became of a bundle over time: differences and history."""

from __future__ import annotations

from dataclasses import dataclass, field

from plotter2.client.views.bundles import Bundle, File
from plotter2.client.views.page import json_or
from plotter2.client.views.requests import Request
from plotter2.model.difference import ChangeKind, FileChange, ParameterChange
from plotter2.model.request import RequestKind


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that differs between two versions: in content, or in permissions only."""

    path: str
    change: ChangeKind
    before: File | None = None
    after: File | None = None

    @classmethod
    def of(cls, change: FileChange) -> ChangedFile:
        """The view of a change."""
        before, after = (File.of(side) if side is not None else None for side in (change.before, change.after))
        return cls(change.path, change.kind, before, after)


@dataclass(frozen=True, slots=True)
class ChangedParameter:
    """A parameter that differs between two versions; JSON in its own spelling, "" where it is not."""

    name: str
    change: ChangeKind
    before_json: str = ""
    after_json: str = ""

    @classmethod
    def of(cls, change: ParameterChange) -> ChangedParameter:
        """The view of a change."""
        return cls(change.name, change.kind, change.before_json or "", change.after_json or "")


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two versions; `unchanged` files do not."""

    before: Bundle
    after: Bundle
    files: tuple[ChangedFile, ...] = field(default=(), repr=False)
    parameters: tuple[ChangedParameter, ...] = ()
    unchanged: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether both are the same."""
        return not (self.files or self.parameters)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """Something that was asked about a bundle, and what a push came to.

    Attributes:
        version: the version that a push made, or found to be the same; 0 for everything else.
        is_new: whether that push made it.
        delivery: the delivery that the push was; its record lies under `meta/history/` of the bundle.
    """

    request: Request
    version: int = 0
    is_new: bool = False
    delivery: str = ""

    @property
    def outcome(self) -> str:
        """For people: `made @3`, `unchanged @3`, `archived`, `unarchived`, `tagged`, or nothing."""
        if self.version:
            return f"{'made' if self.is_new else 'unchanged'} @{self.version}"
        if self.request.kind == RequestKind.INHERIT and self.request.ok:
            return f"made @{made}" if (made := self.request.ask.get("made_version")) else "unchanged"
        if self.request.kind == RequestKind.ARCHIVE and self.request.ok:
            return "archived" if json_or(self.request.ask_json, {}).get("archived", True) else "unarchived"
        return "tagged" if self.request.kind == RequestKind.TAG and self.request.ok else ""
