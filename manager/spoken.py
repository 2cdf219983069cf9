"""The log of what runs print: each line once, whenever the manager dies.

Lines are logged before the count of them is committed, so none is lost. What was logged and never counted comes again
after a start; records say from which line on they tell, so it is known and not logged twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Self

import msgspec
import structlog

from manager.commands import NotifyLines
from plotter2.telemetry import files_of

EVENT = "task.said"
_MARK = f'"{EVENT}"'.encode()


class Said(msgspec.Struct):
    """One record of the log.

    Attributes:
        run: who printed.
        attempt: of the run; 0 for an instance, which prints the same in each.
        first: how many lines of it came before these.
        turn: of the loop, in which they were counted.
    """

    event: str
    run: str
    lines: list[str]
    attempt: int = 0
    first: int = 0
    turn: str = ""


def left_over(log_dir: Path, name: str) -> dict[tuple[str, int], int]:
    """How many lines of each run and attempt the log has, of those that the last turn wrote there.

    Only that turn can have been cut off between the log and its commit. Lines that are no records are passed over.
    """
    last, found = "", dict[tuple[str, int], int]()
    for record in _records(files_of(log_dir, name)):
        if record.turn != last:
            last = record.turn
            found.clear()
        place = record.run, record.attempt
        found[place] = max(found.get(place, 0), record.first + len(record.lines))
    return found


def _records(files: Iterable[Path]) -> Iterator[Said]:
    for path in files:
        with path.open("rb") as file:
            for line in file:
                if _MARK in line:
                    try:
                        record = msgspec.json.decode(line, type=Said)
                    except msgspec.DecodeError:  # cut off, or somebody printed our word
                        continue
                    if record.event == EVENT:
                        yield record


class Spoken:
    """Writes the log."""

    def __init__(self) -> None:
        """With nothing logged so far."""
        self._ahead: dict[tuple[str, int], int] = {}
        self._log = structlog.get_logger("manager.spoken")

    @classmethod
    def after(cls, log_dir: Path, name: str) -> Self:
        """One that goes on behind the process of this name which logged there before; blocks."""
        made = cls()
        made._ahead = left_over(log_dir, name)
        return made

    def write(self, turn: str, said: NotifyLines) -> None:
        """Log lines, but for those that are there."""
        place = said.run_id, said.attempt
        skipped = max(0, self._ahead.get(place, 0) - said.first)
        if skipped <= len(said.lines):
            self._ahead.pop(place, None)
        lines = said.lines[skipped:]
        if lines:
            self._log.info(
                EVENT, run=said.run_id, attempt=said.attempt, first=said.first + skipped, turn=turn, lines=lines
            )
