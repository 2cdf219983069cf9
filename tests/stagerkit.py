"""A small manager for tests of the stager: real gRPC, real files, no mind. And the stager as a process."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plotter2 import files, rpc
from plotter2.api.v1 import common_pb2, manager_pb2_grpc
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.client.upload import Pushed, push
from plotter2.clock import Instant, SystemClock, SystemIds
from plotter2.config import load
from plotter2.errors import AlteredError, RefusedError
from plotter2.layout import Layout
from plotter2.lifecycle import Life
from plotter2.model import manifest
from stager import app
from stager.config import StagerConfig

INSTALLATION = "5f0c7d0e-0000-7000-8000-000000000001"
CLOCK = SystemClock()
IDS = SystemIds(CLOCK)
PAPER = manifest.write("ada", Instant(1.7e9), {})
CONTENTS = {"a.txt": b"hello", "empty": b"", "deep/er/b.bin": os.urandom(3 << 20), "c.txt": b"x" * 70_000}
WAIT_S = 20.0


def tree(root: Path, contents: dict[str, bytes]) -> Path:
    """A directory with these files."""
    for name, data in contents.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


async def send(path: Path, bundle: str, address: str, **more: Any) -> Pushed:
    """Push as ada."""
    return await push(path, bundle, stager_address=address, user="ada", clock=CLOCK, ids=IDS, **more)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.02)


async def drop(data: Path, target: Path) -> None:
    """Rename into a drop box, once that can be told from writing: file systems have a clock of a few milliseconds."""
    probe = data.with_name("probe")

    def ticked() -> bool:
        probe.unlink(missing_ok=True)
        probe.touch()
        return probe.stat().st_ctime_ns > data.stat().st_mtime_ns

    await until(ticked)
    await asyncio.to_thread(data.rename, target)


@dataclass
class FakeManager(manager_pb2_grpc.ManagerServiceServicer):
    """Takes deliveries in, checks every digest, remembers by delivery id."""

    installation: str = INSTALLATION
    blobs: dict[bytes, bytes] = field(default_factory=dict)
    installed: dict[str, pb.DeliverRequest] = field(default_factory=dict)
    calls: list[pb.DeliverRequest] = field(default_factory=list)
    put: int = 0
    refusal: RefusedError | None = None
    held: str = ""
    keeps_content: bool = True
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def GetStatus(self, _request: Any, _context: Any) -> pb.GetStatusResponse:
        return pb.GetStatusResponse(installation=self.installation)

    async def HaveBlobs(self, request: Any, _context: Any) -> pb.HaveBlobsResponse:
        return pb.HaveBlobsResponse(have=[digest in self.blobs for digest in request.digests])

    async def PutBlob(self, request_iterator: Any, _context: Any) -> pb.PutBlobResponse:
        begin, data = None, b""
        async for message in request_iterator:
            if message.WhichOneof("step") == "begin":
                begin = message.begin
            else:
                data += message.data
        assert begin is not None
        assert len(data) == begin.size_bytes
        self.put += 1
        self.blobs[begin.digest] = data
        return pb.PutBlobResponse(is_new=True)

    async def Deliver(self, request: pb.DeliverRequest, _context: Any) -> pb.DeliverResponse:
        self.calls.append(request)
        await self.gate.wait()
        if self.refusal is not None:
            raise self.refusal
        is_new = request.delivery_id not in self.installed
        if is_new:
            await asyncio.to_thread(self._install, request)
            self.installed[request.delivery_id] = request
        if self.held:
            return pb.DeliverResponse(
                bundle=common_pb2.Bundle(path=request.bundle),
                request_id=request.delivery_id.replace("dlv", "req"), held=self.held,
            )  # fmt: skip
        answer = pb.DeliverResponse(request_id=request.delivery_id.replace("dlv", "req"), is_new=is_new)
        answer.bundle.path = request.bundle
        answer.bundle.version = list(self.installed).index(request.delivery_id) + 1
        answer.bundle.files = len(request.files)
        answer.bundle.size_bytes = sum(entry.size_bytes for entry in request.files)
        return answer

    def _install(self, request: pb.DeliverRequest) -> None:
        for index, entry in enumerate(request.files):
            if entry.digest in self.blobs:
                continue
            assert request.spool_path, f"{entry.path} was not put"
            path = Path(request.spool_path) / str(index)
            if files.digest(path) != entry.digest:
                raise AlteredError(f"{entry.path} is not what it was.")
            self.blobs[entry.digest] = path.read_bytes() if self.keeps_content else b""

    def contents(self, bundle: str) -> dict[str, bytes]:
        """What the newest delivery of a bundle holds."""
        request = [one for one in self.installed.values() if one.bundle == bundle][-1]
        return {entry.path: self.blobs[entry.digest] for entry in request.files}


@asynccontextmanager
async def serving(manager: FakeManager, port: int = 0) -> AsyncIterator[str]:
    """The fake manager over real gRPC."""

    def add(server: Any) -> None:
        manager_pb2_grpc.add_ManagerServiceServicer_to_server(manager, server)

    async with rpc.serve(add, ["plotter2.api.v1.ManagerService"], "127.0.0.1", port) as server:
        await server.set_serving(True)
        yield server.address


def home_at(path: Path, installation: str = INSTALLATION) -> Layout:
    """A home with an installation file."""
    layout = Layout.at(path)
    layout.create()
    layout.installation.write_text(installation)
    return layout


@asynccontextmanager
async def stager_inside(layout: Layout, manager_address: str, **settings: Any) -> AsyncIterator[str]:
    """A whole stager in this process: its gRPC address."""
    given = {"grpc_port": 0, "probe_port": 0, "manager_address": manager_address, "dropbox_settle_s": 0.1, **settings}
    config = load(StagerConfig, home=layout.home, **given)
    clock = SystemClock()
    async with asyncio.TaskGroup() as group, asyncio.TaskGroup() as inner:
        life = Life(config, group, clock, SystemIds(clock))
        inner.create_task(app.main(life))
        while not life.is_ready:
            await asyncio.sleep(0.01)
        try:
            yield json.loads((layout.processes / "stager.json").read_bytes())["addresses"]["grpc"]
        finally:
            life.stopping.set()


@dataclass
class StagerProcess:
    """A stager that can be killed."""

    process: subprocess.Popen[bytes]
    address: str
    probe: str

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


@contextmanager
def stager_process(layout: Layout, manager_address: str, **settings: str) -> Iterator[StagerProcess]:
    """`python -m stager` on a home; ended at the end of the block if it lives."""
    record = layout.processes / "stager.json"
    record.unlink(missing_ok=True)
    given = {f"PLOTTER2_STAGER_{name.upper()}": value for name, value in settings.items()}
    environment = {
        **os.environ,  # noqa: TID251 -- a test gives its own environment on
        "PLOTTER2_HOME": str(layout.home),
        "PLOTTER2_STAGER_GRPC_PORT": "0",
        "PLOTTER2_STAGER_PROBE_PORT": "0",
        "PLOTTER2_STAGER_MANAGER_ADDRESS": manager_address,
        **given,
    }
    root = Path(__file__).parent.parent
    process = subprocess.Popen([sys.executable, "-m", "stager"], cwd=root, env=environment)
    try:
        document = _announced(process, record)
        yield StagerProcess(process, document["addresses"]["grpc"], document["addresses"]["probe"])
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(15)


def _announced(process: subprocess.Popen[bytes], record: Path) -> dict[str, Any]:
    for _ in range(600):
        if record.exists():
            return dict(json.loads(record.read_bytes()))
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
        raise AssertionError(f"the stager ended with {process.returncode}")
    raise AssertionError("the stager did not announce itself in 30 s")
