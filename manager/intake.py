"""Deliveries become versions (requirements 014, 021, 062; pure).

A delivery is installed once: repeats wait for the same outcome. Content that is the same as the newest version makes no
new one, unless a manifest describes another package than it has. What a bundle declares was read and checked before
this decides. An archived bundle takes new versions and
stays archived: only asking to show it again does so. What a version has from its parents is fixed when it is made
(requirement 034).
"""

from __future__ import annotations

import json
from dataclasses import replace

from manager import admission, catalog, edges, enclosed, linking, standing
from manager.catalog import Node
from manager.commands import (
    Answer,
    Command,
    InstallDelivery,
    KeepRecord,
    Materialise,
    Notify,
    SaveBundle,
    SaveDelivery,
    SaveRequest,
)
from manager.events import DeliveryInstalled, DeliveryOffered, DeliveryRefused
from manager.journal import note
from manager.state import State
from manager.store import Delivery, ServiceRow
from plotter2.clock import Instant
from plotter2.errors import BY_CODE, ConflictError, PackageError, RefusedError
from plotter2.ids import request_of
from plotter2.model import bundle, package, tags
from plotter2.model.automatic import is_automatic
from plotter2.model.bundle import BundleVersion, Contents
from plotter2.model.paths import BundlePath, is_below
from plotter2.model.request import Request, RequestKind, RequestState


def offered(state: State, event: DeliveryOffered) -> list[Command]:
    """The stager has a delivery: install it, or wait with those who asked for the same."""
    if event.delivery_id in state.delivered:
        return [Answer(event.token, state.delivered[event.delivery_id])]
    if event.delivery_id in state.held:
        return [Answer(event.token, state.held[event.delivery_id])]
    waiting = state.waiting_for.setdefault(event.delivery_id, [])
    waiting.append(event.token)
    if event.delivery_id in state.installing:
        return []
    state.installing[event.delivery_id] = event
    return [InstallDelivery(event.delivery_id, event.bundle, event.files, event.spool_path, event.manifest_json)]


def refused(state: State, event: DeliveryRefused, now: Instant) -> list[Command]:
    """The content is not what it says: remembered as a refused request, answered with the reason."""
    offer = state.installing.pop(event.delivery_id, None)
    if offer is None:
        return []
    request = replace(_request(offer, RequestState.REFUSED, now), reason=event.reason, reason_code=event.reason_code)
    error = BY_CODE.get(event.reason_code, RefusedError)(event.reason)
    tokens = state.waiting_for.pop(event.delivery_id, [])
    return [
        SaveRequest(request),
        note("delivery.refused", offer.delivery_id, now, bundle=offer.bundle, reason=event.reason),
        *(Answer(token, error=error) for token in tokens),
    ]


def installed(state: State, event: DeliveryInstalled, now: Instant) -> list[Command]:
    """The content is safe: make it a version, unless it is what the newest version already is, or may not come in."""
    offer = state.installing.get(event.delivery_id)
    if offer is None:
        return []
    if is_automatic(offer.user) and not offer.service_id:
        reason = f"{offer.user!r} is an automatic user: it asks, and data comes from people and from what they run."
        return refused(state, DeliveryRefused(offer.delivery_id, reason, RefusedError.code), now)
    known = state.catalog.get(offer.bundle)
    if offer.base not in {-1, known.version.version if known is not None else 0}:
        return _outdated(state, offer)
    lacking = admission.unmet(state, event.conditions)
    if lacking:
        return admission.hold(state, offer, event, _request(offer, RequestState.QUEUED, now), lacking, now)
    try:
        return install(state, offer, event, now)
    except PackageError as wrong:  # inspection found it before; whatever came past it must not end the manager
        return refused(state, DeliveryRefused(offer.delivery_id, wrong.message, wrong.code), now)


def _outdated(state: State, offer: DeliveryOffered) -> list[Command]:
    """It adds to a version that is the newest no more: whoever offers it puts it together anew."""
    del state.installing[offer.delivery_id]
    wrong = ConflictError(f"Bundle {offer.bundle!r} gets new versions faster than it can be added to; run it again.")
    return [Answer(token, error=wrong) for token in state.waiting_for.pop(offer.delivery_id, [])]


def install(state: State, offer: DeliveryOffered, event: DeliveryInstalled, now: Instant) -> list[Command]:
    """Make a delivery a version, or find that the newest one is the same already.

    Raises:
        PackageError: what it declares cannot be: nothing was changed.
    """
    request = _request(offer, RequestState.DONE, now)
    known = state.catalog.get(offer.bundle)
    digest = bundle.version_digest(offer.files)
    declares_more = bool(event.package_json) and known is not None and known.version.package_json != event.package_json
    is_new = known is None or known.version.digest != digest or declares_more
    commands: list[Command] = []
    if known is not None and not is_new:
        version = known.version
    else:
        version, inherited = _version(state, offer, event, digest, now)
        linking.check_declared(state, version.path, version.package_json)
        linking.check_linked(state, version)
        standing.check_declared(state, version)
        commands += _adopt(state, offer, version, inherited, now)
    request = replace(request, ask_json=json.dumps({"bundle": version.path, "version": version.version}))
    place = version.path, version.version
    delivery = Delivery(offer.delivery_id, request.id, *place, is_new, now, offer.manifest_json)
    commands += [
        SaveRequest(request),
        SaveDelivery(delivery),
        note("delivery.installed", delivery.id, now, bundle=version.path, version=version.version, new=is_new),
        KeepRecord(delivery, tuple(sorted(offer.files)) if is_new else ()),
        *standing.on_done(state, request, now),
        Notify(request),
        *enclosed.run(state, request, version, event.tasks, now),
    ]
    short = replace(delivery, manifest_json="")
    state.remember_delivery(short, version)
    state.installing.pop(offer.delivery_id, None)
    tokens = state.waiting_for.pop(offer.delivery_id, [])
    return [*commands, *(Answer(token, (short, version)) for token in tokens)]


def _adopt(
    state: State, offer: DeliveryOffered, version: BundleVersion, inherited_json: str, now: Instant
) -> list[Command]:
    declared = package.read(version.package_json)
    node = state.catalog.put(version, catalog.source_digests(declared, offer.files))
    files = tuple(sorted(offer.files))
    request = offer.request_id
    cause = standing.Cause(request_of(offer.service_id) if offer.service_id else request, offer.chain)
    return [
        SaveBundle(Contents(version, files), inherited_json),
        *edges.of_version(state.catalog, version, node.inherited, offer.manifest_json),
        note(
            "bundle.installed", version.path, now, version=version.version, digest=version.digest.hex(), request=request
        ),
        Materialise(version.path, version.version, files),
        *standing.on_version(state, node, cause, now),
        *_settle_by_hand(state, offer, version, cause, now),
    ]


def _settle_by_hand(
    state: State, offer: DeliveryOffered, version: BundleVersion, cause: standing.Cause, now: Instant
) -> list[Command]:
    """A child that somebody pushed is all that was to come, unless a redo of its parent is still going on."""
    parent, _, _ = version.path.rpartition("/bundles/")
    if offer.service_id or not parent or standing.has_open_redo(state, parent):
        return []
    return standing.on_settled(state, parent, cause, now)


def _version(
    state: State, offer: DeliveryOffered, event: DeliveryInstalled, digest: bytes, now: Instant
) -> tuple[BundleVersion, str]:
    known = state.catalog.get(offer.bundle)
    row = state.services.get(offer.service_id) if offer.service_id else None
    package_json, parameters_json, run_key = event.package_json, event.parameters_json, b""
    if row is not None:
        parameters_json, run_key = row.spec.parameters_json, row.spec.run_key
    inherited, text = state.catalog.inherit(offer.bundle, package.read(package_json), _holder(state, row))
    version = BundleVersion(
        BundlePath(offer.bundle),
        known.version.version + 1 if known else 1,
        digest,
        len(offer.files),
        sum(entry.size_bytes for entry in offer.files),
        now,
        offer.request_id,
        archived=known.version.archived if known else False,
        package_json=package_json,
        parameters_json=parameters_json,
        run_key=run_key,
        metrics_json=event.metrics_json,
        inherited=inherited,
        tags_json=known.version.tags_json if known else _tags_of_run(state, row),
    )
    return version, text


def _tags_of_run(state: State, row: ServiceRow | None) -> str:
    """What a service run leaves is found by the tags that its experiment has now, as if they were set on it."""
    node = state.catalog.get(row.spec.bundle) if row is not None else None
    return tags.shown(node.version.package_json, node.version.tags_json) if node is not None else ""


def _holder(state: State, row: ServiceRow | None) -> Node | None:
    """What a service run leaves inherits from the version that was run, though a newer one may have come meanwhile."""
    live = state.requests.get(row.request_id) if row is not None else None
    if row is None or live is None or live.experiment is None or not is_below(row.spec.child, row.spec.bundle):
        return None
    ran = live.experiment
    return Node(ran.version, ran.declared, ran.sources, ran.inherited)


def _request(offer: DeliveryOffered, ended: RequestState, now: Instant) -> Request:
    return Request(
        offer.request_id,
        RequestKind.PUSH,
        ended,
        offer.user,
        offer.bundle,
        json.dumps({"bundle": offer.bundle}),
        client_key=offer.delivery_id,
        cause=request_of(offer.service_id) if offer.service_id else offer.cause,
        created_at=now,
        finished_at=now,
        chain=offer.chain,
    )
