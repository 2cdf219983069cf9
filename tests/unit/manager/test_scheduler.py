"""Round-robin: fair over living workers, whoever joins or leaves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manager.scheduler import RoundRobin, Seat
from plotter2.ids import RunId, WorkerId

names = st.sets(st.text("abcdef", min_size=1, max_size=3), min_size=1, max_size=8)


def runs(count: int) -> list[RunId]:
    return [RunId(f"r{i}") for i in range(count)]


def seats(ids: set[str], free: int = 1000) -> list[Seat]:
    return [Seat(WorkerId(one), free) for one in ids]


@pytest.mark.req("M20", "M21", "S08")
@given(names, st.integers(0, 20))
def test_each_living_worker_has_a_turn_in_any_n_consecutive_choices(ids: set[str], skip: int) -> None:
    scheduler = RoundRobin()
    scheduler.plan(runs(skip), seats(ids))
    for _ in range(3):
        chosen = [worker for _, worker in scheduler.plan(runs(len(ids)), seats(ids))]
        assert sorted(chosen) == sorted(ids)


@pytest.mark.req("M21")
@given(names, names)
def test_who_joins_or_leaves_shifts_nobody_elses_turn(before: set[str], after: set[str]) -> None:
    scheduler = RoundRobin()
    last = scheduler.plan(runs(len(before)), seats(before))[-1][1]
    turn = [worker for _, worker in scheduler.plan(runs(len(after)), seats(after))]
    ring = sorted(after)
    following = [one for one in ring if one > last] + [one for one in ring if one <= last]
    assert turn == following


@pytest.mark.req("M19", "M20", "S08")
def test_workers_without_room_are_passed_over() -> None:
    plan = RoundRobin().plan(runs(5), [Seat(WorkerId("a"), 1), Seat(WorkerId("b"), 0), Seat(WorkerId("c"), 3)])
    assert [worker for _, worker in plan] == ["a", "c", "c", "c"]


def test_nobody_alive_gives_an_empty_plan() -> None:
    assert RoundRobin().plan(runs(3), []) == []


@given(names, st.integers(0, 50), st.integers(0, 5))
def test_no_run_is_given_twice_and_no_seat_is_overfilled(ids: set[str], count: int, free: int) -> None:
    plan = RoundRobin().plan(runs(count), seats(ids, free))
    assert [run for run, _ in plan] == runs(min(count, free * len(ids)))
    for one in ids:
        assert sum(1 for _, worker in plan if worker == one) <= free
