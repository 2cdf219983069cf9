"""An ask as its request remembers it: under its key, with its reason if it is refused, open if it is taken (pure)."""

from __future__ import annotations

import json
from dataclasses import replace

from blake3 import blake3

from manager.commands import (
    Answer,
    Command,
    Notify,
    SaveRequest,
)
from manager.events import (
    ArchiveAsked,
    Asked,
    AskRefused,
    InheritAsked,
    LinkAsked,
    OrderAsked,
    PlannerAsked,
    QuarantineAsked,
    RedoAsked,
    RunAsked,
    TagsAsked,
)
from manager.journal import note
from manager.state import LiveRequest, State
from plotter2.clock import Instant
from plotter2.errors import ConflictError, RefusedError
from plotter2.ids import RequestId
from plotter2.model import ask, tags
from plotter2.model.request import Request, RequestKind, RequestState
from plotter2.model.task import TaskKind

PLAN_AGAIN = RequestId("")
"""The answer to an ask that was planned on a version which is the newest no more: no request was made."""


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
    source = blake3(event.source.encode()).hexdigest() if event.source else event.source_digest.hex()
    parameters, kind = ask.raw(event.parameters_json), event.kind if source else TaskKind.SCRIPT
    return ask.encode(
        ask.RunAsk(
            event.task, event.bundle, event.version, parameters, kind, event.filename if source else "", source,
            event.replay_of, event.over, event.with_forced,
            event.limits.wall_s, event.limits.cpu_s, event.limits.memory_bytes, event.force,
            event.round, event.config.hex(), event.on, event.of,
        )
    )  # fmt: skip


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
        case LinkAsked() | OrderAsked() | PlannerAsked():
            return event.kind, ask.encode(event.asked), event.bundle
        case AskRefused():
            return event.kind, event.ask_json, event.bundle


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
    kind, text, _ = what(event)
    if ask.identity(kind, text) == known[1]:
        return [Answer(event.token, known[0])]
    return objected(state, replace(event, client_key=""), key_taken(event.client_key, known[0]), now)


def objected(state: State, event: Asked, wrong: RefusedError, now: Instant) -> list[Command]:
    """An ask that is refused before anybody looks at what it asks."""
    kind, text, bundle = what(event)
    request = Request(
        event.request_id, kind, user=event.user, bundle=bundle, ask_json=text, client_key=event.client_key,
        cause=event.cause if isinstance(event, RunAsked) else RequestId(""), created_at=now,
    )  # fmt: skip
    return refuse(state, event.token, request, wrong, now)


def refused(state: State, event: AskRefused, now: Instant) -> list[Command]:
    """An ask that made no sense: remembered, and answered with the reason."""
    request = Request(
        event.request_id, event.kind, RequestState.ACCEPTED, event.user, event.bundle, event.ask_json,
        event.client_key, created_at=now,
    )  # fmt: skip
    return refuse(state, event.token, request, event.wrong, now)


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


def opened(state: State, request: Request) -> LiveRequest:
    """A request that was taken begins to live."""
    live = LiveRequest(request)
    state.requests[request.id] = live
    state.remember_key(request)
    state.touch(live)
    return live


def accepted(request: Request, now: Instant) -> Command:
    """The journal's note that a request was taken."""
    told = json.loads(request.ask_json)
    return note("request.accepted", request.id, now, kind=request.kind, user=request.user, ask=told)
