"""Wards in hand: as processes of our own, and as units of systemd (here a small program that speaks its words)."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from plotter2.layout import Layout
from watchdogs import actions
from watchdogs.actions import Hands, Processes, Running, Systemd
from watchdogs.wards import Ward, log_of

LIMIT_S = 20
SLEEPS = "import time; time.sleep(600)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); {SLEEPS}"
SYSTEMCTL = """#!{python}
import os, subprocess, sys
folder = {folder!r}
verb, unit = sys.argv[1], sys.argv[-1]
pid_file = os.path.join(folder, unit + ".pid")
if verb == "restart":
    command = eval(open(os.path.join(folder, unit)).read())
    out = open(os.path.join(folder, unit + ".out"), "ab")
    child = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
    open(pid_file, "w").write(str(child.pid))
elif "--property=MainPID" in sys.argv:
    print(open(pid_file).read())
elif "--property=ActiveState" in sys.argv:
    pid = open(pid_file).read()
    state = open(f"/proc/{{pid}}/stat").read().split()[2] if os.path.exists(f"/proc/{{pid}}") else "X"
    print("inactive" if state in "XZ" else "active")
elif "--property=ExecMainStatus" in sys.argv:
    print(0)
else:
    sys.exit("Unknown command verb " + verb)
"""


@dataclass
class World:
    """Hands, and wards that they can start."""

    hands: Hands
    make: Callable[[str], Ward]
    said: Callable[[Ward], str]
    started: list[Running]

    async def start(self, code: str) -> Running:
        running = await self.hands.start(self.make(code))
        self.started.append(running)
        return running


def by_processes(home: Path) -> World:
    layout = Layout.at(home)
    layout.create()

    def make(code: str) -> Ward:
        return Ward("kettle", "kettle", (sys.executable, "-c", code), {"PLOTTER2_KETTLE": "1"})

    return World(Processes(layout), make, lambda ward: log_of(ward, layout).read_text(), [])


def by_systemd(folder: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    unit = folder / "plotter2-kettle.service"

    def make(code: str) -> Ward:
        unit.write_text(repr([sys.executable, "-c", code]))
        return Ward("kettle", "kettle", ())

    program = folder / "systemctl"
    program.write_text(SYSTEMCTL.format(python=sys.executable, folder=str(folder)))
    program.chmod(0o755)
    monkeypatch.setattr(actions, "UNIT_LOOK_S", 0.02)
    return World(Systemd(str(program)), make, lambda _: Path(f"{unit}.out").read_text(), [])


@pytest.fixture(params=["processes", "systemd"])
async def world(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    made = by_processes(tmp_path) if request.param == "processes" else by_systemd(tmp_path, monkeypatch)
    yield made
    for running in made.started:
        running.kill()
        async with asyncio.timeout(LIMIT_S):
            await running.exited()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not condition():
            await asyncio.sleep(0.01)


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.req("r070")
async def test_a_ward_runs_and_its_end_is_heard_of(world: World) -> None:
    running = await world.start(SLEEPS)
    assert psutil.pid_exists(running.pid)
    running.ask()
    async with asyncio.timeout(LIMIT_S):
        await running.exited()
    assert is_gone(running.pid)


async def test_who_does_not_listen_is_killed(world: World) -> None:
    ward = world.make(DEAF)
    running = await world.hands.start(ward)
    world.started.append(running)
    await until(lambda: "deaf" in world.said(ward))
    running.ask()
    running.kill()
    async with asyncio.timeout(LIMIT_S):
        await running.exited()
    assert is_gone(running.pid)


async def test_asking_and_killing_who_is_gone_is_no_fault(world: World) -> None:
    running = await world.start("pass")
    async with asyncio.timeout(LIMIT_S):
        await running.exited()
    running.ask()
    running.kill()


@pytest.mark.skipif(not Systemd.is_here(), reason="this machine was not booted with systemd")
async def test_the_real_systemd_refuses_a_unit_that_is_not_there() -> None:
    with pytest.raises(OSError, match=r"plotter2-nobody\.service"):
        await Systemd().start(Ward("nobody", "nobody", ()))


async def test_what_systemd_refuses_is_in_the_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = by_systemd(tmp_path, monkeypatch)
    assert isinstance(world.hands, Systemd)
    with pytest.raises(OSError, match="systemctl fly: Unknown command verb fly"):
        await world.hands.call("fly")


# --- processes of our own ------------------------------------------------------------------------------------------


@pytest.fixture
async def processes(tmp_path: Path) -> AsyncIterator[World]:
    world = by_processes(tmp_path)
    yield world
    for running in world.started:
        running.kill()
        await running.exited()


async def test_a_program_that_is_not_there_is_an_error_to_be_caught(tmp_path: Path) -> None:
    layout = Layout.at(tmp_path)
    layout.create()
    with pytest.raises(OSError, match="no-such-program"):
        await Processes(layout).start(Ward("x", "x", ("no-such-program",)))


async def test_a_ward_gets_its_settings_and_those_of_the_person_but_not_the_watchdogs(
    processes: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PLOTTER2_WORKER_BROWSER")
    monkeypatch.setenv("PLOTTER2_WATCHDOG_WORKERS", "9")
    monkeypatch.setenv("PLOTTER2_WORKER_CHILDREN", "2")
    ward = processes.make("import os; print(sorted(key for key in os.environ if key.startswith('PLOTTER2')))")
    running = await processes.hands.start(ward)
    await running.exited()
    assert processes.said(ward) == "['PLOTTER2_HOME', 'PLOTTER2_KETTLE', 'PLOTTER2_WORKER_CHILDREN']\n"


async def test_a_kill_ends_what_the_ward_has_started(processes: World) -> None:
    ward = processes.make(f"import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', {SLEEPS!r}]);"
                          "print(c.pid, flush=True); c.wait()")  # fmt: skip
    running = await processes.hands.start(ward)
    processes.started.append(running)
    await until(lambda: processes.said(ward).endswith("\n"))
    running.kill()
    await running.exited()
    await until(lambda: is_gone(int(processes.said(ward))))


async def test_ctrl_c_on_the_terminal_does_not_reach_a_ward(processes: World) -> None:
    running = await processes.start(SLEEPS)
    assert os.getpgid(running.pid) == os.getsid(running.pid) == running.pid != os.getpgid(0)


@pytest.mark.req("r070")
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
async def test_a_ward_dies_with_a_watchdog_that_is_killed(tmp_path: Path) -> None:
    code = f"""
import asyncio, sys
from pathlib import Path
from plotter2.layout import Layout
from watchdogs.actions import Processes
from watchdogs.wards import Ward
async def main():
    layout = Layout.at(Path(sys.argv[1])); layout.create()
    child = await Processes(layout).start(Ward("w", "w", (sys.executable, "-c", {SLEEPS!r})))
    print(child.pid, flush=True)
    await child.exited()
asyncio.run(main())
"""
    watchdog = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert watchdog.stdout is not None
    pid = int(await watchdog.stdout.readline())
    watchdog.send_signal(signal.SIGKILL)
    await watchdog.wait()
    await until(lambda: is_gone(pid))


async def test_what_a_ward_prints_without_end_is_kept_within_a_limit(
    processes: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "OUT_BYTES_MAX", 10_000)
    ward = processes.make("import time\nwhile True: print('steam ' * 100, flush=True); time.sleep(0.001)")
    running = await processes.hands.start(ward)
    processes.started.append(running)
    out, old = log_of(ward, Layout.at(tmp_path)), tmp_path / "log" / "kettle.out.1"
    await until(lambda: out.stat().st_size > 10_000)
    await processes.hands.tidy(ward)
    assert old.stat().st_size > 10_000
    assert out.stat().st_size < 10_000
    await until(lambda: out.stat().st_size > 0)  # it goes on writing at the new start
    assert out.read_text().startswith("steam")
