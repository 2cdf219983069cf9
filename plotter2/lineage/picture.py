"""Lineage as a picture: an SVG of its own, from left to right as things came to be (pure).

Layers, order and bends come from `fast_sugiyama`, the same way that Graphviz' dot goes; here they become boxes and
curves. The picture follows the reader's choice of light or dark, and each box says all that is known under the pointer.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from fast_sugiyama import from_edges

from plotter2.errors import UsageError
from plotter2.lineage import words
from plotter2.model.lineage import Direction, Edge, EdgeKind, Lineage, Node, NodeKind

BOX_W, BOX_H = 276.0, 56.0
GAP_Y = 18.0
GAP_X, GAP_X_MAX, GAP_X_A_NODE = 80.0, 190.0, 3.0
"""Between columns; where many lines run side by side they get more room."""
MARGIN = 24.0
CHARS = 32
"""That a box has room for in its widest line."""
VERBS_MAX = 4
"""Of so many like edges at one node each says its verb; of more, only the straightest."""
NODES_MAX = 2_000
"""More than anybody can look at, and than a browser draws gladly."""
Point = tuple[float, float]
Href = Callable[[Node], str]

VERBS = {
    EdgeKind.READ: "read",
    EdgeKind.CODE: "code",
    EdgeKind.ON: "on",
    EdgeKind.MADE: "made",
    EdgeKind.ASKED: "asked",
    EdgeKind.CAUSED: "caused",
    EdgeKind.GAVE: "inherited",
    EdgeKind.BASIS: "basis of",
    EdgeKind.REUSED: "reused",
}
STYLE = """
.lineage { --paper: #ffffff; --ink: #1c2733; --muted: #5b6875; --line: #9aa5b1; --box: #f6f8fa; --rim: #d5dbe1;
  --output: #c2410c; --report: #b45309; --run: #0b6bcb; --service: #0e7490; --version: #1a7f4b; --request: #9d3c8c;
  --more: #7f8a96; font-family: system-ui, "Segoe UI", Roboto, "Liberation Sans", sans-serif }
@media (prefers-color-scheme: dark) { .lineage { --paper: #171b21; --ink: #e6e8eb; --muted: #9aa4b0; --line: #65707c;
  --box: #1f252d; --rim: #38414c; --output: #ff9a62; --report: #f5b45e; --run: #6cb2f7; --service: #58c4dc;
  --version: #4cc38a; --request: #e08fd2; --more: #8b96a3 } }
.lineage .paper { fill: var(--paper) }
.lineage .box { fill: var(--box); stroke: var(--rim); stroke-width: 1 }
.lineage .start .box { stroke: var(--kind); stroke-width: 2 }
.lineage .stripe { fill: var(--kind) }
.lineage .name { fill: var(--ink); font-size: 12px; font-weight: 600 }
.lineage .about { fill: var(--muted); font-size: 11px }
.lineage .kind { fill: var(--kind); font-size: 10px; letter-spacing: .04em }
.lineage .edge { fill: none; stroke: var(--line); stroke-width: 1.4 }
.lineage .tip { fill: var(--line) }
.lineage .verb { fill: var(--muted); font-size: 10px; stroke: var(--paper); stroke-width: 4; paint-order: stroke;
  text-anchor: middle }
.lineage a { cursor: pointer }
.lineage a:hover .box { stroke: var(--kind) }
""" + "\n".join(f".lineage .{kind} {{ --kind: var(--{kind}) }}" for kind in NodeKind)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where boxes begin, and which points each edge passes between its ends."""

    places: dict[str, Point]
    bends: dict[tuple[str, str], tuple[Point, ...]]
    width: float
    height: float


def svg(lineage: Lineage, href: Href | None = None) -> str:
    """The picture; `href` gives where a box leads to, "" for nowhere.

    Raises:
        UsageError: it would show too many things.
    """
    if len(lineage.nodes) > NODES_MAX:
        raise UsageError(
            f"A picture shows at most {NODES_MAX:,} things, and these are {len(lineage.nodes):,}: "
            "take a smaller --fan, or text or JSON."
        )
    layout = _laid_out(lineage)
    nodes = "".join(_box(one, layout.places[one.id], lineage, href) for one in lineage.nodes)
    spoken = _spoken(lineage, layout)
    edges = "".join(_curve(one, layout, is_named=one in spoken) for one in lineage.edges)
    width, height = layout.width + 2 * MARGIN, layout.height + 2 * MARGIN
    title = "What led to" if lineage.direction is Direction.WHY else "What was made from"
    about = _text(f"{title} {', '.join(lineage.starts)}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="lineage" role="img" width="{width:g}" height="{height:g}" '
        f'viewBox="{-MARGIN:g} {-MARGIN:g} {width:g} {height:g}"><title>{about}</title><style>{STYLE}</style>'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="tip" d="M0,0.5 L8,4 L0,7.5 z"/></marker>'
        f'<clipPath id="room"><rect width="{BOX_W - 6:g}" height="{BOX_H:g}"/></clipPath></defs>'
        f'<rect class="paper" x="{-MARGIN:g}" y="{-MARGIN:g}" width="{width:g}" height="{height:g}"/>'
        f"{edges}{nodes}</svg>\n"
    )


# --- layout ---------------------------------------------------------------------------------------------------------


def _laid_out(lineage: Lineage) -> _Layout:
    """Components one below the other; those who stand alone come last."""
    names = [one.id for one in lineage.nodes]
    number = {name: place for place, name in enumerate(names)}
    pairs = dict.fromkeys((one.src, one.dst) for one in lineage.edges)
    step = BOX_H + GAP_Y
    column = BOX_W + min(GAP_X_MAX, GAP_X + GAP_X_A_NODE * len(names))
    places: dict[str, Point] = {}
    bends: dict[tuple[str, str], tuple[Point, ...]] = {}
    top = 0.0
    for part in _parts(pairs):
        [(positions, _, _, links)] = from_edges(part, vertex_spacing=step, dummy_vertices=True, check_layout=False)
        first = max(y for _, (_, y) in positions)
        upper = min(x for _, (x, _) in positions)
        at: dict[str | int, Point] = {
            node: (round((first - y) / step) * column, top + x - upper) for node, (x, y) in positions
        }
        at = _in_order(at, number)
        places |= {node: point for node, point in at.items() if isinstance(node, str)}
        bends |= _bends(links or (), at)
        top = max(y for _, y in at.values()) + step
    for name in names:
        if name not in places:
            places[name] = (0.0, top)
            top += step
    width = max((x for x, _ in places.values()), default=0.0) + BOX_W
    return _Layout(places, bends, width, max(0.0, top - GAP_Y))


def _parts(pairs: Iterable[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """The edges of each component. Laid out one by one: the library gives bends of one the names of another's boxes."""
    part_of: dict[str, list[tuple[str, str]]] = {}
    for src, dst in pairs:
        small, large = sorted((part_of.get(src, []), part_of.get(dst, [])), key=len)
        if small is not large:
            large += small
        large.append((src, dst))
        part_of |= dict.fromkeys((src, dst, *(end for pair in small for end in pair)), large)
    return list({id(part): part for part in part_of.values()}.values())


def _in_order(at: dict[str | int, Point], number: dict[str, int]) -> dict[str | int, Point]:
    """The same, upside down if otherwise more things would stand above those that were found before them."""
    columns: dict[float, list[float]] = defaultdict(list)
    for node in sorted((node for node in at if isinstance(node, str)), key=number.__getitem__):
        columns[at[node][0]].append(at[node][1])
    steps = [below - above for ys in columns.values() for above, below in pairwise(ys)]
    if sum(1 if one > 0 else -1 for one in steps) >= 0:
        return at
    low, high = min(y for _, y in at.values()), max(y for _, y in at.values())
    return {node: (x, low + high - y) for node, (x, y) in at.items()}


def _bends(
    links: Iterable[tuple[str | int, str | int]], at: dict[str | int, Point]
) -> dict[tuple[str, str], tuple[Point, ...]]:
    """Long edges go through places that the layout has kept free; these have numbers where things have names."""
    after: dict[str | int, list[str | int]] = defaultdict(list)
    for src, dst in links:
        after[src].append(dst)
    found = {}
    for src in [one for one in after if isinstance(one, str)]:
        for one in after[src]:
            passed, here = [], one
            while isinstance(here, int):
                x, y = at[here]
                passed.append((x, y + BOX_H / 2))
                here = after[here][0]
            found[src, here] = tuple(passed)
    return found


# --- drawing --------------------------------------------------------------------------------------------------------


def _spoken(lineage: Lineage, layout: _Layout) -> set[Edge]:
    """Edges that say their verb."""
    like: dict[tuple[str, EdgeKind, bool], list[Edge]] = defaultdict(list)
    for edge in lineage.edges:
        like[edge.src, edge.kind, True].append(edge)
        like[edge.dst, edge.kind, False].append(edge)

    def bent(edge: Edge) -> float:
        return abs(layout.places[edge.src][1] - layout.places[edge.dst][1])

    many = [edges for edges in like.values() if len(edges) > VERBS_MAX]
    return set(lineage.edges) - {edge for edges in many for edge in sorted(edges, key=bent)[1:]}


def _curve(edge: Edge, layout: _Layout, *, is_named: bool) -> str:
    (x, y), (end_x, end_y) = layout.places[edge.src], layout.places[edge.dst]
    points: list[Point] = [(x + BOX_W, y + BOX_H / 2)]
    for bend_x, bend_y in layout.bends.get((edge.src, edge.dst), ()):
        points += [(bend_x, bend_y), (bend_x + BOX_W, bend_y)]
    points.append((end_x, end_y + BOX_H / 2))
    path = f"M{points[0][0]:.1f},{points[0][1]:.1f}"
    for place in range(0, len(points) - 1, 2):
        (ax, ay), (bx, by) = points[place], points[place + 1]
        middle = (ax + bx) / 2
        path += f" C{middle:.1f},{ay:.1f} {middle:.1f},{by:.1f} {bx:.1f},{by:.1f}"
        if place + 2 < len(points):
            path += f" L{points[place + 2][0]:.1f},{points[place + 2][1]:.1f}"
    (ax, ay), (bx, by) = points[-2], points[-1]
    read = words.read(edge)
    about = _text(f"{VERBS[edge.kind]}: {read}" if read else VERBS[edge.kind])
    x, y = (ax + bx) / 2, (ay + by) / 2 + 3
    verb = f'<text class="verb" x="{x:.1f}" y="{y:.1f}">{VERBS[edge.kind]}</text>' if is_named else ""
    return f'<g><title>{about}</title><path class="edge" d="{path}" marker-end="url(#tip)"/>{verb}</g>'


def _box(node: Node, place: Point, lineage: Lineage, href: Href | None) -> str:
    x, y = place
    start = " start" if node.id in lineage.starts else ""
    kind, name, about = _lines(node)
    body = (
        f'<g class="{node.kind}{start}" transform="translate({x:.1f},{y:.1f})"><title>{_text(_all_known(node))}</title>'
        f'<rect class="box" width="{BOX_W:g}" height="{BOX_H:g}" rx="7"/>'
        f'<rect class="stripe" width="5" height="{BOX_H - 12:g}" x="5" y="6" rx="2.5"/>'
        '<g clip-path="url(#room)">'
        f'<text class="kind" x="18" y="16">{_text(kind)}</text><text class="name" x="18" y="32">{_text(name)}</text>'
        f'<text class="about" x="18" y="47">{_text(about)}</text></g></g>'
    )
    target = href(node) if href is not None else ""
    return f'<a href="{_text(target)}">{body}</a>' if target else body


def _lines(node: Node) -> tuple[str, str, str]:
    """What it is, its name, and what else is worth its place."""
    values = words.values(node.parameters_json)
    stamp = words.moment(node)
    said = "", f"{node.count:,} more {node.form}", "not shown one by one"
    match node.kind:
        case NodeKind.OUTPUT:
            said = node.form.upper(), node.title, node.id
        case NodeKind.REPORT:
            said = "REPORT", node.title, node.bundle
        case NodeKind.RUN:
            code = f"{node.code} · " if node.code else ""
            said = f"RUN · {node.state}", node.title or node.id, f"{code}{values or stamp}"
        case NodeKind.SERVICE:
            said = f"SERVICE RUN · {node.state}", values or node.id, stamp
        case NodeKind.VERSION:
            said = "VERSION", node.id, values or f"{stamp} · {words.short_digest(node)}"
        case NodeKind.REQUEST:
            what = f"{node.form} {node.title}".strip()
            said = "REQUEST", f"{what} {words.by(node)}", f"{stamp} · …{node.id[-8:]}"
        case NodeKind.MORE:
            pass
    return said[0], _fit(said[1]), _fit(said[2], 3)


def _all_known(node: Node) -> str:
    head = " ".join(filter(None, (words.kind(node), words.name(node))))
    about = ", ".join(filter(None, (words.by(node), node.state, words.moment(node), node.digest.hex())))
    return "\n".join(filter(None, (head, about, *words.facts(node), node.remark)))


def _fit(text: str, more: int = 0) -> str:
    """As much as a line has room for: the beginning and, which tells more, the end."""
    room = CHARS + more
    line = " ".join(text.split())
    return line if len(line) <= room else f"{line[: room // 3]}…{line[-(room - room // 3 - 1) :]}"


def _text(text: str) -> str:
    """For XML, which knows no control characters but those of lines."""
    kept = "".join(
        char if char == "\n" or unicodedata.category(char) not in {"Cc", "Cs", "Cn"} else "\ufffd" for char in text
    )
    return escape(kept)
