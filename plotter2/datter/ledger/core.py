"""The ledger's door: one op in, answers and tasks to start out; a journal that gives the same ledger again (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import Any

import msgspec

from plotter2.datter.ledger import batons, exposures, holding, transfer, waits
from plotter2.datter.ledger.ops import (
    ROOT,
    Access,
    Answer,
    Begin,
    Claim,
    Collect,
    Define,
    Deregister,
    Described,
    End,
    Entry,
    Expose,
    Exposed,
    Gather,
    Handin,
    Islinked,
    Link,
    Lying,
    Op,
    OpId,
    Register,
    Release,
    Restart,
    Share,
    Sweep,
    Told,
    Turn,
    Unlock,
)  # fmt: skip
from plotter2.datter.ledger.state import Asked, Book, Task, TaskState, Wait, WaitKind
from plotter2.errors import ConflictError, DivergenceError, Plotter2Error, UsageError

TEXT_MAX = 200


class Ledger:
    """All tasks and data of one run. One writer; `apply` is the only way in."""

    def __init__(self, secret: bytes = b"", journal: Callable[[Entry], None] | None = None) -> None:
        """Begin empty.

        Args:
            secret: what transfer keys are made with; at most 64 bytes of it count.
            journal: gets each op that changes the ledger, before its answer is given.
        """
        self.book = Book(secret)
        self._journal = journal

    @classmethod
    def replayed(cls, entries: Iterable[Entry], secret: bytes = b"") -> Ledger:
        """The ledger that a journal leads to."""
        ledger = cls(secret)
        for entry in entries:
            ledger.apply(entry.op, entry.what)
        return ledger

    @property
    def is_over(self) -> bool:
        """Whether every task has ended."""
        return all(not one.unfinished for one in self.book.definitions.values())

    @property
    def has_circle(self) -> bool:
        """Whether some who wait, wait for each other: whether a `Sweep` would find anything."""
        return waits.has_circle(self.book)

    def data_of(self, number: int) -> tuple[int, ...]:
        """The data in a set, in their stable order."""
        return self.book.sets[number]

    def opened(self, number: int) -> list[Lying]:
        """What a set holds: each datum's name and where its value lies.

        Raises:
            UsageError: there is no such set.
        """
        if not 0 <= number < len(self.book.sets):
            raise UsageError(f"There is no set {number} of data in this run.")
        return self.lying(self.book.sets[number])

    def lying(self, data: Iterable[int]) -> list[Lying]:
        """Where data lies.

        Raises:
            OwnershipError: there is none of such a number.
        """
        found = (transfer.datum(self.book, number) for number in data)
        return [Lying(one.number, one.name, one.label, one.place, one.ref) for one in found]

    def described(self, tasks: Iterable[int]) -> list[Described]:
        """What is known of tasks.

        Raises:
            UsageError: there is none of such a number.
        """
        found = (batons.known(self.book, number) for number in tasks)
        return [Described(one.definition, one.label, one.keys) for one in found]

    def apply(self, asked: OpId, what: Op) -> Turn:
        """Do one op. Its own answer is in the turn, unless it waits.

        An op that was asked before, in this attempt or an earlier one, gets the answer it got then.
        """
        book = self.book
        book.turn = Turn()
        try:
            known = self._known(asked, what)
        except Plotter2Error as wrong:
            book.turn.told.append(Told(asked, Answer(None, wrong.code, wrong.message)))
            return book.turn
        if not known:
            self._note(asked, what)
            self._do(asked, what)
        return book.turn

    def _note(self, asked: OpId, what: Op) -> None:
        self.book.length += 1
        if self._journal is not None:
            self._journal(Entry(asked, what))

    def _known(self, asked: OpId, what: Op) -> bool:
        """Whether it was asked before; its answer is told again, or its wait goes on under the new attempt."""
        book = self.book
        if asked.task == ROOT:
            found = book.roots.get(asked.seq)
        else:
            task = batons.known(book, asked.task)
            if asked.epoch != task.epoch and not isinstance(what, Restart):
                raise ConflictError(f"{task.called} is in its attempt {task.epoch}; {asked.epoch} is over.")
            if isinstance(what, End | Restart):
                return False
            if task.has_ended:
                raise ConflictError(f"{task.called} has ended and can ask nothing more.")
            found = task.asked.get(asked.seq)
        if found is None:
            return False
        if found.what != what:
            raise DivergenceError(
                f"Op {asked.seq} is not what was recorded: a task that is run again must do the same again.\n"
                + _difference(found.what, what)
            )
        if found.answer is not None:
            book.turn.told.append(Told(asked, found.answer))
        else:
            self._go_on_waiting(batons.known(book, asked.task), asked)
        return True

    def _go_on_waiting(self, task: Task, asked: OpId) -> None:
        if task.wait is not None and task.state is not TaskState.SUSPENDED:
            self._note(asked, task.wait.what)
            task.wait.op = asked
            self._run(task)
            self.book.step(task, TaskState.SUSPENDED)
            waits.check(self.book)

    def _do(self, asked: OpId, what: Op) -> None:
        book = self.book
        found = Asked(what)
        try:
            if asked.task == ROOT:
                book.roots[asked.seq] = found
                result = _of_book(book, what, _OF_ROOT)
            else:
                task = book.tasks[asked.task]
                if not isinstance(what, End | Restart):
                    self._run(task)
                    task.asked[asked.seq] = found
                result = _asked(book, task, asked, what)
        except Plotter2Error as wrong:
            result = Answer(None, wrong.code, wrong.message)
        if isinstance(result, Wait):
            waits.suspend(book, book.tasks[asked.task], result)
        else:
            found.answer = result if isinstance(result, Answer) else Answer(result)
            book.turn.told.append(Told(asked, found.answer))
        self._settle()

    def _run(self, task: Task) -> None:
        if task.state is TaskState.READY:
            self.book.step(task, TaskState.RUNNING)

    def _settle(self) -> None:
        """Answer every wait that is over; then see whether anything can go on."""
        book = self.book
        while True:
            while book.met:
                number = next(iter(book.met))
                del book.met[number]
                task = book.tasks[number]
                if task.wait is not None:
                    book.answer(task, task.wait, self._finished(task, task.wait))
            waits.check(book)
            if not book.met:
                return

    def _finished(self, task: Task, wait: Wait) -> Answer:
        try:
            if wait.kind is WaitKind.RELEASE:
                return Answer(dict(sorted(wait.outcomes.items())))
            if isinstance(wait.what, Collect):
                return batons.collected(self.book, task, wait.what)
            if isinstance(wait.what, Access):
                return Answer(exposures.accessed(self.book, task, wait.what))
        except Plotter2Error as wrong:
            return Answer(None, wrong.code, wrong.message)
        raise UsageError(f"{task.called} waits in {wait.kind} for what nobody can wait for.")


def _asked(book: Book, task: Task, asked: OpId, what: Op) -> Any:
    kind = type(what)
    if kind in _WAITING:
        return _WAITING[kind](book, task, what, asked)
    if kind in _OF_TASK:
        return _OF_TASK[kind](book, task, what)
    return _of_book(book, what, _OF_BOOK)


def _of_book(book: Book, what: Op, table: dict[type, Callable[[Book, Any], Any]]) -> Any:
    if type(what) not in table:
        raise UsageError(f"{_short(what)} cannot be asked by this one.")
    return table[type(what)](book, what)


def _exposed(book: Book, task: Task, _: Exposed) -> dict[str, int]:
    return exposures.exposed(book, task)


def _restarted(book: Book, task: Task, _: Restart) -> None:
    task.epoch += 1
    if task.state is not TaskState.READY:
        book.step(task, TaskState.READY)
    book.turn.ready.append(task.number)


def _swept(book: Book, _: Sweep) -> int:
    return waits.sweep(book)


_OF_ROOT: dict[type, Callable[[Book, Any], Any]] = {
    Define: holding.define, Begin: holding.begin, Sweep: _swept,
}  # fmt: skip
_OF_BOOK: dict[type, Callable[[Book, Any], Any]] = {
    Begin: holding.begin, Gather: holding.gather, Link: batons.link, Islinked: batons.islinked,
    Unlock: transfer.unlock,
}  # fmt: skip
_OF_TASK: dict[type, Callable[[Book, Task, Any], Any]] = {
    Register: transfer.register, Claim: transfer.claim, Deregister: transfer.deregister, Handin: transfer.handin,
    Share: transfer.share, Expose: exposures.expose, Exposed: _exposed, End: batons.end, Restart: _restarted,
}  # fmt: skip
_WAITING: dict[type, Callable[[Book, Task, Any, OpId], Any]] = {
    Release: batons.release, Collect: batons.collect, Access: exposures.access,
}  # fmt: skip


def _difference(recorded: Op, came: Op) -> str:
    """What was recorded (-) against what came (+); of two ops of one kind the fields in which they differ."""
    before, now = msgspec.to_builtins(recorded), msgspec.to_builtins(came)
    if before["op"] == now["op"]:
        names = [name for name in before.keys() | now.keys() if name == "op" or before.get(name) != now.get(name)]
        before, now = ({name: one[name] for name in one if name in names} for one in (before, now))
    texts = [msgspec.json.encode(one).decode() for one in (before, now)]
    same = sum(1 for _ in takewhile(lambda both: both[0] == both[1], zip(*texts, strict=False)))
    start = max(0, same - TEXT_MAX // 2) if max(map(len, texts)) > TEXT_MAX else 0
    dots = "..." if start else ""
    return "\n".join(f"{sign} {dots}{_cut(text[start:])}" for sign, text in zip("-+", texts, strict=True))


def _short(what: Op) -> str:
    return _cut(msgspec.json.encode(what).decode())


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}..."
