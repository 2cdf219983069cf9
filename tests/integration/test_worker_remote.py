"""A worker that does not see the manager's files: everything comes and goes over gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from blake3 import blake3

from plotter2 import rpc
from plotter2.api.v1 import common_pb2, manager_pb2, manager_pb2_grpc
from plotter2.errors import NotFoundError
from plotter2.ids import RunId, TaskId
from plotter2.layout import Layout
from plotter2.model import packing
from plotter2.model.task import RunState, Task, TaskKind
from plotter2.mqtt.payloads import AssignBatch, Assignment
from tests.integration.worker_kit import REQUEST, rig
from worker.bulk import BulkLine

INSTALLATION = "11111111-1111-1111-1111-111111111111"


class Far(manager_pb2_grpc.ManagerServiceServicer):
    """A manager's part for workers, from memory."""

    def __init__(self) -> None:
        self.blobs: dict[bytes, bytes] = {}
        self.bundles: dict[str, dict[str, bytes]] = {}
        self.asked: list[str] = []

    def add(self, data: bytes) -> bytes:
        digest = blake3(data).digest()
        self.blobs[digest] = data
        return digest

    async def GetStatus(self, request: Any, context: Any) -> manager_pb2.GetStatusResponse:  # noqa: N802 -- its name on the wire
        del request, context
        return manager_pb2.GetStatusResponse(installation=INSTALLATION)

    async def GetBundle(self, request: Any, context: Any) -> manager_pb2.GetBundleResponse:  # noqa: N802 -- as above
        del context
        self.asked.append(request.bundle)
        if request.bundle not in self.bundles:
            raise NotFoundError(f"There is no bundle {request.bundle!r}.")
        files = [
            common_pb2.FileEntry(path=name, size_bytes=len(data), digest=self.add(data))
            for name, data in self.bundles[request.bundle].items()
        ]
        return manager_pb2.GetBundleResponse(bundle=common_pb2.Bundle(path=request.bundle, version=1), files=files)

    async def ReadBundle(self, request: Any, context: Any) -> AsyncIterator[manager_pb2.ReadBundleResponse]:  # noqa: N802 -- as above
        yield manager_pb2.ReadBundleResponse(part=await self.GetBundle(request.bundle, context))

    async def FetchBlob(self, request: Any, context: Any) -> AsyncIterator[manager_pb2.FetchBlobResponse]:  # noqa: N802 -- as above
        del context
        data = self.blobs[request.digest]
        for start in range(0, len(data), 1_000):
            yield manager_pb2.FetchBlobResponse(data=data[start : start + 1_000])

    async def HaveBlobs(self, request: Any, context: Any) -> manager_pb2.HaveBlobsResponse:  # noqa: N802 -- as above
        del context
        return manager_pb2.HaveBlobsResponse(have=[one in self.blobs for one in request.digests])

    async def PutBlob(self, steps: AsyncIterator[Any], context: Any) -> manager_pb2.PutBlobResponse:  # noqa: N802 -- as above
        del context
        data = b"".join([step.data async for step in steps if step.WhichOneof("step") == "data"])
        self.add(data)
        return manager_pb2.PutBlobResponse(is_new=True)


@asynccontextmanager
async def far_manager() -> AsyncIterator[tuple[Far, str]]:
    far = Far()

    def add(server: grpc.aio.Server) -> None:
        manager_pb2_grpc.add_ManagerServiceServicer_to_server(far, server)

    async with rpc.serve(add, ["plotter2.api.v1.ManagerService"], "127.0.0.1", 0) as server:
        yield far, server.address


@pytest.mark.req("r094", "r086")
async def test_files_are_fetched_by_digest_and_what_a_run_makes_is_put(tmp_path: Path) -> None:
    async with far_manager() as (far, address):
        far.bundles["mine"] = {"data.csv": b"1,2,3" * 1_000, "code_sources/part.py": b"NAME = 'part'\n"}
        source = (
            "import part, pathlib\n"
            "pathlib.Path('made.txt').write_text('made here')\n"
            "result = [part.NAME, len(scope.files['data.csv'].read_bytes())]\n"
        )
        async with BulkLine.open(tmp_path, address, lambda: "another") as line, rig(tmp_path, line=line) as worker:
            report = await worker.run(source, bundle="mine")
            assert report.error == ""
            assert report.results_json == '["part",5000]'
            assert far.blobs[report.made[0].digest] == b"made here"
            listed = {one.path: one.digest for one in packing.read(far.blobs[report.packed])}
            assert listed["made.txt"] == report.made[0].digest


async def test_a_worker_on_the_same_files_takes_them_where_they_are(tmp_path: Path) -> None:
    async with (
        far_manager() as (far, address),
        BulkLine.open(tmp_path, address, lambda: INSTALLATION) as line,
        rig(tmp_path, line=line) as worker,
    ):
        far.bundles["mine"] = {"data.csv": b"1,2,3"}
        blob = Layout.at(tmp_path).blob(far.add(b"1,2,3"))
        await asyncio.to_thread(blob.parent.mkdir, parents=True)
        await asyncio.to_thread(blob.write_bytes, b"1,2,3")
        report = await worker.run("result = str(scope.files['data.csv'])\n", bundle="mine")
        assert report.results_json == f'"{blob}"'


async def test_a_long_source_is_fetched_by_its_digest(tmp_path: Path) -> None:
    async with far_manager() as (far, address):
        source = b"result = 42\n" + b"# filler\n" * 10_000
        task = Task(TaskId("long"), "long", TaskKind.SCRIPT, "", far.add(source), "long.py")
        run_id = RunId(f"{REQUEST}.77")
        async with BulkLine.open(tmp_path, address, str) as line, rig(tmp_path, line=line) as worker:
            worker.runner.hear_batch(AssignBatch((Assignment(run_id, 1, task.id),), (task,)))
            [report] = await worker.ends([run_id])
            assert (report.state, report.results_json) == (RunState.DONE, "42")


async def test_a_bundle_that_is_not_there_fails_its_runs_with_the_managers_words(tmp_path: Path) -> None:
    async with (
        far_manager() as (_, address),
        BulkLine.open(tmp_path, address, str) as line,
        rig(tmp_path, line=line) as worker,
    ):
        report = await worker.run("result = 1\n", bundle="gone")
        assert (report.error, report.error_code) == ("There is no bundle 'gone'.", "not_found")


async def test_a_bundle_is_asked_for_once_for_many_runs(tmp_path: Path) -> None:
    async with far_manager() as (far, address):
        far.bundles["mine"] = {"a": b"1"}
        async with BulkLine.open(tmp_path, address, str) as line, rig(tmp_path, line=line) as worker:
            await worker.ends(worker.assign("result = 1\n", times=20, bundle="mine"))
            assert far.asked == ["mine"]


@pytest.mark.req("r086")
async def test_a_manager_that_is_away_is_waited_for_and_found_where_it_came_back(tmp_path: Path) -> None:
    async with BulkLine.open(tmp_path, "", str) as line, rig(tmp_path, line=line) as worker:
        ids = worker.assign("result = 1\n", bundle="mine")
        async with far_manager() as (far, address):
            far.bundles["mine"] = {"a": b"1"}
            worker.runner.hear_batch(AssignBatch(manager_address=address))
            [report] = await worker.ends(ids)
            assert report.state is RunState.DONE
