"""Times that come again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.clock import Instant
from plotter2.model import schedule


def moment(text: str) -> Instant:
    return Instant(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.req("r023")
@pytest.mark.parametrize(
    ("cron", "now", "expected"),
    [
        ("30 4 * * *", "2026-03-01T04:29:59.5", "2026-03-01T04:30"),
        ("30 4 * * *", "2026-03-01T04:30", "2026-03-02T04:30"),
        ("0 0 29 2 *", "2026-03-01T00:00", "2028-02-29T00:00"),
        ("0 12 * * mon", "2026-03-01T00:00", "2026-03-02T12:00"),
        ("0 0 L * *", "2026-02-10T00:00", "2026-02-28T00:00"),
    ],
)
def test_the_next_time_is_the_first_after_now_in_utc(cron: str, now: str, expected: str) -> None:
    assert schedule.fault(cron) == ""
    assert schedule.next_after(cron, moment(now)) == moment(expected)


@given(st.integers(0, 4_000_000_000), st.integers(1, 59))
def test_every_so_many_minutes_is_at_most_an_hour_away_and_never_now(now: int, minutes: int) -> None:
    found = schedule.next_after(f"*/{minutes} * * * *", Instant(float(now)))
    assert 0 < found - now <= 3600
    assert found % 60 == 0


@pytest.mark.req("r023")
@pytest.mark.parametrize(
    ("cron", "reason"),
    [
        ("@daily", "needs five fields"),
        ("0 0 * * * *", "needs five fields"),
        ("61 * * * *", "is '61 * * * *': bad minute; as '30 4 * * mon' is"),
        ("* * * * monday", "bad day-of-week"),
        ("0 0 30 2 *", "bad day-of-month"),
    ],
)
def test_what_is_no_schedule_says_why(cron: str, reason: str) -> None:
    assert reason in schedule.fault(cron)
