"""Stories of deliveries that ask as well as give."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from manager.commands import AssignRuns, Command, SaveRequest
from manager.events import DeliveryInstalled, DeliveryOffered, QuarantineAsked
from plotter2.ids import DeliveryId
from plotter2.model.conditions import Condition
from plotter2.model.enclosed import Enclosed
from plotter2.model.quarantine import ItemKind, QuarantineItem
from plotter2.model.request import RequestKind, RequestState
from plotter2.model.task import Limits, TaskKind
from tests.unit.manager.kit import FILES, Story, only, request

pytestmark = pytest.mark.req("r021", "r058")
TASKS = (
    Enclosed("look", TaskKind.SCRIPT, "def task(n=1): return n", "look.py", '{"n": 0.10}', Limits(wall_s=5.0)),
    Enclosed("again", TaskKind.PIPELINE, "[]", "again.json"),
)


@pytest.fixture
def story() -> Story:
    made = Story()
    made.worker("w1")
    return made


def give(story: Story, *needs: Condition) -> tuple[DeliveryOffered, list[Command]]:
    number = next(story.numbers)
    delivery = DeliveryId(f"dlv-{number:032x}")
    offer = DeliveryOffered(number, delivery, request(number), "lab/new", "ann", "{}", FILES, "/spool")
    story.turn(offer)
    return offer, story.turn(DeliveryInstalled(delivery, conditions=needs, tasks=TASKS))


def test_each_task_of_a_manifest_is_a_request_on_the_version_caused_by_the_push(story: Story) -> None:
    offer, said = give(story)
    made = {one.request.id: one.request for one in only(said, SaveRequest) if one.request.kind is RequestKind.RUN}
    assert [(one.cause, one.user, one.bundle, one.state) for one in made.values()] == [
        (offer.request_id, "ann", "lab/new", RequestState.RUNNING)
    ] * 2
    assert [json.loads(one.ask_json)["task"] for one in made.values()] == ["look", "again"]
    assert '"n":0.10' in next(iter(made.values())).ask_json.replace(" ", "")
    sent = only(said, AssignRuns)
    assert [(run.bundle, run.version, run.parameters_json) for one in sent for run in one.runs] == [
        ("lab/new", 1, '{"n": 0.10}'), ("lab/new", 1, "{}"),
    ]  # fmt: skip
    assert {(task.name, task.limits.wall_s) for one in sent for task in one.tasks} == {("look", 5.0), ("again", 0.0)}


def test_a_delivery_that_changes_nothing_still_asks(story: Story) -> None:
    give(story)
    _, said = give(story)
    assert sum(len(one.runs) for one in only(said, AssignRuns)) == 2


@pytest.mark.req("r063")
def test_what_is_held_asks_when_it_is_released(story: Story) -> None:
    offer, said = give(story, Condition("data/x"))
    assert only(said, AssignRuns) == []
    held = story.machine.state.held[offer.delivery_id]
    item = QuarantineItem(held.id, ItemKind.DELIVERY, "lab/new", "needs", request_id=held.request_id)
    whole = replace(held, files=FILES)
    after = story.turn(QuarantineAsked(5, request(99), "bob", item, released=True, held=whole, tasks=TASKS))
    runs = [one.request for one in only(after, SaveRequest) if one.request.kind is RequestKind.RUN]
    assert {one.cause for one in runs} == {offer.request_id}
