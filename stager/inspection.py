"""What lies in the drop box, and what has come: whole, still, and what it claims to be (blocking, only reads)."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from blake3 import blake3

from plotter2.errors import ManifestError, PackageError
from plotter2.model import claims, manifest, package
from plotter2.model.bundle import MANIFEST_FILE, PACKAGE_FILE
from plotter2.model.delivery import FILES_MAX, Order
from plotter2.model.manifest import Manifest
from stager import archives
from stager.receiver import Receiver


class Still:
    """How long a tree has been still, by the change times of what is in it.

    A tree with more files or directories than a delivery may have is not looked into: it is refused anyway.
    """

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
            below, newest_ns = _change_times(self._path) if stat.S_ISDIR(top.st_mode) else (b"", 0)
        except OSError:  # somebody is at work there
            return object()
        # A rename changes the inode and not its content, so its change time is later than its modification time; what
        # is being written into has both alike. Nothing inside may be younger than the rename.
        self.came_by_rename = top.st_ctime_ns > top.st_mtime_ns and newest_ns <= top.st_ctime_ns
        return (top.st_ino, top.st_size, top.st_mtime_ns, top.st_ctime_ns, below)


def _change_times(root: Path) -> tuple[bytes, int]:
    """A digest over what is below, and the newest change time; of too much only that it is."""
    hasher = blake3()
    newest_ns = 0
    found = _below(root)
    if found is None:
        return b"more", newest_ns
    for entry in found:
        status = entry.stat(follow_symlinks=False)
        hasher.update(b"%d %d\n" % (status.st_ino, status.st_ctime_ns))
        newest_ns = max(newest_ns, status.st_ctime_ns)
    return hasher.digest(), newest_ns


def _below(root: Path) -> list[os.DirEntry[str]] | None:
    """Everything below, by names only; None when it is more than a delivery may have."""
    files: list[os.DirEntry[str]] = []
    directories: list[os.DirEntry[str]] = []
    waiting = [str(root)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        directories.append(entry)
                        waiting.append(entry.path)
                    else:
                        files.append(entry)
                    if max(len(files), len(directories)) > FILES_MAX:
                        return None
        except PermissionError:
            continue  # its owner forbids it: the delivery is refused for that, when it is still
    return directories + files


def bundle_of(paper: Manifest, name: str) -> str:
    """The bundle a drop goes to: `meta.bundle`, else the name it lies there with.

    Raises:
        ManifestError: `meta.bundle` is not text.
    """
    named = paper.meta.get("bundle", name)
    if not isinstance(named, str):
        raise ManifestError("manifest.json: 'meta.bundle' must be a string, the bundle this goes to.")
    return named


def check_listed(paper: Manifest) -> None:
    """With a marker, the manifest must list what is there.

    Raises:
        ManifestError: there is no such list.
    """
    if paper.files is None:
        raise ManifestError(
            "With a .ready marker, manifest.json must list every file: 'contains.files' must be a list of objects with"
            " 'path', 'sha256' and 'size'."
        )


def completed(receiver: Receiver, token: int, digests: Sequence[bytes], paper: Manifest) -> Order:
    """All has come: the order with the digest of every file, once the content has been looked at.

    Args:
        receiver: where it came to.
        token: from its `take`.
        digests: those that were not declared at the begin.
        paper: the manifest that came with it.

    Raises:
        ConflictError: another stream has taken this delivery over.
        UsageError: something is missing.
        AlteredError: what came is not what was declared, or not what the manifest lists.
        PackageError: package.json cannot be understood.
        RefusedError: an archive that would unpack to too much.
    """
    order = receiver.finish(token, digests)
    listed = paper.files or {}
    found: dict[str, str] = {}
    for entry, path in receiver.here():
        if entry.path == PACKAGE_FILE:
            package.parse(_text(path))
        archives.check(entry.path, path)
        if entry.path in listed and entry.path != MANIFEST_FILE:
            with path.open("rb") as file:
                found[entry.path] = hashlib.file_digest(file, "sha256").hexdigest()
    claims.check_contents(paper, found)
    return order


def _text(path: Path) -> str:
    with path.open("rb") as file:
        raw = file.read(package.BYTES_MAX + 1)
    try:
        return raw.decode()
    except UnicodeDecodeError as wrong:
        if len(raw) > package.BYTES_MAX:
            return "x" * len(raw)  # its length is what is wrong with it
        raise PackageError(f"package.json is not UTF-8 text: {wrong.reason} at byte {wrong.start}.") from None


def read_manifest(child: Path) -> str | None:
    """The manifest.json of a directory; None where there is none.

    Raises:
        ManifestError: it is too long, or not text.
    """
    try:
        handle = os.open(child / MANIFEST_FILE, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    with open(handle, "rb") as file:  # noqa: PTH123 -- a handle, not a path
        raw = file.read(manifest.BYTES_MAX + 1)
    if len(raw) > manifest.BYTES_MAX:
        raise ManifestError(f"manifest.json has more than {manifest.BYTES_MAX} bytes.")
    try:
        return raw.decode()
    except UnicodeDecodeError as wrong:
        raise ManifestError(f"manifest.json is not UTF-8 text: {wrong.reason} at byte {wrong.start}.") from None
