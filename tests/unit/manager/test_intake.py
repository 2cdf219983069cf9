"""Stories of deliveries that become versions."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from manager.commands import Answer, AssignRuns, SaveBundle, SaveRequest
from manager.events import ArchiveAsked, DeliveryInstalled, DeliveryOffered, TagsAsked
from manager.store import Delivery
from plotter2.errors import ConflictError, PackageError
from plotter2.ids import DeliveryId
from plotter2.model.bundle import MANIFEST_FILE, BundleVersion, FileEntry
from plotter2.model.request import RequestState
from tests.unit.manager.kit import DIGITS, FILES, Story, only, request

CHILD = "experiments/digits/bundles/lr=0.1"
OWN_TASK = """{
  "tasks": [{"name": "look", "task_src": "look.py"}],
  "standing": [{"name": "at once", "on": "version", "run": ["look"]}]
}"""
LOOK = FileEntry("look.py", 5, bytes([7]) * 32)


@pytest.fixture
def story() -> Story:
    return Story()


def answer(said: list[object]) -> tuple[Delivery, BundleVersion]:
    found = only(said, Answer)[0].value
    assert isinstance(found, tuple)
    return found


def archive(story: Story, bundle: str, *, archived: bool = True) -> None:
    story.turn(ArchiveAsked(1, request(next(story.numbers)), "ann", bundle, archived))


@pytest.mark.req("r014", "r023")
def test_what_a_service_leaves_may_declare_tasks_and_standing_orders_of_its_own(story: Story) -> None:
    story.worker("w1")
    story.push("experiments/digits", DIGITS)
    asked, _ = story.redo("experiments/digits", ["0.1"])
    said = story.push(CHILD, OWN_TASK, files=(LOOK,), service_id=f"{asked}.s0")
    assert only(said, SaveBundle)[0].contents.bundle.path == CHILD
    fired = [one for message in only(said, AssignRuns) for one in message.tasks if one.name == "look"]
    assert fired[0].source_digest == LOOK.digest
    assert story.machine.state.catalog.need(CHILD).sources == {"look.py": LOOK.digest}


def test_what_a_run_leaves_has_the_tags_that_its_experiment_has_then(story: Story) -> None:
    declared = json.loads(DIGITS) | {"tags": {"model": "mlp", "by": "package"}}
    story.push("experiments/digits", json.dumps(declared))
    story.turn(TagsAsked(1, request(next(story.numbers)), "ann", "experiments/digits", '{"by": "hand"}'))
    asked, _ = story.redo("experiments/digits", ["0.1"])
    made = only(story.push(CHILD, service_id=f"{asked}.s0"), SaveBundle)[0].contents.bundle
    assert json.loads(made.tags_json) == {"model": "mlp", "by": "hand"}
    story.turn(TagsAsked(1, request(next(story.numbers)), "ann", "experiments/digits", '{"model": "cnn"}'))
    assert json.loads(story.machine.state.catalog.need(CHILD).version.tags_json)["model"] == "mlp"


@pytest.mark.req("r014")
def test_a_declared_source_that_did_not_come_is_refused_even_if_nobody_looked_before(story: Story) -> None:
    said = story.push("experiments/odd", OWN_TASK, files=FILES[:1])
    assert isinstance(only(said, Answer)[0].error, PackageError)
    saved = only(said, SaveRequest)[0].request
    assert (saved.state, saved.bundle) == (RequestState.REFUSED, "experiments/odd")
    assert "look.py" in saved.reason
    assert story.machine.state.catalog.get("experiments/odd") is None


@pytest.mark.req("r006")
def test_a_push_to_an_archived_bundle_makes_a_version_and_leaves_it_archived(story: Story) -> None:
    story.push("data/old")
    archive(story, "data/old")
    said = story.push("data/old", files=FILES[:2])
    version = only(said, SaveBundle)[0].contents.bundle
    assert (version.version, version.archived) == (2, True)
    assert story.machine.state.catalog.need("data/old").version.archived
    archive(story, "data/old", archived=False)
    assert not only(story.push("data/old"), SaveBundle)[0].contents.bundle.archived


@pytest.mark.req("r062")
def test_newer_paperwork_alone_makes_no_new_version(story: Story) -> None:
    paper = FileEntry(MANIFEST_FILE, 90, bytes([40]) * 32)
    said = story.push("data/flights", files=(*FILES, paper))
    assert paper in only(said, SaveBundle)[0].contents.files
    said = story.push("data/flights", files=(*FILES, replace(paper, digest=bytes([41]) * 32)))
    assert not only(said, SaveBundle)
    delivery, version = answer(list(said))
    assert (delivery.is_new, version.version) == (False, 1)


@pytest.mark.req("r062")
def test_a_file_called_manifest_further_down_is_data(story: Story) -> None:
    deep = FileEntry(f"web/{MANIFEST_FILE}", 90, bytes([40]) * 32)
    story.push("data/page", files=(deep,))
    said = story.push("data/page", files=(replace(deep, digest=bytes([41]) * 32),))
    assert only(said, SaveBundle)[0].contents.bundle.version == 2


def test_an_outcome_of_a_delivery_nobody_offered_is_ignored(story: Story) -> None:
    assert story.turn(DeliveryInstalled(DeliveryId(f"dlv-{9:032x}"))) == []


@pytest.mark.req("r198")
def test_a_delivery_that_comes_again_after_it_was_installed_gets_the_same_answer(story: Story) -> None:
    delivery = DeliveryId(f"dlv-{9:032x}")
    offer = DeliveryOffered(1, delivery, request(9), "a", "ann", "{}", FILES, "/s")
    story.turn(offer)
    first = answer(list(story.turn(DeliveryInstalled(delivery))))
    assert answer(list(story.turn(replace(offer, token=2)))) == first


@pytest.mark.req("r176")
def test_what_adds_to_a_version_that_is_the_newest_no_more_changes_nothing_and_can_be_offered_again(
    story: Story,
) -> None:
    story.push("lab", "")
    story.push("lab", "", FILES[:1])
    offer = DeliveryOffered(
        5, DeliveryId(f"dlv-{77:032x}"), request(77), "lab", "ann", "{}", FILES[:2], "", cause=request(76), base=1
    )
    said = [*story.turn(offer), *story.turn(DeliveryInstalled(offer.delivery_id))]
    assert [type(one.error) for one in only(said, Answer)] == [ConflictError]
    assert not only(said, SaveRequest)
    said = [*story.turn(replace(offer, base=2)), *story.turn(DeliveryInstalled(offer.delivery_id))]
    (made,) = [one.request for one in only(said, SaveRequest) if one.request.id == request(77)]
    assert (made.cause, story.machine.state.catalog.need("lab").version.version) == (request(76), 3)
