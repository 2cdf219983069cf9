"""kill -9 of manager and stager while a delivery is held in quarantine: it still waits, and a release takes it in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plotter2.clock import Instant
from plotter2.model import manifest
from tests.system.installation import START_S_MAX, Installation, until

pytestmark = pytest.mark.timeout(300)
HELD = 3
DATA = bytes(range(256)) * 100


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path / "home", workers=1)
    try:
        made.start()
        yield made
    finally:
        made.end()


def asked(installation: Installation, *words: str, code: int = 0) -> Any:
    done = installation.run(*words, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


@pytest.mark.req("r063", "r198")
def test_a_held_delivery_survives_its_keepers_and_is_released_after(installation: Installation, tmp_path: Path) -> None:
    held, needed = tmp_path / "held", tmp_path / "needed"
    for folder in (held, needed):
        folder.mkdir()
        (folder / "data.bin").write_bytes(DATA)
    paper = manifest.write("ann", Instant(1_700_000_000), {}, {"conditions": [{"bundle": "data/x", "version": 1}]})
    (held / "manifest.json").write_text(paper)
    told = asked(installation, "push", str(held), "lab/new", "--key", "night", code=HELD)
    assert "data/x" in told["held"]
    killed = {installation.kill(name) for name in ("manager", "stager")}
    until(
        lambda: (
            installation.is_well("manager", "stager")
            and not killed & {one["pid"] for one in installation.processes().values()}
        ),
        START_S_MAX,
    )
    again = asked(installation, "push", str(held), "lab/new", "--key", "night", code=HELD)
    assert (again["request"], again["version"]) == (told["request"], 0)
    (item,) = asked(installation, "quarantine")["items"]
    assert item["request"] == told["request"]
    assert asked(installation, "show", told["request"])["state"] == "queued"
    asked(installation, "push", str(needed), "data/x")
    asked(installation, "quarantine", "release", item["id"])
    assert asked(installation, "show", told["request"])["state"] == "done"
    asked(installation, "pull", "lab/new@1", str(tmp_path / "back"))
    assert (tmp_path / "back" / "data.bin").read_bytes() == DATA
