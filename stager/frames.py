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

Piece = tuple[int, int, memoryview]
"""File index, offset, data."""

_CHUNK, _PIECE, _FILE, _OFFSET, _DATA = 0x12, 0x0A, 0x08, 0x10, 0x1A
_SEVEN_BITS, _MORE, _SHIFT_MAX = 0x7F, 0x80, 63


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
    while at < len(raw):
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
