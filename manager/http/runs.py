"""The page of runs: every bundle and run with its values, picked and ordered by a query in the address.

`/runs?where=param.lr < 0.1&sort=-metric.loss&start=100`: the same language as everywhere, by GET alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter
from jinja2 import Environment
from starlette.responses import HTMLResponse, Response

from manager.doors import Doors
from manager.finding import find
from manager.store import Page
from plotter2.errors import NotFoundError, UsageError
from plotter2.model.entry import Entry

ROWS = 100
COLUMNS_MAX = 12
OFFSET_MAX = 10_000_000
EXTREMES = (".min", ".max")


@dataclass(frozen=True, slots=True)
class Table:
    """What is shown: a heading a column (as queries name it), and each entry with its cells."""

    headings: tuple[str, ...]
    rows: tuple[tuple[Entry, tuple[str, ...]], ...]


def table(entries: Sequence[Entry], asked: str) -> Table:
    """Columns that were asked for come first; then parameters, last values of metrics, and tags."""
    rows = [_values(entry) for entry in entries]
    names = dict.fromkeys(name for row in rows for name in row)
    wanted = [name for name in names if name in asked]
    wanted += [name for name in names if name not in wanted and not name.endswith(EXTREMES)]
    headings = tuple(wanted[:COLUMNS_MAX])
    cells = (tuple(row.get(name, "") for name in headings) for row in rows)
    return Table(headings, tuple(zip(entries, cells, strict=True)))


def _values(entry: Entry) -> Mapping[str, str]:
    documents = (("param", entry.parameters_json), ("metric", entry.metrics_json), ("tag", entry.tags_json))
    return {
        f"{space}.{name}": value if isinstance(value, str) else json.dumps(value)
        for space, text in documents
        for name, value in json.loads(text or "{}").items()
    }


def router(doors: Doors, templates: Environment) -> APIRouter:
    """The route for people."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/runs")
    async def runs(where: str = "", sort: str = "", start: int = 0) -> Response:
        start = min(max(0, start), OFFSET_MAX)
        wrong = ""
        found: Page[Entry] = Page((), 0)
        try:
            found = await find(doors.store, where, sort, (start, ROWS))
        except (UsageError, NotFoundError) as error:  # what is wrong with a query is said beside it
            wrong = error.message

        def at(other: int) -> str:
            return "/runs?" + urlencode({"where": where, "sort": sort, "start": other})

        page = templates.get_template("runs.html").render(
            version=doors.version,
            where=where,
            sort=sort,
            wrong=wrong,
            found=found,
            table=table(found.items, f"{where} {sort}"),
            start=start,
            before=at(max(0, start - ROWS)) if start else "",
            after=at(start + ROWS) if start + ROWS < found.total else "",
        )
        return HTMLResponse(page, status_code=400 if wrong else 200)

    return routes
