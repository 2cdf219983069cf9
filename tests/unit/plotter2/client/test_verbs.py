"""The verbs of the client against a small manager."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import plotter2
from plotter2.api.v1 import manager_pb2
from plotter2.client.sources import JsonText, is_path, read
from plotter2.client.views import Contents, Request, Run
from plotter2.errors import (
    CorruptionError,
    NotFoundError,
    PathRefusedError,
    RefusedError,
    ScriptError,
    TaskFailedError,
    UnreachableError,
    UsageError,
)
from plotter2.model.request import RequestState
from plotter2.model.task import TaskKind
from tests.unit.plotter2.client.kit import CONTENT, REQUEST, FakeManager


def test_import_plotter2_loads_neither_grpc_nor_bokeh_nor_rich() -> None:
    code = "import plotter2, sys; print([m for m in ('grpc', 'bokeh', 'rich', 'numpy', 'typer') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there() -> None:
    assert all(getattr(plotter2, name) is not None for name in plotter2.__all__)
    assert plotter2.RefusedError is RefusedError
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = plotter2.nothing


@pytest.mark.req("r018")
def test_redo_sends_values_in_order_and_in_the_callers_spelling(p2: plotter2.Client, manager: FakeManager) -> None:
    request = p2.redo("experiments/digits", {"lr": [JsonText("0.10"), 0.2]}, parallel=3, force=True, seed=[1])
    ask = manager.submitted[0].redo
    assert [(axis.parameter, list(axis.values_json)) for axis in ask.axes] == [
        ("lr", ["0.10", "0.2"]),
        ("seed", ["1"]),
    ]
    assert (ask.parallel, ask.force) == (3, True)
    assert request.state is RequestState.DONE
    assert [child.parameters for child in request.children] == [{"lr": 0.1}, {"lr": 0.2}]


@pytest.mark.req("r130")
def test_a_watch_that_breaks_and_begins_again_tells_no_line_twice(p2: plotter2.Client, manager: FakeManager) -> None:
    def lines(*told: tuple[str, int, int]) -> list[manager_pb2.LogLine]:
        return [manager_pb2.LogLine(run_id=REQUEST, text=text, place=place, attempt=one) for text, place, one in told]

    first = [("a", 1, 1), ("b", 2, 1)]
    manager.printed = [lines(*first), lines(*first, ("c", 3, 1), ("a", 1, 2)), lines(("c", 3, 1), ("a", 1, 2))]
    heard: list[str] = []
    p2.wait(REQUEST, on_change=lambda _, lines: heard.extend(lines))
    assert heard == ["a", "b", "c", "a", "epoch 1"], "another attempt prints again; of who gives no place all is told"


@pytest.mark.req("r018")
def test_redo_takes_ranges_as_texts_and_texts_in_lists(p2: plotter2.Client, manager: FakeManager) -> None:
    p2.redo("experiments/digits", {"lr": "log:1e-3:1e-1:3"}, seed="1..3", name=["1..3"], optimiser="adam")
    assert [list(axis.values_json) for axis in manager.submitted[0].redo.axes] == [
        ["1e-3", "0.01", "1e-1"], ["1", "2", "3"], ['"1..3"'], ['"adam"'],
    ]  # fmt: skip
    with pytest.raises(UsageError, match="log:FROM:TO:COUNT"):
        p2.redo("experiments/digits", lr="log:1")


def test_run_waits_and_gives_results_and_outputs(p2: plotter2.Client) -> None:
    heard: list[tuple[RequestState, list[str]]] = []
    request = p2.run(
        "loss curve", on="experiments/digits@2", on_change=lambda request, lines: heard.append((request.state, lines))
    )
    assert request.check().results == [{"best": 0.1}]
    assert [made.path for made in request.outputs] == ["x/figure-1.html"]
    assert heard == [(RequestState.RUNNING, []), (RequestState.RUNNING, ["epoch 1"]), (RequestState.DONE, [])]


def test_run_sends_a_file_as_the_definition(p2: plotter2.Client, manager: FakeManager, tmp_path: Path) -> None:
    path = tmp_path / "plot.json"
    path.write_text('["access", "plot"]')
    p2.run(path, on="experiments/digits@2", parameters={"bins": 3}, wait=False)
    ask = manager.submitted[0].run
    assert (ask.task, ask.filename, ask.version, ask.bundle) == ("plot", "plot.json", 2, "experiments/digits")
    assert json.loads(ask.source) == ["access", "plot"]
    assert json.loads(ask.parameters_json) == {"bins": 3}
    assert manager.submitted[0].client_key


def test_a_failed_run_is_raised_by_check_with_the_users_traceback(p2: plotter2.Client, manager: FakeManager) -> None:
    manager.state = manager_pb2.REQUEST_STATE_FAILED
    manager.run_error = "Traceback of yours\nValueError: boom"
    request = p2.run("loss curve", on="experiments/digits")
    assert not request.ok
    with pytest.raises(TaskFailedError, match="ValueError: boom"):
        request.check()


def test_a_refused_ask_raises_the_class_of_its_reason(p2: plotter2.Client, manager: FakeManager) -> None:
    manager.reason, manager.reason_code = "There is no task 'x'; there are 'loss curve'.", "not_found"
    with pytest.raises(NotFoundError, match="There is no task 'x'"):
        p2.run("x", on="experiments/digits")


@pytest.mark.parametrize("name", ["../x", "/x", "a//b", "x/.hidden"])
def test_bad_bundle_names_are_refused_before_they_travel(p2: plotter2.Client, name: str) -> None:
    with pytest.raises(PathRefusedError):
        p2.bundle(name)


def test_long_lists_are_fetched_page_by_page(p2: plotter2.Client) -> None:
    found = p2.ls()
    assert len(found) == found.total == 1500
    assert found[0].parameters == {"lr": 0.1}
    assert found[0].created == "1970-01-01T00:00:01.500000Z"


def test_show_knows_bundles_requests_and_runs(p2: plotter2.Client) -> None:
    assert isinstance(p2.show("experiments/digits"), Contents)
    assert isinstance(p2.show(REQUEST), Request)
    run = p2.show(f"{REQUEST}.0")
    assert isinstance(run, Run)
    assert run.ok
    with pytest.raises(NotFoundError, match="no run"):
        p2.show(f"{REQUEST}.9")
    with pytest.raises(NotFoundError, match="no bundle"):
        p2.show("other")


def test_pull_writes_every_file_checked_and_only_into_an_empty_place(
    p2: plotter2.Client, manager: FakeManager, tmp_path: Path
) -> None:
    heard: list[tuple[int, int]] = []
    found = p2.pull("experiments/digits", tmp_path / "copy", on_progress=lambda done, of: heard.append((done, of)))
    assert {path: (tmp_path / "copy" / path).read_bytes() for path in CONTENT} == CONTENT
    assert found.size_bytes == heard[-1][0] == heard[-1][1]
    with pytest.raises(UsageError, match="there already"):
        p2.pull("experiments/digits", tmp_path / "copy")
    manager.corrupt = True
    with pytest.raises(CorruptionError):
        p2.pull("experiments/digits", tmp_path / "other")
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_tasks_workers_outputs_and_history(p2: plotter2.Client) -> None:
    assert [(task.name, task.standing) for task in p2.tasks("experiments")] == [("loss curve", ("child",))]
    assert [(worker.name, worker.running) for worker in p2.workers()] == [("worker-1", 2)]
    assert [made.task for made in p2.outputs("experiments/digits", kind="report")] == ["compare"]
    assert [one.outcome for one in p2.history("experiments/digits")] == ["made @2", "unchanged @2", "unarchived"]


def test_nobody_at_an_address_is_said_in_one_sentence() -> None:
    with plotter2.connect("127.0.0.1:1") as p2, pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1"):
        p2.ls()


def test_a_home_where_nothing_runs_says_how_to_start_it(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match="plotter2 up"), plotter2.connect(home=tmp_path):
        pass


def test_a_client_outside_its_block_says_so(address: str) -> None:
    client = plotter2.connect(address)
    with pytest.raises(UnreachableError, match="inside `with"):
        client.ls()


def test_what_a_source_may_be(tmp_path: Path) -> None:
    script = tmp_path / "a.py"
    script.write_text("def task():\n    return 1\n")
    assert read(script).name == "a"
    assert read(str(script), "b").name == "b"
    assert read([["access", "x"], "plot"]).kind is TaskKind.PIPELINE
    assert read("def task(): return 1").kind is TaskKind.SCRIPT
    assert is_path("x.py")
    assert not is_path("loss curve")
    with pytest.raises(UsageError, match="no file"):
        read(tmp_path / "missing.py")
    with pytest.raises(UsageError, match="neither"):
        read(tmp_path / "a.txt")
    (tmp_path / "p.json").write_text("[")
    with pytest.raises(ScriptError, match="not JSON"):
        read(tmp_path / "p.json")


def test_a_file_that_is_no_task_is_told_what_a_task_is(tmp_path: Path) -> None:
    book = tmp_path / "x.ipynb"
    book.write_text("{}")
    assert is_path(str(book))
    assert not is_path(str(tmp_path / "gone.ipynb"))
    with pytest.raises(UsageError, match=r"is neither a script .* `jupyter nbconvert --to script .*x\.ipynb` makes"):
        read(str(book))


def test_a_mark_of_byte_order_before_a_script_is_no_part_of_it(tmp_path: Path) -> None:
    script = tmp_path / "x.py"
    script.write_text("def task(): ...\n", encoding="utf-8-sig")
    assert read(script).text == "def task(): ...\n"
