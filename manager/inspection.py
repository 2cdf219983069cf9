"""What a delivery declares: read from content that is in the blob store, checked before it becomes a version.

Blocking: runs in a thread. Reads text only; imports and executes nothing of what came.
"""

from __future__ import annotations

from collections.abc import Sequence

from plotter2 import inspection
from plotter2.inspection import Declared
from plotter2.layout import Layout
from plotter2.model.bundle import FileEntry


def inspect(layout: Layout, files: Sequence[FileEntry]) -> Declared:
    """Read package.json from the blobs, and check that what it names is there and can be understood.

    Raises:
        PackageError: package.json is wrong, or names what is not there; with line and key.
        ScriptError: a task's source has a fault; file and line.
    """
    digests = {entry.path: entry.digest for entry in files}
    sizes = {entry.path: entry.size_bytes for entry in files}
    return inspection.inspect(sizes, lambda path: layout.blob(digests[path]).read_bytes())
