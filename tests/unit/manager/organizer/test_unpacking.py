"""What runs left on other machines, laid out here from content by digest."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from manager.organizer import unpacking
from plotter2.datter.pages import assets
from plotter2.errors import AlteredError, FailedError, NotFoundError, PathRefusedError
from plotter2.model import packing
from plotter2.model.packing import Packed
from plotter2.model.task import Output
from tests.unit.manager.organizer.conftest import Home, digest

MADE = (Output("loss.html", "figure", "Loss"), Output("frames/w.html", "animation"))
TARGET = "digits/curve/1"
FILES = {"loss.html": b"<html>", "loss.html.json": b"{}", "frames/w.html": b"<w>", "frames/w.html.svg": b"<svg>"}


def sent(home: Home, files: dict[str, bytes], shared: dict[str, bytes] | None = None) -> bytes:
    """Content and list as a worker brings them; gives the list's digest."""
    contents = [(name, data, False) for name, data in files.items()]
    contents += [(name, data, True) for name, data in (shared or {}).items()]
    for _, data, _ in contents:
        home.organizer.put(digest(data), [data])
    text = packing.written(Packed(name, len(data), digest(data), is_shared) for name, data, is_shared in contents)
    home.organizer.put(digest(text), [text])
    return digest(text)


def take(home: Home, listed: bytes) -> None:
    folder = home.layout.runs / "req-1.0.1"
    home.take(folder, MADE, TARGET, listed)


def there(home: Home) -> dict[str, bytes]:
    root = home.layout.output / TARGET
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.req("r012", "r094")
def test_files_and_companions_lie_under_output_as_if_they_had_been_made_here(home: Home) -> None:
    take(home, sent(home, FILES))
    assert there(home) == FILES
    assert list(home.layout.runs.iterdir()) == []
    blob = home.layout.blob(digest(b"<html>"))
    assert blob.samefile(home.layout.output / TARGET / "loss.html"), "nothing is there twice"


@pytest.mark.req("r198")
def test_taking_it_again_changes_nothing(home: Home) -> None:
    listed = sent(home, FILES)
    for _ in range(2):
        take(home, listed)
    assert there(home) == FILES
    assert list(home.layout.runs.iterdir()) == []


@pytest.mark.req("r198")
@pytest.mark.parametrize("step", range(4))
def test_a_crash_between_two_files_is_made_good(home: Home, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    listed, left, link = sent(home, FILES), step, unpacking.durable.link_or_copy

    def stop(source: Path, target: Path) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.EIO, "the machine went dark")
        link(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(unpacking.durable, "link_or_copy", stop)
        with pytest.raises(FailedError):
            take(home, listed)
    assert there(home) == {}, "nothing is seen before all of it can be"
    take(home, listed)
    assert there(home) == FILES


def test_a_list_that_is_none_or_names_what_was_not_sent_is_refused(home: Home) -> None:
    with pytest.raises(NotFoundError):
        take(home, bytes(32))
    home.organizer.put(digest(b"no list"), [b"no list"])
    with pytest.raises(AlteredError, match="no such list"):
        take(home, digest(b"no list"))
    text = packing.written([Packed("loss.html", 3, digest(b"???"))])
    home.organizer.put(digest(text), [text])
    with pytest.raises(AlteredError, match=r"'loss\.html' was not sent"):
        take(home, digest(text))
    assert there(home) == {}


@pytest.mark.req("r198")
def test_nothing_is_laid_outside_the_runs_directory(home: Home, tmp_path: Path) -> None:
    with pytest.raises(PathRefusedError):
        take(home, sent(home, {"../secret": b"x"}))
    folder = home.layout.runs / "req-1.0.1"
    folder.mkdir(parents=True)
    (folder / "frames").symlink_to(tmp_path)
    with pytest.raises(PathRefusedError):
        take(home, sent(home, FILES))
    assert not (tmp_path / "w.html").exists()


@pytest.mark.req("r158")
def test_the_script_of_a_worker_with_another_bokeh_is_laid_beside_ours(home: Home) -> None:
    home.organizer.lay_assets()
    ours = assets.script_name()
    take(home, sent(home, FILES, {"bokeh-99.0.min.js": b"newer", ours: b"forged"}))
    laid = home.layout.output / assets.FOLDER
    assert (laid / "bokeh-99.0.min.js").read_bytes() == b"newer"
    assert (laid / ours).read_bytes() == assets.script_path().read_bytes(), "what is there stays"
    for name in ("../bokeh-1.min.js", "page.html"):
        with pytest.raises(PathRefusedError):
            take(home, sent(home, FILES, {name: b"x"}))
