"""Lineage on the wire, both ways."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotter2.api.v1 import manager_pb2
from plotter2.clock import Instant
from plotter2.errors import RefusedError
from plotter2.model.lineage import Direction, Edge, EdgeKind, Node, NodeKind, ReadFile
from plotter2.wire import lineage

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
DIGESTS = st.binary(max_size=32)
NODES = st.builds(
    Node, TEXTS, st.sampled_from(NodeKind), TEXTS, TEXTS, TEXTS, TEXTS, TEXTS, st.floats(0, 1e11).map(Instant), DIGESTS,
    TEXTS, DIGESTS, DIGESTS, TEXTS, TEXTS, st.integers(0, 1 << 40), TEXTS,
)  # fmt: skip
FILES = st.lists(st.builds(ReadFile, TEXTS, DIGESTS.map(bytes.hex)), max_size=3).map(tuple)


@given(NODES)
def test_a_node_comes_over_the_wire_as_it_is(node: Node) -> None:
    assert lineage.node_from_proto(lineage.node_to_proto(node)) == node
    assert len(fields(Node)) == len(manager_pb2.LineageNode.DESCRIPTOR.fields)


@given(st.builds(Edge, TEXTS, TEXTS, st.sampled_from(EdgeKind), FILES, st.integers(0, 1 << 40)))
def test_an_edge_comes_over_the_wire_with_the_first_of_its_files(edge: Edge) -> None:
    assert lineage.edge_from_proto(lineage.edge_to_proto(edge, 3)) == edge
    short = lineage.edge_from_proto(lineage.edge_to_proto(edge, 1))
    assert short.files == edge.files[:1]
    assert len(short.files) + short.more_files == len(edge.files) + edge.more_files


def test_what_a_later_version_says_is_refused() -> None:
    with pytest.raises(RefusedError, match="means nothing to this version"):
        lineage.edge_from_proto(manager_pb2.LineageEdge(kind="dreamt"))
    with pytest.raises(RefusedError, match="means nothing to this version"):
        lineage.node_from_proto(manager_pb2.LineageNode(kind=99))
    assert [lineage.direction_from_proto(lineage.direction_to_proto(one)) for one in Direction] == list(Direction)
