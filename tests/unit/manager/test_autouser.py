"""Stories of automatic users: what they may ask, and of wishes that a planner thinks about."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from manager import enclosed
from manager.commands import Answer, Command, SaveRequest
from manager.events import (
    ArchiveAsked,
    Asked,
    AskedFor,
    LinkAsked,
    Origin,
    PlannerAsked,
    Prompted,
    RedoAsked,
    RunAsked,
    ServiceReported,
)
from manager.machine import Machine
from manager.prompting import Consider
from manager.scheduler import RoundRobin
from plotter2.clock import Instant
from plotter2.errors import ConflictError, LimitError, NotFoundError, RefusedError
from plotter2.ids import RequestId, ServiceId
from plotter2.model.ask import LinkAsk, PlannerAsk, WishAsk
from plotter2.model.automatic import HOUR_S
from plotter2.model.enclosed import Enclosed
from plotter2.model.request import Request, RequestKind, RequestState
from plotter2.model.service import ServiceState, ServiceStatus
from plotter2.model.task import TaskKind
from tests.unit.manager.kit import DIGITS, Story, only, request
from tests.unit.manager.orderkit import LAB, lab, restarted

WHY = Origin(because="It has a new version.", scope=LAB)


@pytest.fixture
def story() -> Story:
    story = lab()
    story.push(LAB, DIGITS)
    story.push("lab/b", DIGITS)
    return story


def switch(story: Story, *, on: bool, user: str = "ann") -> list[Command]:
    return story.turn(PlannerAsked(3, request(next(story.numbers)), user, PlannerAsk(on)))


def ask(story: Story, event: Asked | None = None, origin: Origin | None = WHY, bundle: str = LAB) -> list[Command]:
    """An ask of an automatic user; a run of a task unless another is given."""
    asked = event or RunAsked(4, request(next(story.numbers)), "ai:mine", "curve", bundle)
    return story.turn(Prompted(asked, origin) if origin is not None else asked)


def error(said: list[Command]) -> object:
    (answer,) = only(said, Answer)
    return answer.error


def saved(said: list[Command]) -> Request:
    return only(said, SaveRequest)[0].request


# --- what they may ----------------------------------------------------------------------------------------------------


@pytest.mark.req("r020")
async def test_nobody_but_people_asks_until_somebody_lets_them_and_that_outlives_a_restart(story: Story) -> None:
    refused = ask(story)
    assert isinstance(error(refused), ConflictError)
    assert (saved(refused).state, saved(refused).user) == (RequestState.REFUSED, "ai:mine")
    assert error(switch(story, on=True)) is None
    again = await restarted(story)
    assert (again.machine.state.switch.is_on, again.machine.state.switch.by) == (True, "ann")
    assert error(ask(again)) is None
    switch(again, on=False)
    assert isinstance(error(ask(again)), ConflictError)


@pytest.mark.req("r020")
def test_what_an_automatic_user_asks_has_its_reason_and_its_scope(story: Story) -> None:
    switch(story, on=True)
    made = saved(ask(story))
    assert (made.because, made.scope, made.user, made.kind) == (WHY.because, LAB, "ai:mine", RequestKind.RUN)


@pytest.mark.req("r020")
@pytest.mark.parametrize(
    ("origin", "bundle", "says"),
    [
        (None, LAB, "does not say why it asks"),
        (Origin(because=" ", scope=LAB), LAB, "does not say why it asks"),
        (Origin(because="so"), LAB, "names no bundle that it keeps to"),
        (WHY, "lab/b", "keeps to 'lab/a', and asks about 'lab/b', which is not in it"),
        (WHY, "", "asks about no bundle"),
        (Origin(because="so", scope="lab/a/bundles"), LAB, "There is no bundle 'lab/a/bundles'"),
    ],
)
def test_without_reason_or_scope_or_beyond_it_an_automatic_user_is_refused(
    story: Story, origin: Origin | None, bundle: str, says: str
) -> None:
    switch(story, on=True)
    said = ask(story, origin=origin, bundle=bundle)
    assert says in str(error(said))
    assert saved(said).state is RequestState.REFUSED
    assert not story.machine.state.runs


@pytest.mark.req("r020")
def test_a_link_that_leads_out_of_the_scope_is_refused(story: Story) -> None:
    switch(story, on=True)
    linked = LinkAsked(4, request(90), "ai:mine", LinkAsk(LAB, "lab/b", "curve"))
    assert "asks about 'lab/b'" in str(error(ask(story, linked)))


@pytest.mark.req("r020")
@pytest.mark.parametrize("asked", [PlannerAsk(on=True), WishAsk(LAB, "plot metrics")])
def test_what_is_for_people_is_no_ask_of_automatic_users(story: Story, asked: PlannerAsk | WishAsk) -> None:
    switch(story, on=True)
    assert isinstance(error(ask(story, PlannerAsked(4, request(90), "ai:mine", asked))), RefusedError)
    assert story.machine.state.switch.by == "ann"


@pytest.mark.req("r020")
async def test_all_of_them_together_ask_so_often_an_hour_and_no_more(story: Story) -> None:
    story.machine.state.automatic_hourly_max = 2
    switch(story, on=True)
    ask(story)
    story.now = Instant(story.now + HOUR_S / 2)
    ask(story, ArchiveAsked(4, request(91), "ai:other", LAB, archived=True))
    too_much = ask(story)
    assert isinstance(error(too_much), LimitError)
    assert "asked 2 times within an hour, and 2 are allowed" in saved(too_much).reason
    again = await restarted(story)
    again.machine.state.automatic_hourly_max = 2
    assert isinstance(error(ask(again)), LimitError)
    assert isinstance(error(again.turn(RunAsked(4, request(92), "ann", "none", LAB))), NotFoundError)
    again.now = Instant(again.now + HOUR_S / 2)
    assert error(ask(again)) is None
    assert isinstance(error(ask(again)), LimitError)


@pytest.mark.req("r020")
def test_a_redo_that_is_planned_again_counts_once(story: Story) -> None:
    switch(story, on=True)
    asked, _ = story.redo(LAB, ["0.1"])
    (event,) = [one for one in (story.last,) if isinstance(one, RedoAsked)]
    stale = replace(
        event, user="ai:mine", request_id=request(93),
        experiment=replace(event.experiment, version=replace(event.experiment.version, version=9)),
    )  # fmt: skip
    assert only(ask(story, stale), Answer)[0].value == ""
    assert (len(story.machine.state.automatic), asked in story.machine.state.requests) == (0, True)


@pytest.mark.req("r020")
def test_tasks_in_the_manifest_of_an_automatic_user_are_no_way_around(story: Story) -> None:
    switch(story, on=True)
    push = Request(request(94), RequestKind.PUSH, user="ai:mine", bundle=LAB)
    version = story.machine.state.catalog.need(LAB).version
    tasks = [Enclosed("curve", TaskKind.SCRIPT, "", "")]
    (made,) = only(enclosed.run(story.machine.state, push, version, tasks, story.now), SaveRequest)
    assert (made.request.state, made.request.cause) == (RequestState.REFUSED, push.id)


@pytest.mark.req("r020")
def test_automatic_users_give_no_data_but_what_their_runs_leave_comes_in(story: Story) -> None:
    by_hand = story.push(f"{LAB}/bundles/x", user="ai:mine")
    assert "it asks, and data comes from people" in str(error(by_hand))
    asked, _ = story.redo(LAB, ["0.1"])
    left = story.push(f"{LAB}/bundles/lr=0.1", user="ai:mine", service_id=f"{asked}.s0")
    assert error(left) is None


def test_people_need_neither_reason_nor_scope(story: Story) -> None:
    assert error(story.turn(RunAsked(4, request(95), "ann", "curve", LAB))) is None


# --- wishes -----------------------------------------------------------------------------------------------------------


def wish(story: Story, text: str = "plot metrics", bundle: str = LAB) -> list[Command]:
    return story.turn(PlannerAsked(5, request(next(story.numbers)), "ann", WishAsk(bundle, text)))


@pytest.mark.req("r019")
async def test_a_wish_waits_until_it_was_thought_about_also_after_a_restart(story: Story) -> None:
    switch(story, on=True)
    said = wish(story)
    made = RequestId(str(only(said, Answer)[0].value))
    assert only(said, Consider) == [Consider(made)]
    again = await restarted(story)
    assert only(again.said, Consider) == [Consider(made)]
    assert saved(again.turn(AskedFor(made))).state is RequestState.DONE
    assert only((await restarted(again)).said, Consider) == []


@pytest.mark.req("r019", "r020")
def test_a_wish_that_cannot_be_fulfilled_fails_with_the_reason(story: Story) -> None:
    assert isinstance(error(wish(story)), ConflictError)
    switch(story, on=True)
    assert isinstance(error(wish(story, bundle="lab/none")), NotFoundError)
    made = RequestId(str(only(wish(story), Answer)[0].value))
    ended = saved(story.turn(AskedFor(made, "The rules do not understand it.", "refused")))
    assert (ended.state, ended.reason) == (RequestState.FAILED, "The rules do not understand it.")


def redone(story: Story) -> list[Command]:
    asked, _ = story.redo(LAB, ["0.1"])
    story.turn(ServiceReported(0, ServiceStatus(ServiceId(f"{asked}.s0"), ServiceState.RUNNING)))
    return story.turn(ServiceReported(0, ServiceStatus(ServiceId(f"{asked}.s0"), ServiceState.DONE)))


@pytest.mark.req("r019")
def test_a_redo_that_is_done_is_thought_about_where_that_is_wanted(story: Story) -> None:
    assert only(redone(story), Consider) == []
    switch(story, on=True)
    said = redone(story)
    (consider,) = only(said, Consider)
    made = story.machine.state.requests[consider.cause].request
    assert (made.kind, made.user, made.bundle, made.scope) == (RequestKind.WISH, "ai:rules", LAB, LAB)
    assert json.loads(made.ask_json) == {"bundle": LAB, "of": made.cause}


def test_the_limit_is_a_setting() -> None:
    assert Machine(RoundRobin(), automatic_hourly_max=7).state.automatic_hourly_max == 7
