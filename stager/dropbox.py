"""The watched directory (requirement 015): what is put there whole is taken as one delivery.

A child of the drop box (a directory, or a single file) is taken when it came by a rename into place, or when a
marker `<name>.ready` lies beside it; and when nothing in it has moved for a moment. A rename within the few
milliseconds of one tick of the file system's clock looks like writing in place: it waits for a marker. With a marker,
the manifest must list the files that are there under `contains.files`. Names that begin with a dot are left alone: copy
to `.name`, then rename to `name`. It goes to the bundle that the manifest names as `meta.bundle`, else to the one of
its own name.

What is taken is moved to `.claimed/<delivery_id>/`, stays there until the manager has it, and goes to
`.refused/<delivery_id>/` with a `reason.txt` when it is refused. A stager that was killed goes on with what it claimed.
"""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import watchfiles

from plotter2 import files, telemetry
from plotter2.client import packing
from plotter2.clock import Clock, IdSource
from plotter2.errors import Plotter2Error
from plotter2.ids import DeliveryId
from plotter2.model import manifest
from plotter2.model.delivery import Order, examined
from plotter2.model.manifest import Manifest
from plotter2.model.paths import BundlePath
from stager.deliveries import Refusal
from stager.fetcher import Fetcher
from stager.inspection import Still, bundle_of, check_listed, completed, read_manifest
from stager.keeper import Keeper
from stager.receiver import Receiver

READY_SUFFIX = ".ready"
CLAIMED = ".claimed"
REFUSED = ".refused"
REASON_FILE = "reason.txt"
OTHER_REASON_FILE = "reason.plotter2.txt"
"""Where what was dropped has the name of ours."""
USER = "dropbox"
POLL_S = 2.0
RETRY_S = 5.0

_log = telemetry.logger("dropbox")


@dataclass(frozen=True, slots=True)
class Drop:
    """One claim, read."""

    order: Order
    paper: Manifest
    found: list[packing.LocalFile]
    source: Path


class DropBox:
    """Watches one directory, and takes its children one at a time."""

    def __init__(self, root: Path, keeper: Keeper, clock: Clock, ids: IdSource, settle_s: float) -> None:
        self._root = root
        self._keeper = keeper
        self._clock = clock
        self._ids = ids
        self._settle_s = settle_s
        self._still: dict[str, Still] = {}

    def prepare(self) -> None:
        """Have the directories, before anybody looks for them (blocking)."""
        for directory in (self._root, self._root / CLAIMED, self._root / REFUSED):
            directory.mkdir(parents=True, exist_ok=True)

    async def run(self) -> None:
        """Watch until cancelled; after `prepare`."""
        async with asyncio.TaskGroup() as group:
            for claim in await asyncio.to_thread(self._claims):
                group.create_task(self._take(claim), name=f"dropbox {claim.name}")
            changes = asyncio.Event()
            group.create_task(self._watch(changes), name="dropbox watch")
            while True:
                for claim in await asyncio.to_thread(self._claim_ready):
                    group.create_task(self._take(claim), name=f"dropbox {claim.name}")
                changes.clear()
                await _either(changes, min(POLL_S, self._settle_s / 2 + 0.05) if self._still else POLL_S)

    async def _watch(self, changes: asyncio.Event) -> None:
        while True:
            try:
                async for _ in watchfiles.awatch(self._root, recursive=False, debounce=100):
                    changes.set()
            except Exception as wrong:  # noqa: BLE001 -- it fails on a name that is no text, in groups of its own
                _log.warning("dropbox.unwatched", why=str(wrong))
            changes.set()
            await asyncio.sleep(POLL_S)

    def _claims(self) -> list[Path]:
        return sorted(path for path in (self._root / CLAIMED).iterdir() if path.is_dir() and any(path.iterdir()))

    def _claim_ready(self) -> list[Path]:
        """Claim everything that is ready now."""
        now_s = self._clock.monotonic()
        there = {path.name: path for path in self._root.iterdir() if not path.name.startswith(".")}
        children = {name: path for name, path in there.items() if not name.endswith(READY_SUFFIX)}
        for gone in set(self._still) - set(children):
            del self._still[gone]
        claimed = []
        for name, path in children.items():
            still = self._still.setdefault(name, Still(path))
            has_marker = name + READY_SUFFIX in there
            if still.look(now_s) >= self._settle_s and (has_marker or still.came_by_rename):
                del self._still[name]
                try:
                    claimed.append(self._claim(path, has_marker=has_marker))
                except OSError as wrong:  # it was taken away again, or cannot be moved
                    _log.warning("dropbox.unclaimed", name=name, why=str(wrong))
        return claimed

    def _claim(self, path: Path, *, has_marker: bool) -> Path:
        claim = self._root / CLAIMED / self._ids.delivery()
        claim.mkdir()
        if has_marker:
            path.with_name(path.name + READY_SUFFIX).replace(claim / (path.name + READY_SUFFIX))
        path.replace(claim / path.name)
        files.sync_directory(claim)
        _log.info("claimed", name=path.name, delivery=claim.name)
        return claim

    async def _take(self, claim: Path) -> None:
        """Spool a claim and see it through; repeated until it is confirmed or refused."""
        while True:
            try:
                await self._spool(claim)
                outcome = await self._keeper.ended(DeliveryId(claim.name))
            except Plotter2Error as wrong:
                if not wrong.retry:
                    await self._put_aside(claim, wrong.message)
                    return
                _log.warning("dropbox.waits", delivery=claim.name, why=wrong.message)
            except OSError as wrong:
                _log.warning("dropbox.waits", delivery=claim.name, why=str(wrong))
            except Exception as wrong:  # noqa: BLE001 -- the last boundary before what a stranger put there
                # Were it to end the stager, the same claim would end it again after each start.
                _log.exception("dropbox.failed", delivery=claim.name)
                await self._put_aside(claim, f"It cannot be read: {type(wrong).__name__}.")
                return
            else:
                if isinstance(outcome, Refusal):
                    await self._put_aside(claim, outcome.reason)
                else:
                    await asyncio.to_thread(shutil.rmtree, claim, ignore_errors=True)
                return
            await asyncio.sleep(RETRY_S)

    async def _put_aside(self, claim: Path, reason: str) -> None:
        await self._keeper.spoil(DeliveryId(claim.name))
        await asyncio.to_thread(self._refuse, claim, reason)

    async def _spool(self, claim: Path) -> None:
        delivery_id = DeliveryId(claim.name)
        if await self._keeper.outcome(delivery_id) is not None:
            return
        named = await asyncio.to_thread(self._named, claim)
        self._keeper.check_room(named.order)  # before it is read: a file of petabytes that are not there can be named
        drop = await asyncio.to_thread(_hashed, named)
        async with self._keeper.receiving(drop.order, frozenset()) as receiver:
            if receiver is not None:
                await self._keeper.seal(await asyncio.to_thread(_copy, receiver, drop))

    def _named(self, claim: Path) -> Drop:
        """A claim by names and sizes: what can be refused by these is refused before anything is read."""
        has_marker = any(path.name.endswith(READY_SUFFIX) for path in claim.iterdir())
        inside = [path for path in claim.iterdir() if not path.name.endswith(READY_SUFFIX)]
        child = inside[0] if inside else next(claim.iterdir())
        found = packing.collect(child)
        text = read_manifest(child) or manifest.write(USER, self._clock.now(), {})
        paper = manifest.parse(text)
        if has_marker:
            check_listed(paper)
        bundle = BundlePath(bundle_of(paper, child.name))
        order, _ = examined(Order(DeliveryId(claim.name), bundle, text, tuple(local.entry for local in found)))
        for warning in paper.warnings:
            _log.warning("dropbox.odd", delivery=claim.name, why=warning)
        return Drop(order, paper, found, packing.source(child))

    def _refuse(self, claim: Path, reason: str) -> None:
        _log.warning("dropbox.refused", delivery=claim.name, reason=reason)
        refused = claim.replace(self._root / REFUSED / claim.name)
        is_free = not (refused / REASON_FILE).exists()
        files.write_durably(refused / (REASON_FILE if is_free else OTHER_REASON_FILE), _utf8(reason + "\n"))


def _utf8(text: str) -> bytes:
    """Names that are no text, spelled out."""
    return text.encode(errors="backslashreplace")


def _hashed(drop: Drop) -> Drop:
    found = packing.hashed(drop.found)
    return replace(drop, order=replace(drop.order, files=tuple(local.entry for local in found)), found=found)


def _copy(receiver: Receiver, drop: Drop) -> Order:
    token, _ = receiver.take()
    try:
        for _ in Fetcher(receiver, token, drop.order, drop.source).steps():
            pass  # what it leaves out is read once more, so that it is said what is wrong with it
        for batch in packing.batches(drop.found, receiver.offsets(token)):
            receiver.write(token, batch)
        return completed(receiver, token, [], drop.paper)
    finally:
        receiver.close(token)


async def _either(changes: asyncio.Event, limit_s: float) -> None:
    try:
        async with asyncio.timeout(limit_s):
            await changes.wait()
    except TimeoutError:
        return
