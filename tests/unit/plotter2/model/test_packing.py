"""Lists of what runs left."""

from __future__ import annotations

import pytest

from plotter2.errors import AlteredError, PathRefusedError
from plotter2.model import packing
from plotter2.model.packing import Packed

ONE = Packed("a/b.html", 3, b"d" * 32)


def test_what_was_written_is_read() -> None:
    listed = [ONE, Packed("a/b.html", 0, b"e" * 32, is_shared=True)]
    assert packing.read(packing.written(listed)) == listed
    assert packing.read(packing.written([])) == []


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b'[["a",-1,""]]',
        b"[" * 10_000,
        packing.written([ONE, ONE]),
        packing.written([Packed("a", 1, b"short")]),
    ],
)
def test_what_is_no_list_or_names_one_twice_is_refused(text: bytes) -> None:
    with pytest.raises(AlteredError):
        packing.read(text)


@pytest.mark.parametrize("path", ["../a", "/a", "", "a//b"])
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(PathRefusedError):
        packing.read(packing.written([Packed(path, 1, b"d" * 32)]))
