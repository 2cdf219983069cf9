"""Command lines against a small manager: documents, exit codes, sentences."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from plotter2.api.v1 import manager_pb2
from plotter2.cli.main import app, run
from tests.unit.plotter2.client.kit import CONTENT, REQUEST, FakeManager

VERBS = sorted(command.name for command in app.registered_commands if command.name)


class Said:
    """What a command line printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], address: str) -> Any:
    def call(*words: str) -> Said:
        code = run([*words, "--address", address])
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return call


def test_the_tree_has_every_verb() -> None:
    system = ["up", "down", "status", "workers", "logs", "doctor", "verify", "quarantine", "config"]
    data = ["push", "pull", "ls", "show", "diff", "history", "inherit", "archive", "unarchive", "report", "tag"]
    work = ["run", "redo", "replay", "tasks", "orders", "planner", "wish", "requests", "wait", "cancel"]
    project = ["init", "check"]
    links = ["link", "unlink", "ops", "why", "uses"]
    assert sorted([*system, *data, *links, *project, *work]) == VERBS


@pytest.mark.parametrize("verb", VERBS)
def test_every_command_explains_itself_with_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([verb, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"plotter2 {verb}" in text.partition("Examples:")[2]
    assert all(option in text for option in ("--home", "--address", "--json"))


def test_help_starts_without_grpc_and_rich() -> None:
    code = (
        "import sys; from plotter2.cli.main import run; run(['--help']);"
        "print([m for m in ('grpc', 'rich', 'numpy', 'bokeh', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["psh"], "No such command"),
        (["push"], "PATH"),
        (["redo"], "needs the bundle"),
        (["orders", "pause"], "orders takes nothing, or BUNDLE, or pause BUNDLE ORDER"),
        (["orders", "resume", "x"], "orders takes nothing, or BUNDLE, or pause BUNDLE ORDER"),
        (["status", "--address", "127.0.0.1:1"], "status looks at a home on this machine; --address says nothing"),
        (["down", "--address", "127.0.0.1:1"], "down looks at a home on this machine"),
        (["logs", "--address", "127.0.0.1:1"], "logs looks at a home on this machine"),
        (["doctor", "--address", "127.0.0.1:1"], "doctor looks at a home on this machine"),
        (["up", "--ports", "odd", "--address", "127.0.0.1:1"], "up looks at a home on this machine"),
        (["redo", "x", "--failed", "req-1"], "name the request alone"),
        (["redo", "x", "--set", "lr=1", "--parallel", "0"], "--parallel"),
        (["redo", "x", "--set", "lr"], "name=value"),
        (["ls", "--nothing"], "--nothing"),
        (["ls", "--versions"], "needs a bundle"),
        (["push", "/nowhere/at/all", "x"], "/nowhere/at/all"),
        (["run", "missing.py"], "missing.py"),
        (["up", "--ports", "some"], "--ports some"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_2(
    words: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert part in err
    assert err.count("\n") == 1
    assert err.endswith(".\n")


@pytest.mark.req("r017")
def test_nothing_running_is_exit_4_and_says_how_to_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["ls"], ["status", "--json"], ["redo", "x", "--set", "lr=1"], ["down"]):
        assert run([*words, "--home", str(tmp_path)]) == 4
        out, err = capsys.readouterr()
        assert out == ""
        assert "plotter2 up" in err
        assert str(tmp_path) in err


def test_ls_prints_the_documented_shape(cli: Any) -> None:
    said = cli("ls", "experiments/digits", "--json")
    assert said.code == 0
    assert said.document["total"] == 1
    assert set(said.document["items"][0]) == {"bundle", "version", "digest", "files", "bytes", "created"}
    assert said.document["items"][0]["digest"] == "01" * 32


@pytest.mark.req("r018")
def test_redo_prints_the_documented_shape_in_the_users_spelling(cli: Any, manager: FakeManager) -> None:
    said = cli("redo", "experiments/digits", "--set", "lr=0.10,1e-3", "--parallel", "2", "--wait", "--json")
    assert said.code == 0
    assert set(said.document) == {"request", "state", "children"}
    assert [set(child) for child in said.document["children"]] == [{"bundle", "parameters", "state", "reused"}] * 2
    assert '"lr": 0.10' in said.out
    assert '"lr": 1e-3' in said.out
    assert manager.submitted[0].redo.parallel == 2


@pytest.mark.req("r018")
def test_a_dry_run_prints_the_documented_shape_and_asks_for_nothing(cli: Any, manager: FakeManager) -> None:
    said = cli("redo", "experiments/digits@2", "--set", "lr=0.10,0.2", "--dry-run", "--json")
    assert said.document == {
        "bundle": "experiments/digits", "version": 2, "children": [
            {"bundle": "experiments/digits/bundles/lr=0.10", "parameters": {"lr": 0.1},
             "reused": "experiments/digits/bundles/lr=0.10@1"},
            {"bundle": "experiments/digits/bundles/lr=0.2", "parameters": {"lr": 0.2}, "reused": ""},
        ],
    }  # fmt: skip
    assert '"lr": 0.10' in said.out
    text = cli("redo", "experiments/digits@2", "--set", "lr=0.10,0.2", "--dry-run")
    assert "1 would run, 1 are reused" in text.err
    assert not manager.submitted


@pytest.mark.req("r018")
def test_a_run_made_again_says_whether_it_is_equal_and_exits_1_where_not(cli: Any, manager: FakeManager) -> None:
    manager.repeat = manager_pb2.Repeat(bundle="a/bundles/lr=1", before=1, after=2, same=3)
    said = cli("redo", "a/bundles/lr=1", "--wait", "--json")
    assert (said.code, said.document["repeat"]["equal"], said.document["repeat"]["same"]) == (0, True, 3)
    assert "equal byte for byte" in cli("redo", "a/bundles/lr=1", "--wait").out
    manager.repeat.differing = 1
    manager.repeat.files.add().after.path = "out/a"
    manager.repeat.environment.append("python was 3.11, now it is 3.12")
    said = cli("redo", "a/bundles/lr=1", "--wait", "--json")
    assert (said.code, said.document["repeat"]["files"]) == (1, [{"path": "out/a", "change": "added"}])
    text = cli("redo", "a/bundles/lr=1", "--wait")
    assert "differ in 1 of 4 files" in text.out
    assert "python was 3.11" in text.err


@pytest.mark.req("r016")
def test_a_key_is_sent_as_it_was_given(cli: Any, manager: FakeManager) -> None:
    for words in (
        ("run", "loss curve", "--on", "experiments/digits"),
        ("redo", "experiments/digits", "--set", "lr=1"),
        ("redo", "--failed", REQUEST),
        ("replay", REQUEST),
        ("archive", "experiments/digits"),
    ):
        assert cli(*words, "--key", "nightly").code == 0
    assert [sent.client_key for sent in manager.submitted] == ["nightly"] * 5
    assert manager.submitted[2].redo.failed_of == manager.submitted[3].replay.request_id == REQUEST


def test_run_prints_the_documented_shape(cli: Any, manager: FakeManager) -> None:
    said = cli("run", "loss curve", "--on", "experiments/digits", "--set", "k=0.50", "--wait", "--json")
    assert said.code == 0
    assert set(said.document) == {"request", "state", "runs", "skipped"}
    words = {"id", "task", "bundle", "state", "worker", "parameters", "results", "outputs", "reused_of"}
    assert set(said.document["runs"][0]) == words
    assert '"best": 0.10' in said.out
    assert manager.submitted[0].run.parameters_json == '{"k":0.50}'


def test_without_wait_the_request_and_the_way_to_follow_it_are_printed(cli: Any) -> None:
    said = cli("redo", "experiments/digits", "--set", "lr=1")
    assert said.code == 0
    assert REQUEST in said.out
    assert f"plotter2 wait {REQUEST}" in said.err


def test_a_failed_task_is_exit_1_with_the_users_traceback(cli: Any, manager: FakeManager) -> None:
    manager.state = manager_pb2.REQUEST_STATE_FAILED
    manager.run_error = 'Traceback (most recent call last):\n  File "a.py", line 2\nValueError: boom\n'
    said = cli("run", "loss curve", "--on", "experiments/digits", "--wait", "--json")
    assert said.code == 1
    assert said.document["state"] == "failed"
    assert said.err.endswith("ValueError: boom\n")


def test_of_many_instances_the_first_that_failed_are_told_with_their_keys(cli: Any, manager: FakeManager) -> None:
    manager.state, manager.runs = manager_pb2.REQUEST_STATE_FAILED, 7
    manager.run_error = "a.py, line 2: ValueError: boom."
    said = cli("run", "loss curve", "--on", "experiments/digits", "--wait")
    assert said.err.count("boom") == 5
    assert "loss curve (step=step_3): a.py, line 2: ValueError: boom.\n" in said.err
    assert said.err.endswith(f"And 2 more failed; `plotter2 requests {REQUEST} --json` has them all.\n")


def test_what_failed_by_itself_is_told_before_what_failed_because_of_it(cli: Any, manager: FakeManager) -> None:
    manager.state, manager.runs = manager_pb2.REQUEST_STATE_FAILED, 7
    manager.run_error = "a.py, line 2: it failed.\nTraceback:\nCollectError: 1 of 1 tasks failed."
    manager.run_errors = {6: "a.py, line 2: ValueError: boom."}
    said = cli("run", "loss curve", "--on", "experiments/digits", "--wait")
    assert said.err.startswith("epoch 1\nloss curve (step=step_6): a.py, line 2: ValueError: boom.\n")


def test_a_failed_value_is_exit_1_and_named(cli: Any, manager: FakeManager) -> None:
    manager.state = manager_pb2.REQUEST_STATE_FAILED
    said = cli("redo", "experiments/digits", "--set", "lr=-1", "--wait")
    assert said.code == 1
    assert "lr=-1" in said.err
    assert "exit status 2" in said.err


def test_a_refusal_is_exit_3_with_its_reason(cli: Any, manager: FakeManager) -> None:
    manager.reason, manager.reason_code = "Parameter 'rl' is not declared; there are 'lr'.", "refused"
    said = cli("redo", "experiments/digits", "--set", "rl=1", "--json")
    assert (said.code, said.out, said.err) == (3, "", "Parameter 'rl' is not declared; there are 'lr'.\n")


def test_a_bundle_name_with_dots_is_refused(cli: Any) -> None:
    said = cli("show", "../x")
    assert said.code == 3
    assert said.err.count("\n") == 1
    assert "'..'" in said.err


def test_pull_show_history_report_tasks_workers_requests_and_wait(cli: Any, tmp_path: Path) -> None:
    pulled = cli("pull", "experiments/digits", str(tmp_path / "copy"), "--json").document
    assert pulled["bytes"] == sum(map(len, CONTENT.values()))
    shown = cli("show", "experiments/digits@2", "--json")
    assert {file["path"] for file in shown.document["contents"]} == set(CONTENT)
    assert '"lr": 0.10' in shown.out
    assert len(cli("show", "experiments/digits", "--json", "--files", "1").document["contents"]) == 1
    few = cli("show", "experiments/digits", "--files", "1")
    assert (sum(path in few.out for path in CONTENT), "--files 0 lists them all" in few.err) == (1, True)
    begun = cli("show", "experiments/digits", "--json", "--files", "1").document
    rest = cli("show", "experiments/digits", "--json", "--after", begun["next"]).document
    assert [one["path"] for one in [*begun["contents"], *rest["contents"]]] == sorted(CONTENT)
    assert (begun["next"], rest["next"]) == (begun["contents"][0]["path"], "")
    assert f"--after {begun['next']}" in few.err
    every = cli("show", "experiments/digits", "--files", "0")
    assert (all(path in every.out for path in CONTENT), every.err) == (True, "")
    assert cli("show", f"{REQUEST}.0", "--json").document["task"] == "loss curve"
    history = cli("history", "experiments/digits", "--json").document["items"]
    assert [(one["version"], one["new"]) for one in history] == [(2, True), (2, False), (None, False)]
    report = cli("report", "experiments/digits", "--json", "--home", str(tmp_path)).document["items"][0]
    assert report["path"] == str(tmp_path / "output" / "x" / "report.html")
    assert (report["pdf"], report["lacking"]) == (None, [])
    assert cli("tasks", "experiments", "--json").document["items"][0]["standing"] == ["child"]
    assert cli("workers", "--json").document["items"][0]["state"] == "alive"
    assert cli("requests", "--json").document["total"] == 1
    assert cli("requests", REQUEST, "--json").document["runs"][0]["error"] == ""
    assert cli("wait", REQUEST, "--json").document["runs"][0]["id"] == f"{REQUEST}.0"
    assert cli("cancel", REQUEST, "--json").document["state"] == "cancelled"


def test_report_names_the_pdf_beside_a_page_or_says_why_there_is_none(cli: Any, tmp_path: Path) -> None:
    place = tmp_path / "output" / "x"
    place.mkdir(parents=True)
    (place / "report.html.json").write_text('{"kind": "report", "lacking": ["no PDF: there is no browser"]}')
    words = ("report", "experiments/digits", "--home", str(tmp_path))
    assert "no PDF: there is no browser." in cli(*words).err
    (place / "report.html.json").write_text("no JSON")
    (place / "report.html.pdf").write_text("%PDF")
    assert f"On paper: {place / 'report.html.pdf'}" in cli(*words).err
    assert cli(*words, "--json").document["items"][0]["pdf"] == str(place / "report.html.pdf")


@pytest.mark.req("r006")
def test_diff_names_parameters_and_files_with_sizes_and_permissions(cli: Any) -> None:
    words = ("diff", "experiments/digits@1", "experiments/digits@2")
    found = cli(*words, "--json").document
    assert [(one["path"], one["change"]) for one in found["files"]] == [("a.csv", "changed"), ("b.csv", "added")]
    assert found["files"][0]["after"] == {"bytes": 2, "digest": "02" * 32, "mode": "755"}
    assert found["files"][1]["before"] is None
    assert found["unchanged"] == 7
    said = cli(*words)
    assert said.out.splitlines() == [
        "~ parameter lr: 0.10 -> 0.2", "~ a.csv  1 B -> 2 B, mode 644 -> 755", "+ b.csv  2 B",
    ]  # fmt: skip
    assert '"before": 0.10' in cli(*words, "--json").out


@pytest.mark.req("r006")
@pytest.mark.parametrize(("verb", "archived"), [("archive", True), ("unarchive", False)])
def test_archive_hides_and_unarchive_shows(cli: Any, manager: FakeManager, verb: str, archived: bool) -> None:
    assert cli(verb, "experiments/digits", "--json").document["archived"] is archived
    assert manager.submitted[-1].archive.archived is archived


@pytest.mark.parametrize(
    "words",
    [
        ("ls", "experiments/digits"),
        ("show", "experiments/digits"),
        ("show", REQUEST),
        ("show", f"{REQUEST}.0"),
        ("history", "experiments/digits"),
        ("diff", "experiments/digits@1", "experiments/digits@2"),
        ("report", "experiments/digits", "--kind", "all"),
        ("tasks", "experiments"),
        ("workers",),
        ("requests",),
        ("requests", REQUEST),
        ("wait", REQUEST),
        ("run", "loss curve", "--on", "experiments/digits", "--wait"),
        ("redo", "experiments/digits", "--set", "lr=1", "--wait"),
        ("redo", "experiments/digits@2", "--set", "lr=0.10", "--dry-run"),
        ("replay", REQUEST, "--wait"),
    ],
)
def test_people_get_text_that_is_not_cut(cli: Any, words: tuple[str, ...]) -> None:
    said = cli(*words)
    assert said.code == 0
    assert said.out.strip()
    assert "…" not in said.out


def test_a_fault_of_ours_is_one_sentence_too(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plotter2.cli.shapes.bundle", lambda _: 1 / 0)
    said = cli("ls", "experiments/digits", "--json")
    assert said.code == 1
    assert said.err.startswith("plotter2 has a fault: ZeroDivisionError")
    assert said.err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "words"), [("zero.py", "zero.py: it is empty"), ("zero.json", "zero.json: it is empty")]
)
def test_an_empty_file_is_no_task(tmp_path: Path, cli: Any, name: str, words: str) -> None:
    (tmp_path / name).write_text(" \n")
    said = cli("run", str(tmp_path / name))
    assert (said.code, said.out) == (3, "")
    assert words in said.err
