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
from plotter2.model.task import Output

SIDECAR_BYTES_MAX = 16 << 20
SIDECARS_BYTES_MAX = 64 << 20
"""Of all sidecars of one run."""
READS_MAX = 100_000
"""Files that one run is believed to have read, before anything is remembered."""


class Read(msgspec.Struct, frozen=True, order=True):
    """A file that a run read; its digest in hexadecimal."""

    bundle: str
    version: Annotated[int, msgspec.Meta(ge=1, lt=1 << 31)]
    path: str
    digest: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class _Inputs(msgspec.Struct):
    files: list[Read] = []


class _Sidecar(msgspec.Struct):
    inputs: _Inputs


def names(layout: Layout, outputs: Iterable[Output]) -> list[str]:
    """The sidecars that lie beside these outputs, by their paths below `output/`."""
    return [f"{one.path}{SIDECAR}" for one in outputs if plain_below(layout.output, f"{one.path}{SIDECAR}") is not None]


def reads(layout: Layout, outputs: Iterable[Output]) -> list[Read]:
    """Everything that a run says it read, in order, each once."""
    with trouble("reading sidecars"):
        found: set[Read] = set()
        left = SIDECARS_BYTES_MAX
        for name in names(layout, outputs):
            place = layout.output / name
            size_bytes = place.stat().st_size
            if size_bytes > min(left, SIDECAR_BYTES_MAX):
                continue
            left -= size_bytes
            found.update(_said(place.read_bytes()))
        return sorted(found)[:READS_MAX]


def _said(text: bytes) -> list[Read]:
    try:
        return msgspec.json.decode(text, type=_Sidecar).inputs.files
    except (msgspec.DecodeError, RecursionError):
        return []
