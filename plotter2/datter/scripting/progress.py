"""How far a run is: `progress(i, n)` and `track(values)`, seen live by whoever watches.

Only the last value counts: the child tells at most four a second, however often these are called.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

from plotter2.datter.context import current
from plotter2.errors import UsageError

T = TypeVar("T")


def progress(done: float, total: float = 0) -> None:
    """Say that `done` of `total` is done, in any unit; `total` 0 says that nobody knows how much there is.

    Raises:
        UsageError: no numbers, or less than nothing.
    """
    try:
        said = float(done), float(total)
    except (TypeError, ValueError):
        raise UsageError(f"progress takes two numbers, as progress(3, 10); not {done!r} and {total!r}.") from None
    if not all(0 <= one < float("inf") for one in said):
        raise UsageError(f"progress takes numbers from 0 on, not {done!r} and {total!r}.")
    current().run.show(*said)


def track(values: Iterable[T], total: float | None = None) -> Iterator[T]:
    """The values one after the other, while watchers see how many are done.

    Args:
        values: what is gone through.
        total: how many they are; by default their length, where they have one.
    """
    count = float(total) if total is not None else float(len(values)) if isinstance(values, Sized) else 0.0
    progress(0, count)
    for place, value in enumerate(values, 1):
        yield value
        progress(place, count)
