"""The quarantine folder: where things go that nobody but a stranger's hand put into the managed tree (requirement 003).

`source/.quarantine/<id>.json` says what it is and why it is here; it is on disk before the thing is moved to
`source/.quarantine/<id>/`. So a crash leaves either a thing where it was, or one whose reason is known. Nothing here is
ever read by anything else, and nothing leaves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
from blake3 import blake3

from plotter2 import files as durable
from plotter2.layout import Layout
from plotter2.model.quarantine import ItemKind, QuarantineItem

QUARANTINE = ".quarantine"
PREFIX = "str-"
ID_DIGITS = 32
NOTE_BYTES_MAX = 1 << 16


class Note(msgspec.Struct, frozen=True):
    """What stands beside a thing in quarantine."""

    path: str
    reason: str


class Quarantine:
    """Takes in what is strange. Not safe to call from two threads at a time."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._root = layout.source / QUARANTINE

    def take(self, strange: Path, reason: str) -> QuarantineItem:
        """Move a file, link or folder here, durably; its name is made of where it lay and which file it is."""
        there = strange.lstat()
        where = _text(strange.relative_to(self._layout.home))
        seed = f"{where}\0{there.st_dev}\0{there.st_ino}\0{there.st_ctime_ns}"
        name = PREFIX + blake3(seed.encode()).hexdigest()[:ID_DIGITS]
        folder = self._root / name
        folder.mkdir(parents=True, exist_ok=True)
        durable.write_durably(self._root / f"{name}.json", msgspec.json.encode(Note(where, reason)))
        strange.rename(folder / strange.name)
        durable.sync_directory(folder)
        durable.sync_directory(strange.parent)
        return self._item(name, where, reason)

    def all(self) -> Iterator[QuarantineItem]:
        """Everything that is here, taking in what somebody put here by hand."""
        if not self._root.is_dir():
            return
        for entry in sorted(os.scandir(self._root), key=lambda one: one.name):
            name = entry.name
            if _is_id(name) and entry.is_dir(follow_symlinks=False):
                yield self._known(name)
            elif not (_is_id(name.removesuffix(".json")) and name.endswith(".json")):
                yield self.take(self._root / name, "was put into the quarantine folder by hand")

    def _known(self, name: str) -> QuarantineItem:
        try:
            with (self._root / f"{name}.json").open("rb") as file:
                said = msgspec.json.decode(file.read(NOTE_BYTES_MAX), type=Note)
        except (OSError, msgspec.DecodeError, UnicodeError):
            said = Note("", "lies in the quarantine folder; nothing says why")
        return self._item(name, said.path, said.reason)

    def _item(self, name: str, where: str, reason: str) -> QuarantineItem:
        kept = (self._root / name).relative_to(self._layout.home).as_posix()
        return QuarantineItem(name, ItemKind.STRAY, where, reason, kept=kept)


def _is_id(name: str) -> bool:
    digits = name.removeprefix(PREFIX)
    return name.startswith(PREFIX) and len(digits) == ID_DIGITS and set(digits) <= set("0123456789abcdef")


def _text(path: Path) -> str:
    """A path for people and databases, also where its bytes are no UTF-8."""
    return os.fsencode(path.as_posix()).decode(errors="replace")
