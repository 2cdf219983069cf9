"""One delivery: what its sender declares before the first byte, and what is refused at once (pure).

Both ends check with the same function: the sender before it reads a hundred gigabytes, the stager because it trusts
nobody. Content is not looked at here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from blake3 import blake3

from plotter2 import ids
from plotter2.errors import PathRefusedError, RefusedError, UsageError
from plotter2.ids import DeliveryId
from plotter2.model import claims, conditions, manifest, paths
from plotter2.model.bundle import DIGEST_BYTES, FileEntry
from plotter2.model.manifest import Manifest
from plotter2.model.paths import BundlePath

FILES_MAX = 100_000
"""Of one delivery; more go as several bundles, or packed."""
DESCRIPTION_BYTES_MAX = 12 << 20
"""Names, digests and manifest of one delivery together: they travel in one message."""
ENTRY_BYTES = 64
SIZE_BYTES_MAX = 1 << 50
MODE_MAX = 0o777


@dataclass(frozen=True, slots=True)
class Order:
    """What is on its way, as declared by its sender. The index of a file in `files` is its name in the spool."""

    delivery_id: DeliveryId
    bundle: BundlePath
    manifest_json: str
    files: tuple[FileEntry, ...]
    service_id: str = ""

    @property
    def size_bytes(self) -> int:
        """All files together."""
        return sum(entry.size_bytes for entry in self.files)


def delivery_of_key(key: str) -> DeliveryId:
    """The delivery that a client key stands for: a repeat of the push is the same delivery."""
    return DeliveryId("dlv-" + blake3(f"push\0{key}".encode()).hexdigest()[:32])


def checked(order: Order) -> Order:
    """The same order, with the bundle's name in normal form; see `examined`."""
    return examined(order)[0]


def examined(order: Order) -> tuple[Order, Manifest]:
    """The same order, with the bundle's name in normal form, and its manifest.

    Raises:
        UsageError: the identifier is not one, or a size, digest or permission is impossible.
        PathRefusedError: a name that may not be, twice the same name, a file where another needs a directory.
        ManifestError: the manifest is not a manifest, lists other files, or has a condition that is none.
        AlteredError: the manifest lists files of other sizes.
        RefusedError: too many files, or names and manifest that are too long together.
    """
    ids.check("dlv", order.delivery_id)
    bundle = paths.bundle_path(order.bundle)
    _check_count(order)
    paper = manifest.parse(order.manifest_json)
    check_files(order.files)
    claims.check_names(paper, order.files)
    conditions.conditions(paper)
    return replace(order, bundle=bundle), paper


def check_files(files: Sequence[FileEntry]) -> None:
    """Refuse what cannot be the files of one version.

    Raises:
        UsageError: a size, digest or permission is impossible.
        PathRefusedError: a name that may not be, or cannot lie beside another.
    """
    for entry in files:
        _check_entry(entry)
    check_names([entry.path for entry in files])


def _check_count(order: Order) -> None:
    if not order.files:
        raise UsageError("A delivery needs at least one file.")
    if len(order.files) > FILES_MAX:
        raise RefusedError(f"{len(order.files)} files are more than the {FILES_MAX} that one delivery may have.")
    length = (
        len(order.manifest_json) + len(order.service_id) + sum(len(entry.path) + ENTRY_BYTES for entry in order.files)
    )
    if length > DESCRIPTION_BYTES_MAX:
        raise RefusedError(f"Names and manifest take more than the {DESCRIPTION_BYTES_MAX} bytes that they may have.")


def _check_entry(entry: FileEntry) -> None:
    path = paths.file_path(entry.path)
    if not 0 <= entry.size_bytes <= SIZE_BYTES_MAX:
        raise UsageError(f"File {path!r} cannot have {entry.size_bytes} bytes.")
    if len(entry.digest) not in {0, DIGEST_BYTES}:
        raise UsageError(f"The digest of file {path!r} has {len(entry.digest)} bytes; BLAKE3 has {DIGEST_BYTES}.")
    if not 0 <= entry.mode <= MODE_MAX:
        raise UsageError(f"The permissions {entry.mode:o} of file {path!r} are more than read, write and execute.")


def check_names(names: Sequence[str]) -> None:
    """Refuse names that cannot lie beside each other on every file system.

    Raises:
        PathRefusedError: the same name twice (also when only upper and lower case differ), or a file that would have
            to be a directory as well.
    """
    seen: dict[str, str] = {}
    for name in names:
        key = _folded(name)
        if key in seen:
            raise PathRefusedError(f"File names {seen[key]!r} and {name!r} are the same on some file systems.")
        seen[key] = name
    for key, name in seen.items():
        for above in _above(key):
            if above in seen:
                raise PathRefusedError(f"File name {seen[above]!r} cannot be a file and the directory of {name!r}.")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _above(key: str) -> Iterable[str]:
    while "/" in key:
        key = key.rpartition("/")[0]
        yield key
