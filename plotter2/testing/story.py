"""Stories: transcripts of a pure machine as text files that anybody can read. Events in, commands out.

::

    # a worker that goes silent is lost, and its runs go elsewhere
    > WorkerAnnounced(worker_id="w1", is_ours=True)
    SaveWorker(...)
    > +3.5
    > Ticked()
    nothing

A line with `>` is something that happens: an event, written as its constructor, or time that passes, in seconds. The
lines below are the commands that it caused, each with the fields that differ from their defaults, or `nothing`. `#`
begins a comment. To write a story, write its `>` lines and record it; what is reviewed is the diff.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from plotter2.clock import Instant
from plotter2.errors import UsageError
from plotter2.testing.clock import ManualClock

STIMULUS = ">"
NOTHING = "nothing"

Handle = Callable[[Any, Instant], Iterable[object]]


def replay(text: str, handle: Handle, vocabulary: Mapping[str, Any]) -> str:
    """Play a story and return it as it went this time.

    Args:
        text: the story; commands in it are not looked at.
        handle: the machine: an event and the time in, commands out.
        vocabulary: names that events may use: event classes, value classes, enumerations.

    Raises:
        UsageError: a line that cannot be read; the message has its number.
    """
    clock = ManualClock()
    told: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith(STIMULUS):
            told.append(line)
            stimulus = line.removeprefix(STIMULUS).strip()
            if stimulus.startswith("+"):
                clock.advance(_seconds(stimulus, number))
            else:
                commands = [describe(one) for one in handle(_event(stimulus, number, vocabulary), clock.now())]
                told += commands or [NOTHING]
        elif not line.strip() or line.startswith("#"):
            told.append(line)
    return "\n".join(told) + "\n"


def check(path: Path, handle: Handle, vocabulary: Mapping[str, Any], *, record: bool = False) -> None:
    """Play the story in a file and compare, or write down how it went.

    Raises:
        AssertionError: it went otherwise; both transcripts are in the error, for the test runner's diff.
    """
    expected = path.read_text(encoding="utf-8")
    actual = replay(expected, handle, vocabulary)
    if record:
        path.write_text(actual, encoding="utf-8")
    elif actual != expected:
        raise AssertionError(f"{path.name} went otherwise:\n{_difference(expected, actual)}")


def _difference(expected: str, actual: str) -> str:
    for number, (was, now) in enumerate(zip(expected.splitlines(), actual.splitlines(), strict=False), start=1):
        if was != now:
            return f"line {number}\n  told: {was}\n  went: {now}\n\nthe whole story as it went:\n{actual}"
    return f"one of the two is longer; as it went:\n{actual}"


def describe(value: object) -> str:
    """A value as a story shows it: constructors with the fields that differ from their defaults."""
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    if is_dataclass(value) and not isinstance(value, type):
        shown = [f"{one.name}={describe(getattr(value, one.name))}" for one in fields(value) if _is_said(value, one)]
        return f"{type(value).__name__}({', '.join(shown)})"
    if isinstance(value, tuple | list):
        return f"[{', '.join(describe(item) for item in value)}]"
    if isinstance(value, frozenset | set):
        return f"{{{', '.join(sorted(describe(item) for item in value))}}}"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{describe(key)}: {describe(item)}' for key, item in value.items())}}}"
    return repr(value)


def _is_said(value: object, one: Any) -> bool:
    actual = getattr(value, one.name)
    if one.default is not MISSING:
        return bool(actual != one.default)
    return one.default_factory is MISSING or bool(actual != one.default_factory())


def _seconds(stimulus: str, number: int) -> float:
    try:
        return float(stimulus)
    except ValueError:
        raise UsageError(f"Line {number}: {stimulus!r} is not a number of seconds.") from None


def _event(stimulus: str, number: int, vocabulary: Mapping[str, Any]) -> Any:
    try:
        return _value(ast.parse(stimulus, mode="eval").body, vocabulary)
    except (SyntaxError, TypeError, KeyError, ValueError) as wrong:
        raise UsageError(f"Line {number}: {stimulus!r} is not an event: {wrong}.") from None


def _value(node: ast.expr, vocabulary: Mapping[str, Any]) -> Any:
    """Evaluate what a story may contain: constructors, members of enumerations, and literals."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
            named = {str(one.arg): _value(one.value, vocabulary) for one in keywords}
            return vocabulary[name](*(_value(arg, vocabulary) for arg in args), **named)
        case ast.Attribute(value=ast.Name(id=name), attr=member):
            return vocabulary[name][member]
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return tuple(_value(item, vocabulary) for item in items)
        case _:
            return ast.literal_eval(node)
