"""kill -9 the servicer, a shim, or both: no run is lost, none runs twice, and no program is left over (r198)."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from plotter2.clock import Instant
from plotter2.host import boot_id
from plotter2.ids import ServiceId
from plotter2.layout import Layout
from plotter2.model.service import ServiceSpec, ServiceState
from servicer import command, process
from servicer.folder import Folder, with_delivery
from servicer.machine import Asked, Keep, Machine
from tests.servicerkit import FakeManager, calling, manager_serving, servicer_process, until
from tests.stagerkit import FakeManager as StagersManager
from tests.stagerkit import home_at, serving, stager_process
from tests.unit.servicer.kit import ONE, spec_of

WAITS = """
import pathlib, time
with open('starts', 'a') as file:
    file.write('x')
print('it runs', flush=True)
go = pathlib.Path('go')
while not go.exists():
    time.sleep(0.02)
pathlib.Path('loss.csv').write_text('loss\\n0.5\\n')
"""
PARENT = (
    """
import subprocess, sys
subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(100)'], start_new_session=True)
"""
    + WAITS
)


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    made = home_at(tmp_path / "home")
    yield made
    for root in made.service.iterdir():
        process.end_orphan(Folder(made, ServiceId(root.name)))


def spec(layout: Layout, program: str = WAITS) -> ServiceSpec:
    return spec_of(layout, {"code_sources/train.py": program.encode()}, {"command": ["{python}", "-S", "train.py"]})


def place(layout: Layout) -> Path:
    """Where the program runs."""
    return Folder(layout, ONE).work / "code_sources"


def programs(layout: Layout) -> list[int]:
    """All processes of the run."""
    found = []
    for one in psutil.process_iter():
        try:
            if one.environ().get(command.OUTPUT) == str(Folder(layout, ONE).output):
                found.append(one.pid)
        except psutil.Error:
            continue
    return found


async def begin(layout: Layout, address: str, program: str = WAITS) -> None:
    """Ask for the run, and wait until it runs."""
    async with calling(address) as servicer:
        await servicer.start(spec(layout, program))
    await until((place(layout) / "starts").exists)


def kill_shim(layout: Layout) -> None:
    shim = process.find(Folder(layout, ONE).root)
    assert shim is not None
    shim.kill()


@pytest.mark.req("r014", "r073", "r074", "r198")
async def test_a_run_outlives_the_servicer_and_its_output_arrives_once(layout: Layout) -> None:
    manager, stagers = FakeManager(), StagersManager()
    async with manager_serving(manager) as address, serving(stagers) as stagers_address:
        with stager_process(layout, stagers_address) as stager:
            settings = {"stager_address": stager.address}
            with servicer_process(layout, address, **settings) as servicer:
                await begin(layout, servicer.address)
                servicer.kill()
            (pid,) = programs(layout)
            with servicer_process(layout, address, **settings) as servicer:
                await until(lambda: ServiceState.RUNNING in manager.states(ONE))
                servicer.kill()  # and again
            assert programs(layout) == [pid]
            with servicer_process(layout, address, **settings):
                (place(layout) / "go").touch()
                end = await manager.ended(ONE)
                await until(lambda: not Folder(layout, ONE).root.exists())
    assert (end.state, end.error) == (ServiceState.DONE, "")
    assert len(stagers.installed) == 1
    content = stagers.contents("digits/lr=0.1")
    assert (content["loss.csv"], content["starts"]) == (b"loss\n0.5\n", b"x")
    assert content["log/stdout.txt"] == b"it runs\n"


@pytest.mark.req("r198")
async def test_a_run_that_ends_while_no_servicer_is_there_is_told_by_the_next(layout: Layout) -> None:
    manager = FakeManager()
    async with manager_serving(manager) as address:
        with servicer_process(layout, address) as servicer:
            await begin(layout, servicer.address, WAITS + "raise SystemExit('too bad')")
            servicer.kill()
        (place(layout) / "go").touch()
        await until((Folder(layout, ONE).root / "exit.json").exists)
        with servicer_process(layout, address):
            end = await manager.ended(ONE)
    assert (end.state, end.exit_status, end.tail) == (ServiceState.FAILED, 1, "too bad")


@pytest.mark.req("r073", "r198")
@pytest.mark.parametrize("is_servicer_away", [False, True])
async def test_a_run_whose_shim_is_killed_fails_in_a_sentence_and_leaves_nothing(
    layout: Layout, is_servicer_away: bool
) -> None:
    manager = FakeManager()
    async with manager_serving(manager) as address:
        with servicer_process(layout, address) as servicer:
            await begin(layout, servicer.address, PARENT)
            assert len(programs(layout)) == 2
            if is_servicer_away:
                servicer.kill()
            kill_shim(layout)
            if not is_servicer_away:
                end = await manager.ended(ONE)
        if is_servicer_away:
            with servicer_process(layout, address):
                end = await manager.ended(ONE)
    assert end.state is ServiceState.FAILED
    assert end.error == "its shim was killed, so nobody knows how it would have ended; ask for it again"
    assert end.tail == "it runs"
    await until(lambda: not programs(layout))


@pytest.mark.req("r198")
async def test_a_run_that_was_written_down_and_never_started_is_started(layout: Layout) -> None:
    manager, wanted = FakeManager(), spec(layout)
    kept = next(one for one in Machine(1).handle(Asked(wanted), Instant(1.7e9)) if isinstance(one, Keep))
    Folder(layout, ONE).create(wanted, with_delivery(kept.status))
    async with manager_serving(manager) as address:
        with servicer_process(layout, address) as servicer:
            await until((place(layout) / "starts").exists)
            async with calling(servicer.address) as line:
                await line.stop(ONE)
            assert (await manager.ended(ONE)).state is ServiceState.STOPPED
    assert not programs(layout)


@pytest.mark.req("r198")
@pytest.mark.parametrize("lost", ["parent.json", "shim.json"])
async def test_a_shim_is_found_whatever_was_not_written_yet(layout: Layout, lost: str) -> None:
    manager = FakeManager()
    async with manager_serving(manager) as address:
        with servicer_process(layout, address) as servicer:
            await begin(layout, servicer.address)
            await until((Folder(layout, ONE).root / lost).exists)
            servicer.kill()
        (Folder(layout, ONE).root / lost).unlink()
        with servicer_process(layout, address) as servicer:
            async with calling(servicer.address) as line:
                await line.stop(ONE)
            assert (await manager.ended(ONE)).state is ServiceState.STOPPED
    assert (place(layout) / "starts").read_text() == "x"
    assert not programs(layout)


@pytest.mark.req("r073")
async def test_a_service_lives_on_when_it_shall(layout: Layout) -> None:
    manager = FakeManager()
    async with manager_serving(manager) as address:
        with servicer_process(layout, address, leave_services="true") as servicer:
            await begin(layout, servicer.address)
            servicer.process.terminate()
            assert servicer.process.wait(10) == 0
        (pid,) = programs(layout)
        os.kill(pid, signal.SIGKILL)
        with servicer_process(layout, address):
            end = await manager.ended(ONE)
    assert end.error == "it was ended by signal 9 (SIGKILL)"


@pytest.mark.req("r073", "r076", "r198")
async def test_what_a_reboot_has_ended_begins_again(layout: Layout) -> None:
    """As after a power cut: servicer, shim and program are gone at once, and the machine has booted anew."""
    manager, stagers = FakeManager(), StagersManager()
    async with manager_serving(manager) as address, serving(stagers) as stagers_address:
        with stager_process(layout, stagers_address) as stager:
            with servicer_process(layout, address) as servicer:
                await begin(layout, servicer.address)
                servicer.kill()
            kill_shim(layout)
            for pid in programs(layout):
                os.kill(pid, signal.SIGKILL)
            order = Folder(layout, ONE).root / "start.json"
            order.write_text(order.read_text().replace(boot_id(), "an earlier boot"))
            (place(layout) / "starts").rename(place(layout) / "left by the first")
            with servicer_process(layout, address, stager_address=stager.address):
                await until((place(layout) / "starts").exists)
                (place(layout) / "go").touch()
                end = await manager.ended(ONE)
    assert (end.state, end.error) == (ServiceState.DONE, "")
    content = stagers.contents("digits/lr=0.1")
    assert content["starts"] == b"x"
    assert "left by the first" not in content
