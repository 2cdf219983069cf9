"""Lineage as a picture: every thing in a box of its own, from left to right, whatever it is called."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plotter2.errors import UsageError
from plotter2.lineage import picture
from plotter2.lineage.picture import BOX_H, BOX_W
from plotter2.model.lineage import Direction, Edge, EdgeKind, Lineage, Node, NodeKind

SVG = "{http://www.w3.org/2000/svg}"


def boxes(text: str) -> list[tuple[float, float]]:
    found = []
    for group in ET.fromstring(text).iter(f"{SVG}g"):  # noqa: S314 -- our own picture
        place = re.fullmatch(r"translate\((-?[\d.]+),(-?[\d.]+)\)", group.get("transform", ""))
        if place:
            found.append((float(place[1]), float(place[2])))
    return found


def graph(pairs: list[tuple[int, int]], count: int) -> Lineage:
    nodes = tuple(Node(f"b{number}@1", NodeKind.VERSION) for number in range(count))
    edges = tuple(Edge(nodes[src].id, nodes[dst].id, EdgeKind.GAVE) for src, dst in pairs)
    return Lineage(Direction.WHY, (nodes[0].id,), nodes, edges)


PAIRS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda one: one[0] < one[1]), max_size=30)


@settings(max_examples=50)
@example([(0, 1), (0, 2), (1, 2)])
@example([(0, 1), (0, 2), (1, 2), (5, 6), (5, 7), (6, 7)])
@given(PAIRS)
def test_no_two_boxes_touch_and_every_edge_goes_to_the_right(pairs: list[tuple[int, int]]) -> None:
    found = boxes(picture.svg(graph(pairs, 12)))
    assert len(found) == 12
    for (x, y), (other_x, other_y) in itertools.combinations(found, 2):
        assert abs(x - other_x) >= BOX_W or abs(y - other_y) >= BOX_H
    assert all(found[src][0] < found[dst][0] for src, dst in pairs)


def test_all_lies_within_the_picture() -> None:
    text = picture.svg(graph([(0, number) for number in range(1, 40)] + [(number, 40) for number in range(1, 40)], 41))
    left, top, width, height = (float(one) for one in ET.fromstring(text).get("viewBox", "").split())  # noqa: S314 -- ours
    for x, y in boxes(text):
        assert left <= x <= left + width - BOX_W
        assert top <= y <= top + height - BOX_H


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_name_and_title_makes_a_picture_that_can_be_read(name: str, title: str) -> None:
    nodes = (Node(f"{name}@1", NodeKind.VERSION), Node(name, NodeKind.OUTPUT, "figure", title))
    edge = Edge(nodes[0].id, nodes[1].id, EdgeKind.MADE)
    assert len(boxes(picture.svg(Lineage(Direction.WHY, (name,), nodes, (edge,)), lambda one: one.id))) == 2


def test_a_picture_is_the_same_each_time() -> None:
    one = graph([(0, 3), (1, 3), (2, 4), (3, 5), (0, 5)], 6)
    assert picture.svg(one) == picture.svg(one)


def test_a_node_alone_is_a_picture_too() -> None:
    assert boxes(picture.svg(graph([], 1))) == [(0.0, 0.0)]


def test_more_than_anybody_can_look_at_is_refused() -> None:
    with pytest.raises(UsageError, match="at most 2,000 things"):
        picture.svg(graph([], 2_001))
