"""Whether everything at rest is what was put there (requirement 003, design 3). Looks and tells; repairs nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from manager.organizer.blobs import SCRATCH
from manager.organizer.disk import is_file, is_same, status
from manager.organizer.folders import LISTINGS, QUARANTINE
from plotter2 import files as durable
from plotter2.layout import Layout
from plotter2.model.bundle import FileEntry


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be: where (relative to the home), and what."""

    path: str
    problem: str


def check_blobs(layout: Layout) -> Iterator[Finding]:
    """Hash every blob and name each that is not what its name says."""
    for path in _files(layout.blobs, skip=frozenset({layout.blobs / SCRATCH})):
        where = path.relative_to(layout.home).as_posix()
        if not _is_blob_name(layout, path):
            yield Finding(where, "is no blob, but lies among them")
        elif path.is_symlink() or not path.is_file():
            yield Finding(where, "is no plain file")
        elif durable.digest(path).hex() != path.name:
            yield Finding(where, "is damaged: its content does not have this digest")


def check_tree(layout: Layout, versions: Iterable[tuple[str, Sequence[FileEntry]]]) -> Iterator[Finding]:
    """Compare the folders with the versions they should show, and name every file that no version explains."""
    explained: set[Path] = set()
    for bundle, files in versions:
        for entry in files:
            path = layout.source / bundle / entry.path
            explained.add(path)
            problem = _problem(layout, path, entry)
            if problem:
                yield Finding(path.relative_to(layout.home).as_posix(), problem)
    ours = frozenset({layout.blobs, layout.source / LISTINGS})
    for path in _files(layout.source, skip=ours):
        if path not in explained:
            quarantined = (layout.source / QUARANTINE) in path.parents
            problem = "is in quarantine" if quarantined else "is explained by no version"
            yield Finding(path.relative_to(layout.home).as_posix(), problem)


def _problem(layout: Layout, path: Path, entry: FileEntry) -> str:
    content, there = status(layout.blob(entry.digest)), status(path)
    if content is None:
        return f"has lost its content: blob {entry.digest.hex()} is missing"
    if there is None:
        return "is missing in the folder; its content is safe"
    if is_same(there, content) or (is_file(there) and durable.digest(path) == entry.digest):
        return ""
    return "is not what the version holds"


def _is_blob_name(layout: Layout, path: Path) -> bool:
    try:
        return layout.blob(bytes.fromhex(path.name)) == path
    except ValueError:
        return False


def _files(root: Path, skip: frozenset[Path]) -> Iterator[Path]:
    """Everything below that is no folder, links not followed."""
    for folder, below, names in os.walk(root):
        place = Path(folder)
        linked = [name for name in below if (place / name).is_symlink()]
        below[:] = sorted(name for name in below if place / name not in skip)
        for name in (*sorted(names), *linked):
            yield place / name
