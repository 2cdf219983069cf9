"""Text that a database can hold (pure).

PostgreSQL's text knows no NUL, and UTF-8 no lone surrogate; what people's programs print, raise and send contains both.
Each becomes U+FFFD before a batch is written, in either store, so that no such character can hold up everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import Field, fields, replace
from operator import attrgetter
from typing import Any, TypeVar, get_type_hints

from manager.store import Batch, ServiceRow, TaskRow
from plotter2.model.bundle import Contents
from plotter2.model.request import Child
from plotter2.model.task import TaskRun

T = TypeVar("T")


def clean(text: str) -> str:
    """The text, with U+FFFD for what cannot be stored."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.replace("\0", "\ufffd")


def clean_child(one: Child) -> Child:
    """The same child, storable."""
    return _cleaned(one)


def clean_batch(batch: Batch) -> Batch:
    """The same batch, storable; what needs no change is the same object. Children of requests are left to the store."""
    return replace(
        batch,
        records=list(map(_cleaned, batch.records)),
        requests={one.id: one for one in map(_cleaned, batch.requests.values())},
        tasks={one.task.id: one for one in map(_task, batch.tasks.values())},
        runs={one.id: one for one in map(_run, batch.runs.values())},
        bundles=list(map(_contents, batch.bundles)),
        tags={path: _cleaned(one) for path, one in batch.tags.items()},
        workers={one.id: one for one in map(_cleaned, batch.workers.values())},
        services={one.spec.service_id: one for one in map(_service, batch.services.values())},
        deliveries={one.id: one for one in map(_cleaned, batch.deliveries.values())},
        held={one.id: one for one in map(_cleaned, batch.held.values())},
        quarantine={one.id: one for one in map(_cleaned, batch.quarantine.values())},
        links=list(map(_cleaned, batch.links)),
        tallies={(one.bundle, one.name): one for one in map(_cleaned, batch.tallies.values())},
        reports=list(map(_cleaned, batch.reports)),
        edges=list(map(_cleaned, batch.edges)),
        trees=list(map(_cleaned, batch.trees)),
    )


_Texts = tuple[tuple[str, ...], Callable[[Any], tuple[str, ...]]]
_KNOWN: dict[type, _Texts] = {}


def _texts(kind: type) -> _Texts:
    """The fields of a dataclass that hold text (two or more), and a fast way to get them all."""
    hints = get_type_hints(kind)

    def is_text(field: Field[Any]) -> bool:
        hint = hints[field.name]
        while hasattr(hint, "__supertype__"):
            hint = hint.__supertype__
        return hint is str

    names = tuple(field.name for field in fields(kind) if is_text(field))
    _KNOWN[kind] = names, attrgetter(*names)
    return _KNOWN[kind]


def _cleaned(value: T) -> T:
    kind: type = type(value)
    names, get = _KNOWN.get(kind) or _texts(kind)
    texts = get(value)
    together = "".join(texts)
    if together.isascii() and "\0" not in together:
        return value
    changed = {name: fixed for name, text in zip(names, texts, strict=True) if (fixed := clean(text)) != text}
    return replace(value, **changed) if changed else value  # type: ignore[type-var]  # only dataclasses come here


def _run(one: TaskRun) -> TaskRun:
    if one.outputs:
        one = replace(one, outputs=tuple(map(_cleaned, one.outputs)))
    return _cleaned(one)


def _task(one: TaskRow) -> TaskRow:
    task = _cleaned(one.task)
    return _cleaned(one if task is one.task else replace(one, task=task))


def _service(one: ServiceRow) -> ServiceRow:
    spec, status = _cleaned(one.spec), _cleaned(one.status)
    return one if spec is one.spec and status is one.status else replace(one, spec=spec, status=status)


def _contents(one: Contents) -> Contents:
    bundle = _cleaned(one.bundle)
    return one if bundle is one.bundle else replace(one, bundle=bundle)
