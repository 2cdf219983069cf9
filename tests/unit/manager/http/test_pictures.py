"""The picture of a page: its SVG lies beside it, its PNG is made when somebody asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.responses import FileResponse

from manager.http import pages
from plotter2.datter.pages import canvas
from plotter2.errors import NotFoundError, UsageError
from plotter2.model.task import Output


def test_a_png_is_made_of_the_picture_beside_a_page(tmp_path: Path) -> None:
    (tmp_path / "a.html.svg").write_bytes(canvas.Svg(40, 30).encode())
    response = pages._file(tmp_path, "a.html.png")
    assert response.media_type == "image/png"
    assert bytes(response.body).startswith(b"\x89PNG")
    assert response.headers["content-security-policy"].startswith("sandbox")


def test_a_png_that_a_script_made_is_served_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"its own")
    assert isinstance(pages._file(tmp_path, "a.png"), FileResponse)


@pytest.mark.req("r157", "r158")
def test_reports_on_paper_and_films_are_offered_where_they_are(tmp_path: Path) -> None:
    for name in ("r.html.pdf", "a.html.gif", "a.html.mp4", "b.csv.pdf"):
        (tmp_path / name).touch()
    kinds = {"r.html": "report", "a.html": "animation", "f.html": "figure", "b.csv": "table"}
    found = pages.offered(tmp_path, [Output(path, kind) for path, kind in kinds.items()])
    assert found == {"r.html": [".pdf"], "a.html": [".mp4", ".gif"]}
    parts: Any = pages.environment().get_template("parts.html").module
    assert '<a class="soft" href="/output/r.html.pdf">PDF</a>' in parts.offered("r.html", found)
    assert not parts.offered("f.html", found)


def test_where_there_is_no_picture_there_is_no_png(tmp_path: Path) -> None:
    (tmp_path / "link.svg").symlink_to("/etc/passwd")
    for name in ("none.png", "link.png"):
        with pytest.raises(NotFoundError, match="no output"):
            pages._file(tmp_path, name)
    (tmp_path / "foreign.svg").write_text("<svg/>")
    with pytest.raises(UsageError, match="no picture of a figure"):
        pages._file(tmp_path, "foreign.png")
