"""What bundles look like is kept where it must stay the same, and within a bound."""

from __future__ import annotations

from plotter2.api.v1 import common_pb2, manager_pb2
from worker.settled import Key, Settled


def described(path: str, *, is_settled: bool = True) -> manager_pb2.GetBundleResponse:
    return manager_pb2.GetBundleResponse(bundle=common_pb2.Bundle(path=path, version=1), is_settled=is_settled)


def key(path: str, pins: bytes = b"p") -> Key:
    return (path, 1), pins, ("", 0)


def test_only_what_is_settled_and_pinned_is_kept() -> None:
    known = Settled()
    known.put(key("a"), described("a"))
    known.put(key("b"), described("b", is_settled=False))
    known.put(key("c", b""), described("c"))
    assert (known.get(key("a")), known.get(key("b")), known.get(key("c", b""))) == (described("a"), None, None)
    assert known.get(key("a", b"other")) is None, "something else lies below"


def test_what_was_not_used_for_the_longest_time_goes() -> None:
    one = described("a").ByteSize()
    known = Settled(bytes_max=3 * one)
    for name in "abc":
        known.put(key(name), described(name))
    known.put(key("c"), described("c"))
    assert known.get(key("a")) is not None
    known.put(key("d"), described("d"))
    assert [name for name in "abcd" if known.get(key(name)) is not None] == ["a", "c", "d"]
    known.put(key("e"), described("e" * 4 * one))
    assert len(known) == 0
