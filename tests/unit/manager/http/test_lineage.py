"""The pages of lineage: a picture to click through, the tree, and what is not there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from prometheus_client import CollectorRegistry

from manager.catalog import Catalog
from manager.http import build
from manager.store.memory import MemoryStore
from plotter2.model.lineage import Edge, EdgeKind
from plotter2.model.task import Output, RunState
from tests.contract.samples import at, put, request, run, version

PAGE = Output("digits/<curve>/01.html", "figure", "Loss & <b>accuracy</b>", 3, bytes(32))


@pytest.fixture
async def pages() -> AsyncIterator[httpx.AsyncClient]:
    store = MemoryStore()
    asked = request(1, ask_json='{"task": "<curve>"}')
    reads = [Edge(f"digits/bundles/{number:02}@1", f"{asked.id}.0", EdgeKind.READ) for number in range(20)]
    await put(
        store, asked, run(asked, 0, outputs=(PAGE,), state=RunState.DONE, finished_at=at(9)), version("digits"), *reads
    )
    doors = SimpleNamespace(store=store, version="9", state=SimpleNamespace(catalog=Catalog()))
    app = build(cast("Any", doors), CollectorRegistry(), lambda: True, lambda: True)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        yield client


async def test_a_figure_shows_where_it_came_from_and_each_box_leads_on(pages: httpx.AsyncClient) -> None:
    found = await pages.get(f"/why/{PAGE.path}")
    assert found.status_code == 200
    assert 'class="lineage"' in found.text
    assert 'href="/requests/req-' in found.text
    assert 'href="/why/digits%401"' in found.text
    assert "12 more versions" in found.text
    assert 'href="?fan=64"' in found.text
    assert "└─ asked by run &#34;&lt;curve&gt;&#34; req-" in found.text
    assert "<b>accuracy" not in found.text


async def test_more_neighbours_are_shown_on_demand(pages: httpx.AsyncClient) -> None:
    assert "more versions" not in (await pages.get(f"/why/{PAGE.path}", params={"fan": 64})).text


async def test_a_bundle_shows_what_was_made_from_it(pages: httpx.AsyncClient) -> None:
    found = (await pages.get("/uses/digits")).text
    assert "made output/digits/&lt;curve&gt;/01.html" in found
    assert '<a href="/why/digits">where it came from</a>' in found


async def test_what_is_not_there_is_not_found(pages: httpx.AsyncClient) -> None:
    found = await pages.get("/why/nothing/at/all.html")
    assert (found.status_code, found.json()) == (404, {"error": found.json()["error"]})
    assert "'nothing/at/all.html'" in found.json()["error"]
