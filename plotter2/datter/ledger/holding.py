"""Starting instances: definitions, instances that are held, and when those start (rules R2 and R3; pure).

A held instance starts when somebody waits for it and every task that may still link it has had its chance: it has
waited once, or ended. So what it learns of its owners is the same however fast each of them runs. It also starts when
the last task that could link it has ended, and when nothing could go on without what it might link.
"""

from __future__ import annotations

from plotter2.datter.ledger.ops import Begin, Define, Gather
from plotter2.datter.ledger.state import RUNNABLE, Book, Definition, Task, TaskState
from plotter2.datter.values.keys import nearest
from plotter2.errors import ConflictError, UsageError


def define(book: Book, op: Define) -> None:
    """Make a definition known.

    Raises:
        ConflictError: there is one of this name.
    """
    if op.name in book.definitions:
        raise ConflictError(f"There is a definition {op.name!r} in this run already.")
    book.definitions[op.name] = Definition(op.name, op.aliases, frozenset(op.exposes), op.linked)
    for name in (op.name, *op.aliases):
        book.called.setdefault(name, op.name)
    for one in book.definitions.values():
        one.linkers = [other.name for other in book.definitions.values() if one.name in other.linked]


def definition(book: Book, name: str) -> Definition:
    """The definition that is called so.

    Raises:
        UsageError: there is none; with the nearest.
    """
    found = book.called.get(name)
    if found is None:
        raise UsageError(f"There is no task {name!r} in this run; {nearest(name, book.called)}.")
    return book.definitions[found]


def begin(book: Book, op: Begin) -> list[int]:
    """Make instances; gives their numbers."""
    found = definition(book, op.definition)
    made = []
    for instance in op.instances:
        number = len(book.tasks) + 1
        state = TaskState.HELD if op.is_held else TaskState.READY
        book.tasks[number] = Task(number, found.name, instance.label, dict(instance.keys), state)
        book.runnable += state in RUNNABLE
        made.append(number)
    found.tasks += made
    found.unfinished += len(made)
    found.fresh += len(made)
    if op.is_held:
        found.held.update(dict.fromkeys(made, False))
    else:
        book.turn.ready += made
    if not found.unfinished:
        _start_held(book, found)
    return made


def gather(book: Book, op: Gather) -> list[int]:
    """All instances of a definition, in the order in which they were made, which is that of their keys."""
    return list(definition(book, op.definition).tasks)


def want(book: Book, tasks: list[int]) -> None:
    """Somebody waits for these: those that are held may start."""
    touched: dict[str, None] = {}
    for number in tasks:
        task = book.tasks[number]
        if task.state is TaskState.HELD:
            book.definitions[task.definition].held[number] = True
            touched[task.definition] = None
    for name in touched:
        _start_wanted(book, book.definitions[name])


def has_waited(book: Book, task: Task) -> None:
    """A task waits for the first time, or has ended: it has had its chance to link."""
    if task.has_waited:
        return
    task.has_waited = True
    found = book.definitions[task.definition]
    found.fresh -= 1
    if not found.fresh:
        for name in found.linked:
            _start_wanted(book, definition(book, name))


def has_ended(book: Book, task: Task) -> None:
    """A task has ended: when it was the last that could link some, these start."""
    has_waited(book, task)
    found = book.definitions[task.definition]
    found.held.pop(task.number, None)
    found.unfinished -= 1
    if not found.unfinished:
        _start_held(book, found)


def wake(book: Book) -> bool:
    """Where nothing can go on, start the held that could link held ones which are waited for; gives whether there are.

    Nobody waits for these themselves yet, as where two that link the same tasks are collected one after the other. They
    would start at the end of those that could link them, which never comes.
    """
    wanted = [one for one in book.definitions.values() if any(one.held.values())]
    linkers = dict.fromkeys(name for one in wanted for name in one.linkers)
    for name in linkers:
        _start(book, book.definitions[name], list(book.definitions[name].held))
    return bool(book.runnable)


def _start_held(book: Book, ended: Definition) -> None:
    for name in ended.linked:
        found = definition(book, name)
        if not any(book.definitions[one].unfinished for one in found.linkers):
            _start(book, found, list(found.held))


def _start_wanted(book: Book, found: Definition) -> None:
    if not any(book.definitions[name].fresh for name in found.linkers):
        _start(book, found, [number for number, is_wanted in found.held.items() if is_wanted])


def _start(book: Book, found: Definition, numbers: list[int]) -> None:
    for number in numbers:
        del found.held[number]
        book.step(book.tasks[number], TaskState.READY)
    book.turn.ready += numbers
