"""Upload messages off the line: chunks as views of the bytes that arrived, everything else by protobuf (pure).

Protobuf would copy each MiB twice more; at the speed of a disk that is a good part of the stager's time. The views are
the same fields of the same message (`stager.proto`); what is not written the usual way is left to protobuf.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from plotter2.api.v1 import stager_pb2
from plotter2.errors import UsageError
from plotter2.model.delivery import FILES_MAX

PARTS_MAX = FILES_MAX + 16
"""Pieces, files or digests of one message, and what else stands beside them: an empty one takes two bytes on the line
and a hundred in memory, so they are counted before anything is made of them."""

Piece = tuple[int, int, memoryview]
"""File index, offset, data."""

_CHUNK, _PIECE, _FILE, _OFFSET, _DATA = 0x12, 0x0A, 0x08, 0x10, 0x1A
_SEVEN_BITS, _MORE, _SHIFT_MAX = 0x7F, 0x80, 63
_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_LENGTHS = {_EIGHT: 8, _FOUR: 4}


@dataclass(frozen=True, slots=True)
class Chunk:
    """The pieces of one message."""

    pieces: tuple[Piece, ...]


class _Unusual(Exception):  # noqa: N818 -- legal protobuf perhaps: the way to the general parser, not an error
    """Not written the usual way."""


def decode(raw: bytes) -> Chunk | stager_pb2.UploadRequest:
    """A message of an upload.

    Raises:
        UsageError: not one.
    """
    if raw[:1] == bytes([_CHUNK]):
        try:
            return Chunk(tuple(_pieces(memoryview(raw))))
        except (_Unusual, IndexError):
            pass  # the general parser decides
    if len(raw) > 2 * PARTS_MAX and _is_crowded(memoryview(raw)):
        raise _crowded()
    try:
        request = stager_pb2.UploadRequest.FromString(raw)
    except DecodeError:
        raise UsageError("A message of the upload cannot be read.") from None
    if request.WhichOneof("step") == "chunk":
        return Chunk(tuple((piece.file, piece.offset, memoryview(piece.data)) for piece in request.chunk.pieces))
    return request


def _pieces(raw: memoryview) -> Iterator[Piece]:
    length, at = _varint(raw, 1)
    if at + length != len(raw):
        raise _Unusual
    count = 0
    while at < len(raw):
        count += 1
        if count > PARTS_MAX:
            raise _crowded()
        length, begin = _field(raw, at, _PIECE)
        at = begin + length
        yield _piece(raw[begin:at], length)


def _piece(raw: memoryview, length: int) -> Piece:
    """Fields in their order, those that are zero perhaps left out, data last."""
    at = file = offset = 0
    if raw[at] == _FILE:
        file, at = _varint(raw, at + 1)
    if raw[at] == _OFFSET:
        offset, at = _varint(raw, at + 1)
    size, at = _field(raw, at, _DATA)
    if len(raw) != length or at + size != length:
        raise _Unusual
    return file, offset, raw[at:]


def _field(raw: memoryview, at: int, key: int) -> tuple[int, int]:
    if raw[at] != key:
        raise _Unusual
    return _varint(raw, at + 1)


def _varint(raw: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < _SHIFT_MAX:
        byte = raw[at]
        at += 1
        value |= (byte & _SEVEN_BITS) << shift
        if byte < _MORE:
            return value, at
        shift += 7
    raise _Unusual


def _crowded() -> UsageError:
    return UsageError(f"A message of the upload has more than {PARTS_MAX} parts.")


def _is_crowded(raw: memoryview) -> bool:
    """Whether the messages inside one have more fields than may be; what cannot be read is left to the parser."""
    left = PARTS_MAX
    try:
        for begin, end in _fields(raw, 0, len(raw)):
            left -= 1
            for _ in _fields(raw, begin, end):
                left -= 1
                if left < 0:
                    return True
            if left < 0:
                return True
    except (_Unusual, IndexError):
        pass
    return False


def _fields(raw: memoryview, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Where the content of each field begins and ends; that of a number is empty."""
    while at < end:
        key, at = _varint(raw, at)
        kind, length = key & 7, 0
        if kind == _VARINT:
            _, at = _varint(raw, at)
        elif kind == _BYTES:
            length, at = _varint(raw, at)
        elif kind in _LENGTHS:
            at += _LENGTHS[kind]
        yield at, min(at + length, end)
        at += length
