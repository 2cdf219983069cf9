"""Lineage: what came from what (pure). Nodes are things that are there for good, edges say how one led to the other.

A node is named as everywhere else: an output by its path below `output/`, a run, service run or request by its id, a
version as `bundle@3`. Of most edges other rows tell already (who asked for a run, what a service run left); what no
other row knows is kept as an `Edge`: what a run read, whose code it ran, what a version was given or builds on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from plotter2.clock import ZERO, Instant

READ_FILES_MAX = 10_000
"""Files that are remembered of one run, over all versions that it read."""
SHOWN_FILES_MAX = 20
"""Of them, how many an answer names on one edge."""
FAN_DEFAULT = 8
FAN_MAX = 20_000
"""Neighbours of one kind that a node shows; the others are one node that counts them."""
NODES_DEFAULT = 500
NODES_MAX = 20_000
NUMBER_DIGITS_MAX = 9


class Direction(StrEnum):
    """Which way lineage is followed."""

    WHY = "why"
    """Back: what led to it."""
    USES = "uses"
    """Forth: what was made from it."""


class NodeKind(StrEnum):
    """What a node is."""

    OUTPUT = "output"
    REPORT = "report"
    RUN = "run"
    SERVICE = "service"
    VERSION = "version"
    REQUEST = "request"
    MORE = "more"
    """Stands for several that are not shown one by one."""


class EdgeKind(StrEnum):
    """How the first led to the second."""

    READ = "read"
    """A version to a run that read files of it."""
    CODE = "code"
    """A version to a run of a task that it declares, on another bundle."""
    ON = "on"
    """A version to a run or service run on it."""
    MADE = "made"
    """A run to an output or report, a service run or request to a version."""
    ASKED = "asked"
    """A request to a run or service run."""
    CAUSED = "caused"
    """A request to one that follows from it, or asks it again."""
    GAVE = "gave"
    """A version to one whose package names it as a parent."""
    BASIS = "basis"
    """A version to one whose manifest says that it builds on it."""
    REUSED = "reused"
    """A run to one that was answered with its results and outputs, and not run."""


@dataclass(frozen=True, slots=True, order=True)
class ReadFile:
    """A file that was read, with its digest in hexadecimal."""

    path: str
    digest: str


@dataclass(frozen=True, slots=True)
class Edge:
    """One thing led to another.

    Attributes:
        src: the node that was there first.
        dst: the node that came of it.
        files: what was read, of an edge `read`.
        more_files: how many more were read than are named.
    """

    src: str
    dst: str
    kind: EdgeKind
    files: tuple[ReadFile, ...] = ()
    more_files: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """A thing that is there for good, with what is worth knowing of it. What does not apply is empty.

    Attributes:
        form: of an output figure, animation or report, of a request its kind, of `more` what they are.
        title: for people: of an output its title, of a run its task, of a request what it asks for.
        bundle: what a request or run is about.
        at: when it was made or asked for.
        digest: of an output its content, of a version its files.
        code: the file that a run's source came from.
        code_digest: of a run its source, of a service run all of its code.
        data_digest: of a service run: what the version holds beside its code.
        ask_json: of a request: what was asked.
        count: of `more`: how many it stands for.
        remark: what has to be said about it: that something is not known, or no more what it was.
    """

    id: str
    kind: NodeKind
    form: str = ""
    title: str = ""
    state: str = ""
    user: str = ""
    bundle: str = ""
    at: Instant = ZERO
    digest: bytes = b""
    code: str = ""
    code_digest: bytes = b""
    data_digest: bytes = b""
    parameters_json: str = ""
    ask_json: str = ""
    count: int = 0
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Lineage:
    """What was found.

    Attributes:
        starts: what was asked about; several where more than one thing has the content asked for.
        nodes: each once, the nearest first.
        left: how many more there are that were not looked at, because there is a limit.
    """

    direction: Direction
    starts: tuple[str, ...] = ()
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = field(default=(), repr=False)
    left: int = 0


def version_id(bundle: str, version: int) -> str:
    """How a version is named."""
    return f"{bundle}@{version}"


def place_of(name: str) -> tuple[str, int] | None:
    """Bundle and version of a name as `bundle@3`; None for any other name."""
    bundle, _, digits = name.rpartition("@")
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= NUMBER_DIGITS_MAX
    return (bundle, int(digits)) if bundle and is_number else None
