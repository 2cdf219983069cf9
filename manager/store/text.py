"""Text that a database can hold (pure).

PostgreSQL's text knows no NUL, and UTF-8 no lone surrogate; what people's programs print and raise contains both. Each
becomes U+FFFD before a batch is written, in either store, so that no such character can hold up everything else.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from manager.store import Batch, ServiceRow, TaskRow
from plotter2.model.record import NewRecord
from plotter2.model.request import Child, Request
from plotter2.model.task import Output, Task, TaskRun

T = TypeVar("T")


def clean(text: str) -> str:
    """The text, with U+FFFD for what cannot be stored."""
    if text.isascii():
        return text if "\0" not in text else text.replace("\0", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "\ufffd")


def clean_batch(batch: Batch) -> Batch:
    """The same batch, storable; what needs no change is the same object. Children of requests are left to the store."""
    return replace(
        batch,
        records=[_record(one) for one in batch.records],
        requests={key: _request(one) for key, one in batch.requests.items()},
        tasks={key: _task(one) for key, one in batch.tasks.items()},
        runs={key: _run(one) for key, one in batch.runs.items()},
        services={key: _service(one) for key, one in batch.services.items()},
    )


def _cleaned(value: T, **texts: str) -> T:
    changed = {name: fixed for name, text in texts.items() if (fixed := clean(text)) != text}
    return replace(value, **changed) if changed else value  # type: ignore[type-var]  # only dataclasses come here


def _record(one: NewRecord) -> NewRecord:
    return _cleaned(one, key=one.key, payload_json=one.payload_json)


def clean_child(one: Child) -> Child:
    """The same child, storable."""
    return _cleaned(one, parameters_json=one.parameters_json, error=one.error, tail=one.tail)


def _request(one: Request) -> Request:
    return _cleaned(one, user=one.user, ask_json=one.ask_json, client_key=one.client_key, reason=one.reason)


def _run(one: TaskRun) -> TaskRun:
    if one.outputs:
        one = replace(one, outputs=tuple(_output(output) for output in one.outputs))
    return _cleaned(
        one,
        task_name=one.task_name,
        parameters_json=one.parameters_json,
        results_json=one.results_json,
        error=one.error,
    )


def _output(one: Output) -> Output:
    return _cleaned(one, path=one.path, kind=one.kind, title=one.title)


def _task(one: TaskRow) -> TaskRow:
    task: Task = one.task
    tidy = _cleaned(task, name=task.name, source=task.source, filename=task.filename, wire_json=task.wire_json)
    if tidy is not task:
        one = replace(one, task=tidy)
    return _cleaned(one, results_json=one.results_json, error=one.error)


def _service(one: ServiceRow) -> ServiceRow:
    status = _cleaned(one.status, error=one.status.error, tail=one.status.tail)
    return one if status is one.status else replace(one, status=status)
