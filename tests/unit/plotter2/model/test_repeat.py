"""Runs that were made again."""

from __future__ import annotations

import json

import pytest

from plotter2.model import repeat
from plotter2.model.bundle import FileEntry
from plotter2.model.difference import FileChange

RECORD = {
    "service": "req-1.s0",
    "ours": ["log/stdout.txt", "run.json"],
    "environment": {"python": "3.11", "packages": 3},
}


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"{}", b'{"service": 1}', b"[" * 100_000, b"\xff"])
def test_a_record_that_is_not_ours_is_none(text: bytes) -> None:
    assert repeat.record(text) == {}


def test_the_record_says_which_files_are_ours_and_without_one_the_usual_are() -> None:
    found = repeat.record(json.dumps(RECORD).encode())
    assert repeat.ours(found, found) == {"log/stdout.txt", "run.json"}
    assert "run.json" not in repeat.ours({}, {})
    assert "parameters.json" in repeat.ours({}, {})
    assert repeat.ours({"ours": [1]}) == repeat.OURS


def test_only_the_programs_own_files_are_compared() -> None:
    changes = [FileChange(FileEntry(path, 1), FileEntry(path, 2)) for path in ("out/a", "run.json")]
    assert [one.path for one in repeat.own(changes, repeat.ours(RECORD))] == ["out/a"]


@pytest.mark.req("r018")
def test_what_was_not_as_it_had_been_is_told_in_sentences() -> None:
    now = {**RECORD, "environment": {"python": "3.12", "packages": 3, "host": "b"}}
    assert repeat.environment(RECORD, RECORD) == ()
    assert repeat.environment(RECORD, now) == ("host was not known, now it is b", "python was 3.11, now it is 3.12")
    assert repeat.environment({}, {"environment": 3}) == ()
