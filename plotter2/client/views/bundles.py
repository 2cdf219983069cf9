"""Bundles, their versions and their files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from plotter2.client.views.links import Verdict
from plotter2.client.views.page import json_or, when
from plotter2.client.views.values import Values
from plotter2.model import package, tags
from plotter2.model.bundle import BundleVersion, FileEntry
from plotter2.model.inheritance import Snapshot

OPERATIONS = ("tasks", "heads")
"""The sections that say what a bundle does."""


@dataclass(frozen=True, slots=True)
class Bundle(Values):
    """One version of one bundle."""

    bundle: str
    version: int
    digest: str
    files: int
    size_bytes: int
    created: str = ""
    request: str = ""
    archived: bool = False
    parameters_json: str = field(default="", repr=False)
    package_json: str = field(default="", repr=False)
    metrics_json: str = field(default="", repr=False)
    set_tags_json: str = field(default="", repr=False)

    @classmethod
    def of(cls, version: BundleVersion) -> Bundle:
        """The view of a version."""
        return cls(
            bundle=version.path,
            version=version.version,
            digest=version.digest.hex(),
            files=version.files,
            size_bytes=version.size_bytes,
            created=when(version.created_at),
            request=version.request_id,
            archived=version.archived,
            parameters_json=version.parameters_json,
            package_json=version.package_json,
            metrics_json=version.metrics_json,
            set_tags_json=version.tags_json,
        )

    @property
    def tags_json(self) -> str:
        """Its tags in the spelling they were given: those of its package, and over them those that people set."""
        return tags.shown(self.package_json, self.set_tags_json)

    @property
    def tags(self) -> dict[str, Any]:
        """Marks to find it by."""
        return json_or(self.tags_json, {})  # type: ignore[no-any-return]  # JSON is Any

    @property
    def package(self) -> dict[str, Any]:
        """Its package.json; empty when it has none."""
        return json_or(self.package_json, {})  # type: ignore[no-any-return]  # JSON is Any


@dataclass(frozen=True, slots=True)
class File:
    """One file of a version."""

    path: str
    size_bytes: int
    digest: str
    mode: int

    @classmethod
    def of(cls, entry: FileEntry) -> File:
        """The view of a file."""
        return cls(entry.path, entry.size_bytes, entry.digest.hex(), entry.mode)


@dataclass(frozen=True, slots=True)
class Trait:
    """A declaration that a bundle has from an ancestor.

    Attributes:
        section: tasks, data, config, heads or links.
        origin: who declares it, as `bundle@version`.
        value: as it stands in the package.json there.
    """

    section: str
    name: str
    origin: str
    value: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Inherited:
    """What a version has from its ancestors, as they were when it was made.

    Attributes:
        line: the ancestors, nearest first, each as `bundle@version`.
    """

    line: tuple[str, ...] = ()
    traits: tuple[Trait, ...] = ()

    @classmethod
    def of(cls, snapshot: Snapshot) -> Inherited:
        """The view of a snapshot."""
        line = tuple(f"{one.bundle}@{one.version}" for one in snapshot.line)
        return cls(
            line,
            tuple(
                Trait(section, name, line[one.origin], one.value)
                for section, traits in snapshot.traits.items()
                for name, one in traits.items()
            ),
        )


@dataclass(frozen=True, slots=True)
class Contents:
    """A bundle with its files, what it inherits, the bundles below it, and what it is to its parents (from `show`).

    Iteration gives the bundle itself first, then every bundle below it, each before its own children and in the order
    that their holder declares (requirement 029). Its own data is one element beside its children, not around them.

    Attributes:
        manifest_json: what it came with, as its sender wrote it; "" for nothing, and where it was not asked for.
        depends: the bundles that the manifest says it builds on, as `name` or `name@version`.
        next: where not all files were asked for and there are more, the path to go on behind; else "".
    """

    bundle: Bundle
    files: tuple[File, ...] = field(default=(), repr=False)
    below: tuple[Contents, ...] = ()
    inherited: Inherited = field(default=Inherited(), repr=False)
    manifest_json: str = field(default="", repr=False)
    depends: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    next: str = ""

    def __iter__(self) -> Iterator[Contents]:
        yield self
        for one in self.below:
            yield from one

    @property
    def is_blank(self) -> bool:
        """Whether it does nothing of its own: it declares neither task nor head, and only holds data (r032)."""
        return not any(self.bundle.package.get(section) for section in OPERATIONS)

    @property
    def linked(self) -> dict[str, dict[str, str]]:
        """For each task that is linked to others: their names, and where each comes from (r068).

        That is `bundle@version` for a task of its own or an inherited one, and the bundle alone at the end of a link.
        """
        declared = package.read(self.bundle.package_json)
        inherited = {one.name: one for one in self.inherited.traits if one.section == "tasks"}
        tasks = {name: package.task_of(one.value) for name, one in inherited.items()}
        tasks |= {task.name: task for task in declared.tasks}
        places = {link.name: link.dst for link in declared.links}
        places |= {name: one.origin for name, one in inherited.items()}
        places |= {task.name: f"{self.bundle.bundle}@{self.bundle.version}" for task in declared.tasks}
        return {
            name: {one: places.get(one, "") for one in task.linked_to} for name, task in tasks.items() if task.linked_to
        }

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest it came with; empty where there is none."""
        return json_or(self.manifest_json, {})  # type: ignore[no-any-return]  # JSON is Any


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull has written."""

    bundle: str
    version: int
    digest: str
    files: int
    size_bytes: int
    path: str
