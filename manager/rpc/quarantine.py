"""Quarantine: what is in it, decisions about it, and the walk that looks for more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace

from manager.events import QuarantineAsked
from manager.inspection import read_tasks
from manager.rpc.asking import AskCalls
from manager.rpc.requests import page_of
from manager.store import Held
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.errors import NotFoundError
from plotter2.ids import DeliveryId, RequestId
from plotter2.model import ask, manifest
from plotter2.model.conditions import Condition, conditions
from plotter2.model.enclosed import Enclosed
from plotter2.model.request import RequestKind
from plotter2.rpc import Context
from plotter2.wire import quarantine as wire

FINDINGS_SENT_MAX = 1_000
"""Findings in one message: with the longest names it stays below the 16 MiB that a message may have."""


class QuarantineCalls(AskCalls):
    """What is kept and not used."""

    async def ask_release(self, request: pb.SubmitRequest, replay_of: str) -> RequestId:
        """Take in what is held, if its conditions hold by now."""
        return await self._decide(request, replay_of, RequestKind.RELEASE)

    async def ask_refuse(self, request: pb.SubmitRequest, replay_of: str) -> RequestId:
        """Let what is held be, for good."""
        return await self._decide(request, replay_of, RequestKind.REFUSE)

    async def _decide(self, request: pb.SubmitRequest, replay_of: str, kind: RequestKind) -> RequestId:
        """Look up what it is about, where the store can be asked; the machine decides."""
        store, released = self._doors.store, kind is RequestKind.RELEASE
        item_id = request.release.item_id if released else request.refuse.item_id
        item = await store.get_item(item_id)
        text = ask.encode(ask.QuarantineAsk(item_id, replay_of))
        held = await store.get_held(DeliveryId(item_id)) if item is not None else None
        bundle = held.bundle if held is not None else ""
        refusal = self._refusal(request, self._doors.ids.request(), kind, bundle, text)
        known = await self._known(refusal)
        if known is not None:
            return known
        if item is None:
            missing = NotFoundError(f"Nothing is in quarantine as {item_id!r}; `plotter2 quarantine` lists what is.")
            return await self._refuse(refusal, missing)
        wishes, tasks = await asyncio.to_thread(self._described, held) if held is not None else ((), ())
        event = QuarantineAsked(
            0, refusal.request_id, request.user, item, released, held, wishes, tasks, request.client_key, replay_of
        )
        return await self._ask(lambda token: replace(event, token=token))

    def _described(self, held: Held) -> tuple[tuple[Condition, ...], tuple[Enclosed, ...]]:
        paper = manifest.parse(held.manifest_json)
        return conditions(paper), read_tasks(self._doors.layout, held.files, paper)

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
