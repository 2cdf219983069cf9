"""The logs of a home, read as one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plotter2.cli.records import Tail, parse, pretty
from plotter2.errors import NotFoundError, UnreachableError


def write(home: Path, name: str, *events: tuple[int, str]) -> Path:
    path = home / "log" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        for second, event in events:
            record = {"timestamp": f"2026-01-01T00:00:{second:02d}Z", "level": "info", "event": event, "n": second}
            file.write(json.dumps(record) + "\n")
    return path


def test_lines_of_all_processes_come_in_the_order_of_time(tmp_path: Path) -> None:
    write(tmp_path, "manager", (1, "one"), (4, "four"))
    write(tmp_path, "stager", (2, "two"), (3, "three"))
    assert [line.values["event"] for line in Tail(tmp_path, "", 3).old()] == ["two", "three", "four"]
    assert [line.values["event"] for line in Tail(tmp_path, "manager", 9).old()] == ["one", "four"]


def test_new_lines_come_once_and_half_lines_wait_for_their_end(tmp_path: Path) -> None:
    path = write(tmp_path, "manager", (1, "one"))
    tail = Tail(tmp_path, "", 10)
    tail.old()
    write(tmp_path, "manager", (2, "two"))
    with path.open("a") as file:
        file.write('{"event": "thr')
    assert [line.values["event"] for line in tail.new()] == ["two"]
    with path.open("a") as file:
        file.write('ee"}\n')
    assert [line.values["event"] for line in tail.new()] == ["three"]
    assert tail.new() == []


def test_a_rotated_file_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = write(tmp_path, "manager", (1, "a long first line"), (2, "two"))
    tail = Tail(tmp_path, "", 10)
    tail.old()
    path.unlink()
    write(tmp_path, "manager", (3, "new"))
    assert [line.values["event"] for line in tail.new()] == ["new"]


def test_last_words_that_are_no_json_are_shown_as_they_stand() -> None:
    line = parse("worker-1", "Segmentation fault")
    assert "Segmentation fault" in pretty(line)
    assert json.loads(line.text) == {"name": "worker-1", "event": "Segmentation fault"}
    known = parse("manager", '{"timestamp": "T", "level": "info", "event": "call", "method": "/x", "ms": 1.5}')
    assert pretty(known).split() == ["T", "manager", "info", "call", "method=/x", "ms=1.5"]


def test_no_logs_and_no_such_process_are_said(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match="plotter2 up"):
        Tail(tmp_path, "", 1)
    write(tmp_path, "manager", (1, "one"))
    with pytest.raises(NotFoundError, match="there are manager"):
        Tail(tmp_path, "nobody", 1)
