"""Many runs taken over together: as many syncs as one, in the order that makes them safe, whenever the process dies."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from manager.organizer import Left, Taken
from manager.organizer.disk import SYNCED_ALONE_MAX
from plotter2 import files as durable
from plotter2.errors import AlteredError, LimitError
from plotter2.model.task import Output
from tests.unit.manager.organizer.conftest import Home

PAGE, SIDECAR, PICTURE = "x.html", "x.html.json", "x.html.svg"
MADE = (Output(PAGE, "figure"),)
FORK = get_context("fork")


def left(home: Home, count: int) -> list[Left]:
    """So many runs that each made a page, with what lies beside it."""
    for number in range(count):
        folder = home.layout.runs / f"req-1.{number}.1"
        folder.mkdir(parents=True)
        for name in (PAGE, SIDECAR, PICTURE):
            (folder / name).write_text(f"{name} {number}")
    return again(home, count)


def again(home: Home, count: int) -> list[Left]:
    return [Left(home.layout.runs / f"req-1.{number}.1", MADE, f"lab/t/{number}") for number in range(count)]


def pages(home: Home) -> list[Path]:
    return sorted(home.layout.output.rglob(PAGE))


class Disk:
    """Every call that makes something durable or moves it, in order."""

    def __init__(self, patch: pytest.MonkeyPatch, heard: Callable[[str], None]) -> None:
        fsync, tree, replace = os.fsync, durable.sync_tree, Path.replace

        def synced(handle: int) -> None:
            heard("sync")
            fsync(handle)

        def tree_synced(root: Path, files: Sequence[Path]) -> None:
            heard("sync")
            tree(root, files)

        def moved(source: Path, target: Path) -> Path:
            heard("move")
            return replace(source, target)

        patch.setattr(os, "fsync", synced)
        patch.setattr(durable, "sync_tree", tree_synced)
        patch.setattr(Path, "replace", moved)


@pytest.mark.req("r198")
def test_a_hundred_runs_need_two_syncs_all_contents_before_the_first_move_and_all_names_after_the_last(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, said = left(home, 100), list[str]()
    Disk(monkeypatch, said.append)
    taken = home.organizer.take_all(runs)
    assert said == ["sync", *["move"] * 300, "sync"]
    assert [one.outputs[0].path for one in taken if isinstance(one, Taken)] == [
        f"lab/t/{number}/{PAGE}" for number in range(100)
    ]


@pytest.mark.req("r198")
def test_a_few_runs_share_the_folders_that_they_have_in_common(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = []
    for count in (1, 2):
        runs, said = left(home, count), list[str]()
        with monkeypatch.context() as patch:
            Disk(patch, said.append)
            home.organizer.take_all(runs)
        counts.append(said.count("sync"))
        for one in runs:
            one.run_dir.rmdir()
    folders = len(("output", "lab", "t"))
    assert counts == [3 + folders + 1, 2 * 3 + folders + 2]
    assert SYNCED_ALONE_MAX >= 2 * 2 * 3, "more are synced as one"


def died_at(home: Home, runs: Sequence[Left], step: int) -> bool:
    """Take them over in a process of its own that is killed at a step on the disk; whether it came that far."""

    def work(patch: pytest.MonkeyPatch) -> None:
        steps = iter(range(step))

        def heard(_: str) -> None:
            if next(steps, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)

        Disk(patch, heard)
        home.organizer.take_all(runs)

    with pytest.MonkeyPatch.context() as patch:
        process: Any = FORK.Process(target=work, args=(patch,))
        process.start()
        process.join()
    assert process.exitcode in {0, -signal.SIGKILL}
    return bool(process.exitcode)


@pytest.mark.req("r012", "r198")
@pytest.mark.parametrize("count", [2, 7])
def test_killed_at_any_step_nothing_half_moved_is_seen_and_the_next_process_takes_the_rest(
    home: Home, count: int
) -> None:
    runs, step, killed = left(home, count), 0, 0
    while died_at(home, runs, step):
        killed += 1
        for page in pages(home):
            number = page.parent.name
            assert page.read_text() == f"{PAGE} {number}"
            for name in (SIDECAR, PICTURE):
                assert (page.parent / name).read_text() == f"{name} {number}", "a figure with the story of its making"
        step += 1
    assert killed >= 2 + 3, "syncs, and the moves of a run at least"
    assert len(pages(home)) == count
    assert not [path for one in runs for path in one.run_dir.iterdir()]
    taken = home.organizer.take_all(runs)
    assert all(isinstance(one, Taken) for one in taken), "and once more gives the same"


@pytest.mark.req("r198")
def test_what_one_run_did_not_leave_is_its_own_fault_and_a_full_disk_moves_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = left(home, 20)
    (runs[3].run_dir / PAGE).write_text("altered")
    runs[3] = Left(runs[3].run_dir, (Output(PAGE, "figure", digest=bytes(32)),), runs[3].target)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left", "x")

    with monkeypatch.context() as patch:
        patch.setattr(durable, "sync_tree", full)
        ended = home.organizer.take_all(runs)
        assert {type(one) for one in ended} == {AlteredError, LimitError}
        assert pages(home) == []
    ended = home.organizer.take_all(runs)
    assert [isinstance(one, Taken) for one in ended] == [number != 3 for number in range(20)]
