"""What is asked about a bundle itself: hide it, tag it, have it inherit anew (pure). Done within the turn."""

from __future__ import annotations

import json
from dataclasses import replace

from manager import edges
from manager.asks.remembered import PLAN_AGAIN, described, refuse
from manager.commands import (
    Answer,
    Command,
    Materialise,
    SaveBundle,
    SaveRequest,
    SetArchived,
    SetTags,
)
from manager.events import (
    ArchiveAsked,
    InheritAsked,
    TagsAsked,
)
from manager.journal import note
from manager.state import State
from plotter2.clock import Instant
from plotter2.errors import RefusedError
from plotter2.model import ask, tags
from plotter2.model.bundle import Contents
from plotter2.model.request import Request, RequestKind, RequestState


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
    after = state.catalog.put(version, node.sources)
    made = ask.InheritAsk(path, event.replay_of, made_version=version.version)
    request = replace(request, ask_json=ask.encode(made))
    state.remember_key(request)
    return [
        SaveRequest(request),
        SaveBundle(Contents(version, event.contents.files), text),
        *edges.of_version(state.catalog, version, after.inherited),
        note("bundle.installed", path, now, version=version.version, digest=version.digest.hex(), request=request.id),
        Materialise(path, version.version, event.contents.files),
        Answer(event.token, request.id),
    ]
