from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.child import frames
from plotter2.child.frames import Ended, Ground, Made, Program, Run, Skip
from plotter2.errors import CorruptionError

MESSAGES = [
    Program(
        1, "tiny", "script", "x = 1", "tiny.py", Ground("a/b", 3, {"x": "/x"}, "{}", "", [Ground("a/b/bundles/c")])
    ),
    Run(7, 1, "req-1.0", 2, '{"lr": 0.1}', 99, 1 << 30),
    Skip([1, 2]),
]


@given(st.lists(st.integers(1, 40), max_size=30))
def test_frames_come_out_as_they_went_in_however_they_are_cut(cuts: list[int]) -> None:
    data = b"".join(frames.pack(message) for message in MESSAGES)
    reader = frames.to_child_reader()
    found: list[frames.ToChild] = []
    for size in cuts:
        found += reader.feed(data[:size])
        data = data[size:]
    assert found + reader.feed(data) == MESSAGES


def test_an_end_keeps_its_files_and_lines() -> None:
    ended = Ended(1, "done", "[1]", made=[Made("a.html", "figure", "A", 3, b"\1" * 32)], lines=["hello"])
    assert frames.from_child_reader().feed(frames.pack(ended)) == [ended]


@pytest.mark.parametrize("data", [b"\xff\xff\xff\xff", b"\x02\0\0\0\xc1\xc1", frames.pack(Skip([1]))])
def test_what_no_child_of_ours_says_is_refused(data: bytes) -> None:
    with pytest.raises(CorruptionError):
        frames.from_child_reader().feed(data)
