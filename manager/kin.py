"""Which definitions belong to a tree of instances: that of the run, those linked to it, all that can be started (pure).

A name in `linked` is a task of the bundle that the run is on, own or inherited, or a link of it, or of the bundle that
declares the definition, to a task of another one (requirement 068). All of them run on the bundle of the run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from manager.bonds import ends
from manager.catalog import Catalog, Node
from plotter2.clock import Instant
from plotter2.errors import NotFoundError
from plotter2.model import link as links
from plotter2.model.link import Form
from plotter2.model.names import did_you_mean
from plotter2.model.package import TaskDeclaration
from plotter2.model.task import Task


@dataclass(frozen=True, slots=True)
class Kin:
    """One definition of a tree.

    Attributes:
        name: by which scripts ask for it.
        linked: definitions whose instances are there before its own.
        parameters: what its declaration gives.
    """

    name: str
    task: Task
    linked: tuple[str, ...]
    parameters: Mapping[str, Any]

    @property
    def aliases(self) -> tuple[str, ...]:
        """What scripts may call it as well: its file, and that without the ending."""
        file = PurePosixPath(self.task.filename)
        return tuple(dict.fromkeys(one for one in (file.name, file.stem) if one and one != self.name))


def gathered(catalog: Catalog, task: Task, bundle: str, now: Instant) -> dict[str, Kin]:
    """The definitions of the tree of a run, its own first, by name.

    Raises:
        NotFoundError: there is no such bundle, or what one is linked to is gone.
    """
    root = _kin(task.name, task, catalog.declaration(task, bundle))
    found = {root.name: root}
    for one, declared in catalog.tasks(bundle, now):
        found.setdefault(one.name, _kin(one.name, one, declared))
    waiting = list(found.values())
    while waiting:
        kin = waiting.pop()
        for name in kin.linked:
            if name not in found:
                found[name] = _linked(catalog, kin, name, bundle, now, found)
                waiting.append(found[name])
    return found


def in_order(found: Mapping[str, Kin], name: str) -> list[Kin]:
    """A definition and all that it is linked to, each after those that it is linked to itself."""
    made: dict[str, Kin] = {}
    waiting = [(name, False)]
    while waiting:
        one, is_seen = waiting.pop()
        if is_seen:
            made.setdefault(one, found[one])
        elif one not in made:
            waiting += [(one, True), *((other, False) for other in reversed(found[one].linked))]
    return list(made.values())


def _kin(name: str, task: Task, declared: TaskDeclaration | None) -> Kin:
    if declared is None:
        return Kin(name, task, (), {})
    return Kin(name, task, declared.linked_to, declared.parameters)


def _linked(
    catalog: Catalog, kin: Kin, name: str, bundle: str, now: Instant, known: Mapping[str, Kin]
) -> Kin:  # fmt: skip
    """A definition of another bundle, by the name of a link that leads to it."""
    for path in dict.fromkeys((bundle, kin.task.bundle)):
        node = catalog.get(path)
        for target, operation in _far_tasks(catalog, node, name) if node is not None else ():
            for task, declared in catalog.tasks(target.version.path, now):
                if task.name == operation:
                    return _kin(name, task, declared)
    raise NotFoundError(
        f"{kin.name!r} is linked to {name!r}, which is no task of {bundle!r}{did_you_mean(name, known)}"
    )


def _far_tasks(catalog: Catalog, node: Node, name: str) -> Iterator[tuple[Node, str]]:
    for one in node.package.links:
        target = catalog.get(ends(one, node.version.path)[1])
        if one.name != name or target is None:
            continue
        head = links.heads_of(target.version.path, target.package).operations.get(one.out_head)
        if head is not None and head.form is Form.TASK:
            yield target, head.place
