"""The picture of a page: its SVG lies beside it, its PNG is made when somebody asks."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.responses import FileResponse

from manager.http import pages
from plotter2.datter import canvas
from plotter2.errors import NotFoundError, UsageError


def test_a_png_is_made_of_the_picture_beside_a_page(tmp_path: Path) -> None:
    (tmp_path / "a.html.svg").write_bytes(canvas.Svg(40, 30).encode())
    response = pages._file(tmp_path, "a.html.png")
    assert response.media_type == "image/png"
    assert bytes(response.body).startswith(b"\x89PNG")
    assert response.headers["content-security-policy"].startswith("sandbox")


def test_a_png_that_a_script_made_is_served_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"its own")
    assert isinstance(pages._file(tmp_path, "a.png"), FileResponse)


def test_where_there_is_no_picture_there_is_no_png(tmp_path: Path) -> None:
    (tmp_path / "link.svg").symlink_to("/etc/passwd")
    for name in ("none.png", "link.png"):
        with pytest.raises(NotFoundError, match="no output"):
            pages._file(tmp_path, name)
    (tmp_path / "foreign.svg").write_text("<svg/>")
    with pytest.raises(UsageError, match="no picture of a figure"):
        pages._file(tmp_path, "foreign.png")
