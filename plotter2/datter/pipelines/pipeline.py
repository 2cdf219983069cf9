"""Pipelines: a list of built-ins, checked as a whole before the first one runs (requirements 098, 099, 105).

A step is a name, `{"name": {arguments}}`, `{"name": [arguments]}`, `{"name": argument}` or `["name", arguments...]`.
Between steps there is one register: the data, and the frame. Steps are counted from 1 in messages.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from plotter2.datter.builtins import TABLE
from plotter2.datter.context import Context
from plotter2.datter.pipelines import arguments, prefix
from plotter2.datter.pipelines.register import WITHOUT_DATA, Register, Step
from plotter2.datter.pipelines.repeating import REPEAT, Raw, is_awaiting, written_out
from plotter2.datter.scripting.axes import KEYTYPE, Axis
from plotter2.datter.values.keys import nearest
from plotter2.datter.vocabulary import NONE, Additions, Builtin, Role
from plotter2.errors import ScriptError, UsageError

KEPT_PIPELINES = 256
STEPS_MAX = 1_000
_USABLE = sorted({REPEAT, *(name for name, row in TABLE.items() if not row.is_script_only)})
_ONCE = frozenset(
    name for name, row in TABLE.items() if row.role in {Role.SOURCE, Role.CONTRACT, Role.NEW_FRAME, Role.END}
)
_GIVEN_BEFORE = {Role.SOURCE: 0, Role.NEW_FRAME: 0, Role.CONTRACT: 0, Role.DRAW: 2, Role.DRAW_NOW: 2}
_WORDS = {"value": "one value", "fit": "a fit", "text": "text", "clusters": "clusters", "boxes": "boxes"}


@lru_cache(maxsize=KEPT_PIPELINES)
def parsed(source: str, filename: str, own: Additions = NONE) -> tuple[Step, ...]:
    """Read and check a pipeline; `own` is what the installation adds.

    Raises:
        ScriptError: not JSON, an unknown or script-only op, arguments or steps that do not fit.
    """
    return checked(document(source, filename), filename, own=own)


def document(source: str, filename: str) -> Any:
    """The steps as they are written.

    Raises:
        ScriptError: not JSON.
    """
    try:
        found = json.loads(source.removeprefix("\ufeff"))
    except (json.JSONDecodeError, RecursionError) as wrong:
        where = f", line {wrong.lineno}: {wrong.msg}" if isinstance(wrong, json.JSONDecodeError) else ": too deep"
        raise ScriptError(f"{filename}{where}; a pipeline is a JSON list of steps.") from None
    return found["pipeline"] if isinstance(found, dict) and isinstance(found.get("pipeline"), list) else found


def checked(written: Any, filename: str, given: str = "", own: Additions = NONE) -> tuple[Step, ...]:
    """Check a pipeline as a whole.

    Args:
        written: a list of steps.
        filename: what it is called in messages.
        given: the kind of data that it is run on, "" when it begins by getting some.
        own: what the installation adds.

    Raises:
        ScriptError: an unknown or script-only op, arguments or steps that do not fit; with the step.
    """
    if not isinstance(written, list) or not written:
        raise ScriptError(
            f'{filename}: a pipeline is a JSON list of steps, as ["access", {{"pca": {{"k": 3}}}}, "plotme"].'
        )
    if len(written) > STEPS_MAX:
        raise ScriptError(f"{filename}: {len(written):,} steps are too many; at most {STEPS_MAX:,}.")
    steps = tuple(_step(raw, filename, own) for raw in _all(written, filename, own))
    check_order(steps, filename, given)
    return steps


def _all(written: list[Any], filename: str, own: Additions) -> list[Raw]:
    """The steps as they are written, and what each `repeat` adds."""
    found: list[Raw] = []
    once = _ONCE | {name for name, one in own.operations.items() if one.builtin and one.builtin.role is Role.SOURCE}
    for place, raw in enumerate(written, 1):
        name, args, kwargs = _taken_apart(raw)
        if isinstance(raw, dict) and len(raw) > 1:
            both = ", ".join(map(repr, raw))
            raise ScriptError(f"{filename}, step {place}: each step is an object of its own, but here are {both}.")
        if not isinstance(name, str):
            raise ScriptError(
                f'{filename}, step {place}: a step is a name, {{"name": {{arguments}}}} or ["name", arguments...].'
            )
        step = place, name, args, kwargs
        try:
            is_written = name == REPEAT and not is_awaiting(step)
            found += written_out(found, step, once, STEPS_MAX) if is_written else [step]
        except UsageError as wrong:
            raise ScriptError(f"{filename}, step {place} ({REPEAT}): {wrong}.") from None
    return found


def _step(raw: Raw, filename: str, own: Additions) -> Step:
    place, name, args, kwargs = raw
    builtin = TABLE.get(name) or own.builtin(name)
    if builtin is None:
        near = nearest(name, [*_USABLE, *own.operations])
        raise ScriptError(f"{filename}, step {place}: unknown op {name!r}; {near}.")
    if builtin.is_script_only:
        raise ScriptError(
            f"{filename}, step {place}: {name!r} works in scripts only, because it decides while running."
        )
    step = Step(place, builtin, args, kwargs)
    try:
        before = 0 if name in WITHOUT_DATA else _GIVEN_BEFORE.get(builtin.role, 1)
        arguments.check(builtin.call, name, before, args, kwargs, own)
    except UsageError as wrong:
        said_so = str(wrong).rstrip(".")
        raise ScriptError(f"{filename}, {step.where}: {said_so}; it is {builtin.signature}.") from None
    return step


def _taken_apart(raw: Any) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    if isinstance(raw, str):
        return raw, (), {}
    if isinstance(raw, list) and raw:
        is_named = len(raw) > 1 and isinstance(raw[-1], dict)
        return raw[0], tuple(raw[1:-1] if is_named else raw[1:]), raw[-1] if is_named else {}
    if isinstance(raw, dict) and len(raw) == 1:
        name, given = next(iter(raw.items()))
        if isinstance(given, dict):
            return name, (), given
        return name, tuple(given) if isinstance(given, list) else () if given is None else (given,), {}
    return None, (), {}


def check_order(steps: tuple[Step, ...], filename: str, given: str = "") -> None:
    """Follow kind of data and frame through the steps, without data; `given` is the kind that it begins with.

    Raises:
        ScriptError: a step that nothing is there for, or that cannot work on what is there; with the step.
    """
    kind, giver, has_frame = given, "what is given", False
    for step in steps:
        role = step.builtin.role
        if role is Role.CONTRACT:
            _check_contract(step, filename, is_late=step is not steps[0])
            continue
        if role not in {Role.SOURCE, Role.NEW_FRAME, Role.FRAME} and not kind and not (role is Role.END and has_frame):
            raise ScriptError(f"{filename}, {step.where}: there is no data yet; put 'access' before it.")
        if role in {Role.FRAME, Role.DRAW} and not has_frame:
            raise ScriptError(f"{filename}, {step.where}: there is no frame yet; put 'frame' before it.")
        if kind and role is Role.DATA and kind not in step.builtin.takes:
            given = _WORDS.get(kind, kind)
            raise ScriptError(f"{filename}, {step.where}: it needs {_needs(step.builtin)}, but {giver} gives {given}.")
        has_frame = has_frame or role is Role.NEW_FRAME
        if step.builtin.gives:
            kind, giver = step.builtin.gives, step.where


def _check_contract(step: Step, filename: str, *, is_late: bool) -> None:
    if is_late:
        raise ScriptError(f"{filename}, {step.where}: it says what must be given, so it stands before all other steps.")
    for name, wanted in step.kwargs.items():
        if isinstance(wanted, dict) and (set(wanted) != {KEYTYPE} or not isinstance(wanted[KEYTYPE], str)):
            raise ScriptError(
                f'{filename}, {step.where}: {name!r} is a key of some data: {{"{name}": {{"{KEYTYPE}": "matrix"}}}}.'
            )


def axes(steps: tuple[Step, ...]) -> tuple[Axis, ...]:
    """Names that the pipeline wants bound to keys: it runs once for each, as a script does."""
    return tuple(
        Axis(name, wanted[KEYTYPE])
        for step in steps
        if step.builtin.role is Role.CONTRACT
        for name, wanted in step.kwargs.items()
        if isinstance(wanted, dict)
    )


def taken(steps: tuple[Step, ...]) -> frozenset[str] | None:
    """The parameters that it uses, those that it imposes; None where a script is among its steps, which may use any."""
    if any(step.builtin.name == "script" for step in steps):
        return None
    imposes = [step for step in steps if step.builtin.role is Role.CONTRACT]
    return frozenset(str(name) for step in imposes for name in (*step.args, *step.kwargs))


def _needs(builtin: Builtin) -> str:
    return "numbers" if "value" in builtin.takes else "rows of numbers"


def run(steps: tuple[Step, ...], context: Context, data: Any = None) -> Any:
    """Carry the steps out, on data that is given or that they get; gives what the register holds at the end.

    Raises:
        TaskFailedError: a step went wrong; says which and why.
    """
    return _carried_out(Register(data), steps, context)


def run_whole(steps: tuple[Step, ...], context: Context) -> Any:
    """Carry a run's pipeline out, but for the first steps that another one has in common and did (`prefix`).

    Raises:
        TaskFailedError: a step went wrong; says which and why.
    """
    register = Register()
    rest = prefix.resumed(steps, context, register, lambda step: register.taken(step, context))
    return _carried_out(register, rest, context)


def _carried_out(register: Register, steps: tuple[Step, ...], context: Context) -> Any:
    for step in steps:
        register.taken(step, context)
    return register.value
