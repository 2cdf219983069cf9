"""The log of what runs print: each line once, whether the manager dies before the log, before the commit, or after."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from manager.commands import NotifyLines
from manager.journal import note
from manager.loop import Loop
from manager.machine import Machine
from manager.scheduler import RoundRobin
from manager.spoken import Spoken, left_over
from manager.store import Batch
from plotter2 import telemetry
from plotter2.clock import Instant, SystemClock
from plotter2.ids import RunId
from tests.unit.manager.kit import request

LINES = tuple("abcdef")
NAME = "manager"


class KilledError(BaseException):
    """The process ends here."""


class Store:
    """Commits, until the process is killed at its door."""

    def __init__(self, turns: int) -> None:
        self.turns = turns
        self.batches: list[Batch] = []

    async def commit(self, batch: Batch) -> None:
        if len(self.batches) == self.turns:
            raise KilledError
        self.batches.append(batch)


class Life:
    """Managers one after the other that share a log; each is killed at the commit after so many turns."""

    def __init__(self, log_dir: Path) -> None:
        self.log_dir = log_dir
        self.boots = 0

    async def live(self, turns: int, told: list[NotifyLines]) -> int:
        """One manager takes these lines, one turn each; how many of them it committed."""
        self.boots += 1
        store, spoken = Store(turns), Spoken.after(self.log_dir, NAME)
        loop = Loop(Machine(RoundRobin()), store, SystemClock(), f"boot{self.boots}", CollectorRegistry(), spoken)
        with capture_logs() as entries, suppress(KilledError):
            for one in told:
                await loop.carry_out([note("x", "x", Instant(1.0)), one], lambda _: None)
        with (self.log_dir / f"{NAME}.jsonl").open("a") as log:
            log.writelines(json.dumps(one) + "\n" for one in entries)
        return len(store.batches)

    def lines(self, run: str = "req-1.0") -> list[str]:
        records = map(json.loads, (self.log_dir / f"{NAME}.jsonl").read_text().splitlines())
        return [line for one in records if one.get("run") == run for line in one["lines"]]


def said(first: int, stop: int, run: str = "req-1.0", attempt: int = 1) -> NotifyLines:
    return NotifyLines(request(1), RunId(run), LINES[first:stop], first, attempt)


@pytest.mark.req("r130", "r198")
@pytest.mark.parametrize("killed_at", range(4))
async def test_killed_between_log_and_commit_no_line_is_lost_and_none_is_there_twice(
    tmp_path: Path, killed_at: int
) -> None:
    life = Life(tmp_path)
    told = [said(0, 2), said(2, 3), said(3, 6)]
    committed = await life.live(killed_at, told)
    assert committed == min(killed_at, len(told))
    counted = told[committed].first if committed < len(told) else len(LINES)
    if counted < len(LINES):  # the worker tells again what was never counted, cut as it likes
        await life.live(9, [said(counted, counted + 1), said(counted + 1, len(LINES))])
    assert "".join(life.lines()) == "".join(LINES)


@pytest.mark.req("r130")
async def test_only_the_same_attempt_of_the_same_run_has_its_lines_there(tmp_path: Path) -> None:
    life = Life(tmp_path)
    await life.live(0, [said(0, 3)])
    await life.live(9, [said(0, 2, attempt=2), said(0, 1, run="req-1.1")])
    assert life.lines() == ["a", "b", "c", "a", "b"]
    assert life.lines("req-1.1") == ["a"]


def test_what_is_no_record_is_passed_over_and_only_the_last_turn_counts(tmp_path: Path) -> None:
    def record(turn: str, first: int, **more: object) -> str:
        return json.dumps({"event": "task.said", "run": "r", "turn": turn, "first": first, "lines": ["x"], **more})

    (tmp_path / f"{NAME}.jsonl.1").write_text(record("b.1", 7) + "\n")
    kept = [record("b.2", 8), record("b.2", 9), '{"event": "x", "said": "\\"task.said\\""}', record("b.2", 9, run=4)]
    (tmp_path / f"{NAME}.jsonl").write_text("\n".join([*kept, '{"event": "task.said", "ru']))
    assert left_over(tmp_path, NAME) == {("r", 0): 10}
    assert left_over(tmp_path / "none", NAME) == {}


def test_a_line_that_a_killed_process_did_not_end_costs_none_of_the_next(tmp_path: Path) -> None:
    for torn, kept in (("", ""), ("whole\n", "whole\n"), ("tor", "tor\n")):
        log = tmp_path / f"{NAME}.jsonl"
        log.write_text(torn)
        telemetry.end_line(log)
        assert log.read_text() == kept
    telemetry.end_line(tmp_path / "none.jsonl")
