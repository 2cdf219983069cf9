"""What a manifest claims about files, against what came: over gRPC with and without a shared machine, and dropped."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from plotter2.errors import AlteredError, ManifestError
from plotter2.layout import Layout
from tests.stagerkit import PAPER, FakeManager, drop, send, tree, until

CAME = {"a": b"hello", "b": b"world", "c": b"other"}


def line(path: str, data: bytes) -> dict[str, Any]:
    return {"path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def paper(*lines: dict[str, Any], **more: Any) -> str:
    document = json.loads(PAPER)
    document["contains"]["files"] = list(lines)
    return json.dumps({**document, **more})


@pytest.fixture(params=["here", "far"])
def place(request: pytest.FixtureRequest) -> str:
    """Files are fetched from the disk, or sent."""
    if request.param == "far":
        request.getfixturevalue("far")
    return str(request.param)


@pytest.mark.req("r057", "r059")
async def test_what_is_listed_and_comes_is_taken(
    tmp_path: Path, address: str, manager: FakeManager, place: str
) -> None:
    del place
    text = paper(*(line(name, data) for name, data in CAME.items()))
    pushed = await send(tree(tmp_path / "data", CAME), "b", address, manifest_json=text)
    assert manager.contents("b") == CAME
    assert pushed.warnings == ()


@pytest.mark.req("r057")
async def test_what_is_missing_or_not_listed_is_named_before_a_byte_is_sent(
    tmp_path: Path, address: str, manager: FakeManager, layout: Layout, place: str
) -> None:
    del place
    text = paper(line("a", b"hello"), line("gone", b""), line("b", b"world!"))
    with pytest.raises(ManifestError, match=r"missing: 'gone'; not listed: 'c'; altered: 'b' \(5 bytes, 6 are listed"):
        await send(tree(tmp_path / "data", CAME), "b", address, manifest_json=text)
    assert not manager.calls
    assert not [path for path in layout.spool.iterdir() if path.is_dir()]


@pytest.mark.req("r057")
async def test_every_altered_file_is_named_and_nothing_stays(
    tmp_path: Path, address: str, manager: FakeManager, layout: Layout, place: str
) -> None:
    del place
    text = paper(line("a", b"hello"), line("b", b"WORLD"), line("c", b"OTHER"))
    with pytest.raises(AlteredError, match=r"another SHA-256 than manifest\.json lists: altered: 'b', 'c'"):
        await send(tree(tmp_path / "data", CAME), "b", address, manifest_json=text)
    assert not manager.calls
    await until(lambda: not [path for path in layout.spool.iterdir() if path.is_dir()])


@pytest.mark.req("r057", "r015")
async def test_a_drop_whose_list_is_not_what_is_there_is_put_aside(
    tmp_path: Path, address: str, manager: FakeManager, layout: Layout
) -> None:
    del address
    text = paper(line("a", b"hello"), line("b", b"WORLD"), line("c", b"OTHER"))
    await drop(tree(tmp_path / "dropped", {**CAME, "manifest.json": text.encode()}), layout.dropbox / "dropped")
    refused = layout.dropbox / ".refused"
    await until(lambda: bool(list(refused.glob("*/reason.txt"))))
    assert "altered: 'b', 'c'" in next(refused.glob("*/reason.txt")).read_text()
    assert not manager.calls
    await until(lambda: not [path for path in layout.spool.iterdir() if path.is_dir()])


@pytest.mark.req("r067")
async def test_the_sender_is_told_what_is_odd(tmp_path: Path, address: str, manager: FakeManager) -> None:
    text = paper(*(line(name, data) for name, data in CAME.items()), more=1, date="2001-01-01")
    pushed = await send(tree(tmp_path / "data", CAME), "b", address, manifest_json=text)
    assert manager.contents("b") == CAME
    unknown, drift = pushed.warnings
    assert unknown == "manifest.json: unknown key 'more' is ignored"
    assert "more than a day apart" in drift
