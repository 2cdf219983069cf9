"""A small manager that hears reports, and the servicer inside a test or as a process."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plotter2 import rpc
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.api.v1 import manager_pb2_grpc, servicer_pb2
from plotter2.api.v1.servicer_pb2_grpc import ServicerServiceStub
from plotter2.clock import SystemClock, SystemIds
from plotter2.config import load
from plotter2.errors import BY_CODE, Plotter2Error
from plotter2.ids import ServiceId
from plotter2.layout import Layout
from plotter2.lifecycle import Life
from plotter2.model.service import SERVICE_ENDS, ServiceSpec, ServiceState, ServiceStatus
from plotter2.wire import services as wire
from servicer import app
from servicer.config import ServicerConfig
from tests.embedded import wait_until
from tests.unit.servicer.kit import tree

WAIT_S = 30.0


@dataclass
class FakeManager(manager_pb2_grpc.ManagerServiceServicer):
    """Hears reports; raises the errors it is given first, one a call."""

    reports: list[ServiceStatus] = field(default_factory=list)
    refusals: deque[Exception] = field(default_factory=deque)

    async def ReportServices(self, request: Any, _context: Any) -> pb.ReportServicesResponse:
        self.reports += map(wire.status_from_proto, request.statuses)
        if self.refusals:
            raise self.refusals.popleft()
        return pb.ReportServicesResponse()

    def states(self, service_id: ServiceId) -> list[ServiceState]:
        return [one.state for one in self.reports if one.service_id == service_id]

    async def ended(self, service_id: ServiceId) -> ServiceStatus:
        """The first report of a run's end."""

        def found() -> list[ServiceStatus]:
            return [one for one in self.reports if one.service_id == service_id and one.state in SERVICE_ENDS]

        await until(lambda: bool(found()))
        return found()[0]


class FakePush:
    """Keeps a copy of what was pushed; raises the errors it is given first, one a call."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.calls: list[dict[str, Any]] = []
        self.refusals: deque[Exception] = deque()

    async def __call__(self, path: Path, bundle: str, **more: Any) -> None:
        self.calls.append({"bundle": bundle, **more})
        if self.refusals:
            raise self.refusals.popleft()
        shutil.copytree(path, self._folder / str(len(self.calls)))

    def content(self, number: int = 1) -> dict[str, bytes]:
        return tree(self._folder / str(number))


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, with a limit."""
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def manager_serving(manager: FakeManager, port: int = 0) -> AsyncIterator[str]:
    """The fake manager over real gRPC."""

    def add(server: Any) -> None:
        manager_pb2_grpc.add_ManagerServiceServicer_to_server(manager, server)

    async with rpc.serve(add, ["plotter2.api.v1.ManagerService"], "127.0.0.1", port) as server:
        await server.set_serving(is_serving=True)
        yield server.address


class Servicer:
    """The servicer's calls."""

    def __init__(self, stub: Any) -> None:
        self._stub = stub

    async def start(self, spec: ServiceSpec) -> ServiceStatus:
        (status,) = await self.start_all([spec])
        if isinstance(status, Exception):
            raise status
        return status

    async def start_all(self, specs: Sequence[ServiceSpec]) -> list[ServiceStatus | Plotter2Error]:
        with rpc.errors():
            request = servicer_pb2.StartServicesRequest(specs=map(wire.spec_to_proto, specs))
            answer = await self._stub.StartServices(request)
        return [
            BY_CODE[one.error_code](one.error) if one.error_code else wire.status_from_proto(one.status)
            for one in answer.starts
        ]

    async def stop(self, service_id: ServiceId) -> None:
        with rpc.errors():
            await self._stub.StopService(servicer_pb2.StopServiceRequest(service_id=service_id))

    async def list(self) -> list[ServiceStatus]:
        answer = await self._stub.ListServices(servicer_pb2.ListServicesRequest())
        return [wire.status_from_proto(one) for one in answer.services]


@asynccontextmanager
async def calling(address: str) -> AsyncIterator[Servicer]:
    """A line to a servicer."""
    async with rpc.connect(address) as channel:
        yield Servicer(ServicerServiceStub(channel))


@asynccontextmanager
async def servicer_inside(layout: Layout, manager_address: str, **settings: Any) -> AsyncIterator[Servicer]:
    """A whole servicer in this process."""
    given = {"grpc_port": 0, "probe_port": 0, "manager_address": manager_address, **settings}
    config = load(ServicerConfig, home=layout.home, **given)
    clock = SystemClock()
    async with asyncio.TaskGroup() as group, asyncio.TaskGroup() as inner:
        life = Life(config, group, clock, SystemIds(clock))
        inner.create_task(app.main(life))
        await until(lambda: life.is_ready)
        address = json.loads((layout.processes / "servicer.json").read_bytes())["addresses"]["grpc"]
        try:
            async with calling(address) as servicer:
                yield servicer
        finally:
            life.stopping.set()


@dataclass
class ServicerProcess:
    """A servicer that can be killed."""

    process: subprocess.Popen[bytes]
    address: str

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


@contextmanager
def servicer_process(layout: Layout, manager_address: str, **settings: str) -> Iterator[ServicerProcess]:
    """`python -m plotter2.launch servicer` on a home; ended at the end of the block if it lives."""
    record = layout.processes / "servicer.json"
    record.unlink(missing_ok=True)
    given = {"grpc_port": "0", "probe_port": "0", "manager_address": manager_address, **settings}
    environment = {
        **os.environ,  # noqa: TID251 -- a test gives its own environment on
        "PLOTTER2_HOME": str(layout.home),
        **{f"PLOTTER2_SERVICER_{name.upper()}": value for name, value in given.items()},
    }
    command = [sys.executable, "-m", "plotter2.launch", "servicer"]
    process = subprocess.Popen(command, cwd=Path(__file__).parent.parent, env=environment)
    try:
        wait_until(lambda: record.exists() or process.poll() is not None)
        assert process.poll() is None, f"the servicer ended with {process.returncode}"
        yield ServicerProcess(process, json.loads(record.read_bytes())["addresses"]["grpc"])
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(15)
