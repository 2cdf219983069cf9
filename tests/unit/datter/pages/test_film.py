"""Animations as films."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plotter2.datter.context import Context
from plotter2.datter.figures import drawing, motion
from plotter2.datter.figures.figure import Figure
from plotter2.datter.figures.frame import Frame
from plotter2.datter.pages import compose, film
from plotter2.datter.values.group import DataGroup, Member
from plotter2.datter.values.table import Table
from tests.unit.datter.conftest import Bench

HAS_FFMPEG = shutil.which("ffmpeg") is not None and shutil.which("ffprobe") is not None
real = pytest.mark.skipif(not HAS_FFMPEG, reason="there is no ffmpeg here")


def moving(context: Context, count: int, shape: tuple[int, ...] = (2, 3)) -> Figure:
    frames = np.random.default_rng(0).random((count, *shape))
    found: Figure = compose.figure_of(context, drawing.animate(Frame(), frames))
    return found


def probed(video: Path) -> dict[str, Any]:
    wanted = "stream=codec_name,width,height,pix_fmt,avg_frame_rate,nb_read_frames:format=duration"
    command = ["ffprobe", "-v", "error", "-count_frames", "-show_entries", wanted, "-of", "json", str(video)]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return {**found["streams"][0], "duration": float(found["format"]["duration"])}


@real
@pytest.mark.req("r157")
@pytest.mark.parametrize(("count", "frames", "rate"), [(12, 12, 10), (150, 110, 25)])
def test_a_video_plays_in_browsers_with_the_frames_that_the_page_names(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, frames: int, rate: int
) -> None:
    for module in (film, motion):
        monkeypatch.setattr(module, "MP4_FRAMES_MAX", 110)
    found = moving(context, count)
    monkeypatch.setattr(film.picture, "size_of", lambda _: (61, 47))  # small and odd: this is about the film
    assert film.films(found, tmp_path / "a.html") == film.Films((".gif", ".mp4"))
    seen = probed(tmp_path / "a.html.mp4")
    assert (seen["codec_name"], seen["pix_fmt"], seen["avg_frame_rate"]) == ("h264", "yuv420p", f"{rate}/1")
    assert (seen["width"], seen["height"], int(seen["nb_read_frames"])) == (122, 94, frames)
    assert seen["duration"] == pytest.approx(frames / rate)
    said = found.panels[0].notes[0]
    assert ("an MP4" in said) == (count > film.GIF_FRAMES_MAX)
    assert count <= film.GIF_FRAMES_MAX or f"an MP4 {frames} of them" in said


@real
@pytest.mark.req("r157")
def test_the_same_animation_is_the_same_film(context: Context, tmp_path: Path) -> None:
    for name in ("a", "b"):
        film.films(moving(context, 3), tmp_path / name)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_a_film_shows_evenly_chosen_frames() -> None:
    places = film.chosen(250, 100)
    assert (len(places), places[0], places[-1]) == (100, 0, 249)
    assert film.chosen(3, 100) == [0, 1, 2]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("cat > $LAST", ""),
        ("cat > $LAST; echo broken pixels >&2; exit 3", "ended with 3: broken pixels"),
        ("exit 4", "ended with 4: it said nothing"),
    ],
)
def test_frames_go_to_ffmpeg_one_by_one_and_what_it_says_is_told(
    context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text(f'#!/bin/bash\nLAST="${{@: -1}}"\n{script}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(film.shutil, "which", lambda _: str(program))
    made = film.films(moving(context, 4), tmp_path / "a.html")
    assert [f"no MP4: ffmpeg {said}"] * bool(said) == list(made.lacking)
    video = tmp_path / "a.html.mp4"
    assert video.exists() == (not said)
    width, height = film.picture.size_of(moving(context, 4))
    assert said or video.stat().st_size == 4 * 2 * width * 2 * height * 3


def test_a_program_that_never_ends_is_ended(context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/bash\ncat > /dev/null\nexec sleep 60\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(film.shutil, "which", lambda _: str(program))
    monkeypatch.setattr(film, "FFMPEG_S", 0.2)
    assert film.films(moving(context, 2), tmp_path / "a.html").lacking == ("no MP4: ffmpeg took more than 0.2 s",)


@pytest.mark.req("r157")
def test_tables_of_two_columns_are_curves_over_the_column_that_they_share(context: Context) -> None:
    def made(x: list[float], *more: str) -> DataGroup:
        tables = [{"t": x, "y": [place, 2.0, 1.0], **dict.fromkeys(more, x)} for place in (0.0, 5.0)]
        return DataGroup(
            [Member(f"s{place}", place, partial(Table, one)) for place, one in enumerate(tables)], "s", "step"
        )

    (panel,) = compose.figure_of(context, drawing.animate(Frame(), made([0.5, 1.0, 4.0]))).panels
    assert (panel.x.label, panel.y.label) == ("t", "y")
    assert panel.layers[0].columns["x"].tolist() == [0.5, 1.0, 4.0]
    assert panel.motion is not None
    assert panel.motion.frames.tolist() == [[0, 2, 1], [5, 2, 1]]
    for other in (made([0.5, 4.0, 1.0]), made([0.5, 1.0, 4.0], "z")):
        (panel,) = compose.figure_of(context, drawing.animate(Frame(), other)).panels
        assert panel.motion is not None
        assert panel.motion.column == "image"


@pytest.mark.req("r157")
def test_page_and_sidecar_name_the_films_and_say_why_there_is_no_video(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(film.shutil, "which", lambda _: None)
    result = bench.run("import numpy as np\ndef task():\n    animateme(np.random.rand(3, 6, 6))\n")
    page = next(made.path for made in result.made if made.kind == "animation")
    assert f'<a href="{page}.gif">{page}.gif</a>' in bench.page(result)
    assert film.WITHOUT_FFMPEG in bench.page(result)
    assert json.loads((bench.folder / f"{page}.json").read_text())["lacking"] == [film.WITHOUT_FFMPEG]
