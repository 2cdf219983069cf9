"""Children of a redo: how many are registered a second, without the time of any program.

A manager of its own with a real PostgreSQL and broker, and a servicer that runs nothing: it takes what it is asked,
sends a small output for it, and says that it is done. Everything is committed as it always is.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import structlog
from blake3 import blake3

import plotter2
from bench.report import Measure, note
from plotter2 import rpc
from plotter2.api.v1 import common_pb2, manager_pb2, servicer_pb2, servicer_pb2_grpc
from plotter2.api.v1.manager_pb2_grpc import ManagerServiceStub
from plotter2.client.background import BACKGROUND
from plotter2.clock import SystemClock
from plotter2.launch import command
from plotter2.layout import Layout
from plotter2.together import Together
from watchdogs import broker, database

CLOCK = SystemClock()
START_S = 60.0
PARALLEL = 64
MLFLOW_RUNS_S = 5.0
"""What MLflow registers on a comparable machine, by the issue that asked for this."""
EXPERIMENT = {
    "parameters": {"lr": {"type": "float", "default": 0.1}},
    "service": {"command": ["{python}", "train.py", "{lr}"]},
}
MANIFEST = json.dumps(
    {
        "date": "2026-11-21T12:00:00Z",
        "time": 1795262400,
        "user": "bench",
        "manifest_version": 1,
        "meta": {},
        "contains": {},
    }
)


class Servicer(servicer_pb2_grpc.ServicerServiceServicer):
    """Runs nothing. Each run leaves one file, which is another each time."""

    def __init__(self, layout: Layout, sends_output: bool) -> None:  # noqa: FBT001 -- one of two measures
        self._layout = layout
        self._sends_output = sends_output
        self._tasks: set[asyncio.Task[None]] = set()
        self._ends = Together(self._spawn, "report", self._report)
        self.stub: Any = None

    async def StartServices(self, request: Any, context: Any) -> servicer_pb2.StartServicesResponse:  # noqa: N802 -- gRPC's name
        """Take them on; what follows is not waited for."""
        del context
        for spec in request.specs:
            self._spawn(self._run(spec), spec.service_id)
        return servicer_pb2.StartServicesResponse(starts=[servicer_pb2.ServiceStart() for _ in request.specs])

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, spec: servicer_pb2.ServiceSpec) -> None:
        delivery = "dlv-" + blake3(spec.service_id.encode()).hexdigest()[:32]
        if self._sends_output:
            await self.stub.Deliver(self._sealed(spec, delivery))
        self._ends.put(
            servicer_pb2.ServiceStatus(
                service_id=spec.service_id, state=servicer_pb2.SERVICE_STATE_DONE, delivery_id=delivery
            )
        )

    async def _report(self, ends: Sequence[servicer_pb2.ServiceStatus]) -> None:
        await self.stub.ReportServices(manager_pb2.ReportServicesRequest(statuses=ends))

    def _sealed(self, spec: servicer_pb2.ServiceSpec, delivery: str) -> manager_pb2.DeliverRequest:
        sealed = _sealed(self._layout, delivery, spec.child, {"out.json": spec.parameters_json.encode()})
        sealed.service_id = spec.service_id
        return sealed


def registered(work: Path, count: int) -> Iterator[Measure]:
    """Children/s, from the ask until the request has ended: with the record of each alone, and with its output."""
    note(f"a redo of {count} values, twice")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    for name, sends_output in (("redo_children_registered", False), ("redo_children_with_output", True)):
        home = work / name
        with ExitStack() as stack:
            loop = stack.enter_context(BACKGROUND.loop())
            passed = asyncio.run_coroutine_threadsafe(_measure(home, count, sends_output), loop).result()
        yield Measure(name, count / passed, "children/s", "MLflow's runs/s", MLFLOW_RUNS_S)


async def _measure(home: Path, count: int, sends_output: bool) -> float:  # noqa: FBT001 -- one of two measures
    layout = Layout.at(home)
    layout.create()
    servicer = Servicer(layout, sends_output)

    def add(server: Any) -> None:
        servicer_pb2_grpc.add_ServicerServiceServicer_to_server(servicer, server)

    async with rpc.serve(add, ["plotter2.api.v1.ServicerService"], "127.0.0.1", 0) as server:
        await server.set_serving(is_serving=True)
        async with _manager(layout, server.address) as address, rpc.connect(address) as channel:
            servicer.stub = ManagerServiceStub(channel)
            await _push(servicer.stub, layout)
            async with plotter2.aio.connect(address) as p2:
                started = CLOCK.monotonic()
                ended = await p2.redo("bench", lr=[number / count for number in range(count)], parallel=PARALLEL)
                passed = CLOCK.monotonic() - started
            if not ended.ok or ended.finished != count:
                raise SystemExit(f"bench: the redo ended as {ended.state}: {ended.reason}")
            return passed


def _sealed(layout: Layout, delivery: str, bundle: str, contents: dict[str, bytes]) -> manager_pb2.DeliverRequest:
    """A delivery as the stager offers it: files in its spool, on the same file system."""
    spool = layout.spool / delivery
    spool.mkdir(parents=True)
    files = []
    for number, (path, data) in enumerate(contents.items()):
        (spool / str(number)).write_bytes(data)
        files.append(common_pb2.FileEntry(path=path, size_bytes=len(data), digest=blake3(data).digest(), mode=0o644))
    return manager_pb2.DeliverRequest(
        delivery_id=delivery,
        bundle=bundle,
        manifest_json=MANIFEST,
        files=files,
        spool_path=str(spool),
        installation=layout.installation.read_text().strip(),
    )


async def _push(stub: Any, layout: Layout) -> None:
    contents = {"code_sources/train.py": b"pass", "package.json": json.dumps(EXPERIMENT).encode()}
    await stub.Deliver(_sealed(layout, "dlv-" + "0" * 32, "bench", contents))


@asynccontextmanager
async def _manager(layout: Layout, servicer_address: str) -> AsyncIterator[str]:
    """The address of a manager that has PostgreSQL and a broker to itself."""
    port = _free_port()
    postgres = database.prepare(layout, None)
    with ExitStack() as stack:
        stack.enter_context(_running(postgres.command, layout))
        stack.enter_context(_running(broker.prepare(layout, "127.0.0.1", port), layout))
        await _until(lambda: postgres.socket.exists() and _accepts(port))
        settings = {
            "HOME": str(layout.home),
            "MANAGER_DSN": postgres.dsn,
            "MANAGER_BROKER_URL": f"mqtt://127.0.0.1:{port}",
            "MANAGER_SERVICER_ADDRESS": servicer_address,
            "MANAGER_GRPC_PORT": "0",
            "MANAGER_HTTP_PORT": "0",
        }
        stack.enter_context(_running(command("manager"), layout, settings))
        record = layout.processes / "manager.json"
        await _until(record.exists)
        yield json.loads(record.read_bytes())["addresses"]["grpc"]


@contextmanager
def _running(words: Sequence[str], layout: Layout, settings: dict[str, str] | None = None) -> Iterator[None]:
    given = {f"PLOTTER2_{name}": value for name, value in (settings or {}).items()}
    with (layout.log / "bench.out").open("ab") as out:
        environment = {**os.environ, **given}  # noqa: TID251 -- a benchmark gives its own environment on
        process = subprocess.Popen(words, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=environment)
    try:
        yield
    finally:
        process.terminate()
        process.wait(START_S)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(START_S):
        while not condition():  # noqa: ASYNC110 -- processes that come up tell nobody
            await asyncio.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
