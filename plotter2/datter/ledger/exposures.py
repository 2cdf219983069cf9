"""What is shown to whom, by name, and access to it (rules R6 and R9; pure).

Shown to a task is what others handed in to it or shared with it, and what the tasks that it linked have exposed.
Access waits until all who still may give the name have done so or ended, so that its answer does not depend on who
was faster; when nobody can ever give it, it fails at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from plotter2.datter.ledger import waits
from plotter2.datter.ledger.ops import Access, Expose, OpId
from plotter2.datter.ledger.state import Book, Grant, Task, Wait, WaitKind
from plotter2.datter.values.keys import nearest
from plotter2.errors import OwnershipError, UsageError
from plotter2.model.names import listed


def grant(book: Book, source: int, name: str, data: Sequence[int], to: Iterable[int]) -> None:
    """Show data under a name to tasks."""
    made = Grant(source, name, book.set_number(_ordered(book, data)))
    for number in to:
        book.tasks[number].grants.append(made)


def _ordered(book: Book, data: Iterable[int]) -> tuple[int, ...]:
    """Data in a stable total order: by the task that made it, which is the order of keys, then by number."""
    return tuple(sorted(dict.fromkeys(data), key=lambda number: (book.data[number].origin, number)))


def expose(book: Book, task: Task, op: Expose) -> None:
    """Publish a datum; whoever waits for the name has one less to wait for.

    Raises:
        OwnershipError: it is not the task's.
    """
    found = book.data.get(op.datum)
    if found is None or found.owner != task.number:
        raise OwnershipError(f"expose: what is to be exposed as {op.name!r} is not yours; copy or register it first.")
    found.name = found.name or op.name
    task.exposures[op.name] = op.datum
    for number in list(task.waiters):
        other = book.tasks[number]
        wait = other.wait
        if wait is not None and isinstance(wait.what, Access) and wait.what.name == op.name:
            waits.met(book, other, task.number, "exposed")


def exposed(book: Book, task: Task) -> dict[str, int]:
    """What is shown to a task: names, and the number of the set of data under each."""
    sets: dict[str, list[int]] = {}
    for one in task.grants:
        sets.setdefault(one.name, []).append(one.data)
    found: dict[str, list[int]] = {}
    for number in task.children:
        for name, datum in book.tasks[number].exposures.items():
            found.setdefault(name, []).append(datum)
    for name, data in found.items():
        sets.setdefault(name, []).append(book.set_number(_ordered(book, data)))
    return {name: _merged(book, tuple(dict.fromkeys(numbers))) for name, numbers in sets.items()}


def _merged(book: Book, numbers: tuple[int, ...]) -> int:
    if len(numbers) == 1:
        return numbers[0]
    known = book.merged.get(numbers)
    if known is None:
        every = [datum for number in numbers for datum in book.sets[number]]
        known = book.merged[numbers] = book.set_number(_ordered(book, every))
    return known


def access(book: Book, task: Task, op: Access, asked: OpId) -> Wait | int | None:
    """The set of data under a name; a wait, while some may still give it; None: what the asker has itself is meant.

    Raises:
        UsageError: nobody can ever give it.
    """
    givers = _givers(book, task, op.name)
    is_linked = any(number in task.children for number in givers)
    if givers and (is_linked or not op.is_here):
        return Wait(WaitKind.ACCESS, asked, op, book.length, dict.fromkeys(givers))
    return accessed(book, task, op)


def accessed(book: Book, task: Task, op: Access) -> int | None:
    """The set of data under a name as things stand.

    Raises:
        UsageError: there is none, and nobody can give it any more.
    """
    shown = exposed(book, task)
    if op.name in shown:
        return shown[op.name]
    if op.is_here:
        return None
    if op.name in book.pool:
        return book.set_number((book.pool[op.name],))
    others = [
        book.tasks[number].exposures[op.name]
        for definition in book.definitions.values()
        if op.name in definition.exposes and definition.name != task.definition
        for number in definition.tasks
        if op.name in book.tasks[number].exposures
    ]
    if others:
        return book.set_number(_ordered(book, others))
    names = {*shown, *book.pool, *(name for one in book.definitions.values() for name in one.exposes)}
    why = _ended_without(book, task, op.name) or nearest(op.name, names)
    raise UsageError(f"Nobody gives {op.name!r} in this run, and nobody can any more; {why}.")


def _ended_without(book: Book, task: Task, name: str) -> str:
    """Who declares a name that no instance can give any more, and why it does not; "" where nobody does."""
    declared = [one for one in book.definitions.values() if name in one.exposes]
    others = [one for one in declared if one.name != task.definition]
    begun = [one.name for one in others if one.tasks]
    if begun:
        verbs = "declare it and have" if len(begun) > 1 else "declares it and has"
        has_released = any(book.tasks[number].definition in begun for number in task.batons)
        return f"{listed(begun)} {verbs} {'released or ended' if has_released else 'ended'} without giving it"
    if others:
        verbs = "declare it, and none of them was" if len(others) > 1 else "declares it and was not"
        return f"{listed([one.name for one in others])} {verbs} started; datter.task(...) starts it"
    return f"{task.definition} itself declares it, and an instance asks no other of its kind" if declared else ""


def _givers(book: Book, task: Task, name: str) -> list[int]:
    """Who may still give a name: of the linked tasks, when some of them declare it, else of all other definitions.

    Not those who have released to the asker: they can go on only when it releases.
    """
    declared = {one.name for one in book.definitions.values() if name in one.exposes and one.name != task.definition}
    linked = [number for number in task.children if book.tasks[number].definition in declared]
    every = linked or [number for one in declared for number in book.definitions[one].tasks]
    return [
        number
        for number in sorted(every)
        if not (book.tasks[number].has_ended or name in book.tasks[number].exposures or number in task.batons)
    ]
