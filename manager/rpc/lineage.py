"""Lineage: from whatever somebody names, back to what led to it or forth to what was made of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from manager import tracing
from manager.doors import Doors
from manager.rpc.versions import version_of
from manager.store import Store
from manager.store.text import clean
from manager.tracing import Question
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.errors import NotFoundError, PathRefusedError, UsageError
from plotter2.model import paths
from plotter2.model.bundle import DIGEST_BYTES
from plotter2.model.lineage import (
    FAN_DEFAULT,
    FAN_MAX,
    NODES_DEFAULT,
    NODES_MAX,
    SHOWN_FILES_MAX,
    Direction,
    Lineage,
    Node,
    NodeKind,
    place_of,
    version_id,
)
from plotter2.rpc import Context
from plotter2.wire import lineage as wire

SENT_MAX = 1_000
"""Nodes, and edges, in one message: with the longest names it stays below the 16 MiB that a message may have."""
THING_CHARS_MAX = 8_192


async def traced(doors: Doors, question: Question) -> Lineage:
    """The lineage of what is named.

    Raises:
        NotFoundError: nothing is named so, and no file has that content.
    """
    starts = await tracing.found(doors.store, question) or await _versions(doors, question)
    return await tracing.trace(doors.store, question, starts)


async def _versions(doors: Doors, question: Question) -> list[Node]:
    """A version; without a number the newest for `why`, every one for `uses`."""
    place = place_of(question.thing) or (question.thing, 0)
    try:
        name = paths.bundle_path(place[0])
        if place[1] == 0 and question.direction is Direction.USES:
            found = await _newest(doors.store, name, question.fan_max)
            if found:
                return found
        version = await version_of(doors, name, place[1])
    except (NotFoundError, PathRefusedError) as wrong:
        if not question.digest and isinstance(wrong, NotFoundError):
            raise
        raise NotFoundError(
            f"No output and no bundle is called {question.thing!r}"
            + (", and nothing that plotter2 keeps has the content of that file." if question.digest else ".")
        ) from None
    return [Node(version_id(version.path, version.version), NodeKind.VERSION)]


async def _newest(store: Store, name: str, limit: int) -> list[Node]:
    page = await store.list_versions(name, 0, limit)
    return [Node(version_id(one.path, one.version), NodeKind.VERSION) for one in page.items]


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
        found = await traced(self._doors, question)
        yield pb.TraceLineageResponse(starts=found.starts, left=found.left)
        for start in range(0, len(found.nodes), SENT_MAX):
            nodes = found.nodes[start : start + SENT_MAX]
            yield pb.TraceLineageResponse(nodes=map(wire.node_to_proto, nodes))
        for start in range(0, len(found.edges), SENT_MAX):
            edges = found.edges[start : start + SENT_MAX]
            yield pb.TraceLineageResponse(edges=[wire.edge_to_proto(one, SHOWN_FILES_MAX) for one in edges])
