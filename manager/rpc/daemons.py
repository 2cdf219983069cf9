"""What our own daemons say, and what the system is: deliveries, service reports, workers, outputs, status."""

from __future__ import annotations

import asyncio

from manager.doors import Doors
from manager.events import DeliveryOffered, ServiceReported
from manager.rpc.requests import page_of
from manager.store import Delivery, Held
from plotter2 import ids
from plotter2.api.v1 import common_pb2
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.errors import ConflictError, RefusedError
from plotter2.ids import DeliveryId, RequestId, ServiceId
from plotter2.model import paths
from plotter2.model.bundle import BundleVersion, version_digest
from plotter2.model.delivery import Order, examined
from plotter2.model.order import Firing
from plotter2.model.quarantine import ItemState
from plotter2.model.worker import WorkerState
from plotter2.rpc import Context
from plotter2.wire import bundles as wire
from plotter2.wire import services as wire_services
from plotter2.wire import tasks as wire_tasks


class DaemonCalls:
    """Calls of stager and servicer, and status for everybody."""

    _doors: Doors

    async def Deliver(self, request: pb.DeliverRequest, context: Context) -> pb.DeliverResponse:  # noqa: N802 -- gRPC's name
        """A sealed delivery; the answer means that it is installed and committed.

        Whoever calls is not trusted: what the stager has checked is checked again.
        """
        del context
        doors = self._doors
        delivery_id = DeliveryId(ids.check("dlv", request.delivery_id))
        known = await doors.store.get_delivery(delivery_id)
        if known is not None:
            version = await doors.store.get_bundle(known.bundle, known.version)
            _check_same(request, known, version)
            return _delivered(known, version)
        decided = await doors.store.get_item(delivery_id)
        if decided is not None and decided.state is ItemState.REFUSED:
            raise RefusedError(f"Delivery {delivery_id} was refused by request {decided.decision}. {decided.reason}")
        bundle = paths.bundle_path(request.bundle)
        files = tuple(wire.file_entry_from_proto(entry) for entry in request.files)
        order = Order(delivery_id, bundle, request.manifest_json, files, request.service_id)
        user = (await asyncio.to_thread(examined, order))[1].user
        spool = request.spool_path if request.installation == doors.installation else ""
        # Named after the delivery: a refusal that is repeated is the same request.
        request_id = RequestId("req-" + delivery_id.removeprefix("dlv-"))
        service_id, text = ServiceId(request.service_id), request.manifest_json
        chain = await self._chain(ids.request_of(service_id)) if service_id else ()
        answer = await doors.desk.ask(
            lambda token: DeliveryOffered(
                token, delivery_id, request_id, bundle, user, text, files, spool, service_id, chain
            )
        )
        if isinstance(answer, Held):
            return pb.DeliverResponse(
                bundle=common_pb2.Bundle(path=answer.bundle), request_id=answer.request_id, held=answer.reason
            )
        assert isinstance(answer, tuple)  # noqa: S101 -- intake answers with the delivery and its version
        return _delivered(*answer)

    async def _chain(self, made_by: RequestId) -> tuple[Firing, ...]:
        """The firings that led to a redo; it is still going on but where its end was faster than its last delivery."""
        live = self._doors.state.requests.get(made_by)
        found = live.request if live is not None else await self._doors.store.get_request(made_by)
        return found.chain if found is not None else ()

    async def ReportServices(self, request: pb.ReportServicesRequest, context: Context) -> pb.ReportServicesResponse:  # noqa: N802 -- gRPC's name
        """How service runs stand; the answer means that it is committed.

        Events are taken in the order they come: when the last is committed, all are.
        """
        del context
        statuses = [wire_services.status_from_proto(one) for one in request.statuses]
        if statuses:
            for status in statuses[:-1]:
                await self._doors.loop.put(ServiceReported(0, status))
            await self._doors.desk.ask(lambda token: ServiceReported(token, statuses[-1]))
        return pb.ReportServicesResponse()

    async def ListWorkers(self, request: pb.ListWorkersRequest, context: Context) -> pb.ListWorkersResponse:  # noqa: N802 -- gRPC's name
        """Workers by name."""
        del context
        offset, limit = page_of(request.page)
        state = self._doors.state
        found = sorted(state.workers.values(), key=lambda worker: (worker.name, worker.id))
        shown = [
            wire_tasks.worker_to_proto(worker, len(state.load.get(worker.id, ())))
            for worker in found[offset : offset + limit]
        ]
        return pb.ListWorkersResponse(workers=shown, total=len(found))

    async def ListOutputs(self, request: pb.ListOutputsRequest, context: Context) -> pb.ListOutputsResponse:  # noqa: N802 -- gRPC's name
        """Outputs, newest first."""
        del context
        offset, limit = page_of(request.page)
        page = await self._doors.store.list_outputs(
            offset, limit, bundle=request.bundle, request=request.request_id, kind=request.kind
        )
        if request.bundle and not page.total:
            self._doors.state.catalog.check_place(paths.bundle_path(request.bundle))
        shown = [
            pb.OutputRecord(
                output=wire_tasks.output_to_proto(row.output),
                bundle=row.bundle,
                request_id=row.request_id,
                run_id=row.run_id,
                task_name=row.task_name,
                created_at=row.created_at,
            )
            for row in page.items
        ]
        return pb.ListOutputsResponse(outputs=shown, total=page.total)

    async def GetStatus(self, request: pb.GetStatusRequest, context: Context) -> pb.GetStatusResponse:  # noqa: N802 -- gRPC's name
        """Counts of what is live."""
        del request, context
        doors, state = self._doors, self._doors.state
        assigned = sum(len(held) for held in state.load.values())
        return pb.GetStatusResponse(
            version=doors.version,
            installation=doors.installation,
            started_at=doors.started_at,
            runs_queued=len(state.runs) - assigned,
            runs_assigned=assigned,
            requests_open=len(state.requests),
            services_running=len(state.services),
            bundles=len(state.catalog),
            workers_alive=sum(1 for worker in state.workers.values() if worker.state is WorkerState.ALIVE),
        )


def _check_same(request: pb.DeliverRequest, known: Delivery, version: BundleVersion | None) -> None:
    """A stager forgets after a while which push had a name; here it is known for ever."""
    digest = version_digest(wire.file_entry_from_proto(entry) for entry in request.files)
    if request.bundle != known.bundle or (version is not None and version.digest != digest):
        raise ConflictError(
            f"Delivery {known.id} was another push, to {known.bundle}@{known.version}; give this push a key of its own,"
            " or repeat that push as it was."
        )


def _delivered(delivery: Delivery, version: BundleVersion | None) -> pb.DeliverResponse:
    if version is None:
        raise ConflictError(f"Delivery {delivery.id} was taken in as a version that is not there.")
    return pb.DeliverResponse(
        bundle=wire.bundle_to_proto(version), request_id=delivery.request_id, is_new=delivery.is_new
    )
