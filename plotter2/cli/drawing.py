"""Tables and bars on a terminal: the only importer of rich, and loaded only when something is drawn."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

from plotter2.cli.wording import progress

if TYPE_CHECKING:
    from plotter2.client.views import Request

COLUMNS_MAX = 4096
RUNS_SHOWN_MAX = 3
GOOD, BUSY, WAITING, BAD = "green", "cyan", "yellow", "red"
COLOURS = {
    **dict.fromkeys(("ready", "alive", "done", "gaveup"), GOOD),
    **dict.fromkeys(("running", "accepted", "harvesting", "assigned"), BUSY),
    **dict.fromkeys(("queued", "starting", "suspect"), WAITING),
    **dict.fromkeys(("gone", "lost", "failed", "refused", "cancelled", "stopped"), BAD),
}


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; states in their colours on a terminal, never cut when piped."""
    is_terminal = sys.stdout.isatty()
    console = Console() if is_terminal else Console(width=COLUMNS_MAX, color_system=None)
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for heading, column in zip(headings, zip(*rows, strict=True), strict=True):
        is_number = all(cell.replace(".", "", 1).isdigit() for cell in column)
        drawn.add_column(heading, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell, style=COLOURS.get(cell, "")) for cell in row))
    if is_terminal:
        console.print(drawn)
        return
    with console.capture() as captured:
        console.print(drawn)
    print("\n".join(line.rstrip() for line in captured.get().splitlines() if line.strip()))


@contextmanager
def byte_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr; gives what shall be called with bytes done and bytes in all."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(binary_units=True))
    with Progress(
        *columns, TransferSpeedColumn(), TimeRemainingColumn(), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def request_bar(title: str) -> Iterator[Callable[[Request, list[str]], None]]:
    """A bar on stderr that counts what a request has finished; lines that its tasks print stand above it."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)

        def show(request: Request, lines: list[str]) -> None:
            for line in lines:
                console.print(line, markup=False, highlight=False)
            under_way = [(run, *one) for run, one in request.progress.items() if one[1] and one[0] < one[1]]
            label = " ".join([f"{title} ({request.state})", *(progress(*one) for one in under_way[:RUNS_SHOWN_MAX])])
            completed = request.finished + sum(done / total for _, done, total in under_way)
            bar.update(task, completed=completed, total=request.total or None, description=label)

        yield show


@contextmanager
def step_line(title: str) -> Iterator[Callable[[str], None]]:
    """A line on stderr that says how far something of unknown length has come."""
    columns = (TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda text: bar.update(task, description=f"{title}: {text}")
