"""The whole stager over real gRPC, against a small manager that installs for real."""

from __future__ import annotations

import asyncio
import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from plotter2 import rpc
from plotter2.api.v1 import stager_pb2 as pb
from plotter2.api.v1.stager_pb2_grpc import StagerServiceStub
from plotter2.client import packing
from plotter2.client.upload import METHOD
from plotter2.clock import Instant
from plotter2.errors import (
    AlteredError,
    ConflictError,
    LimitError,
    ManifestError,
    NotFoundError,
    PackageError,
    PathRefusedError,
    RefusedError,
    UnreachableError,
    UsageError,
)
from plotter2.layout import Layout
from plotter2.model import manifest
from plotter2.model.delivery import delivery_of_key
from tests.stagerkit import (
    CONTENTS,
    IDS,
    PAPER,
    WAIT_S,
    FakeManager,
    send,
    serving,
    stager_inside,
    tree,
    until,
)

pytestmark = pytest.mark.usefixtures("far")


def begin(delivery_id: str, *entries: tuple[str, bytes], bundle: str = "b", paper: str = PAPER) -> pb.UploadRequest:
    request = pb.UploadRequest()
    request.begin.delivery_id, request.begin.bundle, request.begin.manifest_json = delivery_id, bundle, paper
    for path, data in entries:
        digest = blake3(data).digest()
        request.begin.files.add(path=path, size_bytes=len(data), digest=digest, mode=0o644)
    return request


@pytest.mark.req("r014", "r075")
async def test_a_directory_arrives_whole(tmp_path: Path, address: str, manager: FakeManager, layout: Layout) -> None:
    told: list[tuple[int, int]] = []
    path = tree(tmp_path / "data", CONTENTS)
    pushed = await send(path, "group/data", address, on_progress=lambda done, total: told.append((done, total)))
    assert manager.contents("group/data") == CONTENTS
    assert (pushed.bundle, pushed.version, pushed.files, pushed.is_new) == ("group/data", 1, 4, True)
    assert pushed.size_bytes == sum(len(data) for data in CONTENTS.values())
    assert pushed.request_id.startswith("req-")
    assert told[-1] == (pushed.size_bytes, pushed.size_bytes)
    await until(lambda: not [path for path in layout.spool.iterdir() if path.is_dir()])


async def test_a_single_file_is_a_bundle(tmp_path: Path, address: str, manager: FakeManager) -> None:
    tree(tmp_path, {"table.csv": b"a,b\n1,2\n"})
    await send(tmp_path / "table.csv", "tables/one", address)
    assert manager.contents("tables/one") == {"table.csv": b"a,b\n1,2\n"}


async def test_what_the_manager_has_is_not_sent_again(tmp_path: Path, address: str, manager: FakeManager) -> None:
    path = tree(tmp_path / "data", CONTENTS)
    await send(path, "b", address)
    (path / "new.txt").write_bytes(b"new")
    sent: list[int] = []
    await send(path, "b", address, on_progress=lambda done, _total: sent.append(done))
    assert sent[0] == sum(len(data) for data in CONTENTS.values())  # there before the first byte was sent
    assert manager.contents("b") == {**CONTENTS, "new.txt": b"new"}


@pytest.mark.req("r056")
async def test_the_manifest_that_lies_there_is_used(tmp_path: Path, address: str, manager: FakeManager) -> None:
    own = manifest.write("grace", Instant(1.7e9), {}, {"note": 1})
    path = tree(tmp_path / "data", {"manifest.json": own.encode(), "a": b"a"})
    await send(path, "b", address)
    assert next(iter(manager.installed.values())).manifest_json == own


@pytest.mark.req("r067")
@pytest.mark.parametrize("key", ["date", "time", "user", "manifest_version", "meta", "contains"])
async def test_a_manifest_that_misses_a_key_names_it(tmp_path: Path, address: str, key: str) -> None:
    paper = json.loads(PAPER)
    del paper[key]
    path = tree(tmp_path / "data", {"manifest.json": json.dumps(paper).encode()})
    with pytest.raises(ManifestError, match=key):
        await send(path, "b", address)


async def test_bad_input_is_one_sentence(tmp_path: Path, address: str, manager: FakeManager) -> None:
    with pytest.raises(UsageError, match="There is no file or directory"):
        await send(tmp_path / "nowhere", "b", address)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="is empty"):
        await send(tmp_path / "empty", "b", address)
    data = tree(tmp_path / "data", {"a": b"a"})
    with pytest.raises(PathRefusedError, match=r"\.\."):
        await send(data, "../b", address)
    (data / "link").symlink_to("a")
    with pytest.raises(RefusedError, match="link is a symbolic link"):
        await send(data, "b", address)
    (data / "link").unlink()
    os.mkfifo(data / "pipe")
    with pytest.raises(RefusedError, match="pipe is a pipe"):
        await send(data, "b", address)
    (data / "pipe").unlink()
    tree(data, {"manifest.json": b"{"})
    with pytest.raises(ManifestError, match="not JSON"):
        await send(data, "b", address)
    assert not manager.calls


async def test_a_file_that_changes_is_named(tmp_path: Path, address: str, manager: FakeManager) -> None:
    path = tree(tmp_path / "data", {"a": b"a" * 1000, "big": b"b" * (8 << 20)})

    def change(_done: int, _total: int) -> None:
        (path / "big").write_bytes(b"c" * (8 << 20))

    with pytest.raises(AlteredError, match="big changed while it was read"):
        await send(path, "b", address, on_progress=change)
    assert not manager.calls


@pytest.mark.req("r075")
async def test_a_refusal_of_the_manager_reaches_the_sender(
    tmp_path: Path, address: str, manager: FakeManager, layout: Layout
) -> None:
    manager.refusal = PackageError("package.json: 'service' is wrong.")
    path = tree(tmp_path / "data", {"a": b"a"})
    delivery = IDS.delivery()
    with pytest.raises(PackageError, match="'service' is wrong"):
        await send(path, "b", address, delivery_id=delivery)
    async with rpc.connect(address) as channel:
        stub = StagerServiceStub(channel)
        answer = await stub.GetDelivery(pb.GetDeliveryRequest(delivery_id=delivery))
        assert (answer.state, answer.reason_code) == (pb.DELIVERY_STATE_REFUSED, "package")
        backlog = await stub.GetBacklog(pb.GetBacklogRequest())
        assert backlog.sealed == 0
    assert (layout.spool / delivery / "0").read_bytes() == b"a"  # kept until the room is needed


@pytest.mark.req("r075")
async def test_the_stager_works_while_the_manager_is_away(tmp_path: Path, layout: Layout) -> None:
    path = tree(tmp_path / "data", CONTENTS)
    manager = FakeManager()
    async with serving(manager) as manager_address:
        port = int(manager_address.rpartition(":")[2])
    async with stager_inside(layout, manager_address) as address:
        pushed = await send(path, "b", address, wait=False)
        assert (pushed.version, pushed.request_id) == (0, "")
        async with serving(manager, port), rpc.connect(address) as channel:
            stub = StagerServiceStub(channel)
            answer = await stub.GetDelivery(pb.GetDeliveryRequest(delivery_id=pushed.delivery_id, wait_s=WAIT_S))
            assert answer.state == pb.DELIVERY_STATE_CONFIRMED
    assert manager.contents("b") == CONTENTS


async def test_without_a_shared_file_system_content_is_put(tmp_path: Path, layout: Layout) -> None:
    manager = FakeManager(installation="another")
    async with serving(manager) as manager_address, stager_inside(layout, manager_address) as address:
        await send(tree(tmp_path / "data", CONTENTS), "b", address)
    assert manager.contents("b") == CONTENTS
    assert manager.put == len(CONTENTS)
    assert not manager.calls[-1].spool_path


async def test_deliveries_of_one_bundle_keep_their_order(tmp_path: Path, address: str, manager: FakeManager) -> None:
    manager.gate.clear()
    for number in range(5):
        await send(tree(tmp_path / str(number), {"n": str(number).encode()}), "b", address, wait=False)
    await send(tree(tmp_path / "other", {"n": b"other"}), "c", address, wait=False)
    await until(lambda: len(manager.calls) == 2)  # the oldest of each bundle
    assert {call.bundle for call in manager.calls} == {"b", "c"}
    manager.gate.set()
    await until(lambda: len(manager.installed) == 6)
    order = [manager.blobs[one.files[0].digest] for one in manager.installed.values() if one.bundle == "b"]
    assert order == [b"0", b"1", b"2", b"3", b"4"]


async def test_no_room_is_said_before_a_byte_is_sent(tmp_path: Path, layout: Layout, manager: FakeManager) -> None:
    path = tree(tmp_path / "data", {"a": b"a" * 100_000})
    async with (
        serving(manager) as manager_address,
        stager_inside(layout, manager_address, quota_bytes=50_000) as address,
    ):
        with pytest.raises(RefusedError, match="needs 102400 bytes and the stager's quota is 50000 bytes") as wrong:
            await send(path, "b", address)
        assert not wrong.value.retry
        assert not [one for one in layout.spool.iterdir() if one.is_dir()]


async def test_a_repeat_under_the_same_name_is_recognised(tmp_path: Path, address: str, manager: FakeManager) -> None:
    path = tree(tmp_path / "data", {"a": b"a"})
    delivery = IDS.delivery()
    first = await send(path, "b", address, delivery_id=delivery)
    again = await send(path, "b", address, delivery_id=delivery)
    assert first == again
    assert len(manager.installed) == 1


@pytest.mark.req("r016")
async def test_other_content_under_the_name_of_a_push_that_has_ended_is_a_conflict(
    tmp_path: Path, address: str, manager: FakeManager
) -> None:
    path = tree(tmp_path / "data", {"a": b"a"})
    delivery = delivery_of_key("monday")
    first = await send(path, "b", address, delivery_id=delivery)
    (path / "manifest.json").write_text(PAPER)
    assert (await send(path, "b", address, delivery_id=delivery)).request_id == first.request_id  # newer paperwork
    (path / "a").write_bytes(b"b")
    for bundle, content in (("b", b"b"), ("c", b"a")):
        (path / "a").write_bytes(content)
        with pytest.raises(ConflictError, match="another push, with other files or to another bundle"):
            await send(path, bundle, address, delivery_id=delivery)
    assert len(manager.calls) == 1


@pytest.mark.req("r016")
async def test_a_refused_push_is_answered_with_its_refusal_and_what_was_mended_needs_a_key_of_its_own(
    tmp_path: Path, address: str, manager: FakeManager
) -> None:
    manager.refusal = PackageError("package.json is none.")
    path = tree(tmp_path / "data", {"a": b"a"})
    for _ in range(2):
        with pytest.raises(PackageError, match="is none"):
            await send(path, "b", address, delivery_id=delivery_of_key("k"))
    (path / "a").write_bytes(b"mended")
    with pytest.raises(ConflictError, match="a key of its own"):
        await send(path, "b", address, delivery_id=delivery_of_key("k"))
    assert len(manager.calls) == 1


async def test_a_broken_stream_goes_on_where_it_stood(address: str, manager: FakeManager, layout: Layout) -> None:
    delivery, data = IDS.delivery(), os.urandom(5 << 20)
    first = begin(delivery, ("a", b"first"), ("b", data))
    async with rpc.connect(address) as channel:
        call: Any = channel.stream_stream(METHOD, None, pb.UploadResponse.FromString)(None)
        await call.write(first.SerializeToString())
        assert list((await call.read()).resume.offsets) == [0, 0]
        await call.write(packing.frame([(0, 0, b"first"), (1, 0, data[: 1 << 20])]))
        await call.write(packing.frame([(1, 1 << 20, data[1 << 20 : 2 << 20])]))
        there = layout.spool / delivery / "1"
        await until(lambda: there.exists() and there.stat().st_size == 2 << 20)
        # A second stream takes over, whether or not the first one is known to be dead.
        other: Any = channel.stream_stream(METHOD, None, pb.UploadResponse.FromString)(None)
        await other.write(first.SerializeToString())
        assert list((await other.read()).resume.offsets) == [5, 2 << 20]
        await other.write(packing.frame([(1, 2 << 20, data[2 << 20 :])]))
        await other.write(pb.UploadRequest(seal=pb.UploadSeal()).SerializeToString())
        await other.done_writing()
        assert await last_step(other) == "sealed"
        await call.write(packing.frame([(1, 2 << 20, data[2 << 20 :])]))
        await call.done_writing()
        with pytest.raises(ConflictError, match="another stream"):
            await last_step(call)
    await until(lambda: delivery in manager.installed)
    assert manager.contents("b") == {"a": b"first", "b": data}


async def last_step(call: Any) -> str | None:
    step = None
    with rpc.errors():
        while isinstance(message := await call.read(), pb.UploadResponse):
            step = message.WhichOneof("step")
    return step


async def refusal(address: str, *messages: bytes) -> None:
    async with rpc.connect(address) as channel:
        call: Any = channel.stream_stream(METHOD, None, pb.UploadResponse.FromString)(None)
        with rpc.errors():
            try:
                for message in messages:
                    await call.write(message)
                await call.done_writing()
            except asyncio.InvalidStateError:
                pass  # it is refused already
            while True:
                message = await call.read()
                assert isinstance(message, pb.UploadResponse), "the stager took it"


SEAL = pb.UploadRequest(seal=pb.UploadSeal()).SerializeToString()


async def test_a_refusal_in_the_middle_is_heard_by_a_sender_that_is_writing(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tree(tmp_path / "data", {"a": os.urandom(64 << 20)})

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("stager.receiver._write_all", full)
    with pytest.raises(LimitError, match="disk is full"):
        await send(path, "b", address)


async def test_what_was_declared_must_come(address: str, layout: Layout) -> None:
    declared = begin(IDS.delivery(), ("a", b"abc")).SerializeToString()
    with pytest.raises(AlteredError, match="'a' changed while it was read"):
        await refusal(address, declared, packing.frame([(0, 0, b"xyz")]), SEAL)
    await until(lambda: not [one for one in layout.spool.iterdir() if one.is_dir()])
    declared = begin(IDS.delivery(), ("a", b"abc")).SerializeToString()
    with pytest.raises(UsageError, match="Only 2 of the 3 bytes"):
        await refusal(address, declared, packing.frame([(0, 0, b"ab")]), SEAL)
    with pytest.raises(UsageError, match="longer than the 3 bytes"):
        await refusal(
            address, begin(IDS.delivery(), ("a", b"abc")).SerializeToString(), packing.frame([(0, 0, b"abcd")])
        )
    with pytest.raises(UsageError, match="next one must begin at 0"):
        await refusal(address, begin(IDS.delivery(), ("a", b"abc")).SerializeToString(), packing.frame([(0, 1, b"bc")]))
    with pytest.raises(UsageError, match="file number 7"):
        await refusal(address, begin(IDS.delivery(), ("a", b"abc")).SerializeToString(), packing.frame([(7, 0, b"bc")]))
    with pytest.raises(UsageError, match="without Seal"):
        await refusal(address, begin(IDS.delivery(), ("a", b"abc")).SerializeToString())
    with pytest.raises(UsageError, match="begins with Begin"):
        await refusal(address, SEAL)
    with pytest.raises(UsageError, match="cannot be read"):
        await refusal(address, b"\x12\xff\xff")


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([("../a", b"")], "may not contain '..'"),
        ([("/etc/passwd", b"")], "must be relative"),
        ([("a/../../b", b"")], "may not contain '..'"),
        ([("a", b""), ("a", b"")], "the same"),
        ([("Read", b""), ("read", b"")], "the same"),
        ([("u\u0308", b""), ("\u00fc", b"")], "the same"),
        ([("a", b""), ("a/b", b"")], "a file and the directory"),
        ([("x" * 300, b"")], "longer than 255"),
    ],
)
async def test_a_bad_name_is_refused_before_a_byte(address: str, entries: list[tuple[str, bytes]], said: str) -> None:
    with pytest.raises(PathRefusedError, match=said):
        await refusal(address, begin(IDS.delivery(), *entries).SerializeToString())


async def test_one_name_is_one_delivery(address: str) -> None:
    delivery = IDS.delivery()
    with pytest.raises(UsageError):
        await refusal(address, begin(delivery, ("a", b"a")).SerializeToString())
    with pytest.raises(ConflictError, match="other files"):
        await refusal(address, begin(delivery, ("a", b"b")).SerializeToString())


async def test_an_unknown_delivery_is_said_to_be_unknown(address: str) -> None:
    async with rpc.connect(address) as channel:
        with pytest.raises(NotFoundError), rpc.errors():
            await StagerServiceStub(channel).GetDelivery(pb.GetDeliveryRequest(delivery_id=IDS.delivery()))


async def test_nobody_there_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError):
        await send(tree(tmp_path / "data", {"a": b"a"}), "b", "127.0.0.1:1")


@pytest.mark.req("r075")
async def test_uploads_at_the_same_time_all_arrive(tmp_path: Path, address: str, manager: FakeManager) -> None:
    paths = [tree(tmp_path / str(number), {"n": os.urandom(200_000)}) for number in range(20)]
    pushed = await asyncio.gather(*(send(path, f"b{path.name}", address) for path in paths))
    assert sorted(one.bundle for one in pushed) == sorted(f"b{number}" for number in range(20))
    for path in paths:
        assert manager.contents(f"b{path.name}") == {"n": (path / "n").read_bytes()}
