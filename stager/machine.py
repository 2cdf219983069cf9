"""The stager's mind: which deliveries are let in, sent on next, and forgotten (pure).

::

    RECEIVING ──sealed──> SEALED ──confirmed──> CONFIRMED     data removed, receipt remembered
        │                    └────refused────> REFUSED       data kept until the room is needed
        └─ spoiled, idle too long: forgotten, the sender never had our word

Events are facts: what the journal must hold is there before the event is handed in, save for those that a command
saves. Refuses to know files, sockets, or the time of day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from plotter2.clock import Instant
from plotter2.errors import IllegalStepError, LimitError, NotFoundError, RefusedError
from plotter2.ids import DeliveryId
from plotter2.model.delivery import Order
from stager.deliveries import (
    STEPS,
    Backlog,
    Delivery,
    DeliveryState,
    Limits,
    Receipt,
    Refusal,
    declared,
    is_same,
    other_content,
)

# --- what can happen ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeliveryBegun:
    """A sender declares a delivery, for the first time or again."""

    order: Order
    held: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """A sender is gone, whatever it has achieved."""

    delivery_id: DeliveryId


@dataclass(frozen=True, slots=True)
class DeliverySealed:
    """All of a delivery is on disk, and the journal says so."""

    order: Order
    number: int


@dataclass(frozen=True, slots=True)
class DeliverySpoiled:
    """What came is not what was declared: this delivery cannot be completed any more."""

    delivery_id: DeliveryId


@dataclass(frozen=True, slots=True)
class DeliveryConfirmed:
    """The manager has it, durably."""

    delivery_id: DeliveryId
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class DeliveryRefused:
    """The manager does not want it."""

    delivery_id: DeliveryId
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time has passed."""


Event = DeliveryBegun | StreamEnded | DeliverySealed | DeliverySpoiled | DeliveryConfirmed | DeliveryRefused | Ticked


# --- what is to be done -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SaveBegun:
    """Write down that this delivery is being received."""

    delivery: Delivery


@dataclass(frozen=True, slots=True)
class SaveEnded:
    """Write down how it ended."""

    delivery_id: DeliveryId
    outcome: Receipt | Refusal


@dataclass(frozen=True, slots=True)
class Forget:
    """Remove its data, and the row that says it is here. How it ended stays known."""

    delivery_id: DeliveryId


@dataclass(frozen=True, slots=True)
class Forward:
    """Send it to the manager."""

    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Announce:
    """Tell who waits how it ended."""

    delivery_id: DeliveryId
    outcome: Receipt | Refusal


Command = SaveBegun | SaveEnded | Forget | Forward | Announce


@dataclass(slots=True)
class Machine:
    """All deliveries that take room here; the only writer of them."""

    limits: Limits
    deliveries: dict[DeliveryId, Delivery] = field(default_factory=dict)
    _streams: dict[DeliveryId, int] = field(default_factory=dict)
    _waiting: dict[DeliveryId, str] = field(default_factory=dict)
    _under_way: dict[DeliveryId, str] = field(default_factory=dict)
    _used_bytes: int = 0

    def restore(self, known: Iterable[Delivery]) -> list[Command]:
        """Take over what the journal holds after a start; what was sealed is sent on again."""
        for delivery in sorted(known, key=lambda one: one.number):
            self._put(delivery)
            if delivery.state is DeliveryState.SEALED:
                self._waiting[delivery.id] = delivery.order.bundle
        return self._dispatch()

    def find(self, delivery_id: DeliveryId) -> Delivery | None:
        """A delivery that takes room here."""
        return self.deliveries.get(delivery_id)

    def backlog(self) -> Backlog:
        """What waits here."""
        states = [delivery.state for delivery in self.deliveries.values()]
        return Backlog(
            states.count(DeliveryState.RECEIVING),
            states.count(DeliveryState.SEALED),
            states.count(DeliveryState.REFUSED),
            self._used_bytes,
        )

    def check_room(self, order: Order) -> None:
        """Whether a delivery can be taken in.

        Raises:
            LimitError: there is no room now.
            RefusedError: there never will be.
        """
        fresh = Delivery(order, DeliveryState.RECEIVING)
        self._check_quota(fresh)
        refused = [one for one in self.deliveries.values() if one.state is DeliveryState.REFUSED]
        wrong = "" if order.delivery_id in self.deliveries else self._lack(fresh, refused)
        if wrong:
            raise LimitError(wrong)

    def _check_quota(self, fresh: Delivery) -> None:
        quota_bytes = self.limits.quota_bytes
        if fresh.room_bytes > quota_bytes:
            raise RefusedError(
                f"This delivery needs {fresh.room_bytes} bytes and the stager's quota is {quota_bytes} bytes in all, so"
                " there will never be room for it; send it in parts, or give the stager a larger quota_bytes."
            )

    def handle(self, event: Event, now: Instant) -> list[Command]:
        """What follows from an event.

        Raises:
            LimitError: there is no room now; the sender keeps its data.
            RefusedError: there never will be.
            ConflictError: the same name for two different deliveries.
            IllegalStepError: a step that the table does not have.
        """
        commands: list[Command]
        match event:
            case DeliveryBegun():
                commands = self._begun(event, now)
            case StreamEnded():
                commands = self._stream_ended(event.delivery_id, now)
            case DeliverySealed():
                commands = self._sealed(event, now)
            case DeliverySpoiled():
                commands = self._spoiled(event.delivery_id)
            case DeliveryConfirmed():
                commands = self._confirmed(event)
            case DeliveryRefused():
                commands = self._refused(event, now)
            case Ticked():
                commands = self._ticked(now)
        return commands

    def _begun(self, event: DeliveryBegun, now: Instant) -> list[Command]:
        order = event.order
        known = self.deliveries.get(order.delivery_id)
        if known is None:
            fresh = Delivery(order, DeliveryState.RECEIVING, event.held, now)
            evicted = self._make_room(fresh)
            self._put(fresh)
            self._enter(fresh.id)
            return [*evicted, SaveBegun(fresh)]
        if not is_same(known.order, order):
            raise other_content(order.delivery_id)
        self._enter(known.id)
        self.deliveries[known.id] = replace(known, touched_at=now)
        return []

    def _enter(self, delivery_id: DeliveryId) -> None:
        self._streams[delivery_id] = self._streams.get(delivery_id, 0) + 1

    def _stream_ended(self, delivery_id: DeliveryId, now: Instant) -> list[Command]:
        left = self._streams.pop(delivery_id, 1) - 1
        if left:
            self._streams[delivery_id] = left
        known = self.deliveries.get(delivery_id)
        if known is not None:
            self.deliveries[delivery_id] = replace(known, touched_at=now)
        return []

    def _make_room(self, fresh: Delivery) -> list[Command]:
        """Refused deliveries, the oldest first, go when the room is needed; nothing else ever does."""
        self._check_quota(fresh)
        evicted: list[Delivery] = []
        refused = [one for one in self.deliveries.values() if one.state is DeliveryState.REFUSED]
        refused.sort(key=lambda one: one.touched_at, reverse=True)
        while wrong := self._lack(fresh, evicted):
            if not refused:
                raise LimitError(wrong)
            evicted.append(refused.pop())
        return [command for one in evicted for command in self._remove(one.id)]

    def _lack(self, fresh: Delivery, evicted: list[Delivery]) -> str:
        if len(self.deliveries) - len(evicted) >= self.limits.deliveries_max:
            return (
                f"{self.limits.deliveries_max} deliveries are open at the stager, which is its limit; try again later."
            )
        free_bytes = self.limits.quota_bytes - self._used_bytes + sum(one.room_bytes for one in evicted)
        if fresh.room_bytes > free_bytes:
            return (
                f"The stager has room for {max(free_bytes, 0)} more bytes and this delivery needs {fresh.room_bytes}; "
                "try again when the manager has taken what waits."
            )
        return ""

    def _sealed(self, event: DeliverySealed, now: Instant) -> list[Command]:
        known = self._step(event.order.delivery_id, DeliveryState.SEALED)
        self._put(replace(known, order=event.order, number=event.number, sealed_at=now, touched_at=now))
        self._waiting[known.id] = known.order.bundle
        return self._dispatch()

    def _spoiled(self, delivery_id: DeliveryId) -> list[Command]:
        known = self.deliveries.get(delivery_id)
        is_open = known is not None and known.state is DeliveryState.RECEIVING
        return self._remove(delivery_id) if is_open else []

    def _confirmed(self, event: DeliveryConfirmed) -> list[Command]:
        known = self._step(event.delivery_id, DeliveryState.CONFIRMED)
        receipt = replace(event.receipt, declared=declared(known.order))
        self._under_way.pop(event.delivery_id, None)
        return [
            SaveEnded(event.delivery_id, receipt),
            Announce(event.delivery_id, receipt),
            *self._remove(event.delivery_id),
            *self._dispatch(),
        ]

    def _refused(self, event: DeliveryRefused, now: Instant) -> list[Command]:
        known = self._step(event.delivery_id, DeliveryState.REFUSED)
        self._under_way.pop(event.delivery_id, None)
        self._put(replace(known, touched_at=now))
        refusal = replace(event.refusal, declared=declared(known.order))
        return [
            SaveEnded(event.delivery_id, refusal),
            Announce(event.delivery_id, refusal),
            *self._dispatch(),
        ]

    def _ticked(self, now: Instant) -> list[Command]:
        idle = [
            one.id
            for one in self.deliveries.values()
            if one.state is DeliveryState.RECEIVING
            and one.id not in self._streams
            and now - one.touched_at > self.limits.idle_s_max
        ]
        return [command for delivery_id in idle for command in self._remove(delivery_id)]

    def _dispatch(self) -> list[Command]:
        """The oldest of each bundle, as many as may be under way: versions come in the order of sealing."""
        taken = set(self._under_way.values())
        chosen: list[DeliveryId] = []
        for delivery_id, bundle in self._waiting.items():
            if len(self._under_way) + len(chosen) >= self.limits.forward_parallel_max:
                break
            if bundle not in taken:
                taken.add(bundle)
                chosen.append(delivery_id)
        for delivery_id in chosen:
            self._under_way[delivery_id] = self._waiting.pop(delivery_id)
        return [Forward(self.deliveries[delivery_id]) for delivery_id in chosen]

    def _step(self, delivery_id: DeliveryId, to: DeliveryState) -> Delivery:
        known = self.deliveries.get(delivery_id)
        if known is None:
            raise NotFoundError(f"There is no delivery {delivery_id} here.")
        if to not in STEPS[known.state]:
            raise IllegalStepError(f"Delivery {delivery_id} is {known.state.name}; it cannot become {to.name}.")
        return replace(known, state=to)

    def _put(self, delivery: Delivery) -> None:
        before = self.deliveries.get(delivery.id)
        self._used_bytes += delivery.room_bytes - (before.room_bytes if before else 0)
        self.deliveries[delivery.id] = delivery

    def _remove(self, delivery_id: DeliveryId) -> list[Command]:
        known = self.deliveries.pop(delivery_id, None)
        if known is None:
            return []
        self._used_bytes -= known.room_bytes
        return [Forget(delivery_id)]
