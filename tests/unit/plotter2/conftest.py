"""Fixtures of the client's and the command line's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

import plotter2
from tests.unit.plotter2.client.kit import FakeManager, serving


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The small manager serves in this process; what it logs is not what a command prints."""
    with capture_logs():
        yield


@pytest.fixture
def manager() -> FakeManager:
    """A manager to be talked to."""
    return FakeManager()


@pytest.fixture
def address(manager: FakeManager) -> Iterator[str]:
    """Where it listens."""
    with serving(manager) as bound:
        yield bound


@pytest.fixture
def p2(address: str) -> Iterator[plotter2.Client]:
    """A connected client."""
    with plotter2.connect(address) as client:
        yield client
