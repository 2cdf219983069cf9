"""Hostile deliveries (requirements 014, 015, 057): one table of cases, each sent three ways to one stager process.

Through the SDK from a directory that lies on the disk, by hand-made gRPC messages from a sender that checks nothing,
and through the drop box. Each is refused in one sentence within a second of the stager's own time, its memory stays
bounded, nothing is written outside of the stager's directories, and nothing of it stays there.
"""

from __future__ import annotations

import asyncio
import bz2
import json
import os
import re
import shutil
import stat
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from blake3 import blake3

from plotter2 import rpc
from plotter2.api.v1 import stager_pb2 as pb
from plotter2.api.v1.stager_pb2_grpc import StagerServiceStub
from plotter2.client import packing
from plotter2.client.upload import METHOD
from plotter2.errors import Plotter2Error
from plotter2.layout import Layout
from plotter2.model.delivery import FILES_MAX
from tests.stagerkit import IDS, PAPER, StagerProcess, drop, home_at, send, stager_process, until

NOBODY = "127.0.0.1:1"
"""The manager is away: whatever is refused here, the stager refuses."""
SECONDS_MAX = 1.0
GROWTH_BYTES_MAX = 256 << 20
SECRET = b"secret"
NFC, NFD = "\u00fc", "u\u0308"

Disk = Callable[[Path], None]
Entry = tuple[str, bytes, int]


@dataclass(frozen=True)
class Hostile:
    """One case: what lies on the disk, what is said over the line, and what is answered.

    `begin` is what Begin says, in bytes of protobuf, for what its classes cannot say.
    """

    said: str
    disk: Disk
    entries: tuple[Entry, ...] = ()
    bundle: str = "hostile"
    paper: str = PAPER
    begin: bytes = b""
    line_said: str = ""


def files(contents: dict[str, bytes]) -> Disk:
    def write(root: Path) -> None:
        for name, data in contents.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(data)

    return write


def entries(contents: dict[str, bytes]) -> tuple[Entry, ...]:
    return tuple((name, data, 0o644) for name, data in contents.items())


def special(make: Callable[[Path], object]) -> Disk:
    def write(root: Path) -> None:
        (root / "a").write_bytes(b"a")
        make(root / "thing")

    return write


def linked(target: str) -> Disk:
    return special(lambda path: path.symlink_to(target))


def device(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except PermissionError:  # only root makes devices
        os.mkfifo(path)


def in_manifest(said: str, meta: str) -> Hostile:
    """A flaw in the manifest, which travels as text."""
    text = PAPER.replace('"meta": {}', f'"meta": {{"a": {meta}}}')
    return Hostile(said, files({"a": b"a", "manifest.json": text.encode()}), entries({"a": b"a"}), paper=text)


def in_package(said: str, text: bytes) -> Hostile:
    """A flaw in package.json, which is content."""
    contents = {"package.json": text}
    return Hostile(said, files(contents), entries(contents))


def content(said: str, contents: dict[str, bytes]) -> Hostile:
    return Hostile(said, files(contents), entries(contents))


def to_bundle(name: str, said: str) -> Hostile:
    text = json.dumps({**json.loads(PAPER), "meta": {"bundle": name}})
    return Hostile(said, files({"a": b"a", "manifest.json": text.encode()}), entries({"a": b"a"}), name, text)


def many(root: Path) -> None:
    """More files than may be; names of one file are enough."""
    (root / "0").write_bytes(b"")
    for number in range(1, FILES_MAX + 2):
        if number % 30_000 == 0:  # file systems limit how many names one file has
            (root / str(number)).write_bytes(b"")
        else:
            os.link(root / str(number // 30_000 * 30_000), root / str(number))


def zip_of(size: int, members: int) -> bytes:
    """A zip whose table says that each of its members becomes so many bytes."""
    table = (struct.pack("<4s20xL3H12x", b"PK\x01\x02", size, 1, 0, 0) + b"a") * members
    return b"PK\x03\x04" + table + struct.pack("<4s4x2H2LH", b"PK\x05\x06", members, members, len(table), 4, 0)


ZEROS = bz2.compress(bytes(32 << 20))
DEEP = "/".join(["d"] * 40)
BAD_NAME, BAD_TEXT = b"bad\xff", b'{"date": "\xff"}'

CASES: dict[str, Hostile] = {
    "bundle above": to_bundle("../../outside", r"may not contain '\.\.'"),
    "bundle absolute": to_bundle("/outside", "must be relative"),
    "name above": Hostile("is a symbolic link", linked("../../../outside/secret"), (("../../outside/x", b"x", 0o644),),
                          line_said=r"may not contain '\.\.'"),
    "name absolute": Hostile("is a symbolic link", linked("/etc/passwd"), (("/outside/x", b"x", 0o644),),
                             line_said="must be relative"),
    "link to a directory": Hostile("is a symbolic link", linked("../../outside"), (("thing", b"x", 0o120777),),
                                   line_said="permissions 120777"),
    "device": Hostile("is a device|is a pipe", special(device), (("thing", b"", 0o020600),),
                      line_said="permissions 20600"),
    "pipe": Hostile("is a pipe", special(os.mkfifo), (("thing", b"", 0o010600),), line_said="permissions 10600"),
    "deep directories": content("nested deeper than 32 levels", {f"{DEEP}/a": b"a"}),
    "name that is no text": Hostile("not valid Unicode", lambda root: (root / os.fsdecode(BAD_NAME)).touch(),
                                    begin=b"\x22\x06\x0a\x04" + BAD_NAME, line_said="cannot be read"),
    "manifest that is no text": Hostile("not UTF-8 text", files({"a": b"a", "manifest.json": BAD_TEXT}),
                                        begin=b"\x1a" + bytes([len(BAD_TEXT)]) + BAD_TEXT, line_said="cannot be read"),
    "upper and lower case": content("the same on some file systems", {"Read.me": b"", "read.me": b""}),
    "Unicode forms": content("the same on some file systems", {f"{NFC}/a": b"", f"{NFD}/a": b""}),
    "a million files": Hostile("more than", many, begin=b"\x22\x00" * 1_000_000),
    "zip of terabytes": content("would unpack to about", {"a.zip": zip_of(0xFFFF_FFF0, 1000)}),
    "stream of terabytes": content("would unpack to about", {"a.bz2": ZEROS + bytes(4 << 20)}),
    "NaN": in_manifest("NaN, which is no finite number", "NaN"),
    "number beyond all": in_manifest("which is no finite number", "1e400"),
    "ten to the four hundred": in_manifest("which is no finite number", "1" + "0" * 400),
    "key twice": in_manifest("'meta.a.b' stands twice", '{"b": 1, "b": 2}'),
    "hundred levels": in_manifest("nested deeper than 64 levels", "[" * 100 + "]" * 100),
    "million brackets": in_manifest("more than 600000 values", "[" * 1_000_000),
    "half a character": in_manifest("half of a surrogate pair", '"\\ud800"'),
    "NaN in package.json": in_package("NaN, which is no finite number", b'{"tags": {"a": NaN}}'),
    "number beyond all in package.json": in_package("no finite number", b'{"tags": {"a": 1e400}}'),
    "key twice in package.json": in_package("stands twice", b'{"tags": {}, "tags": {}}'),
    "hundred levels in package.json": in_package("nested deeper", b'{"config": ' + b"[" * 100 + b"]" * 100 + b"}"),
    "package.json that is no text": in_package("not UTF-8 text", b'{"name": "\xff"}'),
    "package.json of megabytes": in_package("more than 1048576 bytes", b" " * (2 << 20)),
}  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A stager of its own, and what lies outside of it."""

    layout: Layout
    stager: StagerProcess
    outside: Path

    def used(self) -> tuple[float, int]:
        process = psutil.Process(self.stager.process.pid)
        times = process.cpu_times()
        return times.user + times.system, process.memory_info().rss

    def seen(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in self.outside.parent.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    root = tmp_path_factory.mktemp("hostile")
    outside = root / "world" / "outside"
    outside.mkdir(parents=True)
    (outside / "secret").write_bytes(SECRET)
    layout = home_at(root / "home")
    with stager_process(layout, NOBODY, dropbox_settle_s="0.05") as stager:
        yield Target(layout, stager, outside)
    shutil.rmtree(root)


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Hostile:
    return CASES[str(request.param)]


@pytest.fixture
def data(tmp_path: Path, case: Hostile) -> Iterator[Path]:
    root = tmp_path / "data"
    root.mkdir()
    case.disk(root)
    yield root
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
async def refused(target: Target) -> Any:
    """What must hold afterwards, whichever way it came."""
    spent_s, held_bytes = target.used()
    world = target.seen()
    yield
    after_s, after_bytes = target.used()
    assert after_s - spent_s < SECONDS_MAX
    assert after_bytes - held_bytes < GROWTH_BYTES_MAX
    assert target.seen() == world
    async with rpc.connect(target.stager.address) as channel:
        left = await StagerServiceStub(channel).GetBacklog(pb.GetBacklogRequest())
    assert (left.receiving, left.sealed, left.size_bytes) == (0, 0, 0)
    assert [path.name for path in target.layout.spool.iterdir() if path.is_dir()] == []


@pytest.mark.req("r014", "r057")
@pytest.mark.usefixtures("refused")
async def test_from_the_sdk_it_is_refused(case: Hostile, data: Path, target: Target) -> None:
    with pytest.raises(Plotter2Error, match=case.said) as wrong:
        await send(data, case.bundle, target.stager.address)
    assert wrong.value.exit_code in {2, 3}
    assert not wrong.value.retry


@pytest.mark.req("r014", "r057")
@pytest.mark.usefixtures("refused")
async def test_over_the_line_from_a_sender_that_checks_nothing_it_is_refused(case: Hostile, target: Target) -> None:
    with pytest.raises(Plotter2Error, match=case.line_said or case.said) as wrong:
        await shout(target.stager.address, case)
    assert wrong.value.exit_code in {2, 3}
    assert not wrong.value.retry


@pytest.mark.req("r015", "r057")
@pytest.mark.usefixtures("refused")
async def test_from_the_drop_box_it_is_put_aside_with_the_reason(case: Hostile, data: Path, target: Target) -> None:
    aside = target.layout.dropbox / ".refused"
    before = set(aside.iterdir())
    await drop(data, target.layout.dropbox / "dropped")
    await until(lambda: reason(aside, before) != "")
    assert re.search(case.said, reason(aside, before))
    shutil.rmtree(next(iter(set(aside.iterdir()) - before)))


def reason(aside: Path, before: set[Path]) -> str:
    found = [path / "reason.txt" for path in set(aside.iterdir()) - before]
    return next((path.read_text() for path in found if path.exists()), "")


async def shout(address: str, case: Hostile) -> None:
    """Begin, everything, Seal: whatever is answered meanwhile."""
    request = pb.UploadRequest()
    request.begin.delivery_id, request.begin.bundle = IDS.delivery(), case.bundle
    request.begin.manifest_json = case.paper
    for path, data, mode in case.entries:
        request.begin.files.add(path=path, size_bytes=len(data), digest=blake3(data).digest(), mode=mode)
    # Messages of protobuf are merged where they meet: what is appended is as if it had been said.
    raw = request.SerializeToString()
    if case.begin:
        raw += b"\x0a" + varint(len(case.begin)) + case.begin
    pieces = [(index, 0, data) for index, (_, data, _) in enumerate(case.entries) if data]
    async with rpc.connect(address) as channel:
        call: Any = channel.stream_stream(METHOD, None, pb.UploadResponse.FromString)(None)
        ending = rpc.Ending(call)
        with suppress(asyncio.InvalidStateError, Plotter2Error), rpc.errors():  # refused while we still write
            for message in (raw, packing.frame(pieces), pb.UploadRequest(seal=pb.UploadSeal()).SerializeToString()):
                await call.write(message)
            await call.done_writing()
        with suppress(asyncio.InvalidStateError, Plotter2Error), rpc.errors():
            while isinstance(message := await call.read(), pb.UploadResponse):
                assert message.WhichOneof("step") != "sealed", "the stager took it"
        raise ending.error(address) or AssertionError("the stager said nothing")


def varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*made, value])
