"""Lineage as text: a tree that tells each thing once."""

from __future__ import annotations

import itertools

from plotter2 import lineage
from plotter2.clock import Instant
from plotter2.model.lineage import Direction, Edge, EdgeKind, Lineage, Node, NodeKind, ReadFile

AT = Instant(1_700_000_000)
RUN = Node(
    "req-1.0", NodeKind.RUN, title="loss", state="done", at=AT, code="tasks/loss.py", code_digest=b"\xab" * 32,
    parameters_json='{"smooth": 0.10, "by": "epoch"}',
)  # fmt: skip
PAGE = Node("lab/01-loss.html", NodeKind.OUTPUT, "figure", "Loss", at=AT, digest=b"\x01" * 32)
LAB = Node("lab@1", NodeKind.VERSION, at=AT, digest=b"\x02" * 32)
PUSH = Node("req-0", NodeKind.REQUEST, "push", state="done", user="ann", at=AT, ask_json='{"bundle": "lab"}')
FIRED = Node("req-1", NodeKind.REQUEST, "standing", "curves", "done", "standing:curves", remark="A remark.")
MORE = Node("more:1", NodeKind.MORE, "versions", count=9_992)
EDGES = (
    Edge("req-1.0", "lab/01-loss.html", EdgeKind.MADE),
    Edge("lab@1", "req-1.0", EdgeKind.READ, (ReadFile("m.csv", "cd" * 32),), 3),
    Edge("more:1", "req-1.0", EdgeKind.READ),
    Edge("req-1", "req-1.0", EdgeKind.ASKED),
    Edge("req-0", "lab@1", EdgeKind.MADE),
    Edge("req-0", "req-1", EdgeKind.CAUSED),
)
NODES = (PAGE, RUN, LAB, MORE, FIRED, PUSH)


def test_a_figure_is_told_back_to_the_first_request() -> None:
    assert lineage.tree(Lineage(Direction.WHY, (PAGE.id,), NODES, EDGES, 7)).splitlines() == [
        'output/lab/01-loss.html figure "Loss"  2023-11-14 22:13:20, 010101010101',
        '└─ made by run "loss" req-1.0  done, 2023-11-14 22:13:20',
        "   │  code tasks/loss.py (abababababab)",
        "   │  parameters smooth=0.10 by=epoch",
        "   ├─ read lab@1: m.csv (cdcdcdcdcdcd) and 3 more  2023-11-14 22:13:20, 020202020202",
        "   │  └─ made by push req-0  by ann, done, 2023-11-14 22:13:20",
        '   │        asked {"bundle": "lab"}',
        "   ├─ read … and 9,992 more versions (--all shows them)",
        '   └─ asked by standing "curves" req-1  done',
        "      │  ! A remark.",
        "      └─ caused by push req-0 (above)",
        "7 more were not looked at: there is a limit, which --all raises.",
    ]


def test_what_was_made_is_told_forth() -> None:
    found = Lineage(Direction.USES, (LAB.id,), (LAB, RUN, PAGE), EDGES[:2])
    assert lineage.tree(found).splitlines() == [
        "lab@1  2023-11-14 22:13:20, 020202020202",
        '└─ read by run "loss" req-1.0: m.csv (cdcdcdcdcdcd) and 3 more  done, 2023-11-14 22:13:20',
        "   │  code tasks/loss.py (abababababab)",
        "   │  parameters smooth=0.10 by=epoch",
        '   └─ made output/lab/01-loss.html figure "Loss"  2023-11-14 22:13:20, 010101010101',
    ]


def test_a_very_long_chain_of_causes_is_told_to_its_end() -> None:
    nodes = tuple(Node(f"req-{number}", NodeKind.REQUEST, "run") for number in range(5_000))
    edges = tuple(Edge(after.id, before.id, EdgeKind.CAUSED) for before, after in itertools.pairwise(nodes))
    assert len(lineage.tree(Lineage(Direction.WHY, ("req-0",), nodes, edges)).splitlines()) == 5_000
