"""An organizer in an empty home, and deliveries to give it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from blake3 import blake3

from manager.organizer import Left, Organizer
from plotter2.errors import Plotter2Error
from plotter2.layout import Layout
from plotter2.model.bundle import FileEntry
from plotter2.model.task import Output


def digest(data: bytes) -> bytes:
    return blake3(data).digest()


def entry(path: str, data: bytes) -> FileEntry:
    return FileEntry(path, len(data), digest(data))


class Home:
    """What the manager would have."""

    def __init__(self, root: Path) -> None:
        self.layout = Layout.at(root)
        self.layout.create()
        self.organizer = Organizer(self.layout)
        self._deliveries = 0

    def spool(self, *contents: bytes) -> Path:
        self._deliveries += 1
        folder = self.layout.spool / f"dlv-{self._deliveries}"
        folder.mkdir(parents=True)
        for index, data in enumerate(contents):
            (folder / str(index)).write_bytes(data)
        return folder

    def install(self, files: dict[str, bytes]) -> list[FileEntry]:
        entries = [entry(path, data) for path, data in files.items()]
        self.organizer.install(self.spool(*files.values()), entries)
        return entries

    def show(self, bundle: str, files: dict[str, bytes]) -> list[FileEntry]:
        entries = self.install(files)
        self.organizer.materialise(bundle, entries)
        return entries

    def take(self, run_dir: Path, made: Sequence[Output], target: str, packed: bytes = b"") -> tuple[Output, ...]:
        """What a run made, moved below output/."""
        [ended] = self.organizer.take_all([Left(run_dir, made, target, packed)])
        if isinstance(ended, Plotter2Error):
            raise ended
        return ended.outputs

    def folder(self, bundle: str) -> dict[str, bytes]:
        """Every plain file in a bundle's folder."""
        root = self.layout.source / bundle
        return {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")
