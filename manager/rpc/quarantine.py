"""Quarantine: what is in it, and the walk that looks for more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from manager.doors import Doors
from manager.rpc.requests import page_of
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.rpc import Context
from plotter2.wire import quarantine as wire

FINDINGS_SENT_MAX = 1_000
"""Findings in one message: with the longest names it stays below the 16 MiB that a message may have."""


class QuarantineCalls:
    """What is kept and not used."""

    _doors: Doors

    async def Verify(  # noqa: N802 -- gRPC's name
        self, request: pb.VerifyRequest, context: Context
    ) -> AsyncIterator[pb.VerifyResponse]:
        """Counts at each step, with what was found."""
        del context
        async with aclosing(self._doors.verifier.walk(contents=not request.tree_only)) as steps:
            async for step in steps:
                counts = wire.counts_to_proto(step.counts)
                found = [wire.finding_to_proto(one) for one in step.findings]
                for start in range(0, max(len(found), 1), FINDINGS_SENT_MAX):
                    yield pb.VerifyResponse(counts=counts, findings=found[start : start + FINDINGS_SENT_MAX])

    async def ListQuarantine(  # noqa: N802 -- gRPC's name
        self, request: pb.ListQuarantineRequest, context: Context
    ) -> pb.ListQuarantineResponse:
        """Oldest first."""
        del context
        page = await self._doors.store.list_quarantine(*page_of(request.page), decided=request.with_decided)
        return pb.ListQuarantineResponse(items=[wire.item_to_proto(one) for one in page.items], total=page.total)
