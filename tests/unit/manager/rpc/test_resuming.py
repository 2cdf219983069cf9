"""A redo goes on where it stood when the manager went down, whatever was asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from manager import loading
from manager.commands import StartService
from manager.machine import Machine
from manager.scheduler import RoundRobin
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.model.request import RequestState
from plotter2.model.service import ServiceState
from tests.unit.manager.kit import FILES
from tests.unit.manager.rpc.kit import PATH, Small, small


async def restarted(former: Small) -> Machine:
    """Another machine from what the store holds."""
    machine = Machine(RoundRobin())
    commands = await loading.load(machine, former.store, former.clock)
    assert [one.spec.version for one in commands if isinstance(one, StartService)] == [1]
    return machine


@pytest.mark.req("r016", "r018")
async def test_points_that_wait_are_started_after_a_restart_in_their_order_and_on_their_version(tmp_path: Path) -> None:
    async with small(tmp_path) as manager:
        await manager.push()
        asked = await manager.redo(["0.1", "0.2", "0.3"])
        await manager.end(manager.started[0], ServiceState.FAILED)
        await manager.push(files=FILES[:-1])  # a newer version changes nothing for what was planned
        machine = await restarted(manager)
        live = machine.state.requests[asked.id]
        assert [child.state for child in live.children.values()] == [
            ServiceState.FAILED, ServiceState.QUEUED, ServiceState.QUEUED,
        ]  # fmt: skip
        assert (live.running, list(live.waiting), live.failed) == (1, [2], 1)
        assert live.experiment is not None
        assert live.experiment.version.version == 1
        assert machine.state.versions_in_use() == {(PATH, 1)}


@pytest.mark.req("r016", "r018")
async def test_failed_points_and_runs_made_again_go_on_as_well(tmp_path: Path) -> None:
    async with small(tmp_path) as manager:
        await manager.push()
        first = await manager.redo(["0.1", "0.2"], parallel=2)
        for spec in tuple(manager.started):
            await manager.end(spec, ServiceState.FAILED)
        mended = await manager.submit(redo=pb.RedoAsk(failed_of=first.id))
        machine = await restarted(manager)
        assert list(machine.state.requests[mended.id].waiting) == [1]
        for number in (2, 3):
            await manager.end(manager.started[number])
        again = await manager.submit(redo=pb.RedoAsk(bundle=f"{PATH}/bundles/lr=0.1"))
        machine = await restarted(manager)
        live = machine.state.requests[again.id]
        assert (live.request.state, live.running) == (RequestState.RUNNING, 1)
