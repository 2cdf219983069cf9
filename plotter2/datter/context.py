"""The state of one run: what was read, who owns what, what waits to be drawn, what was made.

Built-ins find it through `current()`; it lives as long as the run. Values are known by identity, so scripts work on
plain numpy arrays and still keep names and digests.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Self

from plotter2 import files
from plotter2.datter.figures.contents import Contents
from plotter2.datter.figures.figure import DataRef
from plotter2.datter.figures.frame import Coloured, Frame, MotionOf, Report
from plotter2.datter.runs import Made, RunInput
from plotter2.datter.scope import Scope
from plotter2.datter.template import Template
from plotter2.datter.values.keys import Key, catalog_of
from plotter2.datter.vocabulary import NONE, Additions, Word
from plotter2.errors import UsageError

DIGEST_CHARS = 64
Emit = Callable[[str], None]


class Symbol(str):
    """A bare name of a script's contract, as `matrix` in `expose(matrix)`; `matrix_plot.py` names a file."""

    __slots__ = ()

    @property
    def py(self) -> Symbol:
        """The script of this name."""
        return Symbol(f"{self}.py")

    @property
    def json(self) -> Symbol:
        """The pipeline of this name."""
        return Symbol(f"{self}.json")


class KeyOf(Symbol):
    """The key that an imposed name is bound to: as text the key, and the name, by which `access` knows it."""

    __slots__ = ("imposed",)

    imposed: str

    def __new__(cls, key: str, imposed: str) -> Self:
        """The text is the key."""
        made = super().__new__(cls, key)
        made.imposed = imposed
        return made


class Imposition(NamedTuple):
    """Something imposed on a task under a name: an element of what `imposed()` gives.

    Attributes:
        kind: "key of", "type", "one of", "value" or "given".
        wanted: the name of the data whose key it is, the type, the values, the value; None for any value.
        value: what the task was given; of a key its name; None where it has all keys.
    """

    kind: str
    wanted: Any
    value: Any


@dataclass(frozen=True, slots=True)
class KeyType:
    """The type "key of this data": what `datter.keytype(x)` gives."""

    base: str


@dataclass(slots=True)
class Datum:
    """What is known about a value of this run.

    Attributes:
        value: the value, so that its identity stays; or a weak reference to one that may go, see `Context.meet`.
        source: the number of the datum that it is a copy of, 0 for none.
        units: what it is measured in: a unit by column, "" for the values themselves.
        item_visual: of a group: the visual type of each of its members.
    """

    value: Any
    name: str = ""
    digest: str = ""
    visual: str = ""
    source: int = 0
    units: tuple[tuple[str, str], ...] = ()
    item_visual: str = ""


class Context:
    """One run's state. Made lean: most tasks are tiny and draw nothing.

    Attributes:
        carrier: takes the run's ops to a ledger; None until there is something to ask.
        aside: names of exposures that are no data, so that nothing is drawn of them.
        received: the ledger's numbers of single values that others exposed and this run accessed.
        stdout: where Python prints to when the run begins.
        unended: what the run has printed since the last line ended.
        used: files of the installation's own whose words the run has called.
        used_visuals: visual types of the installation's own that are drawing now, one in another.
    """

    __slots__ = ("again", "aside", "bindings", "called", "carrier", "contents", "data", "emit", "exposures", "imposed",
                 "is_plotted", "loose", "made", "parameters", "promised", "reads", "received", "reports", "roots",
                 "run", "stdout", "unended", "used", "used_visuals")  # fmt: skip

    def __init__(self, run: RunInput, emit: Emit, carrier: Any = None) -> None:
        self.run = run
        self.emit = emit
        self.carrier = carrier
        self.parameters: dict[str, Any] = {**run.scope.config, **run.scope.parameters, **run.parameters}
        self.data: dict[int, Datum] = {}
        self.contents = Contents(self.data)
        self.reads: dict[tuple[str, int, str], Path] = {}
        self.called: dict[tuple[str, int, str], Path] = {}
        self.exposures: dict[str, Any] = {}
        self.promised: dict[str, type] = {}
        self.aside: set[str] = set()
        self.again = ""
        self.bindings: dict[str, tuple[str, Any]] = {}
        self.imposed: dict[str, Imposition] = {}
        self.is_plotted: set[int] = set()
        self.loose: dict[int, Frame] = {}
        self.roots: list[Frame] = []
        self.reports: list[Report] = []
        self.made: list[Made] = []
        self.received: list[int] = []
        self.stdout = sys.stdout
        self.unended = ""
        self.used: set[str] = set()
        self.used_visuals: list[str] = []

    @property
    def additions(self) -> Additions:
        """What the installation adds."""
        return self.run.additions or NONE

    def template(self, name: str = "") -> Template:
        """How a page looks: by the template of this name, else by that of the bundle's `config`, else by the default.

        Raises:
            UsageError: there is none of this name.
        """
        chosen = name or self.run.scope.config.get("template", "")
        return self.additions.template(chosen if isinstance(chosen, str) else "")

    def own_word(self, word: Word) -> Callable[..., Any]:
        """The function of one of the installation's own words."""
        self.used.add(word.file)
        return self.run.word(word)

    def keys_of(self, scope: Scope) -> dict[str, Key]:
        """The data keys of a bundle in this run's scope."""
        return catalog_of(scope)

    def datum(self, value: Any) -> Datum:
        """What is known about a value; a new entry for one that is new."""
        found = self.data.get(id(value))
        if found is None:
            found = self.data[id(value)] = Datum(value)
        found.value = value  # whoever asks may write: what is said of a value keeps it
        return found

    def know(self, value: Any, name: str, digest: str = "") -> Any:
        """Remember where a value came from; gives the value."""
        if id(value) not in self.data:
            self.data[id(value)] = Datum(value, name, digest)
        return value

    def meet(self, value: Any, name: str, digest: str) -> Any:
        """Remember where a value came from for as long as somebody holds it; gives the value.

        So a run may go over a group that is larger than memory. What cannot be watched is kept.
        """
        place = id(value)
        if place not in self.data:
            is_watchable = bool(type(value).__weakrefoffset__)
            held = weakref.ref(value, lambda _: self._forget(place)) if is_watchable else value
            self.data[place] = Datum(held, name, digest)
        return value

    def alike(self, before: Any, after: Any) -> Any:
        """Remember that a value is another one copied or put in order: units and picture hold; gives it."""
        units, said = self.units_of(before), self.data.get(id(before))
        if units:
            self.datum(after).units = units
        if said is not None and (said.visual or said.item_visual):
            made = self.datum(after)
            made.visual, made.item_visual = said.visual, said.item_visual
        return after

    def units_of(self, value: Any) -> tuple[tuple[str, str], ...]:
        """What a value is measured in, as its key declares; of what wraps a value, of that."""
        found = self.data.get(id(value))
        if found is not None and found.units:
            return found.units
        return self.units_of(value.value) if isinstance(value, Coloured | MotionOf) else ()

    def _forget(self, place: int) -> None:
        """Nobody holds a value any more, so its identity may come again for another."""
        self.data.pop(place, None)
        self.is_plotted.discard(place)
        self.loose.pop(place, None)

    def name_of(self, value: Any) -> str:
        """What a value is called: what it was labelled, read or exposed as; "" for nothing."""
        found = self.data.get(id(value))
        if found is not None and found.name:
            return found.name
        named = getattr(value, "name", "") or getattr(value, "title", "")
        return named if isinstance(named, str) else ""

    def refs(self, value: Any) -> tuple[DataRef, ...]:
        """Name and content digest of what a panel shows."""
        if isinstance(value, str):
            return ()
        found = self.data.get(id(value))
        if found is not None and found.digest:
            return (DataRef(found.name, found.digest),)
        return (DataRef(self.name_of(value), self.contents.digest(value)),)


def file_digest(path: Path) -> str:
    """The digest of a file: its name, where blobs are named by their digest, else of its content."""
    name = path.name
    if len(name) == DIGEST_CHARS and all(char in "0123456789abcdef" for char in name):
        return name
    status = path.stat()
    return _file_digest(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4096)
def _file_digest(path: Path, _: int, __: int) -> str:
    return files.digest(path.resolve()).hex()


_CURRENT: ContextVar[Context] = ContextVar("plotter2_datter_context")


def current() -> Context:
    """The run that is under way.

    Raises:
        UsageError: there is none: a built-in was called outside a script or pipeline.
    """
    try:
        return _CURRENT.get()
    except LookupError:
        raise UsageError(
            "This built-in works inside a script or pipeline that plotter2 runs; a thread that a script starts is given"
            " values, and asks for none."
        ) from None


def underway() -> Context | None:
    """The run that is under way, if there is one: for words that also work on plain values outside of any."""
    return _CURRENT.get(None)


enter = _CURRENT.set
leave = _CURRENT.reset
