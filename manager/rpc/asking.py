"""Asks: submit, replay, plan. An ask is understood here, checked against the store, and decided by the machine.

A kind of ask is a method `ask_<name in the oneof>`; families of their own may add more.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import msgspec
from blake3 import blake3

from manager import asks, plans
from manager.events import (
    ArchiveAsked,
    Asked,
    AskRefused,
    InheritAsked,
    Origin,
    PlannedChild,
    Prompted,
    RedoAsked,
    RunAsked,
    TagsAsked,
)
from manager.experiment import Experiment
from manager.publisher import INLINE_SOURCE_BYTES_MAX
from manager.rpc import replays, taking
from manager.rpc.requests import RequestCalls
from manager.rpc.versions import version_of
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.errors import ConflictError, RefusedError, UsageError
from plotter2.ids import RequestId
from plotter2.model import ask, inheritance, package, paths, tags
from plotter2.model.bundle import BundleVersion, Contents
from plotter2.model.request import Over, Request, RequestKind
from plotter2.model.service import ServiceSpec, ServiceState
from plotter2.model.task import SOURCE_BYTES_MAX, Limits, TaskKind
from plotter2.rpc import Context
from plotter2.wire import asks as wire
from plotter2.wire import tasks as wire_tasks

PLAN_TRIES_MAX = 5
PAYLOAD_BYTES_MAX = 4 << 20
"""Of the parameters of one run."""
NESTING_MAX = 64
BECAUSE_CHARS_MAX = 1_000
AXES_SHOWN_MAX = 3
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_BRACKET = re.compile(r"[\[\]{}]")
Handler = Callable[[pb.SubmitRequest, str], Awaitable[RequestId]]


def json_object(text: str, what: str) -> str:
    """The text, if it is a JSON object; empty means an empty one.

    Raises:
        UsageError: it is not, or it is nested too deep, or it is so long that it is data.
    """
    if len(text.encode()) > PAYLOAD_BYTES_MAX:
        raise UsageError(
            f"The {what} have more than {PAYLOAD_BYTES_MAX} bytes. Calls are for what is short: send data as a bundle, "
            "`plotter2 push PATH BUNDLE`, and run on that."
        )
    if text.count("[") + text.count("{") > NESTING_MAX and _depth(text) > NESTING_MAX:
        raise UsageError(f"The {what} are nested deeper than {NESTING_MAX} levels.")
    try:
        msgspec.json.decode(text or "{}", type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:
        raise UsageError(f"The {what} must be a JSON object.") from None
    except msgspec.DecodeError as wrong:
        raise UsageError(f"The {what} are not JSON: {wrong}.") from None
    return text or "{}"


def _depth(text: str) -> int:
    """How deep brackets outside of strings are nested."""
    deepest = depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a redo comes to, before anybody decides it.

    Attributes:
        is_pinned: that very version of the experiment was meant, so a newer one changes nothing.
        again_of: the child, as bundle@version, whose run is made again.
    """

    experiment: Experiment
    children: tuple[PlannedChild, ...]
    is_pinned: bool = False
    again_of: str = ""


class AskCalls(RequestCalls):
    """What people ask for."""

    origin: Origin | None = None

    async def Submit(self, request: pb.SubmitRequest, context: Context) -> pb.SubmitResponse:  # noqa: N802 -- gRPC's name
        """An ask, remembered before it is answered."""
        del context
        ask.check_key(request.client_key)
        return pb.SubmitResponse(request=await self.whole(await self.submit(request)))

    async def submit(self, request: pb.SubmitRequest) -> RequestId:
        """The way of every ask, whoever it comes from; its key is checked."""
        if not (request.cause or request.because or request.scope):
            return await self.handle(request, "")
        if len(request.because) > BECAUSE_CHARS_MAX:
            raise UsageError(f"A reason has at most {BECAUSE_CHARS_MAX:,} characters.")
        scope = paths.bundle_path(request.scope) if request.scope else ""
        cause = await self.need(RequestId(request.cause)) if request.cause else None
        origin = Origin(cause.id, cause.chain) if cause is not None else Origin()
        return await self.because_of(replace(origin, because=request.because, scope=scope)).handle(request, "")

    async def handle(self, request: pb.SubmitRequest, replay_of: str) -> RequestId:
        """Have an ask understood by the method of its kind."""
        name = request.WhichOneof("ask")
        if name is None:
            kinds = ", ".join(field.name for field in pb.SubmitRequest.DESCRIPTOR.oneofs_by_name["ask"].fields)
            raise UsageError(f"The request asks for nothing: set one of {kinds}.")
        handler: Handler = getattr(self, f"ask_{name}")
        return await handler(request, replay_of)

    async def ask_run(self, request: pb.SubmitRequest, replay_of: str) -> RequestId:
        """Run a task. A source that came along is checked before anything is made of it, and kept."""
        event = replace(self._run_asked(request), replay_of=replay_of)
        refused = self._refusal(request, event.request_id, RequestKind.RUN, event.bundle, asks.described(event))
        if (known := await self._known(refused)) is not None:
            return known
        try:
            await taking.check(self._doors, event, await self._doors.keeper.chosen(event.config))
            if event.source:
                await self._keep(event.source.encode())
        except RefusedError as wrong:
            return await self._refuse(refused, wrong)
        return await self._ask(lambda token: replace(event, token=token))

    def _run_asked(self, request: pb.SubmitRequest) -> RunAsked:
        asked = request.run
        if len(asked.source.encode()) > SOURCE_BYTES_MAX:
            raise UsageError(
                f"The task's source is longer than {SOURCE_BYTES_MAX} bytes. Send data as a bundle, "
                "`plotter2 push PATH BUNDLE`, and let the task read it there."
            )
        if not asked.task:
            raise UsageError("The ask names no task.")
        limits = wire_tasks.limits_from_proto(asked.limits).checked()
        if limits != Limits() and not asked.source:
            raise UsageError("Limits go with a source; a task that a bundle declares has the limits declared there.")
        return RunAsked(
            0,
            self._doors.ids.request(),
            request.user,
            asked.task,
            paths.bundle_path(asked.bundle) if asked.bundle else "",
            asked.version,
            asked.source,
            wire_tasks.kind_from_proto(asked.kind) if asked.kind else TaskKind.SCRIPT,
            asked.filename,
            json_object(asked.parameters_json, "parameters"),
            request.client_key,
            over=wire.over_from_proto(asked.over) if asked.over else Over.SELF,
            with_forced=asked.with_forced,
            limits=limits,
            force=asked.force,
            config=asked.config,
        )

    async def keep_source(self, source: str) -> None:
        """A source that is too long for a message is fetched by its digest: put it where that works."""
        raw = source.encode()
        if INLINE_SOURCE_BYTES_MAX < len(raw) <= SOURCE_BYTES_MAX:
            await self._keep(raw)

    async def _keep(self, raw: bytes) -> None:
        await asyncio.to_thread(self._doors.organizer.put, blake3(raw).digest(), [raw])

    async def ask_archive(self, request: pb.SubmitRequest, replay_of: str) -> RequestId:
        """Hide a bundle, or show it again."""
        event = ArchiveAsked(
            0, self._doors.ids.request(), request.user, paths.bundle_path(request.archive.bundle),
            request.archive.archived, request.client_key, replay_of,
        )  # fmt: skip
        text = asks.described(event)
        known = await self._known(self._refusal(request, event.request_id, RequestKind.ARCHIVE, event.bundle, text))
        return known or await self._ask(lambda token: replace(event, token=token))

    async def ask_tag(self, request: pb.SubmitRequest, replay_of: str) -> RequestId:
        """Set tags on a bundle, or take them away."""
        given = tags.merged("", tags.read(request.tag.tags_json))
        event = TagsAsked(
            0, self._doors.ids.request(), request.user, paths.bundle_path(request.tag.bundle), given,
            request.client_key, replay_of,
        )  # fmt: skip
        text = asks.described(event)
        known = await self._known(self._refusal(request, event.request_id, RequestKind.TAG, event.bundle, text))
        return known or await self._ask(lambda token: replace(event, token=token))

    async def ask_inherit(self, request: pb.SubmitRequest, replay_of: str) -> RequestId:
        """Take anew what a bundle has from its parents; again if a new version came in between."""
        bundle = paths.bundle_path(request.inherit.bundle)
        text = ask.encode(ask.InheritAsk(bundle, replay_of))
        refused = self._refusal(request, self._doors.ids.request(), RequestKind.INHERIT, bundle, text)
        known = await self._known(refused)
        if known is not None:
            return known
        for _ in range(PLAN_TRIES_MAX):
            try:
                newest = await version_of(self._doors, bundle, 0)
            except RefusedError as wrong:
                return await self._refuse(refused, wrong)
            contents = Contents(newest, await self._doors.store.files_of(bundle, newest.version))
            event = InheritAsked(0, refused.request_id, request.user, contents, request.client_key, replay_of)
            made = await self._ask(partial(_with_token, event))
            if made != asks.PLAN_AGAIN:
                return made
        raise ConflictError(f"Bundle {bundle!r} gets new versions faster than it can inherit; ask again.")

    async def ask_replay(self, request: pb.SubmitRequest, replay_of: str) -> RequestId:
        """The same ask as another request's, on what is current now."""
        del replay_of
        first = await self.need(RequestId(request.replay.request_id))
        try:
            again = await replays.again(first, self._doors)
        except RefusedError as wrong:
            text = ask.encode(ask.RedoAsk(replay_of=first.id))
            refusal = self._refusal(request, self._doors.ids.request(), first.kind, first.bundle, text)
            return await self._known(refusal) or await self._refuse(refusal, wrong)
        again.client_key, again.user = request.client_key, request.user
        return await self.handle(again, first.id)

    # --- redo: planned at the edge, where the store can be asked --------------------------------------------------

    async def ask_redo(self, request: pb.SubmitRequest, replay_of: str) -> RequestId:
        """Plan, and have it decided; again if a new version came in between."""
        bundle = self._redo_bundle(request.redo)
        asked = wire.redo_from_proto(request.redo, bundle, replay_of)
        refused = self._refusal(request, self._doors.ids.request(), RequestKind.REDO, bundle, ask.encode(asked))
        known = await self._known(refused)
        if known is not None:
            return known
        for _ in range(PLAN_TRIES_MAX):
            try:
                plan = await self._plan(request.redo, bundle)
            except RefusedError as wrong:
                return await self._refuse(refused, wrong)
            found_out = {"runs_version": plan.experiment.version.version, "again_of": plan.again_of}
            event = RedoAsked(
                0, refused.request_id, request.user, plan.experiment, plan.children, asked.parallel,
                asked.force or bool(plan.again_of), ask.encode(msgspec.structs.replace(asked, **found_out)),
                request.client_key, plan.is_pinned,
            )  # fmt: skip
            made = await self._ask(partial(_with_token, event))
            if made != asks.PLAN_AGAIN:
                return made
        raise ConflictError(f"Bundle {bundle!r} gets new versions faster than a redo can be planned; ask again.")

    def _redo_bundle(self, asked: pb.RedoAsk) -> str:
        if asked.failed_of:
            if asked.bundle or asked.axes or asked.version:
                raise UsageError("The failed points of a request have their bundle and values: name the request alone.")
            return ""
        if sum(len(axis.values_json) for axis in asked.axes) > plans.CHILDREN_MAX:
            raise UsageError(f"More than {plans.CHILDREN_MAX:,} values were given; one request may have as many runs.")
        return paths.bundle_path(asked.bundle)

    async def PlanRedo(self, request: pb.PlanRedoRequest, context: Context) -> pb.PlanRedoResponse:  # noqa: N802 -- gRPC's name
        """What a redo would run; nothing is remembered."""
        del context
        asked = request.redo
        plan = await self._plan(asked, self._redo_bundle(asked))
        return pb.PlanRedoResponse(
            bundle=plan.experiment.version.path,
            version=plan.experiment.version.version,
            children=[
                wire.planned_to_proto(
                    one.bundle,
                    one.parameters_json,
                    one.run_key,
                    None if asked.force or plan.again_of else one.existing,
                )
                for one in plan.children
            ],
        )

    async def _plan(self, asked: pb.RedoAsk, bundle: str) -> _Plan:
        plan = await (self._plan_failed(asked) if asked.failed_of else self._plan_given(asked, bundle))
        found = await self._doors.store.find_run_keys([child.run_key for child in plan.children])
        return replace(plan, children=tuple(replace(one, existing=found.get(one.run_key)) for one in plan.children))

    async def _plan_failed(self, asked: pb.RedoAsk) -> _Plan:
        first = await self.need(RequestId(asked.failed_of))
        points = _failed_points(first)
        former = ask.redo_ask(first.ask_json)
        is_pinned = bool(former.version or former.again_of)
        version = await version_of(self._doors, first.bundle, former.runs_version if is_pinned else 0)
        experiment = await self._experiment(version)
        return _Plan(experiment, await asyncio.to_thread(plans.plan_points, experiment, points), is_pinned)

    async def _plan_given(self, asked: pb.RedoAsk, bundle: str) -> _Plan:
        version = await version_of(self._doors, bundle, asked.version)
        maker = await self._doors.store.find_maker(bundle, version.version)
        if maker is not None and package.read(version.package_json).service is None:
            return await self._plan_again(asked, version, maker.spec)
        axes = [plans.Axis(axis.parameter, tuple(axis.values_json)) for axis in asked.axes]
        experiment = await self._experiment(version)
        return _Plan(experiment, await asyncio.to_thread(plans.plan, experiment, axes), bool(asked.version))

    async def _plan_again(self, asked: pb.RedoAsk, child: BundleVersion, spec: ServiceSpec) -> _Plan:
        """The run that made this child, as it was: the same version of its experiment, the same parameters."""
        if asked.axes:
            given = " ".join(
                f"--set {axis.parameter}={','.join(axis.values_json)}" for axis in asked.axes[:AXES_SHOWN_MAX]
            )
            raise RefusedError(
                f"{str(child.path)!r} is a run of {spec.bundle!r} and has its parameters. For other values ask "
                f"`plotter2 redo {spec.bundle} {given}`; `plotter2 redo {child.path}` makes the same run again."
            )
        experiment = await self._experiment(await version_of(self._doors, spec.bundle, spec.version))
        planned = PlannedChild(spec.child, spec.parameters_json, experiment.key(spec.parameters_json))
        return _Plan(experiment, (planned,), is_pinned=True, again_of=f"{child.path}@{child.version}")

    async def _experiment(self, version: BundleVersion) -> Experiment:
        files = await self._doors.store.files_of(version.path, version.version)
        inherited = inheritance.decode(await self._doors.store.get_inheritance(version.inherited))
        return await asyncio.to_thread(Experiment.of, Contents(version, files), inherited)

    # --- keys and refusals ------------------------------------------------------------------------------------------

    def _refusal(
        self, request: pb.SubmitRequest, request_id: RequestId, kind: RequestKind, bundle: str, text: str
    ) -> AskRefused:
        """What would be remembered if this were refused."""
        nothing = RefusedError("It was refused.")
        return AskRefused(0, request_id, kind, request.user, bundle, text, nothing, request.client_key)

    async def _known(self, asked: AskRefused) -> RequestId | None:
        """The request that was made under the same key before, by the same ask.

        Raises:
            ConflictError: by another ask; that this one was refused is remembered without the key.
        """
        known = await self._doors.store.find_request(asked.client_key) if asked.client_key else None
        if known is None:
            return None
        if ask.identity(known.kind, known.ask_json) == ask.identity(asked.kind, asked.ask_json):
            return known.id
        return await self._refuse(replace(asked, client_key=""), asks.key_taken(asked.client_key, known.id))

    async def _refuse(self, asked: AskRefused, wrong: RefusedError) -> RequestId:
        """Have a refusal remembered; answers by raising it, or with the request that the same key gave before."""
        return await self._ask(lambda token: replace(asked, token=token, wrong=wrong))

    async def _ask(self, make: Callable[[int], Asked]) -> RequestId:
        origin = self.origin
        if origin is None:
            return RequestId(str(await self._doors.desk.ask(make)))
        return RequestId(str(await self._doors.desk.ask(lambda token: Prompted(make(token), origin))))

    def because_of(self, origin: Origin) -> Self:
        """The same calls for what comes of something else."""
        calls = copy(self)
        calls.origin = origin
        return calls


def _with_token(event: RedoAsked | InheritAsked, token: int) -> RedoAsked | InheritAsked:
    return replace(event, token=token)


def _failed_points(first: Request) -> list[tuple[str, str]]:
    if first.kind is not RequestKind.REDO:
        raise ConflictError(
            f"Request {first.id} is a {first.kind}, and only a redo has points; "
            f"`plotter2 replay {first.id}` asks it again."
        )
    lost = {ServiceState.FAILED, ServiceState.STOPPED}
    points = [(child.bundle, child.parameters_json) for child in first.children if child.state in lost]
    if not points:
        left = sum(1 for child in first.children if child.state is not ServiceState.DONE)
        raise ConflictError(
            f"Request {first.id} has no failed points: of {len(first.children)} runs none has failed"
            + (f", {left} have not ended yet." if left else f"; `plotter2 replay {first.id}` asks it again as a whole.")
        )
    return points
