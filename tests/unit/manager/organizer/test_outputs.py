"""What runs made, moved under output/."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from manager.organizer import outputs
from plotter2.datter.pages import assets
from plotter2.errors import AlteredError, FailedError, NotFoundError, PathRefusedError
from plotter2.model.task import Output
from tests.unit.manager.organizer.conftest import Home, digest

MADE = (Output("loss.html", "figure", "Loss"), Output("frames/w.html", "animation"))
TARGET = "digits/curve/1"


def run(home: Home, name: str = "req-1.0.1") -> Path:
    folder = home.layout.runs / name
    (folder / "frames").mkdir(parents=True)
    (folder / "loss.html").write_bytes(b"<html>")
    (folder / "loss.html.json").write_bytes(b"{}")
    (folder / "frames" / "w.html").write_bytes(b"<w>")
    (folder / "scratch").write_bytes(b"not named")
    return folder


def there(home: Home) -> dict[str, bytes]:
    root = home.layout.output
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


ALL = {f"{TARGET}/loss.html": b"<html>", f"{TARGET}/loss.html.json": b"{}", f"{TARGET}/frames/w.html": b"<w>"}


@pytest.mark.req("r012")
def test_outputs_are_moved_with_their_sidecars(home: Home) -> None:
    folder = run(home)
    taken = home.take(folder, MADE, TARGET)
    assert taken == (
        Output(f"{TARGET}/loss.html", "figure", "Loss", 6, digest(b"<html>")),
        Output(f"{TARGET}/frames/w.html", "animation", "", 3, digest(b"<w>")),
    )
    assert there(home) == ALL
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["scratch"]
    assert (home.layout.output / TARGET / "loss.html").stat().st_mode & 0o222 == 0


@pytest.mark.req("r198")
def test_doing_it_again_gives_the_same_answer(home: Home) -> None:
    folder = run(home)
    first = home.take(folder, MADE, TARGET)
    assert home.take(folder, MADE, TARGET) == first
    for path in [folder / "scratch", folder / "frames", folder]:
        path.unlink() if path.is_file() else path.rmdir()
    assert home.take(folder, MADE, TARGET) == first


@pytest.mark.req("r198")
@pytest.mark.parametrize("step", range(4))
def test_a_crash_between_two_moves_is_made_good(home: Home, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    folder, replace, left = run(home), Path.replace, step

    def move(source: Path, target: Path) -> Path:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.EIO, "the machine went dark")
        return replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", move)
        if step < 3:
            with pytest.raises(FailedError):
                home.take(folder, MADE, TARGET)
    taken = home.take(folder, MADE, TARGET)
    assert [one.size_bytes for one in taken] == [6, 3]
    assert there(home) == ALL


def test_many_files_and_another_file_system(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home.layout.runs / "many"
    folder.mkdir(parents=True)
    made = [Output(f"{number}.html", "figure") for number in range(40)]
    for one in made:
        (folder / one.path).write_bytes(one.path.encode())
    replace = Path.replace

    def far(source: Path, target: Path) -> Path:
        if source.is_relative_to(home.layout.runs):
            raise OSError(errno.EXDEV, "another file system")
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", far)
    home.take(folder, made, TARGET)
    assert len(there(home)) == 40
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "link.html", "folder/secret", "frames"])
def test_nothing_outside_the_run_is_taken(home: Home, tmp_path: Path, path: str) -> None:
    folder = run(home)
    (tmp_path / "secret").write_bytes(b"secret")
    (folder.parent / "secret").write_bytes(b"secret")
    (folder / "link.html").symlink_to(tmp_path / "secret")
    (folder / "folder").symlink_to(tmp_path)
    with pytest.raises(PathRefusedError):
        home.take(folder, [MADE[0], Output(path, "figure")], TARGET)
    assert there(home) == {}


def test_a_folder_that_is_no_runs_is_refused(home: Home, tmp_path: Path) -> None:
    run(home)
    for place in (tmp_path, home.layout.runs, home.layout.runs / ".." / ".." / "source"):
        with pytest.raises(PathRefusedError):
            home.take(place, MADE, TARGET)
    with pytest.raises(PathRefusedError):
        home.take(home.layout.runs / "req-1.0.1", MADE, "../up")


def test_a_link_under_output_is_not_followed(home: Home, tmp_path: Path) -> None:
    (home.layout.output / "digits").symlink_to(tmp_path)
    with pytest.raises(PathRefusedError):
        home.take(run(home), MADE, TARGET)
    assert not (tmp_path / "curve").exists()


def test_what_is_missing_or_changed_is_refused_before_anything_is_moved(home: Home) -> None:
    folder = run(home)
    with pytest.raises(NotFoundError, match=r"'more\.html'"):
        home.take(folder, [*MADE, Output("more.html", "figure")], TARGET)
    with pytest.raises(AlteredError, match=r"'loss\.html'"):
        home.take(folder, [Output("loss.html", "figure", digest=bytes(32))], TARGET)
    assert there(home) == {}
    assert outputs.SIDECAR == ".json"


def test_what_all_pages_share_is_laid_once_and_old_versions_stay(home: Home) -> None:
    folder = home.layout.output / assets.FOLDER
    folder.mkdir(parents=True)
    (folder / "bokeh-1.0.min.js").write_text("old")
    home.organizer.lay_assets()
    laid = folder / assets.script_name()
    before = laid.stat().st_mtime_ns
    home.organizer.lay_assets()
    assert laid.stat().st_mtime_ns == before
    assert laid.read_bytes() == assets.script_path().read_bytes()
    assert (folder / "bokeh-1.0.min.js").read_text() == "old"
