"""The page of standing orders and automatic users."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI

from manager.events import OrderAsked, PlannerAsked
from manager.http import orders, pages
from plotter2.model.ask import OrderAsk, PlannerAsk
from tests.unit.manager.kit import Story, request
from tests.unit.manager.orderkit import LAB, arrive, lab, ordered


async def page(story: Story) -> str:
    doors = SimpleNamespace(state=story.machine.state, clock=SimpleNamespace(now=lambda: story.now), version="9")
    app = FastAPI()
    app.include_router(orders.router(cast("Any", doors), pages.environment()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        answer = await client.get("/orders")
    assert answer.status_code == 200
    return answer.text


@pytest.mark.req("r023")
async def test_each_order_says_what_it_waits_for_and_asks_for_and_links_to_its_last_firing() -> None:
    story = lab()
    report: dict[str, object] = {"name": "<page>", "on": "child", "run": ["compare"], "report": {"data": ["x"]}}
    story.push(LAB, ordered(report, {"name": "twos", "on": "arrivals", "n": 2, "run": []}))
    arrive(story, 1)
    story.turn(OrderAsked(5, request(90), "ann", OrderAsk(LAB, "twos"), paused=True))
    text = await page(story)
    assert f'href="/requests/{story.machine.state.tally(LAB, "<page>").fired_as}"' in text
    assert "compare, a report" in text
    assert "2 arrivals (1 so far)" in text
    assert "by ann since 2026-03-01" in text
    assert ("&lt;page&gt;" in text, "<page>" in text) == (True, False)


@pytest.mark.req("r020")
async def test_it_says_whether_automatic_users_may_ask_and_how_often_they_did() -> None:
    story = lab()
    text = await page(story)
    assert "No bundle declares a standing order." in text
    assert "They are <b>off</b>" in text
    story.turn(PlannerAsked(5, request(91), "ann", PlannerAsk(on=True)))
    text = await page(story)
    assert "They are <b>on</b>" in text
    assert "0 of 20 asks" in text
