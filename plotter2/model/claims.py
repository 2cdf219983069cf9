"""What a manifest claims about files, against what came: missing, extra and altered ones, all named (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from plotter2.errors import AlteredError, ManifestError
from plotter2.model.bundle import MANIFEST_FILE, FileEntry
from plotter2.model.manifest import Listed, Manifest

NAMED_CHARS_MAX = 2_000
"""So many characters of names of each kind stand in one message; the rest is counted."""


def check_names(paper: Manifest, files: Sequence[FileEntry]) -> None:
    """Before any content is looked at: names and sizes. A manifest that lists no files claims nothing.

    Raises:
        ManifestError: a listed file has not come, or one that is not listed has.
        AlteredError: only sizes differ.
    """
    if paper.files is None:
        return
    listed = {path: line for path, line in paper.files.items() if path != MANIFEST_FILE}
    there = {entry.path: entry for entry in files if entry.path != MANIFEST_FILE}
    missing = [path for path in listed if path not in there]
    extra = [path for path in there if path not in listed]
    altered = [
        f"{path!r} ({entry.size_bytes} bytes, {listed[path].size_bytes} are listed)"
        for path, entry in there.items()
        if path in listed and entry.size_bytes != listed[path].size_bytes
    ]
    said = "; ".join(filter(None, [_said("missing", map(repr, missing)), _said("not listed", map(repr, extra)),
                                   _said("altered", altered)]))  # fmt: skip
    if missing or extra:
        raise ManifestError(f"manifest.json lists other files than those that came: {said}.")
    if altered:
        raise AlteredError(f"Files are not those that manifest.json lists: {said}.")


def check_contents(paper: Manifest, found: Mapping[str, str]) -> None:
    """When content is here: the SHA-256 of files, by path, in hexadecimal digits.

    Raises:
        AlteredError: some are other than listed.
    """
    listed: Mapping[str, Listed] = paper.files or {}
    altered = [path for path, sha256 in found.items() if path in listed and listed[path].sha256 != sha256]
    if altered:
        said = _said("altered", map(repr, altered))
        raise AlteredError(f"Files have another SHA-256 than manifest.json lists: {said}.")


def _said(kind: str, names: Iterable[str]) -> str:
    found = sorted(names)
    if not found:
        return ""
    named: list[str] = []
    left_chars = NAMED_CHARS_MAX
    for name in found:
        left_chars -= len(name) + 2
        if named and left_chars < 0:
            break
        named.append(name)
    more = f" and {len(found) - len(named)} more" if len(found) > len(named) else ""
    return f"{kind}: {', '.join(named)}{more}"
