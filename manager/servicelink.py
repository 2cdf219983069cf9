"""The line to the servicer: start and stop service runs, at least once, for as long as it takes.

Starting is idempotent by service id, so a lost answer is met by asking again. A refusal is an outcome; silence is not.
"""

from __future__ import annotations

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
            async for attempt in stamina.retry_context(
                on=_is_worth_waiting, attempts=None, timeout=None, wait_initial=0.1, wait_max=RETRY_S_MAX
            ):
                with attempt, errors(self._address):
                    await self._stub.StartService(request, timeout=CALL_S)
        except Plotter2Error as wrong:
            await self._loop.put(ServiceRefused(spec.service_id, wrong.message))

    async def stop(self, service_id: ServiceId) -> None:
        """Have it stopped; one that the servicer does not know is stopped already."""
        try:
            async for attempt in stamina.retry_context(
                on=_is_worth_waiting, attempts=None, timeout=None, wait_initial=0.1, wait_max=RETRY_S_MAX
            ):
                with attempt, errors(self._address):
                    await self._stub.StopService(
                        pb.StopServiceRequest(service_id=service_id, grace_s=STOP_GRACE_S),
                        timeout=CALL_S + STOP_GRACE_S,
                    )
        except Plotter2Error as wrong:
            self._log.info("stop.refused", service=service_id, why=wrong.message)
            await self._loop.put(ServiceRefused(service_id, "stopped before it was started"))


def _is_worth_waiting(wrong: Exception) -> bool:
    return isinstance(wrong, Plotter2Error) and wrong.retry
