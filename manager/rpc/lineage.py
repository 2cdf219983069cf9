"""Lineage: from whatever somebody names, back to what led to it or forth to what was made of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from manager import tracing
from manager.doors import Doors
from manager.store.text import clean
from manager.tracing import Question
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.errors import UsageError
from plotter2.model.bundle import DIGEST_BYTES
from plotter2.model.lineage import (
    FAN_DEFAULT,
    FAN_MAX,
    NODES_DEFAULT,
    NODES_MAX,
    SHOWN_FILES_MAX,
)
from plotter2.rpc import Context
from plotter2.wire import lineage as wire

SENT_MAX = 1_000
"""Nodes, and edges, in one message: with the longest names it stays below the 16 MiB that a message may have."""
THING_CHARS_MAX = 8_192


class LineageCalls:
    """Why something is there, and what it was used for."""

    _doors: Doors

    async def TraceLineage(  # noqa: N802 -- gRPC's name
        self, request: pb.TraceLineageRequest, context: Context
    ) -> AsyncIterator[pb.TraceLineageResponse]:
        """Nodes, then edges; the first message says what was asked about."""
        del context
        if len(request.thing) > THING_CHARS_MAX:
            raise UsageError(f"A path or name to ask about has at most {THING_CHARS_MAX:,} characters.")
        if len(request.digest) not in {0, DIGEST_BYTES}:
            raise UsageError(f"A digest has {DIGEST_BYTES} bytes, not {len(request.digest)}.")
        question = Question(
            wire.direction_from_proto(request.direction),
            clean(request.thing),
            request.digest,
            min(request.nodes_max or NODES_DEFAULT, NODES_MAX),
            min(request.fan_max or FAN_DEFAULT, FAN_MAX),
        )
        found = await tracing.traced(self._doors.store, self._doors.state.catalog, question)
        yield pb.TraceLineageResponse(starts=found.starts, left=found.left)
        for start in range(0, len(found.nodes), SENT_MAX):
            nodes = found.nodes[start : start + SENT_MAX]
            yield pb.TraceLineageResponse(nodes=map(wire.node_to_proto, nodes))
        for start in range(0, len(found.edges), SENT_MAX):
            edges = found.edges[start : start + SENT_MAX]
            yield pb.TraceLineageResponse(edges=[wire.edge_to_proto(one, SHOWN_FILES_MAX) for one in edges])
