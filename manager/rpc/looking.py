"""What the runs of a request see beside their bundle: the first look is written, and holds for all that follow.

Links lead to other bundles, and definitions load from some: both may change while a request goes on. Asked for no
request it is what holds now.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from google.protobuf import json_format

from manager import ways
from manager.beneath import pinned_places
from manager.doors import Doors
from manager.events import Looked
from manager.rpc.versions import version_of
from manager.ways import Pinned
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.errors import NotFoundError
from plotter2.ids import RequestId
from plotter2.model import inheritance, package, pins
from plotter2.model.bundle import BundleVersion
from plotter2.model.pins import UNPINNED, Look, load_of, ways_of
from plotter2.model.request import Request
from plotter2.wire.ways import ways_from_proto, ways_to_proto

NONE = "0"
"""Seen where there was no such bundle."""


async def pinned_by(doors: Doors, request_id: str) -> bytes:
    """What a request sees below its bundle; of none, what is newest.

    Raises:
        NotFoundError: there is no such request.
    """
    return (await _request(doors, request_id)).pins if request_id else UNPINNED


async def loaded(doors: Doors, request_id: str, bundle: str) -> BundleVersion:
    """The version of a bundle that a definition loads from without naming one.

    Args:
        doors: to the store and the machine.
        request_id: of the run that loads; what lies below its bundle is pinned already.
        bundle: which one.

    Raises:
        NotFoundError: there is no such bundle, or was none when the request looked first.
    """
    request = await _request(doors, request_id)
    below = dict(await pinned_places(doors.store, request.bundle, request.pins))
    if bundle in below:
        return await version_of(doors, bundle, below[bundle])
    newest = await doors.store.get_bundle(bundle)
    now = str(newest.version) if newest is not None else NONE
    seen = await _first(doors, Look(RequestId(request_id), load_of(bundle), now))
    if seen == NONE and newest is not None:
        raise NotFoundError(f"Bundle {bundle!r} was not there when request {request_id} looked for it first.")
    return await version_of(doors, bundle, int(seen))


async def lent(doors: Doors, request_id: str, target: BundleVersion, origin: BundleVersion) -> ways.Found:
    """What a task of one bundle can call when it runs on another, with the versions of those that lend it.

    Args:
        doors: to the store and the machine.
        request_id: of the run; "" for none.
        target: the bundle it runs on.
        origin: the bundle that declares it.

    Raises:
        NotFoundError: there is no such request, or a bundle is gone.
    """
    here = await _pinned(doors, target)
    there = here if origin is target else await _pinned(doors, origin)
    found = ways.found(doors.state.bonds, here, there)
    if not request_id or found.is_settled:
        return found
    request = await _request(doors, request_id)
    below = dict(await pinned_places(doors.store, request.bundle, request.pins)) if found.lenders else {}
    lenders = {path: number or below.get(path, 0) for path, number in found.lenders.items()}
    for path, number in lenders.items():
        lenders[path] = number or (await version_of(doors, path, 0)).version
    text = _text(found.ways, lenders) if found.ways else ""
    place = ways_of((target.path, target.version), (origin.path, origin.version))
    now = pins.digest_of(text).hex() if text else ""
    seen = await _first(doors, Look(request.id, place, now), text)
    if seen == now:
        return ways.Found(found.ways, lenders)
    return _read(await doors.store.get_pins(bytes.fromhex(seen))) if seen else ways.Found({}, {})


async def _first(doors: Doors, look: Look, text: str = "") -> str:
    """What was seen when the request looked there first."""
    return str(await doors.desk.ask(partial(Looked, look=look, text=text)))


async def _request(doors: Doors, request_id: str) -> Request:
    live = doors.state.requests.get(RequestId(request_id))
    request = live.request if live is not None else await doors.store.get_request(RequestId(request_id))
    if request is None:
        raise NotFoundError(f"There is no request {request_id!r}.")
    return request


async def _pinned(doors: Doors, one: BundleVersion) -> Pinned:
    text = await doors.store.get_inheritance(one.inherited) if one.inherited else ""
    return Pinned(one.path, one.version, package.read(one.package_json), inheritance.decode(text))


def _text(found: ways.Ways, lenders: Mapping[str, int]) -> str:
    message = pb.GetBundleResponse(ways=ways_to_proto(found))
    for path, number in lenders.items():
        lender = message.lenders.add().bundle
        lender.path, lender.version = path, number
    return json_format.MessageToJson(message, indent=None, sort_keys=True)


def _read(text: str) -> ways.Found:
    message = json_format.Parse(text, pb.GetBundleResponse(), ignore_unknown_fields=True)
    return ways.Found(ways_from_proto(message.ways), {one.bundle.path: one.bundle.version for one in message.lenders})
