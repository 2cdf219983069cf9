"""What a run left on a worker that does not see our files, laid out as if it had: from content that is here by digest.

A repeat lays out the same; what a crash left of it is written over. Links, so nothing is there twice.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from manager.organizer.blobs import Blobs
from manager.organizer.disk import inside, plain_below, trouble
from manager.organizer.outputs import lay_asset
from plotter2 import files as durable
from plotter2.datter.pages import assets
from plotter2.errors import AlteredError, PathRefusedError
from plotter2.layout import Layout
from plotter2.model import packing
from plotter2.model.bundle import FileEntry


@contextmanager
def unpacked(layout: Layout, blobs: Blobs, run_dir: Path, digest: bytes) -> Iterator[None]:
    """Have what a run left on another machine in its directory here, from the list of this digest, for a block.

    Raises:
        NotFoundError: there is no such list.
        AlteredError: it is none, or names content that was not sent.
        PathRefusedError: a path that leads elsewhere.
        LimitError: the disk is full.
    """
    root = inside(run_dir, layout.runs, "what a run made")
    with trouble("laying out what a run made"):
        with blobs.open(digest) as file:
            text = file.read(packing.LIST_BYTES_MAX + 1)
        if len(text) > packing.LIST_BYTES_MAX:
            raise AlteredError(f"The list of a run's files has more than {packing.LIST_BYTES_MAX:,} bytes.")
        listed = packing.read(text)
        blobs.need([FileEntry(one.path, one.size_bytes, one.digest) for one in listed])
        for one in listed:
            if one.is_shared:
                _share(layout, one)
                continue
            place = root / one.path
            plain_below(root, one.path)  # nothing that a link leads to
            place.parent.mkdir(parents=True, exist_ok=True)
            durable.link_or_copy(layout.blob(one.digest), place)
    yield
    shutil.rmtree(root, ignore_errors=True)


def _share(layout: Layout, one: packing.Packed) -> None:
    """The script that a page of another version of ours wants; the one that is here under its name stays."""
    if not assets.NAME.fullmatch(one.path):
        raise PathRefusedError(f"{one.path!r} is nothing that pages share.")
    lay_asset(layout, one.path, layout.blob(one.digest))
