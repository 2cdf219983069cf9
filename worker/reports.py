"""What the manager is told of a run: the sentences and times of each kind of report (pure)."""

from __future__ import annotations

from dataclasses import replace

from plotter2.child import words
from plotter2.child.frames import Ended
from plotter2.clock import ZERO, Instant
from plotter2.model.task import RunState
from plotter2.mqtt.payloads import MadeFile, Report
from worker.seats import Held

UNKNOWN_STATUS = -9


class Reports:
    """Makes reports. `wall_offset_s` turns the machine's times into Unix seconds."""

    def __init__(self, wall_offset_s: float) -> None:
        self._wall_offset_s = wall_offset_s

    def running(self, held: Held, progress: tuple[float, float] | None = None) -> Report:
        """It is going on; what it printed that was not told yet, and how far it says it is."""
        report = replace(self._make(held, RunState.RUNNING), progress=progress)
        first, held.told = held.told, len(held.lines)
        if first == held.told:
            return report
        return replace(report, lines=tuple(held.lines[first:]), lines_from=held.lines_from + first)

    def given_back(self, held: Held) -> Report:
        """It could not be begun here in time."""
        return self._make(held, RunState.QUEUED)

    def cancelled(self, held: Held, now: float) -> Report:
        """It was stopped because somebody asked."""
        return self._make(held, RunState.CANCELLED, now=now)

    def failed(self, held: Held, error: str, error_code: str, now: float) -> Report:
        """It cannot be, or went wrong."""
        return self._make(held, RunState.FAILED, now=now, error=error, error_code=error_code)

    def broke(self, held: Held, what: str, amount: str, now: float) -> Report:
        """It broke a limit."""
        return self.failed(held, words.exceeded(held.task.name, what, amount), "task_failed", now)

    def crashed(self, held: Held, status: int | None, now: float) -> Report:
        """Its interpreter ended under it."""
        error = words.exit_sentence(held.task.name, UNKNOWN_STATUS if status is None else status)
        return self.failed(held, error, "task_failed", now)

    def ended(self, held: Held, said: Ended, now: float) -> Report:
        """Its interpreter says how it ended."""
        return Report(
            held.assignment.run_id,
            held.assignment.epoch,
            RunState.CANCELLED if held.is_cancelled else RunState(said.state),
            said.results_json,
            said.error,
            said.error_code,
            tuple(MadeFile(one.path, one.kind, one.title, one.size_bytes, one.digest) for one in said.made),
            self._wall(held.started_at),
            self._wall(now),
            again_json=said.again_json,
        )

    def _make(
        self,
        held: Held,
        state: RunState,
        *,
        now: float = 0.0,
        error: str = "",
        error_code: str = "",
    ) -> Report:
        return Report(
            held.assignment.run_id,
            held.assignment.epoch,
            state,
            error=error,
            error_code=error_code,
            started_at=self._wall(held.started_at),
            finished_at=self._wall(now),
        )

    def _wall(self, moment: float) -> Instant:
        return Instant(moment + self._wall_offset_s) if moment else ZERO
