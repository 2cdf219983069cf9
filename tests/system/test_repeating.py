"""Asking the same again, on a whole plotter2: dry runs, keys, failed points, replays, and runs made again."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import plotter2
from tests.system.installation import Installation, fetch

TRAIN = """
import os, pathlib, sys, time
lr, data = float(sys.argv[1]), pathlib.Path(sys.argv[2])
if lr < 0 and not (data / "negative.txt").exists():
    sys.exit("lr must not be negative")
os.makedirs("out", exist_ok=True)
text = (data / "data.txt").read_text()
pathlib.Path("out/result.csv").write_text(f"lr,data\\n{lr},{text}\\n")
pathlib.Path("out/files.txt").write_text(" ".join(sorted(os.listdir(data))))
if lr == 7:
    pathlib.Path("out/when.txt").write_text(str(time.time_ns()))
print("at", time.time_ns())
"""
PACKAGE = {
    "parameters": {"lr": {"type": "float", "default": 0.1}, "seed": {"type": "int", "default": 0}},
    "service": {"command": ["{python}", "train.py", "{lr}", "{bundle}"], "outputs": ["out/**"]},
}
NAME = "experiments/tiny"


class Lab:
    """An installation, and an experiment that can be changed."""

    def __init__(self, installation: Installation, folder: Path) -> None:
        self.installation = installation
        self.folder = folder
        (folder / "code_sources").mkdir()
        (folder / "code_sources" / "train.py").write_text(TRAIN)
        (folder / "package.json").write_text(json.dumps(PACKAGE))

    def ask(self, *words: str, code: int = 0) -> Any:
        done = self.installation.run(*words, "--json")
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout) if done.stdout else done.stderr

    def push(self, text: str, **more: str) -> int:
        for name, content in {"data": text, **more}.items():
            (self.folder / f"{name}.txt").write_text(content)
        return int(self.ask("push", str(self.folder), NAME)["version"])

    def content(self, bundle: str, path: str, to: Path) -> str:
        self.ask("pull", bundle, str(to))
        return (to / path).read_text()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    installation = Installation(tmp_path_factory.mktemp("repeating") / "home")
    installation.start()
    try:
        yield Lab(installation, tmp_path_factory.mktemp("tiny"))
    finally:
        installation.end()


@pytest.mark.req("r016", "r017", "r018")
def test_the_same_is_asked_again_in_every_way(lab: Lab, tmp_path: Path) -> None:
    assert lab.push("one") == 1
    plan = lab.ask("redo", NAME, "--set", "lr=0.10,0.2", "--set", "seed=1..2", "--dry-run")
    assert [child["reused"] for child in plan["children"]] == [""] * 4
    assert lab.ask("requests", "--bundle", NAME)["total"] == 1

    first = lab.ask("redo", NAME, "--set", "lr=0.10,-1", "--key", "nightly", "--wait", code=1)
    assert [child["state"] for child in first["children"]] == ["done", "failed"]
    assert lab.ask("redo", NAME, "--set", "lr=0.10,-1", "--key", "nightly", code=1)["request"] == first["request"]
    assert "belongs to another ask" in lab.ask("redo", NAME, "--set", "lr=5", "--key", "nightly", code=3)

    child = f"{NAME}/bundles/lr=0.10"
    again = lab.ask("redo", child, "--wait")
    assert (again["repeat"]["equal"], again["repeat"]["differing"], again["repeat"]["environment"]) == (True, 0, [])
    assert (again["repeat"]["before"], again["repeat"]["after"], again["repeat"]["same"]) == (1, 2, 2)

    # A newer version, and a stranger's file in the folder that people browse: neither reaches the old version.
    assert lab.push("two", negative="yes") == 2
    (lab.installation.home / "source" / NAME / "by-hand.txt").write_text("not ours")
    old = lab.ask("redo", f"{NAME}@1", "--set", "lr=0.10", "--force", "--wait")
    assert old["children"][0]["reused"] is False
    assert lab.content(child, "out/result.csv", tmp_path / "old") == "lr,data\n0.1,one\n"
    assert (tmp_path / "old" / "out" / "files.txt").read_text() == "code_sources data.txt package.json"
    record = json.loads((tmp_path / "old" / "run.json").read_text())
    assert record["environment"]["python"] == platform.python_version()
    assert record["environment"]["packages"] > 0
    assert len(record["data_digest"]) == len(record["code_digest"]) == 64

    # The point that had failed, on what is current: there it goes well.
    mended = lab.ask("redo", "--failed", first["request"], "--wait")
    assert [one["bundle"] for one in mended["children"]] == [f"{NAME}/bundles/lr=-1"]
    replayed = lab.ask("replay", first["request"], "--wait")
    assert [one["reused"] for one in replayed["children"]] == [False, True]
    told = lab.ask("requests", replayed["request"])["ask"]
    assert (told["replay_of"], told["runs_version"]) == (first["request"], 2)


@pytest.mark.req("r018")
def test_a_program_that_is_not_deterministic_is_found_out(lab: Lab) -> None:
    lab.push("three")
    lab.ask("redo", NAME, "--set", "lr=7", "--wait")
    again = lab.ask("redo", f"{NAME}/bundles/lr=7", "--wait", code=1)["repeat"]
    assert (again["equal"], again["files"]) == (False, [{"path": "out/when.txt", "change": "changed"}])
    assert "is a run of 'experiments/tiny'" in lab.ask("redo", f"{NAME}/bundles/lr=7", "--set", "lr=1", code=3)


@pytest.mark.req("r001")
def test_data_experiments_analysis_storage_and_reruns_meet_through_five_ports(lab: Lab, tmp_path: Path) -> None:
    """Data goes in, is run on, drawn, kept, shown, run again, and every figure leads back to where it began."""
    installation = lab.installation
    lab.push("first")
    script = tmp_path / "draw.py"
    script.write_text("def task():\n    plotme(access())\n")
    with plotter2.connect(home=installation.home) as p2:
        redone = p2.redo(NAME, {"lr": [11, 12]}, parallel=2).check()
        child = redone.children[0].bundle
        drawn = p2.run(script, on=child).check()
        (page,) = [one for one in drawn.runs[0].outputs if one.kind != "asset"]
        place = installation.home / "output" / page.path
        again = p2.redo(NAME, {"lr": [11]}).check()
        p2.pull(child, tmp_path / "copy")
        why, uses = p2.why(place), p2.uses(NAME)
    assert [one.reused for one in again.children] == [True]
    assert (tmp_path / "copy" / "out" / "result.csv").read_text() == "lr,data\n11.0,first\n"
    led_to = {one.id for one in why.origins}
    assert {page.path, drawn.runs[0].id, f"{child}@1", f"{redone.id}.s0", redone.id, drawn.id} <= led_to
    pushes = [one for one in why.origins if one.form == "push"]
    assert [one.ask["bundle"] for one in pushes] == [NAME], "the first cause is what was pushed"
    assert page.path in {one.id for one in uses.origins}
    found = {one["role"]: one["addresses"] for one in installation.processes().values()}
    assert fetch(f"http://{found['manager']['http']}/output/{page.path}")[1] == place.read_bytes()
    assert b'class="lineage"' in fetch(f"http://{found['manager']['http']}/why/{page.path}")[1]
    for role, heard in (("manager", "ManagerService/Submit"), ("stager", "/Upload"), ("servicer", "/Start")):
        probe = found[role].get("probe") or found[role]["http"]
        assert heard in fetch(f"http://{probe}/metrics")[1].decode(), role
    ports = [found[role]["grpc"] for role in ("manager", "stager", "servicer")]
    assert len({*ports, found["manager"]["http"], found["worker"]["probe"]}) == 5
