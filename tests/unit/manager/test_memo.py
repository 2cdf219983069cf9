"""What decides whether results are known: the stamp of what a run sees, and what becomes of a key at its end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from manager import memo
from manager.commands import KeepMemo, PlanInstances, SaveRun
from manager.events import ArchiveAsked, InstancesPlanned, RunAsked
from manager.store import Snapshot
from plotter2.ids import RunId
from plotter2.model.task import RunState, TaskKind, TaskRun
from tests.unit.manager.kit import FILES, Story, only, request

STEPS = '["access", "pca"]'
OTHER = tuple(replace(one, digest=bytes([9]) * 32) for one in FILES)


@pytest.fixture
def story() -> Story:
    made = Story()
    made.is_plain = False
    made.push("lab", "")
    made.worker("w1", slots=8)
    return made


def plan(story: Story, *, kind: TaskKind = TaskKind.PIPELINE, version: int = 0, force: bool = False) -> PlanInstances:
    asked = request(next(story.numbers))
    source = STEPS if kind is TaskKind.PIPELINE else "impose(k as float)\ndef task(k): pass"
    said = story.turn(RunAsked(7, asked, "ann", "work", "lab", version, source, kind, force=force))
    (found,) = only(said, PlanInstances)
    return found


def begun(story: Story, stamp: bytes) -> RunId:
    """A run with a key of this stamp is with a worker."""
    run = plan(story).run.id
    story.turn(InstancesPlanned(run, memo_keys=(bytes(memo.HALF_BYTES) + stamp,)))
    return run


def ended(story: Story, run: RunId) -> TaskRun:
    story.report(run)
    return next(one.run for one in reversed(only(story.said, SaveRun)) if one.run.id == run)


@pytest.mark.req("r022")
def test_a_stamp_changes_with_everything_that_a_run_sees_and_with_nothing_else(story: Story) -> None:
    stamps = [plan(story).stamp]
    story.push("elsewhere", "")
    assert plan(story).stamp == stamps[0]
    assert len(stamps[0]) == memo.HALF_BYTES
    story.push("lab/low", "")
    stamps.append(plan(story).stamp)
    story.push("lab/low", "", OTHER)
    stamps.append(plan(story).stamp)
    story.turn(ArchiveAsked(5, request(90), "ann", "lab/low", archived=True))
    stamps.append(plan(story).stamp)
    story.push("lab", "", OTHER)
    stamps.append(plan(story).stamp)
    assert len(set(stamps)) == len(stamps)


@pytest.mark.req("r022")
def test_scripts_old_versions_and_very_many_bundles_have_none(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    assert plan(story, kind=TaskKind.SCRIPT).stamp == b""
    story.push("lab", "", OTHER)
    assert plan(story, version=1).stamp == b""
    assert plan(story).stamp
    monkeypatch.setattr(memo, "BELOW_MAX", 1)
    for name in ("lab/a", "lab/b"):
        story.push(name, "")
    assert plan(story).stamp == b""


@pytest.mark.req("r022")
def test_who_wants_it_anew_is_told_to_whoever_looks(story: Story) -> None:
    assert [plan(story, force=force).is_forced for force in (True, False)] == [True, False]


@pytest.mark.req("r022")
def test_a_key_stays_with_a_run_that_still_sees_what_it_saw_and_with_no_other(story: Story) -> None:
    stamp = plan(story).stamp
    kept = ended(story, begun(story, stamp))
    assert (kept.state, kept.memo_key[memo.HALF_BYTES :]) == (RunState.DONE, stamp)
    assert [one.run.id for one in only(story.said, KeepMemo)] == [kept.id]
    late = begun(story, stamp)
    story.push("lab/low", "")
    assert ended(story, late).memo_key == b""


@pytest.mark.req("r022")
def test_a_manager_that_starts_again_meanwhile_keeps_the_key(story: Story) -> None:
    run = begun(story, plan(story).stamp)
    state = story.machine.state
    again = Story()
    again.is_plain = False
    again.machine.load(
        Snapshot(
            tuple(live.snapshot() for live in state.requests.values()), tuple(state.runs.values()),
            tuple(state.tasks.values()), tuple(state.catalog.need(path).version for path in state.catalog.paths()),
            tuple(state.workers.values()), (),
        ),
        {}, {}, again.now,
    )  # fmt: skip
    assert ended(again, run).memo_key == state.runs[run].memo_key


@pytest.mark.req("r022")
def test_a_run_that_is_known_ends_at_once_and_no_worker_hears_of_it(story: Story) -> None:
    first = ended(story, begun(story, plan(story).stamp))
    asked = plan(story).run
    story.turn(InstancesPlanned(asked.id, memo_keys=(first.memo_key,), known={first.memo_key: first}))
    (done,) = [one.run for one in only(story.said, SaveRun) if one.run.id == asked.id and one.run.has_ended]
    assert (done.state, done.reused_of, done.memo_key, done.worker_id) == (RunState.DONE, first.id, b"", "")
    assert asked.request_id not in story.machine.state.requests
