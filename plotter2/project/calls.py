"""Names that tasks call: each should be a head or a link, of the package or of what it inherits from (r040)."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from plotter2.datter.pipelines import pipeline
from plotter2.datter.scripting import renaming
from plotter2.datter.vocabulary import NONE, Additions
from plotter2.model import package as packages
from plotter2.model.names import NOTHING_NEAR, did_you_mean
from plotter2.model.package import Package, TaskDeclaration
from plotter2.model.task import PIPELINE_SUFFIX

BY_NAME = {"operation": 0, "through": 1}
"""Built-ins that take the name of an operation, and at which place, after the data that a pipeline holds."""


def remarks(package: Package, by_path: Mapping[str, Path], own: Additions = NONE) -> Iterator[str]:
    """What is called in tasks by a name that this package does not have; `own` is what the installation adds."""
    known = {*package.heads, *(link.name for link in package.links)}
    for task in package.tasks:
        for where, name in _called(task, by_path, own):
            if name not in known:
                near = did_you_mean(name, known)
                end = "; it must be inherited then." if near == NOTHING_NEAR else near
                yield f"{where}: {name!r} is called, and is no head or link of this package{end}"


def _called(task: TaskDeclaration, by_path: Mapping[str, Path], own: Additions) -> Iterator[tuple[str, str]]:
    if task.pipeline is not None:
        yield from _in_pipeline(packages.pipeline_json(task), packages.pipeline_place(task), own)
    elif task.task_src.endswith(PIPELINE_SUFFIX):
        yield from _in_pipeline(by_path[task.task_src].read_text(), task.task_src, own)
    else:
        yield from _in_script(by_path[task.task_src].read_text(), task.task_src)


def _in_pipeline(source: str, filename: str, own: Additions) -> Iterator[tuple[str, str]]:
    for step in pipeline.parsed(source, filename, own):
        if step.builtin.name in BY_NAME:
            name = step.kwargs.get("name", step.args[0] if step.args else None)
            if isinstance(name, str):
                yield f"{filename}, {step.where}", name


def _in_script(source: str, filename: str) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(renaming.rewritten(source))):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in BY_NAME:
            continue
        place = BY_NAME[node.func.id]
        named = next((one.value for one in node.keywords if one.arg == "name"), None)
        given = named or (node.args[place] if len(node.args) > place else None)
        if isinstance(given, ast.Constant) and isinstance(given.value, str):
            yield f"{filename}, line {node.lineno}", given.value
