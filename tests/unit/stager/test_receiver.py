from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.errors import AlteredError, ConflictError, UsageError
from stager.deliveries import Delivery, DeliveryState
from stager.spool import Spool
from tests.unit.stager.kit import order


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with Spool.open(tmp_path / "spool") as spool:
        yield spool


def delivery(**contents: bytes) -> Delivery:
    return Delivery(order("b", **contents), DeliveryState.RECEIVING)


def test_pieces_become_files(spool: Spool) -> None:
    one = delivery(a=b"hello", empty=b"", c=b"x" * 10)
    receiver = spool.receiver(one)
    token, offsets = receiver.take()
    assert offsets == [0, 0, 0]
    assert receiver.write(token, [(0, 0, b"he"), (0, 2, b"llo"), (2, 0, memoryview(b"x" * 10))]) == 15
    assert receiver.finish(token, []) == one.order
    assert [(spool.directory(one.id) / str(index)).read_bytes() for index in range(3)] == [b"hello", b"", b"x" * 10]


@given(data=st.binary(max_size=400), cuts=st.lists(st.integers(0, 400), max_size=4), breaks=st.booleans())
def test_whatever_the_cuts_and_breaks_the_content_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, cuts: list[int], breaks: bool
) -> None:
    one = delivery(a=data)
    with Spool.open(tmp_path_factory.mktemp("spool")) as spool:
        receiver = spool.receiver(one)
        token, _ = receiver.take()
        at = 0
        for cut in [*sorted(min(cut, len(data)) for cut in cuts), len(data)]:
            if cut > at:
                receiver.write(token, [(0, at, data[at:cut])])
            at = max(at, cut)
            if breaks:
                receiver = spool.receiver(one)  # as after a kill
                token, offsets = receiver.take()
                assert offsets == [at]
        assert receiver.finish(token, []) == one.order
        assert (spool.directory(one.id) / "0").read_bytes() == data


def test_what_came_wrong_before_a_break_is_found_out(spool: Spool) -> None:
    one = delivery(a=b"abcdef")
    receiver = spool.receiver(one)
    token, _ = receiver.take()
    receiver.write(token, [(0, 0, b"xyz")])
    token, offsets = receiver.take()
    receiver.write(token, [(0, offsets[0], b"def")])
    with pytest.raises(AlteredError, match="'a' changed"):
        receiver.finish(token, [])


def test_a_later_stream_takes_over(spool: Spool) -> None:
    receiver = spool.receiver(delivery(a=b"abc"))
    old, _ = receiver.take()
    new, _ = receiver.take()
    with pytest.raises(ConflictError):
        receiver.write(old, [(0, 0, b"abc")])
    with pytest.raises(ConflictError):
        receiver.finish(old, [])
    receiver.close(old)
    assert receiver.write(new, [(0, 0, b"abc")]) == 3


def test_what_the_manager_has_is_not_taken(spool: Spool) -> None:
    one = Delivery(order("b", a=b"abc", b=b"def"), DeliveryState.RECEIVING, frozenset({0}))
    receiver = spool.receiver(one)
    token, offsets = receiver.take()
    assert offsets == [3, 0]
    with pytest.raises(UsageError, match="not expected"):
        receiver.write(token, [(0, 0, b"abc")])
    receiver.write(token, [(1, 0, b"def")])
    assert receiver.finish(token, []) == one.order
    assert not (spool.directory(one.id) / "0").exists()


def test_digests_may_come_with_the_seal(spool: Spool) -> None:
    one = delivery(a=b"abc")
    (entry,) = one.order.files
    bare = replace(one, order=replace(one.order, files=(replace(entry, digest=b""),)))
    receiver = spool.receiver(bare)
    token, _ = receiver.take()
    receiver.write(token, [(0, 0, b"abc")])
    with pytest.raises(UsageError, match="digest of 'a' is missing"):
        receiver.finish(token, [])
    assert receiver.finish(token, [entry.digest]).files == (entry,)


def test_large_files_are_written_back_on_the_way(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stager.receiver.FLUSH_BYTES", 10)
    one = delivery(a=b"x" * 100)
    receiver = spool.receiver(one)
    token, _ = receiver.take()
    for offset in range(0, 100, 5):
        receiver.write(token, [(0, offset, b"xxxxx")])
    assert receiver.finish(token, []) == one.order
