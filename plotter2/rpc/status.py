"""Our errors as gRPC status with details, and back: the same class with the same sentence on the other side.

The status code is for foreign clients and follows the class; our own clients read the stable code from
google.rpc.ErrorInfo (reason = code, domain = "plotter2"). Refuses to send tracebacks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2  # type: ignore[import-untyped] # ships no types
from grpc_status import rpc_status

from plotter2 import errors as tree
from plotter2.errors import FailedError, LimitError, NotFoundError, Plotter2Error, UnreachableError, UsageError

DOMAIN = "plotter2"
MESSAGE_BYTES_MAX = 8 << 10

_CODES: dict[type[Plotter2Error], int] = {
    Plotter2Error: code_pb2.UNKNOWN,
    UsageError: code_pb2.INVALID_ARGUMENT,
    tree.RefusedError: code_pb2.FAILED_PRECONDITION,
    tree.PathRefusedError: code_pb2.INVALID_ARGUMENT,
    tree.ManifestError: code_pb2.INVALID_ARGUMENT,
    tree.PackageError: code_pb2.INVALID_ARGUMENT,
    tree.ScriptError: code_pb2.INVALID_ARGUMENT,
    NotFoundError: code_pb2.NOT_FOUND,
    tree.ConflictError: code_pb2.FAILED_PRECONDITION,
    tree.AlteredError: code_pb2.DATA_LOSS,
    LimitError: code_pb2.RESOURCE_EXHAUSTED,
    FailedError: code_pb2.ABORTED,
    tree.IllegalStepError: code_pb2.INTERNAL,
    tree.CorruptionError: code_pb2.DATA_LOSS,
    tree.ConfigError: code_pb2.INTERNAL,
    UnreachableError: code_pb2.UNAVAILABLE,
}
"""The nearest class above decides where a class has no row of its own."""

_FOREIGN: dict[grpc.StatusCode, type[Plotter2Error]] = {
    grpc.StatusCode.INVALID_ARGUMENT: UsageError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: LimitError,
    grpc.StatusCode.UNAVAILABLE: UnreachableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: UnreachableError,
    # The other side gave the call up, as a server does that ends; one's own cancelling is asyncio.CancelledError.
    grpc.StatusCode.CANCELLED: UnreachableError,
}
"""What a status means that carries none of our details: grpc itself speaks, or a foreign server."""

_ADDRESS = re.compile(r"ipv4:(?P<v4>[\d.]+:\d+)|ipv6:(?:%5B|\[)(?P<v6>.+?)(?:%5D|\]):(?P<port>\d+)")


def code_of(kind: type[Plotter2Error]) -> int:
    """The number of the gRPC status code for a class of ours."""
    return next(_CODES[base] for base in kind.__mro__ if base in _CODES)


def status_of(error: Plotter2Error) -> grpc.Status:
    """A gRPC status that carries the error's sentence and stable code."""
    detail = any_pb2.Any()
    detail.Pack(error_details_pb2.ErrorInfo(reason=error.code, domain=DOMAIN))
    rich = status_pb2.Status(code=code_of(type(error)), message=_bounded(error.message), details=[detail])
    return rpc_status.to_status(rich)


def _bounded(text: str) -> str:
    raw = text.encode(errors="replace")
    if len(raw) <= MESSAGE_BYTES_MAX:
        return raw.decode()
    # The end of a long message says most: a traceback's last line is the error.
    half = MESSAGE_BYTES_MAX // 2
    return raw[:half].decode(errors="ignore") + "\n…\n" + raw[-half:].decode(errors="ignore")


def error_of(failed: grpc.aio.AioRpcError, address: str = "") -> Plotter2Error:
    """The error of ours that a failed call stands for.

    Args:
        failed: what the call raised.
        address: whom one called, for the sentence; read from grpc's own words when it is not given.
    """
    sentence = failed.details() or ""
    kind = _declared(failed)
    if kind is not None:
        return kind(sentence)
    kind = _FOREIGN.get(failed.code(), FailedError)
    if kind is UnreachableError:
        return UnreachableError(_unreachable(failed.code(), sentence, address))
    return kind(sentence or f"The call ended with {failed.code().name}.")


def _declared(failed: grpc.aio.AioRpcError) -> type[Plotter2Error] | None:
    try:
        rich = rpc_status.from_call(failed)  # type: ignore[arg-type] # it has the three methods that are used
    except ValueError:  # details that contradict the status: not ours
        return None
    for detail in rich.details if rich is not None else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info) and info.domain == DOMAIN:
            return tree.BY_CODE.get(info.reason, Plotter2Error)
    return None


def _unreachable(code: grpc.StatusCode, sentence: str, address: str) -> str:
    found = _ADDRESS.search(sentence)
    at = address or ((found["v4"] or f"[{found['v6']}]:{found['port']}") if found else "")
    where = f" at {at}" if at else ""
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return f"No answer{where} in time; the call may or may not have been carried out."
    if code is grpc.StatusCode.CANCELLED:
        return f"The other side{where} gave the call up; it may be stopping."
    if found or "connect" in sentence.lower():
        return f"Nobody answers{where}; is plotter2 running there?"
    return f"The connection{where} broke: {sentence or 'no reason given'}."


def raise_from(failed: grpc.aio.AioRpcError, address: str = "") -> NoReturn:
    """Raise what the other side raised.

    Raises:
        Plotter2Error: the same class with the same sentence; UnreachableError when nobody answered.
    """
    raise error_of(failed, address) from failed


@contextmanager
def errors(address: str = "") -> Iterator[None]:
    """Turn failed calls inside the block, streams included, into errors of ours.

    Raises:
        Plotter2Error: as `raise_from`.
    """
    try:
        yield
    except grpc.aio.AioRpcError as failed:
        raise_from(failed, address)
