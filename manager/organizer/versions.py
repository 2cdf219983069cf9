"""The trees that programs are given as `{bundle}`: one of each version that runs, and of that version only.

Under `temp/versions/`, as read-only links into the blobs; a tree appears under its name when it is whole. The folders
under `source/` are for people and show the newest version; what somebody puts there by hand reaches no program.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

from manager.organizer.disk import is_file, status, sync_names, trouble
from plotter2 import files as durable
from plotter2.errors import CorruptionError, PathRefusedError
from plotter2.layout import Layout
from plotter2.model import paths
from plotter2.model.bundle import FileEntry

FOLDER_MODE = 0o555
OWN_MODE = 0o755


class Versions:
    """Makes trees, and takes away those that nobody needs."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._numbers = itertools.count()

    def make(self, bundle: str, version: int, files: Sequence[FileEntry]) -> None:
        """See `Organizer.make_version`."""
        target = self._layout.version(bundle, version)
        if status(target) is not None:
            return
        with trouble(f"laying out {bundle}@{version}"):
            target.parent.mkdir(parents=True, exist_ok=True)
            scratch = target.parent / f".new-{os.getpid()}-{next(self._numbers)}"
            _remove(scratch)
            scratch.mkdir()
            placed = [self._place(scratch, entry) for entry in files]
            sync_names(scratch, placed)
            for folder in {parent for path in placed for parent in path.parents if parent.is_relative_to(scratch)}:
                folder.chmod(FOLDER_MODE)
            scratch.rename(target)
            durable.sync_directory(target.parent)

    def _place(self, root: Path, entry: FileEntry) -> Path:
        if paths.file_path(entry.path) != entry.path:
            raise PathRefusedError(f"File name {entry.path!r} is not in normal form.")
        blob, target = self._layout.blob(entry.digest), root / entry.path
        content = status(blob)
        if content is None or not is_file(content):
            raise CorruptionError(f"The content of {entry.path!r} is missing: blob {entry.digest.hex()}.")
        target.parent.mkdir(parents=True, exist_ok=True)
        durable.link_or_copy(blob, target)
        return target

    def keep(self, wanted: Collection[tuple[str, int]]) -> None:
        """See `Organizer.keep_versions`."""
        kept = {self._layout.version(*one).name for one in wanted}
        if not self._layout.versions.is_dir():
            return
        with trouble("removing trees of versions that nobody runs"):
            for tree in self._layout.versions.iterdir():
                if tree.name not in kept:
                    _remove(tree)


def _remove(tree: Path) -> None:
    """Take a tree of links away; the content stays where it is."""
    for folder, _, _ in os.walk(tree):
        Path(folder).chmod(OWN_MODE)
    shutil.rmtree(tree, ignore_errors=True)
