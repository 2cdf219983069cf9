"""Stories of standing orders that are paused, and of those that ask for a redo or a report."""

from __future__ import annotations

import json

import msgspec
import pytest

from manager import drawing
from manager.commands import Append, Command, SaveRequest
from manager.events import (
    ArchiveAsked,
    AskedFor,
    OrderAsked,
    Origin,
    Prompted,
    RunAsked,
    Ticked,
)
from manager.prompting import AskFor
from plotter2.model.ask import OrderAsk
from plotter2.model.bundle import FileEntry
from plotter2.model.order import Firing
from plotter2.model.request import Request, RequestState
from tests.unit.manager.kit import DIGITS, FILES, Story, only, request
from tests.unit.manager.orderkit import LAB, MIDNIGHT, arrive, fired, lab, ordered, restarted, tick


@pytest.fixture
def story() -> Story:
    return lab()


# --- paused -----------------------------------------------------------------------------------------------------------


def said(story: Story, order: str, *, paused: bool, bundle: str = LAB) -> list[Command]:
    event = OrderAsked(5, request(next(story.numbers)), "ann", OrderAsk(bundle, order), paused)
    return story.turn(event)


@pytest.mark.req("r023")
async def test_a_paused_order_passes_over_what_comes_across_versions_and_restarts_until_it_is_resumed(
    story: Story,
) -> None:
    orders = [{"name": "each", "on": "child"}, {"name": "twos", "on": "arrivals", "n": 2}]
    story.push(LAB, ordered(*orders))
    for name in ("each", "twos"):
        told = said(story, name, paused=True)
        assert [one.record.kind for one in only(told, Append)] == ["order.paused"]
    assert fired([one for number in (1, 2, 3) for one in arrive(story, number)]) == []
    story.push(LAB, ordered(*orders), files=[*FILES, FileEntry("new", 1, bytes([9]) * 32)])
    again = await restarted(story)
    tally = again.machine.state.tally(LAB, "each")
    assert (tally.paused_by, tally.missed, tally.fired) == ("ann", 3, 0)
    assert (again.machine.state.tally(LAB, "twos").missed, again.machine.state.tally(LAB, "twos").arrivals) == (1, 1)
    told = said(again, "each", paused=False)
    assert json.loads(only(told, Append)[0].record.payload_json)["missed"] == 3
    said(again, "twos", paused=False)
    assert [one.user for one in fired(arrive(again, 4))] == ["standing:each", "standing:twos"]
    assert again.machine.state.tally(LAB, "each").missed == 0


@pytest.mark.req("r023")
def test_the_times_of_a_paused_schedule_go_by(story: Story) -> None:
    story.push(LAB, ordered({"name": "hourly", "on": "cron", "cron": "0 * * * *"}))
    said(story, "hourly", paused=True)
    assert fired(tick(story, MIDNIGHT + 3600)) == []
    said(story, "hourly", paused=False)
    assert fired(tick(story, MIDNIGHT + 3700)) == []
    assert len(fired(tick(story, MIDNIGHT + 7200))) == 1


def test_to_pause_what_is_paused_changes_nothing(story: Story) -> None:
    story.push(LAB, ordered({"name": "each", "on": "child"}))
    said(story, "each", paused=True)
    before = story.machine.state.tally(LAB, "each")
    again = said(story, "each", paused=True)
    assert story.machine.state.tally(LAB, "each") == before
    assert (only(again, Append), only(again, SaveRequest)[0].request.state) == ([], RequestState.DONE)


@pytest.mark.req("r016")
def test_to_pause_what_is_not_there_is_refused_with_what_there_is(story: Story) -> None:
    story.push(LAB, ordered({"name": "each", "on": "child"}))
    (refused,) = only(said(story, "each1", paused=True), SaveRequest)
    assert refused.request.reason.startswith("Bundle 'lab/a' has no standing order 'each1'; it has 'each'")
    (unknown,) = only(said(story, "each", paused=True, bundle="lab/b"), SaveRequest)
    assert unknown.request.reason_code == "not_found"


# --- redo and report --------------------------------------------------------------------------------------------------


REDO = {
    "name": "again",
    "on": "request",
    "request": "run",
    "run": [],
    "redo": {"set": {"lr": [0.1, 0.2]}, "parallel": 3},
}


def redoing(**more: object) -> str:
    return json.dumps({**json.loads(DIGITS), "standing": [{**REDO, **more}]})


def wanted(story: Story) -> tuple[Request, list[AskFor]]:
    """The firing of an order that asks for a redo, and the ask."""
    story.push(LAB, redoing())
    asked, _ = story.run("curve", LAB)
    told = story.report(f"{asked}.0")
    return fired(told)[0], only(told, AskFor)


@pytest.mark.req("r018", "r023")
def test_a_firing_asks_for_a_redo_and_ends_when_that_is_a_request_of_its_own(story: Story) -> None:
    firing, (ask_for,) = wanted(story)
    assert (ask_for.cause, ask_for.user, ask_for.redo.bundle, ask_for.redo.parallel) == (
        firing.id, "standing:again", LAB, 3,
    )  # fmt: skip
    assert ask_for.redo.set == {"lr": [msgspec.Raw(b"0.1"), msgspec.Raw(b"0.2")]}
    assert only(story.turn(Ticked()), SaveRequest) == []
    (ended,) = only(story.turn(AskedFor(firing.id)), SaveRequest)
    assert (ended.request.state, ended.request.total, ended.request.finished) == (RequestState.DONE, 1, 1)
    assert story.turn(AskedFor(firing.id)) == []


@pytest.mark.req("r023", "r198")
async def test_an_ask_that_was_not_made_before_a_crash_is_made_after_it_under_the_same_key(story: Story) -> None:
    firing, (before,) = wanted(story)
    again = await restarted(story)
    (after,) = only(again.said, AskFor)
    assert (after, after.client_key) == (before, before.client_key)
    again.turn(AskedFor(firing.id))
    assert only((await restarted(again)).said, AskFor) == []


@pytest.mark.req("r023")
def test_a_redo_that_is_refused_fails_its_firing_with_the_reason(story: Story) -> None:
    firing, _ = wanted(story)
    (ended,) = only(story.turn(AskedFor(firing.id, "no such parameter", "refused")), SaveRequest)
    assert (ended.request.state, ended.request.reason) == (RequestState.FAILED, "no such parameter")


@pytest.mark.req("r023", "r024")
def test_what_comes_of_a_redo_carries_its_chain_and_cannot_have_it_asked_again(story: Story) -> None:
    story.push(LAB, redoing(on="child", request=None))
    (first,) = fired(arrive(story, 1))
    assert first.state is RequestState.RUNNING
    (stopped,) = fired(story.push(f"{LAB}/bundles/b2", files=FILES[:1], chain=first.chain))
    assert stopped.state is RequestState.REFUSED
    assert "'lab/a' again on 'lab/a/bundles/b1' → 'lab/a' again on 'lab/a/bundles/b2'" in stopped.reason


@pytest.mark.req("r023")
def test_an_ask_that_was_prompted_has_cause_and_chain_whatever_it_asks(story: Story) -> None:
    story.push(LAB, ordered())
    origin = Origin(request(77), (Firing(LAB, "each", LAB),))
    archived = story.turn(Prompted(ArchiveAsked(1, request(101), "ann", LAB, archived=True), origin))
    run = story.turn(Prompted(RunAsked(1, request(102), "ann", "curve", LAB), origin))
    refused = story.turn(Prompted(RunAsked(1, request(103), "ann", "none", LAB), origin))
    saved = only([*archived, *run, *refused], SaveRequest)
    assert [one.request.state for one in saved] == [RequestState.DONE, RequestState.RUNNING, RequestState.REFUSED]
    assert {(one.request.cause, one.request.chain) for one in saved} == {(origin.cause, origin.chain)}


@pytest.mark.req("r023", "r026")
async def test_a_report_is_drawn_without_a_task_for_it_also_after_a_restart(story: Story) -> None:
    story.push(LAB, ordered({"name": "page", "on": "child", "run": [], "report": {"data": ["metrics"]}}))
    arrive(story, 1)
    for told in (story, await restarted(story)):
        (run,) = told.machine.state.runs.values()
        assert (run.task_name, run.bundle) == ("report", f"{LAB}/bundles/b1")
        assert json.loads(run.parameters_json) == {"data": ["metrics"], "title": "page"}
        assert told.machine.state.tasks[run.task_id].task.source == drawing.REPORT
