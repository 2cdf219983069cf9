"""The line to the servicer: start and stop service runs, at least once, for as long as it takes.

Starting is idempotent by service id, so a lost answer is met by asking again. A refusal is an outcome; silence is not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import stamina
import structlog

from manager.events import ServiceRefused
from manager.loop import Loop
from plotter2.api.v1 import servicer_pb2 as pb
from plotter2.api.v1.servicer_pb2_grpc import ServicerServiceStub
from plotter2.errors import Plotter2Error
from plotter2.ids import ServiceId
from plotter2.model.service import ServiceSpec
from plotter2.rpc import Channel, errors
from plotter2.wire import services as wire

CALL_S = 10.0
STOP_GRACE_S = 5.0
RETRY_S_MIN = 0.1
RETRY_S_MAX = 1.0


class ServiceLink:
    """Calls of the manager to the servicer."""

    def __init__(self, channel: Channel, address: str, loop: Loop) -> None:
        self._stub = ServicerServiceStub(channel)
        self._address = address
        self._loop = loop
        self._log = structlog.get_logger("manager.servicelink")

    async def start(self, spec: ServiceSpec) -> None:
        """Have it started, as soon as there is room; a refusal comes back as an event."""
        request = pb.StartServiceRequest(spec=wire.spec_to_proto(spec))
        try:
            await self._insist(lambda: self._stub.StartService(request, timeout=CALL_S))
        except Plotter2Error as wrong:
            await self._loop.put(ServiceRefused(spec.service_id, wrong.message))

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
