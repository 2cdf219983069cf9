"""The command line against a whole installation: real processes, real PostgreSQL, real broker."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import sleep
from typing import Any

import psutil
import pytest

from plotter2.clock import SystemClock

START_S = 60.0
STOP_S = 15.0
COMMAND_S = 90.0
CLOCK = SystemClock()

TRAIN = """
import json, os, sys
lr = float(sys.argv[1])
if lr < 0:
    print("lr must not be negative", file=sys.stderr)
    sys.exit(3)
os.makedirs("out", exist_ok=True)
with open("out/metrics.csv", "w") as file:
    file.write("epoch,loss\\n")
    for epoch in range(1, 6):
        file.write(f"{epoch},{lr / epoch}\\n")
print("trained with", sys.argv[1])
"""
PACKAGE = {
    "parameters": {"lr": {"type": "float", "default": 0.1}},
    "service": {"command": ["{python}", "train.py", "{lr}"], "outputs": ["out/**/*"]},
    "data": {"metrics": {"path": "out/metrics.csv", "type": "table"}},
}


class Said:
    """What a command line ended with."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    @property
    def document(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)


class Installation:
    """One home, and command lines for it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process: subprocess.Popen[bytes] | None = None

    def __call__(self, *words: str) -> Said:
        command = [sys.executable, "-m", "plotter2", *words, "--home", str(self.home)]
        return Said(subprocess.run(command, capture_output=True, text=True, check=False, timeout=COMMAND_S))

    def up(self) -> None:
        words = ["up", "--home", str(self.home), "--workers", "2", "--ports", "auto"]
        with (self.home.parent / "up.out").open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "plotter2", *words], stdout=out, stderr=subprocess.STDOUT
            )
        end = CLOCK.monotonic() + START_S
        while not self.is_ready():
            said = (self.home.parent / "up.out").read_text(errors="replace")
            assert self.process.poll() is None, said
            assert CLOCK.monotonic() < end, said
            sleep(0.2)

    def is_ready(self) -> bool:
        said = self("status", "--json")
        if said.code != 0:
            return False
        processes = said.document["processes"]
        roles = {process["role"] for process in processes}
        needed = {"manager", "stager", "servicer", "worker", "broker", "database", "watchdog"}
        return needed <= roles and all(process["state"] in {"ready", "running"} for process in processes)

    def pids(self) -> list[int]:
        return [process["pid"] for process in self("status", "--json").document["processes"]]

    def stop(self, number: int = signal.SIGINT) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(timeout=STOP_S)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("cli") / "home")
    made.home.parent.mkdir(exist_ok=True)
    made.up()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def experiment(lab: Installation, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("experiment")
    (folder / "code_sources").mkdir()
    (folder / "code_sources" / "train.py").write_text(TRAIN)
    (folder / "package.json").write_text(json.dumps(PACKAGE))
    assert lab("push", str(folder), "experiments/tiny", "--json").document["version"] == 1
    return "experiments/tiny"


@pytest.mark.req("r017")
def test_status_names_every_process(lab: Installation) -> None:
    found = lab("status", "--json").document
    assert set(found) == {"home", "processes", "backlog"}
    assert found["home"] == str(lab.home)
    assert sum(process["role"] == "worker" for process in found["processes"]) == 2
    assert all(psutil.pid_exists(process["pid"]) for process in found["processes"])
    assert lab("status").out.count("\n") > 8
    assert lab("workers", "--json").document["total"] == 2
    assert lab("doctor", "--json").document["ok"]


def test_what_was_pushed_is_listed_and_comes_back_as_it_was(lab: Installation, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "deep" / "er").mkdir(parents=True)
    contents = {"a.csv": b"x,y\n1,2\n", "deep/er/b.bin": bytes(range(256)) * 5000, "empty": b"", "Größe.txt": b"g"}
    for name, data in contents.items():
        (source / name).write_bytes(data)
    pushed = lab("push", str(source), "data/roundtrip", "--json").document
    assert set(pushed) == {"bundle", "version", "digest", "files", "bytes", "request", "new", "held", "warnings"}
    assert (pushed["version"], pushed["bytes"]) == (1, sum(map(len, contents.values())))
    again = lab("push", str(source), "data/roundtrip", "--json").document
    assert (again["version"], again["digest"], again["new"]) == (1, pushed["digest"], False)
    (source / "a.csv").write_bytes(b"x,y\n1,3\n")
    assert lab("push", str(source), "data/roundtrip", "--json").document["version"] == 2
    listed = lab("ls", "data/roundtrip", "--versions", "--json").document
    assert [item["version"] for item in listed["items"]] == [2, 1]
    lab("pull", "data/roundtrip@1", str(tmp_path / "copy"), "--json").document  # noqa: B018 -- asserts that it went well
    found = {name: (tmp_path / "copy" / name).read_bytes() for name in contents}
    assert found == contents


@pytest.mark.req("r018")
def test_redo_runs_each_value_and_reuses_what_was_run(lab: Installation, experiment: str) -> None:
    found = lab("redo", experiment, "--set", "lr=0.2,0.10,0.3", "--parallel", "2", "--wait", "--json").document
    assert set(found) == {"request", "state", "children"}
    assert found["state"] == "done"
    assert [child["parameters"]["lr"] for child in found["children"]] == [0.2, 0.1, 0.3]
    assert [child["reused"] for child in found["children"]] == [False, False, False]
    shown = lab("show", found["children"][1]["bundle"], "--json").document
    assert "out/metrics.csv" in {file["path"] for file in shown["contents"]}
    again = lab("redo", experiment, "--set", "lr=0.1,0.4", "--wait", "--json").document
    assert [child["reused"] for child in again["children"]] == [True, False]
    forced = lab("redo", experiment, "--set", "lr=0.1", "--force", "--wait", "--json").document
    assert [child["reused"] for child in forced["children"]] == [False]
    assert lab("history", experiment, "--json").document["total"] >= 4


def test_a_failed_value_does_not_stop_the_others(lab: Installation, experiment: str) -> None:
    said = lab("redo", experiment, "--set", "lr=-1,0.7", "--wait", "--json")
    assert said.code == 1
    children = json.loads(said.out)["children"]
    assert [child["state"] for child in children] == ["failed", "done"]
    assert "lr must not be negative" in said.err


def test_a_script_runs_on_a_worker_and_gives_its_result(lab: Installation, experiment: str, tmp_path: Path) -> None:
    script = tmp_path / "answer.py"
    script.write_text("def task():\n    print('hello from the task')\n    return {'answer': 42}\n")
    found = lab("run", str(script), "--on", experiment, "--wait", "--json").document
    assert set(found) == {"request", "state", "runs", "skipped"}
    assert found["state"] == "done"
    words = {"id", "task", "bundle", "state", "worker", "parameters", "results", "outputs", "reused_of"}
    assert [set(run) for run in found["runs"]] == [words]
    assert found["runs"][0]["results"] == {"answer": 42}


@pytest.mark.req("r031", "r038", "r048", "r051")
def test_a_task_goes_over_the_members_each_by_its_own_code(lab: Installation, tmp_path: Path) -> None:
    def push(bundle: str, task: str, gives: str) -> None:
        folder = tmp_path / bundle.replace("/", "-")
        folder.mkdir()
        (folder / "task.py").write_text(f"import helper\n\ndef task():\n    return [helper.number, {gives}]\n")
        (folder / "helper.py").write_text(f"number = {len(bundle)}\n")
        heads = {"count": {"function": "task.py:task", "returns": "vector[float64, 2]"}} if task == "count" else {}
        declared = {"tasks": [{"name": task, "task_src": "task.py"}], "heads": heads}
        (folder / "package.json").write_text(json.dumps(declared))
        assert lab("push", str(folder), bundle).code == 0

    push("over/x", "count", "1")
    push("over/x/own", "count", "2.5")
    push("over/x/long", "count", "3, 4")
    push("over/x/odd", "else", "5")
    (tmp_path / "data.csv").write_text("x\n1\n")
    assert lab("push", str(tmp_path / "data.csv"), "over/x/data").code == 0
    said = lab("run", "count", "--on", "over/x", "--over", "members", "--wait", "--json")
    assert said.code == 1
    found = json.loads(said.out)
    assert [(one["bundle"], one["state"], one["results"]) for one in found["runs"]] == [
        ("over/x", "done", [6, 1]), ("over/x/data", "done", [6, 1]), ("over/x/long", "failed", [11, 3, 4]),
        ("over/x/own", "done", [10, 2.5]),
    ]  # fmt: skip
    assert [one["bundle"] for one in found["skipped"]] == ["over/x/odd"]
    assert "returns vector[float64, 2], and this is vector[int64, 3]: another shape" in said.err
    assert lab("unlink", "over/x", "over/x/long").code == 0
    assert lab("run", "count", "--on", "over/x", "--over", "any", "--wait").code == 0


LIBRARY = """
import shift

def load(step):
    return [[step + shift.BY, 2.0, 3.0]]

def flat(matrix):
    return matrix[0]
"""
CALLER = """
import shift

def task(step):
    return [shift.BY, operation("weights")(step), access("table").column("w").tolist()]
"""


@pytest.mark.req("r036", "r039", "r041", "r044", "r047")
def test_a_linked_function_and_linked_data_are_used_by_name_and_checked(lab: Installation, tmp_path: Path) -> None:
    def push(bundle: str, declared: dict[str, Any], **files: str) -> None:
        folder = tmp_path / bundle.replace("/", "-")
        (folder / "code_sources").mkdir(parents=True)
        for name, text in {"package.json": json.dumps(declared), **files}.items():
            (folder / name.replace("__", "/")).write_text(text)
        assert lab("push", str(folder), bundle).code == 0

    matrix, vector, step = "matrix[float64, *, *]", "vector[float64, *]", {"step": "scalar[float64]"}
    files = {"code_sources__load.py": LIBRARY, "code_sources__shift.py": "BY = 10.5\n", "w.csv": "w\n7\n8\n"}
    heads = {
        "load": {"function": "load", "params": step, "returns": matrix},
        "w": {"file": "w.csv", "returns": "table"},
    }
    flat = {"function": "code_sources/load.py:flat", "params": {"matrix": matrix}, "returns": vector}
    push("links/lib", {"heads": heads}, **files)
    links = [
        {"name": "weights", "from": ".", "in": "mine", "to": "links/lib", "out": "load",
         "translate": {"backward": "flat"}},
        {"name": "table", "from": ".", "in": "t", "to": "links/lib", "out": "w"},
    ]  # fmt: skip
    mine = {"function": "code_sources/load.py:load", "params": step, "returns": vector}
    table = {"function": "code_sources/load.py:load", "returns": "table"}
    push(
        "links/app",
        {"heads": {"mine": mine, "flat": flat, "t": table}, "links": links,
         "tasks": [{"name": "call", "task_src": "call.py"}, {"name": "pipe", "task_src": "pipe.json"}]},
        **{"call.py": CALLER, "code_sources__load.py": LIBRARY, "code_sources__shift.py": "BY = 1\n"},
        **{"pipe.json": '[["access", "table"], "mean"]'},
    )  # fmt: skip

    def results(*words: str) -> Any:
        said = lab("run", *words, "--on", "links/app", "--wait", "--json")
        assert said.code == 0, said.err
        return json.loads(said.out)["runs"][0]["results"]

    assert results("call", "--set", "step=1.5") == [1, [12.0, 2.0, 3.0], [7, 8]]
    assert results("pipe") == 7.5
    said = lab("run", "call", "--on", "links/app", "--set", 'step="x"', "--wait")
    assert said.code == 1
    assert "'mine' of 'links/app' takes scalar[float64] as 'step', and this is scalar[text]: another dtype" in said.err


@pytest.mark.parametrize(
    ("name", "source", "codes_and_part"),
    [
        ("syntax.py", "def task():\n    return (\n", ({1, 3}, "syntax.py")),
        ("raises.py", "def task():\n    raise ValueError('boom')\n", ({1}, "ValueError: boom")),
        ("bad.json", "[", ({3}, "not JSON")),
    ],
)
def test_a_task_that_cannot_go_well_says_why(
    lab: Installation, experiment: str, tmp_path: Path, name: str, source: str, codes_and_part: tuple[set[int], str]
) -> None:
    (tmp_path / name).write_text(source)
    said = lab("run", str(tmp_path / name), "--on", experiment, "--wait")
    codes, part = codes_and_part
    assert said.code in codes
    assert part in said.err
    assert "/plotter2/" not in said.err


@pytest.mark.parametrize(
    ("words", "code", "part"),
    [
        (["push", "/no/such/path", "data/x"], 2, "/no/such/path"),
        (["push", "EMPTY", "data/x"], None, "EMPTY"),
        (["push", "FULL", "../x"], 3, "'..'"),
        (["run", "no such task", "--on", "experiments/tiny"], 3, "no such task"),
        (["run", "missing.py", "--on", "experiments/tiny"], 2, "missing.py"),
        (["redo", "experiments/tiny", "--set", "rl=1"], 3, "'rl'"),
        (["redo", "data/plain", "--set", "lr=1"], 3, "data/plain"),
        (["show", "no/such"], 3, "no/such"),
        (["wait", "req-" + "0" * 32], 3, "req-"),
        (["pull", "experiments/tiny", "FULL"], 2, "there already"),
    ],
)
def test_bad_input_is_one_sentence_and_its_exit_code(
    lab: Installation, experiment: str, tmp_path: Path, words: list[str], code: int | None, part: str
) -> None:
    assert experiment == "experiments/tiny"
    (tmp_path / "EMPTY").mkdir()
    (tmp_path / "FULL").mkdir()
    (tmp_path / "FULL" / "a.txt").write_text("a")
    if words[1] == "data/plain":
        assert lab("push", str(tmp_path / "FULL"), "data/plain").code == 0
    before = lab("ls", "--json").document["total"]
    said = lab(*(str(tmp_path / word) if word in {"EMPTY", "FULL"} else word for word in words))
    assert said.code == code or (code is None and said.code in {2, 3})
    assert part in said.err
    assert said.err.strip().count("\n") == 0
    assert said.out == ""
    assert lab("ls", "--json").document["total"] == before


@pytest.mark.parametrize(
    ("manifest", "part"),
    [
        ("{", "not JSON"),
        ('{"date": "2026-01-01", "time": 1, "user": "a", "manifest_version": 1, "meta": {}}', "contains"),
    ],
)
def test_a_bad_manifest_is_refused_by_name(lab: Installation, tmp_path: Path, manifest: str, part: str) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    (tmp_path / "a.txt").write_text("a")
    said = lab("push", str(tmp_path), "data/manifest")
    assert said.code == 3
    assert part in said.err
    assert lab("ls", "data/manifest").code in {0, 3}


def test_a_second_up_on_the_same_home_says_who_holds_it(lab: Installation) -> None:
    said = lab("up", "--ports", "auto")
    assert said.code in {1, 3}
    assert str(lab.home) in said.err
    assert lab.is_ready()


@pytest.mark.req("r002", "r198")
def test_everything_stops_and_comes_back_as_it_was(tmp_path: Path) -> None:
    lab = Installation(tmp_path / "home")
    lab.up()
    try:
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "a.txt").write_text("a")
        pushed = lab("push", str(tmp_path / "data"), "data/kept", "--json").document
        pids = lab.pids()
        assert lab("down").code == 0
        lab.stop()
        assert [pid for pid in pids if psutil.pid_exists(pid)] == []
        assert lab("ls").code == 4
        lab.up()
        assert lab("ls", "--json").document["items"][0]["digest"] == pushed["digest"]
    finally:
        lab.stop()


@pytest.mark.req("r063")
def test_a_push_whose_conditions_do_not_hold_exits_3_and_is_released_when_they_do(
    lab: Installation, tmp_path: Path
) -> None:
    source = tmp_path / "needy"
    source.mkdir()
    (source / "a.csv").write_text("x\n1\n")
    paper = {"date": "2026-11-21T12:00:00Z", "time": 1795262400, "user": "ann", "manifest_version": 1, "contains": {}}
    meta = {"conditions": [{"bundle": "data/needed"}]}
    (source / "manifest.json").write_text(json.dumps({**paper, "meta": meta}))
    said = lab("push", str(source), "lab/needy", "--json")
    assert said.code == 3
    assert "bundle 'data/needed' is not there" in said.err
    assert json.loads(said.out)["held"]
    (item,) = lab("quarantine", "--json").document["items"]
    assert lab("show", item["request"], "--json").document["state"] == "queued"
    assert lab("quarantine", "release", item["id"]).code == 3
    (source / "manifest.json").unlink()
    assert lab("push", str(source), "data/needed").code == 0
    assert lab("quarantine", "release", item["id"]).code == 0
    assert lab("show", "lab/needy", "--json").document["manifest"]["user"] == "ann"
    assert lab("show", item["request"], "--json").document["state"] == "done"
    assert lab("verify", "--json").document["strays"] == 0
