"""Names of bundles and of files inside bundles: what may be, and one sentence about what may not (pure).

A bundle path is where the bundle lies below `source/`, parts joined by `/`; children of a bundle lie under its
`bundles/` (requirement 022), groups nest directly (requirement 025).

Names of bundles are ours: they are kept in Unicode's normal form NFC, so that one name has one spelling. Names of
files are the user's: they are kept byte for byte and come back so with a pull. Two that differ only in their form, or
in upper and lower case, may not lie in one bundle, see `delivery.check_names`.
"""

from __future__ import annotations

import unicodedata
from typing import NewType

from plotter2.errors import PathRefusedError

BundlePath = NewType("BundlePath", str)

PART_BYTES_MAX = 255
PATH_BYTES_MAX = 1024
PARTS_MAX = 32
SHOWN_CHARS_MAX = 200
"""Of a name that is refused; it may have megabytes."""
CHILDREN = "bundles"
RESERVED = frozenset({"code_sources", "meta", "shared"})


def _parts(text: str, what: str) -> list[str]:
    if not text:
        raise PathRefusedError(f"A {what} must not be empty.")
    if text.startswith("/") or "\\" in text:
        raise PathRefusedError(f"{what.capitalize()} {_shown(text)} must be relative, with '/' between its parts.")
    try:
        length = len(text.encode())
    except UnicodeEncodeError:
        raise PathRefusedError(f"{what.capitalize()} {_shown(text)} is not valid Unicode.") from None
    if length > PATH_BYTES_MAX:
        raise PathRefusedError(f"{what.capitalize()} {_shown(text)} is longer than {PATH_BYTES_MAX} bytes.")
    parts = text.split("/")
    if len(parts) > PARTS_MAX:
        raise PathRefusedError(f"{what.capitalize()} {_shown(text)} is nested deeper than {PARTS_MAX} levels.")
    for part in parts:
        _check_part(part, text, what)
    return parts


def _check_part(part: str, text: str, what: str) -> None:
    if part in {"", ".", ".."}:
        raise PathRefusedError(f"{what.capitalize()} {_shown(text)} may not contain {part!r} as a part.")
    if len(part.encode()) > PART_BYTES_MAX:
        raise PathRefusedError(f"{what.capitalize()} {_shown(text)} has a part longer than {PART_BYTES_MAX} bytes.")
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in part):
        raise PathRefusedError(f"{what.capitalize()} {_shown(text)} contains a control character.")


def _shown(text: str) -> str:
    return repr(text) if len(text) <= SHOWN_CHARS_MAX else f"{text[:SHOWN_CHARS_MAX]!r}…"


def bundle_path(text: str) -> BundlePath:
    """Check and normalise a bundle's path; one trailing slash is forgiven.

    Raises:
        PathRefusedError: absolute, `..`, hidden (leading dot), reserved, too long, or not text.
    """
    parts = _parts(unicodedata.normalize("NFC", text.removesuffix("/")), "bundle name")
    for part in parts:
        if part.startswith("."):
            raise PathRefusedError(f"Bundle name {_shown(text)} may not have a part that begins with a dot.")
        if part in RESERVED:
            raise PathRefusedError(f"Bundle name {_shown(text)} may not use {part!r}, which plotter2 keeps for itself.")
    if parts[0] == CHILDREN or parts[-1] == CHILDREN:
        raise PathRefusedError(f"Bundle name {_shown(text)} may not begin or end with {CHILDREN!r}.")
    return BundlePath("/".join(parts))


def file_path(text: str) -> str:
    """Check a file's path inside a bundle; it comes back as it is.

    Raises:
        PathRefusedError: absolute, `..`, too long, or not text.
    """
    return "/".join(_parts(text, "file name"))


def parent(path: BundlePath) -> BundlePath | None:
    """The bundle above, or None at the top: `a/bundles/b` and `a/b` are both children of `a`."""
    head, _, _ = path.rpartition("/")
    head = head.removesuffix("/" + CHILDREN)
    return BundlePath(head) if head else None


def child(path: BundlePath, name: str) -> BundlePath:
    """Where a child of this bundle lies.

    Raises:
        PathRefusedError: the name may not be.
    """
    return bundle_path(f"{path}/{CHILDREN}/{name}")


def is_below(path: str, ancestor: str) -> bool:
    """Whether `path` is `ancestor` or lies below it."""
    return path == ancestor or path.startswith(ancestor + "/")
