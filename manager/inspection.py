"""What a delivery declares: read from content that is in the blob store, checked before it becomes a version.

Blocking: runs in a thread. Reads text only; imports and executes nothing of what came.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

import msgspec

from manager import measures
from plotter2 import inspection
from plotter2.datter.check import check_source
from plotter2.datter.vocabulary import NONE, Additions
from plotter2.errors import ManifestError
from plotter2.inspection import Declared
from plotter2.layout import Layout
from plotter2.model import claims, enclosed, manifest, package
from plotter2.model.bundle import MANIFEST_FILE, PACKAGE_FILE, FileEntry
from plotter2.model.enclosed import SOURCES_BYTES_MAX, Enclosed
from plotter2.model.manifest import Manifest
from plotter2.model.package import Package, TaskDeclaration
from plotter2.model.task import PIPELINE_SUFFIX, SOURCE_BYTES_MAX, TaskKind


def inspect(layout: Layout, files: Sequence[FileEntry], described: str = "", own: Additions = NONE) -> Declared:
    """Read package.json from the blobs, and check that what it names is there and can be understood.

    Args:
        layout: where the blobs are.
        files: of the delivery.
        described: the package that the manifest describes, as text: it stands for a package.json that did not come.
        own: what the installation adds.

    Raises:
        ManifestError: the manifest describes another package than the one that came.
        PackageError: package.json is wrong, or names what is not there; with line and key.
        ScriptError: a task's source has a fault; file and line.
    """
    digests = {entry.path: entry.digest for entry in files}
    sizes = {entry.path: entry.size_bytes for entry in files}

    def read(path: str) -> bytes:
        return layout.blob(digests[path]).read_bytes() if path in digests else described.encode()

    if not described:
        return inspection.inspect(sizes, read, own)
    declared = inspection.inspect({PACKAGE_FILE: len(described.encode()), **sizes}, read, own)
    if PACKAGE_FILE in digests and json.loads(declared.package_json) != json.loads(described):
        raise ManifestError(
            "manifest.json describes another package than the package.json that came with it; leave one of them out."
        )
    return declared


def check_claims(layout: Layout, files: Sequence[FileEntry], manifest_json: str) -> None:
    """What a manifest claims about the content of files, against the blobs: also of those that were here before.

    Raises:
        AlteredError: files have another SHA-256 than listed; all are named.
    """
    paper = manifest.parse(manifest_json)
    found: dict[str, str] = {}
    for entry in files:
        if entry.path in (paper.files or {}) and entry.path != MANIFEST_FILE:
            with layout.blob(entry.digest).open("rb") as blob:
                found[entry.path] = hashlib.file_digest(blob, "sha256").hexdigest()
    claims.check_contents(paper, found)


def read_metrics(layout: Layout, declared: Package, files: Sequence[FileEntry]) -> str:
    """What was measured, from the metrics file among the blobs; see `manager.measures.read`."""
    digests = {entry.path: entry.digest for entry in files}
    sizes = {entry.path: entry.size_bytes for entry in files}
    return measures.read(declared, sizes, lambda path: layout.blob(digests[path]).read_bytes())


def read_tasks(
    layout: Layout, files: Sequence[FileEntry], paper: Manifest, own: Additions = NONE
) -> tuple[Enclosed, ...]:
    """The tasks that a manifest describes, with their sources: files of the delivery, or pipelines in the manifest.

    Raises:
        ManifestError: one names a file that did not come, or they are too many or too long.
        ScriptError: a source has a fault; file and line.
    """
    by_path = {entry.path: entry for entry in files}
    found: list[Enclosed] = []
    left = SOURCES_BYTES_MAX
    for task in enclosed.tasks(paper):
        filename = task.task_src or package.pipeline_place(task, MANIFEST_FILE)
        source = _source(layout, by_path, task) if task.task_src else package.pipeline_json(task)
        if not source.strip():
            raise ManifestError(f"manifest.json: task {task.name!r} has an empty source.")
        left -= len(source.encode())
        if left < 0:
            raise ManifestError(f"manifest.json: the sources of its tasks have more than {SOURCES_BYTES_MAX} bytes.")
        is_pipeline = not task.task_src or filename.endswith(PIPELINE_SUFFIX)
        kind = TaskKind.PIPELINE if is_pipeline else TaskKind.SCRIPT
        check_source(source, filename, kind, own)
        parameters = msgspec.json.encode(task.parameters).decode()
        found.append(Enclosed(task.name, kind, source, filename, parameters, task.limits.bounds))
    return tuple(found)


def _source(layout: Layout, files: Mapping[str, FileEntry], task: TaskDeclaration) -> str:
    entry = files.get(task.task_src)
    if entry is None:
        raise ManifestError(f"manifest.json: task {task.name!r} names {task.task_src!r}, which did not come.")
    if entry.size_bytes > SOURCE_BYTES_MAX:
        raise ManifestError(f"manifest.json: {task.task_src!r} is longer than the {SOURCE_BYTES_MAX} bytes of a task.")
    try:
        return layout.blob(entry.digest).read_bytes().decode()
    except UnicodeDecodeError:
        raise ManifestError(f"manifest.json: {task.task_src!r} is no text, and so no task.") from None
