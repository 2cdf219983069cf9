"""What is fuzzed: each target takes any bytes, and either takes them or refuses them in a sentence.

Anything but a refusal is a finding; so is what a target says of its own result.
"""

from __future__ import annotations

import io
import json
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from blake3 import blake3

from plotter2.api.v1 import stager_pb2 as pb
from plotter2.client import packing
from plotter2.clock import Instant
from plotter2.errors import RefusedError, UsageError
from plotter2.ids import DeliveryId
from plotter2.model import claims, delivery, document, manifest, package, paths
from plotter2.model.bundle import FileEntry
from plotter2.model.delivery import Order
from plotter2.model.paths import BundlePath
from stager import archives
from stager.frames import Chunk, decode
from stager.receiver import Receiver
from stager.wire import order_from_proto
from tests.fuzz import values

Target = Callable[[bytes], None]
REFUSALS = (RefusedError, UsageError)
PAPER = manifest.write(
    "ada", Instant(1.7e9), {"files": [{"path": "a", "sha256": "0" * 64, "size": 1}], "tasks": []}, {"bundle": "b"}
)
PACKAGE = json.dumps(
    {
        "parameters": {"lr": {"type": "float", "default": 0.1}},
        "service": {"command": ["{python}", "train.py", "{lr}"], "metrics": [{"format": "csv", "path": "m.csv"}]},
        "tasks": [{"name": "loss", "task_src": "loss.py", "linked": ["a"]}],
        "heads": {"x": {"file": "a.csv", "returns": "table{a: float64}"}},
        "standing": [{"name": "s", "on": "child", "run": ["loss"]}],
    }
)
WHOLE = b"hello"
PARTIAL = FileEntry("b", 9, blake3(b"123456789").digest())


def read_manifest(data: bytes) -> None:
    """Whatever is taken says the same to any other reader of JSON."""
    text = data.decode(errors="surrogateescape")
    found = manifest.parse(text)
    raw = json.loads(text)
    assert (found.user, found.time, found.meta) == (raw["user"], raw["time"], raw["meta"])
    text.encode()
    claims.check_names(found, [FileEntry("a", 1)])


def read_package(data: bytes) -> None:
    """What is let in is read again without a check, and by the one who looks for lines."""
    text = data.decode(errors="surrogateescape")
    found = package.parse(text)
    assert package.read(text) == found
    assert document.flaw(text) is None


def read_names(data: bytes) -> None:
    """No name leads out of its directory, and none changes on its way."""
    names = data.decode(errors="surrogateescape").split("\n")
    for name in names:
        assert paths.file_path(name) == name
        assert inside(name)
    delivery.check_names(names)
    for name in names:
        bundle = paths.bundle_path(name)
        assert paths.bundle_path(bundle) == bundle
        assert inside(bundle)


def inside(name: str) -> bool:
    """Whether a path stays below where it begins, on any system."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name and "\0" not in name


def read_messages(data: bytes) -> None:
    """A message of an upload, and the order that it may declare."""
    message = decode(data)
    if isinstance(message, Chunk) or message.WhichOneof("step") != "begin":
        return
    order, paper = delivery.examined(order_from_proto(message.begin))
    assert all(inside(entry.path) for entry in order.files)
    assert paper.user is not None
    assert delivery.examined(order) == (order, paper)


def receive(data: bytes) -> None:
    """Pieces in any order and at any place: what is on the disk is never more than was declared, nor anything else."""
    message = decode(data)
    if not isinstance(message, Chunk):
        return
    entries = (FileEntry("a", len(WHOLE), blake3(WHOLE).digest()), PARTIAL)
    order = Order(DeliveryId("dlv-" + "0" * 32), BundlePath("b"), PAPER, entries)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(1) as flusher:
        root = Path(folder) / "delivery"
        root.mkdir()
        receiver = Receiver(root, order, frozenset(), flusher)
        token, _ = receiver.take()
        is_whole = False
        try:
            receiver.write(token, message.pieces)
            receiver.finish(token, [])
            is_whole = True
        finally:
            receiver.close(token)
            sizes = {path.name: path.stat().st_size for path in root.iterdir()}
            assert [path.name for path in Path(folder).iterdir()] == ["delivery"]
            assert all(sizes[name] <= entries[int(name)].size_bytes for name in sizes)
            assert not is_whole or sizes == {"0": 5, "1": 9}


def read_archive(data: bytes) -> None:
    """Any bytes under any archive's name."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        for suffix in (".zip", ".gz"):
            archives.check("a" + suffix, Path(file.name))


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("a", b"hello")
    return out.getvalue()


def _begin() -> bytes:
    request = pb.UploadRequest()
    request.begin.delivery_id, request.begin.bundle, request.begin.manifest_json = "dlv-" + "0" * 32, "b/c", PAPER
    request.begin.files.add(path="a", size_bytes=1, digest=bytes(32), mode=0o644)
    return request.SerializeToString()


TARGETS: dict[str, Target] = {
    "manifest": read_manifest,
    "package": read_package,
    "names": read_names,
    "messages": read_messages,
    "pieces": receive,
    "archive": read_archive,
    "formula": values.read_formula,
    "values": values.read_value,
}
SEEDS: dict[str, list[bytes]] = {
    "manifest": [PAPER.encode()],
    "package": [PACKAGE.encode()],
    "names": ["a/b\nc/bundles/d\nu\u0308/\u00fc".encode()],
    "messages": [_begin(), packing.frame([(0, 0, WHOLE)]), pb.UploadRequest(seal=pb.UploadSeal()).SerializeToString()],
    "pieces": [packing.frame([(0, 0, WHOLE), (1, 0, b"1234"), (1, 4, b"56789")])],
    "archive": [
        _zip(), zlib.compress(b"hello", wbits=31), b"BZh9", b"\xfd7zXZ\0",
        b"PK" + struct.pack("<4s4xQ4x", b"PK\x06\x07", 2) + b"PK\x05\x06" + bytes(18),
    ],
    "formula": values.FORMULAS,
    "values": values.VALUES,
}  # fmt: skip
WORDS = [
    *(b"..", b"/", b"\\", b"\0", b"\n", b"\xff", b"\xed\xa0\x80", b"u\xcc\x88", b"bundles", b"code_sources"),
    *(b"NaN", b"1e400", b"Infinity", b"9" * 400, b"{" * 100, b"[" * 100, b'"', b"\\ud800", b'"a":1,"a":2,'),
    *values.HOSTILE,
    *(b"manifest_version", b"contains", b"files", b"submanifests", b"packages"),
    *(b"\xff\xff\xff\xff\x7f", b"\x80" * 10, b"PK\x05\x06", b"PK\x01\x02", b"\x1f\x8b\x08"),
]


def tried(target: Target, data: bytes) -> bool:
    """Whether these bytes were taken; a refusal is an answer too, anything else is raised."""
    try:
        target(data)
    except REFUSALS as wrong:
        if not wrong.message.strip():
            raise AssertionError("a refusal without a reason") from wrong
        return False
    return True
