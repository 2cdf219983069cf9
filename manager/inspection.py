"""What a delivery declares: read from content that is in the blob store, checked before it becomes a version.

Blocking: runs in a thread. Reads text only; imports and executes nothing of what came.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from manager.catalog import PIPELINE_SUFFIX, source_digests
from plotter2.datter.check import check_source
from plotter2.errors import PackageError
from plotter2.layout import Layout
from plotter2.model import package
from plotter2.model.bundle import PACKAGE_FILE, FileEntry
from plotter2.model.package import Package
from plotter2.model.task import SOURCE_BYTES_MAX, TaskKind


@dataclass(frozen=True, slots=True)
class Declared:
    """What was found: the text of package.json, "" for none."""

    package_json: str = ""


def inspect(layout: Layout, files: Sequence[FileEntry]) -> Declared:
    """Read package.json, and check that each task it names is there and can be understood.

    Raises:
        PackageError: package.json is wrong, or a task's source is missing.
        ScriptError: a task's source has a fault; file and line.
    """
    entry = next((one for one in files if one.path == PACKAGE_FILE), None)
    if entry is None:
        return Declared()
    text = _read(layout, entry, package.BYTES_MAX)
    declared = package.parse(text)
    _check_tasks(layout, declared, files)
    return Declared(text)


def _check_tasks(layout: Layout, declared: Package, files: Sequence[FileEntry]) -> None:
    digests = source_digests(declared, files)
    by_path = {one.path: one for one in files}
    for path in digests:
        kind = TaskKind.PIPELINE if path.endswith(PIPELINE_SUFFIX) else TaskKind.SCRIPT
        check_source(_read(layout, by_path[path], SOURCE_BYTES_MAX), path, kind)
    for task in declared.tasks:
        if task.pipeline is not None:
            check_source(package.pipeline_json(task), f"{task.name}{PIPELINE_SUFFIX}", TaskKind.PIPELINE)


def _read(layout: Layout, entry: FileEntry, bytes_max: int) -> str:
    if entry.size_bytes > bytes_max:
        raise PackageError(f"{entry.path} has {entry.size_bytes} bytes; at most {bytes_max} can be read.")
    try:
        return layout.blob(entry.digest).read_bytes().decode()
    except UnicodeDecodeError as wrong:
        raise PackageError(f"{entry.path} is not UTF-8 text: {wrong.reason} at byte {wrong.start}.") from None
