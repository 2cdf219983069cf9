"""Lineage through the whole manager: what is recorded as things are made, and followed both ways."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from blake3 import blake3

from manager.events import RunReport, RunsReported, ServiceReported, WorkerAnnounced
from manager.lineage import UNRECORDED
from manager.organizer import Organizer
from manager.store.memory import MemoryStore
from manager.tracing import ALTERED
from plotter2.client.views import Lineage, Origin
from plotter2.clock import SystemClock
from plotter2.errors import NotFoundError, UsageError
from plotter2.ids import DeliveryId, RunId, WorkerId
from plotter2.model import manifest
from plotter2.model.lineage import EdgeKind, NodeKind
from plotter2.model.service import ServiceSpec, ServiceState, ServiceStatus
from plotter2.model.task import Output, RunState
from tests.managerkit import Files, Manager, managing

WORKER = WorkerId("w1")
TABLE = b"x,y\n1,2\n"
DECLARED = {
    "parameters": {"lr": {"type": "float", "default": 0.1}},
    "service": {"command": ["{python}", "train.py", "--lr", "{lr}"]},
    "tasks": [{"name": "loss", "task_src": "tasks/loss.py", "parameters": {"smooth": 3}}],
}
LAB: Files = {
    "package.json": json.dumps(DECLARED).encode(),
    "code_sources/train.py": b"print(1)",
    "tasks/loss.py": b"def task(smooth): plotme(access())",
    "x.csv": TABLE,
}


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Manager]:
    async with managing(tmp_path / "home") as found:
        Organizer(found.layout).lay_assets()
        await found.put(WorkerAnnounced(WORKER, "w1", is_ours=True, incarnation="one", slots=40, beat_s=1.0))
        yield found


def file_of(bundle: str, path: str, data: bytes, version: int = 1) -> dict[str, Any]:
    return {"bundle": bundle, "version": version, "path": path, "digest": blake3(data).hexdigest()}


async def drawn(manager: Manager, task: str, on: str, read: Sequence[dict[str, Any]], sidecar: str = "") -> Path:
    """A run of the task that has made a page; where that lies."""
    asked = await manager.client.run(task, on=on, wait=False)
    folder = manager.layout.runs / f"{asked.id}.0.1"
    folder.mkdir(parents=True)
    (folder / "loss.html").write_text(f"<p>{asked.id}</p>")
    (folder / "loss.html.json").write_text(sidecar or json.dumps({"inputs": {"files": list(read)}, "seed": 1}))
    made, run = (Output("loss.html", "figure", "Loss by epoch"),), RunId(f"{asked.id}.0")
    async with asyncio.timeout(20):
        while not manager.machine.state.runs[run].epoch:  # its instances are planned first
            await asyncio.sleep(0.01)
        await manager.put(RunsReported(WORKER, "one", (RunReport(run, 1, RunState.DONE, made=made),)))
        ended = await manager.client.wait(asked.id)
    (page,) = ended.runs[0].outputs
    return manager.layout.output / page.path


def of_kind(found: Lineage, kind: NodeKind) -> list[Origin]:
    return [one for one in found.origins if one.kind is kind]


async def test_a_figure_leads_to_versions_code_parameters_and_the_first_request(manager: Manager) -> None:
    await manager.push("lab/a", LAB)
    await manager.push("lab/a/bundles/b", {"m.csv": TABLE + b"3,4\n"})
    read = [file_of("lab/a", "x.csv", TABLE), file_of("lab/a/bundles/b", "m.csv", TABLE + b"3,4\n")]
    page = await drawn(manager, "loss", "lab/a", read)
    found = await manager.client.why(page.relative_to(manager.layout.home))
    (run,) = of_kind(found, NodeKind.RUN)
    assert (run.title, run.code, run.parameters) == ("loss", "tasks/loss.py", {"smooth": 3})
    assert run.code_digest == blake3(b"def task(smooth): plotme(access())").hexdigest()
    assert {one.id for one in of_kind(found, NodeKind.VERSION)} == {"lab/a@1", "lab/a/bundles/b@1"}
    assert sorted(one.form for one in of_kind(found, NodeKind.REQUEST)) == ["push", "push", "run"]
    assert {(one.src, one.files) for one in found.steps if one.kind is EdgeKind.READ} == {
        (f"{one['bundle']}@1", ((one["path"], one["digest"]),)) for one in read
    }
    assert found.starts == (page.relative_to(manager.layout.output).as_posix(),)
    beside = await manager.client.why(page.with_name(f"{page.name}.json"))
    assert (beside.starts, beside.origins) == (found.starts, found.origins)


async def test_a_copy_is_found_by_its_content_and_an_altered_page_is_called_so(
    manager: Manager, tmp_path: Path
) -> None:
    await manager.push("lab/a", LAB)
    page = await drawn(manager, "loss", "lab/a", [])
    copy = tmp_path / "copied.html"
    copy.write_bytes(page.read_bytes())
    whole = await manager.client.why(page)
    assert (await manager.client.why(copy)).origins == whole.origins
    place = tmp_path / "output" / page.relative_to(manager.layout.output)
    place.parent.mkdir(parents=True)
    place.write_bytes(b"forged")
    altered = await manager.client.why(place)
    assert altered.starts == whole.starts
    assert altered.origins[0].remark == ALTERED
    (tmp_path / "mine.csv").write_bytes(TABLE)
    held = await manager.client.why(tmp_path / "mine.csv")
    assert [(one.id, one.remark) for one in held.origins[:1]] == [("lab/a@1", "It holds that file as 'x.csv'.")]
    (tmp_path / "other").write_bytes(b"never seen")
    with pytest.raises(NotFoundError, match="nothing that plotter2 keeps has the content of that file"):
        await manager.client.why(tmp_path / "other")
    with pytest.raises(NotFoundError, match="There is no bundle 'lab/nothing'"):
        await manager.client.why("lab/nothing@3")
    with pytest.raises(NotFoundError, match="There is no request or run 'req-1'"):
        await manager.client.why("req-1")


async def test_what_cannot_be_a_name_is_not_found_and_harms_nothing(manager: Manager) -> None:
    for thing in ("", "..", "/", "a\0b", "req-\0", "lab@0", "lab@99999999999", "output/../x", "ü" * 4_000):
        for ask in (manager.client.why, manager.client.uses):
            with pytest.raises(NotFoundError):
                await ask(thing)
    with pytest.raises(UsageError, match="at most 8,192 characters"):
        await manager.client.why("x/" * 5_000)


@pytest.mark.req("r018")
async def test_a_child_leads_to_the_version_it_ran_on_and_that_version_leads_to_all_children(manager: Manager) -> None:
    await manager.push("lab/a", LAB)
    asked = await manager.client.redo("lab/a", {"lr": [0.1, 0.2, 0.3]}, parallel=3, wait=False)
    async with asyncio.timeout(20):
        while sum(isinstance(one, ServiceSpec) for one in manager.silence.heard) < 3:
            await asyncio.sleep(0.01)
    for spec in [one for one in manager.silence.heard if isinstance(one, ServiceSpec)]:
        made = await manager.push(spec.child, {"m.csv": spec.child.encode()}, service_id=spec.service_id)
        delivery = DeliveryId("dlv-" + made.request_id.removeprefix("req-"))
        ended = ServiceStatus(spec.service_id, ServiceState.DONE, child=spec.child, delivery_id=delivery)
        await manager.put(ServiceReported(0, ended))
    await manager.client.wait(asked.id)
    child = await manager.client.why("lab/a/bundles/lr=0.2")
    (service,) = of_kind(child, NodeKind.SERVICE)
    assert (service.state, service.parameters, len(service.code_digest)) == ("done", {"lr": 0.2}, 64)
    assert [(one.src, one.kind) for one in child.steps] == [
        (service.id, EdgeKind.MADE), ("lab/a@1", EdgeKind.ON), (asked.id, EdgeKind.ASKED),
        (of_kind(child, NodeKind.REQUEST)[-1].id, EdgeKind.MADE),
    ]  # fmt: skip
    used = await manager.client.uses("lab/a@1")
    assert {one.id for one in of_kind(used, NodeKind.VERSION)} == {
        "lab/a@1", *(f"lab/a/bundles/lr={value}@1" for value in (0.1, 0.2, 0.3))
    }  # fmt: skip
    few = await manager.client.uses("lab/a", fan=1)
    (more,) = of_kind(few, NodeKind.MORE)
    assert (more.count, more.form) == (2, "service runs")
    assert of_kind(await manager.client.uses("lab/a", fan=1, everything=True), NodeKind.MORE) == []


async def test_what_a_sidecar_says_is_believed_only_where_it_is_so(manager: Manager) -> None:
    await manager.push("lab/a", LAB)
    lies = [
        file_of("lab/a", "x.csv", TABLE, version=2), file_of("lab/a", "x.csv", b"other"),
        file_of("lab/nowhere", "x.csv", TABLE), file_of("lab/a", "../x.csv", TABLE),
    ]  # fmt: skip
    page = await drawn(manager, "loss", "lab/a", [*lies, file_of("lab/a", "x.csv", TABLE)])
    found = await manager.client.why(page)
    assert [(one.src, len(one.files)) for one in found.steps if one.kind is EdgeKind.READ] == [("lab/a@1", 1)]
    for broken in ('{"inputs": ' * 3, "[" * 3_000, '{"inputs": {"files": [{"bundle": 1}]}}'):
        page = await drawn(manager, "loss", "lab/a", [], sidecar=broken)
        found = await manager.client.why(page)
        assert [one.files for one in found.steps if one.kind is EdgeKind.READ] == [()]


async def test_a_run_from_before_lineage_was_kept_says_so(manager: Manager) -> None:
    await manager.push("lab/a", LAB)
    page = await drawn(manager, "loss", "lab/a", [file_of("lab/a", "x.csv", TABLE)])
    assert isinstance(manager.store, MemoryStore)
    manager.store._edges.clear()
    found = await manager.client.why(page)
    (run,) = of_kind(found, NodeKind.RUN)
    assert run.remark == UNRECORDED
    assert ("lab/a@1", EdgeKind.ON) in {(one.src, one.kind) for one in found.steps}
    assert f"! {UNRECORDED}" in found.text()
    assert page.relative_to(manager.layout.output).as_posix() in {
        one.id for one in (await manager.client.uses("lab/a")).origins
    }


@pytest.mark.req("r034", "r059")
async def test_parents_and_what_a_manifest_builds_on_are_lineage_too(manager: Manager) -> None:
    await manager.push("lab/base", LAB)
    await manager.push("data/x", {"x.csv": TABLE})
    paper = json.loads(manifest.write("ann", SystemClock().now(), {}))
    paper["meta"] = {"depends": ["data/x", "lab/base@1"]}
    await manager.push("lab/heir", {"package.json": b'{"parents": ["lab/base"]}'}, manifest_json=json.dumps(paper))
    found = await manager.client.why("lab/heir@1")
    assert {(one.src, one.kind) for one in found.steps if one.dst == "lab/heir@1" and "@" in one.src} == {
        ("lab/base@1", EdgeKind.GAVE), ("lab/base@1", EdgeKind.BASIS), ("data/x@1", EdgeKind.BASIS),
    }  # fmt: skip
    assert [one.id for one in (await manager.client.uses("data/x")).origins] == ["data/x@1", "lab/heir@1"]
    page = await drawn(manager, "loss", "lab/heir", [])
    code = [one for one in (await manager.client.why(page)).steps if one.kind is EdgeKind.CODE]
    assert [one.src for one in code] == ["lab/base@1"]
    assert page.relative_to(manager.layout.output).as_posix() in {
        one.id for one in (await manager.client.uses("lab/base")).origins
    }


@pytest.mark.req("r017")
async def test_the_command_line_prints_a_tree_a_document_and_a_picture(manager: Manager, tmp_path: Path) -> None:
    await manager.push("lab/a", LAB)
    page = await drawn(manager, "loss", "lab/a", [file_of("lab/a", "x.csv", TABLE)])

    async def line(*words: str) -> str:
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-m", "plotter2", *words, "--address", manager.address],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "├─ read lab/a@1: x.csv (" in await line("why", str(page))
    found = json.loads(await line("uses", "lab/a", "--json"))
    assert [one["kind"] for one in found["nodes"]] == ["version", "run", "output"]
    assert found["edges"][0]["files"] == [{"path": "x.csv", "digest": blake3(TABLE).hexdigest()}]
    assert await line("why", str(page), "-o", str(tmp_path / "why.svg")) == ""
    drawing = ET.parse(tmp_path / "why.svg")  # noqa: S314 -- our own picture
    assert drawing.getroot().get("class") == "lineage"
