"""repeat in scripts: this run again, when it has ended well, with other values or as it was (requirement 174).

A script says what it wants; whether it is done is decided where requests are made, which know how often it was done.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import product
from typing import Any

from plotter2.datter import results
from plotter2.datter.context import current
from plotter2.errors import UsageError
from plotter2.model.rounds import RUNS_MAX, Again, encode

FORM = 'repeat(over={"lr": [0.1, 0.2]}), repeat(times=3) or repeat(until=loss < 0.1)'


def repeat(*, over: Any = None, times: Any = None, until: Any = None) -> None:
    """Have this run done again when it has ended well: each time a request of its own, caused by this one.

    Args:
        over: values by parameter; it is done once for each, of several parameters for each combination, the last one
            fastest. A run that came of a repeat does not do so again.
        times: how often in all, one after the other, this one counted.
        until: whether it has come to its end; while it has not, it is done again, at most 100 times.

    Raises:
        UsageError: none of these or several but `times` with `until`, no values, or repeat was called before.
    """
    context = current()
    if context.again:
        raise UsageError("repeat: it was called before in this run.")
    is_counted = times is not None or until is not None
    if (over is not None) == is_counted:
        raise UsageError(f"repeat is called as {FORM}.")
    if times is not None and (isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= RUNS_MAX):
        raise UsageError(f"repeat: times is a whole number from 1 to {RUNS_MAX:,}, how often in all; not {times!r}.")
    if until is not None and bool(until):
        return
    context.again = encode(Again(_values(over) if over is not None else (), times or 0))


def _values(over: object) -> tuple[str, ...]:
    """The parameters of each run, a JSON object each."""
    if not isinstance(over, Mapping) or not over:
        raise UsageError('repeat: over is a dictionary of parameters with values, as {"lr": [0.1, 0.2]}.')
    lists = {str(name): _list(str(name), values) for name, values in over.items()}
    found = tuple(
        json.dumps(dict(zip(lists, some, strict=True)), ensure_ascii=False) for some in product(*lists.values())
    )
    if len(found) > RUNS_MAX:
        raise UsageError(f"repeat: {len(found):,} combinations; at most {RUNS_MAX:,}.")
    return found


def _list(name: str, values: Any) -> list[Any]:
    found = results.to_json(values)
    if isinstance(found, dict):
        found = list(found.values())
    if not isinstance(found, list) or not found:
        raise UsageError(f"repeat: {name!r} has no list of values, but {values!r}.")
    return found
