"""Who watches a request is told of each child when it changes, and of all of them first and last."""

from __future__ import annotations

from pathlib import Path

import pytest

from plotter2.api.v1 import manager_pb2 as pb
from plotter2.client import asks
from plotter2.model.service import ServiceState
from tests.unit.manager.rpc.kit import small

VALUES = ["0.1", "0.2", "0.3"]


@pytest.mark.req("r016", "r018")
async def test_news_have_the_children_that_have_changed_and_make_the_whole_again(tmp_path: Path) -> None:
    async with small(tmp_path) as manager:
        await manager.push()
        asked = await manager.redo(VALUES)
        watch = manager.rpc.WatchRequest(pb.WatchRequestRequest(request_id=asked.id), None)
        heard = [await anext(watch)]
        for number in range(len(VALUES)):
            state = ServiceState.FAILED if number == 1 else ServiceState.DONE
            await manager.end(manager.started[number], state)
            heard.append(await anext(watch))
        assert [one async for one in watch] == []
        whole = asks.request_of(await manager.request(asked.id))
    assert [[*one.changed] for one in heard] == [[], [0, 1, 2], [1], []]
    assert [len(one.request.children) for one in heard] == [3, 3, 1, 3]
    found = asks.request_of(asked)
    states = []
    for news in heard:
        found = asks.told(found, news)
        states.append([child.state for child in found.children])
    done, failed, queued = ServiceState.DONE, ServiceState.FAILED, ServiceState.QUEUED
    assert states == [[queued] * 3, [done, queued, queued], [done, failed, queued], [done, failed, done]]
    assert found == whole
