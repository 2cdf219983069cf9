"""What one run is given and what it leaves: plain data that crosses process borders (pure).

Owns: the shapes that a worker fills in and reads back. Knows nothing of scripts, files' contents or figures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from plotter2.datter.scope import Scope
from plotter2.datter.vocabulary import Additions, Word
from plotter2.errors import UsageError
from plotter2.model.link import Head, Link

SEED_BITS = 32
FindFunction = Callable[[Head], Callable[..., Any]]


def no_function(head: Head) -> Callable[..., Any]:
    """Where nobody can load code.

    Raises:
        UsageError: always.
    """
    raise UsageError(f"The code of {head.bundle!r} cannot be loaded here, so {head.name!r} cannot be called.")


def no_word(word: Word) -> Callable[..., Any]:
    """Where nobody can load an installation's own code.

    Raises:
        UsageError: always.
    """
    raise UsageError(f"The code of {word.name!r} ({word.where}) cannot be loaded here.")


def unseen(done: float, total: float) -> None:
    """Nobody watches how far a run is."""
    del done, total


@dataclass(frozen=True, slots=True)
class RunInput:
    """One run.

    Attributes:
        seed: decides every random choice.
        output_dir: takes what is drawn.
        way_up: from where the pages will lie to the folder with what all pages share, `../../`; "" for none.
        links: what can be called by name, and how it is done here; of several the first is meant, unless one is chosen
            by the bundle that it leads to.
        lenders: other bundles that links lead to, by path: what of their files is needed.
        loads: the bundles that the definition names to load from, as it spells them.
        function: gives the function behind a head, loaded from the code of its bundle.
        show: hears how much is done, of how much.
        common: the folder where processes of this machine leave for each other what they worked out; None: nowhere.
        additions: what the installation adds: words, pictures, templates; None for nothing.
        word: gives the function behind one of its words.
        own_files: where the files of these words lie, by the name that tracebacks give them.
    """

    run_id: str
    task_name: str
    kind: Literal["script", "pipeline"]
    source: str
    filename: str
    parameters: dict[str, Any]
    seed: int
    scope: Scope
    output_dir: Path
    way_up: str = ""
    links: Mapping[str, tuple[Link, ...]] = field(default_factory=dict)
    lenders: Mapping[str, Scope] = field(default_factory=dict)
    function: FindFunction = no_function
    show: Callable[[float, float], None] = unseen
    common: Path | None = None
    loads: Mapping[str, Scope] = field(default_factory=dict)
    additions: Additions | None = None
    word: Callable[[Word], Callable[..., Any]] = no_word
    own_files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Made:
    """A file that a run made, relative to its output directory. Kinds: figure, animation, report, table, asset."""

    path: str
    kind: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended; `results` is a JSON value.

    Attributes:
        again: what it wants to be done again, "" for nothing.
        origin: gives where what it made came from, as sidecars say it.
    """

    state: Literal["done", "gaveup"]
    results: Any = None
    made: list[Made] = field(default_factory=list)
    again: str = ""
    origin: Callable[[], dict[str, Any]] = dict
