"""The receiving side of a pull: files by digest, checked, in a scratch directory that takes its name when complete."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from blake3 import blake3

from plotter2 import rpc
from plotter2.api.v1 import manager_pb2
from plotter2.client.link import Link
from plotter2.client.views import Contents, File, Pulled
from plotter2.errors import CorruptionError, UsageError
from plotter2.model.paths import file_path

if TYPE_CHECKING:
    from plotter2.api.v1.manager_pb2_grpc import ManagerServiceAsyncStub as Stub

FILES_AT_ONCE = 8

OnProgress = Callable[[int, int], None]


async def pull(link: Link, contents: Contents, destination: Path, on_progress: OnProgress | None) -> Pulled:
    """Write every file of a version below `destination`.

    Raises:
        UsageError: the destination holds something already, or cannot be written.
        CorruptionError: what arrived is not what the digest says.
    """
    _check(destination)
    scratch = destination.with_name(f".{destination.name}.{os.getpid()}.part")
    try:
        _begin(scratch)
        await _fetch_all(link, contents, scratch, on_progress)
        _finish(scratch, destination)
    except OSError as wrong:
        raise UsageError(f"{destination} cannot be written: {wrong.strerror}.") from wrong
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    bundle = contents.bundle
    return Pulled(bundle.bundle, bundle.version, bundle.digest, bundle.files, bundle.size_bytes, str(destination))


def _check(destination: Path) -> None:
    if not destination.name:
        raise UsageError(f"{destination} is no place for a bundle; name a directory that is not there yet.")
    if destination.is_dir() and not any(destination.iterdir()):
        return
    if destination.exists() or destination.is_symlink():
        raise UsageError(f"{destination} is there already; pull into a new or empty directory.")


def _begin(scratch: Path) -> None:
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)


def _finish(scratch: Path, destination: Path) -> None:
    if destination.is_dir():
        destination.rmdir()
    scratch.rename(destination)


async def _fetch_all(link: Link, contents: Contents, root: Path, on_progress: OnProgress | None) -> None:
    total = sum(file.size_bytes for file in contents.files)
    done = 0
    waiting = iter(contents.files)

    def count(size: int) -> None:
        nonlocal done
        done += size
        if on_progress is not None:
            on_progress(done, total)

    async def work() -> None:
        for file in waiting:
            await _fetch(link, file, root, count)

    count(0)
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(min(FILES_AT_ONCE, len(contents.files))):
                group.create_task(work(), name=f"pull {number}")
    except ExceptionGroup as several:
        raise several.exceptions[0] from None


async def _fetch(link: Link, file: File, root: Path, count: Callable[[int], None]) -> None:
    target = root / file_path(file.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as out:
        await link.ask(lambda stub: _receive(stub, file, out, count))
    target.chmod(file.mode)


async def _receive(stub: Stub, file: File, out: IO[bytes], count: Callable[[int], None]) -> None:
    out.seek(0)
    out.truncate()
    hasher = blake3()
    message = manager_pb2.FetchBlobRequest(digest=bytes.fromhex(file.digest))
    with rpc.errors():
        async for part in stub.FetchBlob(message):
            hasher.update(part.data)
            out.write(part.data)
            count(len(part.data))
    if hasher.hexdigest() != file.digest:
        raise CorruptionError(f"{file.path} arrived with another content than its digest says; pull again.")
