"""package.json from outside: what is wrong is said with the line and the key, and with what would be right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from plotter2.datter import loading
from plotter2.errors import PackageError
from plotter2.model import package
from plotter2.model.package import BYTES_MAX, DataKey, Head, LinkDeclaration, Translation
from plotter2.model.request import RequestKind

EXAMPLES = sorted((Path(__file__).resolve().parents[5] / "examples").glob("*/package.json"))
WHOLE: dict[str, Any] = {
    "//": ["All that", "can be said."],
    "$schema": "docs/reference/package.schema.json",
    "name": "digits",
    "description": "d",
    "tags": {"model": "mlp", "fold": 3, "rate": 0.5, "kept": True},
    "parents": ["lab/base", "lab/other"],
    "children": ["second", "first"],
    "config": {"colours": ["red"], "threshold": 0.5},
    "parameters": {"lr": {"//": "from train.py", "type": "float", "default": 0.1}},
    "service": {"command": ["{python}", "train.py", "{lr}"], "metrics": [{"format": "csv", "path": "m.csv"}]},
    "data": {"weights": {"path": "w.npy", "type": "matrix"}},
    "tasks": [{"name": "curve", "task_src": "curve.json"}, {"name": "compare", "task_src": "compare.py"}],
    "heads": {
        "forward": {"function": "model.py:Net.forward", "params": {"x": "vector"}, "returns": "vector"},
        "flat": {"function": "flat"},
        "table": {"file": "out/*.csv"},
        "weights": {"data": "weights"},
        "draw": {"pipeline": "curve"},
    },
    "links": [
        {"name": "forward", "in": "forward", "out": "forward"},
        {"name": "w", "from": ".", "to": "lab/x", "in": "weights", "out": "w", "mode": "mutable",
         "translate": {"backward": "flat"}},
    ],
    "standing": [
        {"name": "each", "on": "child", "run": ["curve"]},
        {"name": "ten", "on": "arrivals", "n": 10, "run": ["curve"]},
        {"name": "night", "on": "cron", "cron": "0 3 * * *", "run": ["curve"]},
        {"name": "after", "on": "request", "request": "redo", "run": ["compare"]},
    ],
}  # fmt: skip


def text(**changes: Any) -> str:
    return json.dumps(WHOLE | changes, indent=2)


def refusal(source: str) -> str:
    with pytest.raises(PackageError) as refused:
        package.parse(source)
    return refused.value.message


@pytest.mark.req("r043", "r066", "r069")
def test_all_that_a_package_can_declare_is_read() -> None:
    found = package.parse(text())
    assert found.parents == ["lab/base", "lab/other"]
    assert found.tags == {"model": "mlp", "fold": 3, "rate": 0.5, "kept": True}
    assert found.heads["forward"] == Head(function="model.py:Net.forward", params={"x": "vector"}, returns="vector")
    assert found.links[0] == LinkDeclaration("forward", "forward", "forward", "..", ".")
    assert found.links[1].epsilon == Translation(backward="flat")
    assert found.standing[3].request is RequestKind.REDO
    assert package.read(text()) == found


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_the_examples_are_packages(path: Path) -> None:
    package.parse(path.read_text())


def test_nothing_is_an_empty_package() -> None:
    assert package.read("") == package.parse("{}")


@pytest.mark.req("r069")
@pytest.mark.parametrize(
    ("source", "says"),
    [
        ('{\n"tasks": [{"name": 1}]}', "line 2: 'tasks[0].name' must be text, not a whole number."),
        ('{\n"task": []}', "line 2: 'task' is an unknown key; did you mean 'tasks'."),
        ('{"tasks": [\n{"name": "a", "zz": 1}]}', "line 2: 'tasks[0].zz' is an unknown key; known are 'name', "),
        ('{"tasks": [\n{}]}', "line 2: 'tasks[0]' misses the key 'name'."),
        ('{"parameters": {"a": {"type": "int"},\n"b": {"type": "floa"}}}',
         "line 2: 'parameters.b.type' must be one of 'bool', 'float', 'int', 'json', 'str', not 'floa'."),
        ('{"heads": {"f": {"params": {"x": "vector",\n"y": 3}}}}', "line 2: 'heads.f.params.y' must be text, not a"),
        ('{"standing": [{"name": "a", "run": [],\n"on": "chld"}]}', "line 2: 'standing[0].on' must be one of 'arr"),
        ('{"standing": [{"name": "a", "run": [], "on": "request",\n"request": "x"}]}', "must be one of 'push', 'run',"),
        ("[]", "line 1: the document must be an object, not a list."),
        ('{"a":\n}', "line 2: this is not JSON:"),
        ('{"name": "a\n', "line 1: this is not JSON:"),
        ('{"name": "ä",\n"tags": {]}', "line 2: this is not JSON:"),
        ('{"name": "a",\n"name": "b"}', "line 2: 'name' stands twice; each key may stand once."),
        ('{"config": {\n"a": 1e400}}', "line 2: 'config.a' is 1e400, which is no finite number."),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line_and_its_key(source: str, says: str) -> None:
    assert refusal(source).startswith("package.json, line ")
    assert says in refusal(source)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"tasks": [{"name": "a"}]}, "'tasks[0]' ('a') needs either 'task_src' or 'pipeline'"),
        ({"tasks": [{"name": "a", "task_src": "a.py"}] * 2}, "'tasks[1].name' is 'a', as another of 'tasks'"),
        ({"service": {"command": []}}, "'service.command' is empty; it must name a program"),
        ({"service": {"command": ["{l}"]}}, "'service.command[0]' uses {l}, but the declared parameters are 'lr'"),
        ({"service": {"command": ["a"], "env": {"A": "{b}"}}}, "'service.env.A' uses {b}"),
        ({"service": {"command": ["a"], "metrics": [{"format": "csv"}]}}, "has the format 'csv' and needs 'path'"),
        ({"service": {"command": ["a"], "metrics": [{"path": "m.txt"}]}}, "'m.txt' does not show it"),
        ({"service": {"command": ["a"], "metrics": [{}]}}, "needs a 'path'"),
        ({"service": {"command": ["a"], "metrics": [{"format": "pattern", "pattern": "("}]}}, "is no pattern"),
        ({"service": {"command": ["a"], "metrics": [{"format": "pattern", "pattern": "a"}]}}, "needs named groups"),
        ({"service": {"command": ["a"], "cwd": "../x"}}, "'service.cwd' is '../x', which leads out"),
        ({"service": {"command": ["a"], "env": {"A=B": ""}}}, "'service.env.A=B' is no name of a variable"),
        ({"service": {"command": ["a"], "outputs": ["a", "../b"]}}, "'service.outputs[1]' is '../b', which"),
        ({"service": {"command": ["a"], "outputs": ["a**"]}}, "in a pattern '**' must stand alone between slashes"),
        ({"service": {"command": ["a"], "limits": {"wall_s": -1}}}, "'service.limits.wall_s' is -1.0; it must"),
        ({"parents": ["../x"]}, "'parents[0]' names no bundle: Bundle name '../x' may not contain '..' as a part"),
        ({"parents": ["a", "a"]}, "'parents[1]' names 'a' a second time"),
        ({"parents": [f"p{i}" for i in range(33)]}, "'parents' has 33 entries; a bundle has at most 32 parents"),
        ({"children": ["a/b"]}, "'children[0]' is 'a/b'; a child is named without '/'"),
        ({"tags": {"": "x"}}, "is an empty name"),
        ({"tags": {"a\nb": "x"}}, "is a name with characters that cannot be shown"),
        ({"config": {"a" * 300: 1}}, "is a name longer than 255 bytes"),
        ({"config": {f"k{i}": 1 for i in range(1001)}}, "'config' has 1,001 entries; at most 1,000 can be declared"),
        ({"heads": {"f": {}}, "links": []}, "'heads.f' needs exactly one of 'function', 'file', 'data', 'pip"),
        ({"heads": {"f": {"file": "a", "data": "weights"}}, "links": []}, "and has 'file', 'data'"),
        ({"heads": {"f": {"data": "weight"}}, "links": []}, "which is no key of 'data'; did you mean 'weights'?"),
        ({"heads": {"f": {"pipeline": "compare"}}, "links": []}, "which is no pipeline of 'tasks'; known are 'curve'"),
        ({"heads": {"f": {"file": "a", "params": {"x": "any"}}}, "links": []}, "only what runs takes parameters"),
        ({"heads": {"f": {"file": "a", "returns": "vectr"}}, "links": []}, "must be a type, but 'vectr' is no"),
        ({"heads": {"f": {"function": "a", "params": {"x": "q"}}}, "links": []}, "'heads.f.params.x' must be a type"),
        ({"data": {"weights": {"path": "a", "type": "matrx"}}}, "did you mean 'matrix'; a format would be one"),
        ({"links": [{"name": "a", "in": "x", "out": "forwrd"}]}, "'links[0].out' names 'forwrd'"),
        ({"links": [{"name": "a", "from": ".", "to": "b", "in": "x", "out": "y"}]}, "'links[0].in' names 'x'"),
        ({"links": [{"name": "a", "from": "b", "to": "c", "in": "x", "out": "y"}]}, "one of 'from' and 'to' must"),
        ({"links": [{"name": "a", "from": "/b", "in": "x", "out": "flat"}]}, "'links[0].from' names no bundle"),
        ({"links": [{"name": "a", "in": "x", "out": "flat", "translate": {"forward": "table"}}]}, "only a function"),
        ({"standing": [{"name": "s", "on": "arrivals", "run": []}]}, "('s') needs 'n', as its 'on' is 'arrivals'"),
        ({"standing": [{"name": "s", "on": "child", "n": 3, "run": []}]}, "('s') has 'n', which goes with 'arrivals'"),
        ({"standing": [{"name": "s", "on": "arrivals", "n": -3, "run": []}]}, "must lie between 1 and 1,000,000"),
        ({"standing": [{"name": "s", "on": "child", "redo": {"set": {"rl": 1}}}], "parameters": {"lr": {}}},
         "'standing[0].redo.set.rl' is no parameter of this bundle; known are 'lr'"),
        ({"standing": [{"name": "s", "on": "child", "redo": {"of": "a", "set": {"x": "log:1"}}}]},
         "'standing[0].redo.set.x' is no range: "),
        ({"standing": [{"name": "s", "on": "child", "redo": {"of": "a", "set": {"x": []}}}]}, "has 0 values; an order"),
        ({"standing": [{"name": "s", "on": "child", "redo": {"of": "../a"}}]}, "'standing[0].redo.of' names no bundle"),
        ({"standing": [{"name": "s", "on": "child", "redo": {"parallel": 0}}]}, "must lie between 1 and 1,000"),
        ({"standing": [{"name": "s", "on": "cron", "cron": "* *", "run": []}]}, "needs five fields: minute, hour"),
    ],
)  # fmt: skip
def test_a_rule_that_is_broken_is_named_with_its_place(changes: dict[str, Any], says: str) -> None:
    assert says in refusal(text(**changes))


def test_a_deeply_nested_package_is_refused_and_ends_nothing() -> None:
    for source in ("[" * 2_000 + "]" * 2_000, '{"config":' * 100_000):
        assert "is nested deeper than 64 levels" in refusal(source)


def test_a_package_that_is_too_large_is_refused_before_it_is_read() -> None:
    assert refusal(" " * (BYTES_MAX + 1)).startswith(f"package.json has more than {BYTES_MAX} bytes")


@pytest.mark.parametrize(
    ("declared", "word"),
    [
        ("", ""), ("csv", "csv"), ("CSV", "csv"), ("table", "table"), ("table{x: float64}", "table"), ("any", ""),
        ("matrix[float64, *, 32]", "matrix"), ("vector", "vector"), ("array[uint8, 2, 2, 2]", "array"),
        ("scalar[int64]", ""), ("image[uint8, *, *]", "image"), ("bytes", "bytes"), ("text", "text"),
    ],
)  # fmt: skip
def test_a_declared_type_says_how_a_file_is_read(declared: str, word: str) -> None:
    assert DataKey("a", declared).loads_as == word


@pytest.mark.parametrize(
    ("metrics", "kind"),
    [
        ({"path": "{output}/m.CSV"}, "csv"),
        ({"path": "*.jsonl"}, "jsonl"),
        ({"path": "m.json", "format": "jsonl"}, "jsonl"),
        ({"pattern": "(?P<loss>.*)"}, "pattern"),
    ],
)
def test_how_metrics_are_written_is_seen_from_where_they_are(metrics: dict[str, str], kind: str) -> None:
    declared = package.parse(json.dumps({"service": {"command": ["a"], "metrics": [metrics]}}))
    assert declared.service is not None
    assert declared.service.metrics[0].kind == kind


def test_the_formats_are_those_that_datter_reads() -> None:
    assert set(loading._FORMATS) == package.FORMATS


def test_comments_and_defaults_do_not_change_how_a_service_is_started() -> None:
    plain = package.parse('{"service": {"command": ["a"], "metrics": [{"format": "csv", "path": "m"}]}}')
    said = package.parse(
        '{"service": {"//": "why", "command": ["a"], "cwd": "code_sources",'
        ' "metrics": [{"//": ["so"], "format": "csv", "path": "m"}]}}'
    )
    assert package.service_json(plain.service) == package.service_json(said.service)
