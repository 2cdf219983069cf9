# ruff: noqa: ARG002 -- gRPC decides what its methods take
"""A manager small enough for tests of the client: real gRPC on loopback, everything in memory, faults on demand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from blake3 import blake3

from plotter2 import rpc
from plotter2.api.v1 import common_pb2, manager_pb2, manager_pb2_grpc, servicer_pb2, task_pb2
from plotter2.client.background import BACKGROUND
from plotter2.errors import NotFoundError, PathRefusedError, UnreachableError
from plotter2.model.paths import bundle_path

NAME = "plotter2.api.v1.ManagerService"
REQUEST = "req-" + "1" * 32
CONTENT = {"a/one.txt": b"one", "two.bin": bytes(range(256)) * 64}
DONE = manager_pb2.REQUEST_STATE_DONE


class FakeManager(manager_pb2_grpc.ManagerServiceServicer):
    """Answers like a manager. `calls` echo their parameters, or what `answer` makes of them."""

    def __init__(self) -> None:
        self.submitted: list[manager_pb2.SubmitRequest] = []
        self.begins: list[manager_pb2.CallBegin] = []
        self.searched: list[manager_pb2.SearchRequest] = []
        self.break_calls_after = 0
        self.printed: list[list[manager_pb2.LogLine]] = []
        self.state = DONE
        self.reason = ""
        self.reason_code = ""
        self.run_error = ""
        self.run_errors: dict[int, str] = {}
        self.runs = 1
        self.corrupt = False
        self.repeat: manager_pb2.Repeat | None = None

    # --- requests

    def request(self, state: manager_pb2.RequestState | None = None) -> manager_pb2.Request:
        failed = self.state == manager_pb2.REQUEST_STATE_FAILED
        made = manager_pb2.Request(
            id=REQUEST,
            kind="run",
            state=self.state if state is None else state,
            bundle="experiments/digits",
            reason=self.reason,
            reason_code=self.reason_code,
            created_at=1.5,
            total=1,
            finished=1,
        )
        last = self.submitted[-1] if self.submitted else manager_pb2.SubmitRequest()
        if last.WhichOneof("ask") == "redo" and not last.redo.axes:
            made.kind = "redo"
            if self.repeat is not None:
                made.repeat.CopyFrom(self.repeat)
        elif last.WhichOneof("ask") == "redo":
            made.kind = "redo"
            for text in last.redo.axes[0].values_json:
                made.children.add(
                    bundle=f"{last.redo.bundle}/bundles/{last.redo.axes[0].parameter}={text}",
                    parameters_json=f'{{"{last.redo.axes[0].parameter}":{text}}}',
                    state=servicer_pb2.SERVICE_STATE_FAILED if failed else servicer_pb2.SERVICE_STATE_DONE,
                    error="exit status 2" if failed else "",
                )
        else:
            for number in range(self.runs):
                made.runs.add(
                    id=f"{REQUEST}.{number}",
                    request_id=REQUEST,
                    task_name="loss curve",
                    parameters_json=f'{{"step":"step_{number}"}}' if self.runs > 1 else "",
                    state=task_pb2.RUN_STATE_FAILED if failed else task_pb2.RUN_STATE_DONE,
                    worker="worker-1",
                    results_json='{"best":0.10}',
                    error=self.run_errors.get(number, self.run_error),
                    outputs=[task_pb2.Output(path="x/figure-1.html", kind="figure", title="loss", size_bytes=7)],
                )
        return made

    async def Submit(self, request: manager_pb2.SubmitRequest, context: Any) -> manager_pb2.SubmitResponse:
        self.submitted.append(request)
        if self.reason_code:
            return manager_pb2.SubmitResponse(request=self.request(manager_pb2.REQUEST_STATE_REFUSED))
        return manager_pb2.SubmitResponse(request=self.request(manager_pb2.REQUEST_STATE_ACCEPTED))

    async def PlanRedo(self, request: manager_pb2.PlanRedoRequest, context: Any) -> manager_pb2.PlanRedoResponse:
        made = manager_pb2.PlanRedoResponse(bundle=request.redo.bundle, version=request.redo.version)
        for number, text in enumerate(request.redo.axes[0].values_json):
            name = f"{request.redo.bundle}/bundles/lr={text}"
            made.children.add(
                bundle=name,
                parameters_json=f'{{"lr":{text}}}',
                reused_bundle=name if number == 0 else "",
                reused_version=int(number == 0),
            )
        return made

    async def GetRequest(self, request: manager_pb2.GetRequestRequest, context: Any) -> manager_pb2.GetRequestResponse:
        if request.request_id != REQUEST:
            raise NotFoundError(f"There is no request {request.request_id!r}.")
        return manager_pb2.GetRequestResponse(request=self.request())

    async def ListRequests(
        self, request: manager_pb2.ListRequestsRequest, context: Any
    ) -> manager_pb2.ListRequestsResponse:
        return manager_pb2.ListRequestsResponse(requests=[self.request()], total=1)

    async def CancelRequest(self, request: Any, context: Any) -> manager_pb2.CancelRequestResponse:
        return manager_pb2.CancelRequestResponse(request=self.request(manager_pb2.REQUEST_STATE_CANCELLED))

    async def WatchRequest(
        self, request: manager_pb2.WatchRequestRequest, context: Any
    ) -> AsyncIterator[manager_pb2.WatchRequestResponse]:
        yield manager_pb2.WatchRequestResponse(request=self.request(manager_pb2.REQUEST_STATE_RUNNING))
        if self.printed:  # what is kept is told to whoever begins to watch; all but the last one lose their link then
            kept = self.printed.pop(0)
            yield manager_pb2.WatchRequestResponse(lines=kept)
            if self.printed:
                raise UnreachableError("The link broke.")
        yield manager_pb2.WatchRequestResponse(lines=[manager_pb2.LogLine(text="epoch 1")])
        yield manager_pb2.WatchRequestResponse(request=self.request())

    # --- calls

    async def Call(
        self, request_iterator: AsyncIterator[manager_pb2.CallRequest], context: Any
    ) -> AsyncIterator[manager_pb2.CallResponse]:
        index = 0
        async for message in request_iterator:
            if message.WhichOneof("step") == "begin":
                self.begins.append(message.begin)
                yield manager_pb2.CallResponse(request_id=REQUEST)
                continue
            results = []
            for text in message.batch.parameters_json:
                results.append(self.result(index, text))
                index += 1
            if self.break_calls_after and index > self.break_calls_after:
                kept = results[: len(results) // 2]
                self.break_calls_after = 0
                yield manager_pb2.CallResponse(results=kept)
                await context.abort(rpc_unavailable(), "the manager is stopping")
            # Any order is allowed: the last first.
            yield manager_pb2.CallResponse(results=reversed(results))

    def result(self, index: int, text: str) -> manager_pb2.CallResult:
        given = json.loads(text)
        if given.get("fail"):
            return manager_pb2.CallResult(index=index, state=task_pb2.RUN_STATE_FAILED, error="ValueError: no")
        return manager_pb2.CallResult(index=index, state=task_pb2.RUN_STATE_DONE, results_json=json.dumps(given))

    # --- bundles

    def bundle(self) -> common_pb2.Bundle:
        return common_pb2.Bundle(
            path="experiments/digits",
            version=2,
            digest=b"\x01" * 32,
            files=len(CONTENT),
            size_bytes=sum(map(len, CONTENT.values())),
            created_at=1.5,
            request_id=REQUEST,
            package_json='{"tasks": [{"name": "loss curve", "task_src": "loss.json"}], '
            '"standing": [{"name": "c", "on": "child", "run": ["loss curve"]}]}',
            parameters_json='{"lr": 0.10}',
            tags_json='{"quality": "good", "gone": null}',
        )

    async def ListBundles(
        self, request: manager_pb2.ListBundlesRequest, context: Any
    ) -> manager_pb2.ListBundlesResponse:
        everything = [self.bundle()] * 1500
        page = everything[request.page.offset : request.page.offset + request.page.limit]
        if request.under:
            return manager_pb2.ListBundlesResponse(bundles=[self.bundle()], total=1)
        return manager_pb2.ListBundlesResponse(bundles=page, total=len(everything))

    async def GetBundle(self, request: manager_pb2.GetBundleRequest, context: Any) -> manager_pb2.GetBundleResponse:
        if bundle_path(request.bundle) != "experiments/digits":
            raise NotFoundError(f"There is no bundle {request.bundle!r}.")
        files = [
            common_pb2.FileEntry(path=path, size_bytes=len(data), digest=blake3(data).digest(), mode=0o644)
            for path, data in CONTENT.items()
        ]
        left = [one for one in files if one.path > request.files_after]
        shown = left[: request.files_max] if request.HasField("files_max") else left
        behind = shown[-1].path if shown and len(shown) < len(left) else ""
        return manager_pb2.GetBundleResponse(bundle=self.bundle(), files=shown, files_next=behind)

    async def ReadBundle(
        self, request: manager_pb2.ReadBundleRequest, context: Any
    ) -> AsyncIterator[manager_pb2.ReadBundleResponse]:
        yield manager_pb2.ReadBundleResponse(part=await self.GetBundle(request.bundle, context))

    async def FetchBlob(
        self, request: manager_pb2.FetchBlobRequest, context: Any
    ) -> AsyncIterator[manager_pb2.FetchBlobResponse]:
        data = next(data for data in CONTENT.values() if blake3(data).digest() == request.digest)
        if self.corrupt:
            data = b"x" + data[1:]
        for start in range(0, len(data), 1000):
            yield manager_pb2.FetchBlobResponse(data=data[start : start + 1000])

    # --- versions

    async def DiffBundles(
        self, request: manager_pb2.DiffBundlesRequest, context: Any
    ) -> AsyncIterator[manager_pb2.DiffBundlesResponse]:
        parameter = manager_pb2.ParameterChange(name="lr", before_json="0.10", after_json="0.2")
        yield manager_pb2.DiffBundlesResponse(before=self.bundle(), after=self.bundle(), parameters=[parameter])
        old, new = (
            common_pb2.FileEntry(path="a.csv", size_bytes=size, digest=bytes([size]) * 32, mode=mode)
            for size, mode in ((1, 0o644), (2, 0o755))
        )
        yield manager_pb2.DiffBundlesResponse(files=[manager_pb2.FileChange(before=old, after=new)])
        new.path = "b.csv"
        yield manager_pb2.DiffBundlesResponse(files=[manager_pb2.FileChange(after=new)])
        yield manager_pb2.DiffBundlesResponse(unchanged=7)

    async def ListHistory(
        self, request: manager_pb2.ListHistoryRequest, context: Any
    ) -> manager_pb2.ListHistoryResponse:
        pushes = [
            manager_pb2.HistoryEntry(request=self.request(DONE), version=2, is_new=is_new) for is_new in (True, False)
        ]
        hidden = self.request(DONE)
        hidden.kind, hidden.ask_json = "archive", '{"archived": false}'
        return manager_pb2.ListHistoryResponse(entries=[*pushes, manager_pb2.HistoryEntry(request=hidden)], total=3)

    async def Search(self, request: manager_pb2.SearchRequest, context: Any) -> manager_pb2.SearchResponse:
        self.searched.append(request)
        if request.where == "none":
            return manager_pb2.SearchResponse()
        done, failed = servicer_pb2.SERVICE_STATE_DONE, servicer_pb2.SERVICE_STATE_FAILED
        found = [
            manager_pb2.Entry(
                path="lab/bundles/lr=0.10",
                version=1,
                state=done,
                at=1.5,
                parameters_json='{"lr": 0.10, "epochs": 30}',
                metrics_json='{"loss": 0.25, "loss.min": 0.2, "loss.max": "inf"}',
                tags_json='{"model": "mlp"}',
            ),
            manager_pb2.Entry(path="lab/bundles/lr=1", state=failed, at=2.5, parameters_json='{"lr": 1, "epochs": 30}'),
        ]
        return manager_pb2.SearchResponse(entries=found, total=7)

    # --- the system

    async def ListWorkers(self, request: Any, context: Any) -> manager_pb2.ListWorkersResponse:
        worker = manager_pb2.Worker(id="w", name="worker-1", state="alive", slots=8, running=2, pid=7, host="lab")
        return manager_pb2.ListWorkersResponse(workers=[worker], total=1)

    async def ListOutputs(self, request: manager_pb2.ListOutputsRequest, context: Any) -> Any:
        if request.bundle == "refused":
            raise PathRefusedError("No.")
        output = task_pb2.Output(path="x/report.html", kind=request.kind or "report", title="Runs", size_bytes=9)
        record = manager_pb2.OutputRecord(output=output, bundle=request.bundle, task_name="compare", created_at=1.5)
        return manager_pb2.ListOutputsResponse(outputs=[record], total=1)


def rpc_unavailable() -> Any:
    import grpc  # noqa: PLC0415 -- only this fault needs it

    return grpc.StatusCode.UNAVAILABLE


@asynccontextmanager
async def served(fake: FakeManager) -> AsyncIterator[str]:
    """The address of the fake, served by the running loop."""

    def add(server: Any) -> None:
        manager_pb2_grpc.add_ManagerServiceServicer_to_server(fake, server)

    async with rpc.serve(add, [NAME], "127.0.0.1", 0) as server:
        yield server.address


@contextmanager
def serving(fake: FakeManager) -> Iterator[str]:
    """The address of the fake, served by the loop that blocking clients live on."""
    bound: Future[str] = Future()
    ending = asyncio.Event()

    async def live() -> None:
        async with served(fake) as address:
            bound.set_result(address)
            await ending.wait()

    with BACKGROUND.loop() as loop:
        life = asyncio.run_coroutine_threadsafe(live(), loop)
        try:
            yield bound.result(timeout=10)
        finally:
            loop.call_soon_threadsafe(ending.set)
            life.result(timeout=10)
