"""Real shims with real programs: what they record, bound and end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from servicer import process, shim
from tests.embedded import wait_until

WAIT_S = 20.0


class Shimmed:
    """One shim and its directory."""

    def __init__(self, folder: Path, argv: list[str], before: dict[str, str] | None = None, **order: Any) -> None:
        self.folder = folder
        (folder / "log").mkdir()
        for name, text in (before or {}).items():
            (folder / name).write_text(text)
        given = {"argv": argv, "env": dict(os.environ), "cwd": str(folder), **order}  # noqa: TID251 -- given on
        (folder / "start.json").write_text(json.dumps(given))
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", shim.__file__, str(folder)], start_new_session=True, stdin=subprocess.DEVNULL
        )

    def read(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        return dict(json.loads(path.read_bytes())) if path.exists() else {}

    def ended(self) -> dict[str, Any]:
        assert self.process.wait(WAIT_S) == 0
        return self.read("exit.json")

    def log(self, name: str = "stdout") -> bytes:
        return (self.folder / "log" / f"{name}.txt").read_bytes()

    def wait_for(self, name: str) -> str:
        """The text of a file that the program writes."""
        path = self.folder / name
        wait_until(lambda: path.exists() and path.read_text() != "", WAIT_S)
        return path.read_text()

    def end(self) -> None:
        if self.process.poll() is None:
            for child in psutil.Process(self.process.pid).children(recursive=True):
                child.kill()
            self.process.kill()
            self.process.wait()


class Shims:
    """Starts shims, and ends what a failed test has left."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.all: list[Shimmed] = []

    def run(self, code: str, **order: Any) -> Shimmed:
        return self.start([sys.executable, "-S", "-c", code], **order)

    def start(self, argv: list[str], **order: Any) -> Shimmed:
        folder = self._root / str(len(self.all))
        folder.mkdir()
        self.all.append(Shimmed(folder, argv, **order))
        return self.all[-1]


@pytest.fixture
def shims(tmp_path: Path) -> Iterator[Shims]:
    made = Shims(tmp_path)
    yield made
    for one in made.all:
        one.end()


def is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.req("r074")
def test_both_streams_and_the_exit_status_are_kept(shims: Shims) -> None:
    one = shims.run("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    end = one.ended()
    assert (end["exit_status"], end["reason"]) == (3, "")
    assert (one.log(), one.log("stderr")) == (b"out\n", b"err\n")
    assert one.read("shim.json")["pid"] > 0
    assert end["finished_at"] >= one.read("shim.json")["started_at"]
    assert end["memory_bytes"] > 1 << 20


def test_success_and_death_by_a_signal_are_told_apart(shims: Shims) -> None:
    well, badly = shims.run("pass"), shims.run("import os; os.kill(os.getpid(), 11)")
    assert (well.ended()["exit_status"], badly.ended()["exit_status"]) == (0, -signal.SIGSEGV)


@pytest.mark.req("r074")
def test_a_program_that_is_not_there_is_a_sentence(shims: Shims) -> None:
    end = shims.start(["no-such-program", "--lr"]).ended()
    assert end["exit_status"] == 127
    assert end["reason"] == "cannot start 'no-such-program': No such file or directory"


def test_a_file_that_cannot_be_run_is_a_sentence(shims: Shims, tmp_path: Path) -> None:
    (tmp_path / "noexec.sh").write_text("#!/bin/sh\n")
    end = shims.start([str(tmp_path / "noexec.sh")]).ended()
    assert end["exit_status"] == 127
    assert "Permission denied" in end["reason"]


@pytest.mark.req("r074")
def test_of_endless_printing_the_head_a_line_and_the_tail_are_kept(shims: Shims) -> None:
    code = "import sys\nfor i in range(300000): print(i)"
    one = shims.run(code, log_bytes_max=20_000)
    assert one.ended()["exit_status"] == 0
    text = one.log()
    head, _, rest = text.partition(b"\n[... ")
    number, _, tail = rest.partition(b" bytes left out ...]\n")
    everything = "".join(f"{i}\n" for i in range(300_000)).encode()
    assert everything.startswith(head)
    assert everything.endswith(tail)
    assert len(head) == 10_000
    assert len(tail) >= 10_000
    assert len(head) + int(number) + len(tail) == len(everything)
    assert len(text) < 20_000 + 2 * shim.CHUNK_BYTES


def test_what_just_fits_has_no_line_in_it(shims: Shims) -> None:
    one = shims.run("print('x' * 9_999)", log_bytes_max=10_000)
    one.ended()
    assert one.log() == b"x" * 9_999 + b"\n"


def test_an_unbounded_log_is_whole(shims: Shims) -> None:
    one = shims.run("print('x' * 1_000_000)", log_bytes_max=0)
    one.ended()
    assert len(one.log()) == 1_000_001


def test_the_log_can_be_read_while_the_program_runs(shims: Shims) -> None:
    one = shims.run("import time; print('here', flush=True); time.sleep(60)")
    assert one.wait_for("log/stdout.txt") == "here\n"


@pytest.mark.req("r073")
def test_the_wall_limit_ends_it_with_a_sentence(shims: Shims) -> None:
    end = shims.run("import time; time.sleep(60)", wall_s=0.3).ended()
    assert end["reason"] == "exceeded its wall limit of 0.3 s"
    assert end["exit_status"] == -signal.SIGTERM


def test_the_wall_limit_holds_for_a_program_that_closed_its_streams(shims: Shims) -> None:
    end = shims.run("import os, time; os.close(1); os.close(2); time.sleep(60)", wall_s=0.3).ended()
    assert end["reason"] == "exceeded its wall limit of 0.3 s"


HOLD = "held = bytearray(b'x') * ({mib} << 20)\n"
WAIT = "import pathlib, time\npathlib.Path('ready').write_text('x')\ntime.sleep(60)\n"
on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is measured where /proc is")


@on_linux
@pytest.mark.req("r073")
def test_more_memory_than_the_limit_ends_the_program_with_both_numbers(shims: Shims) -> None:
    end = shims.run(HOLD.format(mib=160) + WAIT, memory_bytes=96 << 20).ended()
    assert end["exit_status"] == -signal.SIGKILL
    assert re.fullmatch(r"exceeded its memory limit of 96.0 MiB: 1 process used 1\d\d\.\d MiB", end["reason"])


@on_linux
@pytest.mark.req("r073")
def test_the_memory_limit_is_of_all_processes_together_wherever_they_went(shims: Shims) -> None:
    code = (
        f"""
import pathlib, subprocess, sys
hold = {HOLD.format(mib=60)!r}
children = [subprocess.Popen([sys.executable, '-S', '-c', hold + 'import time; time.sleep(60)'], start_new_session=True)
            for _ in range(3)]
pathlib.Path('children').write_text(' '.join(str(child.pid) for child in children))
"""
        + WAIT
    )
    one = shims.run(code, memory_bytes=128 << 20)
    end = one.ended()
    assert re.fullmatch(
        r"exceeded its memory limit of 128.0 MiB: \d processes together used 1\d\d\.\d MiB", end["reason"]
    )
    assert not [pid for pid in one.wait_for("children").split() if is_alive(int(pid))]


@on_linux
@pytest.mark.req("r073")
def test_memory_that_is_shared_or_only_mapped_is_not_counted_twice_or_at_all(shims: Shims) -> None:
    code = f"""
import mmap, os, time
reserved = mmap.mmap(-1, 64 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, prot=mmap.PROT_READ)
with open('data', 'wb') as file:
    file.truncate(200 << 20)
with open('data', 'rb') as file:
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
for at in range(0, len(mapped), 4096):
    mapped[at]
{HOLD.format(mib=80)}
for _ in range(4):
    if not os.fork():
        time.sleep(60)
{WAIT}
"""
    one = shims.run(code, memory_bytes=160 << 20)
    one.wait_for("ready")
    used, count = shim.used_bytes(one.process.pid)
    assert (80 << 20 < used < 130 << 20, count) == (True, 5)
    one.process.terminate()
    assert one.ended()["reason"] == "stopped"


@pytest.mark.req("r073")
def test_sigterm_stops_politely(shims: Shims) -> None:
    code = """
import pathlib, signal, sys, time
def bye(*_):
    print('saved')
    sys.exit(0)
signal.signal(signal.SIGTERM, bye)
pathlib.Path('ready').write_text('yes')
time.sleep(60)
"""
    one = shims.run(code)
    one.wait_for("ready")
    one.process.terminate()
    end = one.ended()
    assert (end["exit_status"], end["reason"]) == (0, "stopped")
    assert one.log() == b"saved\n"


@pytest.mark.req("r073")
def test_a_program_that_does_not_listen_is_stopped_by_force(shims: Shims) -> None:
    code = """
import pathlib, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path('ready').write_text('yes')
time.sleep(60)
"""
    one = shims.run(code)
    one.wait_for("ready")
    process.forbid(one.folder, 0.2)  # as the servicer does; less than the shim's own measure would give it
    one.process.terminate()
    end = one.ended()
    assert (end["exit_status"], end["reason"]) == (-signal.SIGKILL, "stopped")


@pytest.mark.req("r073")
def test_a_program_has_the_grace_that_whoever_asks_gives_it(tmp_path: Path) -> None:
    (tmp_path / "start.json").write_text("{}")
    given = shim.Shim(tmp_path)
    assert given._grace_s() == shim.GRACE_S
    process.forbid(tmp_path, 0.25)
    assert given._grace_s() == 0.25
    process.forbid(tmp_path)
    assert given._grace_s() == shim.GRACE_S
    (tmp_path / "stop.json").write_text("{")
    assert given._grace_s() == shim.GRACE_S


def test_a_stop_that_comes_twice_is_one_stop(shims: Shims) -> None:
    one = shims.run("import time; time.sleep(60)")
    wait_until(lambda: one.read("shim.json") != {}, WAIT_S)
    one.process.terminate()
    one.process.terminate()
    assert one.ended()["reason"] == "stopped"


@pytest.mark.req("r073")
def test_a_program_that_was_forbidden_before_its_shim_looked_never_starts(shims: Shims) -> None:
    one = shims.run("import pathlib; pathlib.Path('began').touch()", before={"stop.json": "{}"})
    end = one.ended()
    assert (end["exit_status"], end["reason"]) == (0, "stopped")
    assert not (one.folder / "began").exists()
    assert one.read("shim.json") == {}


def test_a_name_that_no_system_can_hold_is_a_sentence(shims: Shims) -> None:
    end = shims.start(["no\0program"]).ended()
    assert end["exit_status"] == 127
    assert end["reason"] == "cannot start 'no\\x00program': embedded null byte"


@pytest.mark.req("r073")
@pytest.mark.parametrize("session", [False, True])
def test_what_a_program_leaves_behind_is_ended_with_it(shims: Shims, session: bool) -> None:
    code = f"""
import pathlib, subprocess, sys
nap = [sys.executable, '-S', '-c', 'import time; time.sleep(60)']
child = subprocess.Popen(nap, start_new_session={session})
pathlib.Path('child').write_text(str(child.pid))
print('done')
"""
    one = shims.run(code)
    end = one.ended()
    assert (end["exit_status"], one.log()) == (0, b"done\n")
    assert not is_alive(int(one.wait_for("child")))


def test_a_daemon_that_daemonised_twice_is_ended_too(shims: Shims) -> None:
    code = """
import os, pathlib, subprocess, sys, time
if os.fork() == 0:
    os.setsid()
    nap = "import os, pathlib, time; pathlib.Path('deep').write_text(str(os.getpid())); time.sleep(60)"
    subprocess.Popen([sys.executable, '-S', '-c', nap], start_new_session=True)
    time.sleep(60)
while not pathlib.Path('deep').exists() or not pathlib.Path('deep').read_text():
    time.sleep(0.01)
"""
    one = shims.run(code)
    assert one.ended()["exit_status"] == 0
    assert not is_alive(int(one.wait_for("deep")))
