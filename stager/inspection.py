"""What lies in the drop box: has it come whole, is it still, is it what its manifest lists (blocking, only reads)."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from plotter2.client.packing import LocalFile
from plotter2.errors import AlteredError, ManifestError
from plotter2.model.bundle import MANIFEST_FILE
from plotter2.model.manifest import Manifest


class Still:
    """How long a tree has been still, by the change times of everything in it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: object = None
        self._since_s = 0.0
        self.came_by_rename = False

    def look(self, now_s: float) -> float:
        """Look again; gives for how long nothing has moved."""
        seen = self._look()
        if seen != self._seen:
            self._seen, self._since_s = seen, now_s
        return now_s - self._since_s

    def _look(self) -> object:
        try:
            top = self._path.lstat()
            below = tuple(_change_times(self._path)) if stat.S_ISDIR(top.st_mode) else ()
        except FileNotFoundError:  # somebody is at work there
            return object()
        # A rename changes the inode and not its content, so its change time is later than its modification time; what
        # is being written into has both alike. Nothing inside may be younger than the rename.
        self.came_by_rename = top.st_ctime_ns > top.st_mtime_ns and all(time <= top.st_ctime_ns for _, time in below)
        return (top.st_ino, top.st_size, top.st_mtime_ns, top.st_ctime_ns, below)


def _change_times(root: Path) -> Iterator[tuple[int, int]]:
    waiting = [root]
    while waiting:
        for path in sorted(waiting.pop().iterdir()):
            status = path.lstat()
            yield status.st_ino, status.st_ctime_ns
            if stat.S_ISDIR(status.st_mode):
                waiting.append(path)


def bundle_of(paper: Manifest, name: str) -> str:
    """The bundle a drop goes to: `meta.bundle`, else the name it lies there with.

    Raises:
        ManifestError: `meta.bundle` is not text.
    """
    named = paper.meta.get("bundle", name)
    if not isinstance(named, str):
        raise ManifestError("manifest.json: 'meta.bundle' must be a string, the bundle this goes to.")
    return named


def check_listed(paper: Manifest, found: list[LocalFile]) -> None:
    """With a marker, the manifest's list of files must be complete and right.

    Raises:
        ManifestError: there is no such list, or it names other files than are there.
        AlteredError: a file has another size or SHA-256 than the list says.
    """
    listed = paper.contains.get("files")
    if not isinstance(listed, list) or not all(_is_line(line) for line in listed):
        raise ManifestError(
            "With a .ready marker, manifest.json must list every file: 'contains.files' must be a list of objects with"
            " 'path', 'sha256' and 'size'."
        )
    lines = {str(line["path"]): line for line in listed}
    there = {local.entry.path: local for local in found if local.entry.path != MANIFEST_FILE}
    for path in sorted(set(lines) ^ set(there)):
        missing = "is not there" if path in lines else "is not listed"
        raise ManifestError(f"manifest.json lists what is there, and {path!r} {missing}.")
    for path, local in there.items():
        _check_line(local, lines[path])


def _is_line(line: Any) -> bool:
    return (
        isinstance(line, dict)
        and isinstance(line.get("path"), str)
        and isinstance(line.get("sha256"), str)
        and isinstance(line.get("size"), int)
    )


def _check_line(local: LocalFile, line: dict[str, Any]) -> None:
    if local.entry.size_bytes != line["size"]:
        raise AlteredError(f"{local.entry.path!r} has {local.entry.size_bytes} bytes, and {line['size']} are listed.")
    with local.path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != line["sha256"].lower():
        raise AlteredError(f"{local.entry.path!r} has another SHA-256 than the manifest lists.")
