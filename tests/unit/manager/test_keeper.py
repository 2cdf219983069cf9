"""What the installation adds: kept as content, told when it changes, found again by digest."""

from __future__ import annotations

from pathlib import Path

import pytest

from manager.configured import read
from manager.events import ConfigRead, Event
from manager.keeper import Keeper
from manager.organizer import Organizer
from manager.state import State
from plotter2.clock import Instant
from plotter2.errors import NotFoundError
from plotter2.layout import Layout
from plotter2.model.additions import listed

NOW = Instant(5.0)


class Loop:
    """Hears what is told."""

    def __init__(self) -> None:
        self.heard: list[Event] = []

    async def put(self, event: Event) -> None:
        self.heard.append(event)


def made(home: Path) -> tuple[Keeper, Loop, Layout]:
    layout, loop = Layout.at(home), Loop()
    layout.create()
    return Keeper(layout, Organizer(layout), loop), loop, layout


def write(layout: Layout, name: str, text: str) -> None:
    path = layout.config / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


@pytest.mark.req("r009")
async def test_a_change_is_told_once_and_what_held_before_is_found_by_its_digest(tmp_path: Path) -> None:
    keeper, loop, layout = made(tmp_path)
    await keeper.look()
    assert loop.heard == []
    write(layout, "operations/a.py", "def a(x):\n    return x\n")
    write(layout, "operations/bad.py", "def b(:\n")
    await keeper.look()
    await keeper.look()
    first = keeper.current
    assert loop.heard == [ConfigRead(first.digest, 1, ("operations/bad.py",))]
    assert listed(layout.blob(first.digest).read_bytes()) == first.files
    write(layout, "operations/a.py", "def other(x):\n    return x\n")
    await keeper.look()
    assert list(keeper.current.operations) == ["other"]
    other, _, _ = made(tmp_path)  # as after a restart
    assert list((await other.of(first.digest)).operations) == ["a"]
    assert (await other.of(b"")).operations == {}
    with pytest.raises(NotFoundError):
        await other.of(b"x" * 32)


async def test_a_directory_that_cannot_be_read_leaves_everything_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, loop, layout = made(tmp_path)
    write(layout, "operations/a.py", "def a(x):\n    return x\n")
    await keeper.look()
    monkeypatch.setattr("plotter2.configured.FILES_MAX", 0)
    await keeper.look()
    await keeper.look()
    assert "adds more than 0 files" in keeper.fault
    assert list(keeper.current.operations) == ["a"]
    assert len(loop.heard) == 1


@pytest.mark.req("r009")
def test_runs_are_pinned_to_what_was_read_last() -> None:
    state = State()
    (said,) = read(state, ConfigRead(b"d" * 32, 3, ("x.py",)), NOW)
    assert (said.record.kind, said.record.key, state.config) == ("config.read", "64" * 32, b"d" * 32)
    assert read(state, ConfigRead(b"d" * 32), NOW) == []
