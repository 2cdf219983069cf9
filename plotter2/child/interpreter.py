"""Runs one script or pipeline after the other and says how each ended: the second of a child's two threads (092).

Whatever user code does to the interpreter that can be put back is put back before the next run: streams, directory,
path, modules of its own. What cannot (threads it left behind, memory it broke) is said, and the child is replaced.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np

from plotter2.child import words
from plotter2.child.capture import Recorder, Streams
from plotter2.child.frames import Ended, Ground, Made, Program, Run
from plotter2.child.lenders import Lenders
from plotter2.child.limits import MemoryLimit
from plotter2.child.scratch import Scratch
from plotter2.datter.scope import RunInput, RunResult, Scope
from plotter2.errors import LimitError, Plotter2Error, TaskFailedError
from plotter2.model import output, package
from plotter2.model.task import RESULTS_BYTES_MAX, RunState

THREADS_OF_OURS = 2
KIND_FILE = "file"
SEEDS = 1 << 32
"""numpy takes so many."""
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class Execute(Protocol):
    """The engine: `plotter2.datter.run.execute`."""

    def __call__(self, run: RunInput, emit: Callable[[str], None], /) -> RunResult:
        """Run it to its end."""
        ...


@dataclass(frozen=True, slots=True)
class _Prepared:
    program: Program
    scope: Scope
    lenders: Lenders


class Interpreter:
    """The engine with a frame around it. One run at a time."""

    def __init__(self, execute: Execute, recorder: Recorder, scratch: Scratch, limit: MemoryLimit) -> None:
        self._execute = execute
        self._recorder = recorder
        self._streams = Streams(recorder)
        self._scratch = scratch
        self._limit = limit
        self._programs: dict[int, Program] = {}
        self._prepared: dict[int, _Prepared] = {}
        self._path = list(sys.path)

    def learn(self, program: Program) -> None:
        """A program that runs will speak of."""
        self._programs[program.number] = program

    def forget(self, numbers: list[int]) -> None:
        """Programs that are done with."""
        for number in numbers:
            self._programs.pop(number, None)
            self._prepared.pop(number, None)

    def run(self, run: Run) -> Ended:
        """Run it, whatever it does, and say how it ended."""
        program = self._programs[run.program]
        self._enter(run)
        try:
            result = self._call(run)
            results_json, made = _results(program.task_name, result), self._made(result)
        except Plotter2Error as wrong:
            return self._failed(run, wrong)
        except MemoryError as wrong:
            return self._failed(run, TaskFailedError(str(wrong)), wrong)
        except SystemExit as wrong:
            return self._failed(run, TaskFailedError(f"The script ended itself by exit({wrong.code!r})."))
        except BaseException as wrong:  # noqa: BLE001 -- the boundary to user code: nothing it raises may end the child
            said = "".join(traceback.format_exception_only(wrong)).strip()
            return self._failed(run, TaskFailedError(f"The script ended by {said}"))
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
            self._recorder.end(),
            _is_spent(),
        )

    def _enter(self, run: Run) -> None:
        self._recorder.begin()
        self._streams.install()
        self._limit.hold(run.memory_bytes)

    def _call(self, run: Run) -> RunResult:
        prepared = self._prepare(run.program)
        program = prepared.program
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
            show=self._recorder.show,
            links=program.links,
            lenders=prepared.lenders.scopes,
            function=prepared.lenders.function,
            common=self._scratch.common,
        )
        _seed(run.seed)
        with prepared.lenders:
            return self._execute(given, self._recorder.line)

    def _prepare(self, number: int) -> _Prepared:
        prepared = self._prepared.get(number)
        if prepared is None:
            program = self._programs[number]
            own = _scope(program.ground)
            lenders = Lenders(program, own, {one.bundle: _scope(one) for one in program.lenders})
            prepared = self._prepared[number] = _Prepared(program, own, lenders)
        return prepared

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
        except (OSError, ValueError) as wrong:
            raise TaskFailedError(f"What the script left in its directory cannot be taken: {wrong}") from wrong
        return made

    def _leave(self) -> None:
        self._scratch.enter()
        if sys.path != self._path:
            sys.path[:] = self._path

    def _failed(self, run: Run, wrong: Plotter2Error, cause: BaseException | None = None) -> Ended:
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
            self._recorder.end(),
            is_out_of_memory or _is_spent(),
        )


def _seed(seed: int) -> None:
    """A script's own random choices are the run's: the same again when the run is done again."""
    random.seed(seed)
    np.random.seed(seed % SEEDS)  # noqa: NPY002 -- it is the user's code that may use the old generator


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
        return _JSON.encode(value)
    except (TypeError, ValueError) as wrong:
        raise TaskFailedError(f"The task {task_name!r} gave a result that is not JSON: {wrong}.") from wrong


def _is_out_of_memory(wrong: BaseException | None) -> bool:
    while isinstance(wrong, Plotter2Error):  # the engine's own word for it; what lies below is the script's
        wrong = wrong.__cause__ or wrong.__context__
    return isinstance(wrong, MemoryError)


def _is_spent() -> bool:
    return threading.active_count() > THREADS_OF_OURS
