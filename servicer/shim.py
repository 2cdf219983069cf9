"""The parent of one experiment: starts it, bounds what it prints, ends it at its limits, and records the end on disk.

A program of its own with nothing but the standard library (`python -I -S shim.py DIRECTORY`), so that it is small,
starts fast, and lives on when the servicer dies. It reads `start.json` in the directory and writes `shim.json` when the
program runs and `exit.json`, durably, when it has ended. SIGTERM ends the program: politely first, by force later. A
file `stop.json` that is there before the program begins means that it never does.

A limit of memory is about the whole tree of processes and about what only they hold: anonymous and shared memory and
swap, each page once. Pages of mapped files are the system's to take back, and reserved addresses cost nothing, so
neither counts. It is looked at several times a second; a program that takes memory faster may be above it for a moment.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

CHUNK_BYTES = 1 << 16
TAIL_BYTES_MAX = 4 << 20
GRACE_S = 5.0
LOOK_S = 0.25
DRAIN_S = 1.0
REAP_S = 5.0
REAP_LOOK_S = 0.01
PR_SET_CHILD_SUBREAPER = 36
MIB = 1 << 20
IS_LINUX = sys.platform.startswith("linux")
HELD = ("RssAnon:", "RssShmem:", "VmSwap:")
HELD_EXACTLY = ("Pss_Anon:", "Pss_Shmem:", "SwapPss:")


class Log:
    """What one stream printed: the head as it comes, then only the newest part, with a line between that says so."""

    def __init__(self, path: Path, bytes_max: int) -> None:
        self._file = path.open("ab", buffering=0)
        self._head_left = bytes_max // 2 if bytes_max else sys.maxsize
        self._tail_max = min(bytes_max // 2, TAIL_BYTES_MAX)
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        self._left_out = 0

    def write(self, data: bytes) -> None:
        """Take in what was printed."""
        head = data[: self._head_left]
        if head:
            self._file.write(head)
            self._head_left -= len(head)
            data = data[len(head) :]
        if data:
            self._tail.append(data)
            self._tail_bytes += len(data)
            while self._tail_bytes - len(self._tail[0]) >= self._tail_max:
                gone = self._tail.popleft()
                self._tail_bytes -= len(gone)
                self._left_out += len(gone)

    def close(self) -> None:
        """Write the newest part and make it durable."""
        if self._left_out:
            self._file.write(f"\n[... {self._left_out} bytes left out ...]\n".encode())
        for part in self._tail:
            self._file.write(part)
        os.fsync(self._file.fileno())
        self._file.close()


def write_durably(path: Path, document: dict[str, Any]) -> None:
    """A JSON file that is whole after any crash."""
    scratch = path.with_suffix(".new")
    with scratch.open("w") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


class Shim:
    """One program from start to end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._start: dict[str, Any] = json.loads((folder / "start.json").read_text())
        self._reason = ""
        self._is_asked_to_stop = False
        self._stop_at = 0.0
        self._killed = False
        self._process: subprocess.Popen[bytes] | None = None
        self._wall_s = float(self._start.get("wall_s", 0))
        self._memory_max = int(self._start.get("memory_bytes", 0))
        self._look_at = 0.0

    def run(self) -> None:
        """Until the program has ended."""
        os.chdir("/")
        if IS_LINUX:
            ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])  # whoever started us has held it back until here
        if self._is_asked_to_stop or (self._folder / "stop.json").exists():
            self._record(0, "stopped")
            return
        try:
            process = self._launch()
        except (OSError, ValueError) as wrong:
            said = wrong.strerror if isinstance(wrong, OSError) else str(wrong)
            self._record(127, f"cannot start {self._start['argv'][0]!r}: {said}")
            return
        if self._is_asked_to_stop:  # while the program was being started
            self._stop("stopped")
        write_durably(
            self._folder / "shim.json", {"pid": process.pid, "shim_pid": os.getpid(), "started_at": time.time()}
        )
        self._read(process)
        status = process.wait()
        self._reap(process.pid)
        self._record(status, self._reason)

    def _launch(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(
            self._start["argv"],
            cwd=self._start["cwd"],
            env=self._start["env"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=None if IS_LINUX else _limit_memory(self._memory_max),
        )
        return self._process

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._is_asked_to_stop = True
        self._stop("stopped")

    def _stop(self, reason: str) -> None:
        if self._process is None or self._stop_at:
            return
        self._reason = reason
        self._stop_at = time.monotonic() + (self._grace_s() if reason == "stopped" else GRACE_S)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)

    def _grace_s(self) -> float:
        """How long whoever asked for the stop gives the program."""
        try:
            return float(json.loads((self._folder / "stop.json").read_text()).get("grace_s", GRACE_S))
        except (OSError, ValueError):
            return GRACE_S

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        """Pass on what it prints until both streams are closed, or it has ended and nothing more comes."""
        assert process.stdout is not None and process.stderr is not None  # noqa: S101, PT018 -- pipes were asked for
        bytes_max = int(self._start.get("log_bytes_max", 0))
        logs = {name: Log(self._folder / "log" / f"{name}.txt", bytes_max) for name in ("stdout", "stderr")}
        began, ended_at = time.monotonic(), 0.0
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ, logs["stdout"])
            selector.register(process.stderr, selectors.EVENT_READ, logs["stderr"])
            while selector.get_map():
                for key, _ in selector.select(LOOK_S):
                    data = os.read(key.fd, CHUNK_BYTES)
                    if data:
                        key.data.write(data)
                    else:
                        selector.unregister(key.fileobj)
                self._mind_limits(process, began)
                if process.poll() is not None:
                    ended_at = ended_at or time.monotonic()
                    if time.monotonic() - ended_at > DRAIN_S:
                        break  # somebody it started holds the pipes; that one is ended with the rest
        while process.poll() is None:
            time.sleep(LOOK_S / 10)
            self._mind_limits(process, began)
        for log in logs.values():
            log.close()

    def _mind_limits(self, process: subprocess.Popen[bytes], began: float) -> None:
        now = time.monotonic()
        if self._wall_s and now - began > self._wall_s:
            self._stop(f"exceeded its wall limit of {self._wall_s:g} s")
        is_due = now >= self._look_at and not self._killed and process.poll() is None
        if self._memory_max and IS_LINUX and is_due:
            self._look_at = now + LOOK_S  # however much it prints
            used, count = used_bytes(os.getpid(), self._memory_max)
            if used > self._memory_max:
                self._end_for_memory(process, used, count)
        if self._stop_at and not self._killed and now > self._stop_at:
            self._killed = True
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def _end_for_memory(self, process: subprocess.Popen[bytes], used: int, count: int) -> None:
        """At once: a grace would be time to take the rest of the machine's memory."""
        who = "1 process used" if count == 1 else f"{count} processes together used"
        self._reason = f"exceeded its memory limit of {_mib(self._memory_max)}: {who} {_mib(used)}"
        self._killed, self._stop_at = True, time.monotonic()
        for pid in (process.pid, *below(os.getpid())):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)

    def _reap(self, group: int) -> None:
        """End and collect whatever the program has left behind."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
        # What daemonised itself comes to us one by one, as its own parents end: look again until nobody is left.
        end = time.monotonic() + REAP_S
        while time.monotonic() < end:
            for child in _children():
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(child, signal.SIGKILL)
            try:
                ended, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not ended:
                time.sleep(REAP_LOOK_S)

    def _record(self, status: int, reason: str) -> None:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        write_durably(
            self._folder / "exit.json",
            {
                "exit_status": status,
                "finished_at": time.time(),
                "reason": reason,
                "memory_bytes": used.ru_maxrss * 1024,
                "cpu_s": used.ru_utime + used.ru_stime,
            },
        )


def _children() -> list[int]:
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    try:
        return [int(pid) for pid in path.read_text().split()]
    except OSError:
        return []


def below(pid: int) -> Iterator[int]:
    """All processes below one, also those that its threads have started."""
    with suppress(OSError, ValueError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                yield int(child)
                yield from below(int(child))


def used_bytes(pid: int, enough: int = 0) -> tuple[int, int]:
    """Memory that the processes below one hold together, and how many they are.

    What they share is counted once, which takes a walk through their page tables; so it is done only when the quick
    sum, which counts it for each of them, is more than `enough`.
    """
    quick = {one: _sum(f"/proc/{one}/status", HELD) for one in set(below(pid))}
    total = sum(quick.values())
    if total <= enough:
        return total, len(quick)
    return sum(_sum(f"/proc/{one}/smaps_rollup", HELD_EXACTLY, held) for one, held in quick.items()), len(quick)


def _sum(path: str, names: tuple[str, ...], otherwise: int = 0) -> int:
    """The sum of these lines; 0 when the process is gone, `otherwise` when the system does not say."""
    try:
        lines = Path(path).read_bytes().decode(errors="replace").splitlines()
    except PermissionError:
        return otherwise
    except OSError:
        return 0
    found = [int(line.split()[1]) * 1024 for line in lines if line.startswith(names)]
    return sum(found) if len(found) == len(names) else otherwise


def _mib(value: int) -> str:
    return f"{value / MIB:,.1f} MiB"


def _limit_memory(bytes_max: int) -> Callable[[], None] | None:
    """The system's own limit, for one process, where ours cannot be measured."""
    if not bytes_max:
        return None
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (bytes_max, bytes_max))


if __name__ == "__main__":
    Shim(Path(sys.argv[1])).run()
