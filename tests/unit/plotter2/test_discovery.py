"""What is read from endpoints.json."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from plotter2 import discovery
from plotter2.errors import UnreachableError
from plotter2.layout import Layout

MANAGER = {
    "role": "manager",
    "name": "manager",
    "address": "127.0.0.1:2",
    "addresses": {"grpc": "127.0.0.1:2", "http": "127.0.0.1:1"},
    "pid": 7,
    "started_at": "2026-01-01T00:00:00.000000Z",
    "state": "running",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    layout = Layout.at(tmp_path)
    layout.create()
    (layout.log / discovery.LOCK_NAME).write_text(json.dumps({"pid": os.getpid(), "since": "2100-01-01T00:00:00Z"}))
    layout.endpoints.write_text(json.dumps({"processes": [MANAGER]}))
    return tmp_path


def test_a_role_is_found_by_the_kind_of_its_address(home: Path) -> None:
    assert discovery.address_of(home, "manager") == "127.0.0.1:2"
    assert discovery.address_of(home, "manager", "http") == "127.0.0.1:1"


@pytest.mark.parametrize(("role", "kind"), [("stager", "grpc"), ("manager", "probe")])
def test_a_role_that_is_not_there_is_unreachable(home: Path, role: str, kind: str) -> None:
    with pytest.raises(UnreachableError, match=f"The {role} of plotter2 .* is not running; see `plotter2 status`"):
        discovery.address_of(home, role, kind)


def test_a_home_where_nothing_ever_ran_says_how_to_start(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match=f"start it with `plotter2 up --home {tmp_path}`"):
        discovery.read_endpoints(tmp_path)


def test_what_a_crash_has_left_behind_is_not_taken_for_running(home: Path) -> None:
    (home / "log" / discovery.LOCK_NAME).unlink()
    with pytest.raises(UnreachableError, match="not running"):
        discovery.read_endpoints(home)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"processes": [{"role": "manager"}]}', '{"processes": []}'])
def test_a_file_that_makes_no_sense_is_as_good_as_none(home: Path, text: str) -> None:
    Layout.at(home).endpoints.write_text(text)
    with pytest.raises(UnreachableError, match="not running"):
        discovery.read_endpoints(home)
