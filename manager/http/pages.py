"""The pages people look at: bundles, requests, reports, and the files under output/.

Plain HTML from templates; no script of ours. What tasks drew is served in a sandbox of its own origin, so a figure's
script never reaches the API.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from manager import authority, waiting
from manager.doors import Doors
from manager.state import State
from manager.store import OutputRow
from plotter2.clock import Instant, rfc3339
from plotter2.datter.pages import redraw
from plotter2.errors import NotFoundError
from plotter2.ids import RequestId, RunId
from plotter2.model import paths
from plotter2.model.output import PAGES
from plotter2.model.task import Output, TaskRun
from plotter2.model.worker import WorkerState

ROWS_MAX = 200
FILES_MAX = 500
SANDBOX = {
    "Content-Security-Policy": "sandbox allow-scripts allow-downloads allow-popups",
    "X-Content-Type-Options": "nosniff",
}
UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
PNG = ".png"
OFFERED = (".pdf", ".mp4", ".gif")
HIDDEN_KINDS = frozenset({"asset"})


def size_text(count: int) -> str:
    """Bytes for people."""
    value = float(count)
    for unit in UNITS:
        if value < 1024 or unit == UNITS[-1]:  # noqa: PLR2004 -- binary units
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError


def time_text(instant: Instant) -> str:
    """An instant for people, to the second."""
    return rfc3339(instant)[:19].replace("T", " ") if instant else ""


def environment() -> Environment:
    """The templates with their filters; everything is escaped."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined
    )
    made.filters["size"] = size_text
    made.filters["time"] = time_text
    made.globals["pictured"] = PAGES
    return made


def router(doors: Doors) -> APIRouter:
    """Routes for people."""
    routes = APIRouter(include_in_schema=False)
    templates = environment()

    def page(name: str, **values: Any) -> HTMLResponse:
        return HTMLResponse(templates.get_template(name).render(version=doors.version, **values))

    @routes.get("/")
    async def index() -> Response:
        bundles = await doors.store.list_bundles(0, ROWS_MAX)
        requests = await doors.store.list_requests(0, ROWS_MAX)
        outputs = await doors.store.list_outputs(0, ROWS_MAX)
        workers = sorted(doors.state.workers.values(), key=lambda worker: worker.name)
        return page(
            "index.html",
            bundles=bundles,
            requests=requests,
            reports=_of_kind(outputs.items, "report"),
            beside=await asyncio.to_thread(offered, doors.layout.output, [row.output for row in outputs.items]),
            drawings=[row for row in outputs.items if row.output.kind not in {"report", "table", *HIDDEN_KINDS}],
            workers=[(one, len(doors.state.load.get(one.id, ()))) for one in workers if one.state is WorkerState.ALIVE],
        )

    @routes.get("/bundles/{path:path}")
    async def bundle(path: str) -> Response:
        name = paths.bundle_path(path)
        newest = await doors.store.get_bundle(name)
        if newest is None:
            raise NotFoundError(f"There is no bundle {name!r}.")
        outputs = await doors.store.list_outputs(0, ROWS_MAX, bundle=name)
        files = await doors.store.files_of(name, newest.version)
        return page(
            "bundle.html",
            bundle=newest,
            parameters=json.loads(newest.parameters_json) if newest.parameters_json else {},
            versions=await doors.store.list_versions(name, 0, ROWS_MAX),
            files=files[:FILES_MAX],
            more_files=max(0, len(files) - FILES_MAX),
            below=await doors.store.list_bundles(0, ROWS_MAX, under=name),
            requests=await doors.store.list_requests(0, ROWS_MAX, bundle=name),
            outputs=[row for row in outputs.items if row.output.kind not in HIDDEN_KINDS],
            beside=await asyncio.to_thread(offered, doors.layout.output, [row.output for row in outputs.items]),
        )

    @routes.get("/requests/{request_id}")
    async def request(request_id: str) -> Response:
        found = await doors.store.get_request(RequestId(request_id))
        if found is None:
            raise NotFoundError(f"There is no request {request_id!r}.")
        runs = authority.shown(doors.state, (await doors.store.runs_of(found.id))[:ROWS_MAX])
        caused = await doors.store.list_requests(0, ROWS_MAX, cause=found.id)
        made = [one for run in runs for one in run.outputs][:ROWS_MAX]
        return page(
            "request.html", request=found, runs=runs, caused=caused, hidden=HIDDEN_KINDS,
            progress=doors.state.progress, waits=_waits(doors.state, runs), waits_for=waiting.words(doors.state, found),
            said=[line.text for line in doors.hub.said(found.id)],
            beside=await asyncio.to_thread(offered, doors.layout.output, made),
        )  # fmt: skip

    @routes.get("/output/{path:path}")
    async def output(path: str) -> Response:
        return await asyncio.to_thread(_file, doors.layout.output, paths.file_path(path))

    return routes


def offered(root: Path, outputs: Sequence[Output]) -> dict[str, list[str]]:
    """Which files to take along lie beside pages, by the pages' paths: reports on paper, films."""
    pages = [one.path for one in outputs if one.kind in PAGES]
    found = {page: [ending for ending in OFFERED if (root / f"{page}{ending}").is_file()] for page in pages}
    return {page: endings for page, endings in found.items() if endings}


def _waits(state: State, runs: Sequence[TaskRun]) -> dict[RunId, str]:
    """What those of these runs wait for that are in a tree of instances and do wait."""
    seats = {run.id: state.seats[run.id] for run in runs if run.id in state.seats}
    waits = {run: seat.tree.waits(seat.number) for run, seat in seats.items()}
    return {run: what for run, what in waits.items() if what}


def _of_kind(rows: tuple[OutputRow, ...], kind: str) -> list[OutputRow]:
    return [row for row in rows if row.output.kind == kind]


def _drawn(root: Path, name: str) -> Response:
    """A page's picture as PNG, made of its SVG when somebody wants it: most never are."""
    path = root / f"{name.removesuffix(PNG)}.svg"
    if path.is_symlink() or not path.is_file() or path.stat().st_size > redraw.BYTES_MAX:
        raise NotFoundError(f"There is no output {name!r}.")
    return Response(redraw.png(path.read_bytes()), media_type="image/png", headers=SANDBOX)


def _file(root: Path, name: str) -> Response:
    path = root / name
    if name.endswith(PNG) and not path.exists():
        return _drawn(root, name)
    if path.is_symlink() or not path.is_file():
        raise NotFoundError(f"There is no output {name!r}.")
    return FileResponse(path, headers=SANDBOX)
