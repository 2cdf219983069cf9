"""What a user may give as a task: a declared name, a file, a script's text, a pipeline's steps. Reads files, no more.

A text is a path when it names a file that is there or ends in .py or .json; everything with a line break is source.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plotter2.errors import ScriptError, UsageError
from plotter2.model.task import SOURCE_BYTES_MAX, TaskKind

NOTEBOOK = ".ipynb"
SUFFIXES = {".py": TaskKind.SCRIPT, ".json": TaskKind.PIPELINE}
WANTED = {
    TaskKind.SCRIPT: "a script has a `def task():`, which is what runs",
    TaskKind.PIPELINE: 'a pipeline is a JSON list of steps, as ["access", "plotme"]',
}
Given = str | Path | Sequence[Any]


class JsonText(str):
    """A JSON value in the caller's own spelling, to be sent as it is."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A task definition that travels with the request."""

    name: str
    kind: TaskKind
    text: str
    filename: str


def is_path(given: Given) -> bool:
    """Whether this means a file, rather than a declared name or a text."""
    if isinstance(given, Path):
        return True
    if not isinstance(given, str) or "\n" in given:
        return False
    suffix = Path(given).suffix
    return suffix in SUFFIXES or (bool(suffix) and Path(given).is_file())


def read(given: Given, name: str = "") -> Source:
    """The definition that a path, a text or a list of pipeline steps stands for.

    Raises:
        UsageError: no such file, or a file that is neither .py nor .json.
        ScriptError: a pipeline that is not JSON, or a file that is not text.
    """
    if not isinstance(given, str | Path):
        return Source(name or "pipeline", TaskKind.PIPELINE, json.dumps(list(given)), "pipeline.json")
    if is_path(given):
        return _from_file(Path(given), name)
    return _checked(Source(name or "script", TaskKind.SCRIPT, str(given), f"{name or 'script'}.py"))


def _from_file(path: Path, name: str) -> Source:
    kind = SUFFIXES.get(path.suffix)
    if kind is None:
        how = f"; `jupyter nbconvert --to script {path}` makes a script of it" if path.suffix == NOTEBOOK else ""
        raise UsageError(f"{path} is neither a script (.py) nor a pipeline (.json){how}.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"There is no file {path}.") from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a directory; a task is one .py or .json file.") from None
    except UnicodeDecodeError as wrong:
        raise ScriptError(f"{path} is not UTF-8 text (byte {wrong.start}).") from None
    except OSError as wrong:
        raise UsageError(f"{path} cannot be read: {wrong.strerror}.") from None
    return _checked(Source(name or path.stem, kind, text, path.name))


def _checked(source: Source) -> Source:
    if not source.text.strip():
        raise ScriptError(f"{source.filename}: it is empty; {WANTED[source.kind]}.")
    if len(source.text.encode()) > SOURCE_BYTES_MAX:
        raise UsageError(f"{source.filename} is longer than {SOURCE_BYTES_MAX} bytes; push long data as a bundle.")
    if source.kind is TaskKind.PIPELINE:
        try:
            json.loads(source.text)
        except ValueError as wrong:
            raise ScriptError(f"{source.filename} is not JSON: {wrong}.") from None
        except RecursionError:
            raise ScriptError(f"{source.filename}: too deep; a pipeline is a JSON list of steps.") from None
    return source
