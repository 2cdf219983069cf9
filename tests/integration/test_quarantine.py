"""Conditions through the whole manager and the client: held, listed, released, refused, and all of it kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from manager.store.memory import MemoryStore
from plotter2.clock import Instant
from plotter2.errors import ConflictError, NotFoundError, RefusedError
from plotter2.ids import DeliveryId
from plotter2.model import manifest
from plotter2.model.quarantine import ItemState
from plotter2.model.request import RequestState
from tests.managerkit import Files, Manager, managing

pytestmark = pytest.mark.req("r063")
FILES: Files = {"a.csv": b"1"}


def paper(**meta: Any) -> str:
    return manifest.write("ann", Instant(1_700_000_000), {}, meta)


NEEDS = paper(conditions=[{"bundle": "data/x", "version": 2}], depends=["data/y"])


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Manager]:
    async with managing(tmp_path / "home") as found:
        yield found


async def test_unmet_conditions_hold_a_delivery_until_a_release_finds_them_met(manager: Manager) -> None:
    client = manager.client
    told = await manager.push("lab/new", FILES, manifest_json=NEEDS)
    assert "bundle 'data/y' is not there; bundle 'data/x' is not there" in told.held
    assert (told.bundle.path, told.bundle.version) == ("lab/new", 0)
    (item,) = await client.quarantine()
    assert (item.place, item.user, item.request, item.reason) == ("lab/new", "ann", told.request_id, told.held)
    assert (await client.request(told.request_id)).state is RequestState.QUEUED
    assert (await client.ls()).total == 0
    await manager.push("data/y", FILES)
    with pytest.raises(ConflictError, match="bundle 'data/x' is not there"):
        await client.release(item.id)
    assert "data/y" not in (await client.quarantine())[0].reason
    for number in (1, 2):
        await manager.push("data/x", {"a.csv": f"{number}".encode()})
    waiting = asyncio.ensure_future(client.wait(told.request_id))
    released = await client.release(item.id)
    assert (await waiting).state is RequestState.DONE
    assert (released.kind, released.bundle) == ("release", "lab/new")
    found = await client.bundle("lab/new", manifest=True)
    assert (found.bundle.version, found.depends) == (1, ("data/y",))
    assert (await client.quarantine()).total == 0
    (decided,) = await client.quarantine(decided=True)
    assert (decided.state, decided.decision) == (ItemState.RELEASED, released.id)
    history = [(one.request.kind, one.request.state) for one in await client.history("lab/new")]
    assert history == [("push", "done"), ("release", "refused"), ("release", "done")]


async def test_a_refused_delivery_stays_refused_when_it_is_offered_again(manager: Manager) -> None:
    told = await manager.push("lab/new", FILES, manifest_json=NEEDS)
    (item,) = await manager.client.quarantine()
    refused = await manager.client.refuse(item.id)
    assert (refused.kind, refused.state) == ("refuse", RequestState.DONE)
    assert (await manager.client.request(told.request_id)).state is RequestState.REFUSED
    with pytest.raises(ConflictError, match="does not wait in quarantine"):
        await manager.client.release(item.id)
    with pytest.raises(NotFoundError, match="plotter2 quarantine"):
        await manager.client.refuse("dlv-nothing")
    manager.numbers = iter([int(item.id.removeprefix("dlv-"), 16)])
    with pytest.raises(RefusedError, match=refused.id):
        await manager.push("lab/new", FILES, manifest_json=NEEDS)


@pytest.mark.req("r002")
async def test_what_is_held_survives_a_kill_and_can_still_be_released(tmp_path: Path) -> None:
    store = MemoryStore()
    async with managing(tmp_path / "home", store) as manager:
        told = await manager.push("lab/new", FILES, manifest_json=NEEDS)
    async with managing(tmp_path / "home", store) as manager:
        await manager.push("data/z", FILES)
        assert (await manager.client.request(told.request_id)).state is RequestState.QUEUED
        (item,) = await manager.client.quarantine()
        held = await store.get_held(DeliveryId(item.id))
        assert held is not None
        manager.numbers = iter(range(90, 99))
        await manager.push("data/y", FILES)
        await manager.push("data/x", FILES)
        await manager.push("data/x", {"a.csv": b"2"})
        await manager.client.release(item.id)
        assert [one.path for one in (await manager.client.bundle("lab/new")).files] == ["a.csv"]


async def test_a_decision_can_be_repeated_with_its_key(manager: Manager) -> None:
    await manager.push("lab/new", FILES, manifest_json=NEEDS)
    (item,) = await manager.client.quarantine()
    first = await manager.client.refuse(item.id, key="once")
    assert (await manager.client.refuse(item.id, key="once")).id == first.id


async def test_the_command_line_lists_and_decides(manager: Manager) -> None:
    await manager.push("lab/new", FILES, manifest_json=NEEDS)
    code, out, _ = await manager.line("quarantine", "--json")
    item = json.loads(out)["items"][0]["id"]
    assert code == 0
    code, out, err = await manager.line("quarantine", "release", item)
    assert (code, out) == (3, "")
    assert "bundle 'data/x' is not there" in err
    code, out, _ = await manager.line("quarantine", "refuse", item, "--json")
    assert (code, json.loads(out)["decision"]) == (0, "refuse")
    assert (await manager.line("quarantine", "free", item))[0] == 2
