"""The parent of one experiment: starts it, bounds what it prints, ends it at its limits, and records the end on disk.

A program of its own with nothing but the standard library (`python -I -S shim.py DIRECTORY`), so that it is small,
starts fast, and lives on when the servicer dies. It reads `start.json` in the directory and writes `shim.json` when the
program runs and `exit.json`, durably, when it has ended. SIGTERM ends the program: politely first, by force later.
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
from collections.abc import Callable
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

    def run(self) -> None:
        """Until the program has ended."""
        os.chdir("/")
        if sys.platform.startswith("linux"):
            ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        signal.signal(signal.SIGTERM, self._on_stop)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            process = self._launch()
        except OSError as wrong:
            self._record(127, f"cannot start {self._start['argv'][0]!r}: {wrong.strerror}")
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
            preexec_fn=_limit_memory(int(self._start.get("memory_bytes", 0))),
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
        self._stop_at = time.monotonic() + GRACE_S
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)

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
        wall_s = float(self._start.get("wall_s", 0))
        if wall_s and time.monotonic() - began > wall_s:
            self._stop(f"exceeded its wall limit of {wall_s:g} s")
        if self._stop_at and not self._killed and time.monotonic() > self._stop_at:
            self._killed = True
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

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


def _limit_memory(bytes_max: int) -> Callable[[], None] | None:
    if not bytes_max:
        return None
    return lambda: resource.setrlimit(resource.RLIMIT_AS, (bytes_max, bytes_max))


if __name__ == "__main__":
    Shim(Path(sys.argv[1])).run()
