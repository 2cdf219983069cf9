"""What a run exports goes into bundles: taken in as what people push is, before the run has ended (requirement 176).

A delivery is named after its run and bundle, so after a crash, when the worker reports the run again, what was taken in
is found and not taken in twice.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from blake3 import blake3

from manager.commands import TakeOutputs
from manager.desk import Desk
from manager.events import DeliveryOffered
from manager.organizer import Organizer
from manager.store import Store
from plotter2.clock import Clock
from plotter2.errors import ConflictError
from plotter2.ids import DeliveryId, RequestId, request_of
from plotter2.model import manifest, output
from plotter2.model.bundle import MANIFEST_FILE, FileEntry
from plotter2.model.task import Output

TRIES_MAX = 5
ID_BYTES = 16


class Exports:
    """Takes in what runs export."""

    def __init__(self, store: Store, organizer: Organizer, desk: Desk, clock: Clock) -> None:
        self._store = store
        self._organizer = organizer
        self._desk = desk
        self._clock = clock

    async def take_in(self, effect: TakeOutputs, outputs: Sequence[Output]) -> None:
        """Have everything that a run exports in its bundles; again without harm.

        Raises:
            RefusedError: a bundle may not have it; what went into other bundles stays there.
            ConflictError: a bundle gets new versions faster than it can be added to.
        """
        wanted: dict[str, list[FileEntry]] = defaultdict(list)
        for one in outputs:
            if one.kind == output.EXPORT:
                name = one.path.partition(f"/{output.EXPORTED}/")[2]
                wanted[one.title].append(FileEntry(name, one.size_bytes, one.digest))
        if not wanted:
            return
        await asyncio.to_thread(self._organizer.keep_exports, outputs)
        for bundle, files in wanted.items():
            await self._deliver(effect, bundle, files)

    async def _deliver(self, effect: TakeOutputs, bundle: str, files: Sequence[FileEntry]) -> None:
        name = blake3(f"{effect.run_id}\0{bundle}".encode()).digest(ID_BYTES).hex()
        delivery_id, request_id = DeliveryId(f"dlv-{name}"), RequestId(f"req-{name}")
        if await self._store.get_delivery(delivery_id) is not None:
            return
        run_on = [f"{effect.version[0]}@{effect.version[1]}"] if effect.version[0] else []
        about = {"depends": [one for one in run_on if one.rpartition("@")[0] != bundle], "run": effect.run_id}
        for tried in range(TRIES_MAX):
            newest = await self._store.get_bundle(bundle)
            base = newest.version if newest is not None else 0
            before = await self._store.files_of(bundle, base) if base else ()
            merged = {one.path: one for one in (*before, *files) if one.path != MANIFEST_FILE}
            paper = manifest.write(effect.user, self._clock.now(), {}, about)
            offer = DeliveryOffered(
                0, delivery_id, request_id, bundle, effect.user, paper, tuple(sorted(merged.values())), "",
                chain=effect.chain, cause=request_of(effect.run_id), base=base,
            )  # fmt: skip
            try:
                await self._desk.ask(partial(_with_token, offer))
            except ConflictError:
                if tried + 1 == TRIES_MAX:
                    raise
            else:
                return


def _with_token(offer: DeliveryOffered, token: int) -> DeliveryOffered:
    return replace(offer, token=token)
