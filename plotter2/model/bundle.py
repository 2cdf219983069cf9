"""Bundles at rest: a list of files, a digest over it, and a version (requirements 027 to 030, 006).

A version is never changed; a new push is a new version. Digests are BLAKE3, 32 bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from blake3 import blake3

from plotter2.clock import ZERO, Instant
from plotter2.ids import RequestId
from plotter2.model.paths import BundlePath

DIGEST_BYTES = 32
FILES_MAX = 1_000_000
MODE = 0o644
"""The permissions of a file whose sender names none."""
CODE = "code_sources"
PACKAGE_FILE = "package.json"
MANIFEST_FILE = "manifest.json"


@dataclass(frozen=True, slots=True, order=True)
class FileEntry:
    """One regular file of a version: `path` inside the bundle, size, BLAKE3 digest (b"" while unknown), permissions."""

    path: str
    size_bytes: int
    digest: bytes = b""
    mode: int = MODE


@dataclass(frozen=True, slots=True)
class BundleVersion:
    """One version of one bundle, without its file list (the store has that).

    Attributes:
        digest: over the sorted file list, see `version_digest`.
        package_json: text of its package.json, "" for none.
        parameters_json: what the service run that made it was given, "" for none.
        run_key: digest over code, data and parameters of that service run, b"" for none.
        metrics_json: what it measured, by the names that queries use, "" for nothing.
        inherited: what its snapshot of everything inherited is called (see `plotter2.model.inheritance`), b"" for none.
        tags_json: tags that people set (null: taken away); like `archived`, of the bundle and not of one version.
        ok: False for the child of a service run that failed: its data is kept, and never reused.
    """

    path: BundlePath
    version: int
    digest: bytes
    files: int
    size_bytes: int
    created_at: Instant = ZERO
    request_id: RequestId = RequestId("")
    archived: bool = False
    package_json: str = ""
    parameters_json: str = ""
    run_key: bytes = b""
    ok: bool = True
    metrics_json: str = ""
    inherited: bytes = b""
    tags_json: str = ""


@dataclass(frozen=True, slots=True)
class Contents:
    """A version together with its files, sorted by path."""

    bundle: BundleVersion
    files: tuple[FileEntry, ...] = field(default=())


def digest_of(files: Iterable[FileEntry]) -> bytes:
    """The digest of a list of files: BLAKE3 over path, size, permissions and digest of each file, in path order."""
    hasher = blake3()
    for entry in sorted(files):
        hasher.update(f"{entry.path}\0{entry.size_bytes}\0{entry.mode:o}\0{entry.digest.hex()}\n".encode())
    return hasher.digest()


def version_digest(files: Iterable[FileEntry]) -> bytes:
    """The digest of a version: all its files but the manifest.

    A `manifest.json` at the top is the paperwork of one transport, not data (requirements 056, 062): it is kept and
    comes back with a pull, and newer paperwork around the same data makes no new version.
    """
    return digest_of(entry for entry in files if entry.path != MANIFEST_FILE)


def code_digest(files: Iterable[FileEntry]) -> bytes:
    """The digest of the code alone: what lies under `code_sources/`."""
    return digest_of(entry for entry in files if entry.path.startswith(CODE + "/"))


def data_digest(files: Iterable[FileEntry]) -> bytes:
    """The digest of what a version holds beside code and paperwork."""
    ours = {MANIFEST_FILE, PACKAGE_FILE}
    return digest_of(entry for entry in files if entry.path not in ours and not entry.path.startswith(CODE + "/"))


def inputs_digest(files: Iterable[FileEntry]) -> bytes:
    """The digest of what a program is given; what plotter2 itself keeps there (manifest, package) does not count."""
    return digest_of(entry for entry in files if entry.path not in {MANIFEST_FILE, PACKAGE_FILE})


def run_key(inputs: bytes, service_json: str, parameters_json: str) -> bytes:
    """What decides whether a service run was done before: all its input files, how it is started, its parameters.

    Args:
        inputs: `inputs_digest` of the bundle version.
        service_json: canonical JSON of the `service` section.
        parameters_json: canonical JSON of all parameters, defaults included.
    """
    return blake3(inputs + service_json.encode() + b"\0" + parameters_json.encode()).digest()
