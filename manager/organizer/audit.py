"""Whether everything at rest is what was put there (requirement 003, design 3). Looks and tells; changes nothing.

Three looks, each in bounded memory: every blob against its name, a bundle's folder against its newest version, and one
folder's names, so that whoever knows the versions can say which of them nobody explains.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from manager.organizer.blobs import SCRATCH
from manager.organizer.disk import is_file, is_same, status
from plotter2 import files as durable
from plotter2.layout import Layout
from plotter2.model.bundle import FileEntry
from plotter2.model.verification import Fault, Finding


@dataclass(frozen=True, slots=True)
class Looked:
    """One blob was read."""

    size_bytes: int
    finding: Finding | None = None


def check_blobs(layout: Layout) -> Iterator[Looked]:
    """Hash every blob and name each that is not what its name says."""
    for path in _files(layout.blobs, skip=layout.blobs / SCRATCH):
        there = status(path)
        if there is None:
            continue
        problem, fault = "", Fault.STRAY
        if not _is_blob_name(layout, path):
            problem = "is no blob, but lies among them"
        elif not is_file(there):
            problem = "is no plain file"
        elif durable.digest(path).hex() != path.name:
            problem, fault = "is damaged: its content does not have this digest", Fault.DAMAGED
        where = path.relative_to(layout.home).as_posix()
        yield Looked(there.st_size, Finding(where, problem, fault) if problem else None)


def check_bundle(layout: Layout, folder: str, files: Iterable[FileEntry]) -> list[Finding]:
    """Compare a folder below source/ with the files it should show."""
    found = []
    for entry in files:
        path = layout.source / folder / entry.path
        problem, fault = _problem(layout, path, entry)
        if problem:
            found.append(Finding(path.relative_to(layout.home).as_posix(), problem, fault))
    return found


def scan(layout: Layout, folder: str) -> tuple[list[str], list[str]]:
    """Names of all that is no folder, and of all folders, in one folder below source/; links are not followed."""
    names: list[str] = []
    below: list[str] = []
    try:
        with os.scandir(layout.source / folder) as entries:
            for entry in entries:
                (below if entry.is_dir(follow_symlinks=False) else names).append(entry.name)
    except (FileNotFoundError, NotADirectoryError):  # it went meanwhile
        pass
    return sorted(names), sorted(below)


def _problem(layout: Layout, path: Path, entry: FileEntry) -> tuple[str, Fault]:
    content, there = status(layout.blob(entry.digest)), status(path)
    if content is None:
        return f"has lost its content: blob {entry.digest.hex()} is missing", Fault.DAMAGED
    if there is None:
        return "is missing in the folder; its content is safe", Fault.HIDDEN
    if is_same(there, content) or (is_file(there) and durable.digest(path) == entry.digest):
        return "", Fault.HIDDEN
    return "is not what the version holds", Fault.HIDDEN


def _is_blob_name(layout: Layout, path: Path) -> bool:
    try:
        return layout.blob(bytes.fromhex(path.name)) == path
    except ValueError:
        return False


def _files(root: Path, skip: Path) -> Iterator[Path]:
    """Everything below that is no folder, links not followed."""
    for folder, below, names in os.walk(root):
        place = Path(folder)
        linked = [name for name in below if (place / name).is_symlink()]
        below[:] = sorted(name for name in below if place / name != skip)
        for name in (*sorted(names), *linked):
            yield place / name
