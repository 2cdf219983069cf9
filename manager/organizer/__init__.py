"""The organizer: content by digest, the folders that people browse, and what runs leave under output/.

The only writer of `source/` and `output/`. Every method blocks (call it in a thread) but `put_stream`, can be called
from many threads at a time, and can be done again after a crash at any line: what was done stays, the rest is done.
Durability order: content, then its name, then the answer. Refuses names that lead elsewhere, follows no links, deletes
nothing that it did not put there itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from manager.organizer import audit
from manager.organizer.audit import Looked
from manager.organizer.blobs import Blobs
from manager.organizer.disk import trouble
from manager.organizer.folders import Folders, Shown
from manager.organizer.instep import alone, in_step
from manager.organizer.outputs import Left, lay_assets
from manager.organizer.records import Record
from manager.organizer.taking import Taken, taken
from manager.organizer.versions import Versions
from plotter2.errors import Plotter2Error
from plotter2.layout import Layout
from plotter2.model.bundle import FileEntry
from plotter2.model.output import EXPORT
from plotter2.model.quarantine import QuarantineItem
from plotter2.model.task import Output
from plotter2.model.verification import Finding

__all__ = ["Left", "Looked", "Organizer", "Record", "Shown", "Taken"]

INSTALLING = "taking in a delivery"


class Organizer:
    """Everything the manager does with files."""

    def __init__(self, layout: Layout) -> None:
        """Touches nothing yet; the layout's directories must be there before the first call."""
        self._layout = layout
        self._blobs = Blobs(layout)
        self._folders = Folders(layout, self._blobs)
        self._versions = Versions(layout)

    def install(self, spool: Path | None, files: Sequence[FileEntry]) -> None:
        """Have the content of a delivery in the blob store, durably: from its spool, or put here by digest before.

        Raises:
            PathRefusedError: the spool lies elsewhere than spools do.
            AlteredError: a file's content is missing, or is not what was declared; the message names the file.
            LimitError: the disk is full.
            CorruptionError: a blob that is here already has another size than its content.
        """
        alone(INSTALLING, self._blobs.installing(spool, files))

    def install_all(self, deliveries: Iterable[tuple[Path | None, Sequence[FileEntry]]]) -> list[Plotter2Error | None]:
        """`install` for many small ones: they share their syncs. For each, why it could not be, if it could not."""
        return in_step(INSTALLING, (self._blobs.installing(spool, files) for spool, files in deliveries))

    def have(self, digests: Sequence[bytes]) -> list[bool]:
        """Which contents are here, in the order asked."""
        return self._blobs.have(digests)

    def open_blob(self, digest: bytes) -> BinaryIO:
        """Content by digest, for reading.

        Raises:
            NotFoundError: it is not here.
        """
        return self._blobs.open(digest)

    def put(self, digest: bytes, chunks: Iterable[bytes], size_bytes: int | None = None) -> bool:
        """Take in content under its digest, durably; False if it was here.

        Raises:
            AlteredError: the bytes are not what digest and size say; nothing is kept.
            LimitError: the disk is full.
        """
        if self._blobs.have([digest])[0]:
            return False
        with self._blobs.incoming(digest, size_bytes) as incoming:
            for chunk in chunks:
                incoming.write(chunk)
            return incoming.finish()

    async def put_stream(self, digest: bytes, size_bytes: int, chunks: AsyncIterator[bytes]) -> bool:
        """`put` for asyncio: each chunk is written in a thread. What is here already is read to its end and dropped."""
        if (await asyncio.to_thread(self._blobs.have, [digest]))[0]:
            async for _ in chunks:
                pass
            return False
        with self._blobs.incoming(digest, size_bytes) as incoming:
            async for chunk in chunks:
                await asyncio.to_thread(incoming.write, chunk)
            return await asyncio.to_thread(incoming.finish)

    def materialise(self, bundle: str, files: Sequence[FileEntry]) -> list[QuarantineItem]:
        """Make the folder of a bundle show these files: read-only links, and the folders of requirement 022.

        Returns:
            What stood in the way and is in quarantine now.

        Raises:
            PathRefusedError: a name that may not be.
            CorruptionError: a blob is missing.
            LimitError: the disk is full.
        """
        return _only(self._folders.show([Shown(bundle, files)]))

    def show(self, wanted: Sequence[Shown | Record]) -> list[list[QuarantineItem] | Plotter2Error]:
        """`materialise` and `keep_record` for many, each bundle shown once: they share their syncs.

        Returns:
            For each what stood in the way and is in quarantine now, or why it could not be shown.
        """
        return self._folders.show(wanted)

    def make_version(self, bundle: str, version: int, files: Sequence[FileEntry]) -> None:
        """Have a read-only tree of just this version for the programs that run it; see `Layout.version`.

        Raises:
            CorruptionError: content is missing.
            LimitError: the disk is full.
        """
        self._versions.make(bundle, version, files)

    def keep_versions(self, wanted: Collection[tuple[str, int]]) -> None:
        """Take away the trees of all versions but these; only while no other may be asked for."""
        self._versions.keep(wanted)

    def lay_assets(self) -> None:
        """Have what all pages share below output/.

        Raises:
            LimitError: the disk is full.
        """
        lay_assets(self._layout)

    def keep_record(self, record: Record) -> list[QuarantineItem]:
        """Leave what a delivery was in the history of its bundle, as read-only links.

        Returns:
            What stood in the way and is in quarantine now.

        Raises:
            CorruptionError: a blob is missing.
            LimitError: the disk is full.
        """
        return _only(self._folders.show([record]))

    def take_all(self, runs: Iterable[Left]) -> list[Taken | Plotter2Error]:
        """Move what each run made, with its sidecars, below `output/`; many with as many syncs as one.

        Returns:
            What was taken of each, with paths below `output/`, durably; or why it could not be: a path that leads
            elsewhere (PathRefusedError), what the run did not leave (NotFoundError) or left otherwise (AlteredError),
            a disk that is full (LimitError) or fails (FailedError).
        """
        return in_step("taking over outputs", (taken(self._layout, self._blobs, one) for one in runs))

    def keep_exports(self, outputs: Sequence[Output]) -> None:
        """Have what a run exports, and lies below output/, in the blob store too.

        Raises:
            AlteredError: content differs from what was taken.
            LimitError: the disk is full.
        """
        exported = [one for one in outputs if one.kind == EXPORT]
        entries = [FileEntry(one.path, one.size_bytes, one.digest) for one in exported]
        with trouble("keeping what a run exports"):
            self._blobs.adopt([(self._layout.output / one.path, one) for one in entries])

    def check_blobs(self) -> Iterator[Looked]:
        """Read every blob there is, one a step, and name what is wrong."""
        return audit.check_blobs(self._layout)

    def check_folder(self, folder: str, files: Sequence[FileEntry]) -> list[Finding]:
        """What a folder below source/ does not show as it should, of these files."""
        return audit.check_bundle(self._layout, folder, files)

    def scan(self, folder: str) -> tuple[list[str], list[str]]:
        """Names of all that is no folder, and of all folders, directly in a folder below source/ ("": source/)."""
        return audit.scan(self._layout, folder)

    def set_aside(self, paths: Sequence[str], bundles: Sequence[str], reason: str) -> list[QuarantineItem]:
        """Move things below source/ that nobody explains into quarantine; nothing of ours, and no empty folder.

        Args:
            paths: below source/.
            bundles: those whose folders they lie in; what we showed of a former version there is ours.
            reason: why, one sentence without its subject.

        Raises:
            LimitError: the disk is full.
            FailedError: something cannot be moved.
        """
        return self._folders.set_aside(paths, bundles, reason)

    def quarantined(self) -> list[QuarantineItem]:
        """Every stray in the quarantine folder."""
        return self._folders.quarantined()


def _only(ended: Sequence[list[QuarantineItem] | Plotter2Error]) -> list[QuarantineItem]:
    [one] = ended
    if isinstance(one, Plotter2Error):
        raise one
    return one
