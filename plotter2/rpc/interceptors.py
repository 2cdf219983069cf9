"""What surrounds every call on a server: log, metrics, error mapping, deadline; one class each.

All four are "something before, something after", so each gives an async context manager (`around`), and one function
puts it around the four kinds of handlers. Refuses to look into messages.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import grpc
from prometheus_client import CollectorRegistry, Gauge, Histogram
from typing_extensions import override

from plotter2 import telemetry
from plotter2.clock import Clock
from plotter2.errors import Plotter2Error
from plotter2.rpc import status
from plotter2.rpc.types import Context, Handler, ServerInterceptor

SLOW_CALL_S = 1.0
UNARY_WALL_S_MAX = 600.0
BUCKETS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)

_log = telemetry.logger("rpc")


@dataclass(frozen=True, slots=True)
class Call:
    """One call that is being served."""

    method: str
    context: Context
    is_streaming: bool

    @property
    def outcome(self) -> str:
        """The name of the status it has now."""
        code: grpc.StatusCode | None = self.context.code()  # None while nothing has been said
        return "OK" if code is None else code.name


Around = Callable[[Call], AbstractAsyncContextManager[None]]


def wrapped(handler: Handler, method: str, around: Around) -> Handler:
    """The same handler with `around` around each call."""
    kind = ("stream" if handler.request_streaming else "unary") + "_"
    kind += "stream" if handler.response_streaming else "unary"
    inner = getattr(handler, kind)
    outer = (_streaming if handler.response_streaming else _unary)(inner, method, around)
    make: Callable[..., Handler] = getattr(grpc, f"{kind}_rpc_method_handler")
    return make(outer, handler.request_deserializer, handler.response_serializer)


def _unary(inner: Callable[..., Awaitable[Any]], method: str, around: Around) -> Callable[..., Awaitable[Any]]:
    async def serve(request: Any, context: Context) -> Any:
        async with around(Call(method, context, is_streaming=False)):
            return await inner(request, context)

    return serve


def _streaming(inner: Callable[..., Any], method: str, around: Around) -> Callable[..., AsyncIterator[Any]]:
    async def serve(request: Any, context: Context) -> AsyncIterator[Any]:
        async with around(Call(method, context, is_streaming=True)):
            answer = inner(request, context)
            if not hasattr(answer, "__aiter__"):  # it writes to the context by itself
                await answer
                return
            async with aclosing(answer):
                async for message in answer:
                    yield message

    return serve


class Interceptor(ServerInterceptor):
    """Puts `around` around every call."""

    @abstractmethod
    def around(self, call: Call) -> AbstractAsyncContextManager[None]:
        """What happens before and after."""

    @override
    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        handler: Handler | None = await continuation(handler_call_details)
        if handler is None:
            return handler  # type: ignore[return-value] # grpc's way to say that there is no such method
        return wrapped(handler, handler_call_details.method, self.around)


class LogCalls(Interceptor):
    """One line a call: at debug level when all is well, louder when it was slow or went wrong."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @override
    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        begun = self._clock.monotonic()
        peer = call.context.peer()  # asked now: after a cancelled call has been torn down, grpc crashes on it
        outcome = "CANCELLED"
        try:
            yield
            outcome = call.outcome
        except grpc.aio.AbortError:
            outcome = call.outcome
            raise
        finally:
            seconds = self._clock.monotonic() - begun
            is_noteworthy = outcome not in {"OK", "CANCELLED"} or (seconds > SLOW_CALL_S and not call.is_streaming)
            say = _log.info if is_noteworthy else _log.debug
            say("call", method=call.method, outcome=outcome, seconds=round(seconds, 6), peer=peer)


class MeasureCalls(Interceptor):
    """Count and latency by method and outcome, and what is running (requirement M11)."""

    def __init__(self, clock: Clock, registry: CollectorRegistry) -> None:
        self._clock = clock
        self._running = Gauge("plotter2_rpc_running", "Calls that are being served", ["method"], registry=registry)
        self._seconds = Histogram(
            "plotter2_rpc_seconds",
            "Duration of calls",
            ["method", "outcome"],
            registry=registry,
            buckets=BUCKETS_S,
        )

    @override
    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        begun = self._clock.monotonic()
        outcome = "CANCELLED"
        running = self._running.labels(call.method)
        running.inc()
        try:
            yield
            outcome = call.outcome
        except grpc.aio.AbortError:
            outcome = call.outcome
            raise
        finally:
            running.dec()
            self._seconds.labels(call.method, outcome).observe(self._clock.monotonic() - begun)


class MapErrors(Interceptor):
    """Errors of ours become a status with details; anything else becomes INTERNAL, its traceback goes to the log."""

    @override
    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        try:
            yield
        except (Plotter2Error, grpc.aio.AbortError) as wrong:
            await _end(call, wrong)
        except Exception as bug:  # noqa: BLE001 -- the boundary: what nobody foresaw must not show its inside to callers
            await _end(call, _only(bug))


def _only(wrong: Exception) -> Exception:
    """What a group of a handler's TaskGroup is about, where it is one error."""
    while isinstance(wrong, ExceptionGroup) and len(wrong.exceptions) == 1:
        wrong = wrong.exceptions[0]
    return wrong


async def _end(call: Call, wrong: Exception) -> NoReturn:
    if isinstance(wrong, grpc.aio.AbortError):
        raise wrong
    if isinstance(wrong, Plotter2Error):
        ended = status.status_of(wrong)
        await call.context.abort(ended.code, ended.details, ended.trailing_metadata or ())
    if isinstance(wrong, NotImplementedError):  # what a generated servicer raises for a method that is not overridden
        await call.context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{call.method} is not offered by this server.")
    _log.error("call.broke", method=call.method, exc_info=wrong)
    await call.context.abort(
        grpc.StatusCode.INTERNAL, f"{call.method} failed inside the server; its log has the traceback."
    )


class LimitTime(Interceptor):
    """Ends a call with one answer that its caller set no limit to; streams may go on for ever."""

    def __init__(self, wall_s_max: float = UNARY_WALL_S_MAX) -> None:
        self._wall_s_max = wall_s_max

    @override
    @asynccontextmanager
    async def around(self, call: Call) -> AsyncIterator[None]:
        limit_s = None if call.is_streaming else self._wall_s_max
        scope = asyncio.timeout(limit_s)
        try:
            async with scope:
                yield
        except TimeoutError:
            if not scope.expired():
                raise
            await call.context.abort(
                grpc.StatusCode.DEADLINE_EXCEEDED, f"{call.method} took longer than {self._wall_s_max:g} seconds."
            )
