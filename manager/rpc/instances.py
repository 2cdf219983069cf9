"""What a run would come to, before anybody asks for it."""

from __future__ import annotations

from itertools import islice

import msgspec
from blake3 import blake3

from manager import kin, memo
from manager.commands import PlanInstances
from manager.kin import Kin
from manager.recall import Recall
from manager.rpc.asking import AskCalls
from manager.rpc.versions import version_of
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.errors import UsageError
from plotter2.ids import RequestId, RunId, TaskId
from plotter2.model import ask, paths
from plotter2.model.task import Task, TaskKind, TaskRun
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
        target = str(found.path), found.version
        made = await self._doors.instance_planner.plan(
            task, target, asked.parameters_json, own=self._doors.keeper.current
        )
        known = await self._recalled(task, target, asked.parameters_json)
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
            linked=[await self._linked(one, target, asked.parameters_json) for one in self._kin(task, target[0])],
            known=known[:SHOWN_MAX],
            known_total=sum(map(bool, known)),
        )

    async def _recalled(self, task: Task, target: tuple[str, int], given_json: str) -> list[str]:
        """Of each instance of a pipeline the run whose results it would have; of other definitions nothing is known."""
        doors = self._doors
        state = doors.state
        seen = memo.stamp(state, task, target) if task.kind is TaskKind.PIPELINE else b""
        if not seen:
            return []
        declared = state.catalog.parameters(task, target[0])
        run = TaskRun(
            RunId(""), RequestId(""), task.id, task.name, *target, ask.filled(given_json or "{}", declared),
            config=state.config,
        )  # fmt: skip
        recall = Recall(doors.store, doors.organizer, doors.instance_planner, doors.keeper)
        found = await recall.planned(PlanInstances(run, task, seen))
        return [former.id if (former := found.known.get(key)) is not None else "" for key in found.memo_keys]

    def _kin(self, task: Task, bundle: str) -> list[Kin]:
        """What a definition is linked to; a file that was given is taken for the task whose source has its name."""
        catalog, now = self._doors.state.catalog, self._doors.clock.now()
        if not task.id:
            given = [one for one, _ in catalog.tasks(bundle, now) if task.filename and file_of(one) == task.filename]
            if not given:
                return []
            task = given[0]
        return kin.in_order(kin.gathered(catalog, task, bundle, now), task.name)[:-1]

    async def _linked(self, one: Kin, target: tuple[str, int], given_json: str) -> pb.PlannedLinked:
        given = ask.filled(given_json, one.parameters)
        own = self._doors.keeper.current
        plan = (await self._doors.instance_planner.plan(one.task, target, given, own=own)).plan
        return pb.PlannedLinked(task=one.name, total=len(plan.instances), warning=plan.warning)


def file_of(task: Task) -> str:
    """The name of the file that a definition is in."""
    return task.filename.rpartition("/")[2]
