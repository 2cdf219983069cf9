"""Requests, their children and runs, and what these made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from plotter2.client.views.page import json_or, when
from plotter2.client.views.repeats import Repeat
from plotter2.errors import BY_CODE, FailedError, TaskFailedError
from plotter2.model.request import Request as RequestModel
from plotter2.model.request import RequestState, Skip
from plotter2.model.service import ServiceState
from plotter2.model.task import RUN_SUCCESSES, RunState, TaskRun


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
    parameters_json: str = field(default="{}", repr=False)
    reused_of: str = ""
    """The earlier run that has made its outputs: the same was done before, so this one was not run."""

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
            parameters_json=run.parameters_json,
            reused_of=run.reused_of,
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """What it was given, and the keys that it is bound to."""
        return json_or(self.parameters_json, {})  # type: ignore[no-any-return]  # JSON is Any

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
    """A remembered ask, and what became of it so far.

    Attributes:
        because: why it was asked, as who asked it says; "" where nobody said.
        scope: the bundle that who asked keeps to.
        waits_for: what has to happen before it runs, in words; "" for one that waits for nothing, or no more.
    """

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
    repeat: Repeat | None = None
    skipped: tuple[Skip, ...] = ()
    because: str = ""
    scope: str = ""
    waits_for: str = ""
    progress: dict[str, tuple[float, float]] = field(default_factory=dict)
    """How far runs say they are, by run: so much of so much; a total of 0 is unknown."""

    @classmethod
    def of(cls, request: RequestModel, runs: Iterable[TaskRun] = (), repeat: Repeat | None = None) -> Request:
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
            skipped=request.skipped,
            repeat=repeat,
            because=request.because,
            scope=request.scope,
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
