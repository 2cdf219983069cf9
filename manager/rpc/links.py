"""Links: asks, operations, verdicts."""

from __future__ import annotations

from dataclasses import replace

from manager.events import LinkAsked
from manager.rpc.asking import AskCalls
from plotter2.api.v1 import manager_pb2 as pb
from plotter2.errors import UsageError
from plotter2.ids import RequestId
from plotter2.model import ask, membership, paths
from plotter2.model.ask import LinkAsk, UnlinkAsk
from plotter2.rpc import Context
from plotter2.wire import links as wire


class LinkCalls(AskCalls):
    """What is linked to what."""

    async def ask_link(self, request: pb.SubmitRequest, replay_of: str) -> RequestId:
        """Link an operation of one bundle to another bundle."""
        asked = request.link
        if not asked.operation:
            raise UsageError(f"The ask names no operation; `plotter2 ops {asked.src}` lists those of {asked.src!r}.")
        src, dst = paths.bundle_path(asked.src), paths.bundle_path(asked.dst)
        return await self._link(request, wire.link_from_proto(asked, src, dst, replay_of))

    async def ask_unlink(self, request: pb.SubmitRequest, replay_of: str) -> RequestId:
        """Have it linked no more."""
        asked = request.unlink
        src, dst = paths.bundle_path(asked.src), paths.bundle_path(asked.dst)
        return await self._link(request, UnlinkAsk(src, dst, asked.operation, replay_of))

    async def _link(self, request: pb.SubmitRequest, asked: LinkAsk | UnlinkAsk) -> RequestId:
        event = LinkAsked(0, self._doors.ids.request(), request.user, asked, request.client_key)
        refused = self._refusal(request, event.request_id, event.kind, event.bundle, ask.encode(asked))
        return await self._known(refused) or await self._ask(lambda token: replace(event, token=token))

    async def ListOperations(  # noqa: N802 -- gRPC's name
        self, request: pb.ListOperationsRequest, context: Context
    ) -> pb.ListOperationsResponse:
        """What a bundle does, and what those below it do of that."""
        del context
        state = self._doors.state
        path = state.catalog.need(paths.bundle_path(request.bundle)).version.path
        operations, siblings = state.bonds.heads(path).operations, state.bonds.siblings(path)
        names = list(operations)
        if request.of == pb.OPERATIONS_OF_ALL:
            names = membership.intersection(names, siblings.values(), with_forced=request.with_forced)
        elif request.of == pb.OPERATIONS_OF_ANY:
            names = membership.union(names, siblings.values(), with_forced=request.with_forced)
        verdicts = (state.bonds.verdict(one, path, linked) for one, linked in siblings.items())
        return pb.ListOperationsResponse(
            operations=[wire.operation_to_proto(operations[name], siblings) for name in names],
            members=[wire.verdict_to_proto(one) for one in verdicts],
        )
