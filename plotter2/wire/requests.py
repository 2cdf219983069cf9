"""Requests and the children of a redo."""

from __future__ import annotations

from collections.abc import Iterable

from plotter2.api.v1 import manager_pb2
from plotter2.clock import Instant
from plotter2.errors import RefusedError
from plotter2.ids import RequestId, ServiceId
from plotter2.model.repeat import Repeat
from plotter2.model.request import Child, Request, RequestKind, RequestState, Skip
from plotter2.model.task import TaskRun
from plotter2.wire import services
from plotter2.wire.bundles import file_change_from_proto, file_change_to_proto
from plotter2.wire.enums import EnumTable
from plotter2.wire.tasks import run_to_proto

_STATES = EnumTable(RequestState, manager_pb2.RequestState, "REQUEST_STATE_")

request_state_to_proto = _STATES.to_proto
request_state_from_proto = _STATES.from_proto


def child_to_proto(child: Child) -> manager_pb2.Child:
    """One value of a redo. Its index is its place in the request."""
    return manager_pb2.Child(
        bundle=child.bundle,
        parameters_json=child.parameters_json,
        state=services.state_to_proto(child.state),
        reused=child.reused,
        service_id=child.service_id,
        error=child.error,
        tail=child.tail,
    )


def child_from_proto(message: manager_pb2.Child, index: int) -> Child:
    """One value of a redo, at its place.

    Raises:
        RefusedError: in a state that this version does not know.
    """
    return Child(
        index=index,
        bundle=message.bundle,
        parameters_json=message.parameters_json,
        state=services.state_from_proto(message.state),
        reused=message.reused,
        service_id=ServiceId(message.service_id),
        error=message.error,
        tail=message.tail,
    )


def request_to_proto(
    request: Request, runs: Iterable[TaskRun] = (), repeat: Repeat | None = None
) -> manager_pb2.Request:
    """A request, with those of its runs that shall be shown. `client_key` does not travel."""
    return manager_pb2.Request(
        id=request.id,
        kind=request.kind.value,
        state=request_state_to_proto(request.state),
        user=request.user,
        bundle=request.bundle,
        ask_json=request.ask_json,
        reason=request.reason,
        reason_code=request.reason_code,
        cause=request.cause,
        created_at=request.created_at,
        finished_at=request.finished_at,
        total=request.total,
        finished=request.finished,
        failed=request.failed,
        children=[child_to_proto(child) for child in request.children],
        runs=[run_to_proto(run) for run in runs],
        skipped=[manager_pb2.Skip(bundle=one.bundle, reason=one.reason) for one in request.skipped],
        repeat=repeat_to_proto(repeat) if repeat is not None else None,
        because=request.because,
        scope=request.scope,
    )


def repeat_to_proto(repeat: Repeat) -> manager_pb2.Repeat:
    """What came of a run that was made again."""
    return manager_pb2.Repeat(
        bundle=repeat.bundle,
        before=repeat.before,
        after=repeat.after,
        files=[file_change_to_proto(one) for one in repeat.files],
        differing=repeat.differing,
        same=repeat.same,
        environment=repeat.environment,
    )


def repeat_from_proto(message: manager_pb2.Repeat) -> Repeat:
    """What came of a run that was made again."""
    return Repeat(
        message.bundle,
        message.before,
        message.after,
        tuple(file_change_from_proto(one) for one in message.files),
        message.differing,
        message.same,
        tuple(message.environment),
    )


def request_from_proto(message: manager_pb2.Request) -> Request:
    """A request; its runs are read by `run_from_proto`.

    Raises:
        RefusedError: of a kind or in a state that this version does not know.
    """
    try:
        kind = RequestKind(message.kind)
    except ValueError:
        raise RefusedError(f"The request kind {message.kind!r} means nothing to this version of plotter2.") from None
    return Request(
        id=RequestId(message.id),
        kind=kind,
        state=request_state_from_proto(message.state),
        user=message.user,
        bundle=message.bundle,
        ask_json=message.ask_json,
        cause=RequestId(message.cause),
        reason=message.reason,
        reason_code=message.reason_code,
        created_at=Instant(message.created_at),
        finished_at=Instant(message.finished_at),
        total=message.total,
        finished=message.finished,
        failed=message.failed,
        children=tuple(child_from_proto(child, index) for index, child in enumerate(message.children)),
        skipped=tuple(Skip(one.bundle, one.reason) for one in message.skipped),
        because=message.because,
        scope=message.scope,
    )
