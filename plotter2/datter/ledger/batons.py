"""Links and turns: link, release, collect, and the end of a task (rules R5, R7, R8, R10; pure).

Between a task and each owner there is one baton: who holds it may go on. The task holds it when it starts, gives it to
the owner by releasing, and gets it back when the owner releases or ends.
"""

from __future__ import annotations

from bisect import insort

from plotter2.datter.ledger import holding, transfer, waits
from plotter2.datter.ledger.ops import Answer, Collect, End, Islinked, Link, OpId, Release
from plotter2.datter.ledger.state import FAILURES, Book, Task, TaskState, Wait, WaitKind
from plotter2.errors import CollectError, UsageError

RETURNED, ENDED, RELEASED = "returned", "ended", "released"
NAMED_MAX = 5
ERROR_CHARS = 200


def known(book: Book, number: int) -> Task:
    """A task by its number.

    Raises:
        UsageError: there is none.
    """
    found = book.tasks.get(number)
    if found is None:
        raise UsageError(f"There is no task {number} in this run.")
    return found


def link(book: Book, op: Link) -> None:
    """Link each owner to each task; what is linked already stays as it is.

    Raises:
        UsageError: one of them is unknown, or would be linked to itself.
    """
    owners = [known(book, number) for number in dict.fromkeys(op.owners)]
    tasks = [known(book, number) for number in dict.fromkeys(op.tasks)]
    both = set(op.owners) & set(op.tasks)
    if both:
        raise UsageError(f"link: {book.tasks[min(both)].called} cannot be linked to itself.")
    for owner in owners:
        for task in tasks:
            if task.number not in owner.children:
                owner.children[task.number] = None
                insort(task.owners, owner.number)


def islinked(book: Book, op: Islinked) -> list[int]:
    """Who linked a task, in the order in which all tasks were made: the same order for each of them (R5)."""
    return list(known(book, op.task).owners)


def release(book: Book, task: Task, op: Release, asked: OpId) -> Wait | dict[int, str]:
    """Give execution back: first to the tasks whose turn was over, then to the owners; wait for these."""
    _hand_back(book, task, RETURNED)
    owners = list(task.handed) or list(task.owners)
    task.handed.clear()
    outcomes = {number: ENDED for number in owners if book.tasks[number].has_ended}
    left = [number for number in owners if number not in outcomes]
    for number in left:
        owner = book.tasks[number]
        owner.batons[task.number] = None
        if owner.wait is not None and owner.wait.kind is WaitKind.COLLECT:
            waits.met(book, owner, task.number, RELEASED)
    if not left:
        return outcomes
    return Wait(WaitKind.RELEASE, asked, op, book.length, dict.fromkeys(left), outcomes)


def _hand_back(book: Book, task: Task, how: str) -> None:
    """Return every baton that a task holds of those that it linked, and what they lent it."""
    children, task.batons = list(task.batons), {}
    for number in children:
        child = book.tasks[number]
        if child.wait is not None and child.wait.kind is WaitKind.RELEASE and task.number in child.wait.left:
            transfer.close_lent(book, child, task.number)
            waits.met(book, child, task.number, how)


def collect(book: Book, task: Task, op: Collect, asked: OpId) -> Wait | Answer:
    """Wait until each task has released to this one or ended.

    Raises:
        UsageError: one of them is unknown, or is the task itself.
    """
    tasks = [known(book, number) for number in op.tasks]
    if task.number in op.tasks:
        raise UsageError("collect: a task cannot wait for itself.")
    left = dict.fromkeys(one.number for one in tasks if not one.has_ended and one.number not in task.batons)
    if not left:
        return collected(book, task, op)
    return Wait(WaitKind.COLLECT, asked, op, book.length, left)


def collected(book: Book, task: Task, op: Collect) -> Answer:
    """How each task that was waited for has settled; an error, when one has failed and that matters."""
    found: dict[str, list[int]] = {"released": [], "done": [], "gaveup": [], "failed": []}
    for number in op.tasks:
        one = book.tasks[number]
        place = "released" if number in task.batons else "failed" if one.state in FAILURES else str(one.state)
        found.setdefault(place, []).append(number)
    if not found["failed"] or not op.is_strict:
        return Answer(found)
    failed = [book.tasks[number] for number in found["failed"]]
    said = "; ".join(f"{one.called}: {_first_line(one.error) or one.state}" for one in failed[:NAMED_MAX])
    more = f"; and {len(failed) - NAMED_MAX:,} more" if len(failed) > NAMED_MAX else ""
    message = f"{len(failed):,} of {len(op.tasks):,} tasks that were waited for failed: {said}{more}."
    return Answer(found, CollectError.code, message)


def _first_line(error: str) -> str:
    """The sentence that an error begins with, without its stop."""
    lines = error.strip().splitlines()
    return lines[0][:ERROR_CHARS].rstrip(".") if lines else ""


def end(book: Book, task: Task, op: End) -> None:
    """A task has ended: loans go back, batons too, and whoever waits for it is told (R10).

    Raises:
        UsageError: that is no way to end.
    """
    try:
        state = TaskState(op.state)
    except ValueError:
        raise UsageError(f"A task cannot end as {op.state!r}.") from None
    waits.dropped(book, task)
    book.met.pop(task.number, None)
    task.wait = None
    book.step(task, state)
    task.error = op.error
    transfer.end_ownership(book, task)
    _hand_back(book, task, ENDED)
    for number in task.owners:
        book.tasks[number].batons.pop(task.number, None)
    for number in list(task.waiters):
        waits.met(book, book.tasks[number], task.number, ENDED)
    holding.has_ended(book, task)
    task.asked.clear()
