"""package.json: what a bundle declares of itself (requirement 069). Parsed and checked, nothing is imported (pure).

Five sections, all optional::

    {
      "description": "Softmax regression on handwritten digits",
      "parameters": {"lr": {"type": "float", "default": 0.1, "help": "learning rate"}},
      "service": {"command": ["{python}", "train.py", "--lr", "{lr}"], "outputs": ["out/**"],
                  "metrics": [{"format": "csv", "path": "out/metrics.csv"}]},
      "data": {"metrics": {"path": "out/metrics.csv", "type": "table"}},
      "tasks": [{"name": "loss curve", "task_src": "tasks/loss.json"}],
      "standing": [{"name": "curves", "on": "child", "run": ["loss curve"]}]
    }
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from plotter2.errors import PackageError
from plotter2.model.task import Limits

_PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
BUILT_IN_PLACES = frozenset({"python", "output", "bundle", "work"})
"""Placeholders that plotter2 fills: interpreter, output directory, the bundle's read-only tree, working directory."""


class Parameter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One declared parameter of an experiment."""

    type: Literal["float", "int", "str", "bool", "json"] = "json"
    default: Any = None
    choices: list[Any] | None = None
    min: float | None = None
    max: float | None = None
    help: str = ""


class Metrics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where metrics are found: a CSV file, a JSON-lines file, or printed lines by a pattern with named groups."""

    format: Literal["csv", "jsonl", "pattern"]
    path: str = ""
    pattern: str = ""
    source: Literal["stdout", "stderr"] = "stdout"


class ServiceLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one service run may use; 0 means no limit of its own. Seconds and bytes."""

    wall_s: float = 0.0
    memory_bytes: int = 0
    log_bytes_max: int = 64 << 20
    output_bytes_max: int = 0


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the experiment is started and what it leaves.

    Attributes:
        command: argv; `{name}` stands for a parameter, `{python}`, `{output}`, `{bundle}`, `{work}` are filled by us.
        cwd: where it starts, below the working copy of the bundle; code_sources by default (made when missing).
        env: extra environment, with the same placeholders.
        files: files to write before it starts: relative name to JSON value or text, with the same placeholders. A
            string that is nothing but one placeholder becomes the parameter's own typed value.
        python: the interpreter that `{python}` names; by default the one plotter2 runs on.
        outputs: patterns (as in pathlib's glob) of files to keep, relative to cwd; none: everything new or changed.
    """

    command: list[str]
    cwd: str = "code_sources"
    env: dict[str, str] = {}
    files: dict[str, Any] = {}
    python: str = ""
    outputs: list[str] = []
    metrics: list[Metrics] = []
    limits: ServiceLimits = ServiceLimits()


class DataKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name for data: a file, or a pattern for many (then the value is a group, one item a file)."""

    path: str
    type: str = ""
    description: str = ""


class TaskDeclaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A task in the bundle's scope (requirement 068). `task_src` names a .py script or a .json pipeline."""

    name: str
    task_src: str = ""
    pipeline: list[Any] | None = None
    linked: list[str] | str = []
    parameters: dict[str, Any] = {}
    limits: Limits = Limits()


class StandingOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What shall happen by itself (requirements 023, 024).

    Attributes:
        on: "child": each time a child bundle arrives, the tasks run on that child; "settled": when a redo of this
            bundle has ended, they run on this bundle; "version": when a new version of this bundle arrives.
        run: names of tasks.
    """

    name: str
    on: Literal["child", "settled", "version"]
    run: list[str]


class Package(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole declaration."""

    name: str = ""
    description: str = ""
    parameters: dict[str, Parameter] = {}
    service: Service | None = None
    data: dict[str, DataKey] = {}
    tasks: list[TaskDeclaration] = []
    standing: list[StandingOrder] = []


def parse(text: str | bytes) -> Package:
    """Read a package.json.

    Raises:
        PackageError: not JSON, an unknown key, a wrong type (with its place), or a name that nothing declares.
    """
    try:
        package = msgspec.json.decode(text, type=Package)
    except msgspec.DecodeError as wrong:
        raise PackageError(f"package.json: {wrong}.") from None
    _check_tasks(package)
    if package.service is not None:
        _check_service(package.service, package.parameters)
    return package


def _check_tasks(package: Package) -> None:
    names = [task.name for task in package.tasks]
    for task in package.tasks:
        if names.count(task.name) > 1:
            raise PackageError(f"package.json: two tasks are called {task.name!r}; names must differ.")
        if bool(task.task_src) == (task.pipeline is not None):
            raise PackageError(f"package.json: task {task.name!r} needs either 'task_src' or 'pipeline'.")
    for order in package.standing:
        for name in order.run:
            if name not in names:
                raise PackageError(
                    f"package.json: standing order {order.name!r} runs {name!r}, but the tasks are {_list(names)}."
                )


def _check_service(service: Service, parameters: dict[str, Parameter]) -> None:
    if not service.command:
        raise PackageError("package.json: 'service.command' is empty; it must name a program.")
    known = set(parameters) | BUILT_IN_PLACES
    for where, text in _templates(service):
        for name in places(text):
            if name not in known:
                raise PackageError(
                    f"package.json: {where} uses {{{name}}}, but the declared parameters are {_list(parameters)}."
                )
    for metric in service.metrics:
        _check_metrics(metric)


def _check_metrics(metric: Metrics) -> None:
    needs = "pattern" if metric.format == "pattern" else "path"
    if not getattr(metric, needs):
        raise PackageError(f"package.json: metrics of format {metric.format!r} need {needs!r}.")
    if metric.pattern:
        try:
            found = re.compile(metric.pattern)
        except re.error as wrong:
            raise PackageError(f"package.json: the pattern {metric.pattern!r} is not one: {wrong}.") from None
        if not found.groupindex:
            raise PackageError(f"package.json: the pattern {metric.pattern!r} needs named groups, as (?P<loss>...).")


def _templates(service: Service) -> list[tuple[str, str]]:
    found = [(f"'service.command[{i}]'", text) for i, text in enumerate(service.command)]
    found += [(f"'service.env.{key}'", text) for key, text in service.env.items()]
    return found


def _list(names: Iterable[object]) -> str:
    items = [repr(str(name)) for name in names]
    return ", ".join(items) if items else "none"


def pipeline_json(task: TaskDeclaration) -> str:
    """The text of a pipeline that stands in package.json itself."""
    return json.dumps(task.pipeline, ensure_ascii=False)


def places(text: str) -> list[str]:
    """The placeholder names in a template, in order."""
    return _PLACE.findall(text)


def fill(text: str, values: dict[str, str]) -> str:
    """Put values into a template; other braces stay as they are."""
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), text)
