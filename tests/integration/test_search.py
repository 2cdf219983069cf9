"""Search through the whole manager and the client: what runs are given and how they are marked is found."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from manager.store.memory import MemoryStore
from plotter2.client.views import Found, Page
from plotter2.errors import NotFoundError, UsageError
from tests.managerkit import Manager, managing

PACKAGE = {
    "tags": {"model": "mlp", "layers": 2},
    "parameters": {"lr": {"type": "float", "default": 0.1}, "opt": {"type": "str", "default": "adam"}},
    "service": {"command": ["{python}", "train.py"]},
}

FILES = {"package.json": json.dumps(PACKAGE).encode(), "code_sources/train.py": b"..."}


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Manager]:
    async with managing(tmp_path / "home") as found:
        yield found


async def trained(manager: Manager, rates: list[float], files: Any = None) -> None:
    """An experiment with one child for each rate, whose output has come in."""
    await manager.push("lab", FILES)
    asked = await manager.client.redo("lab", lr=rates, parallel=len(rates), wait=False)
    for index, rate in enumerate(rates):
        await manager.push(f"lab/bundles/lr={rate}", (files or {})[rate] if files else {"out": str(rate).encode()},
                           service_id=f"{asked.id}.s{index}")  # fmt: skip


def names(found: Page[Found]) -> list[str]:
    return [one.bundle.removeprefix("lab/bundles/") for one in found]


async def test_runs_are_found_by_what_they_were_given(manager: Manager) -> None:
    await trained(manager, [0.5, 0.05, 0.01])
    found = await manager.client.search('param.lr < 0.1 and param.opt = "adam"', sort="-param.lr")
    assert names(found) == ["lr=0.05", "lr=0.01"]
    assert found[0].parameters == {"lr": 0.05, "opt": "adam"}
    assert found[0].flat["param.lr"] == 0.05
    assert (await manager.client.search(limit=2)).total == 4


async def test_runs_that_wait_are_found_by_their_state(manager: Manager) -> None:
    await manager.push("lab", FILES)
    await manager.client.redo("lab", lr=[0.3, 0.4], parallel=2, wait=False)
    found = await manager.client.search('state = "queued"', sort="param.lr", under="lab")
    assert [(one.bundle, one.version) for one in found] == [("lab/bundles/lr=0.3", 0), ("lab/bundles/lr=0.4", 0)]


async def test_tags_of_a_package_are_found_on_its_bundle_and_on_what_its_runs_left(manager: Manager) -> None:
    await trained(manager, [0.5])
    found = await manager.client.search('tag.model = "mlp" and tag.layers >= 2', sort="path")
    tags = {"model": "mlp", "layers": 2}
    assert [(one.bundle, one.tags) for one in found] == [("lab", tags), ("lab/bundles/lr=0.5", tags)]


@pytest.mark.req("r016")
async def test_tags_set_afterwards_are_found_remembered_and_stay(manager: Manager) -> None:
    await trained(manager, [0.5, 0.1])
    child = "lab/bundles/lr=0.5"
    asked = await manager.client.tag(child, {"quality": "good"}, rank=1, key="mine")
    again = await manager.client.tag(child, {"quality": "good"}, rank=1, key="mine")
    assert (asked.kind, asked.ok, again.id) == ("tag", True, asked.id)
    await manager.client.tag("lab", model=None, size=3)
    assert names(await manager.client.search('tag.quality = "good" and tag.rank <= 1')) == ["lr=0.5"]
    assert [one.tags for one in await manager.client.search("tag.size = 3")] == [{"layers": 2, "size": 3}]
    await manager.push(child, {"out": b"another"})
    assert (await manager.client.bundle(child)).bundle.tags == {
        "model": "mlp",
        "layers": 2,
        "quality": "good",
        "rank": 1,
    }
    assert names(await manager.client.search("tag.rank = 1 and version = 2")) == ["lr=0.5"]
    history = await manager.client.history(child)
    assert [(one.outcome, json.loads(one.request.ask_json).get("tags")) for one in history][1:2] == [
        ("tagged", {"quality": "good", "rank": 1})
    ]
    replayed = await manager.client.replay(asked.id)
    assert (replayed.kind, replayed.ok) == ("tag", True)


async def test_tags_outlive_the_manager(tmp_path: Path) -> None:
    store = MemoryStore()
    async with managing(tmp_path / "home", store) as first:
        await first.push("data/x", {"a": b"1"})
        await first.client.tag("data/x", kept="yes")
    async with managing(tmp_path / "home", store) as second:
        second.numbers = itertools.count(50)
        await second.push("data/x", {"a": b"2"})
        assert [one.version for one in await second.client.search('tag.kept = "yes"')] == [2]


@pytest.mark.req("r016")
async def test_tags_that_cannot_be_are_refused(manager: Manager) -> None:
    with pytest.raises(UsageError, match="No tag was given"):
        await manager.client.tag("lab")
    with pytest.raises(UsageError, match="plain values"):
        await manager.client.tag("lab", a=[1])
    with pytest.raises(NotFoundError, match="no bundle 'lab'"):
        await manager.client.tag("lab", a=1)
    refused = await manager.client.requests("lab")
    assert [(one.kind, one.state) for one in refused] == [("tag", "refused")]


async def test_a_wrong_query_says_where_and_the_nearest_name(manager: Manager) -> None:
    await trained(manager, [0.5])
    with pytest.raises(UsageError, match="In 'where', column 12: 'adam' is no value"):
        await manager.client.search("param.lr = adam")
    with pytest.raises(NotFoundError, match=r"column 1: no run has a parameter .lrr.; did you mean"):
        await manager.client.search("param.lrr = 1")
    with pytest.raises(NotFoundError, match="In 'sort', column 2: no run has a metric 'loss'"):
        await manager.client.search(sort="-metric.loss")


async def test_runs_are_found_by_what_they_measured_and_marked(manager: Manager) -> None:
    written = {
        0.5: {"metrics.csv": b"epoch,accuracy\n1,0.99\n2,0.95\n"},
        0.05: {"metrics.csv": b"epoch,accuracy\n1,0.5\n2,0.92\n"},
        0.01: {"out/m.json": b'{"accuracy": 0.97}', "package.json": b'{"data": {"metrics": {"path": "out/m.json"}}}'},
        0.02: {"metrics.csv": b"epoch,accuracy\n1,nan\n"},
        0.03: {"metrics.csv": b"\xff"},
    }
    await trained(manager, [*written], written)
    found = await manager.client.search("param.lr < 0.1 and metric.accuracy > 0.9", sort="-metric.accuracy", limit=10)
    assert names(found) == ["lr=0.01", "lr=0.05"]
    assert found[1].metrics["accuracy.min"] == 0.5
    assert names(await manager.client.search('path ~ "*/bundles/*"', sort="-metric.accuracy")) == [
        "lr=0.01", "lr=0.5", "lr=0.05", "lr=0.02", "lr=0.03",
    ]  # fmt: skip
    shown = await manager.client.bundle("lab/bundles/lr=0.5")
    assert shown.bundle.metrics["accuracy"] == 0.95
    with pytest.raises(NotFoundError, match=r"did you mean metric\.accuracy"):
        await manager.client.search("metric.accurate > 0.9")
