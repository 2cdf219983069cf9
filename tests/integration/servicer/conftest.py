"""A home for a servicer, a small manager, and a push that only remembers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from plotter2.layout import Layout
from servicer import process, runner
from tests.servicerkit import FakeManager, FakePush


@pytest.fixture
def push(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePush:
    made = FakePush(tmp_path / "pushed")
    monkeypatch.setattr(runner, "push", made)
    return made


@pytest.fixture
def layout(tmp_path: Path) -> Iterator[Layout]:
    made = Layout.at(tmp_path / "home")
    made.create()
    yield made
    for root in made.service.iterdir():
        process.end(root)


@pytest.fixture
def manager() -> FakeManager:
    return FakeManager()
