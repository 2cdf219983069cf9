"""What is asked is refused at the edge, in one sentence, when it could not be carried out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from plotter2.errors import PackageError, PathRefusedError, RefusedError, UsageError
from plotter2.ids import ServiceId
from plotter2.layout import Layout
from plotter2.model.bundle import FileEntry
from plotter2.model.service import ServiceSpec
from servicer.rpc import checked
from tests.unit.servicer.kit import ONE, spec_of

GOOD: dict[str, Any] = {"command": ["{python}", "train.py", "{lr}"], "env": {"LR": "{lr}"}}


@pytest.fixture
def spec(tmp_path: Path) -> ServiceSpec:
    layout = Layout.at(tmp_path)
    layout.create()
    return spec_of(layout, {"code_sources/train.py": b"pass"}, GOOD)


def declaring(spec: ServiceSpec, **service: Any) -> ServiceSpec:
    return replace(spec, service_json=json.dumps({**GOOD, **service}))


def test_what_can_be_carried_out_is_taken_as_it_is(spec: ServiceSpec) -> None:
    assert checked(spec) == spec
    most = {
        "cwd": "code_sources/..",
        "outputs": ["{output}/**"],
        "metrics": [{"format": "csv", "path": "{output}/m.csv"}],
    }
    limits = {"wall_s": 1e6, "memory_bytes": 1 << 40, "log_bytes_max": 0, "output_bytes_max": 1 << 40}
    full = declaring(spec, **most, limits=limits, files={"conf/../a.json": {"lr": "{lr}"}, "b": "\0"})
    assert checked(full) == full


@pytest.mark.req("r074")
@pytest.mark.parametrize(
    "service_id",
    ["", ".", "..", "../../x", "a/b", "/etc", "req-1.s0", ONE + "/..", ONE + "\n", ONE.upper(), ONE[:-1], "x" * 10_000],
)
def test_a_name_that_is_not_one_of_a_run_is_refused_with_what_it_would_be(spec: ServiceSpec, service_id: str) -> None:
    with pytest.raises(UsageError, match=r"is not the name of a service run: it would be req-, 32 hex") as refused:
        checked(replace(spec, service_id=ServiceId(service_id)))
    assert len(refused.value.message) < 300
    assert "\n" not in refused.value.message


@pytest.mark.parametrize(
    ("service", "sentence"),
    [
        ({"command": []}, "'service.command' is empty; it must name a program"),
        ({"command": [""]}, "'service.command' begins with an empty text; it must name a program"),
        ({"command": ["a\0b"]}, "'service.command[0]' has a NUL byte"),
        ({"command": ["a", "b\0"]}, "'service.command[1]' has a NUL byte"),
        ({"command": ["a", "\ud800"]}, "'service'"),
        ({"env": {"A": "b\0"}}, "'service.env.A' has a NUL byte"),
        ({"env": {"A\0": "b"}}, "'service.env.A\\x00' is no name of a variable"),
        ({"env": {"A=B": "c"}}, "'service.env.A=B' is no name of a variable"),
        ({"env": {"": "c"}}, "'service.env.' is no name of a variable"),
        ({"python": "p\0"}, "'service.python' has a NUL byte"),
        ({"cwd": "a\0"}, "'service.cwd' has a NUL byte"),
        ({"cwd": "../.."}, "'service.cwd' is '../..', which leads out of the working copy"),
        ({"cwd": "/etc"}, "'service.cwd' is '/etc', which leads out of the working copy"),
        ({"files": {"../../x": "y"}}, "'service.files.../../x' is '../../x', which leads out of the working copy"),
        ({"files": {"/x": "y"}}, "'service.files./x' is '/x', which leads out of the working copy"),
        ({"files": {"": "y"}}, "'service.files.' is '', which leads out of the working copy"),
        ({"outputs": ["/etc/*"]}, "'service.outputs[0]' is '/etc/*', which does not stay below"),
        (
            {"metrics": [{"format": "csv", "path": "{output}/../m"}]},
            "'service.metrics[0].path' is '{output}/../m', which does not stay",
        ),
        ({"limits": {"wall_s": -1}}, "'service.limits.wall_s' is -1.0; it must be from 0 (no limit) to"),
        ({"limits": {"wall_s": 1e300}}, "'service.limits.wall_s' is 1e+300; it must be from 0 (no limit) to"),
        ({"limits": {"memory_bytes": -1}}, "'service.limits.memory_bytes' is -1; it must be 0 (no limit), or from"),
        ({"limits": {"memory_bytes": 4096}}, "'service.limits.memory_bytes' is 4096; it must be 0 (no limit), or"),
        ({"limits": {"memory_bytes": 1 << 60}}, "'service.limits.memory_bytes' is"),
        ({"limits": {"log_bytes_max": -1}}, "'service.limits.log_bytes_max' is -1; it must be from 0 (no limit) to"),
        ({"limits": {"output_bytes_max": -5}}, "'service.limits.output_bytes_max' is -5; it must be"),
        ({"limits": {"memory_bytes": "many"}}, "'service'"),
        ({"unknown": 1}, "'service'"),
    ],
)
def test_a_declaration_that_cannot_be_carried_out_is_refused_in_a_sentence(
    spec: ServiceSpec, service: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(PackageError) as refused:
        checked(declaring(spec, **service))
    assert refused.value.message.startswith("package.json: ")
    assert sentence in refused.value.message


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_a_parameter_that_no_argument_can_carry_is_refused_where_it_would_be_one(spec: ServiceSpec, value: str) -> None:
    given = replace(spec, parameters_json=json.dumps({"lr": value}))
    with pytest.raises(RefusedError, match="the parameters into it"):
        checked(given)
    in_a_file = {"command": ["x"], "files": {"a.json": {"lr": "{lr}"}}}
    checked(replace(given, service_json=json.dumps(in_a_file)))


@pytest.mark.parametrize("text", ["", "[1]", "{", "1"])
def test_parameters_that_are_no_object_are_refused(spec: ServiceSpec, text: str) -> None:
    with pytest.raises(UsageError, match="must be a JSON object"):
        checked(replace(spec, parameters_json=text))


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"bundle": "../x"}, PathRefusedError),
        ({"bundle": ""}, PathRefusedError),
        ({"child": "/x"}, PathRefusedError),
        ({"files": (FileEntry("../x", 1, bytes(32)),)}, PathRefusedError),
        ({"files": (FileEntry("a", 1, bytes(32)), FileEntry("a/b", 1, bytes(32)))}, PathRefusedError),
        ({"files": (FileEntry("a", 1, bytes(31)),)}, UsageError),
        ({"files": (FileEntry("a", -1, bytes(32)),)}, UsageError),
        ({"files": (FileEntry("a", 1, bytes(32), 0o4755),)}, UsageError),
    ],
)
def test_names_and_files_that_cannot_be_are_refused(
    spec: ServiceSpec, changed: dict[str, Any], kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        checked(replace(spec, **changed))
