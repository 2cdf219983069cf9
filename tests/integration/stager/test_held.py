"""What the manager holds in quarantine is safe there: the stager forgets it, and the sender is told why."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stagerkit import FakeManager, home_at, send, serving, stager_inside, tree

REASON = "It is held in quarantine, as its manifest's conditions do not hold: bundle 'data/x' is not there."


@pytest.mark.req("r008", "r063")
async def test_a_held_delivery_is_forgotten_by_the_stager_and_its_sender_hears_the_reason(tmp_path: Path) -> None:
    manager = FakeManager(held=REASON)
    layout = home_at(tmp_path / "home")
    async with serving(manager) as address, stager_inside(layout, address) as stager:
        pushed = await send(tree(tmp_path / "data", {"a": b"1"}), "lab/new", stager)
    assert (pushed.held, pushed.version, pushed.bundle) == (REASON, 0, "lab/new")
    assert pushed.request_id.startswith("req-")
    assert not list(layout.spool.glob("dlv-*"))
