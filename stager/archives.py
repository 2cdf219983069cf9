"""Archives that would unpack to more than anybody means to send (blocking, only reads; nothing is written).

plotter2 takes an archive in as it is. But whoever opens it later, a task or a person, should not meet a few kilobytes
that become terabytes. What an archive unpacks to is read from a zip's own table, or measured on the first bytes of a
compressed stream, as if it went on as it begins. Archives inside archives are not opened, and one that is broken is not
our business here. Time and memory do not depend on its size.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from plotter2.errors import RefusedError

UNPACKED_BYTES_MAX = 64 << 30
"""An archive may unpack to so much, whatever its own size,"""
RATIO_MAX = 100
"""or else to so many times its own size."""
SUFFIXES = (".zip", ".npz", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz")
SAMPLE_BYTES = 8 << 20
"""So much of a stream is looked at, packed or unpacked."""
STEP_BYTES = 256
STREAMS_MAX = 1_000
"""Compressed streams one after another in one file."""
XZ_MEMORY_BYTES_MAX = 128 << 20
TABLE_BYTES_MAX = 16 << 20
"""So much of the table of a zip is looked at."""

_END = struct.Struct("<4s6xH2LH")
_END64 = struct.Struct("<4s28x3Q")
_LOCATOR64 = struct.Struct("<4s4xQ4x")
_MEMBER = struct.Struct("<4s20xL3H12x")
_MEMBER_BYTES = 46
_COMMENT_BYTES_MAX = 65_535
_IN_EXTRA = 0xFFFF_FFFF
_SIZES_64 = 1
_EXPANDERS: tuple[tuple[bytes, Callable[[], Any]], ...] = (
    (b"\x1f\x8b", lambda: zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)),
    (b"BZh", bz2.BZ2Decompressor),
    (b"\xfd7zXZ\x00", lambda: lzma.LZMADecompressor(memlimit=XZ_MEMORY_BYTES_MAX)),
)
_BROKEN = (zlib.error, OSError, EOFError, lzma.LZMAError, ValueError, struct.error)


def check(name: str, path: Path) -> None:
    """Look at one file that came, under the name that it came with.

    Raises:
        RefusedError: it is an archive that unpacks to more than it may.
    """
    if not name.lower().endswith(SUFFIXES):
        return
    size_bytes = path.stat().st_size
    may_bytes = max(UNPACKED_BYTES_MAX, RATIO_MAX * size_bytes)
    with path.open("rb") as file:
        is_zip = file.read(2) == b"PK"
        unpacked_bytes = _in_zip(file, size_bytes) if is_zip else _in_stream(file, size_bytes)
    if unpacked_bytes > may_bytes:
        raise RefusedError(
            f"{name!r} has {size_bytes} bytes and would unpack to about {unpacked_bytes}; at most {may_bytes} may be."
        )


def _in_stream(file: BinaryIO, size_bytes: int) -> int:
    """What a compressed stream will be, if it goes on as it begins."""
    file.seek(0)
    head = file.read(6)
    make = next((make for magic, make in _EXPANDERS if head.startswith(magic)), None)
    if make is None:
        return 0
    file.seek(0)
    unpacked = packed = streams = 0
    expander = None
    try:
        while max(unpacked, packed) < SAMPLE_BYTES and (data := file.read(STEP_BYTES)):
            packed += len(data)
            while data and streams < STREAMS_MAX and unpacked < SAMPLE_BYTES:
                expander = expander or make()
                unpacked += len(expander.decompress(data, SAMPLE_BYTES))
                # What does not fit into a whole sample ends the loop, so nothing is carried over but a next stream.
                data = expander.unused_data
                if expander.eof:
                    expander, streams = None, streams + 1
    except _BROKEN:
        pass  # what was seen until here counts
    return unpacked * size_bytes // max(packed, 1)


def _in_zip(file: BinaryIO, size_bytes: int) -> int:
    """What the members of a zip say that they will be."""
    try:
        begin, length = _table(file, size_bytes)
        file.seek(begin)
        table = file.read(min(length, TABLE_BYTES_MAX))
    except _BROKEN:
        return 0
    unpacked = at = 0
    while at + _MEMBER_BYTES <= len(table):
        magic, size, name, extra, comment = _MEMBER.unpack_from(table, at)
        if magic != b"PK\x01\x02":
            break
        at += _MEMBER_BYTES + name
        unpacked += _size_64(table[at : at + extra]) if size == _IN_EXTRA else size
        at += extra + comment
    return unpacked


def _table(file: BinaryIO, size_bytes: int) -> tuple[int, int]:
    """Where the table of a zip begins, and its length: it ends where the record of the end begins."""
    tail_at = max(0, size_bytes - _END.size - _COMMENT_BYTES_MAX)
    file.seek(tail_at)
    tail = file.read(_END.size + _COMMENT_BYTES_MAX)
    found = tail.rfind(b"PK\x05\x06")
    if found < 0:
        return 0, 0
    _, _, length, _, _ = _END.unpack_from(tail, found)
    end = tail_at + found
    locator = tail[max(0, found - _LOCATOR64.size) : found]
    if len(locator) == _LOCATOR64.size and locator.startswith(b"PK\x06\x07"):
        end = _LOCATOR64.unpack(locator)[1]
        file.seek(end)
        _, _, length, _ = _END64.unpack(file.read(_END64.size))
    return max(0, end - length), min(length, size_bytes)


def _size_64(extra: bytes) -> int:
    """The unpacked size is the first of the 64 bit fields."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == _SIZES_64 and at + 12 <= len(extra):
            return int.from_bytes(extra[at + 4 : at + 12], "little")
        at += 4 + length
    return _IN_EXTRA
