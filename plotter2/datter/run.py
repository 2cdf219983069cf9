"""One run from its input to its result: what a worker's child calls. The one boundary around user code.

What goes wrong in user code comes out as one TaskFailedError whose message is a sentence, and a traceback of the user's
own frames (`explaining`). A script or pipeline that cannot run is refused with ScriptError before anything of it has
run.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from functools import partial
from inspect import CO_VARARGS, CO_VARKEYWORDS, Parameter, signature
from types import FunctionType
from typing import Any, Literal

from greenlet import GreenletExit

from plotter2.datter import results
from plotter2.datter.builtins import namespace
from plotter2.datter.context import Context, Symbol, enter, leave
from plotter2.datter.pages import compose, writing
from plotter2.datter.pipelines import pipeline, register
from plotter2.datter.runs import Made, RunInput, RunResult
from plotter2.datter.scope import Scope
from plotter2.datter.scripting import binding, promises, script, words
from plotter2.datter.scripting.contract import THRESHOLD, Gives
from plotter2.datter.scripting.explaining import MODULE_NAME, explained
from plotter2.datter.scripting.words import GaveUp, Me
from plotter2.datter.trees.asking import Carrier
from plotter2.errors import Plotter2Error, ScriptError, TaskFailedError

__all__ = ["Made", "RunInput", "RunResult", "Scope", "execute"]

AS_THEY_STAND = frozenset({Gives.FUNCTION, Gives.CONSTANT, Gives.PARAMETERS})
"""What a script gives that is no data: it is there once its module level has run, and nothing is drawn of it."""

POSITIONAL = "*"
"""The parameter that holds values by position."""


def execute(
    run: RunInput, emit: Callable[[str], None], carrier: Carrier | None = None, names: dict[str, Any] | None = None
) -> RunResult:
    """Run a script or pipeline.

    Args:
        run: what to run, on what.
        emit: gets each line that it logs or prints.
        carrier: takes its ops to a ledger; without one it is alone.
        names: the built-ins, when many instances have the same; without, it gets its own.

    Raises:
        ScriptError: it cannot be run; file and line, or step.
        TaskFailedError: it was run and went wrong; the message is a sentence and the user's traceback.
    """
    context = Context(run, emit, carrier)
    token = enter(context)
    try:
        if run.kind == "pipeline":
            return _pipeline(run, context)
        own = context.additions
        found = script.compiled(run.source, run.filename, own.names)
        return _script(found, context, namespace(own.calls) if names is None else names)
    finally:
        if context.unended:
            emit(context.unended)
        leave(token)


def _pipeline(run: RunInput, context: Context) -> RunResult:
    has_given_up, value = False, None
    try:
        value = pipeline.run_whole(pipeline.parsed(run.source, run.filename, context.additions), context)
    except GaveUp:  # a script among the steps
        has_given_up = True
    try:
        compose.flush(context, gave_up=has_given_up)
        return _ended(context, has_given_up, results.summary(value))
    except register.WRONG as wrong:
        raise TaskFailedError(f"{run.filename}: {register.said(wrong)}") from wrong


def _script(found: script.Script, context: Context, builtins: dict[str, Any]) -> RunResult:
    run = context.run
    names = _names(found, context, builtins)
    try:
        if found.contract.imposes:
            bound = binding.bind(found.contract, context)
            names.update({name: value for name, value in bound.items() if name in found.binds})
        value, has_given_up = _called(found, names, context)
        if context.promised and not has_given_up:
            value = _kept(context, value)
        if context.roots or context.reports or has_given_up:
            compose.flush(context, gave_up=has_given_up)
        return _ended(context, has_given_up, results.to_json(value))
    except GreenletExit:
        raise
    except BaseException as wrong:  # the boundary to user code, which raises what it likes
        is_after = isinstance(wrong, Plotter2Error) and not _is_inside(wrong, found.filename)
        if is_after and isinstance(wrong, ScriptError):
            raise
        text = f"{found.filename}: {wrong}" if is_after else explained(wrong, found, run)
        raise TaskFailedError(text) from wrong


def _ended(context: Context, has_given_up: bool, value: Any) -> RunResult:  # noqa: FBT001 -- what a run ended as
    state: Literal["done", "gaveup"] = "gaveup" if has_given_up else "done"
    return RunResult(state, value, context.made, context.again, partial(writing.origin, context))


def _names(found: script.Script, context: Context, builtins: dict[str, Any]) -> dict[str, Any]:
    run = context.run
    number = context.carrier.number if context.carrier is not None else 1
    names: dict[str, Any] = {
        "__builtins__": builtins, "__name__": MODULE_NAME, "__file__": found.filename,
        "me": Me(run.run_id, run.task_name, run.scope.bundle, run.scope.version, number),
    }  # fmt: skip
    return names | {symbol: Symbol(symbol) for symbol in found.symbols}


def layer(found: script.Script, context: Context, data: Any, given: dict[str, Any]) -> Any:
    """What a script gives that is a step of a pipeline: its `task` gets the data first.

    Raises:
        ScriptError: `task` lacks a parameter, or takes no data.
        TaskFailedError: it went wrong; the message is its traceback.
    """
    names = _names(found, context, namespace(context.additions.calls))
    try:
        exec(found.code, names)  # noqa: S102 -- running scripts is what this is for
        _publish(found, names, context)
        entry: Any = names.get(script.ENTRY)
        if not signature(entry).parameters:
            raise ScriptError(f"{found.filename}: {script.ENTRY}() takes nothing; as a step it gets the data first.")
        with_data = partial(entry, data)
        return with_data(**arguments(with_data, given, found.filename))
    except (ScriptError, GaveUp, GreenletExit):
        raise
    except BaseException as wrong:
        raise TaskFailedError(explained(wrong, found, context.run)) from wrong


def _called(found: script.Script, names: dict[str, Any], context: Context) -> tuple[Any, bool]:
    try:
        exec(found.code, names)  # noqa: S102 -- running scripts is what this is for
        _publish(found, names, context)
        entry: Any = names.get(script.ENTRY)
        if POSITIONAL in context.parameters:
            return entry(*inputs(entry, context.parameters[POSITIONAL], found.filename)), False
        taken = arguments(entry, context.parameters, found.filename)
        if context.run.parameters.keys() - taken.keys():
            _tell_untaken(found, context, taken)
        return entry(**taken), False
    except GaveUp:
        return None, True


def _tell_untaken(found: script.Script, context: Context, taken: dict[str, Any]) -> None:
    """Say which parameters that were asked for this script does not name: a misspelled one would change nothing.

    What surely nobody takes is refused where the run is asked for. Of many instances the first says it, and of a tree
    only those whose script may look at any: the others' parameters are no matter of theirs.
    """
    if found.contract.takes is not None and (context.carrier is not None or found.axes):
        return
    for name in context.run.parameters.keys() - taken.keys() - {THRESHOLD}:
        if not re.search(rf"\b{re.escape(name)}\b", found.source) and binding.is_first(found.contract, context):
            context.emit(f"The parameter {name!r} was given, and nothing in {found.filename} names it.")


def _kept(context: Context, returned: Any) -> Any:
    """What a task returned, as what it promised and has not exposed."""
    made, value = promises.given(context.promised, set(context.exposures), returned)
    for name, one in made.items():
        words.expose(**{name: one})
    return value


def _publish(found: script.Script, names: dict[str, Any], context: Context) -> None:
    """Have what the module level announces and is there already behind its name: functions, constants, parameters."""
    for one in found.contract.exposes:
        if one.kind not in AS_THEY_STAND:
            continue
        known = {**_defaults(names.get(script.ENTRY)), **context.parameters} if one.kind is Gives.PARAMETERS else names
        if one.name in known and one.name not in context.exposures:
            words.expose(**{one.name: known[one.name]})
        context.aside.add(one.name)


def _defaults(entry: Any) -> dict[str, Any]:
    parameters = signature(entry).parameters.values() if callable(entry) else ()
    return {one.name: one.default for one in parameters if one.default is not Parameter.empty}


def inputs(entry: Any, given: list[Any], filename: str) -> list[Any]:
    """The values that `task` is given by position: Propeller's `inputs`.

    Raises:
        ScriptError: more or fewer than it takes.
    """
    try:
        signature(entry).bind(*given)
    except TypeError as wrong:
        raise ScriptError(f"{filename}: {script.ENTRY}{signature(entry)} with {len(given)} inputs: {wrong}.") from None
    return given


def arguments(entry: Any, given: dict[str, Any], filename: str) -> dict[str, Any]:
    """The parameters that `task` names, from those that the run was given.

    Raises:
        ScriptError: one that it needs was not given, or it takes none by name.
    """
    if type(entry) is FunctionType and not entry.__code__.co_flags & (CO_VARARGS | CO_VARKEYWORDS):
        code = entry.__code__
        wanted = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        taken = {name: given[name] for name in wanted if name in given}
        if len(taken) == len(wanted) or not _lacking(entry, taken):
            return taken
    if not callable(entry):
        raise ScriptError(f"{filename}: {script.ENTRY} is no function.")
    lacking = _lacking(entry, given)
    if lacking:
        have = ", ".join(map(repr, given)) or "none"
        raise ScriptError(f"{filename}: {script.ENTRY}() needs the parameter {lacking[0]!r}; given are {have}.")
    parameters = signature(entry).parameters.values()
    takes_all = any(one.kind is Parameter.VAR_KEYWORD for one in parameters)
    return {name: value for name, value in given.items() if takes_all or any(one.name == name for one in parameters)}


def _lacking(entry: Any, given: dict[str, Any]) -> list[str]:
    skipped = {Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD}
    return [
        one.name
        for one in signature(entry).parameters.values()
        if one.kind not in skipped and one.default is Parameter.empty and one.name not in given
    ]


def _is_inside(wrong: BaseException, filename: str) -> bool:
    """Whether it was raised while the script ran, and not when its figures or results were taken."""
    return any(frame.f_code.co_filename == filename for frame, _ in traceback.walk_tb(wrong.__traceback__))
