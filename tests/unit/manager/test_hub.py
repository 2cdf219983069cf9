from __future__ import annotations

import pytest

from manager.hub import Hub
from plotter2.errors import LimitError
from plotter2.ids import RequestId


def test_more_watchers_than_there_is_room_for_are_refused_until_one_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("manager.hub.WATCHERS_MAX", 2)
    hub = Hub()
    with hub.watch(RequestId("req-1")):
        with hub.watch(RequestId("req-1")), pytest.raises(LimitError, match="2 requests are watched already"):
            hub.watch(RequestId("req-2")).__enter__()
        with hub.watch(RequestId("req-2")):
            pass
