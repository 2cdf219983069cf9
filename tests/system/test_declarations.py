"""What bundles declare, against a whole installation: refused with line and key; nothing that is sent ends it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.system.installation import Installation

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
REFUSED = 3


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("declarations") / "home")
    made.start()
    yield made
    made.stop()
    made.end()


def folder(root: Path, package_json: str, **code: str) -> str:
    (root / "code_sources").mkdir()
    for name, text in code.items():
        (root / "code_sources" / f"{name}.py").write_text(text)
    (root / "package.json").write_text(package_json)
    return str(root)


@pytest.mark.req("r069", "r198")
@pytest.mark.parametrize(
    ("package_json", "says"),
    [
        ('{"config": ' * 2_000 + "1" + "}" * 2_000, "is nested deeper than 64 levels"),
        ("[" * 500_000, "is nested deeper than 64 levels"),
        ('{"name": "a",\n"name": "b"}', "line 2: 'name' stands twice"),
        ('{"config": {"a":\n1' + "0" * 400 + "}}", "line 2: 'config.a' is 1000"),
        ('{"heads":\n{"f": {"function": "forwrd"}}}', "line 2, 'heads.f': no file below code_sources/ defines"),
    ],
)  # fmt: skip
def test_a_hostile_package_is_refused_and_the_manager_lives(
    lab: Installation, tmp_path: Path, package_json: str, says: str
) -> None:
    manager = lab.processes()["manager"]["pid"]
    root = folder(tmp_path, package_json, model="def forward(x): ...\n")
    refused = lab.run("push", root, "lab/hostile")
    assert refused.returncode == REFUSED
    assert says in refused.stderr
    checked = lab.run("check", root)
    assert (checked.returncode, checked.stderr) == (REFUSED, refused.stderr), "check says what a push would be told"
    assert lab.processes()["manager"]["pid"] == manager
    assert lab.run("show", "lab/hostile").returncode == REFUSED, "nothing of it is there"


@pytest.mark.req("r037", "r041", "r043", "r066")
def test_heads_and_links_that_hold_are_taken_in_with_the_bundle(lab: Installation, tmp_path: Path) -> None:
    declared: dict[str, Any] = {
        "heads": {
            "forward": {"function": "Net.forward", "params": {"x": "vector"}, "returns": "vector[float64, 3]"},
            "weights": {"file": "code_sources/model.py"},
        },
        "links": [{"name": "forward", "from": "lab/base", "in": "forward", "out": "forward", "mode": "mutable"}],
        "tags": {"model": "mlp"},
    }
    (tmp_path / "base").mkdir()
    base = folder(
        tmp_path / "base", json.dumps({"heads": declared["heads"]}), model="class Net:\n    def forward(self, x): ...\n"
    )
    assert lab.run("push", base, "lab/base").returncode == 0
    (tmp_path / "net").mkdir()
    root = folder(tmp_path / "net", json.dumps(declared), model="class Net:\n    def forward(self, x): ...\n")
    said = lab.run("push", root, "lab/net", "--json")
    assert said.returncode == 0, said.stderr
    shown = json.loads(lab.run("show", "lab/net", "--json").stdout)
    assert shown["package"] == declared


@pytest.mark.req("r018", "r069")
def test_a_guessed_package_makes_an_experiment_that_runs(lab: Installation, tmp_path: Path) -> None:
    root = tmp_path / "digits"
    shutil.copytree(EXAMPLES / "digits", root)
    (root / "package.json").unlink()
    assert lab.run("init", str(root)).returncode == 0
    assert lab.run("push", str(root), "lab/digits").returncode == 0
    said = lab.run("redo", "lab/digits", "--set", "epochs=1,2", "--wait", "--json")
    assert said.returncode == 0, said.stderr
    assert [child["state"] for child in json.loads(said.stdout)["children"]] == ["done", "done"]
