from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.errors import RefusedError
from stager import archives
from tests.effort import CALLS_PER_S, counted

ZEROS = bytes(32 << 20)


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return out.getvalue()


def zip_bomb() -> bytes:
    """One member of a few bytes whose table says 4 PiB, as in a zip with overlapping members."""
    return lying_zip(struct.pack("<HHQ", 1, 8, 1 << 52), 0xFFFF_FFFF)


def lying_zip(extra: bytes, size: int, members: int = 1) -> bytes:
    member = struct.pack("<4s20xL3H12x", b"PK\x01\x02", size, 1, len(extra), 0) + b"a" + extra
    table = member * members
    end = struct.pack("<4s4x2H2LH", b"PK\x05\x06", members, members, len(table), 4, 0)
    return b"PK\x03\x04" + table + end


def zip64_bomb() -> bytes:
    member = struct.pack("<4s20xL3H12x", b"PK\x01\x02", 0xFFFF_FFFE, 1, 0, 0) + b"a"
    table = member * 300
    end64 = struct.pack("<4s28x3Q", b"PK\x06\x06", 300, len(table), 4)
    locator = struct.pack("<4s4xQ4x", b"PK\x06\x07", 4 + len(table))
    return b"PK\x03\x04" + table + end64 + locator + struct.pack("<4s6xH2LH", b"PK\x05\x06", 0xFFFF, 0xFFFF_FFFF, 0, 0)


def stretched(packed: bytes, size_bytes: int, path: Path) -> Path:
    """A file of that size which begins so: the rest takes no room on the disk."""
    path.write_bytes(packed)
    os.truncate(path, size_bytes)
    return path


def placed(tmp_path: Path, name: str, data: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.zip", zip_bomb()), ("B.NPZ", zip64_bomb()), ("many.zip", lying_zip(b"", 0xFFFF_FFF0, 40))],
)
def test_a_zip_that_says_it_becomes_terabytes_is_refused(tmp_path: Path, name: str, data: bytes) -> None:
    with pytest.raises(RefusedError, match="would unpack to about"):
        archives.check(name, placed(tmp_path, "0", data))


@pytest.mark.parametrize(
    ("name", "packed", "size_bytes"),
    [
        ("a.csv.gz", gzip.compress(ZEROS), 100 << 20),
        ("a.tgz", zlib.compress(b"", wbits=31) * 10 + gzip.compress(ZEROS), 200 << 20),
        ("a.bz2", bz2.compress(ZEROS), 20 << 20),
        ("a.tar.xz", lzma.compress(ZEROS), 100 << 20),
    ],
)
def test_a_stream_that_would_become_terabytes_is_refused_at_once(
    tmp_path: Path, name: str, packed: bytes, size_bytes: int
) -> None:
    path = stretched(packed, size_bytes, tmp_path / "0")
    with counted() as effort, pytest.raises(RefusedError, match="would unpack to about"):
        archives.check(name, path)
    assert effort.calls < 1_000, "only its beginning is looked at"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.zip", zipped(a=b"hello", b=bytes(1 << 20))),
        ("a.zip", zipped()),
        ("a.gz", gzip.compress(ZEROS)),
        ("a.bz2", bz2.compress(b"hello") * 3),
        ("a.xz", lzma.compress(os.urandom(1 << 20))),
        ("a.gz", b"not packed at all"),
        ("a.zip", b"PK"),
        ("a.zip", b"PK\x05\x06" + b"\xff" * 40),
        ("a.gz", b""),
        ("bomb.bin", zip_bomb()),  # nobody unpacks that by its name
    ],
)
def test_what_is_honest_or_no_archive_is_not(tmp_path: Path, name: str, data: bytes) -> None:
    archives.check(name, placed(tmp_path, "0", data))


@pytest.mark.parametrize("data", [zlib.compress(b"", wbits=31) * 1_000_000, lzma.compress(b"") * 300_000])
def test_a_million_empty_streams_take_no_time(tmp_path: Path, data: bytes) -> None:
    path = placed(tmp_path, "0", data)
    with counted() as effort:
        archives.check("a.gz", path)
    assert effort.calls < CALLS_PER_S, "a second's work"


@given(
    head=st.sampled_from([b"", b"PK", b"PK\x03\x04", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\x00"]),
    body=st.binary(max_size=300),
    end=st.sampled_from([b"", b"PK\x05\x06", b"PK\x06\x07" + b"\0" * 16 + b"PK\x05\x06" + b"\0" * 18]),
    suffix=st.sampled_from(archives.SUFFIXES),
)
def test_whatever_is_in_it_there_is_an_answer(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, body: bytes, end: bytes, suffix: str
) -> None:
    path = placed(tmp_path_factory.mktemp("archive"), "0", head + body + end)
    try:
        archives.check("a" + suffix, path)
    except RefusedError as wrong:
        assert "would unpack to" in wrong.message  # noqa: PT017 -- both answers are right
