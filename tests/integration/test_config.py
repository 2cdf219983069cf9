"""What an installation adds: from its config directory by way of the manager to the children of a worker elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from manager.commands import AssignRuns
from plotter2.errors import RefusedError, UsageError
from plotter2.ids import RunId, TaskId
from plotter2.model import packing
from plotter2.model.additions import listing
from plotter2.model.task import RunState, Task, TaskKind, TaskRun
from plotter2.mqtt.payloads import AssignBatch, Assignment
from tests.integration.test_memo import LAB, hired, known, ran
from tests.integration.test_worker_remote import Far, far_manager
from tests.integration.worker_kit import REAL_ENGINE, REQUEST, rig
from tests.managerkit import Manager, managing
from worker.bulk import BulkLine

OPERATIONS = b"""
from _help import added

def louder(data, by: float = 2.0):
    "Each value so many times."
    return added(data * by)

def broken(data):
    return data / no_such_name
"""
HELP = b"def added(x):\n    return x + 1\n"
VISUALS = b"""
def dots(x: "vector[float64, *]"):
    "A point for each."
    window = frame()
    point(window, x, louder(x))
    axis(window, x="in", y="out")
"""
TEMPLATE = b"[font]\nsize = 19\n"
STEPS = ["access", {"louder": {"by": 3}}]


def add(far: Far, **files: bytes) -> bytes:
    digests = {name.replace("__", "/", 1): far.add(data) for name, data in files.items()}
    return far.add(listing(digests))


@pytest.mark.req("r009", "r137")
async def test_words_pictures_and_templates_reach_a_worker_elsewhere_by_their_digests(tmp_path: Path) -> None:
    source = (
        "import numpy as np\ndef task(n):\n    plotme(np.arange(float(n)))\n    return louder(np.arange(n)).tolist()\n"
    )
    task = Task(TaskId("t"), "own", TaskKind.SCRIPT, source, blake3(source.encode()).digest(), "own.py")
    async with (
        far_manager() as (far, address),
        BulkLine.open(tmp_path, address, lambda: "another") as line,
        rig(tmp_path, command=REAL_ENGINE, line=line) as worker,
    ):
        files = {"operations__own.py": OPERATIONS, "operations/_help.py": HELP, "visuals__own.py": VISUALS}
        digest = add(far, **files, **{"templates/default.toml": TEMPLATE})
        first = RunId(f"{REQUEST}.1")
        given = Assignment(first, 1, task.id, parameters_json='{"n": 3}', config=digest)
        worker.runner.hear_batch(AssignBatch((given,), (task,)))
        [report] = await worker.ends([first])
        assert (report.state, report.results_json) == (RunState.DONE, "[1.0,3.0,5.0]"), report.error
        sent = {one.path: far.blobs[one.digest] for one in packing.read(far.blobs[report.packed])}
        [page] = [one.path for one in report.made if one.kind == "figure"]
        side: Any = json.loads(sent[f"{page}.json"])
        assert side["panels"][0]["visualtype"] == "dots"
        assert (side["template"]["name"], side["config"]) == ("default", digest.hex())
        assert [one["path"] for one in side["additions"]] == ["operations/own.py", "visuals/own.py"]
        assert b'"19px"' in sent[page]
        bad = "def task():\n    broken(1)\n"
        failing = Task(TaskId("u"), "own", TaskKind.SCRIPT, bad, blake3(bad.encode()).digest(), "own.py")
        runs = [RunId(f"{REQUEST}.{place}") for place in (2, 3)]
        batch = (Assignment(runs[0], 1, failing.id, config=digest), Assignment(runs[1], 1, failing.id))
        worker.runner.hear_batch(AssignBatch(batch, (failing,)))
        broken, unknown = await worker.ends(runs)
        assert 'File "config/operations/own.py", line 9, in broken' in broken.error
        assert "no_such_name" in broken.error
        assert "line 2: unknown name 'broken'" in unknown.error


def write(manager: Manager, **files: bytes) -> None:
    for name, data in files.items():
        path = manager.layout.config / f"{name.replace('__', '/', 1)}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)


def given(manager: Manager) -> list[TaskRun]:
    return [run for one in manager.silence.heard if isinstance(one, AssignRuns) for run in one.runs]


@pytest.mark.req("r009")
async def test_a_word_is_known_once_its_file_is_there_and_runs_are_pinned_to_it(tmp_path: Path) -> None:
    async with managing(tmp_path / "home") as manager:
        await manager.push("lab", LAB)
        await hired(manager)
        with pytest.raises(RefusedError, match=r"step 2: unknown op 'louder'"):
            await manager.client.run(STEPS, "lab")
        write(manager, operations__own=OPERATIONS, operations___help=HELP, operations__bad=b"def f(:\n")
        first = await manager.client.config()
        assert [(one.kind, one.name, one.line) for one in first.entries] == [
            ("operation", "broken", 8), ("operation", "louder", 4),
        ]  # fmt: skip
        assert first.faults == (("operations/bad.py", "operations/bad.py, line 1: invalid syntax."),)
        made = await ran(manager, STEPS)
        assert (await known(manager, STEPS)).runs[0].reused_of == made.runs[0].id
        assert given(manager)[-1].config.hex() == first.digest
        with pytest.raises(RefusedError, match=r"step 2: unknown op 'loudr'; the nearest are 'louder'"):
            await manager.client.run(["access", "loudr"], "lab")
        await manager.push("lab2", {"package.json": json.dumps({"tasks": [{"name": "t", "pipeline": STEPS}]}).encode()})
        write(manager, operations__own=OPERATIONS.replace(b"2.0", b"4.0"))
        await manager.client.config()
        again = await ran(manager, STEPS)
        assert (again.runs[0].reused_of, given(manager)[-1].config.hex() == first.digest) == ("", False)
        then = await known(manager, STEPS, config=first.digest)  # as it was, whatever the directory holds now
        assert then.runs[0].reused_of == made.runs[0].id
        await ran(manager, STEPS, config=first.digest, force=True)
        assert given(manager)[-1].config.hex() == first.digest
        with pytest.raises(RefusedError, match="No state of the config directory had the digest 0000"):
            await manager.client.run(STEPS, "lab", config="00" * 32)
        with pytest.raises(UsageError, match=r"'abc' is no digest: a digest is 64 hexadecimal digits"):
            await manager.client.run(STEPS, "lab", config="abc")
        write(manager, operations__own=OPERATIONS.replace(b"from _help", b"import time\nfrom _help"))
        await manager.client.config()
        await ran(manager, STEPS)
        await ran(manager, STEPS)  # the clock is no part of any digest


@pytest.mark.req("r009", "r017")
async def test_the_command_line_lists_what_is_added_and_what_is_left_out(tmp_path: Path) -> None:
    async with managing(tmp_path / "home") as manager:
        write(manager, operations__own=OPERATIONS)
        code, said, wrong = await manager.line("config")
        assert (code, wrong) == (0, "")
        assert "louder(data, by: float=2.0)" in said
        assert "operations/own.py:4" in said
        write(manager, visuals__bad=b"\ndef matrix(x):\n    pass\n")
        code, said, wrong = await manager.line("config", "--json")
        found = json.loads(said)
        assert (code, [one["name"] for one in found["entries"]]) == (1, ["broken", "louder"])
        assert found["faults"][0]["reason"] == (
            "visuals/bad.py, line 2: 'matrix' is a visual type already; call yours otherwise."
        )


async def test_a_config_directory_can_be_checked_before_it_is_used(tmp_path: Path) -> None:
    async with managing(tmp_path / "home") as manager:
        folder = tmp_path / "new" / "templates"
        folder.mkdir(parents=True)
        (folder / "a.toml").write_text("[font]\nsiez = 3\n")
        code, _, wrong = await manager.line("config", str(tmp_path / "new"))
        assert (code, "left out: templates/a.toml, line 2, 'font.siez'" in wrong) == (1, True)
        assert (await manager.line("config", str(tmp_path / "nowhere")))[0] == 2
