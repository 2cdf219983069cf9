"""Search: bundles and runs by what they were given, what they measured, and how they are marked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plotter2.api.v1 import common_pb2, manager_pb2
from plotter2.client import asks
from plotter2.client.verbs.core import Core, everything
from plotter2.client.views import Found, Page, Request


class Search(Core):
    """The verbs that find."""

    async def search(
        self, where: str = "", *, sort: str = "", limit: int = 0, under: str = "", archived: bool = False
    ) -> Page[Found]:
        """Bundles and runs that fulfil a condition, with their parameters, metrics and tags.

        Args:
            where: as `param.lr < 0.1 and metric.accuracy > 0.9 and tag.model = "mlp"`; none: everything.
            sort: fields divided by commas, `-` before one turns it round, as `-metric.accuracy`; none: newest first.
            limit: at most so many; 0 is all.
            under: only this bundle and what is below it.
            archived: also what was put aside.

        Raises:
            UsageError: it is no query; the sentence names the column and what would be right.
            NotFoundError: it names what no run has; the sentence names the nearest that one has.
        """

        async def page(part: common_pb2.PageRequest) -> tuple[list[Found], int]:
            message = manager_pb2.SearchRequest(page=part, where=where, sort=sort, under=under, with_archived=archived)
            answer = await self._link.ask(lambda stub: stub.Search(message, timeout=asks.TIMEOUT_S))
            return [asks.found_of(one) for one in answer.entries], answer.total

        return await everything(page, limit)

    async def tag(self, bundle: str, tags: Mapping[str, Any] | None = None, *, key: str = "", **more: Any) -> Request:
        """Set tags on a bundle: `tag("experiments/digits", model="mlp", layers=3)`. They stay with its next versions.

        Args:
            bundle: what is tagged.
            tags: name to text, number, true or false; None takes a tag away, also one that package.json declares.
            key: the same key makes a repeat harmless.
            more: tags as keywords.
        """
        ask = manager_pb2.TagAsk(bundle=bundle, tags_json=asks.object_of({**(tags or {}), **more}))
        return await self._submit(manager_pb2.SubmitRequest(tag=ask), wait=True, key=key)
