"""A report on paper, by the browser that is here."""

from __future__ import annotations

import asyncio
import json
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from plotter2.datter.pages import assets
from plotter2.model.task import RunState
from tests.integration.worker_kit import REAL_ENGINE, rig
from worker.paper import Press

PRINTED_S = 120
"""A browser takes its time where others are at work too."""
REPORT = """
def task():
    page = report("On paper")
    page.add([3, 1, 2], title="A series")
    page.table({"n": list(range(90))}, title="Rows")
"""


@pytest.mark.req("r158")
async def test_a_report_has_pages_of_paper_with_contents_where_a_browser_is_found(tmp_path: Path) -> None:
    press = Press("")
    async with rig(tmp_path, command=REAL_ENGINE, press=press) as worker:
        [report] = await worker.ends(worker.assign(REPORT), PRINTED_S)
    assert report.state is RunState.DONE
    page = tmp_path / "temp/runs" / f"{report.run_id}.1" / next(one.path for one in report.made if one.kind == "report")
    told = json.loads((page.parent / f"{page.name}.json").read_text())
    if not press.program():
        assert told["lacking"] == ["no PDF: there is neither Chromium nor Chrome where this was drawn"]
        return
    assert "lacking" not in told
    pdf = (page.parent / f"{page.name}.pdf").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert len(pdf.split(b"/Type /Page\n")) > 2, "90 rows do not fit on one"
    assert b"/Outlines" in pdf
    book = PdfReader(BytesIO(pdf))
    words = book.pages[0].extract_text()
    first = [len(book.pages), *(place for place, one in enumerate(book.pages, 1) if "Rows" in one.extract_text())]
    assert len([line for line in words.splitlines() if line.strip().endswith(("1", "2"))]) >= 2, "contents have numbers"
    assert f"1 / {first[0]}" in words
    assert b"file://" not in pdf, "no word of where it was printed"
    assert await printed_at_night(press.program(), laid(page, tmp_path / "night"), tmp_path / "night") > 0, (
        "figures are there"
    )
    meanwhile = [one.lines for one in worker.reported.reports if one.state is RunState.RUNNING and one.lines]
    assert meanwhile == [report.lines] == [("The report is drawn; printing 'On paper' as PDF.",)]


def laid(page: Path, desk: Path) -> Path:
    """The page where it finds what pages share."""
    levels, script = assets.named_by(page) or (0, "")
    place = desk.joinpath("output", *["a"] * levels)
    place.mkdir(parents=True)
    (desk / "output" / assets.FOLDER).mkdir()
    (desk / "output" / assets.FOLDER / script).symlink_to(assets.script_path())
    (place / "page.html").write_bytes(page.read_bytes())
    return place / "page.html"


async def printed_at_night(browser: str, page: Path, desk: Path) -> int:
    """How many pictures are on paper when somebody whose browser is dark prints the page; browsers print by day."""
    process = await asyncio.create_subprocess_exec(
        browser, "--headless", "--disable-gpu", "--no-sandbox", "--blink-settings=preferredColorScheme=0",
        f"--user-data-dir={desk / 'profile'}", "--virtual-time-budget=3000", "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--print-to-pdf={desk / 'night.pdf'}", page.as_uri(),
        stderr=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await asyncio.wait_for(process.wait(), PRINTED_S) == 0
    return sum(len(one.images) for one in PdfReader(desk / "night.pdf").pages)
