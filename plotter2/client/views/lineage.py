"""Lineage: things that are there for good, and how one led to the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from plotter2.client.views.page import json_or, when
from plotter2.lineage import text
from plotter2.model import lineage as model
from plotter2.model.lineage import Direction, EdgeKind, NodeKind


@dataclass(frozen=True, slots=True)
class Origin:
    """Something in a lineage. What does not apply is empty.

    Attributes:
        id: as everywhere: a path below `output/`, the id of a run, service run or request, `bundle@3`.
        form: of an output figure, animation or report, of a request its kind, of `more` what they are.
        title: for people.
        code: the file that a run's source came from, with its digest in `code_digest`.
        data_digest: of a service run: what its version holds beside the code.
        count: of `more`: how many it stands for.
        remark: what is not known, or no more what it was.
    """

    id: str
    kind: NodeKind
    form: str = ""
    title: str = ""
    state: str = ""
    user: str = ""
    bundle: str = ""
    at: str = ""
    digest: str = ""
    code: str = ""
    code_digest: str = ""
    data_digest: str = ""
    parameters_json: str = ""
    ask_json: str = ""
    count: int = 0
    remark: str = ""

    @classmethod
    def of(cls, one: model.Node) -> Origin:
        """The view of a node."""
        return cls(
            one.id, one.kind, one.form, one.title, one.state, one.user, one.bundle, when(one.at), one.digest.hex(),
            one.code, one.code_digest.hex(), one.data_digest.hex(), one.parameters_json, one.ask_json, one.count,
            one.remark,
        )  # fmt: skip

    @property
    def parameters(self) -> dict[str, Any]:
        """What a run, service run or version was given."""
        found: dict[str, Any] = json_or(self.parameters_json, {})
        return found

    @property
    def ask(self) -> dict[str, Any]:
        """What a request asks for."""
        found: dict[str, Any] = json_or(self.ask_json, {})
        return found


@dataclass(frozen=True, slots=True)
class Step:
    """One thing led to another.

    Attributes:
        src: what was there first.
        dst: what came of it.
        files: of `read`: path and digest of what was read; `more_files` were read besides.
    """

    src: str
    dst: str
    kind: EdgeKind
    files: tuple[tuple[str, str], ...] = ()
    more_files: int = 0


@dataclass(frozen=True, slots=True)
class Lineage:
    """What led to something (`why`), or what was made from it (`uses`).

    Attributes:
        starts: what was asked about.
        origins: each thing once, the nearest first.
        left: how many more there are that were not looked at, because there is a limit.
    """

    direction: Direction
    starts: tuple[str, ...]
    origins: tuple[Origin, ...] = field(repr=False)
    steps: tuple[Step, ...] = field(repr=False)
    left: int = 0
    graph: model.Lineage = field(default=model.Lineage(Direction.WHY), repr=False)

    @classmethod
    def of(cls, one: model.Lineage) -> Lineage:
        """The view of a lineage."""
        steps = (
            Step(edge.src, edge.dst, edge.kind, tuple((file.path, file.digest) for file in edge.files), edge.more_files)
            for edge in one.edges
        )
        return cls(one.direction, one.starts, tuple(map(Origin.of, one.nodes)), tuple(steps), one.left, one)

    def text(self) -> str:
        """As a tree of lines."""
        return text.tree(self.graph)

    def svg(self) -> str:
        """As a picture that stands alone, for light and dark.

        Raises:
            UsageError: there are too many things for a picture.
        """
        drawn: str = import_module("plotter2.lineage.picture").svg(self.graph)
        return drawn
