"""Bundles, their versions and their files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from plotter2.client.views.page import json_or, when
from plotter2.model.bundle import BundleVersion, FileEntry


@dataclass(frozen=True, slots=True)
class Bundle:
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
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """What the experiment that made it was given; empty for data that was pushed."""
        return json_or(self.parameters_json, {})  # type: ignore[no-any-return]  # JSON is Any

    @property
    def metrics(self) -> dict[str, float]:
        """What it measured: the last value of each metric by its name, and its extremes as `loss.min`, `loss.max`."""
        return {name: float(value) for name, value in json_or(self.metrics_json, {}).items()}

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
class Contents:
    """A bundle with its files, and the bundles below it."""

    bundle: Bundle
    files: tuple[File, ...] = field(default=(), repr=False)
    below: tuple[Contents, ...] = ()


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull has written."""

    bundle: str
    version: int
    digest: str
    files: int
    size_bytes: int
    path: str
