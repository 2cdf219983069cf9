"""Work in step: each piece stands for itself, and all of them share what it costs to be durable."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from manager.organizer import Shown
from manager.organizer.instep import Need, Steps, in_step
from plotter2 import files as durable
from plotter2.errors import AlteredError, CorruptionError, FailedError, LimitError, Plotter2Error
from tests.unit.manager.organizer.conftest import Home, entry


def piece(root: Path, said: list[str], name: str, steps: int) -> Steps[str]:
    for step in range(steps):
        said.append(f"{name}{step}")
        yield Need(root, folders=True)
    return name


def test_pieces_take_their_steps_together_and_one_sync_serves_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(durable, "sync_tree", lambda *_: said.append("sync"))
    assert in_step("working", [piece(tmp_path, said, "a", 2), piece(tmp_path, said, "b", 1)]) == ["a", "b"]
    assert said == ["a0", "b0", "sync", "a1", "sync"]


def test_what_one_piece_cannot_do_is_its_own_fault_alone(tmp_path: Path) -> None:
    def wrong() -> Steps[str]:
        yield Need(tmp_path)
        raise AlteredError("not what it says")

    def broken() -> Steps[str]:
        yield Need(tmp_path)
        raise OSError(errno.EIO, "bad sector", "x")

    first, second, third = in_step("working", [wrong(), piece(tmp_path, [], "b", 3), broken()])
    assert isinstance(first, AlteredError)
    assert second == "b"
    assert isinstance(third, FailedError)


def test_when_the_disk_is_full_nobody_who_waits_for_it_is_told_that_it_is_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left", "x")

    def at_once() -> Steps[str]:
        return "needs nothing"
        yield

    monkeypatch.setattr(durable, "sync_tree", full)
    ended = in_step("working", [at_once(), piece(tmp_path, [], "b", 1), piece(tmp_path, [], "c", 1)])
    assert ended[0] == "needs nothing"
    assert [type(one) for one in ended[1:]] == [LimitError, LimitError]


@pytest.mark.req("r198")
def test_many_deliveries_are_installed_and_shown_with_as_many_syncs_as_one(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs: list[Path] = []
    sync_tree = durable.sync_tree
    monkeypatch.setattr(durable, "sync_tree", lambda root, files: (syncs.append(root), sync_tree(root, files)))
    contents = [b"%d" % number for number in range(100)]
    deliveries = [(home.spool(data), [entry("out", data)]) for data in contents]
    assert home.organizer.install_all(deliveries) == [None] * 100
    shown = home.organizer.show([Shown(f"lab/bundles/{data.decode()}", [entry("out", data)]) for data in contents])
    assert shown == [[]] * 100
    assert home.folder("lab/bundles/42") == {"out": b"42"}
    # The contents and names of blobs, the contents and names of listings, and the folders.
    assert [root.name for root in syncs] == ["spool", ".blobs", "source", "source", "source"]


def test_among_many_only_what_is_wrong_is_refused(home: Home) -> None:
    altered = (home.spool(b"one"), [entry("a", b"two")])
    good = (home.spool(b"good"), [entry("a", b"good")])
    first, second = home.organizer.install_all([altered, good])
    assert isinstance(first, AlteredError)
    assert second is None
    missing, there = home.organizer.show([Shown("x", [entry("a", b"two")]), Shown("y", [entry("a", b"good")])])
    assert isinstance(missing, CorruptionError)
    assert isinstance(missing, Plotter2Error)
    assert there == []
