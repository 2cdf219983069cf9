"""What the servicer says is taken whole and in order."""

from __future__ import annotations

from pathlib import Path

import pytest

from plotter2.api.v1 import manager_pb2 as pb
from plotter2.ids import ServiceId
from plotter2.model.service import ServiceState, ServiceStatus
from plotter2.wire import services as wire
from tests.unit.manager.rpc.kit import small

STRANGER = ServiceId("req-" + "0" * 32 + ".s0")


def report(*statuses: ServiceStatus) -> pb.ReportServicesRequest:
    return pb.ReportServicesRequest(statuses=map(wire.status_to_proto, statuses))


@pytest.mark.req("r016", "r018")
async def test_when_reports_are_answered_all_of_them_are_committed_also_of_runs_that_nobody_knows(
    tmp_path: Path,
) -> None:
    async with small(tmp_path) as manager:
        await manager.push()
        asked = await manager.redo(["0.1", "0.2"], parallel=2)
        first, second = (one.service_id for one in manager.started)
        await manager.rpc.ReportServices(report(), None)
        said = report(
            ServiceStatus(first, ServiceState.RUNNING),
            ServiceStatus(second, ServiceState.RUNNING),
            ServiceStatus(first, ServiceState.FAILED, error="exit status 2"),
            ServiceStatus(STRANGER, ServiceState.DONE),
            ServiceStatus(second, ServiceState.STOPPED),
        )
        await manager.rpc.ReportServices(said, None)
        found = await manager.request(asked.id)
        assert found.state == pb.REQUEST_STATE_FAILED
        assert [wire.state_from_proto(one.state) for one in found.children] == [
            ServiceState.FAILED, ServiceState.STOPPED,
        ]  # fmt: skip
        await manager.rpc.ReportServices(said, None)  # the answer was lost: it changes nothing
        assert await manager.request(asked.id) == found
