"""A config directory, read as bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from plotter2 import configured
from plotter2.errors import ConfigError
from plotter2.model import additions


def laid(folder: Path) -> Path:
    for name, text in {
        "manager.toml": "tick_s = 1\n", "templates/paper.toml": "description = 'For print'\n[font]\nsize = 14\n",
        "operations/smooth.py": "def smooth(x, width=3):\n    'Means.'\n    return x\n",
        "operations/bad.py": "def f(:\n", "operations/note.txt": "no", "visuals/v.py": "def v(x: 'image'):\n    pass\n",
    }.items():  # fmt: skip
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.req("r009")
def test_a_directory_is_read_and_told_of_for_people(tmp_path: Path) -> None:
    own = configured.read(laid(tmp_path))
    rows = [(one.kind, one.name, one.file, one.line, one.params, one.description) for one in configured.entries(own)]
    assert rows == [
        ("template", "paper", "templates/paper.toml", 0, "", "For print"),
        ("operation", "smooth", "operations/smooth.py", 1, "x, width=3", "Means."),
        ("visual", "v", "visuals/v.py", 1, "x: 'image'", ""),
    ]
    assert own.faults == {"operations/bad.py": "operations/bad.py, line 1: invalid syntax."}
    assert configured.read(tmp_path / "nowhere").digest == b""


def test_what_has_not_changed_looks_the_same_and_what_is_gone_is_left_out(tmp_path: Path) -> None:
    laid(tmp_path)
    seen = configured.look(tmp_path)
    assert configured.look(tmp_path) == seen
    (tmp_path / "operations" / "smooth.py").write_text("def smoother(x):\n    return x\n")
    assert configured.look(tmp_path) != seen
    (tmp_path / "operations" / "smooth.py").unlink()
    assert "operations/smooth.py" not in configured.contents(tmp_path, seen)


def test_too_many_files_and_a_directory_that_cannot_be_read_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid(tmp_path)
    monkeypatch.setattr(configured, "FILES_MAX", 2)
    with pytest.raises(ConfigError, match="adds more than 2 files"):
        configured.look(tmp_path)

    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied", "here")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(ConfigError, match=r"^here cannot be read: Permission denied\.$"):
        configured.look(tmp_path)


def test_of_a_long_file_no_more_is_read_than_tells_that_it_is_too_long(tmp_path: Path) -> None:
    (tmp_path / "operations").mkdir()
    (tmp_path / "operations" / "long.py").write_bytes(b"#" * (2 * additions.FILE_BYTES_MAX))
    found = configured.contents(tmp_path, configured.look(tmp_path))
    assert len(found["operations/long.py"]) == additions.FILE_BYTES_MAX + 1
    assert "at most 262,144" in configured.read(tmp_path).faults["operations/long.py"]
