"""What a bundle declares, checked against its files: the same for `check` and for every install."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plotter2.errors import PackageError, RefusedError
from plotter2.inspection import Declared, inspect

PACKAGE: dict[str, Any] = {
    "data": {"weights": {"path": "w.npy"}},
    "tasks": [{"name": "curve", "task_src": "tasks/curve.json"}],
    "heads": {
        "forward": {"function": "Net.forward", "params": {"x": "vector"}, "returns": "vector"},
        "table": {"file": "data/*.csv"},
        "weights": {"data": "weights"},
    },
}
FILES = {
    "code_sources/model.py": b"class Net:\n    def forward(self, x, scale=1): ...\n    def more(self, *args): ...\n",
    "tasks/curve.json": b'[["access", "a"]]',
    "data/a.csv": b"x\n1\n",
}


def look(files: dict[str, bytes] = FILES, **changes: Any) -> Declared:
    text = json.dumps(PACKAGE | changes, indent=1)
    every = {**files, "package.json": text.encode()}
    return inspect({path: len(data) for path, data in every.items()}, every.__getitem__)


def test_plain_data_declares_nothing() -> None:
    assert inspect({"a.csv": 10}, dict[str, bytes]().__getitem__) == Declared()


@pytest.mark.req("r037", "r041", "r043", "r066")
def test_heads_are_found_in_the_bundle_with_their_signatures() -> None:
    found = look()
    path, function = found.functions["forward"]
    assert (path, function.name, function.line) == ("code_sources/model.py", "Net.forward", 2)
    assert set(found.functions) == {"forward"}


@pytest.mark.req("r037", "r041")
@pytest.mark.parametrize(
    ("head", "says"),
    [
        ({"function": "Net.forwrd"}, "defines a function 'Net.forwrd'; did you mean 'Net.forward'?"),
        ({"function": "Net.forward", "params": {"y": "any"}}, "model.py, line 2: Net.forward(x, scale) takes no"),
        ({"function": "Net.forward", "params": {"scale": "any"}}, "also needs 'x'"),
        ({"function": "code_sources/modl.py:f"}, "there is no file 'code_sources/modl.py' in the bundle; did"),
        ({"file": "data/b.csv"}, "there is no file 'data/b.csv' in the bundle; did you mean 'data/a.csv'?"),
        ({"file": "*.npy"}, "there is no file '*.npy' in the bundle"),
    ],
)  # fmt: skip
def test_a_head_that_points_nowhere_refuses_the_bundle(head: dict[str, Any], says: str) -> None:
    with pytest.raises(PackageError) as refused:
        look(heads={"first": {"data": "weights"}, "f": head})
    assert refused.value.message.startswith("package.json, line ")
    assert "'heads.f': " in refused.value.message
    assert says in refused.value.message


def test_a_head_may_leave_its_parameters_to_the_function() -> None:
    for params in ({}, {"x": "any", "scale": "scalar"}):
        assert look(heads={"f": {"function": "Net.forward", "params": params}}).functions
    assert look(heads={"f": {"function": "Net.more", "params": {"anything": "any"}}}).functions


def test_a_file_that_a_service_will_make_need_not_be_there_yet() -> None:
    look(heads={"f": {"file": "out/x.csv"}}, service={"command": ["x"]})


@pytest.mark.req("r068")
@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({}, "line 8, 'tasks[0]': task 'curve' names 'tasks/curve.json', which is not in the bundle."),
        ({"tasks/curve.jso": b""}, "did you mean 'tasks/curve.jso'?"),
        ({"tasks/curve.json": b"\xff"}, "tasks/curve.json is not UTF-8 text"),
        ({"tasks/curve.json": b"nonsense"}, "tasks/curve.json"),
    ],
)
def test_a_task_that_cannot_run_refuses_the_bundle(files: dict[str, bytes], says: str) -> None:
    with pytest.raises(RefusedError) as refused:
        look(files)
    assert says in refused.value.message


@pytest.mark.req("r098")
def test_a_pipeline_that_stands_in_the_package_is_told_by_its_task_and_step() -> None:
    with pytest.raises(RefusedError) as refused:
        look(tasks=[{"name": "curve", "pipeline": ["access", {"pca": {"kk": 3}}]}])
    assert refused.value.message.startswith("package.json, task 'curve', step 2 (pca): there is no argument 'kk'")
