"""The folders under source/: what people browse, as read-only links into the blob store (requirement 022).

For each bundle a listing under `source/.trees/` says which names were put there. It is written before the first name
appears and after the last has gone, so after a crash we still know what is ours. Only that is ever removed; a strange
thing that stands in the way, or that `verify` found, is moved to the quarantine folder.
"""

from __future__ import annotations

import os
import stat
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from manager.organizer.blobs import Blobs
from manager.organizer.disk import is_file, is_same, status, trouble
from manager.organizer.instep import Need, Steps, in_step
from manager.organizer.records import Record
from manager.organizer.strays import Quarantine
from plotter2 import files as durable
from plotter2.errors import CorruptionError, Plotter2Error
from plotter2.layout import Layout
from plotter2.model import paths
from plotter2.model.bundle import FileEntry
from plotter2.model.quarantine import QuarantineItem

LISTINGS = ".trees"
SKELETON = ("code_sources", "bundles", "meta/history", "meta/reports", "shared/bundles", "shared/tasks", "shared/tbd")
Put = tuple[str, bytes]
"""A name in a bundle, and the digest of what it was linked to."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A bundle whose folder is to show these files."""

    bundle: str
    files: Sequence[FileEntry]


class Folders:
    """Shows versions. One at a time: folders nest, and what one empties another may be filling."""

    def __init__(self, layout: Layout, blobs: Blobs) -> None:
        self._layout = layout
        self._blobs = blobs
        self._quarantine = Quarantine(layout)
        self._lock = threading.Lock()

    def show(self, wanted: Sequence[Shown | Record]) -> list[list[QuarantineItem] | Plotter2Error]:
        """See `Organizer.show`."""
        with self._lock:
            pieces = (self._record(one) if isinstance(one, Record) else self._show(one) for one in wanted)
            return in_step("showing what came", pieces)

    def _record(self, record: Record) -> Steps[list[QuarantineItem]]:
        names = yield from self._blobs.putting(record.documents)
        folder = _Folder(self._layout, record.folder, self._quarantine)
        folder.make(record.folders)
        for entry in record.files:
            is_written = entry.digest in record.documents
            folder.place(entry.path, entry.digest, self._former(record, entry) if is_written else ())
        if folder.has_changed:
            yield Need(self._layout.source, names=[*names, *folder.placed], folders=True)
        return folder.strays

    def _former(self, record: Record, entry: FileEntry) -> tuple[bytes, ...]:
        """What a document of ours holds that a former plotter2 may have written otherwise."""
        place = self._layout.source / record.folder / entry.path
        there, wanted = status(place), status(self._layout.blob(entry.digest))
        if there is None or not is_file(there) or (wanted is not None and is_same(there, wanted)):
            return ()
        found = durable.digest(place)
        return (found,) if self._blobs.have([found])[0] else ()  # what somebody else wrote is not in the store

    def set_aside(self, paths: Sequence[str], bundles: Sequence[str], reason: str) -> list[QuarantineItem]:
        """See `Organizer.set_aside`."""
        with self._lock, trouble("moving what is strange into quarantine"):
            former: dict[str, list[bytes]] = defaultdict(list)
            for bundle in bundles:
                for name, digest in _read(self._listing(bundle)):
                    former[f"{bundle}/{name}"].append(digest)
            return [
                self._quarantine.take(self._layout.source / path, reason)
                for path in paths
                if self._is_strange(path, former)
            ]

    def quarantined(self) -> list[QuarantineItem]:
        """See `Organizer.quarantined`."""
        with self._lock, trouble("looking through the quarantine folder"):
            return list(self._quarantine.all())

    def _is_strange(self, path: str, former: dict[str, list[bytes]]) -> bool:
        """Whether it is there, and not what we showed of a former version and are about to take away."""
        place = self._layout.source / path
        there = status(place)
        if there is None:
            return False
        if stat.S_ISDIR(there.st_mode):
            has_file = any(names for _, _, names in os.walk(place))
            return has_file and not any(name.startswith(f"{path}/") for name in former)
        return not any(_is_ours(self._layout, place, there, digest) for digest in former.get(path, ()))

    def _listing(self, bundle: str) -> Path:
        return self._layout.source / LISTINGS / blake3(bundle.encode()).hexdigest()

    def _show(self, shown: Shown) -> Steps[list[QuarantineItem]]:
        bundle = paths.bundle_path(shown.bundle)
        for entry in shown.files:
            paths.file_path(entry.path)
        wanted = {(entry.path, entry.digest) for entry in shown.files}
        former = _read(self._listing(bundle))
        if former != wanted:
            yield from self._list(bundle, former | wanted)
        folder = _Folder(self._layout, bundle, self._quarantine)
        folder.become(former, wanted)
        if folder.has_changed:
            yield Need(self._layout.source, names=folder.placed, folders=True)
        if former - wanted:
            yield from self._list(bundle, wanted)
        return folder.strays

    def _list(self, bundle: str, names: set[Put]) -> Steps[None]:
        """Replace the listing of a bundle: after any crash it is the old or the new one."""
        listing = self._listing(bundle)
        listing.parent.mkdir(exist_ok=True)
        scratch = listing.with_name(f".{listing.name}.new")
        lines = [bundle, *(f"{digest.hex()} {path}" for path, digest in sorted(names))]
        scratch.write_bytes("".join(f"{line}\n" for line in lines).encode())
        yield Need(self._layout.source, contents=[scratch])
        scratch.replace(listing)
        yield Need(self._layout.source, names=[listing])


class _Folder:
    """The folder of one bundle while it is brought up to date."""

    def __init__(self, layout: Layout, bundle: str, quarantine: Quarantine) -> None:
        self._layout = layout
        self._source = layout.source
        self._quarantine = quarantine
        self._bundle = bundle
        self._known: set[str] = set()
        self.has_changed = False
        self.placed: list[Path] = []
        self.strays: list[QuarantineItem] = []
        self._folder(bundle)
        self._root = layout.source / bundle

    def make(self, folders: Iterable[str]) -> None:
        """Have these folders in it."""
        for one in folders:
            self._folder(f"{self._bundle}/{one}")

    def become(self, former: set[Put], wanted: set[Put]) -> None:
        """Have what is wanted in it, of what was in it before nothing else, and the folders of every bundle."""
        keep = {path for path, _ in wanted}
        before: dict[str, list[bytes]] = defaultdict(list)
        for path, digest in former:
            before[path].append(digest)
            if path not in keep:
                self.remove(path, digest)
        self.make(SKELETON)
        for path, digest in sorted(wanted):
            self.place(path, digest, before.get(path, ()))

    def place(self, path: str, digest: bytes, former: Iterable[bytes]) -> None:
        """Have this name mean this content."""
        blob = self._layout.blob(digest)
        content = status(blob)
        if content is None or not is_file(content):
            raise CorruptionError(
                f"The content of {path!r} in bundle {self._bundle!r} is missing: blob {digest.hex()}."
            )
        parent = path.rpartition("/")[0]
        if parent:
            self._folder(f"{self._bundle}/{parent}")
        target = self._root / path
        there = status(target)
        if there is not None and is_same(there, content):
            return
        if there is not None and not any(_is_ours(self._layout, target, there, old) for old in (*former, digest)):
            self._aside(target)
        durable.link_or_copy(blob, target)
        self.has_changed = True
        self.placed.append(target)

    def remove(self, path: str, digest: bytes) -> None:
        """Take away a name that we put there, and the folders that become empty by that."""
        target = self._root / path
        there = status(target)
        if there is None or not _is_ours(self._layout, target, there, digest):
            return
        target.unlink()
        self.has_changed = True
        for parent in target.parents:
            if parent == self._root:
                return
            try:
                parent.rmdir()
            except OSError:  # not empty
                return

    def _folder(self, path: str) -> None:
        """Have a real folder there, and above it."""
        if path in self._known:
            return
        above = path.rpartition("/")[0]
        if above:
            self._folder(above)
        place = self._source / path
        try:
            place.mkdir()
            self.has_changed = True
        except FileExistsError:
            if not stat.S_ISDIR(place.lstat().st_mode):
                self._aside(place)
                place.mkdir()
                self.has_changed = True
        self._known.add(path)

    def _aside(self, strange: Path) -> None:
        """Nobody but us puts things here (requirement 003): whatever it is, it is kept, elsewhere."""
        self.strays.append(self._quarantine.take(strange, f"stood where bundle {self._bundle!r} shows its own files"))


def _is_ours(layout: Layout, target: Path, there: os.stat_result, digest: bytes) -> bool:
    if not is_file(there):
        return False
    content = status(layout.blob(digest))
    if content is not None and is_same(there, content):
        return True
    return durable.digest(target) == digest  # a copy, where links are impossible


def _read(listing: Path) -> set[Put]:
    try:
        lines = listing.read_bytes().decode().split("\n")
    except FileNotFoundError:
        return set()
    return {(line[65:], bytes.fromhex(line[:64])) for line in lines[1:] if line}
