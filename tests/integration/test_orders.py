"""Standing orders through manager, client and command line: what waits, and what fired."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from manager.events import Ticked
from manager.store import Batch
from manager.store.memory import MemoryStore
from plotter2.client.views import Order, Request
from plotter2.clock import ZERO, SystemClock
from plotter2.errors import NotFoundError, PackageError, RefusedError
from plotter2.ids import RequestId
from plotter2.model.request import RequestState
from tests.managerkit import Files, Manager, managing

STANDING = [
    {"name": "nightly", "on": "cron", "cron": "30 4 * * *", "run": ["look"]},
    {"name": "thirds", "on": "arrivals", "n": 3, "run": ["look"]},
    {"name": "after", "on": "request", "request": "archive", "run": []},
    {"name": "each", "on": "child", "run": []},
]
DECLARED = {"tasks": [{"name": "look", "task_src": "look.py"}], "standing": STANDING}
LAB: Files = {"package.json": json.dumps(DECLARED).encode(), "look.py": b"def task(): pass"}


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Manager]:
    async with managing(tmp_path / "home") as found:
        yield found


async def orders(manager: Manager, under: str = "") -> dict[str, Order]:
    return {one.name: one for one in await manager.client.orders(under)}


@pytest.mark.req("r023")
async def test_orders_tell_what_they_wait_for_and_when_they_fired(manager: Manager) -> None:
    await manager.push("lab/a", LAB)
    await manager.push("lab/plain", {"x": b"1"})
    pushed = await manager.push("lab/a/bundles/b1", {"x": b"1"})
    found = await orders(manager)
    assert list(found) == ["nightly", "thirds", "after", "each"]
    due = datetime.fromisoformat(found["nightly"].next_due)
    assert (due.hour, due.minute, due.timestamp() > SystemClock().now()) == (4, 30, True)
    assert (found["thirds"].n, found["thirds"].arrivals, found["thirds"].fired) == (3, 1, 0)
    assert found["thirds"].waits_for == "3 arrivals (1 so far)"
    assert found["after"].waits_for == "archive done"
    (fired,) = await manager.client.requests(cause=pushed.request_id)
    assert (found["each"].fired, found["each"].last_request) == (1, fired.id)
    assert await orders(manager, "lab/plain") == {}


@pytest.mark.req("r023")
async def test_a_tick_before_its_time_and_a_restart_change_nothing(tmp_path: Path) -> None:
    store = MemoryStore()
    async with managing(tmp_path / "home", store) as manager:
        await manager.push("lab/a", LAB)
        await manager.push("lab/a/bundles/b1", {"x": b"1"})
        await manager.put(Ticked())
        before = await orders(manager)
    async with managing(tmp_path / "home", store) as manager:
        await manager.put(Ticked())
        assert await orders(manager) == before


EXPERIMENT = {
    "parameters": {"lr": {"type": "float", "default": 0.1}},
    "service": {"command": ["{python}", "train.py"]},
    "standing": [
        {"name": "sweep", "on": "version", "redo": {"set": {"lr": [0.1, "x"]}}},
        {"name": "again", "on": "request", "request": "tag", "redo": {"set": {"lr": "1..3"}, "parallel": 2}},
    ],
}


def experiment() -> Files:
    return {"package.json": json.dumps(EXPERIMENT).encode(), "code_sources/train.py": b"print(1)"}


async def caused(manager: Manager, cause: str, kind: str) -> list[Request]:
    async with asyncio.timeout(20):
        while not (found := [one for one in await manager.client.requests(cause=cause) if one.kind == kind]):
            await asyncio.sleep(0.01)
    return [await manager.client.request(one.id) for one in found]


@pytest.mark.req("r018", "r023")
async def test_an_order_has_an_experiment_run_again_by_a_request_of_its_own(manager: Manager) -> None:
    pushed = await manager.push("lab/a", experiment())
    (firing,) = await caused(manager, pushed.request_id, "standing")
    (refused,) = await caused(manager, firing.id, "redo")
    assert (refused.state, refused.reason) == (RequestState.REFUSED, "Parameter 'lr' is declared float; \"x\" is not.")
    failed = await manager.client.wait(firing.id)
    assert (failed.state, failed.reason) == (RequestState.FAILED, refused.reason)
    tagged = await manager.client.tag("lab/a", {"x": 1})
    (firing,) = await caused(manager, tagged.id, "standing")
    (redo,) = await caused(manager, firing.id, "redo")
    assert (redo.user, [one.parameters for one in redo.children]) == (
        "standing:again", [{"lr": 1}, {"lr": 2}, {"lr": 3}],
    )  # fmt: skip
    assert (await manager.client.wait(firing.id)).state is RequestState.DONE
    again = (await orders(manager))["again"]
    assert again.asks_for == 'redo lab/a lr="1..3"'
    with pytest.raises(RefusedError, match=f"what it ran is asked by `plotter2 replay {redo.id}`"):
        await manager.client.replay(firing.id)


@pytest.mark.req("r023", "r198")
async def test_an_ask_of_a_firing_is_made_once_though_it_is_carried_out_again(tmp_path: Path) -> None:
    store = MemoryStore()
    async with managing(tmp_path / "home", store) as manager:
        await manager.push("lab/a", experiment())
        tagged = await manager.client.tag("lab/a", {"x": 1})
        (firing,) = await caused(manager, tagged.id, "standing")
        (redo,) = await caused(manager, firing.id, "redo")
        await manager.client.wait(firing.id)
    # As if the process had died after the redo was written and before the firing had heard of it.
    before = await store.get_request(RequestId(firing.id))
    assert before is not None
    lost = replace(before, state=RequestState.RUNNING, finished=0, finished_at=ZERO)
    await store.commit(Batch(turn="crash", requests={lost.id: lost}))
    async with managing(tmp_path / "home", store) as manager:
        assert (await manager.client.wait(firing.id)).state is RequestState.DONE
        assert [one.id for one in await caused(manager, firing.id, "redo")] == [redo.id]


@pytest.mark.req("r016", "r023")
async def test_an_order_that_is_paused_says_by_whom_and_fires_again_when_it_is_resumed(manager: Manager) -> None:
    await manager.push("lab/a", LAB)
    paused = await manager.client.pause("lab/a", "each", key="once")
    assert await manager.client.pause("lab/a", "each", key="once") == paused
    await manager.push("lab/a/bundles/b1", {"x": b"1"})
    each = (await orders(manager))["each"]
    assert (each.fired, each.missed, each.paused_by != "", each.paused[:2]) == (0, 1, True, "20")
    assert each.pause.endswith(", 1 missed")
    with pytest.raises(
        NotFoundError, match="has no standing order 'each1'; it has 'nightly', 'thirds', 'after', 'each'"
    ):
        await manager.client.pause("lab/a", "each1")
    resumed = await manager.client.resume("lab/a", "each")
    assert (resumed.kind, resumed.state) == ("resume", RequestState.DONE)
    await manager.push("lab/a/bundles/b2", {"x": b"2"})
    each = (await orders(manager))["each"]
    assert (each.fired, each.missed, each.pause) == (1, 0, "")
    await manager.client.replay(paused.id)
    assert (await orders(manager))["each"].paused


@pytest.mark.req("r023")
async def test_a_schedule_that_is_none_is_refused_with_its_line(manager: Manager) -> None:
    wrong = json.dumps(DECLARED, indent=1).replace("30 4 * * *", "30 25 * * *")
    with pytest.raises(PackageError, match=r"line 12.*'standing\[0\]\.cron' is '30 25 \* \* \*': bad hour"):
        await manager.push("lab/a", {**LAB, "package.json": wrong.encode()})


@pytest.mark.req("r017", "r023")
async def test_the_command_line_lists_them(manager: Manager) -> None:
    code, out, err = await manager.line("orders")
    assert (code, out) == (0, "")
    assert "No bundle declares a standing order." in err
    await manager.push("lab/a", LAB)
    code, out, _ = await manager.line("orders", "lab", "--json")
    found = json.loads(out)
    assert (code, found["total"]) == (0, 4)
    assert {key: found["items"][1][key] for key in ("name", "on", "n", "arrivals", "run")} == {
        "name": "thirds", "on": "arrivals", "n": 3, "arrivals": 0, "run": ["look"],
    }  # fmt: skip
    assert "30 4 * * * (next 2" in (await manager.line("orders"))[1]
    assert (await manager.line("orders", "pause", "lab/a", "each"))[1] == "'each' of lab/a waits.\n"
    code, out, _ = await manager.line("orders", "resume", "lab/a", "each", "--json")
    assert (code, json.loads(out)["state"], json.loads(out)["order"]) == (0, "done", "each")
    assert (await manager.line("orders", "pause", "lab/a", "none"))[0] == 3
    assert (await manager.line("orders", "pause", "lab/a"))[0] == 2
