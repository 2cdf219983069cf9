from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from plotter2.datter.pages import assets
from plotter2.errors import PathRefusedError
from plotter2.ids import RunId
from plotter2.model.task import RunState
from plotter2.mqtt.payloads import MadeFile, Report
from tests.unit.worker.kit import paper
from worker.config import WorkerConfig
from worker.paper import NONE, Press, Printer

PAGE = '<!doctype html><script src="../../../_assets/{}"></script>'


def browser(folder: Path, script: str) -> str:
    """A program that is called as a browser is; `$PDF` is where it shall write, `$PAGE` the page, `$DONE` a PDF."""
    made, done = folder / "browser", folder / "done.pdf"
    done.write_bytes(paper())
    start = 'for one; do case $one in --print-to-pdf=*) PDF="${one#*=}";; file://*) PAGE="${one#file://}";; esac; done'
    made.write_text(f'#!/bin/bash\n{start}\nPAGE="${{PAGE%#paper}}"\nDONE="{done}"\n{script}\n')
    made.chmod(0o755)
    return str(made)


def names(folder: Path, pattern: str) -> set[str]:
    return {one.name for one in folder.glob(pattern)}


async def printed(home: Path, press: Press, sidecar: str = '{"kind": "report"}') -> tuple[Path, Any]:
    """Where the PDF would be, and what the sidecar says."""
    folder = home / "run"
    folder.mkdir()
    page, story = folder / "01-r.html", folder / "01-r.html.json"
    page.write_text(PAGE.format(assets.script_name()))
    story.write_text(sidecar)
    made = (MadeFile("01-r.html", "report", "Waves"), MadeFile("02-f.html", "figure"))
    said: list[str] = []
    report = Report(RunId("r"), 1, RunState.DONE, made=made)
    await Printer(press, home, "w").print_reports(report, folder, said.append)
    assert said == ["The report is drawn; printing 'Waves' as PDF."] * bool(press.program())
    assert not names(home, ".*"), "the desk is cleared"
    assert names(folder, "*.pdf") <= {"01-r.html.pdf"}
    return folder / "01-r.html.pdf", story.read_text()


@pytest.mark.parametrize(
    ("script", "press", "why"),
    [
        ("test -s $PAGE && cp $DONE $PDF", {}, ""),
        ("echo no display >&2; exit 3", {}, "the browser ended with 3: no display"),
        ("exit 0", {}, "the browser ended without one"),
        ("sleep 60 & sleep 60", {"limit_s": 0.2}, "the browser took more than 0.2 s"),
        ("cat $PAGE > $PDF", {}, "what the browser printed cannot be read: "),
        ("cat $PAGE > $PDF", {"bytes_max": 10}, "it would have 0.00 MB; at most 0.00 MB are kept"),
    ],
)
@pytest.mark.req("r158")
async def test_a_report_is_printed_or_its_sidecar_says_why_not(
    tmp_path: Path, script: str, press: dict[str, Any], why: str
) -> None:
    pdf, told = await printed(tmp_path, Press(browser(tmp_path, script), **press))
    assert pdf.exists() == (not why)
    lacking = json.loads(told).get("lacking", [])
    assert [one.startswith(f"no PDF: {why}") for one in lacking] == [True] * bool(why)


@pytest.mark.parametrize(
    ("name", "why"),
    [("no-such-browser", "there is no no-such-browser where this was drawn"),
     (NONE, "this worker is set to print none")],
)  # fmt: skip
async def test_without_a_browser_the_sidecar_says_so(tmp_path: Path, name: str, why: str) -> None:
    pdf, told = await printed(tmp_path, Press(name), '{"lacking": ["no MP4"], "kind": "report"}')
    assert not pdf.exists()
    assert json.loads(told) == {"kind": "report", "lacking": ["no MP4", f"no PDF: {why}"]}


async def test_a_program_that_cannot_be_started_is_a_reason_too(tmp_path: Path) -> None:
    made = tmp_path / "browser"
    made.write_bytes(b"\x7fELF and nothing else")
    made.chmod(0o755)
    _, told = await printed(tmp_path, Press(str(made)))
    assert json.loads(told)["lacking"] == ["no PDF: the browser could not be used: Exec format error"]


@pytest.mark.parametrize("sidecar", ["[]", "no JSON", '{"lacking": 3}'])
async def test_a_sidecar_that_is_none_of_ours_stays_as_it_is(tmp_path: Path, sidecar: str) -> None:
    assert (await printed(tmp_path, Press(NONE), sidecar))[1] == sidecar


async def test_the_page_finds_what_pages_share_while_it_is_printed(tmp_path: Path) -> None:
    find = f'cd "$(dirname "$PAGE")"; cat "$(grep -o \'[./]*_assets/[^"]*js\' page.html)" > {tmp_path}/found'
    await printed(tmp_path, Press(browser(tmp_path, find)))
    assert (tmp_path / "found").read_bytes() == assets.script_path().read_bytes()


async def test_a_name_outside_the_run_is_refused(tmp_path: Path) -> None:
    made = (MadeFile("../../secret.html", "report"),)
    report = Report(RunId("r"), 1, RunState.DONE, made=made)
    with pytest.raises(PathRefusedError):
        await Printer(Press(), tmp_path, "w").print_reports(report, tmp_path, str)


def test_the_settings_say_what_prints(tmp_path: Path) -> None:
    config = WorkerConfig(home=tmp_path, browser="my-browser", pdf_limit_s=5, pdf_bytes_max=1_000)
    assert config.press() == Press("my-browser", 5.0, 1_000)
