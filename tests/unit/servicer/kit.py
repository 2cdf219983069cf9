"""A run's directory on a home of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from plotter2 import files
from plotter2.clock import Instant
from plotter2.ids import ServiceId
from plotter2.layout import Layout
from plotter2.model.bundle import FileEntry
from plotter2.model.package import Service
from plotter2.model.service import ServiceSpec, ServiceState, ServiceStatus
from servicer.folder import Folder

ONE = ServiceId("req-0190a0b0c0d0700080000000000000aa.s0")


def spec_of(layout: Layout, code: dict[str, bytes], service: dict[str, Any] | None = None, **more: Any) -> ServiceSpec:
    """A run whose code is in the store."""
    entries = []
    for path, data in sorted(code.items()):
        scratch = layout.home / "scratch"
        scratch.write_bytes(data)
        digest = files.digest(scratch)
        blob = layout.blob(digest)
        blob.parent.mkdir(parents=True, exist_ok=True)
        scratch.replace(blob)
        blob.chmod(0o444)
        entries.append(FileEntry(path, len(data), digest))
    given: dict[str, Any] = {
        "service_id": ONE,
        "bundle": "digits",
        "version": 3,
        "child": "digits/lr=0.1",
        "service_json": json.dumps(service or {"command": ["{python}"]}),
        "parameters_json": '{"lr": 0.10}',
        "code_digest": bytes(32),
        "data_digest": bytes(32),
        "run_key": bytes(32),
        "files": tuple(entries),
    }
    return ServiceSpec(**{**given, **more})


class Run:
    """A run that has ended, before its harvest."""

    def __init__(self, home: Path, code: dict[str, bytes], **service: Any) -> None:
        self.layout = Layout.at(home)
        self.layout.create()
        self.spec = spec_of(self.layout, code)
        self.service = Service(["x"], **service)
        self.folder = Folder(self.layout, ONE)
        self.status = ServiceStatus(ONE, ServiceState.HARVESTING, started_at=Instant(100.0), finished_at=Instant(160.5))
        self.folder.create(self.spec, self.status)
        self.folder.copy_code(self.spec)
        self.cwd = self.folder.work / self.service.cwd

    def write(self, name: str, data: bytes = b"made") -> Path:
        """A file where the program started."""
        return put(self.cwd / name, data)


def put(path: Path, data: bytes = b"made") -> Path:
    """A file, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def tree(root: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
