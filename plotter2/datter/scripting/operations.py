"""operation and through: what the bundle of a run does or has, called by name, in scripts and in pipelines."""

from __future__ import annotations

from typing import Any

from plotter2.datter.context import current
from plotter2.datter.scripting import calling
from plotter2.datter.scripting.reading import read


def operation(name: str, of: str = "") -> calling.Operation:
    """What this bundle does under a name, by its own code or over a link: call it with the values it takes.

    `of` chooses a bundle that the name is linked to. Raises UsageError: no such operation, no link to that bundle, or,
    when called, a value that is not what its head declares. Definition: docs/reference/package.md, "Links".
    """
    return calling.chosen(current(), str(name), str(of), read)


def through(data: Any, name: str, *more: Any, of: str = "") -> Any:
    """Data after an operation of this bundle: `through(data, "smooth")` is `operation("smooth")(data)`.

    Raises UsageError as `operation` does.
    """
    return operation(name, of)(data, *more)
