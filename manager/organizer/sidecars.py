"""What the sidecars of a run's pages say that it read. They are written beside user code: read with care, up to limits.

One that is no sidecar of ours, or too large, costs what it would have said and nothing else. Whether a version has such
a file is for somebody else to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import msgspec

from manager.organizer.disk import plain_below, trouble
from manager.organizer.outputs import SIDECAR
from plotter2.layout import Layout
from plotter2.model.bundle import FILES_MAX
from plotter2.model.task import Output

SIDECAR_BYTES_MAX = 16 << 20
SIDECARS_BYTES_MAX = 64 << 20
"""Of all sidecars of one run."""
READS_MAX = 100_000
"""Files that one run is believed to have read, before anything is remembered."""
GROUPS_MAX = 100


class Read(msgspec.Struct, frozen=True, order=True):
    """A file that a run read; its digest in hexadecimal."""

    bundle: str
    version: Annotated[int, msgspec.Meta(ge=1, lt=1 << 31)]
    path: str
    digest: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Group(msgspec.Struct, frozen=True, order=True):
    """Many files of one folder that a run read, two of their paths, and one digest of them all."""

    bundle: str
    version: Annotated[int, msgspec.Meta(ge=1, lt=1 << 31)]
    first: str
    last: str
    count: Annotated[int, msgspec.Meta(ge=1, le=FILES_MAX)]
    digest: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Inputs(msgspec.Struct):
    """What a run read: files, and groups where there are very many."""

    files: list[Read] = []
    groups: list[Group] = []


class _Sidecar(msgspec.Struct):
    inputs: Inputs


def names(layout: Layout, outputs: Iterable[Output]) -> list[str]:
    """The sidecars that lie beside these outputs, by their paths below `output/`."""
    return [f"{one.path}{SIDECAR}" for one in outputs if plain_below(layout.output, f"{one.path}{SIDECAR}") is not None]


def reads(layout: Layout, outputs: Iterable[Output]) -> Inputs:
    """Everything that a run says it read, in order, each once."""
    with trouble("reading sidecars"):
        files: set[Read] = set()
        groups: set[Group] = set()
        left = SIDECARS_BYTES_MAX
        for name in names(layout, outputs):
            place = layout.output / name
            size_bytes = place.stat().st_size
            if size_bytes > min(left, SIDECAR_BYTES_MAX):
                continue
            left -= size_bytes
            said = _said(place.read_bytes())
            files.update(said.files)
            groups.update(said.groups)
        return Inputs(sorted(files)[:READS_MAX], sorted(groups)[:GROUPS_MAX])


def _said(text: bytes) -> Inputs:
    try:
        return msgspec.json.decode(text, type=_Sidecar).inputs
    except (msgspec.DecodeError, RecursionError):
        return Inputs()
