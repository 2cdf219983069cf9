"""Which tasks a task is linked to: those that run with it, in the same scope (requirement 068; pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from plotter2.model.package.declare import TaskDeclaration
from plotter2.model.package.wording import Broken, names


def broken(tasks: Sequence[TaskDeclaration]) -> Iterator[Broken]:
    """What is wrong with the names that tasks are linked to, as far as one package can say: others may be inherited."""
    for i, task in enumerate(tasks):
        seen: set[str] = set()
        for j, name in enumerate(task.linked_to):
            at = ("tasks", i, "linked") if isinstance(task.linked, str) else ("tasks", i, "linked", j)
            if not name.strip():
                yield Broken(at, "is an empty name; it is the name of a task")
            if name == task.name:
                yield Broken(at, f"is {name!r}, the task itself; a task is linked to others")
            if name in seen:
                yield Broken(at, f"names {name!r} a second time")
            seen.add(name)
    found = circle({task.name: task.linked_to for task in tasks})
    if found:
        place = next(i for i, task in enumerate(tasks) if task.name == found[0])
        yield Broken(("tasks", place, "linked"), f"goes round: {chain(found)}; tasks that are linked cannot wait for "
                     f"one another, so one of {names(sorted(set(found)))} must link none of the others")  # fmt: skip


def circle(linked: Mapping[str, Sequence[str]]) -> list[str]:
    """The first tasks found that are linked in a circle, the first one twice; none where there is no circle."""
    sorter = TopologicalSorter({name: [one for one in others if one in linked] for name, others in linked.items()})
    try:
        sorter.prepare()
    except CycleError as wrong:
        found: list[str] = list(wrong.args[1])
        return found[::-1]  # graphlib goes from what is needed to who needs it
    return []


def chain(found: Sequence[str]) -> str:
    """A circle for people."""
    return " -> ".join(map(repr, found))
