"""Links through the whole manager, the client and the command line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from manager.store.memory import MemoryStore
from plotter2.cli.main import run
from plotter2.errors import ConflictError, PackageError, RefusedError, UsageError
from plotter2.model.request import RequestState
from tests.managerkit import Files, Manager, managing

CODE = b"def curve(step): ...\ndef weights(): ...\ndef flat(matrix): ...\ndef raw(): ...\n"
X, A, B, C = "experiments/x", "experiments/x/bundles/a", "experiments/x/bundles/b", "experiments/x/bundles/c"


def bundle(links: list[dict[str, Any]] | None = None, **heads: dict[str, Any]) -> Files:
    declared = {name: {"function": f"code_sources/m.py:{name}", **one} for name, one in heads.items()}
    package = json.dumps({"heads": declared, "links": links or []}, indent=1)
    return {"package.json": package.encode(), "code_sources/m.py": CODE}


VECTOR, MATRIX = {"returns": "vector[float64, 3]"}, {"returns": "matrix[float64, *, *]"}


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Manager]:
    async with managing(tmp_path / "home") as found:
        await found.push(X, bundle(curve={"params": {"step": "scalar"}, "returns": "table"}, weights=VECTOR))
        await found.push(A, bundle(curve={"params": {"step": "scalar"}, "returns": "table"}, weights=VECTOR))
        await found.push(B, bundle(raw=MATRIX, flat={"params": {"matrix": "matrix[float64, *, *]"}, **VECTOR}))
        yield found


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What was printed, without the lines that a manager in this process logs."""
    found: dict[str, Any] = json.loads(capsys.readouterr().out.partition("\n{\n")[2].join(["{", ""]))
    return found


async def cli(manager: Manager, *words: str) -> int:
    return await asyncio.to_thread(run, [*words, "--address", manager.address])


@pytest.mark.req("r036", "r040")
async def test_what_a_run_can_call_is_listed_with_who_does_it(
    manager: Manager, capsys: pytest.CaptureFixture[str]
) -> None:
    await manager.push("lib", bundle(weights=VECTOR))
    await manager.push("app", bundle(
        [{"name": "far", "from": ".", "in": "weights", "to": "lib", "out": "weights", "mode": "mutable"}],
        weights=VECTOR,
    ))  # fmt: skip
    found = await manager.client.calls("app")
    assert [(one.name, one.shape, [link.of for link in one.links]) for one in found.operations] == [
        ("far", "(…) -> vector[float64, 3]", ["lib"]), ("weights", "(…) -> vector[float64, 3]", ["app", "lib"]),
    ]  # fmt: skip
    by_x = await manager.client.calls(B, task_of=f"{X}@1")
    assert [(one.name, one.links[0].of, one.links[0].origin) for one in by_x.operations] == [
        ("curve", X, "shared"), ("flat", B, "found"), ("raw", B, "found"), ("weights", X, "shared"),
    ]  # fmt: skip
    assert await cli(manager, "ops", "app", "--calls", "--json") == 0
    assert [one["operation"] for one in document(capsys)["operations"]] == ["far", "weights"]
    assert await cli(manager, "ops", "app", "--calls") == 0
    assert "mutable" in capsys.readouterr().out
    assert await cli(manager, "ops", "app", "--calls", "--all") == 2
    assert await cli(manager, "ops", "app", "--task-of", "lib") == 2


@pytest.mark.req("r036", "r038", "r047", "r049", "r055")
async def test_links_are_found_asked_for_refused_with_both_types_and_shown(manager: Manager) -> None:
    p2 = manager.client
    found = await p2.ops(X)
    assert found.names == ["curve", "weights"]
    assert [(one.bundle, one.standing, one.missing) for one in found.members] == [
        (A, "member", ()), (B, "imposter", ("curve", "weights")),
    ]  # fmt: skip
    with pytest.raises(RefusedError, match=r"returns vector\[float64, 3\] and 'raw' of .* returns matrix\[float64"):
        await p2.link(X, B, "weights", to="raw")
    done = await p2.link(X, B, "weights", to="raw", backward="flat")
    assert (done.state, done.kind) == (RequestState.DONE, "link")
    shown = await p2.show(B)
    assert [(one.parent, one.standing, one.score) for one in shown.verdicts] == [(X, "partial", 0.5)]
    weights = (await p2.ops(X, "any")).operations[1]
    assert [(one.bundle, one.head, one.origin, one.backward) for one in weights.links] == [
        (A, "weights", "found", ()), (B, "raw", "asked", ("flat",)),
    ]  # fmt: skip


@pytest.mark.req("r050", "r051", "r052", "r053")
async def test_intersection_union_force_and_unlink(manager: Manager) -> None:
    p2 = manager.client
    assert (await p2.ops(X, "all")).names == []
    assert (await p2.ops(X, "any")).names == ["curve", "weights"]
    await p2.link(X, B, "curve", to="raw", force=True)
    assert (await p2.ops(X, "all")).names == []
    assert (await p2.ops(X, "all", forced=True)).names == ["curve"]
    await p2.unlink(X, A)
    assert (await p2.ops(X, "any")).names == []
    gone = await p2.unlink(X, B, "curve")
    with pytest.raises(ConflictError, match="does not link 'curve'"):
        await p2.replay(gone.id)


@pytest.mark.req("r054", "r066")
async def test_a_package_whose_links_do_not_fit_is_refused_with_line_and_key(manager: Manager) -> None:
    link = {"name": "w", "in": "weights", "out": "raw"}
    with pytest.raises(PackageError, match=r"line \d+, 'links\[0\]' \('w'\): .*vector\[float64, 3\].*matrix\[float64"):
        await manager.push(C, bundle([link], raw=MATRIX))
    itself = {"name": "w", "from": ".", "to": ".", "in": "weights", "out": "raw"}
    with pytest.raises(PackageError, match="a bundle is linked to itself fully"):
        await manager.push(C, bundle([itself], raw=MATRIX, weights=VECTOR))


@pytest.mark.req("r002", "r016", "r052")
async def test_what_was_asked_about_links_outlives_the_manager(tmp_path: Path) -> None:
    store = MemoryStore()
    async with managing(tmp_path / "home", store) as first:
        await first.push(X, bundle(weights=VECTOR))
        await first.push(A, bundle(weights=VECTOR))
        await first.client.unlink(X, A, "weights", key="once")
    async with managing(tmp_path / "home", store) as second:
        assert (await second.client.ops(X, "any")).names == []
        repeated = await second.client.unlink(X, A, "weights", key="once")
        assert repeated.ok
        assert [one.request.kind for one in await second.client.history(X)].count("unlink") == 1


@pytest.mark.req("r017", "r052", "r053")
async def test_the_command_line_links_unlinks_and_lists(manager: Manager, capsys: pytest.CaptureFixture[str]) -> None:
    assert await cli(manager, "link", X, B, "curve", "--to", "raw") == 3
    assert "another kind" in capsys.readouterr().err
    assert await cli(manager, "link", X, B, "curve", "--to", "raw", "--force", "--json") == 0
    assert document(capsys) | {"request": ""} == {
        "request": "", "state": "done", "bundle": X, "to": B, "operation": "curve",
    }  # fmt: skip
    assert await cli(manager, "ops", X, "--any", "--forced", "--json") == 0
    found = document(capsys)
    assert [one["operation"] for one in found["operations"]] == ["curve", "weights"]
    assert [(one["verdict"], one["forced"]) for one in found["members"]] == [("member", []), ("imposter", ["curve"])]
    assert await cli(manager, "show", B) == 0
    assert "imposter of experiments/x, score 0.00; does not link weights; forced: curve" in capsys.readouterr().out
    assert await cli(manager, "unlink", X, B) == 0
    assert await cli(manager, "ops", X) == 0
    assert "1 of 2" in capsys.readouterr().out
    assert await cli(manager, "ops", X, "--all", "--any") == 2


def doing(task: str) -> Files:
    package = json.dumps({"tasks": [{"name": task, "task_src": "task.py"}]})
    return {"package.json": package.encode(), "task.py": b"def task():\n    return 1\n"}


@pytest.mark.req("r031", "r050", "r051")
async def test_a_task_goes_over_the_members_and_the_request_says_who_was_left_out(
    manager: Manager, capsys: pytest.CaptureFixture[str]
) -> None:
    await manager.push("y", doing("count"))
    await manager.push("y/own", {**doing("count"), "more": b"1"})
    await manager.push("y/data", {"data.csv": b"x\n1\n"})
    await manager.push("y/odd", doing("else"))
    asked = await manager.client.run("count", "y", over="members", wait=False)
    assert [one.bundle for one in asked.runs] == ["y", "y/data", "y/own"]
    assert [one.bundle for one in asked.skipped] == ["y/odd"]
    assert (await manager.client.request(asked.id)).skipped == asked.skipped
    assert [one.bundle for one in (await manager.client.replay(asked.id, wait=False)).skipped] == ["y/odd"]
    assert await cli(manager, "run", "count", "--on", "y", "--over", "any", "--json") == 0
    found = document(capsys)
    assert [one["bundle"] for one in found["runs"]] == ["y", "y/data", "y/own"]
    assert found["skipped"] == [
        {"bundle": "y/odd", "reason": "it is an imposter (score 0.00): it does not link 'count'"}
    ]
    assert await cli(manager, "run", "count", "--on", "y", "--over", "all") == 3
    assert "'y/odd'" in capsys.readouterr().err
    with pytest.raises(UsageError, match="goes over self, members, all, any; not 'some'"):
        await manager.client.run("count", "y", over="some")
