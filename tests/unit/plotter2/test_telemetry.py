"""What is logged, where, and how much of it is kept."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from prometheus_client import generate_latest

from plotter2 import telemetry


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, settings = root.handlers[:], root.level, structlog.get_config()
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**settings)
    structlog.contextvars.clear_contextvars()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.req("r013")
def test_each_line_is_json_with_a_time_and_who_says_it(tmp_path: Path) -> None:
    early = telemetry.logger("kettle")
    telemetry.setup("daemon-1", tmp_path / "log", "info")
    early.info("boiled", litres=2, where=Path("/k"))
    (line,) = lines(tmp_path / "log" / "daemon-1.jsonl")
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "boiled", "litres": 2, "where": "/k", "level": "info", "logger": "kettle",
                    "daemon": "daemon-1"}  # fmt: skip


def test_libraries_that_log_plainly_stand_in_the_same_file(tmp_path: Path) -> None:
    telemetry.setup("d", tmp_path, "info")
    logging.getLogger("library").warning("it is %s", "hot")
    (line,) = lines(tmp_path / "d.jsonl")
    assert (line["event"], line["level"], line["logger"]) == ("it is hot", "warning", "library")


def test_an_exception_keeps_its_story_in_one_line(tmp_path: Path) -> None:
    telemetry.setup("d", tmp_path, "info")
    telemetry.logger("kettle").error("burst", exc_info=ValueError("steam"))
    (line,) = lines(tmp_path / "d.jsonl")
    assert "ValueError: steam" in line["exception"]


def test_what_is_below_the_level_is_not_written(tmp_path: Path) -> None:
    telemetry.setup("d", tmp_path, "warning")
    telemetry.logger("kettle").info("warm")
    logging.getLogger("library").info("warm")
    assert not (tmp_path / "d.jsonl").exists()


def test_the_log_never_fills_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telemetry, "LOG_BYTES_MAX", 2000)
    telemetry.setup("d", tmp_path, "info")
    log = telemetry.logger("kettle")
    for number in range(400):
        log.info("steam", number=number)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2000 * (telemetry.LOG_FILES_KEPT + 1)
    assert lines(tmp_path / "d.jsonl")[-1]["number"] == 399


def test_a_registry_is_fresh_and_tells_of_the_process() -> None:
    one, other = telemetry.registry(), telemetry.registry()
    assert one is not other
    assert b"process_resident_memory_bytes" in generate_latest(one)


@pytest.mark.req("r091", "r202")
def test_how_many_threads_there_are_can_be_watched() -> None:
    made = telemetry.registry()
    leave = threading.Event()
    before = made.get_sample_value("plotter2_threads")
    other = threading.Thread(target=leave.wait)
    other.start()
    assert made.get_sample_value("plotter2_threads") == (before or 0) + 1
    leave.set()
    other.join()
    assert made.get_sample_value("plotter2_threads") == before
