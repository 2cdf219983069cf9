"""Which files a pattern of `package.json` names, below where a program started; nothing outside is ever named.

Patterns are pathlib's, and `out/**` and a folder's bare name mean all files below it; one that begins with `{output}/`
is about the output directory. Links are left out, and so is what lies behind a linked folder.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from plotter2.errors import PackageError
from plotter2.model.package import Service

IN_OUTPUT = "{output}/"


def check(service: Service) -> None:
    """Look at every pattern before the program has run for nothing.

    Raises:
        PackageError: a pattern names nothing, or leads out.
    """
    for where, pattern in [
        *(("outputs", pattern) for pattern in service.outputs),
        *(("metrics", metric.path) for metric in service.metrics if metric.format != "pattern"),
    ]:
        inner = pattern.removeprefix(IN_OUTPUT)
        parts = PurePosixPath(inner).parts
        if not parts or ".." in parts or inner.startswith("/") or "\0" in inner:
            raise PackageError(
                f"package.json: the pattern {pattern!r} in 'service.{where}' does not stay below "
                "the service's cwd or {output}."
            )
        if any("**" in part and part != "**" for part in parts):
            raise PackageError(
                f"package.json: in the pattern {pattern!r} of 'service.{where}', '**' must stand alone between slashes."
            )


def matching(root: Path, pattern: str) -> list[Path]:
    """Plain files below `root` (an absolute path without links) that a checked pattern names. Blocks."""
    if pattern.rstrip("/").endswith("**") or (root / pattern).is_dir():
        pattern = pattern.rstrip("/")
        pattern += "/*" if pattern.endswith("**") else "/**/*"
    return sorted(path for path in set(root.glob(pattern)) if path.is_file() and path.resolve() == path)
