"""A whole servicer with real shims, against a small manager; the push is replaced."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from plotter2.errors import ConflictError, FailedError, LimitError, PackageError, RefusedError
from plotter2.ids import ServiceId
from plotter2.layout import Layout
from plotter2.model.service import ServiceSpec, ServiceState, ServiceStatus
from servicer import process
from tests.servicerkit import FakeManager, FakePush, manager_serving, servicer_inside, until
from tests.unit.servicer.kit import ONE, spec_of

HOLD = "held = bytearray(b'x') * (100 << 20)\nimport time; time.sleep(60)"
NAP = "import pathlib, time\npathlib.Path('ready').write_text('x')\ntime.sleep(60)\n"


def spec(layout: Layout, program: str, number: int = 0, **service: Any) -> ServiceSpec:
    code = {"code_sources/train.py": program.encode()}
    described = {"command": ["{python}", "-S", "train.py", "{lr}"], **service}
    return spec_of(layout, code, described, service_id=ServiceId(f"{ONE[:-1]}{number}"))


@pytest.mark.req("r010", "r014", "r018", "r073", "r074")
async def test_a_run_that_ends_well_is_pushed_as_its_child_and_told(
    layout: Layout, manager: FakeManager, push: FakePush
) -> None:
    program = "import sys; print('lr', sys.argv[1]); open('loss.csv', 'w').write('loss\\n0.5\\n')"
    wanted = spec(layout, program, metrics=[{"format": "csv", "path": "loss.csv"}])
    async with manager_serving(manager) as address, servicer_inside(layout, address) as servicer:
        asked = await servicer.start(wanted)
        assert asked.state is ServiceState.QUEUED
        end = await manager.ended(ONE)
        await until(lambda: not (layout.service / ONE).exists())
        assert await servicer.list() == []
    assert (end.state, end.error, end.exit_status) == (ServiceState.DONE, "", 0)
    assert end.delivery_id == push.calls[0]["delivery_id"]
    assert manager.states(ONE) == [ServiceState.RUNNING, ServiceState.HARVESTING, ServiceState.DONE]
    assert (push.calls[0]["bundle"], push.calls[0]["service_id"]) == ("digits/lr=0.1", ONE)
    content = push.content()
    assert content["log/stdout.txt"] == b"lr 0.10\n"
    logs = {"log/stdout.txt", "log/stderr.txt"}
    assert set(content) == logs | {"loss.csv", "metrics.csv", "package.json", "parameters.json", "run.json"}
    assert content["loss.csv"] == b"loss\n0.5\n"
    assert json.loads(content["run.json"])["command"][-1] == "0.10"


@pytest.mark.req("r073", "r074")
async def test_a_run_that_fails_says_how_and_its_folder_stays(
    layout: Layout, manager: FakeManager, push: FakePush
) -> None:
    wanted = spec(layout, "raise ValueError('no data')")
    async with manager_serving(manager) as address, servicer_inside(layout, address) as servicer:
        await servicer.start(wanted)
        end = await manager.ended(ONE)
    assert (end.state, end.exit_status, end.error) == (ServiceState.FAILED, 1, "it ended with exit status 1")
    assert end.tail.endswith("ValueError: no data")
    assert (layout.service / ONE / "log" / "stderr.txt").exists()
    assert push.calls == []


@pytest.mark.parametrize(
    ("service", "sentence"),
    [
        ({"command": ["no-such-program"]}, "cannot start 'no-such-program': No such file or directory"),
        ({"cwd": "code_sources/train.py"}, "cannot start: "),
        ({"limits": {"wall_s": 0.2}}, "exceeded its wall limit of 0.2 s"),
        ({"limits": {"memory_bytes": 64 << 20}, "command": ["{python}", "-S", "-c", HOLD]},
         "exceeded its memory limit of 64.0 MiB: 1 process used "),
        ({"limits": {"output_bytes_max": 3}, "command": ["{python}", "-S", "-c", "open('a', 'w').write('long')"]},
         "its output could not be taken in: The run left more than its output limit of 3 bytes."),
    ],
)  # fmt: skip
async def test_what_goes_wrong_is_a_sentence_and_harms_no_other_run(
    layout: Layout, manager: FakeManager, push: FakePush, service: dict[str, Any], sentence: str
) -> None:
    wanted, other = spec(layout, NAP, **service), spec(layout, "pass", 1)
    async with manager_serving(manager) as address, servicer_inside(layout, address) as servicer:
        await servicer.start(wanted)
        end = await manager.ended(ONE)
        await servicer.start(other)
        assert (await manager.ended(other.service_id)).state is ServiceState.DONE
    assert end.state is ServiceState.FAILED
    assert end.error.startswith(sentence)
    assert [call["service_id"] for call in push.calls] == [other.service_id]


async def test_output_that_is_refused_fails_the_run(layout: Layout, manager: FakeManager, push: FakePush) -> None:
    push.refusals.append(RefusedError("Such a name may not be."))
    async with manager_serving(manager) as address, servicer_inside(layout, address) as servicer:
        await servicer.start(spec(layout, "pass"))
        end = await manager.ended(ONE)
    assert (end.state, end.error) == (ServiceState.FAILED, "its output could not be taken in: Such a name may not be.")


async def test_a_run_that_breaks_the_servicer_fails_alone(layout: Layout, manager: FakeManager, push: FakePush) -> None:
    push.refusals.append(ZeroDivisionError("a fault of ours"))
    async with manager_serving(manager) as address, servicer_inside(layout, address) as servicer:
        await servicer.start(spec(layout, "pass"))
        end = await manager.ended(ONE)
        assert await servicer.list() == []
    assert end.state is ServiceState.FAILED
    assert end.error == "plotter2 could not handle this run: ZeroDivisionError: a fault of ours"


@pytest.mark.req("r198")
async def test_every_report_is_repeated_until_it_is_acknowledged(
    layout: Layout, manager: FakeManager, push: FakePush
) -> None:
    manager.refusals.extend([FailedError("busy"), ConflictError("not now"), RuntimeError("a fault")])
    async with manager_serving(manager) as address, servicer_inside(layout, address) as servicer:
        await servicer.start(spec(layout, "pass"))
        await until(lambda: not (layout.service / ONE).exists())
    running, ends = [ServiceState.RUNNING], [ServiceState.HARVESTING, ServiceState.DONE]
    assert manager.states(ONE) == [*running * 4, *ends]
    assert len(push.calls) == 1


@pytest.mark.req("r074", "r198")
async def test_runs_asked_for_together_are_taken_on_each_by_itself_and_their_reports_keep_their_order(
    layout: Layout, manager: FakeManager, push: FakePush
) -> None:
    wanted = [replace(spec(layout, "pass"), service_id=ServiceId(f"{ONE[:-1]}{number}")) for number in range(4)]
    wanted[2] = replace(wanted[2], service_json='{"command": []}')
    manager.refusals.extend([FailedError("busy")] * 2)
    async with manager_serving(manager) as address, servicer_inside(layout, address, services_max=3) as servicer:
        taken = await servicer.start_all([*wanted, spec(layout, "pass", 4)])
        good = [wanted[place].service_id for place in (0, 1, 3)]
        assert [one.service_id if isinstance(one, ServiceStatus) else type(one) for one in taken] == [
            *good[:2], PackageError, good[2], LimitError,
        ]  # fmt: skip
        for one in good:
            assert (await manager.ended(one)).state is ServiceState.DONE
        await until(lambda: not any((layout.service / one).exists() for one in good))
    for one in good:  # said again as long as it is not acknowledged, and never out of turn
        assert list(dict.fromkeys(manager.states(one))) == [
            ServiceState.RUNNING, ServiceState.HARVESTING, ServiceState.DONE,
        ]  # fmt: skip
    assert len(push.calls) == len(good)


@pytest.mark.req("r198")
async def test_asked_twice_it_runs_once(layout: Layout, manager: FakeManager, push: FakePush) -> None:
    wanted = spec(layout, NAP)
    async with manager_serving(manager) as address, servicer_inside(layout, address) as servicer:
        await servicer.start(wanted)
        await until(lambda: ServiceState.RUNNING in manager.states(ONE))
        assert (await servicer.start(wanted)).state is ServiceState.RUNNING
        assert len(await servicer.list()) == 1
        await servicer.stop(ONE)
        assert (await manager.ended(ONE)).state is ServiceState.STOPPED
    assert push.calls == []


@pytest.mark.req("r073")
async def test_a_run_that_is_stopped_before_it_runs_never_runs(
    layout: Layout, manager: FakeManager, push: FakePush
) -> None:
    wanted = spec(layout, NAP)
    async with manager_serving(manager) as address, servicer_inside(layout, address) as servicer:
        await servicer.start(wanted)
        await servicer.stop(ONE)
        assert (await manager.ended(ONE)).state is ServiceState.STOPPED
        await until(lambda: process.find(layout.service / ONE) is None)
        output = str(layout.service / ONE / "output")
        await until(lambda: not _carriers(output))
    assert push.calls == []


def _carriers(output: str) -> list[int]:
    """Programs of a run."""
    found = []
    for one in psutil.process_iter():
        try:
            if one.environ().get("PLOTTER2_OUTPUT") == output:
                found.append(one.pid)
        except psutil.Error:
            continue
    return found


@pytest.mark.req("r073")
async def test_told_to_stop_it_ends_its_programs_and_the_next_one_begins_them_again(
    layout: Layout, manager: FakeManager, push: FakePush, tmp_path: Path
) -> None:
    mark = tmp_path / "begun"
    program = (
        f"import os, pathlib, time\nmark = pathlib.Path({str(mark)!r})\n"
        "output = pathlib.Path(os.environ['PLOTTER2_OUTPUT'])\n"
        "if mark.exists():\n    (output / 'second.txt').write_text('2')\n"
        "else:\n    (output / 'first.txt').write_text('1')\n    mark.touch()\n    time.sleep(60)\n"
    )
    async with manager_serving(manager) as address:
        async with servicer_inside(layout, address) as servicer:
            await servicer.start(spec(layout, program, outputs=["{output}/**"]))
            await until(mark.exists)
        assert process.find(layout.service / ONE) is None
        async with servicer_inside(layout, address):
            assert (await manager.ended(ONE)).state is ServiceState.DONE
    assert ServiceState.STOPPED not in manager.states(ONE)
    assert "second.txt" in {Path(name).name for name in push.content()}
    assert "first.txt" not in {Path(name).name for name in push.content()}
