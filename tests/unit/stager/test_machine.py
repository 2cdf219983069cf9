from dataclasses import replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from plotter2.clock import Instant
from plotter2.errors import ConflictError, IllegalStepError, LimitError, NotFoundError, RefusedError
from plotter2.model.delivery import Order
from stager.deliveries import BLOCK_BYTES, Delivery, DeliveryState, Limits, Refusal, declared
from stager.machine import (
    Announce,
    DeliveryBegun,
    DeliveryConfirmed,
    DeliveryRefused,
    DeliverySealed,
    DeliverySpoiled,
    Forget,
    Forward,
    Machine,
    SaveBegun,
    SaveEnded,
    StreamEnded,
    Ticked,
)
from tests.unit.stager.kit import order, receipt

NOW = Instant(100.0)
LIMITS = Limits(quota_bytes=10 * BLOCK_BYTES, deliveries_max=5, idle_s_max=60, forward_parallel_max=2)
NO = Refusal("package", "no")


def begun(machine: Machine, given: Order) -> Order:
    machine.handle(DeliveryBegun(given), NOW)
    return given


def sealed(machine: Machine, given: Order, number: int = 1) -> Order:
    machine.handle(DeliverySealed(begun(machine, given), number), NOW)
    return given


def test_a_delivery_goes_its_way() -> None:
    machine, one = Machine(LIMITS), order()
    assert machine.handle(DeliveryBegun(one), NOW) == [
        SaveBegun(Delivery(one, DeliveryState.RECEIVING, touched_at=NOW))
    ]
    (forward,) = machine.handle(DeliverySealed(one, 1), NOW)
    assert isinstance(forward, Forward)
    assert forward.delivery.state is DeliveryState.SEALED
    told = replace(receipt(), declared=declared(one))
    assert machine.handle(DeliveryConfirmed(one.delivery_id, receipt()), NOW) == [
        SaveEnded(one.delivery_id, told),
        Announce(one.delivery_id, told),
        Forget(one.delivery_id),
    ]
    assert machine.find(one.delivery_id) is None
    assert machine.backlog().size_bytes == 0


def test_one_of_a_bundle_at_a_time_and_so_many_in_all() -> None:
    machine = Machine(LIMITS)
    first, second, other, third = order("b"), order("b"), order("c"), order("d")
    for one in (first, second, other, third):
        begun(machine, one)
    forwarded = [machine.handle(DeliverySealed(one, n), NOW) for n, one in enumerate((first, second, other, third), 1)]
    assert [len(commands) for commands in forwarded] == [1, 0, 1, 0]
    commands = machine.handle(DeliveryConfirmed(first.delivery_id, receipt()), NOW)
    assert [one.delivery.id for one in commands if isinstance(one, Forward)] == [second.delivery_id]
    commands = machine.handle(DeliveryRefused(other.delivery_id, NO), NOW)
    assert [one.delivery.id for one in commands if isinstance(one, Forward)] == [third.delivery_id]


def test_after_a_start_what_was_sealed_is_sent_on_in_order() -> None:
    one, two, open_one = order("b"), order("b"), order("c")
    known = [
        Delivery(two, DeliveryState.SEALED, number=2),
        Delivery(open_one, DeliveryState.RECEIVING),
        Delivery(one, DeliveryState.SEALED, number=1),
    ]
    machine = Machine(LIMITS)
    assert [command.delivery.id for command in machine.restore(known) if isinstance(command, Forward)] == [
        one.delivery_id
    ]
    assert machine.backlog().sealed == 2


def test_the_quota_counts_whole_blocks_and_not_what_the_manager_has() -> None:
    machine = Machine(LIMITS)
    begun(machine, order(a=b"x" * (9 * BLOCK_BYTES)))
    with pytest.raises(LimitError, match=f"room for {BLOCK_BYTES} more bytes"):
        machine.handle(DeliveryBegun(order(a=b"x", b=b"x")), NOW)
    machine.handle(DeliveryBegun(order(a=b"x", b=b"x"), frozenset({1})), NOW)
    assert machine.backlog().size_bytes == 10 * BLOCK_BYTES


def test_what_is_larger_than_the_quota_is_refused_for_ever_with_both_sizes() -> None:
    machine = Machine(LIMITS)
    said = f"needs {11 * BLOCK_BYTES} bytes and the stager's quota is {10 * BLOCK_BYTES} bytes"
    large = order(a=b"x" * 11 * BLOCK_BYTES)
    for ask in (machine.check_room, lambda one: machine.handle(DeliveryBegun(one), NOW)):
        with pytest.raises(RefusedError, match=said) as wrong:
            ask(large)
        assert not wrong.value.retry
    machine.handle(DeliveryBegun(large, frozenset({0})), NOW)  # the manager has it: it needs no room


def test_refused_data_goes_oldest_first_when_the_room_is_needed_and_only_then() -> None:
    machine = Machine(LIMITS)
    old, young = order("b", a=b"x" * 4 * BLOCK_BYTES), order("c", a=b"x" * 4 * BLOCK_BYTES)
    for number, one in enumerate((old, young), 1):
        sealed(machine, one, number)
        machine.handle(DeliveryRefused(one.delivery_id, NO), Instant(NOW + number))
    begun(machine, order(a=b"x"))
    with pytest.raises(LimitError):
        machine.handle(DeliveryBegun(order(a=b"x" * 10 * BLOCK_BYTES)), NOW)
    assert machine.backlog().refused == 2
    commands = machine.handle(DeliveryBegun(order(a=b"x" * 5 * BLOCK_BYTES)), NOW)
    assert commands[0] == Forget(old.delivery_id)
    assert machine.backlog().refused == 1


def test_too_many_deliveries_are_refused() -> None:
    machine = Machine(LIMITS)
    for _ in range(LIMITS.deliveries_max):
        begun(machine, order())
    with pytest.raises(LimitError, match="5 deliveries are open"):
        begun(machine, order())


def test_a_name_stands_for_one_delivery() -> None:
    machine = Machine(LIMITS)
    one = begun(machine, order(a=b"a"))
    assert machine.handle(DeliveryBegun(one), NOW) == []
    other = order(a=b"b")
    with pytest.raises(ConflictError):
        machine.handle(DeliveryBegun(Order(one.delivery_id, other.bundle, other.manifest_json, other.files)), NOW)


def test_only_what_nobody_sends_and_was_never_sealed_is_swept() -> None:
    machine = Machine(LIMITS)
    idle, busy = begun(machine, order("b")), begun(machine, order("c"))
    sealed(machine, order("d"))
    machine.handle(StreamEnded(idle.delivery_id), NOW)
    assert machine.handle(Ticked(), Instant(NOW + 59)) == []
    assert machine.handle(Ticked(), Instant(NOW + 61)) == [Forget(idle.delivery_id)]
    machine.handle(StreamEnded(busy.delivery_id), Instant(NOW + 61))
    assert machine.handle(Ticked(), Instant(NOW + 100)) == []


def test_what_is_spoiled_is_forgotten_and_what_is_sealed_cannot_be_spoiled() -> None:
    machine = Machine(LIMITS)
    one, two = begun(machine, order("b")), sealed(machine, order("c"))
    assert machine.handle(DeliverySpoiled(one.delivery_id), NOW) == [Forget(one.delivery_id)]
    assert machine.handle(DeliverySpoiled(two.delivery_id), NOW) == []


def test_steps_that_the_table_does_not_have_raise() -> None:
    machine = Machine(LIMITS)
    one = begun(machine, order())
    with pytest.raises(IllegalStepError, match="RECEIVING; it cannot become CONFIRMED"):
        machine.handle(DeliveryConfirmed(one.delivery_id, receipt()), NOW)
    with pytest.raises(NotFoundError):
        machine.handle(DeliverySealed(order(), 1), NOW)


class Life(RuleBasedStateMachine):
    """Any order of events: never over the quota, never two of a bundle under way, nothing sealed lost."""

    @initialize()
    def start(self) -> None:
        self.machine = Machine(Limits(20 * BLOCK_BYTES, 10, 60, 2))
        self.receiving: list[Order] = []
        self.sealed: set[str] = set()
        self.ended: set[str] = set()
        self.under_way: dict[str, str] = {}
        self.number = 0

    def _note(self, commands: list[object]) -> None:
        for command in commands:
            if isinstance(command, Forward):
                self.under_way[command.delivery.id] = command.delivery.order.bundle

    @rule(bundle=st.sampled_from("abc"), blocks=st.integers(0, 8))
    def begin(self, bundle: str, blocks: int) -> None:
        one = order(bundle, a=b"x" * blocks * BLOCK_BYTES)
        try:
            self.machine.handle(DeliveryBegun(one), NOW)
        except LimitError:
            return
        self.receiving.append(one)

    @rule()
    def seal(self) -> None:
        if self.receiving:
            one = self.receiving.pop(0)
            self.number += 1
            self.sealed.add(one.delivery_id)
            self._note(self.machine.handle(DeliverySealed(one, self.number), NOW))

    @rule(is_confirmed=st.booleans())
    def end(self, is_confirmed: bool) -> None:
        if self.under_way:
            one = next(iter(self.under_way))
            del self.under_way[one]
            self.sealed.discard(one)
            event = DeliveryConfirmed(one, receipt()) if is_confirmed else DeliveryRefused(one, NO)
            self._note(self.machine.handle(event, NOW))

    @invariant()
    def holds(self) -> None:
        if not hasattr(self, "machine"):
            return
        assert 0 <= self.machine.backlog().size_bytes <= self.machine.limits.quota_bytes
        assert len(self.under_way) <= 2
        assert len(set(self.under_way.values())) == len(self.under_way)
        assert all(self.machine.find(one) is not None for one in self.sealed)
        assert bool(self.under_way) or not self.sealed


TestLife = Life.TestCase
