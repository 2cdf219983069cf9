"""What a run made, on its way to the manager: nothing where both see the same files, else content by digest.

Content first, then the list that names it, then the report that names the list: what a worker leaves half sent when it
dies is content that nobody speaks of.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from plotter2 import files as durable
from plotter2.datter.pages import assets
from plotter2.errors import AlteredError
from plotter2.layout import Layout
from plotter2.model import output, packing, paths
from plotter2.model.packing import Packed
from plotter2.mqtt.payloads import MadeFile, Report
from worker.bulk import BulkLine
from worker.paper import Printer

LIST_FILE = ".files"
"""Of a run's directory: hidden, so no script's file is called so."""
SENT_AT_ONCE = 8


class Sender:
    """Has all that runs leave where the manager finds it."""

    def __init__(self, layout: Layout, line: BulkLine, printer: Printer) -> None:
        self._layout = layout
        self._line = line
        self._printer = printer

    async def send(self, report: Report, say: Callable[[str], None]) -> bytes:
        """Print reports, and bring files to a manager that does not see them; `say` is told of what takes a while.

        Returns:
            The digest of the list of all files; b"" where the manager sees them.

        Raises:
            Plotter2Error: a file has changed since the run ended, or the manager refuses it.
            OSError: one cannot be read.
        """
        folder = self._layout.runs / f"{report.run_id}.{report.epoch}"
        await self._printer.print_reports(report, folder, say)
        if await self._line.is_shared():
            return b""
        listed = await asyncio.to_thread(_listed, folder, report.made)
        digest = await self._put(folder, listed)
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        return digest

    async def _put(self, folder: Path, listed: Sequence[Packed]) -> bytes:
        wanted = {one.digest: assets.script_path() if one.is_shared else folder / one.path for one in listed}
        missing = await self._line.missing(list(wanted))
        room = asyncio.Semaphore(SENT_AT_ONCE)

        async def put(digest: bytes) -> None:
            async with room:
                await self._line.put(digest, wanted[digest])

        await asyncio.gather(*map(put, missing))
        place = folder / LIST_FILE
        await asyncio.to_thread(place.write_bytes, packing.written(listed))
        digest = await asyncio.to_thread(durable.digest, place)
        await self._line.put(digest, place)
        return digest


def _listed(folder: Path, made: Sequence[MadeFile]) -> list[Packed]:
    """What the run says that it made, and what lies beside it; companions may have changed since (see `paper`)."""
    said = {paths.file_path(one.path): one.digest for one in made}
    beside = {f"{name}{ending}" for name in said for ending in output.COMPANIONS} - said.keys()
    found = []
    for name in [*said, *sorted(beside)]:
        place = folder / name
        if name in beside and (place.is_symlink() or not place.is_file()):
            continue
        size_bytes, digest = durable.unchanged_digest(place)
        if said.get(name, b"") not in {b"", digest}:
            raise AlteredError(f"{name!r} is not what the run made: its content has changed.")
        found.append(Packed(name, size_bytes, digest))
    return [*found, *_shared(folder / one.path for one in made if one.kind in output.PAGES)]


def _shared(pages: Iterable[Path]) -> list[Packed]:
    """The script that pages name and that lies above them all: ours, which may be newer than the manager's."""
    if not any(levels for page in pages for levels, _ in [assets.named_by(page) or (0, "")]):
        return []
    return [Packed(assets.script_name(), *durable.unchanged_digest(assets.script_path()), is_shared=True)]
