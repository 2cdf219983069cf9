"""Who waits for whom: waits that are met one after the other, and circles among them (pure).

Every wait is for all of some tasks, so a circle among suspended tasks is exactly a deadlock. An edge goes in the op
that meets it, never later. Circles are looked for when nothing of the run can go on (a count says so), by walking
along the waits; and among those who wait while others still run (Tarjan, SIAM J. Comput. 1(2), 1972) when asked to
sweep. Who closed the circle, the one that waits since last, gets the error.
"""

from __future__ import annotations

from collections.abc import Iterator

from plotter2.datter.ledger.holding import has_waited, wake, want
from plotter2.datter.ledger.ops import Answer
from plotter2.datter.ledger.state import Book, Task, TaskState, Wait
from plotter2.errors import DeadlockError

SHOWN_MAX = 100


def suspend(book: Book, task: Task, wait: Wait) -> None:
    """A task waits."""
    task.wait = wait
    for number in wait.left:
        book.tasks[number].waiters[task.number] = None
    book.step(task, TaskState.SUSPENDED)
    want(book, list(wait.left))
    has_waited(book, task)


def met(book: Book, task: Task, by: int, how: str) -> None:
    """One of those that a task waits for has done what it is waited for."""
    wait = task.wait
    if wait is None or by not in wait.left:
        return
    del wait.left[by]
    book.tasks[by].waiters.pop(task.number, None)
    wait.outcomes[by] = how
    if not wait.left:
        book.met[task.number] = None


def dropped(book: Book, task: Task) -> None:
    """A task waits no longer, whatever for."""
    if task.wait is not None:
        for number in task.wait.left:
            book.tasks[number].waiters.pop(task.number, None)


def check(book: Book) -> None:
    """When nothing of the run can go on, start what is held for no reason, else break the circle that is the reason."""
    while not book.runnable and book.suspended and not book.met and not wake(book):
        break_circle(book, _walked(book))


def _walked(book: Book) -> list[int]:
    number = next(reversed(book.suspended))
    path: dict[int, None] = {}
    while number not in path:
        path[number] = None
        wait = book.tasks[number].wait
        if wait is None or not wait.left:  # pragma: no cover -- a task is suspended exactly while it waits for some
            return list(path)
        number = next(iter(wait.left))
    listed = list(path)
    return listed[listed.index(number) :]


def break_circle(book: Book, circle: list[int]) -> None:
    """The one that waits since last gets the error, with the whole circle in it, and may go on."""
    ats = {number: _wait(book.tasks[number]).at for number in circle}
    loser = max(circle, key=ats.__getitem__)
    start = circle.index(loser)
    turned = circle[start:] + circle[:start]
    said = [f"{book.tasks[number].called} ({_wait(book.tasks[number]).kind})" for number in turned]
    shown = said if len(said) <= SHOWN_MAX else [*said[:SHOWN_MAX], f"{len(said) - SHOWN_MAX:,} more"]
    message = f"These tasks wait for each other: {' -> '.join([*shown, book.tasks[loser].called])}."
    task = book.tasks[loser]
    dropped(book, task)
    book.answer(task, _wait(task), Answer(None, DeadlockError.code, message))


def sweep(book: Book) -> int:
    """Break every circle among those who wait, while others may still run. Gives how many there were."""
    found = [_ring(book, component) for component in _components(book)]
    for ring in found:
        break_circle(book, ring)
    return len(found)


def has_circle(book: Book) -> bool:
    """Whether there is any circle to break."""
    return bool(_components(book))


def _ring(book: Book, component: list[int]) -> list[int]:
    """A circle inside a component that is strongly connected: a walk along the waits within it comes back."""
    inside = set(component)
    number = max(component, key=lambda one: _wait(book.tasks[one]).at)
    path: dict[int, None] = {}
    while number not in path:
        path[number] = None
        number = next(other for other in _wait(book.tasks[number]).left if other in inside)
    listed = list(path)
    return listed[listed.index(number) :]


def _wait(task: Task) -> Wait:
    if task.wait is None:
        raise AssertionError(f"{task.called} waits for nothing")
    return task.wait


def _edges(book: Book, number: int) -> Iterator[int]:
    return (other for other in _wait(book.tasks[number]).left if other in book.suspended)


def _components(book: Book) -> list[list[int]]:
    """Strongly connected components of at least two among the suspended, without recursion."""
    order: dict[int, int] = {}
    low: dict[int, int] = {}
    on: dict[int, None] = {}
    found: list[list[int]] = []
    for root in book.suspended:
        if root in order:
            continue
        work = [(root, _edges(book, root))]
        order[root] = low[root] = len(order)
        on[root] = None
        while work:
            number, edges = work[-1]
            other = next((one for one in edges if one not in order or one in on), None)
            if other is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[number])
                if low[number] == order[number]:
                    found += _closed(on, number)
            elif other in order:
                low[number] = min(low[number], order[other])
            else:
                order[other] = low[other] = len(order)
                on[other] = None
                work.append((other, _edges(book, other)))
    return found


def _closed(on: dict[int, None], number: int) -> list[list[int]]:
    component = []
    while number in on:
        component.append(on.popitem()[0])
    return [component] if len(component) > 1 else []
