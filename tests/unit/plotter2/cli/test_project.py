"""`init` and `check`: no manager is asked, documents and exit codes are those of the reference."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plotter2.cli.main import run


def folder(root: Path) -> Path:
    (root / "code_sources").mkdir()
    (root / "code_sources" / "model.py").write_text("def forward(x): ...\n")
    (root / "table.csv").write_text("a,b\n1,x\n")
    return root


def test_init_writes_what_check_then_understands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = folder(tmp_path)
    assert run(["init", str(root), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["written"] == str(root / "package.json")
    assert said["package"] == json.loads((root / "package.json").read_text())
    assert run(["check", str(root), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["data"] == {"table": ["table.csv"]}
    assert set(found) == {
        "files", "bytes", "package", "parameters", "data", "tasks", "linked", "heads", "links", "standing", "remarks",
    }  # fmt: skip


def test_init_prints_without_writing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = folder(tmp_path)
    assert run(["init", str(root), "--print"]) == 0
    assert json.loads(capsys.readouterr().out)["data"]["table"]["type"] == "table{a: int64, b: text}"
    assert not (root / "package.json").exists()


def test_check_shows_heads_links_and_orders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = folder(tmp_path)
    declared = {
        "heads": {"f": {"function": "forward", "params": {"x": "vector"}, "returns": "vector[float64, 3]"}},
        "links": [{"name": "l", "in": "forward", "out": "f", "mode": "mutable"}],
        "tasks": [{"name": "t", "pipeline": [{"access": "table"}]}],
        "standing": [{"name": "s", "on": "version", "run": ["t"]}],
    }
    (root / "package.json").write_text(json.dumps(declared))
    assert run(["check", str(root)]) == 0
    said = capsys.readouterr().out
    assert "(x: vector) -> vector[float64, 3]  code_sources/model.py, line 1" in said
    assert ".. forward <- . f, mutable" in said
    assert "on version: t" in said
    assert run(["check", str(root), "--json"]) == 0
    head = json.loads(capsys.readouterr().out)["heads"]["f"]
    assert head["function"] == {"path": "code_sources/model.py", "line": 1, "name": "forward"}


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["check", "missing"], 2, "There is no folder missing."),
        (["init", "."], 3, "package.json is there already"),
        (["check", "."], 3, "package.json, line 2: 'heads.f' needs exactly one of"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_a_code(
    words: list[str], code: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "package.json").write_text('{"heads":\n{"f": {}}}')
    assert run(words) == code
    assert says in capsys.readouterr().err


def test_check_remarks_on_a_parameter_that_a_script_repeats_and_does_not_take(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "x.py"
    script.write_text("def task(lr=1):\n    repeat(over={'lr': [1], 'lrr': [2]})\n")
    assert run(["check", str(script), "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["remarks"] == ["Line 2: repeat names 'lrr', which is no parameter of this script."]
    assert run(["check", str(script)]) == 0
    assert capsys.readouterr().err == "Line 2: repeat names 'lrr', which is no parameter of this script.\n"
