"""Real children: forked from a real fork server, run plain Python, break limits, crash."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import psutil
import pytest

from plotter2.model.task import Limits, RunState
from tests.integration.worker_kit import is_alive, rig
from worker.state import Policy


async def test_a_script_runs_and_its_result_prints_and_files_come_back(tmp_path: Path) -> None:
    source = (
        "import pathlib\n"
        "print('hello', parameters['lr'])\n"
        "loggy('from the engine')\n"
        "pathlib.Path('table.csv').write_text('a,b')\n"
        "(output_dir / 'a.html').write_text('x')\n"
        "(output_dir / 'a.html.json').write_text('{}')\n"
        "make('a.html', 'figure', 'A')\n"
        "result = {'lr': parameters['lr']}\n"
    )
    async with rig(tmp_path) as worker:
        report = await worker.run(source, parameters_json='{"lr": 0.5}')
        assert (report.state, report.results_json, report.error) == (RunState.DONE, '{"lr":0.5}', "")
        assert list(report.lines) == ["hello 0.5", "from the engine"]
        assert [(one.path, one.kind, one.title) for one in report.made] == [
            ("a.html", "figure", "A"),
            ("table.csv", "file", ""),
        ]
        folder = tmp_path / "temp" / "runs" / f"{report.run_id}.1"
        assert sorted(path.name for path in folder.iterdir()) == [
            "a.html",
            "a.html.json",
            "table.csv",
            "table.csv.json",
        ]
        assert 0 < report.started_at <= report.finished_at


async def test_a_script_that_raises_or_cannot_be_read_fails_alone(tmp_path: Path) -> None:
    async with rig(tmp_path) as worker:
        [pid] = await worker.children()
        raised = await worker.run("print('before')\n1 / 0\n")
        assert (raised.state, raised.error_code) == (RunState.FAILED, "task_failed")
        assert "ZeroDivisionError" in raised.error
        assert list(raised.lines) == ["before"]
        broken = await worker.run("def f(:\n")
        assert broken.error_code == "script"
        left = await worker.run("import sys\nsys.exit(3)\n")
        assert left.error == "The script ended itself by exit(3)."
        odd = await worker.run("result = object()\n")
        assert "is not JSON" in odd.error
        assert await worker.children() == [pid]


@pytest.mark.req("r200", "r201")
async def test_a_script_that_never_ends_is_ended_and_nobody_else_pays(tmp_path: Path) -> None:
    async with rig(tmp_path, Policy(children=1, window_runs=16)) as worker:
        await worker.ends(worker.assign("result = parameters.get('x', 1)\n", times=3))
        endless = worker.assign("while parameters.get('x', 1): pass\n", limits=Limits(wall_s=0.5))
        waiting = worker.assign("result = parameters.get('x', 1)\n", times=5)
        [report] = await worker.ends(endless)
        assert report.error == "The task 'tiny' exceeded its wall limit of 0.5 s."
        assert {one.state for one in await worker.ends(waiting)} == {RunState.DONE}


async def test_a_script_that_burns_its_processor_time_is_ended(tmp_path: Path) -> None:
    async with rig(tmp_path) as worker:
        report = await worker.run("while True: pass\n", limits=Limits(cpu_s=0.5))
        assert report.error == "The task 'tiny' exceeded its CPU limit of 0.5 s."


@pytest.mark.req("r200")
@pytest.mark.parametrize(
    "source",
    ["x = []\nwhile True: x.append(bytearray(1 << 20))\n", "x = bytearray(1 << 40)\n"],
    ids=["bit by bit", "at once"],
)
async def test_a_script_that_takes_too_much_memory_is_told_so(tmp_path: Path, source: str) -> None:
    async with rig(tmp_path) as worker:
        report = await worker.run(source, limits=Limits(memory_bytes=64 << 20))
        assert report.state is RunState.FAILED
        assert report.error == "The task 'tiny' exceeded its memory limit of 64 MiB."
        assert (await worker.run("result = 1\n")).state is RunState.DONE


@pytest.mark.req("r201")
@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("import ctypes\nctypes.string_at(0)\n", "the interpreter ended by signal 11 (SIGSEGV) while it ran."),
        ("import os\nos._exit(7)\n", "the interpreter ended with exit code 7 while it ran."),
        ("import os\nos.abort()\n", "the interpreter ended by signal 6 (SIGABRT) while it ran."),
        (
            "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n",
            "the interpreter ended by signal 9 (SIGKILL) while it ran.",
        ),
    ],
    ids=["segfault", "exit", "abort", "kill"],
)
async def test_a_crash_costs_only_the_run_inside(tmp_path: Path, source: str, sentence: str) -> None:
    async with rig(tmp_path) as worker:
        crashing = worker.assign(source)
        others = worker.assign("result = 1\n", times=10)
        [report] = await worker.ends(crashing)
        assert report.error == f"The task 'tiny' failed: {sentence}"
        assert {one.state for one in await worker.ends(others)} == {RunState.DONE}


def _slow_once(folder: Path) -> str:
    """A script that takes for ever when it is begun the first time."""
    mark = str(folder / "begun")
    return (
        f"import pathlib, time\nmark = pathlib.Path({mark!r})\n"
        "if not mark.exists():\n    mark.touch()\n    time.sleep(60)\nresult = 1\n"
    )


async def test_a_child_killed_from_outside_costs_nothing(tmp_path: Path) -> None:
    async with rig(tmp_path) as worker:
        [pid] = await worker.children()
        ids = worker.assign(_slow_once(tmp_path))
        await worker.reported.until(bool)
        os.kill(pid, signal.SIGKILL)
        [report] = await worker.ends(ids)
        assert report.state is RunState.DONE


async def test_a_fork_server_that_is_killed_comes_back_with_new_children(tmp_path: Path) -> None:
    async with rig(tmp_path) as worker:
        [pid] = await worker.children()
        server = psutil.Process(pid).ppid()
        ids = worker.assign(_slow_once(tmp_path))
        await worker.reported.until(bool)
        os.kill(server, signal.SIGKILL)
        [report] = await worker.ends(ids)
        assert report.state is RunState.DONE
        assert not is_alive(pid)


async def test_what_a_long_run_prints_is_told_while_it_goes_on(tmp_path: Path) -> None:
    source = "import time\nfor i in range(3):\n    print('step', i)\n    time.sleep(0.4)\n"
    async with rig(tmp_path) as worker:
        report = await worker.run(source)
        running = [one for one in worker.reported.reports if one.state is RunState.RUNNING]
        said = [line for one in running for line in one.lines]
        assert said
        assert said == ["step 0", "step 1", "step 2"][: len(said)]
        assert report.lines == ("step 0", "step 1", "step 2"), "the end has all of them"


async def test_a_script_that_prints_without_end_is_bounded(tmp_path: Path) -> None:
    async with rig(tmp_path) as worker:
        report = await worker.run("for i in range(200_000): print('line', i)\nresult = 1\n")
        assert report.state is RunState.DONE
        assert sum(map(len, report.lines)) < 70_000
        assert report.lines[-1].endswith("lines left out: of what a run prints the first 64 KiB are kept")


async def test_what_is_written_to_the_descriptors_goes_to_the_childs_log(tmp_path: Path) -> None:
    async with rig(tmp_path) as worker:
        await worker.run("import os\nos.write(1, b'raw output')\n")
        logs = list((tmp_path / "log" / "children").iterdir())
        assert any("raw output" in log.read_text() for log in logs)


@pytest.mark.req("r200")
@pytest.mark.parametrize("name", ["manager", "worker", "stager", "servicer", "watchdogs"])
async def test_a_script_never_sees_our_modules_but_its_own_of_that_name(tmp_path: Path, name: str) -> None:
    async with rig(tmp_path) as worker:
        alone = await worker.run(f"import {name}\n")
        assert f"ModuleNotFoundError: No module named '{name}'" in alone.error
        worker.manager.bundles["mine"] = {f"code_sources/{name}.py": "NAME = 'mine'\n", "data.csv": "1"}
        own = await worker.run(f"import {name}\nresult = {name}.NAME\n", bundle="mine")
        assert (own.state, own.results_json) == (RunState.DONE, '"mine"')
        again = await worker.run(f"import {name} \n")
        assert "ModuleNotFoundError" in again.error


async def test_a_run_sees_the_files_of_its_bundle(tmp_path: Path) -> None:
    async with rig(tmp_path) as worker:
        worker.manager.bundles["mine"] = {"data.csv": "1,2,3"}
        report = await worker.run("result = scope.files['data.csv'].read_text()\n", bundle="mine")
        assert report.results_json == '"1,2,3"'


async def test_one_run_leaves_nothing_for_the_next(tmp_path: Path) -> None:
    async with rig(tmp_path) as worker:
        [pid] = await worker.children()
        await worker.run(
            "import os, sys\nopen('left', 'w').write('x')\nsys.path.insert(0, '/nowhere')\nos.chdir('/')\n"
        )
        report = await worker.run("import os, sys\nresult = [os.listdir('.'), '/nowhere' in sys.path]\n")
        assert report.results_json == "[[],false]"
        assert await worker.children() == [pid]


async def test_a_child_that_a_script_left_threads_in_is_replaced(tmp_path: Path) -> None:
    async with rig(tmp_path) as worker:
        [pid] = await worker.children()
        await worker.run(
            "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        )
        async with asyncio.timeout(10):
            while await worker.children() == [pid]:
                await asyncio.sleep(0.01)


async def test_a_cancelled_run_stops_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with rig(tmp_path) as worker:
        [endless] = worker.assign("while True: pass\n")
        waiting = worker.assign("result = 1\n", times=3)
        await worker.reported.until(bool)
        worker.cancel(endless)
        assert {one.state for one in await worker.ends(waiting)} == {RunState.DONE}
        assert worker.machine.held == 0


async def test_user_code_has_no_network_stack_of_ours_inside(tmp_path: Path) -> None:
    source = "import sys\nresult = [name for name in ('grpc', 'aiomqtt', 'asyncpg', 'uvloop') if name in sys.modules]\n"
    async with rig(tmp_path) as worker:
        assert (await worker.run(source)).results_json == "[]"


@pytest.mark.req("r092")
async def test_a_child_has_two_threads(tmp_path: Path) -> None:
    async with rig(tmp_path) as worker:
        report = await worker.run("import threading\nresult = threading.active_count()\n")
        assert report.results_json == "2"


async def test_no_child_outlives_its_worker(tmp_path: Path) -> None:
    async with rig(tmp_path, Policy(children=2)) as worker:
        pids = await worker.children(2)
    async with asyncio.timeout(5):
        while any(is_alive(pid) for pid in pids):
            await asyncio.sleep(0.01)


async def test_draining_waits_for_what_runs(tmp_path: Path) -> None:
    async with rig(tmp_path) as worker:
        [slow] = worker.assign("import time\ntime.sleep(0.8)\nresult = 1\n")
        worker.assign("result = 2\n", times=3)
        await worker.reported.until(bool)
        assert await worker.runner.drain(5.0)
        assert [one.run_id for one in worker.reported.reports if one.state is RunState.DONE] == [slow]
