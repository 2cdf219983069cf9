"""What people ask for becomes requests with runs or children, or is refused with a reason (requirements 016 to 021).

Pure. A refused ask is remembered too; a request is written in one transaction with what it causes, and answered after.
"""

from __future__ import annotations

import json
from dataclasses import replace

from blake3 import blake3

from manager import fan, redo, runs
from manager.commands import (
    Answer,
    Command,
    Materialise,
    Notify,
    SaveBundle,
    SaveRequest,
    SaveTask,
    SetArchived,
    SetTags,
)
from manager.events import (
    ArchiveAsked,
    Asked,
    AskRefused,
    CallsAdded,
    CallsClosed,
    CallsOpened,
    InheritAsked,
    LinkAsked,
    OrderAsked,
    QuarantineAsked,
    RedoAsked,
    RequestCancelled,
    RunAsked,
    TagsAsked,
)
from manager.journal import note
from manager.state import QUEUE_RUNS_MAX, LiveRequest, State
from manager.store import TaskRow
from plotter2.clock import Instant
from plotter2.errors import ConflictError, LimitError, NotFoundError, RefusedError
from plotter2.ids import RequestId, TaskId, uuid7
from plotter2.model import ask, tags
from plotter2.model.bundle import Contents
from plotter2.model.request import Over, Request, RequestKind, RequestState
from plotter2.model.task import Task, TaskKind

OPEN_REQUESTS_MAX = 100_000
PLAN_AGAIN = RequestId("")
"""The answer to a redo whose version is the newest no more: no request was made."""


def described(event: RunAsked | ArchiveAsked | TagsAsked | InheritAsked | QuarantineAsked) -> str:
    """The ask of this event as its request remembers it."""
    if isinstance(event, InheritAsked):
        return ask.encode(ask.InheritAsk(event.contents.bundle.path, event.replay_of))
    if isinstance(event, QuarantineAsked):
        return ask.encode(ask.QuarantineAsk(event.item.id, event.replay_of))
    if isinstance(event, ArchiveAsked):
        return ask.encode(ask.ArchiveAsk(event.bundle, event.archived, event.replay_of))
    if isinstance(event, TagsAsked):
        return ask.encode(ask.TagAsk(event.bundle, tags.read(event.tags_json), event.replay_of))
    source = blake3(event.source.encode()).hexdigest() if event.source else ""
    parameters, kind = ask.raw(event.parameters_json), event.kind if source else TaskKind.SCRIPT
    return ask.encode(
        ask.RunAsk(
            event.task, event.bundle, event.version, parameters, kind, event.filename if source else "", source,
            event.replay_of, event.over, event.with_forced,
        )
    )  # fmt: skip


def key_taken(key: str, known: RequestId) -> ConflictError:
    """Why an ask is refused whose key belongs to another one."""
    return ConflictError(
        f"The key {key!r} belongs to another ask, request {known}; give this ask a key of its own, "
        "or repeat that ask as it was."
    )


def repeated(state: State, event: Asked, now: Instant) -> list[Command] | None:
    """The answer to an ask whose client key was used before: the id of that request. None for a new ask.

    Another ask under the same key is refused, and that is remembered without the key.
    """
    known = state.keys.get(event.client_key) if event.client_key else None
    if known is None:
        return None
    kind, text, bundle = what(event)
    if ask.identity(kind, text) == known[1]:
        return [Answer(event.token, known[0])]
    request = Request(event.request_id, kind, user=event.user, bundle=bundle, ask_json=text, created_at=now)
    return refuse(state, event.token, request, key_taken(event.client_key, known[0]), now)


def what(event: Asked) -> tuple[RequestKind, str, str]:  # noqa: C901, PLR0911 -- a dispatch table: one case a kind
    """Kind, ask and bundle."""
    match event:
        case RunAsked():
            return RequestKind.RUN, described(event), event.bundle
        case ArchiveAsked():
            return RequestKind.ARCHIVE, described(event), event.bundle
        case TagsAsked():
            return RequestKind.TAG, described(event), event.bundle
        case InheritAsked():
            return RequestKind.INHERIT, described(event), event.contents.bundle.path
        case QuarantineAsked():
            kind = RequestKind.RELEASE if event.released else RequestKind.REFUSE
            return kind, described(event), event.held.bundle if event.held else ""
        case RedoAsked():
            return RequestKind.REDO, event.ask_json, event.experiment.version.path
        case LinkAsked() | OrderAsked():
            return event.kind, ask.encode(event.asked), event.bundle
        case AskRefused():
            return event.kind, event.ask_json, event.bundle


def run(state: State, event: RunAsked, now: Instant) -> list[Command]:
    """Run a task on a bundle."""
    request = Request(
        event.request_id, RequestKind.RUN, RequestState.ACCEPTED, event.user, event.bundle, described(event),
        event.client_key, event.cause, created_at=now,
    )  # fmt: skip
    try:
        own = _resolve(state, event, now)
        spread = fan.out(state, event, own, now) if event.over is not Over.SELF else fan.Spread([own], [])
        _check_room(state, len(spread.targets))
    except RefusedError as wrong:
        return refuse(state, event.token, request, wrong, now)
    live = _open(state, replace(request, skipped=tuple(spread.skipped)))
    tasks = {task.id: task for task, _ in spread.targets}
    for task in tasks.values():
        runs.adopt_task(state, task)
    return [
        *(SaveTask(TaskRow(task, is_hidden=True)) for task in tasks.values()),
        *(runs.add(state, live, task, target, event.parameters_json, now) for task, target in spread.targets),
        _accepted(request, now),
        Answer(event.token, request.id),
    ]


def _resolve(state: State, event: RunAsked, now: Instant) -> tuple[Task, tuple[str, int]]:
    target = ("", 0)
    if event.bundle:
        node = state.catalog.need(event.bundle)
        newest = node.version.version
        if event.version > newest:
            raise NotFoundError(f"Bundle {event.bundle!r} has no version {event.version}; the newest is {newest}.")
        target = (event.bundle, event.version or newest)
    if not event.source:
        if not event.bundle:
            raise NotFoundError(f"Task {event.task!r} needs a bundle that declares it, or its source.")
        return state.catalog.task(event.task, event.bundle, now), target
    raw = event.source.encode()
    chance = blake3(event.request_id.encode()).digest()
    task_id = TaskId(uuid7(int(now * 1000), chance))
    return Task(
        task_id,
        event.task,
        event.kind,
        event.source,
        blake3(raw).digest(),
        event.filename,
        event.bundle,
        event.limits,
        created_at=now,
    ), target


def redo_asked(state: State, event: RedoAsked, now: Instant) -> list[Command]:
    """Run an experiment again for other values, unless a new version came in while it was planned."""
    path, version = event.experiment.version.path, event.experiment.version.version
    request = Request(
        event.request_id, RequestKind.REDO, RequestState.ACCEPTED, event.user, path, event.ask_json, event.client_key,
        created_at=now,
    )  # fmt: skip
    node = state.catalog.get(path)
    if node is None or (node.version.version != version and not event.is_pinned):
        return [Answer(event.token, PLAN_AGAIN)]
    live = _open(state, request)
    redo.open_children(live, event)
    return [
        _accepted(request, now),
        *redo.start_children(state, live, now),
        Answer(event.token, request.id),
    ]


def archive(state: State, event: ArchiveAsked, now: Instant) -> list[Command]:
    """Hide a bundle, or show it again. Nothing is ever deleted."""
    request = Request(
        event.request_id, RequestKind.ARCHIVE, RequestState.DONE, event.user, event.bundle, described(event),
        event.client_key, created_at=now, finished_at=now,
    )  # fmt: skip
    try:
        node = state.catalog.need(event.bundle)
    except RefusedError as wrong:
        return refuse(state, event.token, request, wrong, now)
    state.remember_key(request)
    state.catalog.put(replace(node.version, archived=event.archived), node.sources)
    return [
        SaveRequest(request),
        SetArchived(event.bundle, event.archived),
        note("bundle.archived" if event.archived else "bundle.shown", event.bundle, now, request=request.id),
        Answer(event.token, request.id),
    ]


def tag(state: State, event: TagsAsked, now: Instant) -> list[Command]:
    """Set tags on a bundle, or take them away: they stay with its next versions."""
    request = Request(
        event.request_id, RequestKind.TAG, RequestState.DONE, event.user, event.bundle, described(event),
        event.client_key, created_at=now, finished_at=now,
    )  # fmt: skip
    try:
        node = state.catalog.need(event.bundle)
        by_hand = tags.merged(node.version.tags_json, tags.read(event.tags_json))
    except RefusedError as wrong:
        return refuse(state, event.token, request, wrong, now)
    state.remember_key(request)
    state.catalog.put(replace(node.version, tags_json=by_hand), node.sources)
    return [
        SaveRequest(request),
        SetTags(event.bundle, by_hand, tags.shown(node.version.package_json, by_hand)),
        note("bundle.tagged", event.bundle, now, request=request.id, tags=json.loads(event.tags_json)),
        Answer(event.token, request.id),
    ]


def inherit(state: State, event: InheritAsked, now: Instant) -> list[Command]:
    """Take anew what a bundle has from its parents: a new version of the same files, unless nothing differs.

    No data has come, so only orders that wait for such a request fire.
    """
    path, before = event.contents.bundle.path, event.contents.bundle.version
    request = Request(
        event.request_id, RequestKind.INHERIT, RequestState.DONE, event.user, path, described(event), event.client_key,
        created_at=now, finished_at=now,
    )  # fmt: skip
    node = state.catalog.need(path)
    if node.version.version != before:
        return [Answer(event.token, PLAN_AGAIN)]
    try:
        digest, text = state.catalog.inherit(path, node.package)
    except RefusedError as wrong:
        return refuse(state, event.token, request, wrong, now)
    if digest == node.version.inherited:
        state.remember_key(request)
        return [SaveRequest(request), Answer(event.token, request.id)]
    version = replace(node.version, version=before + 1, created_at=now, request_id=request.id, inherited=digest)
    state.catalog.put(version, node.sources)
    made = ask.InheritAsk(path, event.replay_of, made_version=version.version)
    request = replace(request, ask_json=ask.encode(made))
    state.remember_key(request)
    return [
        SaveRequest(request),
        SaveBundle(Contents(version, event.contents.files), text),
        note("bundle.installed", path, now, version=version.version, digest=version.digest.hex(), request=request.id),
        Materialise(path, version.version, event.contents.files),
        Answer(event.token, request.id),
    ]


def calls_opened(state: State, event: CallsOpened, now: Instant) -> list[Command]:
    """A stream of many small runs of one definition."""
    task = event.task
    described = {"task": task.name, "source": task.source_digest.hex()}
    request = Request(
        event.request_id, RequestKind.CALL, RequestState.ACCEPTED, event.user, task.bundle, json.dumps(described),
        event.client_key, created_at=now,
    )  # fmt: skip
    if event.client_key in state.keys:
        return [Answer(event.token, error=key_taken(event.client_key, state.keys[event.client_key][0]))]
    live = _open(state, request)
    live.is_open = True
    runs.adopt_task(state, task)
    state.task_users[task.id] = state.task_users.get(task.id, 0) + 1  # held by the stream until it is closed
    return [
        SaveTask(TaskRow(task, is_hidden=True)),
        _accepted(request, now),
        Answer(event.token, (request.id, task.id)),
    ]


def calls_added(state: State, event: CallsAdded, now: Instant) -> list[Command]:
    """More calls on an open stream."""
    live = state.requests.get(event.request_id)
    if live is None or not live.is_open or live.total != event.first:
        return []
    task = state.tasks[task_of_calls(live)].task
    node = state.catalog.get(task.bundle) if task.bundle else None
    target = (task.bundle, node.version.version) if node else ("", 0)
    return [runs.add(state, live, task, target, parameters_json, now) for parameters_json in event.parameters_json]


def calls_closed(state: State, event: CallsClosed) -> list[Command]:
    """No more calls will come."""
    live = state.requests.get(event.request_id)
    if live is None or not live.is_open:
        return []
    live.is_open = False
    task_id = task_of_calls(live)
    left = state.task_users.get(task_id, 1) - 1
    state.task_users[task_id] = left
    if left <= 0:
        state.tasks.pop(task_id, None)
        state.task_users.pop(task_id, None)
    state.touch(live)
    return []


def task_of_calls(live: LiveRequest) -> TaskId:
    """The definition that a stream of calls runs; derived from the request, so it is the same after a restart."""
    return calls_task_id(live.request.id)


def calls_task_id(request: RequestId) -> TaskId:
    """The id of the definition that belongs to a stream of calls."""
    raw = bytes.fromhex(request.removeprefix("req-"))
    return TaskId(uuid7(int.from_bytes(raw[:6], "big"), blake3(raw).digest()))


def cancelled(state: State, event: RequestCancelled, now: Instant) -> list[Command]:
    """End what a request still has running. One that has ended is left as it is."""
    live = state.requests.get(event.request_id)
    if live is None:
        return [Answer(event.token)]
    if live.is_held:
        delivery = live.request.client_key
        way = f"decide about it with `plotter2 quarantine refuse {delivery}`"
        return [Answer(event.token, error=ConflictError(f"Request {live.request.id} waits in quarantine; {way}."))]
    live.is_open = False
    live.reason, live.reason_code = "cancelled on request", "cancelled"
    commands = [*runs.cancel(state, live, now), *redo.cancel(state, live)]
    live.reason, live.reason_code = "cancelled on request", "cancelled"
    live.is_cancelled = True
    state.touch(live)
    return [*commands, note("request.cancelled", live.request.id, now), Answer(event.token)]


def refused(state: State, event: AskRefused, now: Instant) -> list[Command]:
    """An ask that made no sense: remembered, and answered with the reason."""
    request = Request(
        event.request_id, event.kind, RequestState.ACCEPTED, event.user, event.bundle, event.ask_json,
        event.client_key, created_at=now,
    )  # fmt: skip
    return refuse(state, event.token, request, event.wrong, now)


def _check_room(state: State, count: int) -> None:
    if len(state.requests) >= OPEN_REQUESTS_MAX:
        raise LimitError(f"There are {OPEN_REQUESTS_MAX:,} open requests already; ask again when some have ended.")
    if len(state.runs) + count > QUEUE_RUNS_MAX:
        raise LimitError(f"There are {QUEUE_RUNS_MAX:,} runs waiting already; ask again when some have ended.")


def _open(state: State, request: Request) -> LiveRequest:
    live = LiveRequest(request)
    state.requests[request.id] = live
    state.remember_key(request)
    state.touch(live)
    return live


def _accepted(request: Request, now: Instant) -> Command:
    told = json.loads(request.ask_json)
    return note("request.accepted", request.id, now, kind=request.kind, user=request.user, ask=told)


def refuse(state: State, token: int, request: Request, wrong: RefusedError, now: Instant) -> list[Command]:
    """Remembered with its key, so a repeat is answered with the same; but what a repeat can mend keeps none."""
    key = "" if wrong.retry else request.client_key
    refused = replace(
        request, state=RequestState.REFUSED, reason=wrong.message, reason_code=wrong.code, finished_at=now,
        client_key=key,
    )  # fmt: skip
    state.remember_key(refused)
    return [
        SaveRequest(refused),
        note("request.refused", request.id, now, kind=request.kind, user=request.user, reason=wrong.message),
        Notify(refused),
        Answer(token, error=wrong),
    ]
