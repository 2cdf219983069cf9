"""A first package.json for a folder, with comments that say where each guess comes from.

Guesses: the program from the Python file that reads options, its parameters from those options, data keys from CSV and
array files, tasks from the scripts and pipelines that plotter2 can run, the description from a README.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from plotter2 import scan
from plotter2.datter.check import check_source
from plotter2.datter.values import keys
from plotter2.errors import ConflictError, ScriptError
from plotter2.model.bundle import CODE, PACKAGE_FILE
from plotter2.model.names import listed
from plotter2.model.package import BUILT_IN_PLACES, parse
from plotter2.model.task import PIPELINE_SUFFIX, SCRIPT_SUFFIX, SOURCE_BYTES_MAX, TaskKind
from plotter2.project import tables
from plotter2.project.understanding import found_in, unmeant
from plotter2.scan import Module, Option

COMMENT = "//"
GUESSED = "A start, guessed by `plotter2 init`: read it, change it, then `plotter2 check` and `plotter2 push`."
KEYS_MAX = 100
TASKS_MAX = 100
SHOWN_FUNCTIONS_MAX = 10
README_CHARS_MAX = 300
HELP_CHARS_MAX = 200
READMES = ("README.md", "README.rst", "README.txt", "README", "readme.md")
PROGRAMS = ("train.py", "main.py", "run.py", "experiment.py")
TASKS = "tasks"
_MARKUP = re.compile(r"\s*([#=\-~*!\[<>|`]|\.\. )")
_NUMBER_AT_END = re.compile(r"(\d+)(?=\.[A-Za-z0-9]+$)")
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """What could be guessed.

    Attributes:
        text: of the package.json, to be read and changed by people.
        remarks: sentences about what was left out, and why.
    """

    text: str
    remarks: tuple[str, ...]


@dataclass(slots=True)
class _Folder:
    """The folder, and what is to be said about it at the end."""

    by_path: Mapping[str, Path]
    remarks: list[str] = field(default_factory=list)

    def text(self, path: str, bytes_max: int) -> str | None:
        """A file as text; None where it is too large, or no text."""
        local = self.by_path[path]
        try:
            return local.read_text() if local.stat().st_size <= bytes_max else None
        except UnicodeDecodeError:
            return None


def draft(root: Path) -> Draft:
    """A package.json for a folder that has none.

    Raises:
        UsageError: this is no folder, or there is nothing in it.
        ConflictError: there is a package.json.
        RefusedError: a push would refuse something in the folder.
    """
    folder = _Folder({one.entry.path: one.path for one in found_in(root)})
    if PACKAGE_FILE in folder.by_path:
        raise ConflictError(f"{root / PACKAGE_FILE} is there already; `plotter2 check` says what it declares.")
    modules = dict(_modules(folder))
    document: Document = {
        COMMENT: [GUESSED, *_heads(modules)],
        "name": root.resolve().name,
        "description": _description(folder),
    }
    document |= _program(folder, modules)
    document |= {"data": _data(folder), "tasks": list(_tasks(folder))}
    folder.remarks += unmeant(folder.by_path)
    text = json.dumps({key: value for key, value in document.items() if value}, indent=2, ensure_ascii=False) + "\n"
    parse(text)
    return Draft(text, tuple(folder.remarks))


def _modules(folder: _Folder) -> Iterator[tuple[str, Module]]:
    """Python files outside `tasks/`: below code_sources, else at the top."""
    code = [path for path in folder.by_path if path.endswith(SCRIPT_SUFFIX)]
    below = [path for path in code if path.startswith(f"{CODE}/")]
    for path in sorted(below or [path for path in code if "/" not in path])[: scan.FILES_MAX]:
        text = folder.text(path, scan.SOURCE_BYTES_MAX)
        if text is None:
            continue
        try:
            yield path, scan.scan(text, path)
        except ScriptError as wrong:
            folder.remarks.append(f"Not understood: {wrong.message}")


def _description(folder: _Folder) -> str:
    for name in READMES:
        text = folder.text(name, tables.HEAD_BYTES) if name in folder.by_path else None
        for paragraph in re.split(r"\n\s*\n", text or ""):
            plain = " ".join(line for line in paragraph.split("\n") if not _MARKUP.match(line))
            if plain.strip():
                return " ".join(plain.split())[:README_CHARS_MAX]
    return ""


def _program(folder: _Folder, modules: Mapping[str, Module]) -> Document:
    """`parameters` and `service`, from the file with the most options."""
    programs = [path for path, one in modules.items() if one.options or one.has_main or _name(path) in PROGRAMS]
    if not programs:
        return {}
    path = max(programs, key=lambda one: (len(modules[one].options), _name(one) in PROGRAMS, one))
    if len(programs) > 1:
        others = listed(one for one in programs if one != path)
        folder.remarks.append(f"{path} was taken for the program; others are {others}.")
    home = path if path.startswith(f"{CODE}/") else f"{CODE}/{path}"
    if home != path:
        folder.remarks.append(f"A redo needs the code below {CODE}/: move {path} there, where 'service' names it.")
    parameters: Document = {}
    command = ["{python}", home.removeprefix(f"{CODE}/")]
    for option in modules[path].options:
        command += _word(folder, option, parameters, path)
    about = f"Runs {home}. All files that it makes new are kept; 'outputs' can name them."
    return {"parameters": parameters, "service": {COMMENT: about, "command": command}}


def _is_beside(folder: _Folder, option: Option) -> bool:
    """Whether the default is a file as it is seen from the bundle's folder, and not from that of the code."""
    name = PurePosixPath(option.default).as_posix() if isinstance(option.default, str) else ""
    return name in folder.by_path and f"{CODE}/{name}" not in folder.by_path


def _name(path: str) -> str:
    return PurePosixPath(path).name


def _word(folder: _Folder, option: Option, parameters: Document, path: str) -> list[str]:
    """How an option stands in the command; what cannot stand there is a remark."""
    flag = [option.flag] if option.flag else []
    if option.name in {"output", "out", "output_dir", "out_dir", "outdir"} and option.type == "str":
        return [*flag, "{output}"]
    reason = _unfit(option)
    if reason:
        folder.remarks.append(f"{path}, line {option.line}: {option.flag or option.name} {reason}.")
        return []
    about: Document = {COMMENT: f"{path}, line {option.line}", "type": option.type}
    if option.default is not None:
        about["default"] = option.default
    else:
        about[COMMENT] += "; it has no default here: every redo must name it"
    if option.choices:
        about["choices"] = list(option.choices)
    if option.help:
        about["help"] = option.help[:HELP_CHARS_MAX]
    parameters[option.name] = about
    place = "{bundle}/" if _is_beside(folder, option) else ""  # a run has a copy of the code alone to begin in
    return [*flag, f"{place}{{{option.name}}}"]


def _unfit(option: Option) -> str:
    plain = [option.default, *(option.choices or ())]
    reasons = {
        "is a switch, which a parameter cannot turn on": option.is_switch or option.type == "bool",
        "takes many values, and a parameter is one": option.is_many,
        "has a name that plotter2 fills itself": option.name in BUILT_IN_PLACES,
        "has no default that can be read, and need not be given": option.default is None and not option.is_required,
        "has a default or choices that are no plain values": not all(map(_is_plain, plain)),
    }
    reason = next((reason for reason, holds in reasons.items() if holds), "")
    return f"{reason}; it was left out" if reason else ""


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))


def _data(folder: _Folder) -> Document:
    """Data keys: one a file, one for each row of numbered files."""
    groups: dict[str, list[str]] = {}
    for path in sorted((one for one in folder.by_path if keys.is_data(one)), key=keys.natural):
        name = PurePosixPath(path).name
        if tables_like(path) and name not in READMES:
            groups.setdefault(_NUMBER_AT_END.sub("*", path), []).append(path)
    found: Document = {}
    for pattern, paths in groups.items():
        if len(found) == KEYS_MAX:
            folder.remarks.append(f"Only {KEYS_MAX} data keys were written; other files are keys by their names.")
            break
        path = pattern if len(paths) > 1 and not _has_wildcard(pattern) else paths[0]
        name = keys.stem(path).replace("*", "").strip("_-. ") or keys.stem(paths[0])
        found[name if name not in found else path] = _datum(folder, path, paths)
    return found


def _has_wildcard(pattern: str) -> bool:
    return pattern.count("*") != 1 or "?" in pattern or "[" in pattern


def tables_like(path: str) -> bool:
    """Whether a file's name says that it holds numbers or records."""
    inner = PurePosixPath(path)
    inner = inner.with_suffix("") if inner.suffix.lower() in keys.PACKED else inner
    return inner.suffix.lower() in keys.ENDINGS - {".txt", ".md", ".log", ".json"}


def _datum(folder: _Folder, path: str, paths: list[str]) -> Document:
    kind = tables.guess(folder.by_path[paths[0]])
    many = f"{len(paths)} files" if len(paths) > 1 else ""
    guessed = f"type guessed from the beginning of {paths[0]}" if kind is not None else ""
    said = "; ".join(one for one in (many, guessed) if one)
    return ({COMMENT: said} if said else {}) | {"path": path} | ({"type": str(kind)} if kind is not None else {})


def _tasks(folder: _Folder) -> Iterator[Document]:
    """Scripts and pipelines below tasks/ that can run."""
    paths = sorted(one for one in folder.by_path if one.startswith(f"{TASKS}/"))
    kinds = {SCRIPT_SUFFIX: TaskKind.SCRIPT, PIPELINE_SUFFIX: TaskKind.PIPELINE}
    seen: set[str] = set()
    for path in paths[:TASKS_MAX]:
        kind = kinds.get(PurePosixPath(path).suffix)
        text = folder.text(path, SOURCE_BYTES_MAX) if kind else None
        if kind is None or text is None:
            continue
        try:
            check_source(text, path, kind)
        except ScriptError as wrong:
            folder.remarks.append(f"No task: {wrong.message}")
            continue
        name = PurePosixPath(path).stem.replace("_", " ")
        yield {"name": path if name in seen else name, "task_src": path}
        seen.add(name)


def _heads(modules: Mapping[str, Module]) -> list[str]:
    """Heads are for people to choose: the functions that could be some stand in a comment."""
    offered = [
        f"{path}:{one.name}({', '.join(param.name for param in one.params)})"
        for path, module in modules.items()
        for one in module.functions.values()
        if not one.name.rpartition(".")[2].startswith("_") and one.name != "main"
    ]
    example = '"heads": {"NAME": {"function": "PATH:FUNCTION", "params": {"x": "vector"}, "returns": "vector"}}'
    return [f"Functions that could be heads, as {example}:", *offered[:SHOWN_FUNCTIONS_MAX]] if offered else []
