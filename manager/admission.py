"""Whether a delivery may become a version, and what happens if not (requirement 063; pure).

plotter2's state is king: conditions are judged against what is current. Where one does not hold the delivery is held:
its content is in the store, so the stager may forget it, no version exists, and the push stays queued and says why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from manager.bonds import ends
from manager.catalog import Node
from manager.commands import Answer, Command, Notify, SaveHeld, SaveItem, SaveRequest
from manager.events import DeliveryInstalled, DeliveryOffered
from manager.journal import note
from manager.state import LiveRequest, State
from manager.store import Held
from plotter2.clock import ZERO, Instant
from plotter2.errors import LimitError
from plotter2.model.conditions import Condition, Wish
from plotter2.model.package import LinkDeclaration
from plotter2.model.quarantine import ItemKind, QuarantineItem
from plotter2.model.request import Request, RequestState

HELD_MAX = 1_000
"""Deliveries in quarantine; more stay with the stager until some have been decided about."""
UNMET_SHOWN_MAX = 20
DIGEST_SHOWN = 12
REASON_CODE = "held"


def unmet(state: State, conditions: Iterable[Condition]) -> list[str]:
    """What does not hold, one phrase each."""
    return [phrase for one in conditions if (phrase := _unmet(state, one))]


def _unmet(state: State, one: Condition) -> str:
    node = state.catalog.get(one.bundle)
    if node is None:
        return f"bundle {one.bundle!r} is not there" if one.wanted else ""
    newest = node.version.version
    match one.wish:
        case Wish.EXISTS:
            return "" if one.wanted else f"bundle {one.bundle!r} is there already"
        case Wish.VERSION:
            has = newest >= one.number
            return "" if has else f"bundle {one.bundle!r} has no version {one.number}, its newest is {newest}"
        case Wish.NEWEST:
            is_so = newest == one.number
            return "" if is_so else f"the newest version of bundle {one.bundle!r} is {newest}, not {one.number}"
        case Wish.DIGEST:
            digest = node.version.digest.hex()
            short, wanted = digest[:DIGEST_SHOWN], one.word[:DIGEST_SHOWN]
            return "" if digest == one.word else f"{one.bundle}@{newest} has the digest {short}…, not {wanted}…"
        case Wish.LINK:
            return _unlinked(state, node, one.word)


def _unlinked(state: State, node: Node, name: str) -> str:
    """Why a link that a bundle declares, or inherits, does not hold now."""
    path = node.version.path
    links = {one: msgspec.convert(trait.value, LinkDeclaration) for one, trait in node.inherited.of("links").items()}
    links |= {one.name: one for one in node.package.links}
    link = links.get(name)
    if link is None:
        return f"bundle {path!r} declares no link {name!r}"
    src, dst = ends(link, path)
    if link.in_head in state.bonds.between(src, dst):
        return ""
    return f"link {name!r} of bundle {path!r} does not hold: {dst!r} does not do {link.in_head!r} for {src!r}"


def reason_of(delivery: str, lacking: list[str]) -> str:
    """The sentence that people read."""
    more = f"; and {len(lacking) - UNMET_SHOWN_MAX} more" if len(lacking) > UNMET_SHOWN_MAX else ""
    return (
        "It is held in quarantine, as its manifest's conditions do not hold: "
        f"{'; '.join(lacking[:UNMET_SHOWN_MAX])}{more}. "
        f"`plotter2 quarantine release {delivery}` looks again, `plotter2 quarantine refuse {delivery}` ends it."
    )


def hold(
    state: State, offer: DeliveryOffered, event: DeliveryInstalled, request: Request, lacking: list[str], now: Instant
) -> list[Command]:
    """Keep a delivery whose conditions do not hold."""
    tokens = state.waiting_for.pop(offer.delivery_id, [])
    del state.installing[offer.delivery_id]
    if len(state.held) >= HELD_MAX:
        full = LimitError(f"{HELD_MAX:,} deliveries are in quarantine already; decide about some of them first.")
        return [Answer(token, error=full) for token in tokens]
    reason = reason_of(offer.delivery_id, lacking)
    waiting = replace(
        request, state=RequestState.QUEUED, reason=reason, reason_code=REASON_CODE, finished_at=ZERO, created_at=now
    )
    held = Held(
        offer.delivery_id, request.id, offer.bundle, offer.user, reason, now, offer.manifest_json, event.package_json,
        event.metrics_json, offer.service_id, tuple(sorted(offer.files)),
    )  # fmt: skip
    item = QuarantineItem(
        offer.delivery_id, ItemKind.DELIVERY, offer.bundle, reason, now, user=offer.user, request_id=request.id
    )
    short = held.short()
    state.held[offer.delivery_id] = short
    state.requests[request.id] = LiveRequest(waiting, is_held=True)
    return [
        SaveRequest(waiting),
        SaveHeld(held),
        SaveItem(item),
        note("delivery.held", offer.delivery_id, now, bundle=offer.bundle, request=request.id, reason=reason),
        Notify(waiting),
        *(Answer(token, short) for token in tokens),
    ]
