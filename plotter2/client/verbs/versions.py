"""Versions: what differs, what was asked over time, what is put aside. Nothing is ever deleted."""

from __future__ import annotations

from plotter2 import rpc
from plotter2.api.v1 import common_pb2, manager_pb2
from plotter2.client import asks
from plotter2.client.verbs.core import Core, everything
from plotter2.client.views import Difference, HistoryEntry, Page, Request


class Versions(Core):
    """The verbs about versions."""

    async def diff(self, before: str, after: str) -> Difference:
        """What differs between two versions, each as `name` or `name@version`; they may be of two bundles."""
        (old, old_version), (new, new_version) = map(asks.bundle_and_version, (before, after))
        message = manager_pb2.DiffBundlesRequest(
            before=old, before_version=old_version, after=new, after_version=new_version
        )
        parts: list[manager_pb2.DiffBundlesResponse] = []

        async def read() -> None:
            parts.clear()
            with rpc.errors():
                async for part in self._link.stub.DiffBundles(message):
                    self._link.heard()
                    parts.append(part)

        await self._link.ask(lambda _: read())
        return asks.difference_of(parts)

    async def history(self, bundle: str) -> Page[HistoryEntry]:
        """Everything that was asked about a bundle or what lies below it, oldest first, and what each push came to."""
        path, _ = asks.bundle_and_version(bundle)

        async def page(part: common_pb2.PageRequest) -> tuple[list[HistoryEntry], int]:
            message = manager_pb2.ListHistoryRequest(page=part, bundle=path)
            answer = await self._link.ask(lambda stub: stub.ListHistory(message, timeout=asks.TIMEOUT_S))
            return [asks.history_of(one) for one in answer.entries], answer.total

        return await everything(page)

    async def inherit(self, bundle: str, *, key: str = "") -> Request:
        """Take anew what a bundle has from its parents as they are now: a new version, unless nothing differs."""
        ask = manager_pb2.InheritAsk(bundle=bundle)
        return await self._submit(manager_pb2.SubmitRequest(inherit=ask), wait=True, key=key)

    async def archive(self, bundle: str, *, key: str = "") -> Request:
        """Put a bundle aside: it is not listed any more, and all of it stays as it is."""
        return await self._hide(bundle, key, archived=True)

    async def unarchive(self, bundle: str, *, key: str = "") -> Request:
        """List a bundle again that was put aside."""
        return await self._hide(bundle, key, archived=False)

    async def _hide(self, bundle: str, key: str, *, archived: bool) -> Request:
        ask = manager_pb2.ArchiveAsk(bundle=bundle, archived=archived)
        return await self._submit(manager_pb2.SubmitRequest(archive=ask), wait=True, key=key)
