from __future__ import annotations

import decimal
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plotter2.child.capture import Recorder
from plotter2.child.frames import Ended, Ground, Program, Run
from plotter2.child.interpreter import Execute, Interpreter
from plotter2.child.limits import MemoryLimit
from plotter2.child.scratch import Scratch
from plotter2.datter.runs import Made, RunInput, RunResult
from plotter2.errors import DivergenceError, ScriptError, TaskFailedError


class NoLimit(MemoryLimit):
    """Remembers what it was told, and lets the test's own process alone."""

    def __init__(self) -> None:
        self.held: list[int] = []

    def hold(self, limit_bytes: int) -> None:
        self.held.append(limit_bytes)


@pytest.fixture(autouse=True)
def _own_process() -> Iterator[None]:
    out, err, place = sys.stdout, sys.stderr, Path.cwd()
    yield
    sys.stdout, sys.stderr = out, err
    os.chdir(place)


class Bench:
    """An interpreter whose engine is a function of the test."""

    def __init__(self, folder: Path, execute: Execute) -> None:
        self.limit = NoLimit()
        self.interpreter = Interpreter(execute, Recorder(), Scratch(folder, ".child"), self.limit)
        self.numbers = iter(range(1, 100))

    def run(self, ground: Ground | None = None, memory_bytes: int = 1 << 30, parameters: str = "{}") -> Ended:
        number = next(self.numbers)
        self.interpreter.learn(Program(number, "tiny", "script", "source", "tiny.py", ground or Ground()))
        return self.interpreter.run(Run(number, number, f"req-1.{number}", 1, parameters, 7, memory_bytes))


def gives(results: Any, *made: Made) -> Execute:
    def execute(run: RunInput, emit: Callable[[str], None], /) -> RunResult:
        del run, emit
        return RunResult("done", results, list(made))

    return execute


def raises(wrong: BaseException) -> Execute:
    def execute(run: RunInput, emit: Callable[[str], None], /) -> RunResult:
        del run, emit
        raise wrong

    return execute


def test_the_engine_gets_what_the_run_says(tmp_path: Path) -> None:
    seen: list[RunInput] = []

    def execute(run: RunInput, emit: Callable[[str], None], /) -> RunResult:
        seen.append(run)
        emit("said")
        sys.stdout.write("printed\n")
        return RunResult("gaveup", None, [])

    ground = Ground("a", 3, {"x.csv": "/blob"}, "", '{"lr": 1}', [Ground("a/bundles/b", 1)])
    ended = Bench(tmp_path, execute).run(ground, parameters='{"k": 2}')
    assert (ended.state, ended.results_json, ended.lines) == ("gaveup", "", ["said", "printed"])
    [run] = seen
    assert (run.task_name, run.parameters, run.seed) == ("tiny", {"k": 2}, 7)
    assert (run.scope.bundle, run.scope.version, dict(run.scope.files)) == ("a", 3, {"x.csv": Path("/blob")})
    assert run.scope.parameters == {"lr": 1}
    assert [one.bundle for one in run.scope.descendants] == ["a/bundles/b"]


@pytest.mark.parametrize(
    ("wrong", "error", "code"),
    [
        (ScriptError("tiny.py:1: no."), "tiny.py:1: no.", "script"),
        (TaskFailedError("Traceback"), "Traceback", "task_failed"),
        (SystemExit(2), "The script ended itself by exit(2).", "task_failed"),
        (KeyboardInterrupt(), "The script ended by KeyboardInterrupt", "task_failed"),
    ],
    ids=["cannot be run", "raised", "exit", "anything"],
)
def test_whatever_is_raised_becomes_an_end(tmp_path: Path, wrong: BaseException, error: str, code: str) -> None:
    ended = Bench(tmp_path, raises(wrong)).run()
    assert (ended.state, ended.error, ended.error_code) == ("failed", error, code)


@pytest.mark.parametrize("is_wrapped", [False, True])
def test_running_out_of_memory_is_said_as_the_limit_it_is(tmp_path: Path, is_wrapped: bool) -> None:
    wrong: Exception = MemoryError()
    if is_wrapped:
        wrong = TaskFailedError("Traceback …")
        wrong.__cause__ = MemoryError()
    bench = Bench(tmp_path, raises(wrong))
    ended = bench.run(memory_bytes=64 << 20)
    assert ended.error == "The task 'tiny' exceeded its memory limit of 64 MiB."
    assert ended.is_spent
    assert bench.limit.held == [64 << 20, 0]


def test_an_error_that_is_its_own_cause_ends_a_run_like_any_other(tmp_path: Path) -> None:
    broken, wrapped = DivergenceError("It does other things than before."), TaskFailedError("It does other things.")
    wrapped.__cause__, broken.__context__ = broken, wrapped
    ended = Bench(tmp_path, raises(wrapped)).run()
    assert (ended.state, ended.error, ended.error_code) == ("failed", "It does other things.", "task_failed")


def test_a_result_that_is_too_large_or_no_json_is_a_failure(tmp_path: Path) -> None:
    assert "more than 1 MiB" in Bench(tmp_path, gives("x" * (2 << 20))).run().error
    assert "is not JSON" in Bench(tmp_path, gives({1, 2})).run().error
    assert "is not JSON" in Bench(tmp_path, gives("a\ud800")).run().error
    assert "is not JSON" in Bench(tmp_path, gives([float("nan")])).run().error


def test_files_are_handed_over_only_when_a_run_ended_well(tmp_path: Path) -> None:
    def execute(run: RunInput, emit: Callable[[str], None], /) -> RunResult:
        del emit
        (run.output_dir / "a.html").write_text("x")
        (run.output_dir / "a.html.json").write_text("{}")
        if run.run_id.endswith("1"):
            raise TaskFailedError("no")
        return RunResult("done", None, [Made("a.html", "figure", "A")])

    bench = Bench(tmp_path, execute)
    assert bench.run().made == []
    assert [(one.path, one.kind) for one in bench.run().made] == [("a.html", "figure")]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".child", "req-1.2.1"]


@pytest.mark.req("r012")
def test_a_file_that_a_script_wrote_gets_a_sidecar_and_its_own_files_stay(tmp_path: Path) -> None:
    asked: list[int] = []

    def origin() -> dict[str, Any]:
        asked.append(1)
        return {"inputs": {"files": []}, "run": "req-1.1"}

    def execute(run: RunInput, emit: Callable[[str], None], /) -> RunResult:
        del emit
        if run.run_id.endswith("1"):
            (run.output_dir / "sub").mkdir()
            (run.output_dir / "sub" / "a.csv").write_text("x")
            (run.output_dir / "b.csv").write_text("x")
            (run.output_dir / "b.csv.json").write_text("mine")
            (run.output_dir / "c.html").write_text("x")
            (run.output_dir / "d.csv").write_text("x")
            (run.output_dir / "d.csv.json").symlink_to(tmp_path / "elsewhere")
            return RunResult("done", None, [Made("c.html", "figure", "C")], origin=origin)
        return RunResult("done", 1, [], origin=origin)

    bench = Bench(tmp_path, execute)
    ended = bench.run()
    assert {one.path: one.kind for one in ended.made} == {
        "b.csv": "file", "b.csv.json": "file", "c.html": "figure", "d.csv": "file", "sub/a.csv": "file",
    }  # fmt: skip
    folder = tmp_path / "req-1.1.1"
    told = json.loads((folder / "sub/a.csv.json").read_text())
    assert told == {"kind": "file", "title": "", "panels": [], "inputs": {"files": []}, "run": "req-1.1"}
    assert (folder / "b.csv.json").read_text() == "mine"
    assert json.loads((folder / "b.csv.json.json").read_text())["run"] == "req-1.1"
    assert not (folder / "c.html.json").exists(), "the engine writes those of pages"
    assert not (tmp_path / "elsewhere").exists(), "nothing is written through a link"
    assert bench.run().made == []
    assert asked == [1], "a run without files does not look at what it read"


def test_a_process_that_a_script_forks_ends_where_it_would_come_back(tmp_path: Path) -> None:
    def execute(run: RunInput, emit: Callable[[str], None], /) -> RunResult:
        del run, emit
        pid = os.fork()
        if pid == 0:
            return RunResult("done", "the forked one", [])
        return RunResult("done", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), [])

    ended = Bench(tmp_path, execute).run()
    assert (ended.state, ended.results_json) == ("done", "0")


def test_how_numbers_are_computed_with_is_a_runs_own(tmp_path: Path) -> None:
    def execute(run: RunInput, emit: Callable[[str], None], /) -> RunResult:
        del run, emit
        before = np.geterr()["divide"], decimal.getcontext().prec, os.environb.get(b"LEFT", b"").decode()
        np.seterr(divide="raise")
        decimal.getcontext().prec = 5
        os.environb[b"LEFT"] = b"yes"
        return RunResult("done", list(before), [])

    bench = Bench(tmp_path, execute)
    assert bench.run().results_json == bench.run().results_json
