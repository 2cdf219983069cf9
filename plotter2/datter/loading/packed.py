"""Files inside gzip, zstd or zip, unpacked into memory or read as a stream; never more than is stated.

A few kilobytes can become terabytes, so the limit is on what comes out.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import IO, Any

UNPACKED_BYTES_MAX = 2 << 30
"""Of one file that is unpacked into memory."""
STEP_BYTES = 1 << 20
"""Read at a time: some streams have room made for all that is asked for, whatever they hold."""

Source = Path | bytes


def unpacked(path: Path, packed: str) -> bytes:
    """The content of one packed file; `packed` is .gz, .zst or .zip.

    Raises:
        ValueError: it is too large for memory, or an archive of several files.
    """
    with opened(path, packed) as file:
        return limited(file)


def opened(path: Path, packed: str) -> AbstractContextManager[Any]:
    """A stream of the content of one file, packed or ("") not."""
    if packed == ".gz":
        return gzip.open(path)
    if packed == ".zst":
        found: AbstractContextManager[Any] = import_module("pyarrow").input_stream(str(path), compression="zstd")
        return found
    if packed == ".zip":
        archive = zipfile.ZipFile(path)
        members = [one for one in archive.infolist() if not one.is_dir() and not one.filename.startswith("__MACOSX")]
        if len(members) != 1:
            archive.close()
            raise ValueError(
                f"the archive holds {len(members)} files, and one is what can be read; unpack it before you push it"
            )
        return archive.open(members[0])
    return path.open("rb")


def limited(file: IO[bytes] | gzip.GzipFile) -> bytes:
    """What was packed, if memory is to hold it."""
    found = io.BytesIO()
    while data := file.read(STEP_BYTES):
        found.write(data)
        if found.tell() > UNPACKED_BYTES_MAX:
            raise ValueError(f"it unpacks to more than {UNPACKED_BYTES_MAX} bytes; send it unpacked")
    return found.getvalue()


def content(source: Source) -> bytes:
    """All bytes of a source."""
    return source if isinstance(source, bytes) else source.read_bytes()


def stream(source: Source) -> IO[bytes]:
    """A source as a file that can be sought in."""
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
