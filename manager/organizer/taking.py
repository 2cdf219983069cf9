"""Taking over a run, from its directory to what the manager knows of it: outputs, a report's content, what it read."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import msgspec

from manager.organizer import reports, sidecars
from manager.organizer.blobs import Blobs
from manager.organizer.instep import Steps
from manager.organizer.outputs import Left, moved
from manager.organizer.unpacking import unpacked
from manager.store.ancestry import FileAt, ManyFiles
from plotter2.layout import Layout
from plotter2.model.report import KIND as REPORT
from plotter2.model.report import Kept
from plotter2.model.task import Output


@dataclass(frozen=True, slots=True)
class Taken:
    """What a run made, now below `output/`.

    Attributes:
        outputs: each with its path there.
        kept: what a numbered report of it holds; None where it made none.
        files, groups: what its sidecars say that it read. They were written beside user code: nobody has checked it.
    """

    outputs: tuple[Output, ...]
    kept: Kept | None
    files: list[FileAt]
    groups: list[ManyFiles]


def taken(layout: Layout, blobs: Blobs, left: Left) -> Steps[Taken]:
    """Take over one run; again without harm."""
    with unpacked(layout, blobs, left.run_dir, left.packed) if left.packed else nullcontext():
        outputs = yield from moved(layout, left)
    kept = reports.keep(layout, blobs, outputs) if any(one.kind == REPORT for one in outputs) else None
    return Taken(outputs, kept, *_read_by(layout, outputs))


def _read_by(layout: Layout, outputs: Sequence[Output]) -> tuple[list[FileAt], list[ManyFiles]]:
    said = sidecars.reads(layout, outputs)
    files = [FileAt(one.bundle, one.version, one.path, bytes.fromhex(one.digest)) for one in said.files]
    return files, [ManyFiles(**msgspec.structs.asdict(one)) for one in said.groups]
