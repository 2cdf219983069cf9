"""What a turn starts goes to the servicer in one call; each run has its own outcome, and the order is kept."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
import stamina
from typing_extensions import override

from manager.events import Event, ServiceRefused
from manager.loop import Loop
from manager.servicelink import ServiceLink
from plotter2 import rpc
from plotter2.api.v1 import servicer_pb2 as pb
from plotter2.api.v1 import servicer_pb2_grpc
from plotter2.errors import UnreachableError
from plotter2.ids import ServiceId
from plotter2.model.service import ServiceSpec

Answers = deque[dict[str, tuple[str, str]] | Exception]


@dataclass
class FakeServicer(servicer_pb2_grpc.ServicerServiceServicer):
    """Takes on what it is asked, unless it has another answer ready: an error, or the runs it will not take."""

    answers: Answers = field(default_factory=deque)
    calls: list[list[str]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    @override
    async def StartServices(self, request: Any, context: Any) -> pb.StartServicesResponse:
        self.calls.append([one.service_id for one in request.specs])
        await self.gate.wait()
        answer = self.answers.popleft() if self.answers else {}
        if isinstance(answer, Exception):
            raise answer
        wrong = [answer.get(one.service_id, ("", "")) for one in request.specs]
        return pb.StartServicesResponse(starts=[pb.ServiceStart(error_code=code, error=said) for code, said in wrong])


@dataclass
class Inbox:
    """Where the manager's events go."""

    events: list[Event] = field(default_factory=list)

    async def put(self, event: Event) -> None:
        self.events.append(event)


@asynccontextmanager
async def linked(servicer: FakeServicer, inbox: Inbox) -> AsyncIterator[ServiceLink]:
    """A link over real gRPC; at the end of the block everything that was begun has been done."""

    def add(server: Any) -> None:
        servicer_pb2_grpc.add_ServicerServiceServicer_to_server(servicer, server)

    async with rpc.serve(add, ["plotter2.api.v1.ServicerService"], "127.0.0.1", 0) as server:
        await server.set_serving(is_serving=True)
        async with rpc.connect(server.address) as channel, asyncio.TaskGroup() as group:
            yield ServiceLink(
                channel, server.address, cast("Loop", inbox), lambda work, name: group.create_task(work, name=name)
            )


def spec(name: str) -> ServiceSpec:
    return ServiceSpec(ServiceId(name), "digits", 1, "", "", "", b"", b"", (), "")


@pytest.mark.req("r018")
async def test_all_that_is_started_at_once_is_one_call_and_what_gathers_meanwhile_the_next() -> None:
    servicer, inbox = FakeServicer(), Inbox()
    async with linked(servicer, inbox) as link:
        link.start([spec("a"), spec("b")])
        async with asyncio.timeout(10):
            while not servicer.calls:
                await asyncio.sleep(0)
        link.start([spec("c")])
        link.start([spec("d"), spec("e")])
        servicer.gate.set()
    assert servicer.calls == [["a", "b"], ["c", "d", "e"]]
    assert inbox.events == []


@pytest.mark.req("r018")
async def test_what_is_refused_is_told_and_what_has_no_room_is_asked_again_before_what_came_later() -> None:
    no_room = ("limit", "There is no room.")
    servicer, inbox = FakeServicer(), Inbox()
    servicer.answers += [{"a": no_room, "b": ("package", "No command."), "d": no_room}, {"d": no_room}]
    servicer.gate.set()
    with stamina.set_testing(True, attempts=100):  # without the pauses
        async with linked(servicer, inbox) as link:
            link.start([spec(name) for name in "abcd"])
            link.start([spec("e")])
    assert servicer.calls == [["a", "b", "c", "d", "e"], ["a", "d"], ["d"]]
    assert inbox.events == [ServiceRefused(ServiceId("b"), "No command.")]


@pytest.mark.req("r018", "r198")
async def test_a_call_whose_answer_is_lost_is_made_again_whole() -> None:
    servicer, inbox = FakeServicer(), Inbox()
    servicer.answers += [UnreachableError("away"), UnreachableError("away")]
    servicer.gate.set()
    with stamina.set_testing(True, attempts=100):  # without the pauses
        async with linked(servicer, inbox) as link:
            link.start([spec("a"), spec("b")])
    assert servicer.calls == [["a", "b"]] * 3
    assert inbox.events == []


async def test_a_call_that_is_refused_as_a_whole_refuses_every_run_in_it() -> None:
    servicer, inbox = FakeServicer(), Inbox()
    servicer.answers.append(RuntimeError("a fault"))
    servicer.gate.set()
    async with linked(servicer, inbox) as link:
        link.start([spec("a"), spec("b")])
    assert [one.service_id for one in inbox.events if isinstance(one, ServiceRefused)] == ["a", "b"]
