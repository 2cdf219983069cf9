"""The page of a request whose runs are a tree: what each of them waits for."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
from fastapi import FastAPI

from manager.http import pages
from manager.hub import Hub
from plotter2.layout import Layout
from tests.unit.manager.treekit import META, TASK1, Fleet, sprout


async def test_a_run_that_waits_for_others_says_for_whom(tmp_path: Path) -> None:
    fleet = Fleet()
    fleet.story.push("lab", "")
    fleet.story.worker("w1", slots=2)
    asked = fleet.plant(sprout(TASK1, 3), sprout(META))
    for turns, shown, said in (
        (0, "held", "held until somebody waits for it"),
        (4, "parked", "waits in collect for plot_matrix[step_0] and 2 more"),
    ):
        fleet.go(turns)
        state = fleet.story.machine.state
        layout = Layout.at(tmp_path)
        doors = SimpleNamespace(state=state, store=await fleet.written(), hub=Hub(), version="9", layout=layout)
        app = FastAPI()
        app.include_router(pages.router(cast("Any", doors)))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
            answer = await client.get(f"/requests/{asked}")
        assert answer.status_code == 200
        assert said in answer.text
        assert f'<span class="state {shown}">{shown}</span>' in answer.text
