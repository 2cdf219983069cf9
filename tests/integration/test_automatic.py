"""Automatic users through manager, client and command line: the switch, wishes, and the door that is everybody's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from manager.events import ServiceReported
from manager.store import Batch
from manager.store.memory import MemoryStore
from plotter2 import rpc
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.client.views import Request
from plotter2.clock import ZERO
from plotter2.errors import ConflictError, NotFoundError, RefusedError, UsageError
from plotter2.ids import RequestId, ServiceId
from plotter2.model.automatic import PROPOSALS_MAX, Proposal, RedoDraft, Sight, Wish
from plotter2.model.request import RequestState
from plotter2.model.service import ServiceState, ServiceStatus
from tests.managerkit import Files, Manager, managing

DECLARED = {
    "parameters": {"lr": {"type": "float", "default": 0.1}},
    "service": {"command": ["{python}", "train.py"]},
    "data": {"metrics": {"path": "metrics.csv"}},
}
LAB: Files = {"package.json": json.dumps(DECLARED).encode(), "code_sources/train.py": b"print(1)"}


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Manager]:
    async with managing(tmp_path / "home") as found:
        await found.push("lab/a", LAB)
        yield found


async def caused(manager: Manager, cause: str) -> list[Request]:
    return [await manager.client.request(one.id) for one in reversed(await manager.client.requests(cause=cause))]


async def submit(manager: Manager, request: pb.SubmitRequest) -> pb.Request:
    with rpc.errors():
        answer: pb.SubmitResponse = await manager.stub.Submit(request)
    return answer.request


@pytest.mark.req("r019", "r020")
async def test_a_wish_becomes_an_ordinary_request_with_its_reason_and_its_cause(manager: Manager) -> None:
    with pytest.raises(ConflictError, match="the planner is off; `plotter2 planner on`"):
        await manager.client.wish("lab/a", "redo with lr=0.10, 0.2")
    await manager.client.switch_planner(on=True)
    wish = await manager.client.wish("lab/a", "redo with lr=0.10, 0.2")
    assert wish.state is RequestState.DONE
    (redo,) = await caused(manager, wish.id)
    assert (redo.kind, redo.user, redo.scope) == ("redo", "ai:rules", "lab/a")
    assert redo.because == "Somebody wished: redo with lr=0.10, 0.2"
    assert [one.parameters_json for one in redo.children] == ['{"lr": 0.10}', '{"lr": 0.2}']
    planner = await manager.client.planner()
    assert (planner.is_on, planner.identity, planner.asked, planner.hourly_max) == (True, "ai:rules", 1, 20)
    assert planner.by
    assert planner.since


@pytest.mark.req("r019", "r020")
async def test_a_wish_that_cannot_be_fulfilled_says_why_and_so_does_a_refused_ask(manager: Manager) -> None:
    await manager.client.switch_planner(on=True)
    wish = await manager.client.wish("lab/a", "find the meaning of life")
    assert (wish.state, wish.reason[:30]) == (RequestState.FAILED, "The rules do not understand 'f")
    assert await caused(manager, wish.id) == []
    refused = await manager.client.wish("lab/a", "redo with lr=adam")
    assert (refused.state, refused.reason) == (
        RequestState.FAILED, 'Parameter \'lr\' is declared float; "adam" is not.',
    )  # fmt: skip
    (asked,) = await caused(manager, refused.id)
    assert (asked.state, asked.user, asked.reason) == (RequestState.REFUSED, "ai:rules", refused.reason)


@pytest.mark.req("r019")
async def test_a_report_is_drawn_by_a_script_that_is_kept_so_the_ask_can_be_asked_again(manager: Manager) -> None:
    await manager.client.switch_planner(on=True)
    wish = await manager.client.wish("lab/a", "report on metrics")
    (run,) = await caused(manager, wish.id)
    assert run.ask["parameters"] == {"data": ["metrics"], "title": "As wished"}
    again = await manager.client.replay(run.id, wait=False)
    assert again.ask == {**run.ask, "replay_of": run.id}


@pytest.mark.req("r019")
async def test_what_follows_from_a_redo_is_asked_by_itself(manager: Manager) -> None:
    await manager.client.switch_planner(on=True)
    redo = await manager.client.redo("lab/a", lr=[0.1, 0.2], parallel=2, wait=False)
    for index, child in enumerate(redo.children):
        await manager.push(child.bundle, {"metrics.csv": f"epoch\n{index}\n".encode()}, service_id=child.service)
        for state in (ServiceState.RUNNING, ServiceState.DONE):
            await manager.put(ServiceReported(0, ServiceStatus(ServiceId(child.service), state)))
    await manager.client.wait(redo.id)
    (wish,) = [one for one in await caused(manager, redo.id) if one.kind == "wish"]
    assert (await manager.client.wait(wish.id)).state is RequestState.DONE
    (report,) = await caused(manager, wish.id)
    assert (report.kind, report.user, report.bundle) == ("run", "ai:rules", "lab/a")
    assert report.because.startswith(f"Request {redo.id} is done: 2 runs of 'lab/a' can be compared")


@pytest.mark.req("r019", "r020")
async def test_another_automatic_user_takes_the_same_door_and_is_kept_to_its_scope(manager: Manager) -> None:
    await manager.push("lab/b", LAB)
    await manager.client.switch_planner(on=True)
    ask = pb.SubmitRequest(user="ai:model", archive=pb.ArchiveAsk(bundle="lab/a", archived=True))
    with pytest.raises(RefusedError, match="does not say why it asks"):
        await submit(manager, ask)
    ask.because, ask.scope = "It is old.", "lab/b"
    with pytest.raises(RefusedError, match="keeps to 'lab/b', and asks about 'lab/a'"):
        await submit(manager, ask)
    ask.scope = "lab/a"
    done = await submit(manager, ask)
    assert (done.because, done.scope, done.user) == ("It is old.", "lab/a", "ai:model")
    states = [one.state for one in await manager.client.requests("lab/a") if one.user == "ai:model"]
    assert states == [RequestState.DONE, RequestState.REFUSED, RequestState.REFUSED]
    with pytest.raises(RefusedError, match="for people"):
        await submit(manager, pb.SubmitRequest(user="ai:model", planner=pb.PlannerAsk(on=True)))
    begin = pb.CallRequest(begin=pb.CallBegin(user="ai:model", source="def task(): pass"))
    with pytest.raises(RefusedError, match="it asks by Submit"), rpc.errors():
        await anext(aiter(manager.stub.Call(iter([begin]))))


@pytest.mark.req("r016")
async def test_whoever_asks_may_say_why_and_from_what(manager: Manager) -> None:
    first = await manager.client.tag("lab/a", {"x": 1})
    ask = pb.SubmitRequest(archive=pb.ArchiveAsk(bundle="lab/a", archived=True), because="Tidy up.", cause=first.id)
    made = await submit(manager, ask)
    assert (made.because, made.cause) == ("Tidy up.", first.id)
    ask.cause = f"req-{99:032x}"
    with pytest.raises(NotFoundError, match="There is no request"):
        await submit(manager, ask)
    ask.because = "x" * 1001
    with pytest.raises(UsageError, match="at most 1,000 characters"):
        await submit(manager, ask)
    with pytest.raises(UsageError, match="may not begin with 'own-'"):
        await submit(manager, pb.SubmitRequest(client_key="own-x", archive=pb.ArchiveAsk(bundle="lab/a")))


@pytest.mark.req("r019", "r198")
async def test_the_switch_and_a_replayed_wish_outlive_a_restart(tmp_path: Path) -> None:
    store = MemoryStore()
    async with managing(tmp_path / "home", store) as manager:
        await manager.push("lab/a", LAB)
        on = await manager.client.switch_planner(on=True)
        wish = await manager.client.wish("lab/a", "redo with lr=0.3")
    async with managing(tmp_path / "home", store) as manager:
        planner = await manager.client.planner()
        assert (planner.is_on, planner.asked) == (True, 1)
        again = await manager.client.replay(wish.id)
        assert [one.kind for one in await caused(manager, again.id)] == ["redo"]
        await manager.client.switch_planner(on=False)
        await manager.client.replay(on.id)
        assert (await manager.client.planner()).is_on


@pytest.mark.req("r019", "r198")
async def test_what_a_wish_leads_to_is_asked_once_though_it_is_thought_about_again(tmp_path: Path) -> None:
    store = MemoryStore()
    async with managing(tmp_path / "home", store) as manager:
        await manager.push("lab/a", LAB)
        await manager.client.switch_planner(on=True)
        wish = await manager.client.wish("lab/a", "redo with lr=0.3")
        (redo,) = await caused(manager, wish.id)
    # As if the process had died after the redo was written and before the wish had heard of it.
    before = await store.get_request(RequestId(wish.id))
    assert before is not None
    lost = replace(before, state=RequestState.RUNNING, finished=0, finished_at=ZERO)
    await store.commit(Batch(turn="crash", requests={lost.id: lost}))
    async with managing(tmp_path / "home", store) as manager:
        assert (await manager.client.wait(wish.id)).state is RequestState.DONE
        assert [one.id for one in await caused(manager, wish.id)] == [redo.id]
        assert (await manager.client.planner()).asked == 1


class Other:
    """Another planner: it breaks, or says nothing."""

    identity = "ai:other"

    async def propose(self, wish: Wish, sight: Sight) -> list[Proposal]:
        assert (sight.bundle, sight.data, list(sight.parameters)) == ("lab/a", ("metrics",), ["lr"])
        if wish.text == "break":
            raise ZeroDivisionError("by nothing")
        if wish.text == "wait":
            await asyncio.Event().wait()
        return [Proposal(RedoDraft({"lr": [f"0.{number}"]}), "so") for number in range(1, 30)]


@pytest.mark.req("r019", "r020")
async def test_another_planner_takes_the_seat_and_its_faults_are_its_own(tmp_path: Path) -> None:
    async with managing(tmp_path / "home", proposer=Other(), patience_s=0.05) as manager:
        await manager.push("lab/a", LAB)
        await manager.client.switch_planner(on=True)
        for text, reason in (
            ("break", "ai:other has a fault: ZeroDivisionError: by nothing."),
            ("wait", "ai:other has not answered within 0.05 s."),
        ):
            wish = await manager.client.wish("lab/a", text)
            assert (wish.state, wish.reason) == (RequestState.FAILED, reason)
        many = await manager.client.wish("lab/a", "many")
        assert {one.user for one in await caused(manager, many.id)} == {"ai:other"}
        assert (await manager.client.planner()).asked == PROPOSALS_MAX


@pytest.mark.req("r017", "r019")
async def test_the_command_line_shows_the_switch_and_takes_wishes(manager: Manager) -> None:
    code, out, _ = await manager.line("planner")
    assert (code, out.splitlines()[0]) == (0, "The planner ai:rules is off.")
    code, out, _ = await manager.line("planner", "on", "--json")
    assert (code, json.loads(out)["on"], json.loads(out)["asked"]) == (0, True, 0)
    code, out, _ = await manager.line("wish", "lab/a", "redo with lr=0.1", "--json")
    assert code == 0
    assert [one["because"] for one in json.loads(out)["asked"]] == ["Somebody wished: redo with lr=0.1"]
    assert (await manager.line("wish", "lab/a", "find it"))[0] == 1
    assert (await manager.line("planner", "of"))[0] == 2
