from __future__ import annotations

from dataclasses import replace

from plotter2.ids import RunId
from plotter2.model.task import RunState
from plotter2.mqtt.payloads import Report
from worker.ends import Ends


def report(number: int, results_json: str = "") -> Report:
    return Report(RunId(f"r{number}"), 1, RunState.DONE, results_json)


def test_the_oldest_end_is_forgotten_first() -> None:
    ends = Ends(count_max=2)
    for number in range(3):
        ends.put(report(number))
    assert ends.get(RunId("r0")) is None
    assert ends.get(RunId("r2")) is not None


def test_large_results_are_forgotten_by_size() -> None:
    ends = Ends(bytes_max=2_000)
    for number in range(10):
        ends.put(report(number, "x" * 600))
    assert len(ends) == 2


def test_what_was_printed_counts_line_by_line() -> None:
    ends = Ends(bytes_max=2_000)
    for number in range(10):
        ends.put(replace(report(number), lines=("x",) * 10))
    assert len(ends) == 2
    found = ends.get(RunId("r9"))
    assert found is not None
    assert len(found.lines) == 10


def test_a_newer_epoch_takes_the_place_of_an_older() -> None:
    ends = Ends()
    ends.put(report(1))
    ends.put(replace(report(1), epoch=2))
    found = ends.get(RunId("r1"))
    assert found is not None
    assert found.epoch == 2
    assert len(ends) == 1
