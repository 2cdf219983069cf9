"""Which bundles a definition loads from, read as text and never run: `load("data/flights", "arrivals")` (r175).

What is loaded must be brought to the run before it begins, so the bundle stands in the text as it is. A name that only
turns up while it runs can be one of those that the run sees anyway. A name in a comment is brought for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec

from plotter2.model.task import TaskKind

LOAD = "load"
BUNDLES_MAX = 100
_CALL = re.compile(r"""(?<![\w.])load\(\s*(?:bundle\s*=\s*)?(["'])([^"'\\\n]+)\1""")


def of(source: str, kind: TaskKind) -> tuple[str, ...]:
    """The bundles that a script or pipeline names, as `name` or `name@version`, each once; the first of very many."""
    if LOAD not in source:
        return ()
    found = _of_pipeline(source) if kind is TaskKind.PIPELINE else (one[2] for one in _CALL.finditer(source))
    return tuple(islice(dict.fromkeys(found), BUNDLES_MAX))


def _of_pipeline(source: str) -> Iterator[str]:
    try:
        steps = msgspec.json.decode(source)
    except (msgspec.DecodeError, RecursionError):  # it will be refused where it is run
        return
    steps = steps.get("pipeline") if isinstance(steps, dict) else steps
    for step in steps if isinstance(steps, list) else ():
        given = _given(step)
        if isinstance(given, str):
            yield given


def _given(step: Any) -> Any:
    """The bundle of a step `load`, however it is written."""
    if isinstance(step, list) and step[:1] == [LOAD]:
        return _first(step[1:])
    return _first(step[LOAD]) if isinstance(step, dict) and step.keys() == {LOAD} else None


def _first(given: Any) -> Any:
    if isinstance(given, list) and given:
        given = given[0]
    return given.get("bundle") if isinstance(given, dict) else given
