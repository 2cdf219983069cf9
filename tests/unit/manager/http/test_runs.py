"""The page of runs: the language in the address, a table that shows what was asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from manager.http import pages, runs
from manager.store.memory import MemoryStore
from plotter2.model.entry import Entry
from plotter2.model.service import ServiceState
from tests.contract.samples import put, version


@pytest.fixture
async def page() -> AsyncIterator[Any]:
    store = MemoryStore()
    for number in range(runs.ROWS + 20):
        await put(
            store,
            version(f"lab/bundles/{number:03}", seconds=number, parameters_json=f'{{"lr": {number}, "note": "<b>"}}',
                    metrics_json=f'{{"loss": {1000 - number}, "loss.min": 0}}'),
        )  # fmt: skip
    app = FastAPI()
    app.include_router(runs.router(cast("Any", SimpleNamespace(store=store, version="9")), pages.environment()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:

        async def get(**query: str | int) -> httpx.Response:
            return await client.get("/runs", params=query)

        yield get


async def test_the_newest_come_first_page_by_page(page: Any) -> None:
    first = await page()
    assert first.status_code == 200
    assert first.text.count("<tr>") == 1 + runs.ROWS
    assert "lab/bundles/119" in first.text
    assert "start=100" in first.text
    last = await page(start=100)
    assert last.text.count("<tr>") == 21
    assert "lab/bundles/000" in last.text
    assert "start=0" in last.text


async def test_the_address_picks_and_orders(page: Any) -> None:
    found = (await page(where="param.lr < 5 and not param.lr = 3", sort="metric.loss")).text
    places = [found.index(f'href="/bundles/lab/bundles/00{number}"') for number in (4, 2, 1, 0)]
    assert places == sorted(places)
    assert "lab/bundles/003" not in found
    assert 'value="param.lr &lt; 5' in found, "what was asked stands in the form"
    assert "&lt;b&gt;" in found, "values are escaped"


async def test_a_wrong_query_is_said_on_the_page(page: Any) -> None:
    for where, part in {"param.lr <": "column 11", "param.lrr = 1": "did you mean param.lr?"}.items():
        answer = await page(where=where)
        assert answer.status_code == 400
        assert part in answer.text


async def test_a_strange_address_does_no_harm(page: Any) -> None:
    assert (await page(start=-5)).status_code == 200
    assert (await page(start=10**18)).status_code == 200
    assert (await page(where="path = '\x00'")).status_code == 400


def test_columns_that_were_asked_for_come_first_and_are_bounded() -> None:
    many = ", ".join(f'"p{number}": [1]' for number in range(2 * runs.COLUMNS_MAX))
    entry = Entry("x", 1, ServiceState.DONE, parameters_json="{" + many + "}", metrics_json='{"a": 1, "a.min": 0}',
                  tags_json='{"t": true}')  # fmt: skip
    found = runs.table([entry], "metric.a.min < 1 tag.t")
    assert found.headings[:4] == ("metric.a", "metric.a.min", "tag.t", "param.p0")
    assert len(found.headings) == runs.COLUMNS_MAX
    assert found.rows[0][1][:4] == ("1", "0", "true", "[1]")
    assert runs.table([], "").headings == ()
