"""The sending side of a push: a directory or file becomes one delivery at the stager, resumed by itself when it breaks.

Everything that can be refused is refused before the first byte is sent. Memory is bounded whatever the sizes: two
batches of content, and one small record a file. Used by the SDK, the CLI, and the servicer's harvest.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plotter2 import memory, rpc
from plotter2.api.v1 import stager_pb2 as pb
from plotter2.client import packing
from plotter2.client.packing import LocalFile
from plotter2.clock import Clock, IdSource
from plotter2.errors import LimitError, ManifestError, Plotter2Error, UnreachableError
from plotter2.host import boot_id
from plotter2.ids import DeliveryId
from plotter2.model import manifest, paths
from plotter2.model.bundle import MANIFEST_FILE
from plotter2.model.delivery import Order, checked
from plotter2.wire.bundles import bundle_from_proto, file_entry_to_proto

if TYPE_CHECKING:
    from plotter2.rpc import Channel

METHOD = "/plotter2.api.v1.StagerService/Upload"
PATIENCE_S = 60.0
"""How long a broken upload is taken up again without getting any further."""
PAUSE_S = 0.1
PAUSE_S_MAX = 1.0
HASH_BATCH_BYTES = 16 << 20
HASH_BATCH_FILES = 256

OnProgress = Callable[[int, int], None]
"""Bytes that are there, bytes in all."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of a push.

    Attributes:
        version: 0 when it was not waited for; `digest` (hexadecimal) and `request_id` are empty then.
        held: why it is held in quarantine, "" for what was taken in: it is safe there, and no version was made.
        is_new: False when the content was the same as the newest version.
        warnings: what is odd about the manifest and yet taken, one sentence each.
    """

    bundle: str
    version: int
    digest: str
    files: int
    size_bytes: int
    request_id: str
    is_new: bool
    delivery_id: str
    held: str = ""
    warnings: tuple[str, ...] = ()


async def push(  # noqa: PLR0913 -- what a push is
    path: Path,
    bundle: str,
    *,
    stager_address: str,
    user: str,
    clock: Clock,
    ids: IdSource,
    manifest_json: str | None = None,
    service_id: str = "",
    wait: bool = True,
    on_progress: OnProgress | None = None,
    meta: dict[str, Any] | None = None,
    delivery_id: DeliveryId | None = None,
) -> Pushed:
    """Send a directory or a file into a bundle.

    Args:
        path: what to send; its `manifest.json`, where it has one, is the manifest.
        bundle: where it goes.
        stager_address: `host:port`.
        user: whom the manifest names, where we write it.
        clock: for the manifest, and for patience.
        ids: where the delivery's name comes from.
        manifest_json: a manifest to use in any case.
        service_id: the service run whose output this is.
        wait: until the manager has it; else until it is safe on the stager's disk.
        on_progress: called with bytes that are there and bytes in all.
        meta: goes into the manifest that we write.
        delivery_id: a name chosen before, so that a repeat of the whole call is recognised.

    Raises:
        UsageError: nothing is there, or nothing is in it.
        RefusedError: what is there cannot be sent, or plotter2 does not want it; the reason is the message.
        UnreachableError: no stager answers, or not any more.
    """
    memory.reuse()
    goal = paths.bundle_path(bundle)
    found = await asyncio.to_thread(packing.collect, path)
    text = await asyncio.to_thread(_manifest, path, user, clock, meta) if manifest_json is None else manifest_json
    chosen = delivery_id or ids.delivery()
    checked(Order(chosen, goal, text, tuple(local.entry for local in found), service_id))
    ready = await _hash(found)
    order = Order(chosen, goal, text, tuple(local.entry for local in ready), service_id)
    sending = Upload(stager_address, order, ready, packing.source(path), clock, on_progress, wait=wait)
    told = await sending.run()
    size_bytes = order.size_bytes
    if told is None:
        return Pushed(
            goal, 0, "", len(ready), size_bytes, "", is_new=True, delivery_id=chosen, warnings=sending.warnings
        )
    made = bundle_from_proto(told.bundle)
    return Pushed(
        made.path,
        made.version,
        made.digest.hex(),
        len(ready),
        size_bytes,
        told.request_id,
        is_new=told.is_new,
        delivery_id=chosen,
        held=told.held,
        warnings=sending.warnings,
    )


def _manifest(path: Path, user: str, clock: Clock, meta: dict[str, Any] | None) -> str:
    """The manifest that lies in the directory, else one of ours."""
    own = path / MANIFEST_FILE
    if not path.is_dir() or not own.is_file():
        return manifest.write(user, clock.now(), {}, meta)
    if own.stat().st_size > manifest.BYTES_MAX:
        raise ManifestError(f"{own} is longer than {manifest.BYTES_MAX} bytes.")
    try:
        text = own.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ManifestError(f"{own} is not UTF-8 text.") from None
    manifest.parse(text)
    if not meta:
        return text
    document = json.loads(text)
    document["meta"] = {**document["meta"], **meta}
    return json.dumps(document, indent=2, ensure_ascii=False)


async def _hash(found: list[LocalFile]) -> list[LocalFile]:
    """Digests of all files, one batch after another.

    A large file takes all cores by itself, and two threads with many small ones only wait for each other.
    """
    ready: list[LocalFile] = []
    for part in _parts(found):
        ready += await asyncio.to_thread(packing.hashed, part)
    return ready


def _parts(found: list[LocalFile]) -> Iterator[list[LocalFile]]:
    part: list[LocalFile] = []
    size_bytes = 0
    for local in found:
        part.append(local)
        size_bytes += local.entry.size_bytes
        if size_bytes >= HASH_BATCH_BYTES or len(part) >= HASH_BATCH_FILES:
            yield part
            part, size_bytes = [], 0
    if part:
        yield part


class Upload:
    """One delivery on its way, over as many streams as it takes."""

    def __init__(  # noqa: PLR0913 -- what an upload is
        self,
        address: str,
        order: Order,
        found: Sequence[LocalFile],
        source: Path,
        clock: Clock,
        on_progress: OnProgress | None,
        *,
        wait: bool,
    ) -> None:
        self._address = address
        self._order = order
        self._found = found
        self._source = source
        self._clock = clock
        self._tell = on_progress or (lambda _done, _total: None)
        self._wait = wait
        self._size_bytes = order.size_bytes
        self._is_heard = False
        self._got_further_at = clock.monotonic()
        self.warnings: tuple[str, ...] = ()

    async def run(self) -> pb.UploadConfirmed | None:
        """Send until it is sealed, or with `wait` confirmed.

        Raises:
            UnreachableError: nobody answered at the first try, or nothing moved for a minute.
            RefusedError: it was refused.
        """
        pause_s = PAUSE_S
        while True:
            try:
                async with rpc.connect(self._address) as channel:
                    return await self._stream(channel)
            except UnreachableError as gone:
                if not self._is_heard or self._clock.monotonic() - self._got_further_at > PATIENCE_S:
                    raise gone from None
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, PAUSE_S_MAX)

    async def _stream(self, channel: Channel) -> pb.UploadConfirmed | None:
        # Not the stub's method: frames are made by `packing`, they need no serializer.
        call = channel.stream_stream(METHOD, None, pb.UploadResponse.FromString)(None)
        line = _Line(call, self._address)
        try:
            await line.write(self._begin().SerializeToString())
            resume = (await line.read("resume", self._fetched)).resume
            self._moved()
            if not resume.sealed:
                await self._send(line, resume.offsets)
            self.warnings = tuple((await line.read("sealed")).sealed.warnings)
            self._moved()
            self._tell(self._size_bytes, self._size_bytes)
            return (await line.read("confirmed")).confirmed if self._wait else None
        finally:
            call.cancel()

    def _begin(self) -> pb.UploadRequest:
        order = self._order
        begin = pb.UploadBegin(
            delivery_id=order.delivery_id,
            bundle=order.bundle,
            manifest_json=order.manifest_json,
            files=[file_entry_to_proto(entry) for entry in order.files],
            wait=self._wait,
            service_id=order.service_id,
            source=str(self._source),
            machine=boot_id(),
        )
        return pb.UploadRequest(begin=begin)

    async def _send(self, line: _Line, offsets: Sequence[int]) -> None:
        if len(offsets) != len(self._order.files):
            raise LimitError(f"The stager speaks of {len(offsets)} files, not of {len(self._order.files)}.")
        done_bytes = sum(offsets)
        self._tell(done_bytes, self._size_bytes)
        async with _prefetched(packing.batches(self._found, offsets)) as frames:
            async for length_bytes, frame in frames:
                await line.write(frame)
                done_bytes += length_bytes
                self._moved()
                self._tell(done_bytes, self._size_bytes)
        await line.write(pb.UploadRequest(seal=pb.UploadSeal()).SerializeToString())
        await line.done()

    def _fetched(self, received_bytes: int) -> None:
        """A stager on this machine takes the files by itself."""
        self._moved()
        self._tell(received_bytes, self._size_bytes)

    def _moved(self) -> None:
        self._is_heard = True
        self._got_further_at = self._clock.monotonic()


class _Line:
    """A stream whose writes and reads fail with errors of ours."""

    def __init__(self, call: Any, address: str) -> None:
        self._call = call
        self._address = address
        self._ending = rpc.Ending(call)

    async def write(self, frame: bytes) -> None:
        """One message out; waits while the other side is slow."""
        await self._surely(self._call.write(frame))

    async def done(self) -> None:
        """There is no more."""
        await self._surely(self._call.done_writing())

    async def read(self, wanted: str, on_progress: Callable[[int], None] = lambda _: None) -> pb.UploadResponse:
        """The next message that is not mere progress; that goes to `on_progress`, as bytes received."""
        while True:
            message = await self._surely(self._call.read())
            if not isinstance(message, pb.UploadResponse):
                raise self._why()
            match message.WhichOneof("step"):
                case "progress":
                    on_progress(message.progress.received_bytes)
                case step if step == wanted:
                    return message

    async def _surely(self, step: Awaitable[Any]) -> Any:
        try:
            with rpc.errors(self._address):
                return await step
        except (Plotter2Error, asyncio.InvalidStateError):
            raise self._why() from None

    def _why(self) -> Plotter2Error:
        """What the other side said when it ended the stream."""
        broken = UnreachableError(f"The stager at {self._address} ended the upload before it was complete.")
        return self._ending.error(self._address) or broken


@asynccontextmanager
async def _prefetched(batches: Iterator[list[packing.Piece]]) -> AsyncIterator[AsyncIterator[tuple[int, bytes]]]:
    """Frames with the bytes of content in each, read in a thread, one ahead of the line."""
    loop = asyncio.get_running_loop()

    def make() -> tuple[int, bytes] | None:
        batch = next(batches, None)
        return None if batch is None else (sum(len(data) for _, _, data in batch), packing.frame(batch))

    ahead = loop.run_in_executor(None, make)

    async def frames() -> AsyncIterator[tuple[int, bytes]]:
        nonlocal ahead
        while (made := await ahead) is not None:
            ahead = loop.run_in_executor(None, make)
            yield made

    try:
        yield frames()
    finally:
        await asyncio.wait([ahead])
        if not ahead.cancelled():
            ahead.exception()  # it is raised where it is awaited; one that nobody awaits any more does not matter
