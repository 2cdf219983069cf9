"""The servicer's gRPC edge: translate, hand on, translate."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from typing_extensions import override

from plotter2.api.v1 import servicer_pb2 as pb
from plotter2.api.v1 import servicer_pb2_grpc
from plotter2.errors import Plotter2Error, UsageError
from plotter2.model import paths
from plotter2.model.bundle import DIGEST_BYTES, FileEntry
from plotter2.model.delivery import MODE_MAX, SIZE_BYTES_MAX, check_names
from plotter2.model.service import ServiceSpec
from plotter2.rpc import Context
from plotter2.wire import services as wire
from servicer import command, patterns
from servicer.folder import check_id, with_delivery
from servicer.machine import Asked, Machine, StopAsked
from servicer.runner import Runner

SERVICE_NAME = pb.DESCRIPTOR.services_by_name["ServicerService"].full_name
GRACE_S_MAX = 600.0


class ServicerRpc(servicer_pb2_grpc.ServicerServiceServicer):
    """plotter2.api.v1.ServicerService."""

    def __init__(self, brain: Machine, runner: Runner) -> None:
        self._machine = brain
        self._runner = runner

    @override
    async def StartServices(self, request: pb.StartServicesRequest, context: Context) -> pb.StartServicesResponse:
        """Idempotent by id; the answer means that what was asked is on disk, or how it ended long ago."""
        del context
        return pb.StartServicesResponse(starts=await asyncio.gather(*map(self._start, request.specs)))

    async def _start(self, message: pb.ServiceSpec) -> pb.ServiceStart:
        """One that cannot be taken on is in no other's way."""
        try:
            spec = checked(wire.spec_from_proto(message))
            await self._runner.put_whole(Asked(spec))
        except Plotter2Error as wrong:
            return pb.ServiceStart(error=wrong.message, error_code=wrong.code)
        status = self._machine.status(spec.service_id)
        return pb.ServiceStart(status=wire.status_to_proto(with_delivery(status)) if status else None)

    @override
    async def StopService(self, request: pb.StopServiceRequest, context: Context) -> pb.StopServiceResponse:
        """End one; one that was not asked for yet will not begin."""
        del context
        service_id = check_id(request.service_id)
        if not 0 <= request.grace_s <= GRACE_S_MAX:
            raise UsageError(f"A grace of {request.grace_s:g} s cannot be; from 0 to {GRACE_S_MAX:g} s can (0: 5 s).")
        await self._runner.put_whole(StopAsked(service_id, request.grace_s))
        status = self._machine.status(service_id)
        return pb.StopServiceResponse(status=wire.status_to_proto(with_delivery(status)) if status else None)

    @override
    async def ListServices(self, request: pb.ListServicesRequest, context: Context) -> pb.ListServicesResponse:
        """All that are alive or not yet acknowledged."""
        del request, context
        return pb.ListServicesResponse(services=[wire.status_to_proto(one) for one in self._machine.statuses.values()])


def checked(spec: ServiceSpec) -> ServiceSpec:
    """The same run with normalised names, if it can be carried out.

    Raises:
        UsageError: a name, digest, size or permission that is none.
        RefusedError: a path, a declaration or parameters that cannot be carried out.
    """
    check_id(spec.service_id)
    service = command.declared(spec.service_json)
    command.check(service, spec.parameters_json)
    patterns.check(service)
    files = tuple(_entry(entry) for entry in spec.files)
    check_names([entry.path for entry in files])
    return replace(spec, bundle=paths.bundle_path(spec.bundle), child=paths.bundle_path(spec.child), files=files)


def _entry(entry: FileEntry) -> FileEntry:
    path = paths.file_path(entry.path)
    if len(entry.digest) != DIGEST_BYTES:
        raise UsageError(f"The digest of {path!r} has {len(entry.digest)} bytes; BLAKE3 has {DIGEST_BYTES}.")
    if not 0 <= entry.size_bytes <= SIZE_BYTES_MAX:
        raise UsageError(f"File {path!r} cannot have {entry.size_bytes} bytes; from 0 to {SIZE_BYTES_MAX} can be.")
    if not 0 <= entry.mode <= MODE_MAX:
        raise UsageError(f"The permissions {entry.mode:o} of {path!r} are more than read, write and execute.")
    return replace(entry, path=path)
