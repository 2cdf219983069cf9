"""What can be said in scripts and pipelines, word by word: built-ins, and what an installation adds to them.

A `Builtin` is one word of ours or of an installation's operations; `Additions` is all that an installation adds. Which
built-ins there are stands in `builtins`; how additions are read from files, in `additions`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cache, wraps
from importlib import import_module
from inspect import signature
from typing import Any

import numpy as np
from typing_extensions import override

from plotter2.datter import template
from plotter2.datter.scripting import typed
from plotter2.datter.template import Template
from plotter2.datter.values.array import array
from plotter2.datter.values.incoming import Places, taken_in
from plotter2.datter.values.keys import nearest
from plotter2.errors import UsageError

NUMERIC = frozenset({"data", "table", "numbers", "clusters", "group", "value"})
ROWS = NUMERIC - {"value"}
CHECKED = ("mathematics.", "figures.")
"""The rooms whose words hold their arguments against the types that they declare, at each call."""
OVER: dict[str, Places] = {
    **dict.fromkeys(("derivative", "integral", "fit"), "measured"),
    **dict.fromkeys(("plot", "plotme", "automatic", "bars"), "named"),
}
"""Words for which a series of pandas lies at the places that its index says, where it is all that they are given."""
ANYTHING = NUMERIC | {"fit", "text", "shape", "expr", "boxes"}


_QUOTED = re.compile(r"(?<=: |> )'([^']*)'")


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
    is_mathematics = call.__module__.startswith("plotter2.datter.mathematics.") or name == "scale"
    annotations = typed.checks(call) if name else {}
    places = typed.placed(call) if name else []

    @wraps(call)
    def welcomed(*args: Any, **kwargs: Any) -> Any:
        for argument, value in (*zip(places, args, strict=False), *kwargs.items()):
            try:
                typed.check(argument, annotations.get(argument, ""), value)
            except UsageError as wrong:
                raise UsageError(f"{name}: {wrong}") from None
        lying = OVER[name] if name in OVER and _is_alone(args) else ""
        ours = [_taken(value, lying) for value in args]
        found = call(*ours, **{argument: taken_in(value) for argument, value in kwargs.items()})
        return _given(found) if is_mathematics and type(found) is np.ndarray else found

    return welcomed


def _given(found: Any) -> Any:
    """What mathematics gives, with ways to other libraries; all that is known of it goes along."""
    made, context = array(found), import_module("plotter2.datter.context").underway()
    known = None if context is None else context.data.get(id(found))
    if known is not None and made is not found:
        context.data[id(made)] = replace(known, value=made)
    return made


def _is_alone(args: Sequence[Any]) -> bool:
    """Whether one argument is data, and the others are words or the frame that it is drawn in."""
    frame = import_module("plotter2.datter.figures.frame").Frame
    return sum(not isinstance(one, str | frame) for one in args) == 1


def _taken(value: Any, places: Places) -> Any:
    """A value of another library as ours, called as it was."""
    found = taken_in(value, places=places)
    if found is not value and isinstance(getattr(value, "name", None), str):
        context = import_module("plotter2.datter.context").underway()
        return found if context is None else context.meet(found, value.name, "")
    return found


@dataclass(frozen=True, slots=True)
class Word:
    """A function of an installation's own, found by reading its file.

    Attributes:
        kind: its folder: operations or visuals.
        file: where it is defined, below the config directory.
        params: its parameters as they are spelled.
        doc: the first line of what it says of itself.
        suits: of a visual: the type of values that it is drawn for where nobody says another; "" for none.
        builtin: of an operation: how scripts and pipelines use it.
    """

    name: str
    kind: str
    file: str
    line: int
    params: str
    doc: str
    suits: str = ""
    builtin: Builtin | None = None

    @property
    def where(self) -> str:
        """File and line, for messages."""
        return f"{self.file}, line {self.line}"


@dataclass(frozen=True, eq=False)
class Additions:
    """All that holds.

    Attributes:
        digest: of the list of all files that hold, see `plotter2.model.additions`; b"" for none.
        files: every file that holds, with the digest of its content.
        faults: of each file that is left out, why.
    """

    digest: bytes = b""
    files: Mapping[str, bytes] = field(default_factory=dict)
    templates: Mapping[str, Template] = field(default_factory=dict)
    operations: Mapping[str, Word] = field(default_factory=dict)
    visuals: Mapping[str, Word] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)

    @override
    def __hash__(self) -> int:
        return hash(self.digest)

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Additions) and self.digest == other.digest

    @property
    def names(self) -> frozenset[str]:
        """Words of scripts."""
        return frozenset(self.operations)

    @property
    def calls(self) -> dict[str, Callable[..., Any]]:
        """What scripts call, by name."""
        return {name: one.builtin.call for name, one in self.operations.items() if one.builtin is not None}

    def builtin(self, name: str) -> Builtin | None:
        """How scripts and pipelines use an operation of this name."""
        word = self.operations.get(name)
        return word.builtin if word is not None else None

    def template(self, name: str, place: str = "template") -> Template:
        """The template of this name; "" for the default one, where there is one.

        Raises:
            UsageError: there is none of this name; with the nearest.
        """
        if not name:
            return self.templates.get(template.DEFAULT, template.NONE)
        if name not in self.templates:
            raise UsageError(f"There is no {place} {name!r}; {nearest(name, self.templates)}.")
        return self.templates[name]


NONE = Additions()
