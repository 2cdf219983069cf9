"""Asks into protobuf, answers into views: the client's edge. Reads the default home from the settings, else pure."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from plotter2.api.v1 import common_pb2, manager_pb2
from plotter2.client.sources import JsonText, Source
from plotter2.client.views import (
    Bundle,
    ChangedFile,
    ChangedParameter,
    Contents,
    DeclaredTask,
    Difference,
    File,
    Found,
    HistoryEntry,
    Inherited,
    Link,
    Operation,
    Operations,
    OutputFile,
    Plan,
    PlannedRun,
    Repeat,
    Request,
    Verdict,
    Worker,
    when,
)
from plotter2.clock import Instant
from plotter2.errors import BY_CODE, UsageError
from plotter2.model import inheritance, package, spread
from plotter2.model.paths import bundle_path
from plotter2.model.request import Over, RequestState
from plotter2.wire.asks import over_to_proto
from plotter2.wire.bundles import (
    bundle_from_proto,
    file_change_from_proto,
    file_entry_from_proto,
    parameter_change_from_proto,
)
from plotter2.wire.links import mode_from_proto, verdict_from_proto
from plotter2.wire.requests import repeat_from_proto, request_from_proto
from plotter2.wire.search import entry_from_proto
from plotter2.wire.tasks import kind_to_proto, run_from_proto, worker_from_proto
from plotter2.wire.ways import ways_from_proto

DIGEST_BYTES = 32
TIMEOUT_S = 60.0
T = TypeVar("T")


def home_of(home: str | Path | None) -> Path:
    """The home meant: the one given, else the setting's, else the default."""
    if home is not None:
        return Path(home).expanduser().absolute()
    default: Path = import_module("plotter2.config").default_home()  # pydantic takes 0.2 s to load
    return default


def dumps(value: Any) -> str:
    """A JSON text of what the caller gave.

    Raises:
        UsageError: it has no JSON form.
    """
    if isinstance(value, JsonText):
        return str(value)
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"), default=_plain)
    except (TypeError, ValueError) as wrong:
        raise UsageError(f"A parameter cannot be written as JSON: {wrong}.") from None


def object_of(values: Mapping[str, Any]) -> str:
    """A JSON object of values; a JsonText keeps its spelling.

    Raises:
        UsageError: a value has no JSON form.
    """
    return "{" + ", ".join(f"{json.dumps(name)}: {dumps(value)}" for name, value in values.items()) + "}"


def _plain(value: Any) -> Any:
    # numpy's numbers and arrays, without importing numpy
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def bundle_and_version(text: str) -> tuple[str, int]:
    """Read `name` or `name@version`; 0 is the newest.

    Raises:
        PathRefusedError: the name may not be.
    """
    if not text:
        return "", 0
    head, at, tail = text.rpartition("@")
    if at and tail.isdecimal():
        return bundle_path(head), int(tail)
    return bundle_path(text), 0


def put_source(ask: manager_pb2.RunAsk, source: Source) -> None:
    """Let a definition travel with the ask."""
    ask.task = source.name
    ask.source = source.text
    ask.kind = kind_to_proto(source.kind)
    ask.filename = source.filename


def axes(given: Mapping[str, Any]) -> list[manager_pb2.SweepAxis]:
    """The axes of a sweep; one value stands for a list of one, a text like `1..3` or `log:1e-4:1e-1:5` for a range.

    In a list a text is a text: `["1..3"]` is one value.

    Raises:
        UsageError: an axis without values, or a range that is none.
    """
    found = []
    for name, values in given.items():
        texts = _texts(values)
        if not texts:
            raise UsageError(f"The parameter {name!r} is given no value.")
        found.append(manager_pb2.SweepAxis(parameter=name, values_json=texts))
    return found


def _texts(values: Any) -> list[str]:
    if isinstance(values, str) and not isinstance(values, JsonText):
        spread_out = spread.values(values)
        return [dumps(values)] if spread_out is None else spread_out
    is_one = isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable)
    return [dumps(value) for value in ([values] if is_one else values)]


def redo(bundle: str, given: Mapping[str, Any], failed_of: str) -> manager_pb2.RedoAsk:
    """A redo of `name` or `name@version`, or of the failed points of a request.

    Raises:
        UsageError: neither, or both.
    """
    if failed_of:
        if bundle or given:
            raise UsageError("The failed points of a request have their bundle and values: name the request alone.")
        return manager_pb2.RedoAsk(failed_of=failed_of)
    path, version = bundle_and_version(bundle)
    if not path:
        raise UsageError("A redo needs the bundle that shall be run again.")
    return manager_pb2.RedoAsk(bundle=path, version=version, axes=axes(given))


def plan_of(message: manager_pb2.PlanRedoResponse) -> Plan:
    """What a redo would run."""
    points = (
        PlannedRun(
            one.bundle, one.parameters_json, f"{one.reused_bundle}@{one.reused_version}" if one.reused_bundle else ""
        )
        for one in message.children
    )
    return Plan(message.bundle, message.version, tuple(points))


def digest_of(text: str) -> bytes:
    """A digest as it is written; b"" for none.

    Raises:
        UsageError: it is none.
    """
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b"?"
    if len(found) not in {0, DIGEST_BYTES}:
        raise UsageError(f"{text!r} is no digest: a digest is {2 * DIGEST_BYTES} hexadecimal digits.")
    return found


def over_of(text: str) -> manager_pb2.Over.ValueType:
    """What a run goes over.

    Raises:
        UsageError: it is no such word.
    """
    try:
        return over_to_proto(Over(text))
    except ValueError:
        raise UsageError(f"A run goes over {', '.join(Over)}; not {text!r}.") from None


def accepted(request: Request) -> Request:
    """The request, unless it was refused.

    Raises:
        RefusedError: it was; the class belongs to the reason.
    """
    if request.state is RequestState.REFUSED:
        raise BY_CODE.get(request.reason_code, BY_CODE["refused"])(request.reason)
    return request


def request_of(message: manager_pb2.Request) -> Request:
    """A request with the runs that came with it."""
    repeat = Repeat.of(repeat_from_proto(message.repeat)) if message.HasField("repeat") else None
    found = Request.of(request_from_proto(message), [run_from_proto(run) for run in message.runs], repeat)
    return replace(found, waits_for=message.waits_for) if message.waits_for else found


def told(found: Request, news: manager_pb2.WatchRequestResponse) -> Request:
    """The request as it is by this news: children that are not in it are as they were."""
    now = request_of(news.request)
    children = now.children or found.children
    if news.changed:
        known = [*found.children]
        for place, child in zip(news.changed, now.children, strict=True):
            known[place] = child
        children = tuple(known)
    return replace(now, children=children, progress=found.progress)


def fresh(lines: Iterable[manager_pb2.LogLine], seen: dict[tuple[str, int], int]) -> list[str]:
    """Those lines that were not seen yet: a watch that begins again is told what is kept.

    Args:
        lines: as they came.
        seen: the last line of each run and attempt so far; goes on with these.
    """
    texts = []
    for one in lines:
        run = one.run_id, one.attempt
        if not one.place or one.place > seen.get(run, 0):
            seen[run] = one.place
            texts.append(one.text)
    return texts


def bundle_of(message: common_pb2.Bundle) -> Bundle:
    """A version."""
    return Bundle.of(bundle_from_proto(message))


def contents_of(message: manager_pb2.GetBundleResponse) -> Contents:
    """A version with its files, what it inherits, and its descendants."""
    known = {one.digest: Inherited.of(inheritance.decode(one.inherited_json)) for one in message.inheritances}
    return _contents_of(message, known)


def _contents_of(message: manager_pb2.GetBundleResponse, known: Mapping[bytes, Inherited]) -> Contents:
    return Contents(
        bundle_of(message.bundle),
        tuple(File.of(file_entry_from_proto(entry)) for entry in message.files),
        tuple(_contents_of(one, known) for one in message.descendants),
        known.get(message.bundle.inherited, Inherited()),
        verdicts=tuple(Verdict.of(verdict_from_proto(one)) for one in message.verdicts),
        manifest_json=message.manifest_json,
        depends=tuple(message.depends),
        next=message.files_next,
    )


def operations_of(bundle: str, message: manager_pb2.ListOperationsResponse) -> Operations:
    """Operations, how they are linked, and what the bundles below are."""
    return Operations(
        bundle,
        tuple(Operation(one.name, one.form, one.shape, tuple(map(_link_of, one.links))) for one in message.operations),
        tuple(Verdict.of(verdict_from_proto(one)) for one in message.members),
    )


def calls_of(message: manager_pb2.GetBundleResponse) -> Operations:
    """What a run can call: by each name, how it is done; where there are several ways the first is meant."""
    found = tuple(
        Operation(name, links[0].given.form, links[0].expected.shape, tuple(map(Link.of_model, links)))
        for name, links in ways_from_proto(message.ways).items()
    )
    return Operations(message.bundle.path, found)


def _link_of(message: manager_pb2.LinkRecord) -> Link:
    return Link(
        message.bundle, message.of, message.head, message.origin, mode_from_proto(message.mode),
        tuple(message.forward), tuple(message.backward), message.is_forced,
    )  # fmt: skip


def difference_of(parts: Sequence[manager_pb2.DiffBundlesResponse]) -> Difference:
    """What differs, out of all parts of the answer."""
    first, last = parts[0], parts[-1]
    return Difference(
        bundle_of(first.before),
        bundle_of(first.after),
        tuple(ChangedFile.of(file_change_from_proto(one)) for part in parts for one in part.files),
        tuple(ChangedParameter.of(parameter_change_from_proto(one)) for one in first.parameters),
        last.unchanged,
    )


def history_of(message: manager_pb2.HistoryEntry) -> HistoryEntry:
    """Something that was asked, and what it came to."""
    return HistoryEntry(request_of(message.request), message.version, message.is_new, message.delivery_id)


def worker_of(message: manager_pb2.Worker) -> Worker:
    """A worker."""
    return Worker.of(worker_from_proto(message), message.running)


def output_of(message: manager_pb2.OutputRecord) -> OutputFile:
    """An output, and where it comes from."""
    made = message.output
    return OutputFile(
        path=made.path,
        kind=made.kind,
        title=made.title,
        size_bytes=made.size_bytes,
        bundle=message.bundle,
        request=message.request_id,
        run=message.run_id,
        task=message.task_name,
        created=when(Instant(message.created_at)),
    )


def found_of(message: manager_pb2.Entry) -> Found:
    """What a search found."""
    return Found.of(entry_from_proto(message))


def declared_tasks(bundles: Iterable[Bundle]) -> tuple[DeclaredTask, ...]:
    """The tasks in the package.json of these bundles, with the standing orders that run each."""
    found = []
    for bundle in bundles:
        if not bundle.package_json:
            continue
        declared = package.read(bundle.package_json)
        for task in declared.tasks:
            orders = tuple(order.on for order in declared.standing if task.name in order.run)
            found.append(
                DeclaredTask(
                    task.name, bundle.bundle, bundle.version, task.task_src or "package.json", orders,
                    linked=task.linked_to,
                )
            )  # fmt: skip
    return tuple(found)


def inherited_tasks(contents: Contents) -> tuple[DeclaredTask, ...]:
    """The tasks that a bundle has from its ancestors, but for those of which it has its own."""
    one = contents.bundle
    declared = package.read(one.package_json)
    own = {task.name for task in declared.tasks}
    return tuple(
        DeclaredTask(
            trait.name,
            one.bundle,
            one.version,
            trait.value.get("task_src") or "package.json",
            tuple(order.on for order in declared.standing if trait.name in order.run),
            trait.origin,
            package.task_of(trait.value).linked_to,
        )
        for trait in contents.inherited.traits
        if trait.section == "tasks" and trait.name not in own
    )


def windowed(items: Iterable[Any], send: Callable[[list[str]], list[T]], window: int, chunk: int) -> Iterator[T]:
    """Send parameters in chunks, never more than `window` unanswered; give the sinks in order."""
    texts = (dumps(dict(item)) for item in items)
    waiting: deque[T] = deque()
    is_more = True
    while True:
        while is_more and len(waiting) <= window - chunk:
            part = list(islice(texts, chunk))
            is_more = len(part) == chunk
            if part:
                waiting.extend(send(part))
        if not waiting:
            return
        yield waiting.popleft()
