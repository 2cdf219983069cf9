"""Ingest: one large file and many small ones, acknowledged on disk, beside a copy with fsync."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import plotter2
from bench.report import Measure, note
from plotter2.client import packing
from plotter2.clock import SystemClock

MIB = 1 << 20
SMALL_BYTES = 64 << 10
CLOCK = SystemClock()


def large(home: Path, work: Path, size_bytes: int) -> Iterator[Measure]:
    """MiB/s of one file: acknowledged on disk, installed, and on disk when it comes as from another machine."""
    source = work / "large" / "data.bin"
    source.parent.mkdir(parents=True)
    chance = random.Random(1)  # noqa: S311 -- data to send, not a secret
    with source.open("wb") as file:
        for _ in range(max(1, size_bytes // MIB)):
            file.write(chance.randbytes(MIB))
        file.flush()
        os.fsync(file.fileno())
    size_mib = source.stat().st_size / MIB
    note(f"one file of {size_mib:.0f} MiB")
    limit = size_mib / _copied([source], work / "copy")
    for name, is_waiting in (("ingest_large_file", False), ("ingest_large_file_installed", True)):
        passed = _pushed(home, source.parent, f"bench/{name}", wait=is_waiting)
        yield Measure(name, size_mib / passed, "MiB/s", "cp+fsync", limit)
        _touch(source)
    with mock.patch("plotter2.client.upload.boot_id", return_value="another machine"):
        passed = _pushed(home, source.parent, "bench/streamed", wait=False)
    yield Measure("ingest_large_file_streamed", size_mib / passed, "MiB/s", "cp+fsync", limit)
    shutil.rmtree(source.parent)
    shutil.rmtree(work / "copy")


def small(home: Path, work: Path, count: int) -> Iterator[Measure]:
    """Files/s of 64 KiB files."""
    folder = work / "small"
    folder.mkdir(parents=True)
    chance = random.Random(2)  # noqa: S311 -- data to send, not a secret
    files = [folder / f"{number:06d}.bin" for number in range(count)]
    for path in files:
        path.write_bytes(chance.randbytes(SMALL_BYTES))
    os.sync()
    note(f"{count} files of 64 KiB")
    limit = count / _copied(files, work / "copy")
    for name, is_waiting in (("ingest_small_files", False), ("ingest_small_files_installed", True)):
        yield Measure(
            name, count / _pushed(home, folder, f"bench/{name}", wait=is_waiting), "files/s", "cp+fsync", limit
        )
        for path in files:
            _touch(path)
    shutil.rmtree(folder)
    shutil.rmtree(work / "copy")


def again(home: Path, work: Path, count: int) -> Iterator[Measure]:
    """Files/s of a bundle of 64 KiB files that is pushed again unchanged, beside finding and hashing them alone."""
    folder = work / "again"
    folder.mkdir(parents=True)
    chance = random.Random(3)  # noqa: S311 -- data to send, not a secret
    for number in range(count):
        (folder / f"{number:06d}.bin").write_bytes(chance.randbytes(SMALL_BYTES))
    note(f"{count} files of 64 KiB, pushed again")
    _pushed(home, folder, "bench/again", wait=True)
    started = CLOCK.monotonic()
    packing.hashed(packing.collect(folder))
    limit = count / (CLOCK.monotonic() - started)
    passed = _pushed(home, folder, "bench/again", wait=True)
    yield Measure("repush_unchanged", count / passed, "files/s", "hashing alone", limit)
    shutil.rmtree(folder)


def _touch(path: Path) -> None:
    # Content that never was before, so that the next push is not answered from what is in the store.
    with path.open("r+b") as file:
        first = file.read(1)
        file.seek(0)
        file.write(bytes([(first[0] + 1) % 256]))


def _pushed(home: Path, path: Path, bundle: str, *, wait: bool) -> float:
    with plotter2.connect(home=home) as p2:
        started = CLOCK.monotonic()
        p2.push(path, bundle, wait=wait)
        return CLOCK.monotonic() - started


def _copied(files: list[Path], target: Path) -> float:
    """The copies stay until the end: ext4 searches long for an inode where many were freed in the last minutes."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    started = CLOCK.monotonic()
    for path in files:
        copy = target / path.name
        shutil.copyfile(path, copy)
        handle = os.open(copy, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
    handle = os.open(target, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)
    return CLOCK.monotonic() - started
