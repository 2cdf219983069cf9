"""Lineage as a tree of text: each node once with all that is known, again only by its name (pure)."""

from __future__ import annotations

from collections import defaultdict

from plotter2.lineage import words
from plotter2.model.lineage import Direction, Edge, Lineage, Node, NodeKind

AGAIN = "(above)"
ALL = "--all shows them"


def tree(lineage: Lineage) -> str:
    """Lines with a rail: what led to each thing, or what was made from it, hangs below it."""
    nodes = {one.id: one for one in lineage.nodes}
    hanging: dict[str, list[Edge]] = defaultdict(list)
    for one in lineage.edges:
        hanging[one.dst if lineage.direction is Direction.WHY else one.src].append(one)
    lines: list[str] = []
    told: set[str] = set()
    for start in lineage.starts:
        lines += [""] if lines else []
        # name of the node, the edge it hangs on, what stands before its line, what before those below it
        waiting: list[tuple[str, Edge | None, str, str]] = [(start, None, "", "")]
        while waiting:
            name, edge, before, below = waiting.pop()
            is_new = name not in told
            told.add(name)
            branches = hanging[name] if is_new else []
            lines.append(before + _head(nodes[name], edge, lineage.direction, is_new=is_new))
            rail = below + ("│  " if branches else "   ")
            lines += [f"{rail}{line}" for line in (_details(nodes[name]) if is_new else [])]
            for place, branch in enumerate(reversed(branches)):
                corner, after = ("└─ ", "   ") if place == 0 else ("├─ ", "│  ")
                other = branch.src if lineage.direction is Direction.WHY else branch.dst
                waiting.append((other, branch, below + corner, below + after))
    if lineage.left:
        lines.append(f"{lineage.left:,} more were not looked at: there is a limit, which --all raises.")
    return "\n".join(lines)


def _head(node: Node, edge: Edge | None, direction: Direction, *, is_new: bool) -> str:
    parts = [] if edge is None else [words.joint(edge, direction)]
    if node.kind is NodeKind.MORE:
        return " ".join([*parts, f"{words.name(node)} ({ALL})"])
    if node.kind in {NodeKind.RUN, NodeKind.SERVICE, NodeKind.REQUEST}:
        parts += [words.kind(node), words.name(node)]
    else:
        parts += [words.name(node), words.kind(node)]
    read = f": {words.read(edge)}" if edge is not None and words.read(edge) else ""
    line = " ".join(filter(None, parts)) + read
    if not is_new:
        return f"{line} {AGAIN}"
    about = [words.by(node), node.state, words.moment(node), words.short_digest(node)]
    known = ", ".join(filter(None, about))
    return f"{line}  {known}" if known else line


def _details(node: Node) -> list[str]:
    return [*words.facts(node), *([f"! {node.remark}"] if node.remark else [])]
