"""What the client gives back: small frozen values that read well. Times are RFC 3339, sizes bytes, digests hexadecimal.

Each is made from the domain's own value (`of`); nothing here knows protobuf. JSON documents are kept as the user
spelled them (`…_json`) beside what they mean.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, overload

from typing_extensions import override

from plotter2.clock import Instant, rfc3339
from plotter2.errors import BY_CODE, FailedError, TaskFailedError
from plotter2.model.bundle import BundleVersion, FileEntry
from plotter2.model.request import Request as RequestModel
from plotter2.model.request import RequestState
from plotter2.model.service import ServiceState
from plotter2.model.task import RUN_SUCCESSES, RunState, TaskRun
from plotter2.model.worker import Worker as WorkerModel

T = TypeVar("T")


def when(instant: Instant) -> str:
    """An instant for people, "" for never."""
    return rfc3339(instant) if instant else ""


def json_or(text: str, default: Any) -> Any:
    """The value of a JSON text, or `default` for an empty one."""
    return json.loads(text) if text else default


@dataclass(frozen=True, slots=True)
class Page(Sequence[T], Generic[T]):
    """A slice of a longer list, with the length of the whole."""

    items: tuple[T, ...]
    total: int

    @override
    def __len__(self) -> int:
        return len(self.items)

    @override
    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    @override
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self.items[index]


@dataclass(frozen=True, slots=True)
class Bundle:
    """One version of one bundle."""

    bundle: str
    version: int
    digest: str
    files: int
    size_bytes: int
    created: str = ""
    request: str = ""
    archived: bool = False
    parameters_json: str = field(default="", repr=False)
    package_json: str = field(default="", repr=False)

    @classmethod
    def of(cls, version: BundleVersion) -> Bundle:
        """The view of a version."""
        return cls(
            bundle=version.path,
            version=version.version,
            digest=version.digest.hex(),
            files=version.files,
            size_bytes=version.size_bytes,
            created=when(version.created_at),
            request=version.request_id,
            archived=version.archived,
            parameters_json=version.parameters_json,
            package_json=version.package_json,
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """What the experiment that made it was given; empty for data that was pushed."""
        return json_or(self.parameters_json, {})  # type: ignore[no-any-return]  # JSON is Any

    @property
    def package(self) -> dict[str, Any]:
        """Its package.json; empty when it has none."""
        return json_or(self.package_json, {})  # type: ignore[no-any-return]  # JSON is Any


@dataclass(frozen=True, slots=True)
class File:
    """One file of a version."""

    path: str
    size_bytes: int
    digest: str
    mode: int

    @classmethod
    def of(cls, entry: FileEntry) -> File:
        """The view of a file."""
        return cls(entry.path, entry.size_bytes, entry.digest.hex(), entry.mode)


@dataclass(frozen=True, slots=True)
class Contents:
    """A bundle with its files, and the bundles below it."""

    bundle: Bundle
    files: tuple[File, ...] = field(default=(), repr=False)
    below: tuple[Contents, ...] = ()


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull has written."""

    bundle: str
    version: int
    digest: str
    files: int
    size_bytes: int
    path: str


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A figure, animation, report or other file that a run made; `path` is below `output/`."""

    path: str
    kind: str
    title: str = ""
    size_bytes: int = 0
    bundle: str = ""
    request: str = ""
    run: str = ""
    task: str = ""
    created: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a task."""

    id: str
    task: str
    state: RunState
    bundle: str = ""
    version: int = 0
    worker: str = ""
    attempts: int = 0
    results: Any = None
    error: str = ""
    outputs: tuple[OutputFile, ...] = ()
    started: str = ""
    finished: str = ""
    results_json: str = field(default="", repr=False)

    @classmethod
    def of(cls, run: TaskRun) -> Run:
        """The view of an execution."""
        return cls(
            id=run.id,
            task=run.task_name,
            state=run.state,
            bundle=run.bundle,
            version=run.version,
            worker=run.worker_id,
            attempts=run.attempts,
            results=json_or(run.results_json, None),
            results_json=run.results_json,
            error=run.error,
            outputs=tuple(OutputFile(made.path, made.kind, made.title, made.size_bytes) for made in run.outputs),
            started=when(run.started_at),
            finished=when(run.finished_at),
        )

    @property
    def ok(self) -> bool:
        """Whether it ended well."""
        return self.state in RUN_SUCCESSES


@dataclass(frozen=True, slots=True)
class Child:
    """One value of a redo, and the bundle it becomes."""

    bundle: str
    state: ServiceState
    reused: bool
    parameters_json: str = field(repr=False)
    service: str = ""
    error: str = ""
    tail: str = ""

    @property
    def parameters(self) -> dict[str, Any]:
        """What the experiment was given."""
        return json_or(self.parameters_json, {})  # type: ignore[no-any-return]  # JSON is Any


@dataclass(frozen=True, slots=True)
class Request:
    """A remembered ask, and what became of it so far."""

    id: str
    kind: str
    state: RequestState
    bundle: str = ""
    reason: str = ""
    reason_code: str = ""
    user: str = ""
    cause: str = ""
    created: str = ""
    finished_at: str = ""
    total: int = 0
    finished: int = 0
    failed: int = 0
    children: tuple[Child, ...] = ()
    runs: tuple[Run, ...] = ()
    ask_json: str = field(default="{}", repr=False)

    @classmethod
    def of(cls, request: RequestModel, runs: Iterable[TaskRun] = ()) -> Request:
        """The view of a request with the runs that the server told of."""
        return cls(
            id=request.id,
            kind=request.kind,
            state=request.state,
            bundle=request.bundle,
            reason=request.reason,
            reason_code=request.reason_code,
            user=request.user,
            cause=request.cause,
            created=when(request.created_at),
            finished_at=when(request.finished_at),
            total=request.total,
            finished=request.finished,
            failed=request.failed,
            children=tuple(
                Child(c.bundle, c.state, c.reused, c.parameters_json, c.service_id, c.error, c.tail)
                for c in request.children
            ),
            runs=tuple(Run.of(run) for run in runs),
            ask_json=request.ask_json,
        )

    @property
    def ask(self) -> dict[str, Any]:
        """The ask as it was understood."""
        return json_or(self.ask_json, {})  # type: ignore[no-any-return]  # JSON is Any

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in {RequestState.DONE, RequestState.FAILED, RequestState.CANCELLED, RequestState.REFUSED}

    @property
    def ok(self) -> bool:
        """Whether it ended well."""
        return self.state is RequestState.DONE

    @property
    def results(self) -> list[Any]:
        """What its runs returned, in their order."""
        return [run.results for run in self.runs]

    @property
    def outputs(self) -> list[OutputFile]:
        """Everything its runs made."""
        return [made for run in self.runs for made in run.outputs]

    def check(self) -> Request:
        """This request, if it has ended well.

        Raises:
            TaskFailedError: the user's own code failed; the message is its traceback.
            FailedError: it ended otherwise than well.
            RefusedError: it was refused (the class that belongs to its reason).
        """
        if self.ok:
            return self
        if self.state is RequestState.REFUSED:
            raise BY_CODE.get(self.reason_code, BY_CODE["refused"])(self.reason)
        broken = next((run.error for run in self.runs if run.error), "")
        if broken:
            raise TaskFailedError(broken)
        raise FailedError(self.reason or f"Request {self.id} is {self.state}.")


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker, as the manager sees it."""

    id: str
    name: str
    state: str
    slots: int
    running: int = 0
    pid: int = 0
    host: str = ""
    last_seen: str = ""

    @classmethod
    def of(cls, worker: WorkerModel, running: int) -> Worker:
        """The view of a worker that has so many runs in hand."""
        return cls(
            id=worker.id,
            name=worker.name,
            state=worker.state,
            slots=worker.slots,
            running=running,
            pid=worker.pid,
            host=worker.host,
            last_seen=when(worker.last_seen_at),
        )


@dataclass(frozen=True, slots=True)
class Process:
    """One process of an installation. `state` is ready, starting, running (it has no probe) or gone."""

    role: str
    name: str
    pid: int
    state: str
    address: str
    started: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """An installation at a glance. `backlog` counts what waits; a part that does not answer is missing from it."""

    home: str
    processes: tuple[Process, ...]
    backlog: dict[str, int]
    version: str = ""
    installation: str = ""


@dataclass(frozen=True, slots=True)
class DeclaredTask:
    """A task that a bundle declares."""

    name: str
    bundle: str
    version: int
    source: str
    standing: tuple[str, ...] = ()
