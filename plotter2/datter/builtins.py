"""The one table of built-ins: name, callable, what a pipeline may do with it, doc. The namespace given to scripts.

A name that is not in this table does not exist, neither in scripts nor in pipelines.
"""

from __future__ import annotations

import builtins as python
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache, wraps
from importlib import import_module
from inspect import signature
from typing import Any

from plotter2.datter.context import current
from plotter2.datter.scripting import typed, words
from plotter2.datter.values.exchange import taken_in
from plotter2.errors import UsageError

DATTER = words.Datter()
NUMERIC = frozenset({"data", "table", "numbers", "clusters", "group", "value"})
ROWS = NUMERIC - {"value"}
CHECKED = ("mathematics.", "figures.")
"""The rooms whose words hold their arguments against the types that they declare, at each call."""
ANYTHING = NUMERIC | {"fit", "text", "shape", "expr", "boxes"}


class Role(Enum):
    """What an op does with a pipeline's register."""

    SOURCE = "gives data"
    DATA = "changes the data"
    EFFECT = "looks at the data"
    FRAME = "settles the frame"
    NEW_FRAME = "makes the frame"
    DRAW = "draws the data in the frame"
    DRAW_NOW = "draws the data and sends it"
    END = "gives the data away"
    CONTRACT = "says what must be given"
    SCRIPT_ONLY = "works in scripts only"


@dataclass(frozen=True, slots=True)
class Builtin:
    """One built-in.

    Attributes:
        place: module and attribute; imported when it is first used.
        takes: kinds of data that a DATA op can work on.
        gives: the kind it leaves, "" for the same.
        function: of a word that an installation adds: what stands for it, instead of a place.
    """

    name: str
    place: tuple[str, str]
    role: Role
    takes: frozenset[str] = ANYTHING
    gives: str = ""
    function: Callable[..., Any] | None = None

    @property
    def call(self) -> Callable[..., Any]:
        """The function; what other libraries hold reaches it as ours."""
        return _welcoming(self._function, self.name if self.place[0].startswith(CHECKED) else "")

    @property
    def _function(self) -> Callable[..., Any]:
        if self.function is not None:
            return self.function
        module, attribute = self.place
        found: Any = import_module(f"plotter2.datter.{module}")
        if attribute.startswith("TRIGONOMETRY:"):
            return found.TRIGONOMETRY[attribute.partition(":")[2]]  # type: ignore[no-any-return] # a table of functions
        return getattr(found, attribute)  # type: ignore[no-any-return] # every row of the table is tested to be callable

    @property
    def is_script_only(self) -> bool:
        """Whether a pipeline must not use it."""
        return self.role is Role.SCRIPT_ONLY

    @property
    def doc(self) -> str:
        """What it does, in a line."""
        return (self.call.__doc__ or "").strip().splitlines()[0]

    @property
    def signature(self) -> str:
        """How it is called."""
        written = str(signature(self.call)).replace(": 'Any'", "")
        return self.name + _QUOTED.sub(r"\1", written)


@cache
def _welcoming(call: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The same, but for frames and series of pandas, polars and Arrow, which become tables and arrays before.

    With a name its arguments are held against the types that it declares.
    """
    annotations = typed.checks(call) if name else {}
    places = typed.placed(call) if name else []

    @wraps(call)
    def welcomed(*args: Any, **kwargs: Any) -> Any:
        for argument, value in (*zip(places, args, strict=False), *kwargs.items()):
            try:
                typed.check(argument, annotations.get(argument, ""), value)
            except UsageError as wrong:
                raise UsageError(f"{name}: {wrong}") from None
        return call(*map(taken_in, args), **{name: taken_in(value) for name, value in kwargs.items()})

    return welcomed


def _rows(module: str, role: Role, names: str, takes: frozenset[str] = ANYTHING, gives: str = "") -> dict[str, Builtin]:
    found = {}
    for entry in names.split():
        name, _, attribute = entry.partition("=")
        found[name] = Builtin(name, (module, attribute or name), role, takes, gives)
    return found


_TRIGONOMETRY = "sine sin cos cosine tan asin acos atan atan2 sec csc cot sinh cosh tanh asinh acosh atanh deg rad"

_QUOTED = re.compile(r"(?<=: |> )'([^']*)'")

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
    """Print for scripts: a line of the run's log, unless a file is named."""
    if how.get("file") is not None:
        _STANDARD["print"](*words_given, **how)
        return
    context = current()
    text = (how.get("sep") or " ").join(str(word) for word in words_given) + str(how.get("end") or "").rstrip("\n")
    for line in text.split("\n"):
        context.emit(line)
