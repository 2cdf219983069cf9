import tracemalloc

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from plotter2.api.v1 import stager_pb2 as pb
from plotter2.client import packing
from plotter2.errors import UsageError
from stager.frames import Chunk, decode
from tests.effort import CALLS_PER_S, counted

pieces = st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**50), st.binary(max_size=300)), max_size=5)


def message(batch: list[tuple[int, int, bytes]]) -> pb.UploadRequest:
    request = pb.UploadRequest()
    request.chunk.SetInParent()
    for file, offset, data in batch:
        request.chunk.pieces.add(file=file, offset=offset, data=data)
    return request


@given(pieces)
def test_our_frames_are_the_protobuf_message(batch: list[tuple[int, int, bytes]]) -> None:
    assert pb.UploadRequest.FromString(packing.frame(batch)) == message(batch)


@given(pieces)
def test_frames_of_ours_and_of_protobuf_are_read_alike(batch: list[tuple[int, int, bytes]]) -> None:
    for raw in (packing.frame(batch), message(batch).SerializeToString()):
        chunk = decode(raw)
        assert isinstance(chunk, Chunk)
        assert [(file, offset, bytes(data)) for file, offset, data in chunk.pieces] == batch


@given(st.binary(max_size=60))
def test_anything_else_is_read_or_refused_as_protobuf_does(raw: bytes) -> None:
    try:
        expected = pb.UploadRequest.FromString(raw)
    except DecodeError:
        with pytest.raises(UsageError):
            decode(raw)
        return
    found = decode(raw)
    if isinstance(found, Chunk):
        assert expected.WhichOneof("step") == "chunk"
        assert [(piece.file, piece.offset, piece.data) for piece in expected.chunk.pieces] == [
            (file, offset, bytes(data)) for file, offset, data in found.pieces
        ]
    else:
        assert found == expected


def test_unusual_orders_of_fields_are_left_to_protobuf() -> None:
    raw = b"\x12\x09\x0a\x07" + b"\x1a\x01x" + b"\x10\x02" + b"\x08\x01"
    assert decode(raw) == Chunk(((1, 2, memoryview(b"x")),))


def inside(field: int, part: bytes, count: int) -> bytes:
    """A message that has so many parts inside this field."""
    body = part * count
    size, length = bytearray(), len(body)
    while length > 0x7F:
        size.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([field << 3 | 2]) + bytes(size) + bytes([length]) + body


@pytest.mark.parametrize(
    "raw",
    [
        inside(1, b"\x22\x00", 8_000_000),
        inside(2, b"\x0a\x00", 8_000_000),
        inside(2, b"\x0a\x03\x1a\x01x", 2_000_000),
        inside(3, b"\x0a\x00", 8_000_000),
        b"\x0a\x00" * 8_000_000,
        inside(1, b"\x22\x00", 100_000) + inside(1, b"\x22\x00", 100_000),
    ],
    ids=["files", "empty pieces", "pieces", "digests", "begins", "files in two halves"],
)
def test_millions_of_parts_are_refused_before_anything_is_made_of_them(raw: bytes) -> None:
    with counted() as effort, pytest.raises(UsageError, match="more than 100016 parts"):
        decode(raw)
    assert effort.calls < CALLS_PER_S, "a second's work"
    tracemalloc.start()
    with pytest.raises(UsageError):
        decode(raw)
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()


def test_a_hundred_thousand_files_are_not_too_many() -> None:
    begin = pb.UploadRequest()
    for number in range(100_000):
        begin.begin.files.add(path=f"some/where/file-{number}", size_bytes=number)
    assert decode(begin.SerializeToString()) == begin
