"""The one table of built-ins: name, callable, what a pipeline may do with it, doc. The namespace given to scripts.

A name that is not in this table does not exist, neither in scripts nor in pipelines.
"""

from __future__ import annotations

import builtins as python
import io
import sys
from collections.abc import Callable, Mapping
from typing import Any

from plotter2.datter.context import underway
from plotter2.datter.scripting import words
from plotter2.datter.vocabulary import ANYTHING, NUMERIC, ROWS, Builtin, Role

DATTER = words.Datter()


def _rows(module: str, role: Role, names: str, takes: frozenset[str] = ANYTHING, gives: str = "") -> dict[str, Builtin]:
    found = {}
    for entry in names.split():
        name, _, attribute = entry.partition("=")
        found[name] = Builtin(name, (module, attribute or name), role, takes, gives)
    return found


_TRIGONOMETRY = "sine sin cos cosine tan asin acos atan atan2 sec csc cot sinh cosh tanh asinh acosh atanh deg rad"

TABLE: dict[str, Builtin] = {
    **_rows("mathematics.stats", Role.DATA, "mean median mode stddev product l2norm l1norm", NUMERIC, "value"),
    **_rows("mathematics.stats", Role.DATA, "cosine_simularity cosine_similarity=cosine_simularity", ROWS, "numbers"),
    **_rows(
        "mathematics.trigonometry",
        Role.DATA,
        " ".join(f"{name}=TRIGONOMETRY:{name}" for name in _TRIGONOMETRY.split()),
        NUMERIC,
        "numbers",
    ),
    **_rows("mathematics.calculus", Role.DATA, "derivative", NUMERIC | {"expr"}),
    **_rows("mathematics.calculus", Role.DATA, "integral", NUMERIC | {"expr"}, "numbers"),
    **_rows("mathematics.expression", Role.SOURCE, "expr", gives="expr"),
    **_rows("mathematics.engine", Role.DATA, "pca", ROWS, "numbers"),
    **_rows("mathematics.engine", Role.DATA, "kmean", ROWS, "clusters"),
    **_rows("mathematics.engine", Role.DATA, "fit", ROWS, "fit"),
    **_rows("mathematics.engine", Role.DATA, "boxer", ROWS, "boxes"),
    **_rows("figures.drawing", Role.DATA, "scale=scaled", NUMERIC),
    **_rows("figures.drawing", Role.DATA, "label visualtype", ANYTHING),
    **_rows("scripting.reading", Role.DATA, "order", ROWS),
    **_rows("scripting.reading", Role.DATA, "copy", ANYTHING),
    **_rows("scripting.reading", Role.SOURCE, "access load", gives="data"),
    **_rows("scripting.operations", Role.DATA, "through", ANYTHING, "data"),
    **_rows("scripting.operations", Role.SCRIPT_ONLY, "operation"),
    **_rows("scripting.words", Role.EFFECT, "loggy"),
    **_rows("trees.exporting", Role.EFFECT, "export"),
    **_rows("trees.tasks", Role.EFFECT, "register deregister"),
    **_rows("figures.looks", Role.NEW_FRAME, "frame"),
    **_rows("figures.looks", Role.FRAME, "axis legend colour color=colour font gradient graident=gradient"),
    **_rows("figures.drawing", Role.FRAME, "text"),
    **_rows("figures.shapes", Role.FRAME, "shape point circle ellipse rect polygon arrow arc path band"),
    **_rows("figures.shapes", Role.DRAW, "image heatmap histogram bars box violin hexbin contour quiver"),
    **_rows("figures.drawing", Role.DRAW, "plot animate automatic table line"),
    **_rows("figures.drawing", Role.SCRIPT_ONLY, "page"),
    **_rows("figures.simulation", Role.DRAW, "simulate"),
    **_rows("figures.drawing", Role.DRAW_NOW, "plotme animateme"),
    **_rows("figures.drawing", Role.END, "report"),
    **_rows("trees.tasks", Role.END, "handoff handout=handoff"),
    **_rows("pipelines.pipe", Role.DATA, "script=layer", ANYTHING, "data"),
    **_rows("pipelines.pipe", Role.SCRIPT_ONLY, "pipe"),
    **_rows("scripting.words", Role.CONTRACT, "impose"),
    **_rows("scripting.progress", Role.SCRIPT_ONLY, "progress track"),
    **_rows("trees.again", Role.EFFECT, "repeat"),
    **_rows("scripting.words", Role.SCRIPT_ONLY, "giveup expose imposed"),
    **_rows("trees.tasks", Role.SCRIPT_ONLY, "exposed islinked link gather_tasks collect release task handin share"),
}

IN_RUNS = frozenset({"me", "datter", "print"})
"""Names that each run gets for itself."""
NAMES = frozenset(TABLE) | IN_RUNS
_STANDARD: dict[str, Any] = dict(vars(python))
_READY: dict[str, Any] = {}


def namespace(more: Mapping[str, Callable[..., Any]] | None = None) -> dict[str, Any]:
    """A fresh copy of Python's built-ins with ours beside them; a script's own names come before these.

    `more` are words that an installation adds.
    """
    if not _READY:
        _READY.update(_STANDARD, datter=DATTER, print=printed, **{name: row.call for name, row in TABLE.items()})
    return {**_READY, **more} if more else _READY.copy()


def printed(*words_given: Any, **how: Any) -> None:
    """Print for scripts: lines of the run's log, unless a file is named or the script has put another stream in place.

    A thread of the script's own knows of no run; its stream leads there too.
    """
    context = underway()
    if how.get("file") is not None or context is None or sys.stdout is not context.stdout:
        _STANDARD["print"](*words_given, **how)
        return
    written = io.StringIO()
    _STANDARD["print"](*words_given, **{**how, "file": written})
    *whole, context.unended = (context.unended + written.getvalue()).split("\n")
    for line in whole:
        context.emit(line)
