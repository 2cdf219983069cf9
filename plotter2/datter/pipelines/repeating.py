"""`repeat` in a pipeline: the steps before it again, a number of times or over values of an argument (r174, pure).

The steps are written out before any of them is checked, as if somebody had typed them. Only `{"repeat": {"on": ...}}`
is a step of its own: it has the whole pipeline done again when something happens, see `plotter2.datter.trees.again`.
"""

from __future__ import annotations

from typing import Any

from plotter2.datter.values.keys import nearest
from plotter2.errors import UsageError

REPEAT = "repeat"
FORM = '{"repeat": 3}, {"repeat": {"times": 3}}, {"repeat": {"over": {"k": [2, 3]}}} or {"repeat": {"on": "version"}}'
Raw = tuple[int, str, tuple[Any, ...], dict[str, Any]]
"""A step as it was written: its place, name and arguments."""


def is_awaiting(step: Raw) -> bool:
    """Whether it has the whole pipeline wait for something, and adds no steps."""
    return step[1] == REPEAT and "on" in step[3]


def written_out(steps: list[Raw], step: Raw, once: frozenset[str], limit: int) -> list[Raw]:
    """What a `repeat` adds to the steps before it.

    Args:
        steps: those before it, with what repeats among them added.
        step: the repeat.
        once: ops that are not done again for `times`: they give the data, the frame, or say what must be given.
        limit: so many steps at most.

    Raises:
        UsageError: nothing to repeat, no such argument before it, or too many steps.
    """
    _, _, args, given = step
    if not steps:
        raise UsageError("there is nothing before it to repeat")
    if len(args) == 1 and not given:
        given = {"times": args[0]}
    if len(given) != 1 or not given.keys() <= {"times", "over"}:
        raise UsageError(f"it is written {FORM}")
    added = _over(steps, given["over"]) if "over" in given else _times(steps, given["times"], once, limit)
    if len(steps) + len(added) > limit:
        raise UsageError(f"with it they are {len(steps) + len(added):,} steps; at most {limit:,}")
    return added


def _times(steps: list[Raw], times: Any, once: frozenset[str], limit: int) -> list[Raw]:
    if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= limit:
        raise UsageError(f"times is a whole number from 1 to {limit:,}: how often they are done in all, not {times!r}")
    return [one for one in steps if one[1] not in once] * (times - 1)


def _over(steps: list[Raw], over: Any) -> list[Raw]:
    if not isinstance(over, dict) or len(over) != 1 or not isinstance(next(iter(over.values())), list):
        raise UsageError('over is one argument with a list of values, as {"over": {"k": [2, 3]}}')
    name, values = next(iter(over.items()))
    if not any(name in given for _, _, _, given in steps):
        known = dict.fromkeys(one for _, _, _, given in steps for one in given)
        raise UsageError(f"no step before it is given {name!r} by name; {nearest(name, known)}")
    return [
        (place, called, args, {**given, name: value} if name in given else given)
        for value in values
        for place, called, args, given in steps
        if called != "impose"
    ]
