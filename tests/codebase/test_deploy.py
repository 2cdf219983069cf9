"""What is in deploy/ starts what is in the tree."""

from __future__ import annotations

import shlex
from configparser import RawConfigParser
from pathlib import Path

import pytest

from watchdogs.__main__ import _arguments

UNITS = sorted((Path(__file__).resolve().parents[2] / "deploy" / "systemd").glob("*.service"))


@pytest.mark.req("r070")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_a_watchdog_with_words_that_it_knows(unit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed = RawConfigParser(strict=False)
    parsed.optionxform = str
    parsed.read(unit)
    words = shlex.split(parsed["Service"]["ExecStart"])
    assert words[1:4] == ["-m", "plotter2.launch", "watchdogs"]
    monkeypatch.setattr("sys.argv", words[3:])
    given = _arguments()
    assert (given.rank, given.alone) == ("main", True), "systemd is the guardian"
    assert parsed["Service"]["KillMode"] == "process", "experiments outlive plotter2"
