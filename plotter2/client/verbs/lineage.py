"""Lineage: why something is there, and what it was used for."""

from __future__ import annotations

import asyncio
from pathlib import Path

from plotter2 import files, rpc
from plotter2.api.v1 import manager_pb2
from plotter2.client.verbs.core import Core
from plotter2.client.views import Lineage
from plotter2.model import lineage as model
from plotter2.model.lineage import FAN_MAX, NODES_MAX, Direction, Edge, Node
from plotter2.wire import lineage as wire


class Lineages(Core):
    """The verbs that follow lineage. They change nothing."""

    async def why(self, thing: str | Path, *, fan: int = 0, everything: bool = False) -> Lineage:
        """What led to something, back to the first requests: versions, code, parameters, who asked.

        Args:
            thing: a path below `output/`; a file anywhere, which is found by its content; `bundle` (its newest version)
                or `bundle@3`; the id of a request or run.
            fan: so many neighbours of one kind are shown of each thing (8 unless told); the others are counted.
            everything: all of them, up to 20,000 things.
        """
        return await self._trace(Direction.WHY, thing, fan, everything=everything)

    async def uses(self, thing: str | Path, *, fan: int = 0, everything: bool = False) -> Lineage:
        """What was made from something: runs, figures, children, what those were used for in turn.

        Args:
            thing: `bundle` (every version) or `bundle@3`; a file anywhere, which is found by its content.
            fan: so many neighbours of one kind are shown of each thing (8 unless told); the others are counted.
            everything: all of them, up to 20,000 things.
        """
        return await self._trace(Direction.USES, thing, fan, everything=everything)

    async def _trace(self, direction: Direction, thing: str | Path, fan: int, *, everything: bool) -> Lineage:
        message = manager_pb2.TraceLineageRequest(
            direction=wire.direction_to_proto(direction),
            thing=str(thing),
            digest=await asyncio.to_thread(_digest, Path(thing)),
            fan_max=FAN_MAX if everything else fan,
            nodes_max=NODES_MAX if everything else 0,
        )
        parts: list[manager_pb2.TraceLineageResponse] = []

        async def read() -> None:
            parts.clear()
            with rpc.errors():
                async for part in self._link.stub.TraceLineage(message):
                    self._link.heard()
                    parts.append(part)

        await self._link.ask(lambda _: read())
        nodes: list[Node] = [wire.node_from_proto(one) for part in parts for one in part.nodes]
        edges: list[Edge] = [wire.edge_from_proto(one) for part in parts for one in part.edges]
        found = model.Lineage(direction, tuple(parts[0].starts), tuple(nodes), tuple(edges), parts[0].left)
        return Lineage.of(found)


def _digest(path: Path) -> bytes:
    """Of a file that is here; b"" for every other name."""
    try:
        return files.digest(path) if path.is_file() else b""
    except (OSError, ValueError):
        return b""
