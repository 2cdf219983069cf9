"""export: data of a run into a bundle, as a version of its own (requirement 176).

A run writes what it exports into its folder and says which bundle it is for; the manager takes it in when the run has
ended well, as it takes in what people push. So what a run that fails has exported is never seen by anybody.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from plotter2.datter import results
from plotter2.datter.context import Context, Symbol, current
from plotter2.datter.runs import Made
from plotter2.datter.scripting.reading import access
from plotter2.datter.values import exchange
from plotter2.datter.values.group import DataGroup
from plotter2.datter.values.incoming import taken_in
from plotter2.datter.values.points import Points
from plotter2.datter.values.table import Table
from plotter2.errors import UsageError
from plotter2.model import output, paths

EXPORTS_MAX = 1_000
"""Files that one run exports."""


def export(value: Any, bundle: str, name: str = "") -> str:
    """Push a value into a bundle: its next version has it beside what the newest one has. Gives the bundle.

    Arrays become `name.npy`, tables and points `name.arrow`, text `name.txt`, other values `name.json`; a group becomes
    a folder with one file for each of its values. Without a name it has the value's own.
    A bundle that is not there is made; nothing that a version has is changed. It is taken in when the run has ended.

    Raises:
        UsageError: the value cannot be written, has no name, or the name was exported before.
        PathRefusedError: a bundle or a file may not be called so.
    """
    context = current()
    found = taken_in(access(value) if isinstance(value, Symbol) else value)
    target, called = paths.bundle_path(str(bundle)), str(name) or context.name_of(found)
    if not called:
        raise UsageError('export: the value has no name of its own; say one, as export(x, "lab/pca", "components").')
    if isinstance(found, DataGroup):
        for member in found.members:
            _write(context, member.value, target, f"{called}/{member.name}")
    else:
        _write(context, found, target, called)
    return target


def _write(context: Context, value: Any, target: str, called: str) -> None:
    ending, write = _form(value, called)
    path = f"{output.EXPORTS}/{target}/{output.EXPORTED}/{paths.file_path(called + ending)}"
    if sum(one.kind == output.EXPORT for one in context.made) >= EXPORTS_MAX:
        raise UsageError(f"export: more than {EXPORTS_MAX:,} files; export a table, or a bundle with one array.")
    if any(one.path == path for one in context.made):
        raise UsageError(f"export: {called + ending!r} was exported to {target!r} before in this run.")
    place = context.run.output_dir / path
    place.parent.mkdir(parents=True, exist_ok=True)
    write(place)
    context.made.append(Made(path, output.EXPORT, target))


def _form(value: Any, called: str) -> tuple[str, Callable[[Path], None]]:
    """How a value is written: the ending of its file, and who writes it."""
    if isinstance(value, Points | Table):
        table = exchange.of_points(value) if isinstance(value, Points) else value.to_arrow()
        return ".arrow", lambda place: import_module("pyarrow.feather").write_feather(
            table, str(place), compression="uncompressed"
        )
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return ".npy", lambda place: np.save(place, value, allow_pickle=False)
    if isinstance(value, str):
        return ".txt", lambda place: _text(place, value)
    try:
        text = json.dumps(results.to_json(value), ensure_ascii=False, indent=1)
    except UsageError as wrong:
        raise UsageError(f"export: {called!r} cannot be written: {wrong}") from None
    return ".json", lambda place: _text(place, text)


def _text(place: Path, text: str) -> None:
    place.write_text(text, encoding="utf-8")
