"""Statements by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import manager.store
from plotter2.errors import ConfigError
from plotter2.pg import Queries

STORE = Path(manager.store.__file__).parent


def written(folder: Path, text: str) -> Path:
    path = folder / "queries.sql"
    path.write_text(text)
    return path


def test_each_statement_is_found_by_its_name_without_comments(tmp_path: Path) -> None:
    found = Queries.load(
        written(tmp_path, "-- preface\n\n-- name: one\n-- why\nselect 1;\n\n-- name: two\nselect\n  2;\n")
    )
    assert found["one"] == "select 1"
    assert found["two"] == "select\n  2"
    assert found.names == {"one", "two"}


def test_a_name_that_nobody_wrote_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        Queries.load(written(tmp_path, "-- name: one\nselect 1"))["two"]


@pytest.mark.parametrize("text", ["-- name: one\nselect 1\n-- name: one\nselect 2", "-- name: one\n-- only a comment"])
def test_a_name_that_is_there_twice_or_has_no_statement_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="one"):
        Queries.load(written(tmp_path, text))


def test_every_statement_of_the_store_is_used_by_it() -> None:
    code = "".join(path.read_text() for path in STORE.glob("*.py"))
    used = set(re.findall(r'"([a-z_]+)"', code))
    assert Queries.load(STORE / "queries.sql").names <= used
