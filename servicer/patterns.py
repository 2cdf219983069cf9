"""Which files a pattern of `package.json` names, below where a program started; nothing outside is ever named.

Patterns are pathlib's, and `out/**` and a folder's bare name mean all files below it; one that begins with `{output}/`
is about the output directory. Links are left out, and so is what lies behind a linked folder.
"""

from __future__ import annotations

from pathlib import Path

from plotter2.errors import PackageError
from plotter2.model import document, package
from plotter2.model.package import Service


def check(service: Service) -> None:
    """Look at every pattern before the program has run for nothing.

    Raises:
        PackageError: a pattern names nothing, or leads out.
    """
    for fault in package.pattern_faults(service):
        raise PackageError(f"package.json: {document.spell(fault.path)!r} {fault.reason}.")


def matching(root: Path, pattern: str) -> list[Path]:
    """Plain files below `root` (an absolute path without links) that a checked pattern names. Blocks."""
    if pattern.rstrip("/").endswith("**") or (root / pattern).is_dir():
        pattern = pattern.rstrip("/")
        pattern += "/*" if pattern.endswith("**") else "/**/*"
    return sorted(path for path in set(root.glob(pattern)) if path.is_file() and path.resolve() == path)
