"""How rows look: values for a statement, rows of an answer, and lists of files as text (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from blake3 import blake3

from plotter2.model.bundle import FileEntry

Row = Mapping[str, Any]
Values = tuple[object, ...]


def columns(rows: Iterable[Values]) -> list[Sequence[object]]:
    """One sequence a column, as unnest() wants them; at least one row."""
    return list(zip(*rows, strict=True))


def file_list(files: Iterable[FileEntry]) -> tuple[bytes, str]:
    """For put_file_list: the digest of a list, and the list."""
    text = msgspec.json.encode([(one.path, one.size_bytes, one.digest.hex(), one.mode) for one in files])
    return blake3(text).digest(), text.decode()


def to_files(text: str) -> tuple[FileEntry, ...]:
    """A file list as `file_list` wrote it."""
    entries = msgspec.json.decode(text, type=list[tuple[str, int, str, int]])
    return tuple(FileEntry(path, size, bytes.fromhex(digest), mode) for path, size, digest, mode in entries)
