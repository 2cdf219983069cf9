"""The blob store: content under its digest, stored once, read only, never changed.

A name appears only when its content is whole and on disk. Content comes by hard link from a spool on the same file
system, or in chunks from elsewhere; either way it is hashed here before it is believed.
"""

from __future__ import annotations

import itertools
import os
import shutil
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from blake3 import blake3

from manager.organizer.disk import inside, is_file, status, sync_names, trouble
from manager.organizer.instep import Need, Steps
from plotter2 import files as durable
from plotter2.errors import AlteredError, CorruptionError, NotFoundError
from plotter2.layout import Layout
from plotter2.model.bundle import DIGEST_BYTES, FileEntry

SCRATCH = ".new"
HASHING_THREADS = 2
Job = tuple[Path, FileEntry]


class Blobs:
    """Content by digest."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._numbers = itertools.count()
        self._cleaning = threading.Lock()
        self._is_clean = False

    def have(self, digests: Sequence[bytes]) -> list[bool]:
        """Which contents are here, in the order asked."""
        return [status(self._layout.blob(digest)) is not None for digest in digests]

    def open(self, digest: bytes) -> BinaryIO:
        """Content by digest; see `Organizer.open_blob`."""
        try:
            return self._layout.blob(digest).open("rb")
        except FileNotFoundError:
            raise NotFoundError(f"Content {digest.hex()} is not here.") from None

    def need(self, files: Sequence[FileEntry]) -> None:
        """Check that the content of all these files is here.

        Raises:
            AlteredError: something is missing.
        """
        for entry in files:
            if not self._is_here(entry):
                raise AlteredError(f"The content of {entry.path!r} was not sent.")

    def installing(self, spool: Path | None, files: Sequence[FileEntry]) -> Steps[None]:
        """See `Organizer.install`. Of the spool only `<spool>/<index>` is touched, whatever names the files have."""
        if spool is None:
            self.need(files)
            return
        root = inside(spool, self._layout.spool, "a spool")
        missing: dict[bytes, Job] = {}
        for index, entry in enumerate(files):
            if not self._is_here(entry):
                first = missing.setdefault(entry.digest, (root / str(index), entry))
                if first[1].size_bytes != entry.size_bytes:
                    raise AlteredError(f"{entry.path!r} and {first[1].path!r}: one digest, but two sizes.")
        if not missing:
            return
        jobs = list(missing.values())
        _check_all(jobs)
        spools = Path(os.path.realpath(self._layout.spool))  # one place, so that many deliveries share one sync
        yield Need(spools, contents=[source for source, _ in jobs])
        yield Need(self._layout.blobs, names=[self._link(source, entry) for source, entry in jobs])

    def putting(self, documents: Mapping[bytes, bytes]) -> Generator[Need, None, list[Path]]:
        """Have small texts of ours here, under their digests. Their names are the caller's to have on disk."""
        new = [
            (self._scratch(), digest)
            for digest, here in zip(documents, self.have([*documents]), strict=True)
            if not here
        ]
        try:
            for scratch, digest in new:
                scratch.write_bytes(documents[digest])
                scratch.chmod(durable.READ_ONLY)
            if new:
                yield Need(self._layout.blobs, contents=[scratch for scratch, _ in new])
            for scratch, digest in new:
                with suppress(FileExistsError):  # somebody else brought the same content meanwhile
                    _give_name(scratch, self._layout.blob(digest))
        finally:
            for scratch, _ in new:
                scratch.unlink(missing_ok=True)
        return [self._layout.blob(digest) for digest in documents]

    def adopt(self, jobs: Sequence[Job]) -> None:
        """Have files of ours here too, under their digests: by hard link where that works.

        Raises:
            AlteredError: one is not what its entry says.
        """
        missing = [job for job in jobs if not self._is_here(job[1])]
        _check_all(missing)
        sync_names(self._layout.blobs, [self._link(source, entry) for source, entry in missing])

    def _is_here(self, entry: FileEntry) -> bool:
        if len(entry.digest) != DIGEST_BYTES:
            raise AlteredError(f"{entry.path!r} came without its digest.")
        found = status(self._layout.blob(entry.digest))
        if found is None:
            return False
        if not is_file(found) or found.st_size != entry.size_bytes:
            raise CorruptionError(
                f"Blob {entry.digest.hex()} has {found.st_size} bytes, but {entry.path!r} with that digest has "
                f"{entry.size_bytes}; `plotter2 verify` names what is damaged."
            )
        return True

    def _link(self, source: Path, entry: FileEntry) -> Path:
        blob = self._layout.blob(entry.digest)
        try:
            source.chmod(durable.READ_ONLY)
            _link_into_folder(source, blob)
        except FileExistsError:  # somebody else brought the same content meanwhile
            pass
        except OSError as wrong:
            if wrong.errno not in durable.CROSS_LINK:
                raise
            with source.open("rb") as file, self.incoming(entry.digest, entry.size_bytes) as incoming:
                while chunk := file.read(durable.MMAP_BYTES_MIN):
                    incoming.write(chunk)
                incoming.finish()
        return blob

    @contextmanager
    def incoming(self, digest: bytes, size_bytes: int | None) -> Iterator[Incoming]:
        """Content that comes in chunks; what is not finished at the end of the block leaves nothing."""
        with trouble("taking in content"):
            scratch = self._scratch()
            coming = Incoming(scratch, self._layout.blob(digest), digest, size_bytes)
            try:
                yield coming
            finally:
                coming.close()
                scratch.unlink(missing_ok=True)

    def _scratch(self) -> Path:
        folder = self._layout.blobs / SCRATCH
        with self._cleaning:
            if not self._is_clean:  # what a former process left half written
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                self._is_clean = True
        return folder / str(next(self._numbers))


class Incoming:
    """One content on its way in."""

    def __init__(self, scratch: Path, blob: Path, digest: bytes, size_bytes: int | None) -> None:
        """Use `Blobs.incoming`."""
        self._scratch = scratch
        self._file = scratch.open("xb")
        self._blob = blob
        self._digest = digest
        self._size_bytes = size_bytes
        self._hasher = blake3()
        self._written = 0

    def write(self, chunk: bytes) -> None:
        """More of it.

        Raises:
            AlteredError: more bytes than were announced.
        """
        self._written += len(chunk)
        if self._size_bytes is not None and self._written > self._size_bytes:
            raise AlteredError(f"Content {self._digest.hex()} was announced with {self._size_bytes} bytes; more came.")
        self._hasher.update(chunk)
        self._file.write(chunk)

    def finish(self) -> bool:
        """That was all: give it its name, durably; False if the name is there already.

        Raises:
            AlteredError: it is not what was announced.
        """
        if self._size_bytes not in {None, self._written} or self._hasher.digest() != self._digest:
            raise AlteredError(
                f"Content {self._digest.hex()} came altered: {self._written} bytes with digest "
                f"{self._hasher.hexdigest()}."
            )
        self._file.flush()
        os.fchmod(self._file.fileno(), durable.READ_ONLY)
        os.fsync(self._file.fileno())
        try:
            _give_name(self._scratch, self._blob)
        except FileExistsError:
            return False
        durable.sync_directory(self._blob.parent)
        durable.sync_directory(self._blob.parent.parent)
        return True

    def close(self) -> None:
        """Let go of the scratch file."""
        self._file.close()


def _give_name(scratch: Path, blob: Path) -> None:
    try:
        _link_into_folder(scratch, blob)
    except OSError as wrong:
        if wrong.errno not in durable.CROSS_LINK:  # a file system without hard links
            raise
        scratch.replace(blob)


def _link_into_folder(source: Path, blob: Path) -> None:
    try:
        os.link(source, blob, follow_symlinks=False)
    except FileNotFoundError:
        blob.parent.mkdir(parents=True, exist_ok=True)
        os.link(source, blob, follow_symlinks=False)


def _check_all(jobs: Sequence[Job]) -> None:
    """Hash every file, two at a time; large files use all cores by themselves."""
    if len(jobs) == 1:
        _check(*jobs[0])
        return
    queue = iter(jobs)

    def check_some() -> None:
        for source, entry in queue:  # a list iterator hands out each item once, whichever thread asks
            _check(source, entry)

    with ThreadPoolExecutor(HASHING_THREADS, "hashing") as pool:
        for share in [pool.submit(check_some) for _ in range(HASHING_THREADS)]:
            share.result()


def _check(source: Path, entry: FileEntry) -> None:
    found = status(source)
    if found is None or not is_file(found):
        raise AlteredError(f"{entry.path!r} is missing in the delivery.")
    if found.st_size != entry.size_bytes:
        raise AlteredError(f"{entry.path!r} has {found.st_size} bytes; {entry.size_bytes} were declared.")
    if durable.digest(source) != entry.digest:
        raise AlteredError(f"{entry.path!r} was altered: its content is not what its digest says.")
