"""What of a run goes into a numbered report: its pages with what lies beside them, and what all pages share.

They go into the blob store by hard link and lie in the report as they lie below `output/`, so every page finds what it
needs wherever the folder is copied. Sidecars are read for the inputs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec

from manager.organizer import sidecars
from manager.organizer.blobs import Blobs
from manager.organizer.disk import plain_below, trouble
from plotter2 import files as durable
from plotter2.datter.pages import assets
from plotter2.layout import Layout
from plotter2.model import output
from plotter2.model.bundle import FileEntry
from plotter2.model.report import Kept
from plotter2.model.task import Output


def keep(layout: Layout, blobs: Blobs, outputs: Sequence[Output]) -> Kept:
    """Have what a run made, and lies below output/, in the blob store too, for a numbered report.

    Raises:
        AlteredError: content differs from what was taken.
        LimitError: the disk is full.
    """
    with trouble("keeping a report"):
        beside = [f"{one.path}{suffix}" for one in outputs for suffix in output.COMPANIONS]
        beside = [name for name in beside if plain_below(layout.output, name)]
        shared = {
            named[1]
            for one in outputs
            if one.kind in output.PAGES and (named := assets.named_by(layout.output / one.path))
        }
        names = [*(one.path for one in outputs), *beside, *(f"{assets.FOLDER}/{name}" for name in sorted(shared))]
        jobs = [(layout.output / name, _entry(layout.output, name)) for name in dict.fromkeys(names)]
        blobs.adopt(jobs)
        read = sidecars.reads(layout, outputs)
        inputs = json.dumps([msgspec.structs.asdict(one) for one in (*read.files, *read.groups)])
        return Kept(tuple(entry for _, entry in jobs), inputs)


def _entry(root: Path, name: str) -> FileEntry:
    size_bytes, digest = durable.unchanged_digest(root / name)
    return FileEntry(name, size_bytes, digest, durable.READ_ONLY)
