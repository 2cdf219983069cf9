"""The ledger's door: one op in, answers and tasks to start out; a journal that gives the same ledger again (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from plotter2.datter.ledger import batons, exposures, holding, transfer, waits
from plotter2.datter.ledger.state import Asked, Book, Task, TaskState, Wait, WaitKind
from plotter2.datter.ops import (
    ROOT, Access, Answer, Begin, Claim, Collect, Define, Deregister, End, Entry, Expose, Exposed, Gather, Handin,
    Islinked, Link, Op, OpId, Register, Release, Restart, Share, Sweep, Told, Turn, Unlock,
)  # fmt: skip
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

    def data_of(self, number: int) -> tuple[int, ...]:
        """The data in a set, in their stable order."""
        return self.book.sets[number]

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
                f"Op {asked.seq} was {_short(found.what)} before, and is {_short(what)} now: "
                "a task that is run again must do the same again."
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
                result = self._root(what)
            else:
                task = book.tasks[asked.task]
                if not isinstance(what, End | Restart):
                    self._run(task)
                    task.asked[asked.seq] = found
                result = self._asked(task, asked, what)
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

    def _root(self, what: Op) -> Any:
        book = self.book
        if isinstance(what, Define):
            return holding.define(book, what)
        if isinstance(what, Begin):
            return holding.begin(book, what)
        if isinstance(what, Sweep):
            return waits.sweep(book)
        raise UsageError(f"{_short(what)} is for a task to ask.")

    def _asked(self, task: Task, asked: OpId, what: Op) -> Any:
        book = self.book
        match what:
            case Release():
                return batons.release(book, task, what, asked)
            case Collect():
                return batons.collect(book, task, what, asked)
            case Access():
                return exposures.access(book, task, what, asked)
            case End():
                return batons.end(book, task, what)
            case Restart():
                return self._restarted(task)
            case Begin():
                return holding.begin(book, what)
            case Gather():
                return holding.gather(book, what)
            case Link():
                return batons.link(book, what)
            case Islinked():
                return batons.islinked(book, what)
            case Exposed():
                return exposures.exposed(book, task)
            case Unlock():
                return transfer.unlock(book, what)
            case _:
                return _CHANGES[type(what)](book, task, what) if type(what) in _CHANGES else self._root(what)

    def _restarted(self, task: Task) -> None:
        task.epoch += 1
        if task.state is not TaskState.READY:
            self.book.step(task, TaskState.READY)
        self.book.turn.ready.append(task.number)


_CHANGES: dict[type, Callable[[Book, Task, Any], Any]] = {
    Register: transfer.register, Claim: transfer.claim, Deregister: transfer.deregister, Handin: transfer.handin,
    Share: transfer.share, Expose: exposures.expose,
}  # fmt: skip


def _short(what: Op) -> str:
    text = msgspec.json.encode(what).decode()
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}..."
