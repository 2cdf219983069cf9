"""What a delivery declares: read from content that is in the blob store, checked before it becomes a version.

Blocking: runs in a thread. Reads text only; imports and executes nothing of what came.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from manager import measures
from plotter2 import inspection
from plotter2.inspection import Declared
from plotter2.layout import Layout
from plotter2.model import claims, manifest
from plotter2.model.bundle import MANIFEST_FILE, FileEntry
from plotter2.model.package import Package


def inspect(layout: Layout, files: Sequence[FileEntry]) -> Declared:
    """Read package.json from the blobs, and check that what it names is there and can be understood.

    Raises:
        PackageError: package.json is wrong, or names what is not there; with line and key.
        ScriptError: a task's source has a fault; file and line.
    """
    digests = {entry.path: entry.digest for entry in files}
    sizes = {entry.path: entry.size_bytes for entry in files}
    return inspection.inspect(sizes, lambda path: layout.blob(digests[path]).read_bytes())


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
