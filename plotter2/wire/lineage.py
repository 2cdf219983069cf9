"""Lineage: what was asked, and its nodes and edges."""

from __future__ import annotations

from plotter2.api.v1 import manager_pb2
from plotter2.clock import Instant
from plotter2.errors import RefusedError
from plotter2.model.lineage import Direction, Edge, EdgeKind, Node, NodeKind, ReadFile
from plotter2.wire.enums import EnumTable

_DIRECTIONS = EnumTable(Direction, manager_pb2.LineageDirection, "LINEAGE_DIRECTION_")
_KINDS = EnumTable(NodeKind, manager_pb2.LineageKind, "LINEAGE_KIND_")

direction_to_proto = _DIRECTIONS.to_proto
direction_from_proto = _DIRECTIONS.from_proto


def node_to_proto(node: Node) -> manager_pb2.LineageNode:
    """A node."""
    return manager_pb2.LineageNode(
        id=node.id,
        kind=_KINDS.to_proto(node.kind),
        form=node.form,
        title=node.title,
        state=node.state,
        user=node.user,
        bundle=node.bundle,
        at=node.at,
        digest=node.digest,
        code=node.code,
        code_digest=node.code_digest,
        data_digest=node.data_digest,
        parameters_json=node.parameters_json,
        ask_json=node.ask_json,
        count=node.count,
        remark=node.remark,
    )


def node_from_proto(message: manager_pb2.LineageNode) -> Node:
    """A node.

    Raises:
        RefusedError: of a kind that this version does not know.
    """
    return Node(
        id=message.id,
        kind=_KINDS.from_proto(message.kind),
        form=message.form,
        title=message.title,
        state=message.state,
        user=message.user,
        bundle=message.bundle,
        at=Instant(message.at),
        digest=message.digest,
        code=message.code,
        code_digest=message.code_digest,
        data_digest=message.data_digest,
        parameters_json=message.parameters_json,
        ask_json=message.ask_json,
        count=message.count,
        remark=message.remark,
    )


def edge_to_proto(edge: Edge, files_max: int) -> manager_pb2.LineageEdge:
    """An edge, with the first of its files."""
    return manager_pb2.LineageEdge(
        src=edge.src,
        dst=edge.dst,
        kind=edge.kind,
        files=[
            manager_pb2.LineageFile(path=one.path, digest=bytes.fromhex(one.digest)) for one in edge.files[:files_max]
        ],
        more_files=edge.more_files + max(0, len(edge.files) - files_max),
    )


def edge_from_proto(message: manager_pb2.LineageEdge) -> Edge:
    """An edge.

    Raises:
        RefusedError: of a kind that this version does not know.
    """
    if message.kind not in set(EdgeKind):
        raise RefusedError(f"The lineage edge {message.kind!r} means nothing to this version of plotter2.")
    files = tuple(ReadFile(one.path, one.digest.hex()) for one in message.files)
    return Edge(message.src, message.dst, EdgeKind(message.kind), files, message.more_files)
