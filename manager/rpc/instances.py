"""What a run would come to, before anybody asks for it."""

from __future__ import annotations

from itertools import islice

import msgspec
from blake3 import blake3

from manager.rpc.asking import AskCalls
from manager.rpc.versions import version_of
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.errors import UsageError
from plotter2.ids import TaskId
from plotter2.model import paths
from plotter2.model.task import Task
from plotter2.rpc import Context
from plotter2.wire import tasks as wire

SHOWN_MAX = 100


class InstanceCalls(AskCalls):
    """Plans of runs."""

    async def PlanRun(self, request: pb.PlanRunRequest, context: Context) -> pb.PlanRunResponse:  # noqa: N802 -- gRPC's name
        """The instances of a definition on a bundle."""
        del context
        asked = request.run
        if not asked.bundle:
            raise UsageError("The ask names no bundle, so there are no keys to look at.")
        found = await version_of(self._doors, paths.bundle_path(asked.bundle), asked.version)
        if asked.source:
            digest = blake3(asked.source.encode()).digest()
            kind = wire.kind_from_proto(asked.kind)
            task = Task(TaskId(""), asked.task, kind, asked.source, digest, asked.filename)
        else:
            task = self._doors.state.catalog.task(asked.task, found.path, self._doors.clock.now())
        made = await self._doors.instance_planner.plan(task, (found.path, found.version), asked.parameters_json)
        return pb.PlanRunResponse(
            bundle=found.path,
            version=found.version,
            axes=[
                pb.PlannedAxis(name=one.name, keys_of=one.base, keys=made.plan.counts.get(one.base, 1))
                for one in made.axes
            ],
            total=len(made.parameters),
            parameters_json=[msgspec.json.encode(one).decode() for one in islice(made.parameters, SHOWN_MAX)],
            warning=made.plan.warning,
        )
