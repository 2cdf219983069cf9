"""Server and channel over a real socket."""

# ruff: noqa: N802, ARG002 -- the names and signatures are gRPC's

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from plotter2 import rpc
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.api.v1 import manager_pb2_grpc
from plotter2.errors import (
    AlteredError,
    ConfigError,
    ConflictError,
    FailedError,
    LimitError,
    NotFoundError,
    UnreachableError,
)
from plotter2.rpc import interceptors

SERVICE = "plotter2.api.v1.ManagerService"


class Sample(manager_pb2_grpc.ManagerServiceServicer):
    """A manager that answers each kind of call in each kind of way."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.entered = asyncio.Event()

    async def GetStatus(self, request: pb.GetStatusRequest, context: rpc.Context) -> pb.GetStatusResponse:
        return pb.GetStatusResponse(version="1")

    async def GetRequest(self, request: pb.GetRequestRequest, context: rpc.Context) -> pb.GetRequestResponse:
        raise NotFoundError(f"There is no request {request.request_id!r}.")

    async def CancelRequest(self, request: pb.CancelRequestRequest, context: rpc.Context) -> pb.CancelRequestResponse:
        async with asyncio.TaskGroup():
            raise ConflictError("It has ended.")

    async def GetBundle(self, request: pb.GetBundleRequest, context: rpc.Context) -> pb.GetBundleResponse:
        raise ZeroDivisionError("what nobody may see")

    async def ListWorkers(self, request: pb.ListWorkersRequest, context: rpc.Context) -> pb.ListWorkersResponse:
        self.entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.left.set()
        raise AssertionError

    async def ListOutputs(self, request: pb.ListOutputsRequest, context: rpc.Context) -> pb.ListOutputsResponse:
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, "not you")

    async def WatchRequest(
        self, request: pb.WatchRequestRequest, context: rpc.Context
    ) -> AsyncIterator[pb.WatchRequestResponse]:
        yield pb.WatchRequestResponse()
        if request.request_id:
            raise LimitError("One is enough.")
        self.entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.left.set()

    async def FetchBlob(self, request: pb.FetchBlobRequest, context: rpc.Context) -> None:
        await context.write(pb.FetchBlobResponse(data=b"1"))
        await context.write(pb.FetchBlobResponse(data=b"2"))

    async def PutBlob(self, requests: AsyncIterator[pb.PutBlobRequest], context: rpc.Context) -> pb.PutBlobResponse:
        size = 0
        async for request in requests:
            size += len(request.data)
        if size == 0:
            raise AlteredError("There is nothing in it.")
        return pb.PutBlobResponse(is_new=True)

    async def Call(
        self, requests: AsyncIterator[pb.CallRequest], context: rpc.Context
    ) -> AsyncIterator[pb.CallResponse]:
        async for request in requests:
            yield pb.CallResponse(request_id=request.begin.name)


@pytest.fixture
def sample() -> Sample:
    return Sample()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
async def server(sample: Sample, registry: CollectorRegistry) -> AsyncIterator[rpc.Server]:
    with capture_logs():
        async with rpc.serve(
            lambda server: manager_pb2_grpc.add_ManagerServiceServicer_to_server(sample, server),
            [SERVICE],
            "127.0.0.1",
            0,
            registry=registry,
        ) as server:
            await server.set_serving(True)
            yield server


@pytest.fixture
async def stub(server: rpc.Server) -> AsyncIterator[Any]:
    async with rpc.connect(server.address) as channel:
        yield manager_pb2_grpc.ManagerServiceStub(channel)


async def test_a_call_is_answered(stub: Any) -> None:
    assert (await stub.GetStatus(pb.GetStatusRequest())).version == "1"


async def test_an_error_arrives_as_the_same_class_with_the_same_sentence(stub: Any) -> None:
    with pytest.raises(NotFoundError) as caught, rpc.errors():
        await stub.GetRequest(pb.GetRequestRequest(request_id="req-ü"))
    assert caught.value.message == "There is no request 'req-ü'."


async def test_an_error_out_of_a_task_group_arrives_unwrapped(stub: Any) -> None:
    with pytest.raises(ConflictError, match=r"It has ended\."), rpc.errors():
        await stub.CancelRequest(pb.CancelRequestRequest())


async def test_a_message_that_grows_huge_still_arrives(stub: Any) -> None:
    with pytest.raises(NotFoundError, match=r"(?s)There is no request 'ü.*…"), rpc.errors():
        await stub.GetRequest(pb.GetRequestRequest(request_id="ü" * 100_000))


async def test_a_stream_that_fails_on_the_way_gives_what_it_had_and_then_the_error(stub: Any) -> None:
    found = []
    with pytest.raises(LimitError, match=r"One is enough\."), rpc.errors():  # noqa: PT012 -- the loop is the call
        async for message in stub.WatchRequest(pb.WatchRequestRequest(request_id="x")):
            found.append(message)  # noqa: PERF401 -- it raises
    assert len(found) == 1


async def test_a_call_with_a_stream_of_messages_fails_with_its_own_error(stub: Any) -> None:
    with pytest.raises(AlteredError, match=r"There is nothing in it\."), rpc.errors():
        await stub.PutBlob(iter([pb.PutBlobRequest()]))
    assert (await stub.PutBlob(iter([pb.PutBlobRequest(data=b"x")]))).is_new


@pytest.mark.req("r071")
async def test_messages_go_both_ways(stub: Any) -> None:
    asks = [pb.CallRequest(begin=pb.CallBegin(name=str(number))) for number in range(100)]
    assert [message.request_id async for message in stub.Call(iter(asks))] == [str(number) for number in range(100)]


async def test_a_handler_that_writes_by_itself_is_served_too(stub: Any) -> None:
    assert [message.data async for message in stub.FetchBlob(pb.FetchBlobRequest())] == [b"1", b"2"]


async def test_a_bug_shows_nothing_of_itself_to_the_caller(stub: Any) -> None:
    with capture_logs() as logs, pytest.raises(FailedError) as caught, rpc.errors():
        await stub.GetBundle(pb.GetBundleRequest())
    assert "nobody may see" not in caught.value.message
    assert "its log has the traceback" in caught.value.message
    assert any(isinstance(line.get("exc_info"), ZeroDivisionError) for line in logs)


async def test_a_method_that_is_not_there_is_named(stub: Any) -> None:
    with pytest.raises(FailedError, match="HaveBlobs is not offered by this server"), rpc.errors():
        await stub.HaveBlobs(pb.HaveBlobsRequest())


async def test_a_status_that_a_handler_chose_itself_is_left_alone(stub: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.ListOutputs(pb.ListOutputsRequest())
    assert caught.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert caught.value.details() == "not you"


async def test_nobody_there_is_said_at_once() -> None:
    async with asyncio.timeout(5), rpc.connect("127.0.0.1:1") as channel:
        stub: Any = manager_pb2_grpc.ManagerServiceStub(channel)
        with pytest.raises(UnreachableError, match=r"Nobody answers at 127\.0\.0\.1:1; is plotter2"), rpc.errors():
            await stub.GetStatus(pb.GetStatusRequest())


async def test_a_channel_finds_a_server_that_comes_later(sample: Sample) -> None:
    async def serve_once(port: int) -> int:
        async with (
            rpc.serve(
                lambda server: manager_pb2_grpc.add_ManagerServiceServicer_to_server(sample, server),
                [SERVICE],
                "127.0.0.1",
                port,
            ) as server,
            asyncio.timeout(10),
        ):
            if port:
                assert (await waiting).version == "1"
            return int(server.address.rpartition(":")[2])

    port = await serve_once(0)
    async with rpc.connect(f"127.0.0.1:{port}") as channel:
        stub: Any = manager_pb2_grpc.ManagerServiceStub(channel)
        waiting = stub.GetStatus(pb.GetStatusRequest(), wait_for_ready=True)
        await serve_once(port)


async def test_a_deadline_ends_the_call_on_both_sides(stub: Any, sample: Sample) -> None:
    for deadline_s in (0.05, 1.0, 20.0):  # a busy machine may not bring the call there within the first
        with pytest.raises(UnreachableError, match="in time"), rpc.errors():
            await stub.ListWorkers(pb.ListWorkersRequest(), timeout=deadline_s)
        if sample.entered.is_set():
            break
    await sample.left.wait()


async def test_a_call_without_a_deadline_is_ended_by_the_server(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interceptors.LimitTime.__init__, "__defaults__", (0.05,))
    async with (
        rpc.serve(
            lambda server: manager_pb2_grpc.add_ManagerServiceServicer_to_server(sample, server), [], "127.0.0.1", 0
        ) as server,
        rpc.connect(server.address) as channel,
    ):
        stub: Any = manager_pb2_grpc.ManagerServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError, match=r"took longer than 0\.05 seconds"):
            await stub.ListWorkers(pb.ListWorkersRequest())


async def test_a_caller_that_goes_away_ends_the_stream(stub: Any, sample: Sample) -> None:
    call = stub.WatchRequest(pb.WatchRequestRequest())
    async with asyncio.timeout(5):
        await sample.entered.wait()
        call.cancel()
        await sample.left.wait()


async def test_stopping_does_not_wait_for_streams_without_end(sample: Sample) -> None:
    async with asyncio.timeout(5):
        async with rpc.serve(
            lambda server: manager_pb2_grpc.add_ManagerServiceServicer_to_server(sample, server), [], "127.0.0.1", 0
        ) as server:
            channel = await (connected := rpc.connect(server.address)).__aenter__()
            stub: Any = manager_pb2_grpc.ManagerServiceStub(channel)
            call = stub.WatchRequest(pb.WatchRequestRequest())
            await sample.entered.wait()
        with pytest.raises(UnreachableError), rpc.errors():
            async for _ in call:
                pass
        await connected.__aexit__(None, None, None)


async def test_a_port_that_is_taken_is_said(server: rpc.Server) -> None:
    port = int(server.address.rpartition(":")[2])
    with pytest.raises(ConfigError, match=f"Cannot serve at 127.0.0.1:{port}"):
        async with rpc.serve(lambda _: None, [], "127.0.0.1", port):
            pass


async def test_a_message_over_the_limit_is_refused_with_a_reason(stub: Any) -> None:
    with pytest.raises(LimitError, match="larger than max"), rpc.errors():
        await stub.PutBlob(iter([pb.PutBlobRequest(data=bytes(17 << 20))]))


async def test_health_follows_the_switch(server: rpc.Server) -> None:
    value = health_pb2.HealthCheckResponse
    async with rpc.connect(server.address) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)
        for service in ("", SERVICE):
            assert (await health.Check(health_pb2.HealthCheckRequest(service=service))).status == value.SERVING
        await server.set_serving(False)
        assert (await health.Check(health_pb2.HealthCheckRequest(service=SERVICE))).status == value.NOT_SERVING


async def test_reflection_names_the_services(server: rpc.Server) -> None:
    async with rpc.connect(server.address) as channel:
        ask = reflection_pb2.ServerReflectionRequest(list_services="")
        async for answer in reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([ask])):
            names = {service.name for service in answer.list_services_response.service}
            assert names == {SERVICE, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}


@pytest.mark.req("M11")
async def test_calls_are_counted_and_timed_by_method_and_outcome(stub: Any, registry: CollectorRegistry) -> None:
    await stub.GetStatus(pb.GetStatusRequest())
    with pytest.raises(NotFoundError), rpc.errors():
        await stub.GetRequest(pb.GetRequestRequest())

    def count(method: str, outcome: str) -> float | None:
        labels = {"method": f"/{SERVICE}/{method}", "outcome": outcome}
        return registry.get_sample_value("plotter2_rpc_seconds_count", labels)

    async with asyncio.timeout(10):
        while count("GetRequest", "NOT_FOUND") is None:  # counted when the answer is on its way already
            await asyncio.sleep(0.01)
    assert count("GetStatus", "OK") == 1
    assert count("GetRequest", "NOT_FOUND") == 1
    assert registry.get_sample_value("plotter2_rpc_running", {"method": f"/{SERVICE}/GetStatus"}) == 0


@pytest.mark.req("M10")
async def test_a_call_that_went_wrong_leaves_one_line(stub: Any) -> None:
    with capture_logs() as logs, pytest.raises(NotFoundError), rpc.errors():
        await stub.GetRequest(pb.GetRequestRequest())
    lines = [line for line in logs if line["event"] == "call"]
    assert len(lines) == 1
    assert lines[0]["log_level"] == "info"
    assert lines[0]["outcome"] == "NOT_FOUND"
    assert lines[0]["method"] == f"/{SERVICE}/GetRequest"
    assert lines[0]["seconds"] >= 0
