"""What a request sees below its bundle is fixed when it is asked, and written once."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from manager import pins
from manager.catalog import Catalog
from manager.commands import Command, PlanInstances, SavePins
from manager.events import ArchiveAsked
from manager.machine import Machine
from manager.pins import Pins
from manager.scheduler import RoundRobin
from manager.store import Snapshot
from plotter2.clock import Instant
from plotter2.ids import RequestId
from plotter2.model.bundle import BundleVersion, FileEntry
from plotter2.model.paths import BundlePath
from plotter2.model.pins import NOTHING_BELOW, decode
from tests import effort
from tests.unit.manager.kit import Story, only, request

SOURCE = "def task():\n    pass\n"


def changed(mark: int) -> tuple[FileEntry, ...]:
    return (FileEntry("x.csv", 1, bytes([mark]) * 32),)


def texts(said: Iterable[Command]) -> dict[bytes, list[tuple[str, int]]]:
    return {one.digest: list(decode(one.text)) for one in only(said, SavePins)}


def pinned(story: Story, asked: RequestId) -> bytes:
    return story.machine.state.requests[asked].request.pins


@pytest.fixture
def story() -> Story:
    made = Story()
    for bundle in ("lab", "lab/a", "lab/b", "other"):
        made.push(bundle, files=changed(1))
    return made


@pytest.mark.req("r016", "r129")
def test_what_comes_after_a_request_was_asked_is_not_seen_by_it(story: Story) -> None:
    first, _ = story.run("t", "lab", SOURCE)
    story.push("lab/a", files=changed(2))
    story.push("lab/c", files=changed(3))
    story.turn(ArchiveAsked(3, request(900), "ann", "lab/b", archived=True))
    second, _ = story.run("t", "lab", SOURCE)
    known = texts(story.said)
    assert known[pinned(story, first)] == [("lab/a", 1), ("lab/b", 1)]
    assert known[pinned(story, second)] == [("lab/a", 2), ("lab/c", 1)]


def test_requests_that_see_the_same_share_one_list_and_most_need_none(story: Story) -> None:
    asked = [story.run("t", "lab", SOURCE)[0] for _ in range(5)]
    alone, _ = story.run("t", "other", SOURCE)
    assert len(only(story.said, SavePins)) == 1
    assert len({pinned(story, one) for one in asked}) == 1
    assert pinned(story, alone) == NOTHING_BELOW
    anywhere, _ = story.run("t", source=SOURCE)
    assert pinned(story, anywhere) == b""


@pytest.mark.req("r129")
def test_instances_are_planned_on_what_was_fixed(story: Story) -> None:
    story.is_plain = False
    source = "impose(k as datter.keytype(m))\n" + SOURCE
    asked, said = story.run("t", "lab", source)
    assert [one.pins for one in only(said, PlanInstances)] == [pinned(story, asked)]
    story.push("lab/c", files=changed(3))
    again = Machine(RoundRobin())
    state = story.machine.state
    live = tuple(one.request for one in state.requests.values())
    again.load(
        Snapshot(
            live, tuple(state.runs.values()), tuple(state.tasks.values()), (), (), (),
        ), {}, {}, Instant(2_000.0),
    )  # fmt: skip
    planned = only(again.settle(Instant(2_000.0)), PlanInstances)
    assert [one.pins for one in planned] == [pinned(story, asked)]


def test_a_list_of_which_nobody_knows_whether_it_was_written_is_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "KNOWN_MAX", 1)
    catalog = Catalog()
    for path in ("lab", "lab/a", "other", "other/b"):
        catalog.put(BundleVersion(BundlePath(path), 1, bytes(32), 0, 0, Instant(1.0)), {})
    known = Pins(catalog)
    written = [list(texts(known.take(bundle)[1]).values()) for bundle in ("lab", "lab", "other", "lab")]
    assert written == [[[("lab/a", 1)]], [], [[("other/b", 1)]], [[("lab/a", 1)]]]


def test_ten_thousand_bundles_below_are_gone_through_once_for_many_requests() -> None:
    catalog = Catalog()
    for number in range(10_000):
        catalog.put(BundleVersion(BundlePath(f"lab/b{number}"), 1, bytes(32), 0, 0, Instant(1.0)), {})
    known = Pins(catalog)
    with effort.counted() as first:
        digest, said = known.take("lab")
    with effort.counted() as rest:
        for _ in range(100):
            assert known.take("lab") == (digest, [])
    assert len(said) == 1
    assert rest.calls < first.calls / 10
