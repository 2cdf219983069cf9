"""The servicer's gRPC edge: translate, hand on, translate."""

from __future__ import annotations

from typing_extensions import override

from plotter2.api.v1 import servicer_pb2 as pb
from plotter2.api.v1 import servicer_pb2_grpc
from plotter2.errors import NotFoundError
from plotter2.ids import ServiceId
from plotter2.model.service import ServiceStatus
from plotter2.rpc import Context
from plotter2.wire import services as wire
from servicer.machine import Asked, Machine, StopAsked
from servicer.runner import Runner

SERVICE_NAME = pb.DESCRIPTOR.services_by_name["ServicerService"].full_name


class ServicerRpc(servicer_pb2_grpc.ServicerServiceServicer):
    """plotter2.api.v1.ServicerService."""

    def __init__(self, brain: Machine, runner: Runner) -> None:
        self._machine = brain
        self._runner = runner

    @override
    async def StartService(self, request: pb.StartServiceRequest, context: Context) -> pb.StartServiceResponse:
        """Idempotent by id; the answer means that what was asked is on disk."""
        del context
        spec = wire.spec_from_proto(request.spec)
        self._machine.check(spec.service_id)
        await self._runner.put(Asked(spec))
        status = self._machine.statuses.get(spec.service_id)
        return pb.StartServiceResponse(status=wire.status_to_proto(status) if status else None)

    @override
    async def StopService(self, request: pb.StopServiceRequest, context: Context) -> pb.StopServiceResponse:
        """End one."""
        del context
        service_id = ServiceId(request.service_id)
        status = self._status(service_id)
        await self._runner.put(StopAsked(service_id))
        return pb.StopServiceResponse(status=wire.status_to_proto(self._machine.statuses.get(service_id, status)))

    @override
    async def ListServices(self, request: pb.ListServicesRequest, context: Context) -> pb.ListServicesResponse:
        """All that are alive or not yet acknowledged."""
        del request, context
        return pb.ListServicesResponse(services=[wire.status_to_proto(one) for one in self._machine.statuses.values()])

    def _status(self, service_id: ServiceId) -> ServiceStatus:
        status = self._machine.statuses.get(service_id)
        if status is None:
            raise NotFoundError(f"There is no service run {service_id!r} here.")
        return status
