"""The files of the config directory that add to plotter2, as one thing with a digest (requirement 009; pure).

They are listed by name and digest; the list has a digest of its own, by which a run is pinned to what was there when it
was asked for. List and files are content like any other, so a worker elsewhere gets them as it gets the files of a
bundle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from blake3 import blake3

from plotter2.errors import CorruptionError

TEMPLATES, OPERATIONS, PICTURES = "templates", "operations", "visuals"
ENDINGS = {TEMPLATES: (".toml", ".html"), OPERATIONS: (".py",), PICTURES: (".py",)}
FILE_BYTES_MAX = 256 << 10
FILES_MAX = 1_000
DIGEST_CHARS = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that is added, for people.

    Attributes:
        kind: template, operation or visual.
        file: below the config directory.
        line: where it is defined; 0 for a whole file.
        params: what a word takes.
        suits: of a visual type: the type of values that it is drawn for.
        digest: of a template, with all that it extends; else of the file.
    """

    kind: str
    name: str
    file: str
    line: int = 0
    params: str = ""
    description: str = ""
    suits: str = ""
    digest: str = ""


def is_one(path: str) -> bool:
    """Whether a path below the config directory is such a file; settings and all else are not."""
    folder, _, name = path.partition("/")
    return folder in ENDINGS and "/" not in name and name.endswith(ENDINGS[folder]) and not name.startswith(".")


def listing(files: Mapping[str, bytes]) -> bytes:
    """Names and digests as text: one file a line, by name; b"" for none."""
    return "".join(f"{digest.hex()} {path}\n" for path, digest in sorted(files.items())).encode()


def digest_of(files: Mapping[str, bytes]) -> bytes:
    """The digest of the list; b"" for no file."""
    return blake3(listing(files)).digest() if files else b""


def listed(text: bytes) -> dict[str, bytes]:
    """The files of a list, by name.

    Raises:
        CorruptionError: it is no list of ours.
    """
    found: dict[str, bytes] = {}
    for line in text.decode(errors="replace").splitlines():
        digest, _, path = line.partition(" ")
        if len(digest) != DIGEST_CHARS or not is_one(path):
            raise CorruptionError(f"What an installation adds cannot be read from the line {line!r}.")
        found[path] = bytes.fromhex(digest)
    return found
