"""A run that waits for something to happen: it runs once it has, in that turn, and until then costs nothing."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from manager.commands import Command, SaveRequest, SaveRun, SaveTask
from manager.events import OrderAsked, RequestCancelled, RunReport, RunsReported
from manager.machine import Machine
from manager.scheduler import RoundRobin
from manager.store import Snapshot
from manager.waiting import words
from plotter2.ids import RequestId, RunId, WorkerId
from plotter2.model import ask
from plotter2.model.ask import OrderAsk
from plotter2.model.bundle import FileEntry
from plotter2.model.request import Request, RequestState
from plotter2.model.rounds import Again, encode
from plotter2.model.task import RunState
from tests.unit.manager.kit import Story, only, request

SOURCE = "def task(): pass"
ORDERS = (
    '{"tasks": [{"name": "fit", "task_src": "tasks/compare.py"}],'
    ' "standing": [{"name": "nightly", "on": "version", "run": ["fit"]}]}'
)
SERVICE = '{"service": {"command": ["{python}", "train.py"]}}'


@pytest.fixture
def story() -> Story:
    made = Story()
    made.push("lab", "")
    made.push("data", "")
    made.worker("w1", slots=8)
    return made


def newer(story: Story, bundle: str, mark: int, declared: str = "") -> list[Command]:
    files = [FileEntry("x.csv", 1, bytes([mark]) * 32), FileEntry("tasks/compare.py", 1, bytes(32))]
    return story.push(bundle, declared, files)


def ended(story: Story, asked: str, again: Again) -> list[Request]:
    """A run ends and asks; the requests that this makes, as they were saved last."""
    said = RunReport(RunId(f"{asked}.0"), 1, RunState.DONE, again_json=encode(again))
    made: dict[RequestId, Request] = {}
    for one in only(story.turn(RunsReported(WorkerId("w1"), "one", (said,))), SaveRequest):
        if one.request.id != asked:
            made[one.request.id] = one.request
    return list(made.values())


def begun(said: Sequence[Command], asked: Request) -> list[tuple[str, int]]:
    return [(one.run.bundle, one.run.version) for one in only(said, SaveRun) if one.run.request_id == asked.id][:1]


def waits(story: Story, on: str, of: str, **more: int) -> Request:
    first, _ = story.run("fit", "lab", source=SOURCE)
    (made,) = ended(story, first, Again(on=on, of=of, **more))
    return made


@pytest.mark.req("r174")
def test_it_waits_without_a_run_and_runs_on_what_is_newest_when_the_bundle_gets_a_version(story: Story) -> None:
    made = waits(story, "version", "data")
    assert (made.state, made.total) == (RequestState.QUEUED, 0)
    assert words(story.machine.state, made) == "a new version of 'data'"
    newer(story, "lab", 5)
    assert begun(story.said, made) == []
    assert begun(newer(story, "data", 6), made) == [("lab", 2)]
    assert begun(newer(story, "data", 7), made) == []
    assert words(story.machine.state, story.machine.state.requests[made.id].snapshot()) == ""


@pytest.mark.req("r174")
def test_it_goes_on_as_often_as_it_asks_so_and_times_says(story: Story) -> None:
    made = waits(story, "version", "data", times=3)
    newer(story, "data", 6)
    (again,) = ended(story, made.id, Again(on="version", of="data", times=3))
    assert again.cause == made.id
    newer(story, "data", 7)
    assert ask.run_ask(again.ask_json).source == ask.run_ask(made.ask_json).source != ""
    assert ended(story, again.id, Again(on="version", of="data", times=3)) == []
    assert only(story.said, SaveRequest)[-1].request.state is RequestState.DONE


@pytest.mark.req("r174")
def test_one_that_has_waited_is_done_again_at_once_with_the_definition_that_came_along(story: Story) -> None:
    made = waits(story, "version", "data")
    newer(story, "data", 6)
    (again,) = ended(story, made.id, Again(times=3))
    assert (again.state, again.total) == (RequestState.RUNNING, 1)
    tasks = [one.row.task for one in only(story.said, SaveTask)]
    assert len({one.source_digest for one in tasks}) == 1


@pytest.mark.req("r174")
def test_what_came_while_the_run_was_under_way_is_not_missed(story: Story) -> None:
    first, _ = story.run("fit", "lab", source=SOURCE)
    newer(story, "data", 6)
    (made,) = ended(story, first, Again(on="version", of="data"))
    assert made.state is RequestState.RUNNING


@pytest.mark.req("r174", "r018")
def test_it_waits_for_a_child_for_the_firing_of_an_order_and_for_the_end_of_an_experiment(story: Story) -> None:
    newer(story, "lab", 3, ORDERS)
    child, order = waits(story, "child", "data"), waits(story, "nightly", "lab")
    assert words(story.machine.state, order) == "the next firing of the standing order 'nightly' of 'lab'"
    assert begun(newer(story, "data/deep/er", 4), child) == []
    assert begun(newer(story, "data/one", 4), child) == [("lab", 2)]
    assert begun(newer(story, "lab", 4, ORDERS), order) == [("lab", 3)]
    newer(story, "exp", 1, SERVICE)
    end = waits(story, "settled", "exp")
    assert begun(newer(story, "exp/bundles/a", 2), end) == [("lab", 3)]


@pytest.mark.req("r174")
@pytest.mark.parametrize(
    ("on", "of", "why"),
    [
        ("versien", "lab", "Nothing that happens to 'lab' is called 'versien'; the nearest is 'version'"),
        ("nightli", "lab", "the nearest is 'nightly', and its standing orders are 'nightly'"),
        ("version", "dta", "'dta'"),
        ("settled", "data", "'data' declares no service and has no runs, so no experiment of it ever ends"),
    ],
)
def test_what_nobody_knows_or_never_happens_is_refused_with_the_reason(
    story: Story, on: str, of: str, why: str
) -> None:
    newer(story, "lab", 3, ORDERS)
    made = waits(story, on, of)
    assert made.state is RequestState.REFUSED
    assert why in made.reason


@pytest.mark.req("r174")
def test_a_wait_for_an_order_that_is_paused_says_so_and_one_that_is_gone_fails(story: Story) -> None:
    newer(story, "lab", 3, ORDERS)
    made = waits(story, "nightly", "lab")
    story.turn(OrderAsked(3, request(900), "ann", OrderAsk("lab", "nightly"), paused=True))
    assert words(story.machine.state, made).endswith("of 'lab', which is paused")
    newer(story, "lab", 4)
    last = [one.request for one in only(story.said, SaveRequest) if one.request.id == made.id][-1]
    assert (last.state, last.failed) == (RequestState.FAILED, 1)
    assert last.reason == "'lab' has no standing order 'nightly' any more, so nothing would ever end the wait."


@pytest.mark.req("r174")
def test_a_wait_can_be_cancelled_and_nothing_runs_then(story: Story) -> None:
    made = waits(story, "version", "data")
    story.turn(RequestCancelled(9, made.id))
    last = [one.request for one in only(story.said, SaveRequest) if one.request.id == made.id][-1]
    assert last.state is RequestState.CANCELLED
    assert begun(newer(story, "data", 6), made) == []


@pytest.mark.req("r174")
def test_a_manager_that_starts_again_waits_on(story: Story) -> None:
    made = waits(story, "version", "data")
    state = story.machine.state
    again = Story()
    again.numbers = story.numbers
    again.machine = Machine(RoundRobin())
    again.machine.load(
        Snapshot(
            tuple(live.snapshot() for live in state.requests.values()), tuple(state.runs.values()),
            tuple(state.tasks.values()), tuple(state.catalog.need(path).version for path in state.catalog.paths()),
            tuple(state.workers.values()), (),
        ),
        {}, {}, again.now,
    )  # fmt: skip
    assert begun(newer(again, "data", 6), made) == [("lab", 1)]
