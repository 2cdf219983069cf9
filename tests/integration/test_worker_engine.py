"""Children with the real engine: datter's scripts and pipelines, warm from the fork."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from plotter2.model.task import Limits, RunState, TaskKind
from tests.integration.worker_kit import REAL_ENGINE, REQUEST, rig

PLOT = """
def task(n):
    import numpy as np
    print("drawing", n)
    plotme([float(x) for x in np.arange(n) ** 2])
    return n
"""


@pytest.mark.req("r096")
async def test_a_script_draws_and_its_page_comes_back_with_its_sidecar(tmp_path: Path) -> None:
    async with rig(tmp_path, command=REAL_ENGINE) as worker:
        report = await worker.run(PLOT, parameters_json='{"n": 20}')
        assert report.error == ""
        assert (report.state, report.results_json, list(report.lines)) == (RunState.DONE, "20", ["drawing 20"])
        [page] = [one for one in report.made if one.kind == "figure"]
        folder = tmp_path / "temp" / "runs" / f"{report.run_id}.1"
        assert (folder / page.path).stat().st_size == page.size_bytes
        assert (folder / f"{page.path}.json").exists()


async def test_the_warm_parent_has_one_thread_and_no_network_stack(tmp_path: Path) -> None:
    source = (
        "def task():\n    import os, sys, pathlib\n"
        "    threads = len(list(pathlib.Path(f'/proc/{os.getppid()}/task').iterdir()))\n"
        "    return [threads, [name for name in ('grpc', 'aiomqtt', 'asyncpg', 'uvloop') if name in sys.modules],\n"
        "            'sklearn' in sys.modules, 'bokeh' in sys.modules]\n"
    )
    async with rig(tmp_path, command=REAL_ENGINE) as worker:
        report = await worker.run(source)
        assert report.results_json == "[1,[],true,false]", report.error


WHERE = """
def task():
    import os, threading
    return [os.getpid(), os.getppid(), threading.current_thread() is threading.main_thread()]
"""


@pytest.mark.req("r081", "r089", "r090", "r092")
async def test_one_interpreter_takes_scripts_and_pipelines_in_turn_apart_from_the_daemon(tmp_path: Path) -> None:
    steps = json.dumps(["access", {"pca": {"k": 1}}, "plotme"])
    async with rig(tmp_path, command=REAL_ENGINE) as worker:
        worker.manager.bundles["mine"] = {"t.csv": "a,b\n1,2\n2,4\n3,7\n"}
        [child] = await worker.children()
        first = json.loads((await worker.run(WHERE)).results_json)
        drawn = await worker.run(steps, bundle="mine", kind=TaskKind.PIPELINE)
        assert (drawn.state, [one.kind for one in drawn.made if one.kind == "figure"]) == (RunState.DONE, ["figure"])
        assert json.loads((await worker.run(WHERE)).results_json) == first
        assert await worker.children() == [child]
        assert worker.manager.asked_for == [("mine", REQUEST)], "what lies below is that request's"
    pid, parent, is_second = first
    assert (pid, is_second) == (child, True), "the messenger has a thread of its own"
    assert len({pid, parent, os.getpid()}) == 3, "neither the daemon nor who forks for it runs user code"


@pytest.mark.req("r200", "r201")
async def test_bad_scripts_are_told_what_is_wrong_with_them(tmp_path: Path) -> None:
    async with rig(tmp_path, command=REAL_ENGINE) as worker:
        syntax = await worker.run("def task(:\n    pass\n")
        assert syntax.error_code == "script"
        assert "tiny.py, line 1" in syntax.error
        raised = await worker.run("def task():\n    return 1 / 0\n")
        assert 'File "tiny.py", line 2, in task' in raised.error
        assert "plotter2" not in raised.error
        hungry = await worker.run(
            "def task():\n    x = []\n    while True:\n        x.append(bytearray(1 << 20))\n",
            limits=Limits(memory_bytes=256 << 20),
        )
        assert hungry.error == "The task 'tiny' exceeded its memory limit of 256 MiB."
        endless = await worker.run("def task():\n    while True:\n        pass\n", limits=Limits(wall_s=0.5))
        assert endless.error == "The task 'tiny' exceeded its wall limit of 0.5 s."


async def test_a_script_imports_the_modules_beside_it_and_not_ours(tmp_path: Path) -> None:
    async with rig(tmp_path, command=REAL_ENGINE) as worker:
        worker.manager.bundles["mine"] = {"code_sources/worker.py": "NAME = 'mine'\n"}
        source = "import worker\n\ndef task():\n    return worker.NAME\n"
        assert (await worker.run(source, bundle="mine")).results_json == '"mine"'
        alone = await worker.run(source)
        assert "No module named 'worker'" in alone.error


@pytest.mark.req("r175")
async def test_a_script_loads_from_any_bundle_that_it_names_and_is_told_how(tmp_path: Path) -> None:
    async with rig(tmp_path, command=REAL_ENGINE) as worker:
        worker.manager.bundles["mine"] = {"x.csv": "a\n1\n"}
        worker.manager.bundles["other"] = {"y.csv": "b\n7\n"}
        found = await worker.run('def task():\n    return load("other", "y")["b"].item()\n', bundle="mine")
        assert (float(found.results_json), found.error) == (7.0, "")
        late = await worker.run('def task():\n    name = "oth" + "er"\n    return load(name, "y")\n', bundle="mine")
        assert 'What else shall be loaded stands in the text as it is: load("other", ...).' in late.error


async def test_a_run_that_is_done_again_by_another_worker_makes_the_same_choices(tmp_path: Path) -> None:
    source = (
        "def task():\n    import random\n    import numpy as np\n"
        "    return [random.random(), float(np.random.rand()), list({'a', 'b', 'c', 'd', 'e', 'f'})]\n"
    )
    found = set()
    for number in range(2):
        async with rig(tmp_path / str(number), command=REAL_ENGINE) as worker:
            report = await worker.run(source)
            assert report.error == ""
            found.add(report.results_json)
    assert len(found) == 1


TRACKED = """
from pathlib import Path
from time import sleep

def task(seen):
    for place in track(range(3)):
        while place == 1 and not Path(seen).exists():
            sleep(0.01)
"""


@pytest.mark.req("r130")
async def test_how_far_a_script_is_comes_while_it_goes_on(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    async with rig(tmp_path, command=REAL_ENGINE) as worker:
        [run] = worker.assign(TRACKED, parameters_json=json.dumps({"seen": str(seen)}))
        told = await worker.reported.until(lambda reports: any(one.progress for one in reports))
        assert [one.progress for one in told if one.progress] == [(1, 3)]
        seen.touch()
        [end] = await worker.ends([run])
        assert (end.state, end.error) == (RunState.DONE, "")
