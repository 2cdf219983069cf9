"""What runs print: each line taken once and in order, however often and in whatever order reports come (pure).

Reports go to the bus without a receipt, so any may be lost or come twice. Each says how many lines came before its
first, and the last one of an attempt has them all; so nothing but what is missing is taken, and never over a gap.
"""

from __future__ import annotations

from dataclasses import replace

from manager.commands import Command, NotifyLines, SaveRun
from manager.events import RunReport
from manager.state import State
from plotter2.model.task import TaskRun


def taken(state: State, run: TaskRun, report: RunReport) -> list[Command]:
    """Those lines of a report that nobody was shown yet; none of one that begins beyond them.

    How many that makes is written with the run: a manager that starts anew goes on from there, and so does another
    attempt of an instance, which prints the same again.
    """
    if not report.lines or report.lines_from > run.said:
        return []
    fresh = report.lines[run.said - report.lines_from :]
    if not fresh:
        return []
    state.runs[run.id] = replace(run, said=run.said + len(fresh))
    attempt = 0 if run.id in state.seats else run.epoch
    return [SaveRun(state.runs[run.id]), NotifyLines(run.request_id, run.id, fresh, run.said, attempt)]
