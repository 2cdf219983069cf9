"""Reports on paper: a PDF beside each report's page, printed by a browser where one is found.

In the worker, after the child has ended: a browser is large, takes seconds, and belongs to no run's limits. A PDF is a
companion of its page: without one everything else is as it was, and the sidecar says why there is none.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import msgspec

from plotter2 import telemetry
from plotter2.datter.pages import assets
from plotter2.errors import FailedError
from plotter2.model import paths
from plotter2.mqtt.payloads import Report

REPORT, PDF, SIDECAR, PAGE = "report", ".pdf", ".json", "page.html"
NONE = "none"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
ON_PAPER = "#paper"
WINDOW = "1082,1400"
"""Pixels: the page is laid out as wide as paper will have it, so nothing moves when it is printed."""
FINENESS = 3
"""Dots a pixel, of figures that are no vectors."""
SETTLED_MS = 3_000
"""Of the browser's own clock, which stands still while it works: how long scripts of a page may wait for things."""
SIDECAR_BYTES_MAX, SAID_CHARS_MAX = 16 << 20, 300
MEGABYTE = 1_000_000

_log = telemetry.logger("paper")


@dataclass(frozen=True, slots=True)
class Press:
    """What prints, and how much of it there may be.

    Attributes:
        browser: a program, `none`, or "" for the first of Chromium, Chrome and Edge that is found.
        limit_s: how long one report may take.
        bytes_max: how large one PDF may be.
    """

    browser: str = NONE
    limit_s: float = 120.0
    bytes_max: int = 64 << 20

    def program(self) -> str:
        """The browser's path; "" where there is none."""
        names = BROWSERS if not self.browser else () if self.browser == NONE else (self.browser,)
        return next((found for name in names if (found := shutil.which(name))), "")


class Printer:
    """Prints reports, one at a time."""

    def __init__(self, press: Press, temp: Path, name: str) -> None:
        self._press = press
        self._desks = temp, f".{name}-paper-"  # what is left of one by a crash goes when the worker starts again
        self._turn = asyncio.Lock()

    async def print_reports(self, report: Report, folder: Path, say: Callable[[str], None]) -> None:
        """Lay a PDF beside each report that a run made in this folder, or say in its sidecar why there is none.

        Args:
            report: what the run made.
            folder: where it lies.
            say: is told what is done meanwhile, a line each.

        Raises:
            PathRefusedError: a name that is none of a file below the folder.
        """
        for one in [one for one in report.made if one.kind == REPORT]:
            page = folder / paths.file_path(one.path)
            if self._press.program():
                say(f"The report is drawn; printing {(one.title or one.path)!r} as PDF.")
            async with self._turn:
                why = await self._print(page)
            if why:
                _log.info("report.unprinted", run=report.run_id, page=page.name, why=why)
                await asyncio.to_thread(_tell, page, f"no PDF: {why}")

    async def _print(self, page: Path) -> str:
        """Print one page; gives why it could not be, "" where it was."""
        if self._press.browser == NONE:
            return "this worker is set to print none"
        program = self._press.program()
        if not program:
            named = f"no {self._press.browser}" if self._press.browser else "neither Chromium nor Chrome"
            return f"there is {named} where this was drawn"
        try:
            desk = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=self._desks[0], prefix=self._desks[1]))
            try:
                await asyncio.to_thread(_lay, desk, page)
                said = await self._run(_command(program, desk))
                return said or await asyncio.to_thread(self._take, desk / "page.pdf", page)
            finally:
                await asyncio.to_thread(shutil.rmtree, desk, ignore_errors=True)
        except OSError as wrong:
            return f"the browser could not be used: {wrong.strerror or wrong}"

    async def _run(self, command: Sequence[str]) -> str:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        try:
            async with asyncio.timeout(self._press.limit_s):
                _, told = await process.communicate()
        except TimeoutError:
            return f"the browser took more than {self._press.limit_s:g} s"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # and whatever it had started
            await process.wait()
        if process.returncode:
            last = told.decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
            return f"the browser ended with {process.returncode}: {last[0][:SAID_CHARS_MAX]}"
        return ""

    def _take(self, made: Path, page: Path) -> str:
        if not made.is_file() or made.is_symlink():
            return "the browser ended without one"
        size = made.stat().st_size
        if size > self._press.bytes_max:
            return f"it would have {size / MEGABYTE:.2f} MB; at most {self._press.bytes_max / MEGABYTE:.2f} MB are kept"
        try:
            whole = import_module("worker.finishing").finished(made.read_bytes())  # pypdf is large
        except FailedError as wrong:
            return wrong.message
        page.with_name(page.name + PDF).write_bytes(whole)
        return ""


def _lay(desk: Path, page: Path) -> None:
    """Put the page on the desk, as far below Bokeh's script as it will lie, so that it finds it."""
    levels, _ = assets.named_by(page) or (0, "")
    place = desk.joinpath("output", *["a"] * levels)
    place.mkdir(parents=True)
    shared = desk / "output" / assets.FOLDER
    shared.mkdir()
    (shared / assets.script_name()).symlink_to(assets.script_path())
    (place / PAGE).hardlink_to(page)


def _command(program: str, desk: Path) -> list[str]:
    """Without network, profile, sandbox as root (Chromium refuses it there): the page is ours and needs nothing."""
    is_root = os.geteuid() == 0
    return [
        program, "--headless", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={desk / 'profile'}", f"--window-size={WINDOW}",
        f"--force-device-scale-factor={FINENESS}",
        f"--virtual-time-budget={SETTLED_MS}", "--no-pdf-header-footer", "--generate-pdf-document-outline",
        *["--no-sandbox"] * is_root, f"--print-to-pdf={desk / 'page.pdf'}",
        next((desk / "output").rglob(PAGE)).as_uri() + ON_PAPER,
    ]  # fmt: skip


def _tell(page: Path, what: str) -> None:
    """Put a sentence into a page's sidecar. One that is none of ours stays as it is."""
    place = page.with_name(page.name + SIDECAR)
    try:
        if place.is_symlink() or place.stat().st_size > SIDECAR_BYTES_MAX:
            return
        story = msgspec.json.decode(place.read_bytes(), type=dict[str, msgspec.Raw])
        lacking = msgspec.json.decode(story.get("lacking", b"[]"), type=list[str])
        story["lacking"] = msgspec.Raw(msgspec.json.encode([*lacking, what]))
        place.write_bytes(msgspec.json.format(msgspec.json.encode(story), indent=1))
    except (OSError, msgspec.DecodeError) as wrong:
        _log.warning("sidecar.kept", page=page.name, why=str(wrong))
