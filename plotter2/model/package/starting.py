"""What must hold in the section `service`, so that a program can be started by it and its files be found (pure).

The same rules at each install, in `plotter2 check`, and in the servicer before anything is written.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from plotter2.model.document import Path
from plotter2.model.package.declare import Metrics, Service, ServiceLimits
from plotter2.model.package.wording import Broken

WALL_S_MAX = 10 * 365 * 86_400.0
MEMORY_BYTES_MIN = 1 << 20
BYTES_MAX = 1 << 50
IN_OUTPUT = "{output}/"
"""How a pattern begins that is about the output directory."""


def faults(service: Service) -> Iterator[Broken]:
    """Every rule that a service breaks, in the order of its keys."""
    if not service.command:
        yield Broken(("service", "command"), "is empty; it must name a program")
    elif not service.command[0]:
        yield Broken(("service", "command"), "begins with an empty text; it must name a program")
    for name in service.env:
        if not name or set(name) & {"=", "\0"}:
            reason = "is no name of a variable: it needs a character, and may have neither '=' nor NUL"
            yield Broken(("service", "env", name), reason)
    for path, text in _texts(service):
        if "\0" in text:
            yield Broken(path, "has a NUL byte, which cannot be there; leave it out")
    yield from _places(service)
    for i, metric in enumerate(service.metrics):
        yield from _metrics(("service", "metrics", i), metric)
    yield from pattern_faults(service)
    yield from _limits(service.limits)


def templates(service: Service) -> Iterator[tuple[Path, str]]:
    """The texts in which placeholders are filled, and where they stand."""
    for i, text in enumerate(service.command):
        yield ("service", "command", i), text
    for key, text in service.env.items():
        yield ("service", "env", key), text


def pattern_faults(service: Service) -> Iterator[Broken]:
    """Patterns that name nothing, or lead out."""
    given: list[tuple[Path, str]] = [(("service", "outputs", i), one) for i, one in enumerate(service.outputs)]
    for i, metric in enumerate(service.metrics):
        if metric.kind != "pattern":
            given.append((("service", "metrics", i, "path"), metric.path))
    for path, pattern in given:
        inner = pattern.removeprefix(IN_OUTPUT)
        parts = PurePosixPath(inner).parts
        if not parts or ".." in parts or inner.startswith("/") or "\0" in inner:
            yield Broken(path, f"is {pattern!r}, which does not stay below the service's cwd or {{output}}")
        if any("**" in part and part != "**" for part in parts):
            yield Broken(path, f"is {pattern!r}; in a pattern '**' must stand alone between slashes")


def _texts(service: Service) -> Iterator[tuple[Path, str]]:
    yield from templates(service)
    yield ("service", "python"), service.python
    yield ("service", "cwd"), service.cwd
    for name in service.files:
        yield ("service", "files", name), name


def _places(service: Service) -> Iterator[Broken]:
    inside: list[tuple[Path, str, str]] = [(("service", "cwd"), service.cwd, service.cwd)]
    named = ((name, posixpath.join(service.cwd, name) if name else "..") for name in service.files)
    inside += [(("service", "files", name), name, place) for name, place in named]
    for path, name, place in inside:
        whole = posixpath.normpath(place)
        if whole.startswith("/") or whole.split("/")[0] == "..":
            yield Broken(path, f"is {name!r}, which leads out of the working copy; it must be a place below it")


def _metrics(at: Path, metric: Metrics) -> Iterator[Broken]:
    needs = "pattern" if metric.kind == "pattern" else "path"
    if not getattr(metric, needs):
        yield Broken(at, f"has the format {metric.kind!r} and needs {needs!r}" if metric.kind else "needs a 'path'")
    elif not metric.kind:
        yield Broken(at, f"needs a 'format' (csv, json or jsonl): {metric.path!r} does not show it")
    if not metric.pattern:
        return
    try:
        groups = re.compile(metric.pattern).groupindex
    except (re.error, RecursionError, OverflowError) as wrong:
        yield Broken((*at, "pattern"), f"is no pattern: {wrong}")
        return
    if not groups:
        yield Broken((*at, "pattern"), "needs named groups, as (?P<loss>...)")


def _limits(limits: ServiceLimits) -> Iterator[Broken]:
    for name, most in (("wall_s", WALL_S_MAX), ("log_bytes_max", BYTES_MAX), ("output_bytes_max", BYTES_MAX)):
        value = getattr(limits, name)
        if not 0 <= value <= most:
            yield Broken(("service", "limits", name), f"is {value!r}; it must be from 0 (no limit) to {most:.15g}")
    if limits.memory_bytes and not MEMORY_BYTES_MIN <= limits.memory_bytes <= BYTES_MAX:
        yield Broken(
            ("service", "limits", "memory_bytes"),
            f"is {limits.memory_bytes}; it must be 0 (no limit), or from {MEMORY_BYTES_MIN} to {BYTES_MAX}",
        )
