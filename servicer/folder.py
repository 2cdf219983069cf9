"""The directory of one service run, and everything written in it. Blocking; runs in threads.

::

    service/<id>/  spec.json    what was asked, written before the ask is answered
                   status.json  how far it is, written before anybody is told
                   start.json   what the shim is to do      shim.json, exit.json, shim.txt  what the shim says
                   stop.json    there when the program shall not begin any more
                   again.json   there when the program was ended because the servicer ended: it begins again
                   work/        a copy of the code, where the program runs: its to change
                   output/      what `{output}` names        log/   what it printed     child/  what it leaves
    service/ended.jsonl         runs that have ended and may be gone from here, a line each
"""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any

import msgspec

from plotter2 import files, ids
from plotter2.errors import FailedError, UsageError
from plotter2.host import boot_id
from plotter2.ids import DeliveryId, ServiceId
from plotter2.layout import Layout
from plotter2.model import paths
from plotter2.model.bundle import FileEntry
from plotter2.model.service import ServiceSpec, ServiceState, ServiceStatus
from servicer.machine import Found

TAIL_BYTES = 2_000
TAIL_LINES = 20
DIGESTS = ("code_digest", "run_key", "data_digest")
ENDED_FILE = "ended.jsonl"
AGAIN_FILE = "again.json"
ATTEMPT_FILES = ("exit.json", "shim.json", "stop.json", "parent.json", "start.json", "shim.txt")
ATTEMPT_FOLDERS = ("work", "output", "log", "child")
ID_SHOWN_MAX = 80
_INDEX = re.compile(r"[0-9]{1,9}")


def check_id(text: str) -> ServiceId:
    """A run's name, which is also the name of its directory.

    Raises:
        UsageError: it is not one.
    """
    request, _, index = text.partition(".s")
    try:
        ids.check("req", request)
    except UsageError:
        index = ""
    if not _INDEX.fullmatch(index):
        shown = repr(text if len(text) <= ID_SHOWN_MAX else text[:ID_SHOWN_MAX] + "...")
        raise UsageError(
            f"{shown} is not the name of a service run: it would be req-, 32 hexadecimal digits, .s and a number."
        )
    return ServiceId(text)


class Folder:
    """One run's directory."""

    def __init__(self, layout: Layout, service_id: ServiceId) -> None:
        self.root = layout.service / service_id
        self.work = self.root / "work"
        self.output = self.root / "output"
        self.log = self.root / "log"
        self.child = self.root / "child"
        self._layout = layout

    def create(self, spec: ServiceSpec, status: ServiceStatus) -> None:
        """Make it, with the spec in it, durably."""
        for folder in (self.root, self.output, self.log):
            folder.mkdir(parents=True, exist_ok=True)
        document = asdict(spec)
        document |= {name: getattr(spec, name).hex() for name in DIGESTS}
        document["files"] = [[one.path, one.size_bytes, one.digest.hex(), one.mode] for one in spec.files]
        files.write_durably(self.root / "spec.json", json.dumps(document).encode())
        self.keep(status)
        files.sync_directory(self.root.parent)

    def keep(self, status: ServiceStatus, *, is_acknowledged: bool = False) -> None:
        """Write how far it is."""
        document = {**asdict(status), "is_acknowledged": is_acknowledged}
        files.write_durably(self.root / "status.json", json.dumps(document).encode())

    def copy_code(self, spec: ServiceSpec) -> None:
        """Give the program its own copy of the code: copies, never links, so nothing it does reaches the store.

        Raises:
            FailedError: content is not in the store.
        """
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        for entry in spec.files:
            target = self.work / paths.file_path(entry.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(self._layout.blob(entry.digest), target)
            except FileNotFoundError:
                raise FailedError(f"The content of {entry.path} is not in the store; run `plotter2 verify`.") from None
            target.chmod(entry.mode | 0o600)

    def read(self, name: str) -> dict[str, Any]:
        """A JSON file of the directory; empty where it is not there yet."""
        try:
            found = json.loads((self.root / name).read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def tail(self) -> str:
        """The last lines it printed: of stderr, and of stdout when there are none."""
        for name in ("stderr.txt", "stdout.txt"):
            try:
                with (self.log / name).open("rb") as file:
                    file.seek(max(0, file.seek(0, 2) - TAIL_BYTES))
                    text = file.read().decode(errors="replace").strip()
            except OSError:
                continue
            if text:
                return "\n".join(text.splitlines()[-TAIL_LINES:])
        return ""

    def interrupt(self) -> None:
        """Write down that the program is ended for the servicer's sake."""
        if self.root.is_dir():
            files.write_durably(self.root / AGAIN_FILE, b"{}")

    def was_interrupted(self) -> bool:
        """Whether the program was ended by the servicer's own end, or by that of the machine."""
        if (self.root / AGAIN_FILE).exists():
            return True
        booted, now = self.read("start.json").get("boot", ""), boot_id()
        return bool(booted and now) and booted != now and not (self.root / "exit.json").exists()

    def begin_anew(self) -> None:
        """Throw away what an interrupted program has left. What says that it was one goes last."""
        for name in ATTEMPT_FOLDERS:
            shutil.rmtree(self.root / name, ignore_errors=True)
        for folder in (self.output, self.log):
            folder.mkdir()
        for name in (*ATTEMPT_FILES, AGAIN_FILE):
            (self.root / name).unlink(missing_ok=True)
        files.sync_directory(self.root)

    def remove(self) -> None:
        """Remove it."""
        shutil.rmtree(self.root, ignore_errors=True)

    def found(self) -> Found | None:
        """The run as it is on disk; None for a directory that was never finished."""
        spec, status = self.read("spec.json"), self.read("status.json")
        if not spec or not status:
            return None
        entries = tuple(
            FileEntry(path, size, bytes.fromhex(digest), mode) for path, size, digest, mode in spec["files"]
        )
        spec |= {name: bytes.fromhex(spec[name]) for name in DIGESTS}
        is_acknowledged = bool(status.pop("is_acknowledged"))
        status |= {"state": ServiceState(status["state"])}
        told = ServiceSpec(**{**spec, "files": entries})
        return Found(told, ServiceStatus(**status), is_acknowledged, self.was_interrupted())


class Endings:
    """How the newest ended runs ended; on disk, one line a run, each durable before `add` returns.

    The file is written anew with what is still remembered when it has twice as many lines.
    """

    def __init__(self, layout: Layout, kept_max: int) -> None:
        self._path = layout.service / ENDED_FILE
        self._kept: deque[ServiceStatus] = deque(maxlen=kept_max)
        self._kept_max = kept_max
        self._lines = 0
        self._lock = threading.Lock()

    def read(self) -> list[ServiceStatus]:
        """What is remembered, oldest first; before the first `add`."""
        found: dict[ServiceId, ServiceStatus] = {}
        with suppress(FileNotFoundError):
            for line in self._path.read_bytes().splitlines():
                with suppress(msgspec.MsgspecError):  # the last line of a servicer that was killed
                    status = msgspec.json.decode(line, type=ServiceStatus)
                    found.pop(status.service_id, None)
                    found[status.service_id] = status
        with self._lock:
            self._kept.extend(found.values())
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._rewrite()
            return list(self._kept)

    def add(self, status: ServiceStatus) -> None:
        """Remember one more. Blocks."""
        with self._lock:
            if not self._kept or self._kept[-1] is not status:  # it comes again when it could not be written
                self._kept.append(status)
            if self._lines >= 2 * self._kept_max:
                self._rewrite()
                return
            before, self._lines = self._lines, 2 * self._kept_max  # half a line, on a full disk, has it written anew
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode(status) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            self._lines = before + 1

    def _rewrite(self) -> None:
        files.write_durably(self._path, b"".join(msgspec.json.encode(one) + b"\n" for one in self._kept))
        self._lines = len(self._kept)


def every(layout: Layout) -> Iterator[Found]:
    """All runs on disk, oldest first."""
    layout.service.mkdir(parents=True, exist_ok=True)
    for root in sorted(layout.service.iterdir()):
        if root.is_dir():
            found = Folder(layout, ServiceId(root.name)).found()
            if found is not None:
                yield found


def delivery_of(service_id: ServiceId) -> DeliveryId:
    """The delivery of a run's output: derived from its id, so a repeat after a crash is the same delivery."""
    return DeliveryId("dlv-" + files.text_digest(f"service {service_id}").hex()[:32])


def with_delivery(status: ServiceStatus) -> ServiceStatus:
    """The status with the delivery its output travels in."""
    return replace(status, delivery_id=delivery_of(status.service_id))
