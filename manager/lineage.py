"""Lineage is walked step by step: what is known of the nodes at the edge says which come next (pure).

A step asks for facts about many nodes at once (`Wanted`) and is told (`Facts`); somebody else reads them. Each node is
looked at once, so a walk ends even if rows went round. No node shows more neighbours of a kind than its fan: the others
are one node that counts them, and are not followed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from manager.store import OutputRow, ServiceRow
from manager.store.ancestry import Follower, MadeReport, Place, RanCode, Reuse
from plotter2.ids import request_of
from plotter2.model.bundle import BundleVersion
from plotter2.model.lineage import Direction, Edge, EdgeKind, Lineage, Node, NodeKind, place_of, version_id
from plotter2.model.report import KIND as REPORT
from plotter2.model.report import PLACE as REPORTS
from plotter2.model.request import Request
from plotter2.model.service import ServiceState

UNKNOWN = "The store does not know it."
UNRECORDED = "What it read is not recorded: it made no pages, or ran before lineage was kept."
WORDS = {
    NodeKind.OUTPUT: "outputs",
    NodeKind.RUN: "runs",
    NodeKind.SERVICE: "service runs",
    NodeKind.VERSION: "versions",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Nodes that facts are wanted about, by kind, and how many neighbours of each kind at the most."""

    direction: Direction
    fan: int
    outputs: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    versions: tuple[Place, ...] = ()
    requests: tuple[str, ...] = ()


@dataclass(slots=True)
class Facts:
    """What is known of them, and of what lies next to them in the direction asked."""

    outputs: Sequence[OutputRow] = ()
    runs: Sequence[RanCode] = ()
    services: Sequence[ServiceRow] = ()
    versions: Sequence[BundleVersion] = ()
    requests: Sequence[Request] = ()
    edges: Sequence[Edge] = ()
    makers: Mapping[Place, str] = field(default_factory=dict)
    made: Mapping[str, Place] = field(default_factory=dict)
    followers: Sequence[Follower] = ()
    products: Sequence[tuple[OutputRow, int]] = ()
    reports: Sequence[MadeReport] = ()
    reuses: Sequence[Reuse] = ()


class Walk:
    """One walk, from its starts to its limits."""

    def __init__(self, direction: Direction, starts: Iterable[Node], nodes_max: int, fan_max: int) -> None:
        """Of the starts, id, kind and remark count; the rest is found out."""
        self._direction = direction
        self._nodes_max = nodes_max
        self._fan_max = fan_max
        self._nodes: dict[str, Node] = {}
        self._edges: dict[tuple[str, str, EdgeKind], Edge] = {}
        self._recorded: dict[tuple[str, str, EdgeKind], Edge] = {}
        self._next: dict[str, NodeKind] = {}
        self._left = 0
        self._remarks: dict[str, str] = {}
        for one in starts:
            if self._see(one.id, one.kind):
                self._remarks[one.id] = one.remark
        self._starts = tuple(self._nodes)

    def wanted(self) -> Wanted | None:
        """What has to be known for the next step; None when there is none."""
        if not self._next:
            return None
        by_kind: dict[NodeKind, list[str]] = {kind: [] for kind in NodeKind}
        for name, kind in self._next.items():
            by_kind[kind].append(name)
        places = tuple(place for name in by_kind[NodeKind.VERSION] if (place := place_of(name)) is not None)
        return Wanted(
            self._direction, self._fan_max, tuple(by_kind[NodeKind.OUTPUT]), tuple(by_kind[NodeKind.RUN]),
            tuple(by_kind[NodeKind.SERVICE]), places, tuple(by_kind[NodeKind.REQUEST]),
        )  # fmt: skip

    def learn(self, facts: Facts) -> None:
        """Take in what is known: nodes get their words, and what lies behind them is next."""
        asked, self._next = self._next, {}
        for node in _described(facts):
            if node.id in asked:
                self._nodes[node.id] = node
                asked.pop(node.id)
        for name, kind in asked.items():
            self._nodes[name] = Node(name, kind, remark=UNKNOWN)
        if self._direction is Direction.WHY:
            self._look_back(facts)
        else:
            self._look_forth(facts)

    def lineage(self) -> Lineage:
        """What was found."""
        nodes = [
            replace(one, remark=" ".join(filter(None, (self._remarks.get(one.id, ""), one.remark))))
            for one in self._nodes.values()
        ]
        return Lineage(self._direction, self._starts, tuple(nodes), tuple(self._edges.values()), self._left)

    # --- steps ------------------------------------------------------------------------------------------------------

    def _see(self, name: str, kind: NodeKind) -> bool:
        """Have a node among those that are shown; False where there is no room."""
        if name in self._nodes:
            return True
        if len(self._nodes) >= self._nodes_max:
            self._left += 1
            return False
        self._nodes[name] = Node(name, kind)
        self._next[name] = kind
        return True

    def _before(self, edge: Edge, kind: NodeKind) -> None:
        if self._see(edge.src, kind):
            self._join(edge)

    def _after(self, edge: Edge, kind: NodeKind) -> None:
        if self._see(edge.dst, kind):
            self._join(edge)

    def _join(self, edge: Edge) -> None:
        if edge.src != edge.dst:
            self._edges[edge.src, edge.dst, edge.kind] = edge

    def _more(self, of: str, kind: EdgeKind, what: NodeKind, count: int) -> None:
        """So many more neighbours of a node that are not shown one by one."""
        if count <= 0:
            return
        name = f"more:{of}:{kind}:{what}"
        self._nodes[name] = Node(name, NodeKind.MORE, form=WORDS[what], count=count)
        ends = (name, of) if self._direction is Direction.WHY else (of, name)
        self._join(Edge(*ends, kind))

    def _look_back(self, facts: Facts) -> None:
        for made in facts.outputs:
            self._before(Edge(made.run_id, made.output.path, EdgeKind.MADE), NodeKind.RUN)
        into: dict[str, list[Edge]] = {}
        for edge in facts.edges:
            into.setdefault(edge.dst, []).append(edge)
        for ran in facts.runs:
            self._run_back(ran, into.get(ran.run.id, []))
        for row in facts.services:
            self._service_back(row)
        for version in facts.versions:
            self._version_back(version, facts.makers, into)
        for request in facts.requests:
            for cause in filter(None, dict.fromkeys((request.cause, _replayed(request)))):
                self._before(Edge(cause, request.id, EdgeKind.CAUSED), NodeKind.REQUEST)

    def _service_back(self, row: ServiceRow) -> None:
        spec = row.spec
        self._before(Edge(version_id(spec.bundle, spec.version), spec.service_id, EdgeKind.ON), NodeKind.VERSION)
        self._before(Edge(row.request_id, spec.service_id, EdgeKind.ASKED), NodeKind.REQUEST)

    def _run_back(self, ran: RanCode, into: list[Edge]) -> None:
        run = ran.run
        own = version_id(run.bundle, run.version)
        reads = [one for one in into if one.kind is EdgeKind.READ]
        if run.bundle and all(one.src != own for one in reads):
            self._before(Edge(own, run.id, EdgeKind.ON), NodeKind.VERSION)
        if run.reused_of:
            self._before(Edge(run.reused_of, run.id, EdgeKind.REUSED), NodeKind.RUN)
        elif run.bundle and run.has_ended and not reads:
            self._nodes[run.id] = replace(self._nodes[run.id], remark=UNRECORDED)
        reads.sort(key=lambda one: (one.src != own, one.src))
        self._fan_back(run.id, EdgeKind.READ, reads)
        self._fan_back(run.id, EdgeKind.CODE, [one for one in into if one.kind is EdgeKind.CODE])
        self._before(Edge(run.request_id, run.id, EdgeKind.ASKED), NodeKind.REQUEST)

    def _version_back(
        self, version: BundleVersion, makers: Mapping[Place, str], into: Mapping[str, list[Edge]]
    ) -> None:
        name = version_id(version.path, version.version)
        maker = makers.get((version.path, version.version))
        if maker is not None:
            self._before(Edge(maker, name, EdgeKind.MADE), NodeKind.SERVICE)
        elif version.request_id:
            self._before(Edge(version.request_id, name, EdgeKind.MADE), NodeKind.REQUEST)
        for kind in (EdgeKind.GAVE, EdgeKind.BASIS):
            self._fan_back(name, kind, sorted((one for one in into.get(name, []) if one.kind is kind), key=_src))

    def _fan_back(self, name: str, kind: EdgeKind, edges: Sequence[Edge]) -> None:
        for edge in edges[: self._fan_max]:
            self._before(edge, NodeKind.VERSION)
        self._more(name, kind, NodeKind.VERSION, len(edges) - self._fan_max)

    def _look_forth(self, facts: Facts) -> None:
        for edge in facts.edges:  # says what of it was read, be it found already or later
            self._recorded[edge.src, edge.dst, edge.kind] = edge
            if (edge.src, edge.dst, edge.kind) in self._edges:
                self._join(edge)
        shown: dict[tuple[str, EdgeKind, NodeKind], list[int]] = {}
        for one in facts.followers:
            src = version_id(*one.src)
            found = Edge(src, one.id, one.kind)
            self._after(self._recorded.get((src, one.id, one.kind), found), one.what)
            counts = shown.setdefault((src, one.kind, one.what), [0, one.total])
            counts[0] += 1
        for (src, kind, what), (count, total) in shown.items():
            self._more(src, kind, what, total - count)
        for service, place in facts.made.items():
            self._after(Edge(service, version_id(*place), EdgeKind.MADE), NodeKind.VERSION)
        self._made_forth(facts)
        self._reused_forth(facts)

    def _made_forth(self, facts: Facts) -> None:
        """Outputs and reports end here: they are described at once."""
        shown: dict[str, list[int]] = {}
        leaves = [(row.run_id, _output(row)) for row, _ in facts.products]
        leaves += [(one.run_id, _report(one)) for one in facts.reports]
        for run, node in leaves:
            if self._see(node.id, node.kind):
                self._next.pop(node.id, None)
                self._nodes[node.id] = node
                self._join(Edge(run, node.id, EdgeKind.MADE))
        for row, total in facts.products:
            shown.setdefault(row.run_id, [0, total])[0] += 1
        for name, (count, total) in shown.items():
            self._more(name, EdgeKind.MADE, NodeKind.OUTPUT, total - count)

    def _reused_forth(self, facts: Facts) -> None:
        totals: dict[str, list[int]] = {}
        for one in facts.reuses:
            self._after(Edge(one.former, one.id, EdgeKind.REUSED), NodeKind.RUN)
            totals.setdefault(one.former, [0, one.total])[0] += 1
        for former, (count, total) in totals.items():
            self._more(former, EdgeKind.REUSED, NodeKind.RUN, total - count)


# --- words ----------------------------------------------------------------------------------------------------------


def _described(facts: Facts) -> Iterator[Node]:
    yield from map(_output, facts.outputs)
    yield from map(_run, facts.runs)
    yield from map(_service, facts.services)
    yield from map(_version, facts.versions)
    yield from map(_request, facts.requests)


def _output(row: OutputRow) -> Node:
    one = row.output
    return Node(
        one.path, NodeKind.OUTPUT, one.kind, one.title or row.task_name, bundle=row.bundle, at=row.created_at,
        digest=one.digest,
    )  # fmt: skip


def _report(one: MadeReport) -> Node:
    name = f"{one.bundle}/{REPORTS}/{REPORT}{one.number}"
    return Node(name, NodeKind.REPORT, title=f"{REPORT} {one.number}", bundle=one.bundle, at=one.made_at)


def _run(ran: RanCode) -> Node:
    run = ran.run
    return Node(
        run.id, NodeKind.RUN, title=run.task_name, state=run.state,
        bundle=version_id(run.bundle, run.version) if run.bundle else "", at=run.finished_at or run.created_at,
        code=ran.code, code_digest=ran.code_digest, parameters_json=run.parameters_json,
    )  # fmt: skip


def _service(row: ServiceRow) -> Node:
    spec, status = row.spec, row.status
    return Node(
        spec.service_id, NodeKind.SERVICE, state=status.state, user=spec.user,
        bundle=version_id(spec.bundle, spec.version), at=status.finished_at or status.started_at,
        code_digest=spec.code_digest, data_digest=spec.data_digest, parameters_json=spec.parameters_json,
        remark=status.error if status.state is ServiceState.FAILED else "",
    )  # fmt: skip


def _version(one: BundleVersion) -> Node:
    return Node(
        version_id(one.path, one.version), NodeKind.VERSION, bundle=one.path, at=one.created_at, digest=one.digest,
        state="archived" if one.archived else "", parameters_json=one.parameters_json,
    )  # fmt: skip


def _request(one: Request) -> Node:
    asked = _asked(one)
    title = next((str(asked[word]) for word in ("order", "task") if asked.get(word)), "")
    return Node(
        one.id, NodeKind.REQUEST, one.kind, title, one.state, one.user, one.bundle, one.created_at,
        ask_json=one.ask_json,
    )  # fmt: skip


def _replayed(one: Request) -> str:
    before = _asked(one).get("replay_of", "")
    return request_of(before) if isinstance(before, str) else ""


def _asked(one: Request) -> Mapping[str, object]:
    asked = json.loads(one.ask_json or "{}")
    return asked if isinstance(asked, dict) else {}


def _src(edge: Edge) -> str:
    return edge.src
