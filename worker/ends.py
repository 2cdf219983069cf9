"""The ends this process remembers, so that a repeated assignment gets the same answer and not a second run (pure)."""

from __future__ import annotations

from collections import OrderedDict

from plotter2.ids import RunId
from plotter2.mqtt.payloads import Report

ENDS_MAX = 10_000
ENDS_BYTES_MAX = 64 << 20
REPORT_BYTES = 300
"""What a report weighs beside its texts."""
LINE_BYTES = 60
"""What a printed line weighs beside its characters."""


class Ends:
    """The newest end of each run, the oldest forgotten first."""

    def __init__(self, count_max: int = ENDS_MAX, bytes_max: int = ENDS_BYTES_MAX) -> None:
        self._count_max = count_max
        self._bytes_max = bytes_max
        self._reports: OrderedDict[RunId, tuple[Report, int]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._reports)

    def put(self, report: Report) -> None:
        """Remember an end, with all that was printed: it is told again to who has not heard it."""
        self._drop(report.run_id)
        texts = len(report.results_json) + len(report.error) + sum(LINE_BYTES + len(line) for line in report.lines)
        size = REPORT_BYTES + texts + 100 * len(report.made)
        self._reports[report.run_id] = (report, size)
        self._bytes += size
        while len(self._reports) > self._count_max or self._bytes > self._bytes_max:
            self._drop(next(iter(self._reports)))

    def get(self, run_id: RunId) -> Report | None:
        """How a run ended here last."""
        found = self._reports.get(run_id)
        return found[0] if found else None

    def _drop(self, run_id: RunId) -> None:
        found = self._reports.pop(run_id, None)
        if found:
            self._bytes -= found[1]
