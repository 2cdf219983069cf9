import pytest

from plotter2.clock import Clock, IdSource, Instant
from plotter2.testing import ManualClock, SeededIds


def test_time_stands_still_until_it_is_moved() -> None:
    clock: Clock = ManualClock(Instant(100.0))
    assert clock.now() == clock.now() == 100.0


def test_both_clocks_move_together() -> None:
    clock = ManualClock(Instant(100.0))
    assert clock.advance(2.5) == 102.5
    assert clock.monotonic() == 2.5


def test_only_the_wall_clock_steps() -> None:
    clock = ManualClock(Instant(100.0))
    assert clock.step(-50) == 50.0
    assert clock.monotonic() == 0.0


def test_time_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="does not go back"):
        ManualClock().advance(-1)


def test_the_same_seed_gives_the_same_names() -> None:
    first, second, other = SeededIds(1), SeededIds(1), SeededIds(2)
    assert [first.request(), first.delivery(), first.uuid()] == [second.request(), second.delivery(), second.uuid()]
    assert first.uuid() != other.uuid()


def test_names_sort_by_their_making_and_never_repeat() -> None:
    source: IdSource = SeededIds()
    made = [source.uuid() for _ in range(2000)]
    assert made == sorted(set(made))
