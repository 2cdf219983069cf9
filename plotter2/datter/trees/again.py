"""repeat in scripts: this run again, with other values or as it was, at once or when something happens (r174).

A script says what it wants; whether it is done is decided where requests are made, which know how often it was done.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

from plotter2.datter import results
from plotter2.datter.context import Context, current
from plotter2.datter.scope import Scope
from plotter2.datter.scripting import script
from plotter2.datter.scripting.contract import THRESHOLD
from plotter2.datter.values.keys import nearest
from plotter2.errors import UsageError
from plotter2.model import paths
from plotter2.model.rounds import EVENTS, RUNS_MAX, Again, encode

FORM = 'repeat(over={"lr": [0.1, 0.2]}), repeat(times=3), repeat(until=loss < 0.1) or repeat(on="version")'


def repeat(*, over: Any = None, times: Any = None, until: Any = None, on: Any = None, of: Any = None) -> None:
    """Have this run done again when it has ended well: each time a request of its own, caused by this one.

    Args:
        over: values by parameter; it is done once for each, of several parameters for each combination, the last one
            fastest. A run that came of a repeat does not do so again.
        times: how often in all, one after the other, this one counted.
        until: whether it has come to its end; while it has not, it is done again, at most 100 times.
        on: what it waits for: "version", "child", "settled", or the name of a standing order of the bundle; then it is
            done on what is newest, and may ask so again.
        of: the bundle that `on` is about, that of the run unless it is given.

    Raises:
        UsageError: none of these or several but `times` with `until` or `on`, no values, a parameter that the script
            does not take, nothing is called as `on`, or repeat was called before.
    """
    context = current()
    if context.again:
        raise UsageError("repeat: it was called before in this run.")
    is_counted = times is not None or until is not None or on is not None
    if (over is not None) == is_counted or (of is not None and on is None):
        raise UsageError(f"repeat is called as {FORM}.")
    if times is not None and (isinstance(times, bool) or not isinstance(times, int) or not 1 <= times <= RUNS_MAX):
        raise UsageError(f"repeat: times is a whole number from 1 to {RUNS_MAX:,}, how often in all; not {times!r}.")
    if until is not None and bool(until):
        return
    if on is not None:
        found, about = _event(context.run.scope, on, of)
        context.again = encode(Again(times=times or 0, on=found, of=about))
        return
    values = _values(over) if over is not None else ()
    _check_taken(context, over or ())
    context.again = encode(Again(values, times or 0))


def _check_taken(context: Context, over: Iterable[str]) -> None:
    """Refuse parameters that nothing takes, as they are refused where a run is asked for.

    One of a tree may repeat itself with what those take that it is linked to, which is known there alone.
    """
    run = context.run
    if run.kind != "script" or context.carrier is not None:
        return
    takes = script.compiled(run.source, run.filename, context.additions.names).contract.takes
    declared = run.scope.package.tasks if run.scope.package is not None else ()
    named = [name for one in declared if one.name == run.task_name for name in one.parameters]
    unknown = next((name for name in over if name not in {*(takes or ()), *named, THRESHOLD}), None)
    if unknown is not None and takes is not None:
        near = nearest(unknown, sorted(takes)) if takes else "it takes none"
        raise UsageError(f"repeat: {run.filename} takes no parameter {unknown!r}; {near}.")


def _event(scope: Scope, on: Any, of: Any) -> tuple[str, str]:
    """What is waited for, and the bundle that it is about; orders of other bundles are looked up when it is asked."""
    if not isinstance(on, str):
        raise UsageError(f"repeat: on is the name of something that happens, {_names(EVENTS)}; not {on!r}.")
    about = paths.bundle_path(str(of)) if of is not None else scope.bundle
    if not about:
        raise UsageError(
            f"repeat: this run is on no bundle, so {on!r} never happens to it; name one, as "
            'repeat(on="version", of="data/flights").'
        )
    orders = [one.name for one in scope.package.standing] if scope.package is not None else []
    if about == scope.bundle and on not in EVENTS and on not in orders:
        has = f", and standing orders of {about!r}: {_names(orders)}" if orders else ""
        raise UsageError(
            f"repeat: nothing that happens is called {on!r}; {nearest(on, [*EVENTS, *orders])}. There are "
            f"{_names(EVENTS)}{has}."
        )
    return on, about


def _names(known: Iterable[str]) -> str:
    return ", ".join(map(repr, known))


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
