"""What of a run goes into a numbered report: its pages with their sidecars, and what all pages share.

They go into the blob store by hard link and lie in the report as they lie below `output/`, so every page finds what it
needs wherever the folder is copied. Sidecars are read for the inputs; what none of ours would write is not believed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec

from manager.organizer.blobs import Blobs
from manager.organizer.disk import plain_below, trouble
from manager.organizer.outputs import SIDECAR
from plotter2 import files as durable
from plotter2.datter import assets
from plotter2.layout import Layout
from plotter2.model.bundle import FileEntry
from plotter2.model.report import Kept
from plotter2.model.task import Output

SIDECAR_BYTES_MAX = 16 << 20


class _Read(msgspec.Struct, frozen=True, order=True):
    bundle: str
    version: int
    path: str
    digest: str


class _Inputs(msgspec.Struct):
    files: list[_Read] = []


class _Sidecar(msgspec.Struct):
    inputs: _Inputs


def keep(layout: Layout, blobs: Blobs, outputs: Sequence[Output]) -> Kept:
    """See `Organizer.keep_report`."""
    with trouble("keeping a report"):
        sidecars = [f"{one.path}{SIDECAR}" for one in outputs if plain_below(layout.output, f"{one.path}{SIDECAR}")]
        names = [*(one.path for one in outputs), *sidecars, f"{assets.FOLDER}/{assets.script_name()}"]
        jobs = [(layout.output / name, _entry(layout.output, name)) for name in dict.fromkeys(names)]
        blobs.adopt(jobs)
        read = {one for name in sidecars for one in _inputs(layout.output / name)}
        inputs = json.dumps([msgspec.structs.asdict(one) for one in sorted(read)])
        return Kept(tuple(entry for _, entry in jobs), inputs)


def _entry(root: Path, name: str) -> FileEntry:
    size_bytes, digest = durable.unchanged_digest(root / name)
    return FileEntry(name, size_bytes, digest, durable.READ_ONLY)


def _inputs(sidecar: Path) -> list[_Read]:
    if sidecar.stat().st_size > SIDECAR_BYTES_MAX:
        return []
    try:
        return msgspec.json.decode(sidecar.read_bytes(), type=_Sidecar).inputs.files
    except (msgspec.DecodeError, RecursionError):
        return []
