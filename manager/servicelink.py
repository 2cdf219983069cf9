"""The line to the servicer: start and stop service runs, at least once, for as long as it takes.

What a turn of the manager starts goes in one call, and what gathers while that is under way in the next one.
Starting is idempotent by service id, so a lost answer is met by asking again. A refusal is an outcome; silence is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import stamina
import structlog

from manager.events import ServiceRefused
from manager.loop import Loop
from plotter2.api.v1 import servicer_pb2 as pb
from plotter2.api.v1.servicer_pb2_grpc import ServicerServiceStub
from plotter2.errors import BY_CODE, LimitError, Plotter2Error, RefusedError
from plotter2.ids import ServiceId
from plotter2.model.service import ServiceSpec
from plotter2.rpc import Channel, errors
from plotter2.together import Spawn, Together
from plotter2.wire import services as wire

CALL_S = 10.0
STOP_GRACE_S = 5.0
RETRY_S_MIN = 0.1
RETRY_S_MAX = 1.0


class ServiceLink:
    """Calls of the manager to the servicer."""

    def __init__(self, channel: Channel, address: str, loop: Loop, spawn: Spawn) -> None:
        """`spawn` runs a coroutine in the manager's task group under a name."""
        self._stub = ServicerServiceStub(channel)
        self._address = address
        self._loop = loop
        self._starts = Together(spawn, "start services", self._start)
        self._log = structlog.get_logger("manager.servicelink")

    def start(self, specs: Sequence[ServiceSpec]) -> None:
        """Have these started in this order, as soon as there is room; returns at once, a refusal comes as an event."""
        for spec in specs:
            self._starts.put(spec)

    async def _start(self, specs: Sequence[ServiceSpec]) -> None:
        for fitting in wire.fitting(map(wire.spec_to_proto, specs)):
            await self._start_these(fitting)

    async def _start_these(self, waiting: list[pb.ServiceSpec]) -> None:
        async def ask() -> None:
            nonlocal waiting
            waiting = await self._asked(waiting)
            if waiting:
                raise LimitError(f"The servicer has no room yet for {len(waiting)} service runs.")

        try:
            await self._insist(ask)
        except Plotter2Error as wrong:
            for spec in waiting:
                await self._loop.put(ServiceRefused(ServiceId(spec.service_id), wrong.message))

    async def _asked(self, specs: Sequence[pb.ServiceSpec]) -> list[pb.ServiceSpec]:
        """Ask for these once; those that there was no room for."""
        answer = await self._stub.StartServices(pb.StartServicesRequest(specs=specs), timeout=CALL_S)
        waiting = []
        for spec, began in zip(specs, answer.starts, strict=True):
            if not began.error_code:
                continue
            if BY_CODE.get(began.error_code, RefusedError).retry:
                waiting.append(spec)
            else:
                await self._loop.put(ServiceRefused(ServiceId(spec.service_id), began.error))
        return waiting

    async def stop(self, service_id: ServiceId) -> None:
        """Have it stopped; one that the servicer does not know is stopped already."""
        request = pb.StopServiceRequest(service_id=service_id, grace_s=STOP_GRACE_S)
        try:
            await self._insist(lambda: self._stub.StopService(request, timeout=CALL_S + STOP_GRACE_S))
        except Plotter2Error as wrong:
            self._log.info("stop.refused", service=service_id, why=wrong.message)
            await self._loop.put(ServiceRefused(service_id, "stopped before it was started"))

    async def _insist(self, call: Callable[[], Awaitable[object]]) -> None:
        """Call until it is answered; the first time without what it takes to try again: nearly all go through."""
        try:
            with errors(self._address):
                await call()
        except Plotter2Error as wrong:
            if not wrong.retry:
                raise
            await asyncio.sleep(RETRY_S_MIN)
            await self._insist_again(call)

    async def _insist_again(self, call: Callable[[], Awaitable[object]]) -> None:
        async for attempt in stamina.retry_context(
            on=_is_worth_waiting, attempts=None, timeout=None, wait_initial=RETRY_S_MIN, wait_max=RETRY_S_MAX
        ):
            with attempt, errors(self._address):
                await call()


def _is_worth_waiting(wrong: Exception) -> bool:
    return isinstance(wrong, Plotter2Error) and wrong.retry
