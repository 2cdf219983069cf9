from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from plotter2.datter.context import Context, enter, leave
from plotter2.datter.run import RunInput, Scope
from tests.unit.datter.kit import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "out")


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    """A run that is under way, for calling built-ins directly."""
    made = Context(RunInput("r", "t", "script", "", "s.py", {}, 7, Scope(), tmp_path), lambda _: None)
    token = enter(made)
    yield made
    leave(token)
