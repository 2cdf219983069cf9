"""What plotter2 would understand of a folder: the checks of an install, and remarks on what is hardly meant."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from plotter2.client.packing import LocalFile, collect
from plotter2.datter.scope import Scope
from plotter2.datter.values import keys
from plotter2.datter.vocabulary import NONE, Additions
from plotter2.errors import UsageError
from plotter2.inspection import Declared, inspect
from plotter2.model.bundle import CODE, PACKAGE_FILE
from plotter2.model.package import Package, Service, places
from plotter2.project import calls

NOT_MEANT = frozenset({".git", ".hg", ".svn", ".venv", "venv", "node_modules", "__pycache__", ".ipynb_checkpoints"})
"""Folders that are rarely meant to be sent."""
CODE_SUFFIX = ".py"


@dataclass(frozen=True, slots=True)
class Understood:
    """A folder as plotter2 sees it.

    Attributes:
        data: what each data key stands for now: declared keys first, then undeclared files that are data.
        remarks: sentences about what is legal and looks unintended.
    """

    files: int
    size_bytes: int
    declared: Declared
    data: Mapping[str, tuple[str, ...]]
    remarks: tuple[str, ...]


def found_in(root: Path) -> list[LocalFile]:
    """The files that a push would send.

    Raises:
        UsageError: this is no folder, or there is nothing in it.
        RefusedError: a push would refuse something in it.
    """
    if not root.is_dir():
        raise UsageError(f"There is no folder {root}.")
    return collect(root)


def understand(root: Path, own: Additions = NONE) -> Understood:
    """Look at a folder as an install would; `own` is what the installation adds.

    Raises:
        UsageError: this is no folder, or there is nothing in it.
        RefusedError: a push would be refused; with the reason that it would be given.
    """
    found = found_in(root)
    by_path = {one.entry.path: one.path for one in found}
    sizes = {one.entry.path: one.entry.size_bytes for one in found}
    declared = inspect(sizes, lambda path: by_path[path].read_bytes(), own)
    catalog = keys.catalog(Scope(files=by_path, package=declared.package))
    data = {name: key.paths for name, key in catalog.items()}
    remarks = (
        *_remarks(declared.package, by_path, data), *calls.remarks(declared.package, by_path, own), *unmeant(by_path),
    )  # fmt: skip
    if PACKAGE_FILE not in by_path:
        plain = f"There is no {PACKAGE_FILE}: this is plain data. `plotter2 init` writes one to start from."
        remarks = (plain, *remarks)
    return Understood(len(found), sum(sizes.values()), declared, data, remarks)


def unmeant(by_path: Mapping[str, Path]) -> Iterator[str]:
    """Folders with files that would be sent, and hardly anybody wants to send."""
    folders: Counter[str] = Counter()
    for path in by_path:
        parts = PurePosixPath(path).parts
        at = next((i for i, part in enumerate(parts[:-1]) if part in NOT_MEANT), None)
        if at is not None:
            folders["/".join(parts[: at + 1])] += 1
    for folder, count in folders.items():
        yield f"{count} files below {folder}/ would be sent too."


def _remarks(package: Package, by_path: Mapping[str, Path], data: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    service = package.service
    if service is not None:
        yield from _of_service(service, package, by_path)
    for name, datum in package.data.items():
        if not data.get(name) and service is None:
            yield f"The data key {name!r} finds no file: {datum.path!r}."
    yield from _of_tasks(package)
    if package.parameters and service is None:
        yield "There are parameters and no 'service': nothing can be run with them."


def _of_tasks(package: Package) -> Iterator[str]:
    for task in package.tasks:
        known = {*(one.name for one in package.tasks), *(one.name for one in package.links)}
        for name in task.linked_to:
            if name not in known:
                yield f"The task {task.name!r} is linked to {name!r}, which is not here: it must be inherited then."
    for order in package.standing:
        for name in order.run:
            if name not in {one.name for one in package.tasks}:
                yield f"The order {order.name!r} runs {name!r}, which is not here: it must be inherited then."


def _of_service(service: Service, package: Package, by_path: Mapping[str, Path]) -> Iterator[str]:
    if not any(path.startswith(f"{CODE}/") for path in by_path):
        yield f"There is a 'service' and no {CODE}/: redo runs what lies there."
    for word in service.command:
        path = PurePosixPath(service.cwd, word).as_posix()
        if word.endswith(CODE_SUFFIX) and "{" not in word and path not in by_path and not word.startswith("/"):
            yield f"'service.command' names {word!r}, and there is no file {path!r}."
    templates = json.dumps([service.command, service.env, service.files], ensure_ascii=False)
    used = set(places(templates))
    for name in package.parameters:
        if name not in used:
            yield f"The parameter {name!r} stands nowhere in 'service': a redo with it would change nothing."
