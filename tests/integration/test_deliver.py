"""Deliver trusts nobody: what the stager has checked is checked again by the manager."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from plotter2 import rpc
from plotter2.api.v1 import manager_pb2
from plotter2.clock import Instant
from plotter2.errors import AlteredError, ManifestError, PathRefusedError, RefusedError, UsageError
from plotter2.model import manifest
from tests.managerkit import Files, Manager, managing

NFC, NFD = "\u00fc", "u\u0308"
GOOD: Files = {"a": b"hello", "b": b"world"}


@pytest.fixture
async def manager(tmp_path: Path) -> AsyncIterator[Manager]:
    async with managing(tmp_path / "home") as running:
        yield running


def line(path: str, data: bytes) -> dict[str, Any]:
    return {"path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


async def deliver(manager: Manager, text: str, files: dict[str, bytes], bundle: str = "data/x") -> None:
    """As somebody would who is not the stager; the content is here already."""
    request = manager_pb2.DeliverRequest(delivery_id="dlv-" + "f" * 32, bundle=bundle, manifest_json=text)
    for path, data in files.items():
        request.files.add(path=path, size_bytes=len(data), digest=blake3(data).digest(), mode=0o644)
    with rpc.errors():
        await manager.stub.Deliver(request)


def paper(**contains: Any) -> str:
    return manifest.write("ann", Instant(1.7e9), contains)


@pytest.mark.req("r014", "r057")
@pytest.mark.parametrize(
    ("files", "error", "said"),
    [
        ({"../a": b"hello"}, PathRefusedError, r"may not contain '\.\.'"),
        ({"/etc/a": b"hello"}, PathRefusedError, "must be relative"),
        ({"a": b"hello", "A": b"world"}, PathRefusedError, "the same on some file systems"),
        ({NFC: b"hello", NFD: b"world"}, PathRefusedError, "the same on some file systems"),
        ({"a": b"hello", "a/b": b"world"}, PathRefusedError, "a file and the directory"),
        ({}, UsageError, "at least one file"),
    ],
)
async def test_names_are_checked_again(
    manager: Manager, files: dict[str, bytes], error: type[Exception], said: str
) -> None:
    await manager.push("data/before", GOOD)
    with pytest.raises(error, match=said):
        await deliver(manager, paper(), files)
    assert [one.bundle for one in await manager.client.ls()] == ["data/before"]


@pytest.mark.req("r057", "r067", "r071")
@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        (paper().replace('"meta": {}', '"meta": {"a": NaN}'), ManifestError, "no finite number"),
        (paper(files=[line("a", b"hello")]), ManifestError, "not listed: 'b'"),
        (paper(files=[line("a", b"hello"), line("b", b"WORLD")]), AlteredError, "altered: 'b'"),
    ],
)
async def test_the_manifest_is_checked_again_and_against_content_that_was_here_before(
    manager: Manager, text: str, error: type[RefusedError], said: str
) -> None:
    await manager.push("data/before", GOOD)
    with pytest.raises(error, match=said):
        await deliver(manager, text, {"a": b"hello", "b": b"world"})
    assert [one.bundle for one in await manager.client.ls()] == ["data/before"]
    await deliver(manager, paper(files=[line("a", b"hello"), line("b", b"world")]), {"a": b"hello", "b": b"world"})
    assert len(list(await manager.client.ls())) == 2
