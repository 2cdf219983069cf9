"""Stories of deliveries whose conditions do not hold, and of what somebody decides about them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from manager import admission
from manager.commands import Answer, Command, Notify, SaveBundle, SaveHeld, SaveItem, SaveRequest
from manager.events import DeliveryInstalled, DeliveryOffered, QuarantineAsked, RequestCancelled
from manager.machine import Machine
from manager.scheduler import RoundRobin
from manager.store import Delivery, Held, Snapshot
from plotter2.errors import ConflictError, LimitError
from plotter2.ids import DeliveryId
from plotter2.model.bundle import BundleVersion
from plotter2.model.conditions import Condition, Wish
from plotter2.model.quarantine import ItemKind, ItemState, QuarantineItem
from plotter2.model.request import RequestKind, RequestState
from tests.unit.manager.kit import FILES, Story, only, request

pytestmark = pytest.mark.req("r063")
NEEDS = (Condition("data/x", Wish.VERSION, 2),)
LINKED = """{"heads": {"acc": {"file": "a.csv"}}, "links": [{"name": "accuracy", "in": "acc", "out": "got", "from": ".",
  "to": "lib/got"}]}"""
GOT = '{"heads": {"got": {"file": "a.csv"}}}'


@pytest.fixture
def story() -> Story:
    return Story()


def give(story: Story, bundle: str = "lab/new", needs: tuple[Condition, ...] = NEEDS) -> list[Command]:
    number = next(story.numbers)
    delivery = DeliveryId(f"dlv-{number:032x}")
    story.turn(DeliveryOffered(number, delivery, request(number), bundle, "ann", "{}", FILES, "/spool"))
    return story.turn(DeliveryInstalled(delivery, conditions=needs))


def held_of(said: list[Command]) -> tuple[Held, QuarantineItem]:
    return only(said, SaveHeld)[0].held, only(said, SaveItem)[0].item


def decide(
    story: Story, held: Held, item: QuarantineItem, needs: tuple[Condition, ...] = NEEDS, *, released: bool = True
) -> list[Command]:
    asked = request(next(story.numbers))
    return story.turn(QuarantineAsked(5, asked, "bob", item, released, held, needs))


def state_of(said: list[Command], held: Held) -> RequestState:
    return [one.request for one in only(said, SaveRequest) if one.request.id == held.request_id][-1].state


def test_an_unmet_condition_holds_the_delivery_and_its_push_stays_queued_with_the_reason(story: Story) -> None:
    said = give(story)
    held, item = held_of(said)
    assert not only(said, SaveBundle)
    assert (held.files, held.bundle, held.user) == (FILES, "lab/new", "ann")
    assert (item.kind, item.state, item.place, item.request_id) == (
        ItemKind.DELIVERY, ItemState.HELD, "lab/new", held.request_id,
    )  # fmt: skip
    push = only(said, SaveRequest)[-1].request
    assert (push.state, push.kind, push.reason_code) == (RequestState.QUEUED, RequestKind.PUSH, "held")
    assert "bundle 'data/x' is not there" in push.reason
    assert f"quarantine release {held.id}" in push.reason
    assert only(said, Answer)[0].value == held.short()
    assert story.machine.state.catalog.get("lab/new") is None
    assert story.turn() == []


def test_the_same_delivery_again_gets_the_same_answer(story: Story) -> None:
    held, _ = held_of(give(story))
    again = DeliveryOffered(9, held.id, held.request_id, held.bundle, "ann", "{}", FILES, "/spool")
    assert only(story.turn(again), Answer)[0].value == held.short()


def test_a_release_looks_again_and_refuses_while_conditions_do_not_hold(story: Story) -> None:
    held, item = held_of(give(story))
    story.push("data/x")
    said = decide(story, held, item)
    assert isinstance(only(said, Answer)[0].error, ConflictError)
    asked = only(said, SaveRequest)[-1].request
    assert (asked.kind, asked.state, asked.bundle) == (RequestKind.RELEASE, RequestState.REFUSED, "lab/new")
    assert "has no version 2, its newest is 1" in asked.reason
    assert only(said, SaveItem)[0].item == replace(item, reason=asked.reason)
    assert state_of(said, held) is RequestState.QUEUED
    assert held.id in story.machine.state.held


def test_a_release_takes_it_in_when_they_hold_and_the_push_is_done(story: Story) -> None:
    held, item = held_of(give(story))
    story.push("data/x")
    story.push("data/x", files=FILES[:2])
    said = decide(story, held, item)
    assert only(said, SaveBundle)[0].contents.bundle.path == "lab/new"
    assert state_of(said, held) is RequestState.DONE
    push = next(one.request for one in only(said, SaveRequest) if one.request.id == held.request_id)
    assert push.created_at == held.held_at
    assert any(one.request.has_ended for one in only(said, Notify) if one.request.id == held.request_id)
    decided = only(said, SaveItem)[0].item
    assert (decided.state, decided.decision) == (ItemState.RELEASED, only(said, Answer)[0].value)
    assert story.machine.state.held == {}
    assert held.request_id not in story.machine.state.requests
    offer = DeliveryOffered(9, held.id, held.request_id, held.bundle, "ann", "{}", FILES, "/spool")
    answer = only(story.turn(offer), Answer)[0].value
    assert isinstance(answer, tuple)
    assert (type(answer[0]), type(answer[1])) == (Delivery, BundleVersion)


def test_a_refusal_ends_the_push_and_deletes_nothing(story: Story) -> None:
    held, item = held_of(give(story))
    said = decide(story, held, item, released=False)
    assert state_of(said, held) is RequestState.REFUSED
    assert (
        "refused by bob"
        in next(one.request for one in only(said, SaveRequest) if one.request.id == held.request_id).reason
    )
    assert only(said, SaveItem)[0].item.state is ItemState.REFUSED
    assert story.machine.state.held == {}
    for released in (True, False):
        said = decide(story, held, item, released=released)
        assert "does not wait in quarantine any more" in str(only(said, Answer)[0].error)


def test_after_a_restart_it_waits_as_before(story: Story) -> None:
    said = give(story)
    held, item = held_of(said)
    push = only(said, SaveRequest)[-1].request
    fresh = Story()
    fresh.machine = Machine(RoundRobin())
    fresh.machine.load(Snapshot((push,), (), (), (), (), (), held=(held.short(),)), {}, {}, fresh.now)
    assert {one.request.state for one in only(fresh.turn(), SaveRequest)} == {RequestState.QUEUED}
    said = decide(fresh, held, item, ())
    assert state_of(said, held) is RequestState.DONE


def test_a_push_in_quarantine_is_decided_about_not_cancelled(story: Story) -> None:
    held, _ = held_of(give(story))
    error = only(story.turn(RequestCancelled(3, held.request_id)), Answer)[0].error
    assert isinstance(error, ConflictError)
    assert f"quarantine refuse {held.id}" in error.message


@pytest.mark.req("r003")
def test_a_stray_is_never_taken_in_and_may_be_decided_about_once(story: Story) -> None:
    stray = QuarantineItem("str-1", ItemKind.STRAY, "source/a", "is strange", kept="source/.quarantine/str-1")
    event = QuarantineAsked(5, request(90), "bob", stray, released=True)
    error = only(story.turn(event), Answer)[0].error
    assert error is not None
    assert "push it from there" in error.message
    said = story.turn(replace(event, released=False, request_id=request(91)))
    decided = only(said, SaveItem)[0].item
    assert (decided.state, decided.decision) == (ItemState.REFUSED, request(91))
    said = story.turn(replace(event, released=False, request_id=request(92), item=decided))
    assert isinstance(only(said, Answer)[0].error, ConflictError)


def test_a_full_quarantine_leaves_the_delivery_with_the_stager(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "HELD_MAX", 1)
    give(story)
    said = give(story, "lab/other")
    assert isinstance(only(said, Answer)[0].error, LimitError)
    assert not only(said, SaveRequest)


def test_each_condition_is_judged_against_what_is_current(story: Story) -> None:
    story.push("data/x")
    story.push("lib/got", GOT)
    story.push("lab/linked", LINKED)
    digest = story.machine.state.catalog.need("data/x").version.digest.hex()
    state = story.machine.state
    held = [
        Condition("data/x"), Condition("data/y", wanted=False), Condition("data/x", Wish.VERSION, 1),
        Condition("data/x", Wish.NEWEST, 1), Condition("data/x", Wish.DIGEST, word=digest),
        Condition("lab/linked", Wish.LINK, word="accuracy"),
    ]  # fmt: skip
    assert admission.unmet(state, held) == []
    lacking = admission.unmet(
        state,
        [
            Condition("data/y"), Condition("data/x", wanted=False), Condition("data/x", Wish.VERSION, 2),
            Condition("data/x", Wish.NEWEST, 2), Condition("data/x", Wish.DIGEST, word="0" * 64),
            Condition("lab/linked", Wish.LINK, word="speed"),
        ],
    )  # fmt: skip
    assert len(lacking) == 6
    story.push("lib/got", '{"description": "no head any more"}', files=FILES[:3])
    assert admission.unmet(state, [held[-1]]) == [
        "link 'accuracy' of bundle 'lab/linked' does not hold: 'lib/got' does not do 'acc' for 'lab/linked'"
    ]
