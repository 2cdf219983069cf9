"""Children of a redo: what of them is written."""

from __future__ import annotations

import pytest

from manager.commands import Notify, SaveRequest, StartService
from manager.events import ServiceReported
from manager.store import Batch
from plotter2.model.request import Child, Request, RequestKind
from plotter2.model.service import ServiceState, ServiceStatus
from tests.unit.manager.kit import DIGITS, Story, only, request

PATH = "experiments/digits"


@pytest.mark.req("r018")
def test_only_children_that_have_changed_are_written_and_all_are_told() -> None:
    story = Story()
    story.push(PATH, DIGITS)
    _, commands = story.redo(PATH, ["0.1", "0.2", "0.3"], parallel=1)
    assert [len(one.request.children) for one in only(commands, SaveRequest)] == [3]
    first = only(commands, StartService)[0].spec
    commands = story.turn(ServiceReported(1, ServiceStatus(first.service_id, ServiceState.RUNNING)))
    written = only(commands, SaveRequest)[0].request
    assert [(child.index, child.state) for child in written.children] == [(0, ServiceState.RUNNING)]
    assert [len(one.request.children) for one in only(commands, Notify)] == [3]


def test_children_that_change_twice_in_a_turn_are_written_once_and_none_is_lost() -> None:
    def child(index: int, state: ServiceState) -> Child:
        return Child(index, f"a/bundles/{index}", "{}", state)

    batch = Batch("turn")
    for children in (
        (child(0, ServiceState.QUEUED), child(1, ServiceState.QUEUED)), (child(1, ServiceState.DONE),), (),
    ):  # fmt: skip
        SaveRequest(Request(request(1), RequestKind.REDO, children=children)).put(batch)
    written = batch.requests[request(1)].children
    assert [(one.index, one.state) for one in written] == [(0, ServiceState.QUEUED), (1, ServiceState.DONE)]
