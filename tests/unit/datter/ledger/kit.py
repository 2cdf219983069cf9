"""What the ledger's tests share: a run of definitions and instances, asked in plain words."""

from __future__ import annotations

from typing import Any

from plotter2.datter.ledger import Book, Ledger, TaskState
from plotter2.datter.ledger.ops import ROOT, Answer, Begin, Define, Entry, Instance, Op, OpId
from plotter2.errors import BY_CODE

SECRET = b"secret"


class Run:
    """A ledger, its journal, and the answers that came so far."""

    def __init__(self, **linked: str) -> None:
        """Definitions by name, each with those that it is linked to; all expose `x` and `own_<name>`."""
        self.journal: list[Entry] = []
        self.ledger = Ledger(SECRET, self.journal.append)
        self.answers: dict[OpId, Answer] = {}
        self.ready: list[int] = []
        self._asked: dict[int, int] = {}
        for name, others in linked.items():
            self.do(ROOT, Define(name, (f"{name}.py",), ("x", f"own_{name}"), tuple(others.split())))

    @property
    def book(self) -> Book:
        return self.ledger.book

    def do(self, task: int, op: Op) -> OpId:
        """Ask; the answer is in `answers` when it has come."""
        self._asked[task] = self._asked.get(task, 0) + 1
        epoch = self.book.tasks[task].epoch if task != ROOT else 1
        asked = OpId(task, epoch, self._asked[task])
        self.apply(asked, op)
        return asked

    def apply(self, asked: OpId, op: Op) -> None:
        turn = self.ledger.apply(asked, op)
        self.answers.update((told.op, told.answer) for told in turn.told)
        self.ready += turn.ready

    def ask(self, task: int, op: Op) -> Any:
        """Ask what is answered at once."""
        answer = self.answers[self.do(task, op)]
        if answer.code:
            raise BY_CODE[answer.code](answer.message)
        return answer.value

    def begin(self, name: str, count: int = 1, *, is_held: bool = False) -> list[int]:
        made: list[int] = self.ask(ROOT, Begin(name, tuple(Instance(f"k{n}") for n in range(count)), is_held))
        return made

    def states(self, *tasks: int) -> list[str]:
        return [str(self.book.tasks[one].state) for one in tasks]

    def replayed(self) -> Book:
        return Ledger.replayed(self.journal, SECRET).book


def check(book: Book) -> None:
    """Everything that must hold after every op, whatever it was."""
    for number, datum in book.data.items():
        holders = [one.number for one in book.tasks.values() if number in one.owned]
        assert holders == ([datum.owner] if datum.owner else []), "one owner or none"
        assert not datum.owner or not book.tasks[datum.owner].has_ended
        for place, loan in enumerate(datum.loans):
            assert number in book.tasks[loan.lender].lent
            assert number in book.tasks[loan.borrower].borrowed
            assert place == 0 or datum.loans[place - 1].borrower == loan.lender, "who lends on has borrowed"
        assert not datum.loans or datum.loans[-1].borrower == datum.owner
    for one in book.tasks.values():
        assert all(any(loan.lender == one.number for loan in book.data[number].loans) for number in one.lent)
        assert all(any(loan.borrower == one.number for loan in book.data[number].loans) for number in one.borrowed)
        assert (one.number in book.suspended) == (one.state is TaskState.SUSPENDED)
        assert one.wait is None or one.wait.left, "a wait that is over is answered in the same op"
        waiting = {other.number for other in book.tasks.values() if other.wait and one.number in other.wait.left}
        assert waiting == set(one.waiters)
        assert not waiting or not one.has_ended
        assert one.owners == sorted(one.owners)
        assert all(one.number in book.tasks[owner].children for owner in one.owners)
    runnable = [one for one in book.tasks.values() if one.state in {TaskState.READY, TaskState.RUNNING}]
    assert book.runnable == len(runnable)
    assert runnable or not book.suspended, "somebody can always go on"
    for definition in book.definitions.values():
        left = [book.tasks[number] for number in definition.tasks if not book.tasks[number].has_ended]
        assert definition.unfinished == len(left)
        assert definition.fresh == sum(not one.has_waited for one in left)
        assert set(definition.held) == {one.number for one in left if one.state is TaskState.HELD}
