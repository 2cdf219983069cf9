"""Propeller's JSON: what comes in, what goes out."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from manager.http.shapes import NEVER, proplet_to_json, task_from_json, task_to_json
from plotter2.clock import Instant
from plotter2.errors import UsageError
from plotter2.ids import WorkerId
from plotter2.model.task import TaskKind
from plotter2.model.worker import Worker, WorkerState

NOW = Instant(1_700_000_000.0)


def coded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.req("M33", "M34", "M36")
def test_a_script_by_curl_becomes_a_definition_and_comes_back_in_propellers_shape() -> None:
    row = task_from_json({"name": "add", "script": "def task(a): return a", "inputs": [20, "x"]}, "id-1", NOW)
    assert (row.task.kind, row.task.filename) == (TaskKind.SCRIPT, "add.py")
    shape = task_to_json(row)
    assert (shape["id"], shape["state"], shape["inputs"], shape["priority"]) == ("id-1", 0, ["20", "x"], 50)
    assert shape["start_time"] == shape["finish_time"] == shape["next_run"] == NEVER
    assert shape["created_at"] == "2023-11-14T22:13:20.000000Z"
    assert "results" not in shape


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"file": coded(b"\0asm\1\0\0\0")}, TaskKind.WASM),
        ({"file": coded(b"def task(): pass")}, TaskKind.SCRIPT),
        ({"file": coded(b'["access", "plot"]')}, TaskKind.PIPELINE),
        ({"pipeline": ["access", "plot"]}, TaskKind.PIPELINE),
        ({"image_url": "docker.io/x"}, TaskKind.WASM),
    ],
)
def test_what_a_definition_is_made_of_is_seen_from_its_content(body: dict[str, Any], kind: TaskKind) -> None:
    assert task_from_json({"name": "t", **body}, "id", NOW).task.kind is kind


def test_a_file_is_redacted_on_the_way_out() -> None:
    row = task_from_json({"name": "t", "file": coded(b"def task(): return 'a secret'")}, "id", NOW)
    assert "<REDACTED>" in task_to_json(row)["file"]
    assert json.loads(row.task.wire_json)["file"] == coded(b"def task(): return 'a secret'")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "JSON object"),
        ({}, "missing identity name"),
        ({"name": "t", "priority": 101}, "'priority'"),
        ({"name": "t", "file": "%%%"}, "must be base64"),
        ({"name": "t", "file": coded(b"\xff\xfe\xfd")}, "neither a wasm module nor UTF-8"),
        ({"name": "t", "inputs": "x"}, "'inputs' must be a list"),
    ],
)
@pytest.mark.req("M33")
def test_what_makes_no_sense_is_said(body: Any, says: str) -> None:
    with pytest.raises(UsageError) as wrong:
        task_from_json(body, "id", NOW)
    assert says in wrong.value.message


@pytest.mark.req("M26")
def test_a_worker_is_shown_as_a_proplet() -> None:
    shape = proplet_to_json(Worker(WorkerId("w"), "worker-1", WorkerState.ALIVE, last_seen_at=NOW), 3)
    assert (shape["id"], shape["name"], shape["alive"], shape["task_count"]) == ("w", "worker-1", True, 3)
    assert shape["last_alive_at"] == "2023-11-14T22:13:20.000000Z"
