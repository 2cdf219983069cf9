"""Keeps what the installation adds: reads its config directory when something has changed, and has it as content.

List and files go into the blob store: workers get them by digest, and a run finds what it was pinned to, whatever the
directory holds by then. Imports and runs nothing of it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict

import structlog

from manager.events import ConfigRead
from manager.loop import Loop
from manager.organizer import Organizer
from plotter2 import configured
from plotter2.configured import Seen
from plotter2.datter import additions
from plotter2.datter.vocabulary import NONE, Additions
from plotter2.errors import ConfigError, CorruptionError, LimitError, NotFoundError
from plotter2.layout import Layout
from plotter2.model.additions import FILE_BYTES_MAX, FILES_MAX, listed, listing

KEPT_MAX = 16
"""So many states of the directory are at hand, read."""
LIST_BYTES_MAX = FILES_MAX * 400


class Keeper:
    """What holds now, and what held before."""

    def __init__(self, layout: Layout, organizer: Organizer, loop: Loop) -> None:
        self._folder = layout.config
        self._organizer = organizer
        self._loop = loop
        self._seen: Seen = ()
        self._kept: OrderedDict[bytes, Additions] = OrderedDict({b"": NONE})
        self._lock = asyncio.Lock()
        self._log = structlog.get_logger("manager.keeper")
        self.current = NONE
        """What holds now."""
        self.fault = ""
        """Why the directory cannot be read at all, "" for nothing."""

    async def watch(self, every_s: float) -> None:
        """Look now and then, until cancelled."""
        while True:
            await asyncio.sleep(every_s)
            await self.look()

    async def look(self) -> None:
        """Take up what has changed. What cannot be read or kept leaves everything as it was."""
        async with self._lock:
            try:
                found = await asyncio.to_thread(self._read)
            except (ConfigError, LimitError) as wrong:
                if self.fault != wrong.message:
                    self._log.warning("config.unread", why=wrong.message)
                self.fault = wrong.message
                return
            self.fault = ""
            if found is None:
                return
            for name, why in found.faults.items():
                self._log.warning("config.left_out", file=name, why=why)
            self.current = self._keep(found)
            await self._loop.put(ConfigRead(found.digest, len(found.files), tuple(found.faults)))

    def _read(self) -> Additions | None:
        """What is there, kept as content; None where nothing has changed since."""
        seen = configured.look(self._folder)
        if seen == self._seen:
            return None
        contents = configured.contents(self._folder, seen)
        found = additions.read(contents)
        for name, digest in found.files.items():
            self._organizer.put(digest, [contents[name]])
        if found.files:
            self._organizer.put(found.digest, [listing(found.files)])
        self._seen = seen
        return found

    async def of(self, digest: bytes) -> Additions:
        """What held when the list had this digest.

        Raises:
            NotFoundError: it is not here.
        """
        if digest not in self._kept:
            self._keep(await asyncio.to_thread(self._again, digest))
        return self._kept[digest]

    async def chosen(self, digest: bytes) -> Additions:
        """What a run is asked to be pinned to; b"" for what holds now.

        Raises:
            NotFoundError: nothing that was here has this digest.
        """
        if not digest:
            return self.current
        try:
            return await self.of(digest)
        except (NotFoundError, CorruptionError):
            raise NotFoundError(
                f"No state of the config directory had the digest {digest.hex()}; a sidecar's is under 'config'."
            ) from None

    def _again(self, digest: bytes) -> Additions:
        with self._organizer.open_blob(digest) as file:
            files = listed(file.read(LIST_BYTES_MAX))
        return additions.read({name: self.text(one) for name, one in files.items()})

    def text(self, digest: bytes) -> bytes:
        """One file.

        Raises:
            NotFoundError: it is not here.
        """
        with self._organizer.open_blob(digest) as file:
            return file.read(FILE_BYTES_MAX)

    def _keep(self, found: Additions) -> Additions:
        self._kept[found.digest] = found
        if len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return found
