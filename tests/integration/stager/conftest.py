"""A whole stager in front of a small manager that installs for real."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from plotter2.layout import Layout
from tests.stagerkit import FakeManager, home_at, serving, stager_inside


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return home_at(tmp_path / "home")


@pytest.fixture
def manager() -> FakeManager:
    return FakeManager()


@pytest.fixture
async def address(layout: Layout, manager: FakeManager) -> AsyncIterator[str]:
    async with serving(manager) as manager_address, stager_inside(layout, manager_address) as address:
        yield address


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sender is on another machine than the stager."""
    monkeypatch.setattr("plotter2.client.upload.boot_id", lambda: "another machine")
