"""Times that come again, as cron writes them: minute, hour, day of month, month, day of week; in UTC (pure).

A day of month and a day of week that are both named mean either. The library knows the names (`mon`, `jan`), `L` for
the last day and `#` for the n-th weekday of a month.
"""

from __future__ import annotations

from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

from plotter2.clock import ZERO, Instant

FIELDS = 5


def fault(cron: str) -> str:
    """What is wrong with this expression, as the end of a sentence that begins with its place; "" for nothing."""
    if len(cron.split()) != FIELDS:
        return "needs five fields: minute, hour, day of month, month, day of week"
    try:
        next_after(cron, ZERO)
    except CronSimError as wrong:
        return f"is {cron!r}: {str(wrong).lower()}; as '30 4 * * mon' is half past four on Mondays, in UTC"
    return ""


def next_after(cron: str, now: Instant) -> Instant:
    """The first of its times after `now`; `ZERO` if there is none within fifty years.

    Raises:
        CronSimError: it is no expression; `fault` says why.
    """
    times = CronSim(cron, datetime.fromtimestamp(now, UTC))
    found = next(times, None)
    return Instant(found.timestamp()) if found is not None else ZERO
