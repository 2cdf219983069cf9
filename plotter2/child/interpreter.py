"""Runs one script or pipeline after the other and says how each ended: the second of a child's two threads (092).

Whatever user code does to the interpreter that can be put back is put back before the next run: streams, directory,
path, modules of its own. What cannot (threads it left behind, memory it broke) is said, and the child is replaced.
"""

from __future__ import annotations

import decimal
import json
import os
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec

from plotter2.child import words
from plotter2.child.capture import Recorder, Streams
from plotter2.child.frames import Ended, Ground, Made, Program, Run
from plotter2.child.lenders import Lenders
from plotter2.child.limits import MemoryLimit
from plotter2.child.scratch import Scratch
from plotter2.child.surroundings import Change, Surroundings
from plotter2.datter import additions
from plotter2.datter.runs import RunInput, RunResult
from plotter2.datter.scope import Scope
from plotter2.datter.trees.seeding import sow
from plotter2.datter.vocabulary import NONE, Additions
from plotter2.errors import LimitError, Plotter2Error, TaskFailedError
from plotter2.model import output, package
from plotter2.model.task import RESULTS_BYTES_MAX, RunState

THREADS_OF_OURS = 2
KIND_FILE, SIDECAR = "file", ".json"
KINDS_TOLD = frozenset({KIND_FILE, "table"})
SIDECARS_MAX = 1_000
"""Files of a run that get a sidecar; they all say the same, and a run that makes more is known by these."""
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class Execute(Protocol):
    """The engine: `plotter2.datter.run.execute`."""

    def __call__(self, run: RunInput, emit: Callable[[str], None], /) -> RunResult:
        """Run it to its end."""
        ...


@dataclass(slots=True)
class Apart:
    """What an instance has for itself, because others run in the same thread while it waits.

    Attributes:
        execute: the engine, with what carries the instance's ops.
        lenders: modules of its own, once it has begun.
        memory_bytes: private memory that it has taken, in all its turns.
        before_bytes: what all of the child had taken when its turn began.
        folder, path, streams, changes: while it waits: where it was, and what it had put in the place of ours.
    """

    execute: Execute
    recorder: Recorder
    lenders: Lenders | None = None
    memory_bytes: int = 0
    before_bytes: int = 0
    has_files: bool = False
    folder: str = ""
    path: list[str] = field(default_factory=list)
    streams: tuple[Any, Any] = (None, None)
    changes: list[Change] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Prepared:
    program: Program
    scope: Scope
    lenders: Lenders
    loads: dict[str, Scope]


class Interpreter:
    """The engine with a frame around it. One run at a time, of instances one turn."""

    def __init__(self, execute: Execute, recorder: Recorder, scratch: Scratch, limit: MemoryLimit) -> None:
        self._execute = execute
        self._recorder = recorder
        self._streams = Streams(recorder)
        self._scratch = scratch
        self._limit = limit
        self._programs: dict[int, Program] = {}
        self._prepared: dict[int, _Prepared] = {}
        self._path = list(sys.path)
        self._additions = NONE
        self._surroundings = Surroundings()
        self._pid = os.getpid()

    def learn(self, program: Program) -> None:
        """A program that runs will speak of."""
        self._programs[program.number] = program

    def forget(self, numbers: list[int]) -> None:
        """Programs that are done with."""
        for number in numbers:
            self._programs.pop(number, None)
            self._prepared.pop(number, None)

    def run(self, run: Run, apart: Apart | None = None) -> Ended:
        """Run it, whatever it does, and say how it ended; an instance with what it has for itself."""
        program = self._programs[run.program]
        recorder = self._recorder if apart is None else apart.recorder
        self._enter(run, recorder, apart)
        try:
            result = self._call(run, recorder, apart)
            results_json, made = _results(program.task_name, result), self._made(result)
        except Plotter2Error as wrong:
            return self._failed(run, recorder, wrong)
        except MemoryError as wrong:
            return self._failed(run, recorder, TaskFailedError(str(wrong)), wrong)
        except SystemExit as wrong:
            return self._failed(run, recorder, TaskFailedError(f"The script ended itself by exit({wrong.code!r})."))
        except BaseException as wrong:  # noqa: BLE001 -- the boundary to user code: nothing it raises may end the child
            said = "".join(traceback.format_exception_only(wrong)).strip()
            return self._failed(run, recorder, TaskFailedError(f"The script ended by {said}"))
        if made:
            self._scratch.hand_over(f"{run.run_id}.{run.epoch}")
        elif made is not None:
            self._scratch.clear()
        self._leave()
        return Ended(
            run.sequence,
            str(RunState(result.state)),
            results_json,
            "",
            "",
            made or [],
            recorder.end(),
            self._is_spent(),
            result.again,
        )

    def set_aside(self, run: Run, apart: Apart) -> None:
        """An instance waits: all that is the thread's is as it was, for others."""
        apart.streams = sys.stdout, sys.stderr
        apart.folder = _present_folder()
        apart.has_files = self._scratch.set_aside(str(run.sequence))
        apart.path = [] if sys.path == self._path else list(sys.path)
        if apart.lenders is not None:
            apart.lenders.step_aside()
        apart.memory_bytes += self._limit.taken_bytes - apart.before_bytes
        apart.changes = self._surroundings.put_right()
        self._leave()

    def take_up(self, run: Run, apart: Apart) -> None:
        """It goes on, with all that was its own."""
        if apart.has_files:
            self._scratch.take_up(str(run.sequence))
            apart.has_files = False
        if apart.folder != str(self._scratch.path):
            with suppress(OSError):  # it was removed meanwhile: then it is where it began
                os.chdir(apart.folder)
        if apart.path:
            sys.path[:] = apart.path
        if apart.lenders is not None:
            apart.lenders.step_back()
        self._streams.install(apart.recorder)
        sys.stdout, sys.stderr = apart.streams
        self._surroundings.again(apart.changes)
        self._begin_turn(run, apart)

    def _begin_turn(self, run: Run, apart: Apart) -> None:
        apart.before_bytes = self._limit.taken_bytes
        self._limit.hold_beside(run.memory_bytes, max(0, apart.before_bytes - apart.memory_bytes))

    def _enter(self, run: Run, recorder: Recorder, apart: Apart | None) -> None:
        recorder.begin()
        self._streams.install(recorder)
        if apart is None:
            self._limit.hold(run.memory_bytes)
        else:
            self._begin_turn(run, apart)

    def _call(self, run: Run, recorder: Recorder, apart: Apart | None) -> RunResult:
        prepared = self._prepare(run.program)
        program, lenders = prepared.program, prepared.lenders
        if apart is not None:
            lenders = apart.lenders = lenders.another()
        given = RunInput(
            run_id=run.run_id,
            task_name=program.task_name,
            kind="pipeline" if program.kind == "pipeline" else "script",
            source=program.source,
            filename=program.filename,
            parameters=msgspec.json.decode(run.parameters_json),
            seed=run.seed,
            scope=prepared.scope,
            output_dir=self._scratch.path,
            way_up=output.way_up(prepared.scope.bundle),
            show=recorder.show,
            links=program.links,
            lenders=lenders.scopes,
            function=lenders.function,
            common=self._scratch.common,
            loads=prepared.loads,
            additions=lenders.additions,
            word=lenders.word,
            own_files=lenders.own_files,
        )
        sow(run.seed)
        self._surroundings.watch(program.source)
        try:
            with lenders:
                if apart is not None:
                    return apart.execute(given, recorder.line)
                own = copy_context()  # numpy keeps there how it computes; what decimal keeps is shared by copies
                own.run(decimal.setcontext, decimal.Context())
                return own.run(self._execute, given, recorder.line)
        finally:
            if os.getpid() != self._pid:
                os._exit(0)  # a process that the script has forked: nobody waits here for what it gives
            self._surroundings.put_right()

    def _prepare(self, number: int) -> _Prepared:
        prepared = self._prepared.get(number)
        if prepared is None:
            program = self._programs[number]
            own = _scope(program.ground)
            lent = {one.bundle: _scope(one) for one in program.lenders}
            lenders = Lenders(program, own, lent, added=self._added(program))
            prepared = self._prepared[number] = _Prepared(
                program, own, lenders, {spelled: _scope(one) for spelled, one in program.loads.items()}
            )
        return prepared

    def _added(self, program: Program) -> Additions:
        """What the installation adds, read once for all programs that were pinned to the same."""
        if program.config != self._additions.digest:
            contents = {name: Path(place).read_bytes() for name, place in program.additions.items()}
            self._additions = additions.read(contents)
        return self._additions

    def _made(self, result: RunResult) -> list[Made] | None:
        """What the run made, of those files that the engine speaks of and those that the script wrote itself.

        None: its directory is untouched.
        """
        if not result.made and self._scratch.is_empty:
            return None
        said = {one.path: one for one in result.made}
        companions = {name + suffix for name in said for suffix in output.COMPANIONS}
        made: list[Made] = []
        try:
            for name in self._scratch.files():
                one = said.get(name)
                if one is not None:
                    made.append(self._scratch.measure(name, str(one.kind), one.title))
                elif name not in companions:
                    made.append(self._scratch.measure(name, KIND_FILE, ""))
            self._tell_origin(made, result)
        except (OSError, ValueError) as wrong:
            raise TaskFailedError(f"What the script left in its directory cannot be taken: {wrong}") from wrong
        return made

    def _tell_origin(self, made: list[Made], result: RunResult) -> None:
        """Lay a sidecar beside each file that has none: pages have theirs, and what a script wrote stays as it is."""
        there = {one.path for one in made}
        plain = [one for one in made if one.kind in KINDS_TOLD and f"{one.path}{SIDECAR}" not in there][:SIDECARS_MAX]
        origin = result.origin() if plain else {}
        for one in plain:
            story = {"kind": one.kind, "title": one.title, "panels": [], **origin}
            written = msgspec.json.format(msgspec.json.encode(story), indent=1)
            place = self._scratch.path / f"{one.path}{SIDECAR}"
            with suppress(FileExistsError), place.open("xb") as file:  # a link that the script left leads anywhere
                file.write(written)

    def _leave(self) -> None:
        self._scratch.enter()
        if sys.path != self._path:
            sys.path[:] = self._path

    def _is_spent(self) -> bool:
        """Whether this run has left what cannot be put right, so that another process should take over."""
        return threading.active_count() > THREADS_OF_OURS or self._surroundings.is_beyond_repair

    def _failed(self, run: Run, recorder: Recorder, wrong: Plotter2Error, cause: BaseException | None = None) -> Ended:
        self._limit.lift()
        is_out_of_memory = _is_out_of_memory(cause or wrong)
        if is_out_of_memory:
            name = self._programs[run.program].task_name
            wrong = TaskFailedError(words.exceeded(name, "memory", words.mebibytes(run.memory_bytes)))
        self._scratch.clear()
        self._leave()
        return Ended(
            run.sequence,
            str(RunState.FAILED),
            "",
            words.bounded(wrong.message),
            wrong.code,
            [],
            recorder.end(),
            is_out_of_memory or self._is_spent(),
        )


def _present_folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 -- it may be gone, which a text can be and a path should not
    except FileNotFoundError:
        return ""


def _scope(ground: Ground) -> Scope:
    return Scope(
        bundle=ground.bundle,
        version=ground.version,
        files={name: Path(place) for name, place in ground.files.items()},
        package=package.read(ground.package_json) if ground.package_json else None,
        parameters=msgspec.json.decode(ground.parameters_json) if ground.parameters_json else {},
        descendants=[_scope(one) for one in ground.below],
    )


def _results(task_name: str, result: RunResult) -> str:
    if result.results is None:
        return ""
    text = _json(task_name, result.results)
    if len(text.encode()) > RESULTS_BYTES_MAX:
        raise LimitError(
            f"The task {task_name!r} gave a result of more than {words.mebibytes(RESULTS_BYTES_MAX)}; "
            "write large data to a file in its directory instead."
        )
    return text


def _json(task_name: str, value: Any) -> str:
    try:
        text = _JSON.encode(value)
        text.encode()  # half a character, as names of files have them, is no text that others could read
    except (TypeError, ValueError) as wrong:
        raise TaskFailedError(f"The task {task_name!r} gave a result that is not JSON: {wrong}.") from wrong
    return text


def _is_out_of_memory(wrong: BaseException | None) -> bool:
    seen: set[int] = set()
    while isinstance(wrong, Plotter2Error) and id(wrong) not in seen:  # the engine's own word; below is the script's
        seen.add(id(wrong))  # what broke an instance is raised again at whatever it asks, so it can be its own cause
        wrong = wrong.__cause__ or wrong.__context__
    return isinstance(wrong, MemoryError)
