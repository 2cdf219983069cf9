"""Stories of standing orders: by count, by schedule, after requests; and of those that lead to themselves."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from manager import standing
from manager.commands import Answer, AssignRuns, Command, SaveTally
from manager.events import (
    ArchiveAsked,
    InheritAsked,
    RequestCancelled,
    ServiceReported,
    Ticked,
)
from plotter2.clock import Instant
from plotter2.errors import PackageError
from plotter2.ids import RequestId, ServiceId
from plotter2.model.bundle import Contents, FileEntry
from plotter2.model.order import CHAIN_MAX, Firing
from plotter2.model.request import Request, RequestKind, RequestState
from plotter2.model.service import ServiceState, ServiceStatus
from tests.unit.manager.kit import DIGITS, FILES, Story, only, request
from tests.unit.manager.orderkit import LAB, MIDNIGHT, arrive, fired, lab, ordered, restarted, tick


@pytest.fixture
def story() -> Story:
    return lab()


# --- on n arrivals ----------------------------------------------------------------------------------------------------


@pytest.mark.req("r023")
def test_each_nth_arrival_fires_on_the_bundle_itself(story: Story) -> None:
    story.push(LAB, ordered({"name": "thirds", "on": "arrivals", "n": 3}))
    counted = [[(one.bundle, one.user) for one in fired(arrive(story, number))] for number in range(1, 8)]
    assert counted == [[], [], [(LAB, "standing:thirds")], [], [], [(LAB, "standing:thirds")], []]


@pytest.mark.req("r023")
async def test_what_has_arrived_is_counted_across_a_restart(story: Story) -> None:
    story.push(LAB, ordered({"name": "thirds", "on": "arrivals", "n": 3}))
    arrive(story, 1)
    arrive(story, 2)
    again = await restarted(story)
    said = arrive(again, 3)
    assert [one.bundle for one in fired(said)] == [LAB]
    assert only(said, SaveTally)[-1].tally.arrivals == 0


def test_arrivals_of_one_cause_fire_requests_of_their_own(story: Story) -> None:
    story.push(
        LAB, DIGITS.replace('"standing": [', '"standing": [{"name": "n", "on": "arrivals", "n": 1, "run": []}, ')
    )
    asked, _ = story.redo(LAB, ["0.1", "0.2"])
    first = story.push(f"{LAB}/bundles/lr=0.1", files=FILES[:1], service_id=f"{asked}.s0")
    second = story.push(f"{LAB}/bundles/lr=0.2", files=FILES[:1], service_id=f"{asked}.s1")
    ids = [one.id for one in fired([*first, *second]) if one.user == "standing:n"]
    assert len(set(ids)) == 2
    assert {one.cause for one in fired([*first, *second])} == {asked}


# --- on schedule ------------------------------------------------------------------------------------------------------


@pytest.mark.req("r023")
def test_a_schedule_fires_when_its_time_comes_and_not_before(story: Story) -> None:
    story.push(LAB, ordered({"name": "nightly", "on": "cron", "cron": "30 4 * * *"}))
    due = MIDNIGHT + 4.5 * 3600
    assert fired(tick(story, due - 1)) == []
    said = tick(story, due + 0.4)
    (one,) = fired(said)
    assert (one.bundle, one.user, one.cause) == (LAB, "standing:nightly", "")
    assert json.loads(one.ask_json) == {"order": "nightly", "of": LAB, "on": "cron", "due": due}
    assert [(run.task_name, run.bundle) for run in story.machine.state.runs.values()] == [("compare", LAB)]
    assert fired(tick(story, due + 60)) == []
    assert len(fired(tick(story, due + 86_400))) == 1


@pytest.mark.req("r023")
async def test_schedules_that_were_missed_fire_once_after_the_downtime(story: Story) -> None:
    story.push(LAB, ordered({"name": "hourly", "on": "cron", "cron": "0 * * * *"}))
    again = await restarted(story)
    again.now = Instant(MIDNIGHT + 10.5 * 3600)
    (one,) = fired(again.turn(Ticked()))
    assert json.loads(one.ask_json)["due"] == MIDNIGHT + 3600
    assert fired(again.turn(Ticked())) == []
    assert len(fired(tick(again, MIDNIGHT + 11 * 3600))) == 1


@pytest.mark.req("r023")
async def test_a_firing_whose_transaction_was_lost_is_the_same_request_when_it_is_decided_again(story: Story) -> None:
    story.push(LAB, ordered({"name": "hourly", "on": "cron", "cron": "0 * * * *"}))
    again = await restarted(story)
    (lost,) = fired(tick(story, MIDNIGHT + 3600))
    (repeated,) = fired(tick(again, MIDNIGHT + 3700))
    assert repeated.id == lost.id


@pytest.mark.req("r023")
def test_another_schedule_in_a_new_version_is_followed_from_then_on(story: Story) -> None:
    story.push(LAB, ordered({"name": "s", "on": "cron", "cron": "0 1 * * *"}))
    changed = FileEntry("new", 1, bytes([9]) * 32)
    story.push(LAB, ordered({"name": "s", "on": "cron", "cron": "0 2 * * *"}), files=[*FILES, changed])
    assert fired(tick(story, MIDNIGHT + 3700)) == []
    assert len(fired(tick(story, MIDNIGHT + 7200))) == 1
    story.push(LAB, ordered(), files=FILES)
    assert fired(tick(story, MIDNIGHT + 3 * 86_400)) == []
    assert story.machine.state.due == []


@pytest.mark.req("r023")
def test_a_version_that_keeps_the_schedule_does_not_put_it_off(story: Story) -> None:
    nightly = ordered({"name": "s", "on": "cron", "cron": "0 1 * * *"})
    story.push(LAB, nightly)
    tick(story, MIDNIGHT + 3500)
    story.push(LAB, nightly, files=[*FILES, FileEntry("new", 1, bytes([9]) * 32)])
    assert len(fired(tick(story, MIDNIGHT + 3600))) == 1


# --- on request done --------------------------------------------------------------------------------------------------


@pytest.mark.req("r023")
def test_a_request_that_is_done_fires_the_orders_that_wait_for_its_kind(story: Story) -> None:
    story.push(LAB, ordered({"name": "after run", "on": "request", "request": "run"}))
    asked, _ = story.run("curve", LAB)
    said = story.report(f"{asked}.0")
    assert [(one.user, one.cause, one.bundle) for one in fired(said)] == [("standing:after run", asked, LAB)]
    failed, _ = story.run("curve", LAB)
    assert fired(story.turn(RequestCancelled(1, failed))) == []


@pytest.mark.req("r023")
def test_pushes_and_archives_are_requests_that_are_done_at_once(story: Story) -> None:
    pushed = ordered(
        {"name": "p", "on": "request", "request": "push"}, {"name": "a", "on": "request", "request": "archive"}
    )
    assert [one.user for one in fired(story.push(LAB, pushed))] == ["standing:p"]
    assert [one.user for one in fired(story.push(LAB, pushed))] == ["standing:p"]
    said = story.turn(ArchiveAsked(1, request(next(story.numbers)), "ann", LAB, archived=True))
    assert [one.user for one in fired(said)] == ["standing:a"]


@pytest.mark.req("r023")
def test_a_redo_that_is_done_fires_too(story: Story) -> None:
    story.push(LAB, DIGITS.replace('"on": "settled"', '"on": "request", "request": "redo"'))
    asked, _ = story.redo(LAB, ["0.1"])
    said = story.turn(ServiceReported(0, ServiceStatus(ServiceId(f"{asked}.s0"), ServiceState.RUNNING)))
    said = story.turn(ServiceReported(0, ServiceStatus(ServiceId(f"{asked}.s0"), ServiceState.DONE)))
    assert [(one.user, one.cause) for one in fired(said)] == [("standing:all", asked)]


# --- tasks of ancestors -----------------------------------------------------------------------------------------------


@pytest.mark.req("r023", "r034")
def test_an_order_runs_a_task_that_its_bundle_inherits(story: Story) -> None:
    story.push("lab", json.dumps({"tasks": [{"name": "look", "pipeline": [{"access": "x"}], "parameters": {"k": 3}}]}))
    story.push(LAB, json.dumps({"standing": [{"name": "each", "on": "child", "run": ["look"]}]}))
    arrive(story, 1)
    (run,) = story.machine.state.runs.values()
    assert (run.task_name, run.bundle, run.parameters_json) == ("look", f"{LAB}/bundles/b1", '{"k":3}')


@pytest.mark.req("r023")
def test_an_order_for_a_task_that_nobody_declares_is_refused_at_the_door(story: Story) -> None:
    told = story.push(LAB, json.dumps({"standing": [{"name": "each", "on": "child", "run": ["look"]}]}))
    (answer,) = only(told, Answer)
    assert isinstance(answer.error, PackageError)
    assert "'standing[0].run[0]' is 'look', but the tasks of 'lab/a', its own and inherited" in answer.error.message
    assert story.machine.state.catalog.get(LAB) is None


@pytest.mark.req("r023", "r034")
def test_a_task_that_is_gone_refuses_the_firing_with_the_reason_and_nothing_else(story: Story) -> None:
    story.push("lab", json.dumps({"tasks": [{"name": "look", "pipeline": [{"access": "x"}]}]}))
    story.push(LAB, json.dumps({"standing": [{"name": "each", "on": "child", "run": ["look"]}]}))
    story.push("lab", "{}", files=FILES[:1])
    newest = story.machine.state.catalog.need(LAB).version
    story.turn(InheritAsked(3, request(next(story.numbers)), "ann", Contents(newest, FILES)))
    (one,) = fired(arrive(story, 1))
    assert (one.state, one.user, one.reason_code) == (RequestState.REFUSED, "standing:each", "not_found")
    assert "has no task 'look'" in one.reason
    assert story.machine.state.catalog.get(f"{LAB}/bundles/b1") is not None


# --- chains -----------------------------------------------------------------------------------------------------------


def run_all(story: Story, said: list[Command]) -> list[Command]:
    """Have every run that was given to a worker end well, and those that follow from it."""
    everything = list(said)
    while waiting := [run.id for message in only(said, AssignRuns) for run in message.runs]:
        said = [command for run in waiting for command in story.report(run)]
        everything += said
    return everything


@pytest.mark.req("r024")
def test_an_order_that_leads_to_itself_is_stopped_and_the_chain_is_shown(story: Story) -> None:
    orders = [
        {"name": "ping", "on": "request", "request": "standing"},
        {"name": "start", "on": "request", "request": "run"},
    ]
    story.push(LAB, ordered(*orders))
    asked, _ = story.run("curve", LAB)
    found = fired(run_all(story, story.report(f"{asked}.0")))
    assert [(one.user, one.state) for one in found] == [
        ("standing:start", RequestState.RUNNING),
        ("standing:ping", RequestState.RUNNING),
        ("standing:ping", RequestState.REFUSED),
    ]
    start, ping, stopped = found
    assert (ping.cause, stopped.cause) == (start.id, ping.id)
    assert "'lab/a' start on 'lab/a' → 'lab/a' ping on 'lab/a' → 'lab/a' ping on 'lab/a'" in stopped.reason


@pytest.mark.req("r024")
async def test_a_chain_is_known_after_a_restart(story: Story) -> None:
    story.push(LAB, ordered({"name": "ping", "on": "request", "request": "standing"}, {"name": "n", "on": "version"}))
    again = await restarted(story)
    (waiting,) = [live.request for live in again.machine.state.requests.values()]
    assert waiting.chain == (Firing(LAB, "n", LAB),)
    found = fired(run_all(again, [*again.said, *again.report(f"{waiting.id}.0")]))
    assert [one.state for one in found][-1] is RequestState.REFUSED


@pytest.mark.req("r024")
def test_firings_that_lead_ever_further_are_stopped_at_a_depth(story: Story) -> None:
    names = [f"s{number}" for number in range(CHAIN_MAX + 3)]
    story.push(LAB, ordered(*({"name": name, "on": "request", "request": "standing", "run": []} for name in names[:2])))
    far = tuple(Firing("lab/b", name, "lab/b") for name in names[:CHAIN_MAX])
    done = Request(RequestId(f"req-{1:032x}"), RequestKind.STANDING, RequestState.DONE, bundle=LAB, chain=far)
    found = fired(standing.on_done(story.machine.state, done, story.now))
    assert {one.state for one in found} == {RequestState.REFUSED}
    assert f"more than {CHAIN_MAX} firings" in found[0].reason
    near = replace(done, chain=far[1:])
    assert only(standing.on_done(story.machine.state, near, story.now), SaveTally)
