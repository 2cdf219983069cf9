"""What `check` says of a folder: what an install would say, and what looks unintended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from plotter2.errors import PackageError, RefusedError
from plotter2.project import understand

EXAMPLES = Path(__file__).resolve().parents[4] / "examples"


def folder(root: Path, package: dict[str, Any] | None = None, **files: str) -> Path:
    if package is not None:
        (root / "package.json").write_text(json.dumps(package))
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_py", ".py").replace("_csv", ".csv")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_the_demo_is_understood_without_a_remark() -> None:
    found = understand(EXAMPLES / "digits")
    assert found.remarks == ()
    assert found.data == {"metrics": (), "weights": ()}
    assert found.files == 5


def test_data_keys_are_shown_with_their_files(tmp_path: Path) -> None:
    found = understand(folder(tmp_path, {"data": {"all": {"path": "*.csv"}}}, a_csv="x\n", b_csv="x\n"))
    assert found.data == {"all": ("a.csv", "b.csv")}


@pytest.mark.parametrize(
    ("package", "says"),
    [
        (None, "There is no package.json: this is plain data."),
        ({"service": {"command": ["a"]}}, "There is a 'service' and no code_sources/"),
        ({"service": {"command": ["{python}", "tain.py"]}}, "'service.command' names 'tain.py', and there is no"),
        ({"service": {"command": ["a"]}, "parameters": {"lr": {}}}, "The parameter 'lr' stands nowhere in 'service'"),
        ({"parameters": {"lr": {}}}, "There are parameters and no 'service'"),
        ({"tasks": [{"name": "m", "pipeline": ["access"], "linked": "far"}]}, "'m' is linked to 'far', which"),
        ({"standing": [{"name": "s", "on": "child", "run": ["far"]}]}, "The order 's' runs 'far', which is not here"),
        ({"data": {"a": {"path": "a.npy"}}}, "The data key 'a' finds no file: 'a.npy'."),
    ],
)  # fmt: skip
def test_what_is_legal_and_looks_unintended_is_remarked(
    package: dict[str, Any] | None, says: str, tmp_path: Path
) -> None:
    remarks = understand(folder(tmp_path, package, data_csv="a\n1\n")).remarks
    assert any(says in remark for remark in remarks)


def test_folders_that_are_hardly_meant_are_named(tmp_path: Path) -> None:
    for name in (".git/objects/a", ".git/b", "code_sources/__pycache__/a.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    remarks = understand(tmp_path).remarks
    assert "2 files below .git/ would be sent too." in remarks
    assert "1 files below code_sources/__pycache__/ would be sent too." in remarks


def test_what_an_install_would_refuse_is_refused_in_the_same_words(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="line 1: 'task' is an unknown key; did you mean 'tasks'"):
        understand(folder(tmp_path, {"task": []}))
    (tmp_path / "package.json").unlink()
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(RefusedError, match="is a symbolic link; only regular files can be sent"):
        understand(tmp_path)
