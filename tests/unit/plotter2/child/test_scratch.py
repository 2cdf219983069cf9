from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from blake3 import blake3

from plotter2.child.scratch import Scratch


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Scratch]:
    before = Path.cwd()
    yield Scratch(tmp_path, ".worker-1-1")
    os.chdir(before)


def test_a_run_that_makes_nothing_costs_no_directory(scratch: Scratch, tmp_path: Path) -> None:
    assert Path.cwd() == scratch.path
    assert scratch.is_empty
    scratch.clear()
    assert [path.name for path in tmp_path.iterdir()] == [".worker-1-1"]


def test_what_a_run_made_gets_its_name(scratch: Scratch, tmp_path: Path) -> None:
    Path("figures").mkdir()
    Path("figures/a.html").write_text("hello")
    Path(".hidden").write_text("x")
    Path("link").symlink_to("figures/a.html")
    assert scratch.files() == ["figures/a.html"]
    made = scratch.measure("figures/a.html", "figure", "A")
    assert (made.size_bytes, made.digest) == (5, blake3(b"hello").digest())
    scratch.hand_over("req-1.0.1")
    assert (tmp_path / "req-1.0.1" / "figures" / "a.html").read_text() == "hello"
    assert scratch.is_empty
    assert Path.cwd() == scratch.path


def test_a_repeat_of_the_same_run_replaces_what_was_there(scratch: Scratch, tmp_path: Path) -> None:
    for text in ("old", "new"):
        Path("a").write_text(text)
        scratch.hand_over("req-1.0.1")
    assert (tmp_path / "req-1.0.1" / "a").read_text() == "new"


def test_what_a_crashed_child_left_is_not_found_by_the_next(scratch: Scratch, tmp_path: Path) -> None:
    Path("half").write_text("x")
    assert Scratch(tmp_path, scratch.path.name).is_empty


def test_a_run_that_went_elsewhere_is_brought_back(scratch: Scratch) -> None:
    os.chdir("/")
    scratch.enter()
    assert Path.cwd() == scratch.path
