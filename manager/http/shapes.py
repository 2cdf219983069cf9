"""Propeller's JSON: what clients send and expect (spec/propeller 1.4), to and from our rows (pure).

Times are RFC 3339 and always present: zero is year 1. `file` is redacted on the way out.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from blake3 import blake3

from manager.store import TaskRow
from plotter2.clock import Instant, rfc3339
from plotter2.errors import UsageError
from plotter2.ids import TaskId
from plotter2.model.task import SOURCE_BYTES_MAX, Task, TaskKind
from plotter2.model.worker import Worker, WorkerState

NEVER = "0001-01-01T00:00:00Z"
WASM_MAGIC = b"\0asm"
REDACT_CHARS = 10
PRIORITY_DEFAULT = 50
KEPT = (
    "kind", "image_url", "file", "cli_args", "inputs", "env", "daemon", "latent", "encrypted", "kbs_resource_path",
    "depends_on", "run_if", "workflow_id", "job_id", "monitoring_profile", "mode", "schedule", "is_recurring",
    "timezone", "broadcast", "priority", "metadata", "hal_storage_path",
)  # fmt: skip
"""Fields of a Task that we keep as they came and give back."""


def task_from_json(body: Any, task_id: str, now: Instant) -> TaskRow:
    """A definition from the body of POST /tasks.

    A script or pipeline comes as `file` (base64, as Propeller's clients send it) or, for curl, as plain `script` (text)
    or `pipeline` (a list).

    Raises:
        UsageError: a field is missing or of the wrong kind; the message names it.
    """
    if not isinstance(body, dict):
        raise UsageError("the body must be a JSON object")
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise UsageError("missing identity name: 'name' must be a non-empty string")
    kept = {key: body[key] for key in KEPT if body.get(key) is not None}
    kept.setdefault("kind", "standard")
    kept["priority"] = _priority(kept.get("priority", 0))
    if "inputs" in kept:
        kept["inputs"] = [_text(value) for value in _list(kept["inputs"], "inputs")]
    kind, source, raw = _source(body)
    if len(raw) > SOURCE_BYTES_MAX and kind is not TaskKind.WASM:
        raise UsageError(f"the source is longer than {SOURCE_BYTES_MAX} bytes")
    bundle = body.get("bundle", "")
    task = Task(
        TaskId(task_id), name, kind, source, blake3(raw).digest(), _filename(name, kind), str(bundle), created_at=now,
        wire_json=json.dumps(kept, ensure_ascii=False),
    )  # fmt: skip
    return TaskRow(task)


def _source(body: dict[str, Any]) -> tuple[TaskKind, str, bytes]:
    if isinstance(body.get("script"), str):
        return TaskKind.SCRIPT, body["script"], body["script"].encode()
    if body.get("pipeline") is not None:
        text = json.dumps(_list(body["pipeline"], "pipeline"), ensure_ascii=False)
        return TaskKind.PIPELINE, text, text.encode()
    if body.get("file"):
        try:
            raw = base64.b64decode(body["file"], validate=True)
        except (binascii.Error, TypeError, ValueError):
            raise UsageError("'file' must be base64") from None
        if raw.startswith(WASM_MAGIC):
            return TaskKind.WASM, "", raw
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            raise UsageError("'file' is neither a wasm module nor UTF-8 text") from None
        kind = TaskKind.PIPELINE if text.lstrip().startswith("[") else TaskKind.SCRIPT
        return kind, text, raw
    return TaskKind.WASM, "", b""


def _filename(name: str, kind: TaskKind) -> str:
    return name + {TaskKind.SCRIPT: ".py", TaskKind.PIPELINE: ".json"}.get(kind, ".wasm")


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise UsageError(f"{name!r} must be a list")
    return value


def _priority(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 100:  # noqa: PLR2004 -- the contract
        raise UsageError("'priority' must be an integer from 0 to 100")
    return value or PRIORITY_DEFAULT


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def task_to_json(row: TaskRow) -> dict[str, Any]:
    """A Task as Propeller's clients decode it."""
    kept: dict[str, Any] = json.loads(row.task.wire_json) if row.task.wire_json else {}
    shape: dict[str, Any] = {
        "id": row.task.id,
        "name": row.task.name,
        "kind": "standard",
        "state": int(row.state),
        "cli_args": None,
        "daemon": False,
        "encrypted": False,
        **kept,
        "start_time": _time(row.started_at),
        "finish_time": _time(row.finished_at),
        "created_at": _time(row.task.created_at),
        "updated_at": _time(row.updated_at or row.task.created_at),
        "next_run": NEVER,
    }
    if "file" in shape:
        shape["file"] = _redact(str(shape["file"]))
    if row.proplet_id:
        shape["proplet_id"] = row.proplet_id
    if row.results_json:
        shape["results"] = json.loads(row.results_json)
    if row.error:
        shape["error"] = row.error
    if row.task.bundle:
        shape["bundle"] = row.task.bundle
    return shape


def proplet_to_json(worker: Worker, task_count: int) -> dict[str, Any]:
    """A PropletView."""
    shape: dict[str, Any] = {
        "id": worker.id,
        "name": worker.name,
        "task_count": task_count,
        "alive": worker.state is WorkerState.ALIVE,
        "metadata": json.loads(worker.metadata_json or "{}"),
    }
    if worker.last_seen_at:
        shape["last_alive_at"] = _time(worker.last_seen_at)
    return shape


def _time(instant: Instant) -> str:
    return rfc3339(instant) if instant else NEVER


def _redact(text: str) -> str:
    if len(text) <= 2 * REDACT_CHARS:
        return text
    return f"{text[:REDACT_CHARS]}<REDACTED>{text[-REDACT_CHARS:]}"
