"""Quarantine: what is kept and not used, and the walk that looks for more."""

from __future__ import annotations

from collections.abc import Callable

from plotter2 import rpc
from plotter2.api.v1 import common_pb2, manager_pb2
from plotter2.client import asks
from plotter2.client.verbs.core import Core, everything
from plotter2.client.views import Page, QuarantineItem, Request, Verification
from plotter2.model.verification import Counts, Finding
from plotter2.wire import quarantine as wire

OnCounts = Callable[[Counts], None]


class Quarantine(Core):
    """The verbs about quarantine."""

    async def verify(self, *, contents: bool = True, on_counts: OnCounts | None = None) -> Verification:
        """Look whether everything at rest is what was put there; put right what can be, and tell what was found.

        What nobody explains is moved into quarantine. A line that breaks begins the walk anew.

        Args:
            contents: read all content as well; else only names are compared.
            on_counts: called with how far it has come.
        """
        message = manager_pb2.VerifyRequest(tree_only=not contents)
        findings: dict[tuple[str, str], Finding] = {}

        async def read() -> Counts:
            counts = Counts()
            with rpc.errors():
                async for part in self._link.stub.Verify(message):
                    self._link.heard()
                    counts = wire.counts_from_proto(part.counts)
                    for one in map(wire.finding_from_proto, part.findings):
                        findings[one.path, one.problem] = one
                    if on_counts is not None:
                        on_counts(counts)
            return counts

        counts = await self._link.ask(lambda _: read())
        return Verification(counts, tuple(findings.values()))

    async def release(self, item: str, *, key: str = "") -> Request:
        """Take in a delivery that is in quarantine, if its conditions hold by now.

        Raises:
            ConflictError: they do not, or somebody has decided already, or it is a stray; the message says which.
            NotFoundError: nothing is in quarantine under this id.
        """
        ask = manager_pb2.SubmitRequest(release=manager_pb2.QuarantineAsk(item_id=item))
        return await self._submit(ask, wait=True, key=key)

    async def refuse(self, item: str, *, key: str = "") -> Request:
        """Let something in quarantine be, for good: its push ends as refused, and nothing is deleted.

        Raises:
            ConflictError: somebody has decided already.
            NotFoundError: nothing is in quarantine under this id.
        """
        ask = manager_pb2.SubmitRequest(refuse=manager_pb2.QuarantineAsk(item_id=item))
        return await self._submit(ask, wait=True, key=key)

    async def quarantine(self, *, decided: bool = False) -> Page[QuarantineItem]:
        """What is kept and not used, oldest first; `decided`: also what somebody has decided about."""

        async def page(part: common_pb2.PageRequest) -> tuple[list[QuarantineItem], int]:
            message = manager_pb2.ListQuarantineRequest(page=part, with_decided=decided)
            answer = await self._link.ask(lambda stub: stub.ListQuarantine(message, timeout=asks.TIMEOUT_S))
            return [QuarantineItem.of(wire.item_from_proto(one)) for one in answer.items], answer.total

        return await everything(page)
