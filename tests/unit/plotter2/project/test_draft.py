"""A package.json to start from: what is guessed of real folders, and that the guess is one that installs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plotter2.errors import ConflictError, UsageError
from plotter2.model import package
from plotter2.project import draft, understand

EXAMPLES = Path(__file__).resolve().parents[4] / "examples"
TRAIN = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("data")
parser.add_argument("--lr", type=float, default=0.1, help="learning rate")
parser.add_argument("--kind", choices=["a", "b"], default="a")
parser.add_argument("--fast", action="store_true")
parser.add_argument("--sizes", nargs="+", default=[1])
parser.add_argument("--limit", type=float, default=float("inf"))
parser.add_argument("--work", default=".")
parser.add_argument("--outdir", default="out")
def forward(x, w): ...
def _hidden(): ...
"""


def folder(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def document(root: Path) -> dict[str, Any]:
    found = draft(root)
    (root / "package.json").write_text(found.text)
    understand(root)
    return dict(json.loads(found.text))


def test_the_demo_without_its_package_is_understood_again(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "digits", tmp_path / "digits")
    (tmp_path / "digits" / "package.json").unlink()
    drafted = document(tmp_path / "digits")
    written = package.parse((EXAMPLES / "digits" / "package.json").read_text())
    assert {"lr", "epochs", "seed"} <= drafted["parameters"].keys()
    assert drafted["parameters"]["lr"]["default"] == written.parameters["lr"].default
    assert drafted["service"]["command"][:4] == ["{python}", "train.py", "--lr", "{lr}"]
    assert {one["task_src"] for one in drafted["tasks"]} == {one.task_src for one in written.tasks}


def test_options_become_parameters_and_the_others_are_named_with_the_reason(tmp_path: Path) -> None:
    root = folder(tmp_path, {"code_sources/train.py": TRAIN, "code_sources/lib.py": "x = 1"})
    found = document(root)
    assert found["service"]["command"] == [
        "{python}", "train.py", "{data}", "--lr", "{lr}", "--kind", "{kind}", "--outdir", "{output}",
    ]  # fmt: skip
    assert found["parameters"]["lr"] == {
        "//": "code_sources/train.py, line 5", "type": "float", "default": 0.1, "help": "learning rate",
    }  # fmt: skip
    assert found["parameters"]["kind"]["choices"] == ["a", "b"]
    assert found["parameters"]["data"]["//"].endswith("it has no default here: every redo must name it")
    assert "code_sources/train.py:forward(x, w)" in found["//"]
    assert not any("_hidden" in line for line in found["//"])
    (root / "package.json").unlink()
    remarks = " ".join(draft(root).remarks)
    for name in ("--fast is a switch", "--sizes takes many values", "--limit has no default", "--work has a name"):
        assert name in remarks


def test_tables_arrays_and_the_readme_are_described(tmp_path: Path) -> None:
    root = folder(tmp_path, {"README.md": "# Title\n\nWhat it\nis about.\n\nMore.", "runs/first.csv": "a,b\n1,x\n"})
    for step in (9, 10):
        np.save(root / f"step_{step}.npy", np.zeros((2, 3)))
    found = document(root)
    assert found["description"] == "What it is about."
    assert found["data"]["first"]["type"] == "table{a: int64, b: text}"
    assert found["data"]["step"]["path"] == "step_*.npy"
    assert found["data"]["step"]["type"] == "matrix[float64, 2, 3]"
    assert "service" not in found


def test_code_beside_the_data_is_named_where_it_belongs_and_a_remark_says_to_move_it(tmp_path: Path) -> None:
    root = folder(tmp_path, {"main.py": "print(1)", "data.csv": "a\n1\n"})
    found = draft(root)
    service = json.loads(found.text)["service"]
    assert (service["command"], "cwd" in service) == (["{python}", "main.py"], False)
    assert "A redo needs the code below code_sources/: move main.py there, where 'service' names it." in found.remarks


READS = 'import argparse\np = argparse.ArgumentParser()\np.add_argument("--data", default="./data/points.csv")\n'


@pytest.mark.parametrize(
    ("data", "word"), [("data/points.csv", "{bundle}/{data}"), ("code_sources/data/points.csv", "{data}")]
)
def test_an_option_that_names_a_file_of_the_folder_finds_it_in_the_bundle(tmp_path: Path, data: str, word: str) -> None:
    found = document(folder(tmp_path, {"code_sources/train.py": READS, data: "a\n1\n"}))
    assert found["service"]["command"] == ["{python}", "train.py", "--data", word]


def test_what_cannot_run_is_no_task_and_what_cannot_be_read_no_code(tmp_path: Path) -> None:
    root = folder(
        tmp_path, {"tasks/good.py": "def task(): pass", "tasks/bad.py": "def task(", "code_sources/b.py": "def ("}
    )
    found = draft(root)
    assert [one["name"] for one in json.loads(found.text)["tasks"]] == ["good"]
    assert any(remark.startswith("No task: tasks/bad.py, line 1") for remark in found.remarks)
    assert any(remark.startswith("Not understood: code_sources/b.py, line 1") for remark in found.remarks)


def test_a_package_that_is_there_is_never_replaced(tmp_path: Path) -> None:
    with pytest.raises(ConflictError, match="is there already; `plotter2 check`"):
        draft(folder(tmp_path, {"package.json": "{}"}))
    with pytest.raises(UsageError, match="There is no folder"):
        draft(tmp_path / "nothing")


names = st.sampled_from([
    "a.csv", "a 1.csv", "b.npy", "x[1].csv", "*.csv", "q?.tsv", "tasks/t.py", "tasks/t.json", "ä.csv", "s_1.csv",
    "s_2.csv", "code_sources/train.py", "README.md", "main.py", ".git/x", "1.csv", "_.csv",
])  # fmt: skip
written = [b"", b"a,b\n1,2\n", b"\xff\xfe", TRAIN.encode(), b'[{"access": "a"}]', b"def task(): pass", b'"']
contents = st.sampled_from(written) | st.binary(max_size=30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(files=st.dictionaries(names, contents, min_size=1, max_size=6))
def test_whatever_lies_in_a_folder_the_draft_would_be_installed(
    files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("folder")
    for name, data in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(data)
    document(root)
