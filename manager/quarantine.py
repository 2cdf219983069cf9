"""What plotter2 keeps and does not use (requirements 003, 063; pure)."""

from __future__ import annotations

from dataclasses import asdict, replace

from manager import admission, asks, intake
from manager.commands import Answer, Command, Notify, SaveItem, SaveRequest
from manager.events import AskRefused, DeliveryInstalled, DeliveryOffered, QuarantineAsked, StraysFound, Verified
from manager.journal import note
from manager.state import LiveRequest, State
from manager.store import Held
from plotter2.clock import Instant
from plotter2.errors import ConflictError, RefusedError
from plotter2.ids import DeliveryId
from plotter2.model import quarantine
from plotter2.model import request as requests
from plotter2.model.quarantine import ItemKind, ItemState
from plotter2.model.request import Request, RequestState


def strays_found(event: StraysFound, now: Instant) -> list[Command]:
    """Write down what was moved into quarantine, and why."""
    commands: list[Command] = []
    for found in event.items:
        commands.append(SaveItem(replace(found, at=now)))
        commands.append(note("stray.quarantined", found.id, now, place=found.place, reason=found.reason))
    return [*commands, *_answered(event.token)]


def verified(event: Verified, now: Instant) -> list[Command]:
    """Write down that everything was looked at."""
    record = note("verify.ended", "verify", now, whole=event.is_whole, **asdict(event.counts))
    return [record, *_answered(event.token)]


def _answered(token: int) -> list[Command]:
    return [Answer(token)] if token else []


def decide(state: State, event: QuarantineAsked, now: Instant) -> list[Command]:
    """Take in what is held, if its conditions hold by now; or let it be for good. Either is a request."""
    kind, text, bundle = asks.what(event)
    request = Request(
        event.request_id, kind, RequestState.DONE, event.user, bundle, text, event.client_key, created_at=now,
        finished_at=now,
    )  # fmt: skip
    try:
        if event.item.kind is ItemKind.STRAY:
            commands = _decide_stray(event)
        elif event.released:
            commands = _release(state, event, now)
        else:
            commands = _refuse(state, event, now)
    except _UnmetError as unmet:
        wrong = ConflictError(unmet.message)
        return [*unmet.commands, *_refused(state, event, wrong, now)]
    except RefusedError as wrong:
        return _refused(state, event, wrong, now)
    state.remember_key(request)
    after = ItemState.RELEASED if event.released else ItemState.REFUSED
    decided = replace(
        event.item, state=quarantine.step(event.item.id, ItemState.HELD, after), decided_at=now, decision=request.id
    )
    record = note(f"quarantine.{after}", event.item.id, now, request=request.id, user=event.user)
    return [SaveRequest(request), *commands, SaveItem(decided), record, Answer(event.token, request.id)]


class _UnmetError(RefusedError):
    """Conditions do not hold yet; what follows from having looked is in `commands`."""

    def __init__(self, reason: str, commands: list[Command]) -> None:
        super().__init__(reason)
        self.commands = commands


def _refused(state: State, event: QuarantineAsked, wrong: RefusedError, now: Instant) -> list[Command]:
    kind, text, bundle = asks.what(event)
    refusal = AskRefused(event.token, event.request_id, kind, event.user, bundle, text, wrong, event.client_key)
    return asks.refused(state, refusal, now)


def _decide_stray(event: QuarantineAsked) -> list[Command]:
    item = event.item
    if item.state is not ItemState.HELD:
        raise ConflictError(f"{item.id} was {item.state} already, by request {item.decision}.")
    if event.released:
        raise ConflictError(
            f"{item.id} is what somebody put into the managed tree by hand; plotter2 takes nothing in from there. "
            f"It lies in {item.kept} below the home: push it from there, as `plotter2 push PATH BUNDLE`."
        )
    return []


def _waiting(state: State, event: QuarantineAsked) -> tuple[Held, LiveRequest]:
    """All about a delivery that waits, and its push."""
    live = state.requests.get(event.item.request_id)
    if event.held is None or event.held.id not in state.held or live is None:
        raise ConflictError(
            f"{event.item.id} does not wait in quarantine any more; `plotter2 quarantine --all` lists it."
        )
    return event.held, live


def _release(state: State, event: QuarantineAsked, now: Instant) -> list[Command]:
    held, live = _waiting(state, event)
    lacking = admission.unmet(state, event.conditions)
    if lacking:
        reason = admission.reason_of(held.id, lacking)
        live.request = replace(live.request, reason=reason)
        told: list[Command] = [
            SaveRequest(live.request),
            SaveItem(replace(event.item, reason=reason)),
            Notify(live.request),
        ]
        raise _UnmetError(reason, told)
    offer = DeliveryOffered(
        0, held.id, held.request_id, held.bundle, held.user, held.manifest_json, held.files, "", held.service_id
    )
    commands = intake.install(
        state,
        offer,
        DeliveryInstalled(held.id, held.package_json, metrics_json=held.metrics_json, tasks=event.tasks),
        now,
    )
    _forget(state, held.id, live)
    return [_as_asked(command, live.request) for command in commands]


def _as_asked(command: Command, waited: Request) -> Command:
    """The push that waited is the one that is done now."""
    if isinstance(command, SaveRequest | Notify) and command.request.id == waited.id:
        return replace(command, request=replace(command.request, created_at=waited.created_at))
    return command


def _refuse(state: State, event: QuarantineAsked, now: Instant) -> list[Command]:
    held, live = _waiting(state, event)
    after = requests.step(live.request.id, live.request.state, RequestState.REFUSED)
    reason = f"It was refused by {event.user or 'somebody'} in request {event.request_id}. {live.request.reason}"
    push = replace(live.request, state=after, reason=reason, reason_code="refused", finished_at=now)
    _forget(state, held.id, live)
    return [SaveRequest(push), Notify(push)]


def _forget(state: State, delivery: DeliveryId, live: LiveRequest) -> None:
    del state.held[delivery]
    del state.requests[live.request.id]
    state.changed.pop(live.request.id, None)
