"""Ownership: one owner a datum or the pool, transfers with keys, loans that always come back (rule R6; pure).

A loan is closed by its return, by the end of its borrower, or by force when the lender's release is over. Loans of one
datum lie on each other: closing one closes those above it. What was lent by a task that has ended goes to the pool.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from hashlib import blake2b

from plotter2.datter.ledger.exposures import grant
from plotter2.datter.ledger.ops import Claim, Deregister, Handin, Register, Share, Unlock
from plotter2.datter.ledger.state import POOL, Book, Datum, Loan, Task
from plotter2.errors import OwnershipError

KEY_BYTES = 16
LISTED_MAX = 3


def datum(book: Book, number: int) -> Datum:
    """A datum by its number.

    Raises:
        OwnershipError: there is none.
    """
    found = book.data.get(number)
    if found is None:
        raise OwnershipError(f"There is no data with the number {number} in this run.")
    return found


def register(book: Book, task: Task, op: Register) -> int:
    """A new datum of a task."""
    number = len(book.data) + 1
    book.data[number] = Datum(
        number, op.name, op.ref, task.number, task.number, lineage=op.lineage, label=op.label, place=op.place
    )
    task.owned[number] = None
    return number


def claim(book: Book, task: Task, op: Claim) -> None:
    """Data of the pool becomes a task's own.

    Raises:
        OwnershipError: somebody owns it.
    """
    found = datum(book, op.datum)
    if found.owner != POOL:
        whose = "yours already" if found.owner == task.number else f"{book.tasks[found.owner].called}'s"
        raise OwnershipError(f"register: {_named(found)} is {whose}; only data of the pool can be registered.")
    found.origin = task.number
    _pass(book, found, task.number)
    for name in [name for name, number in book.pool.items() if number == op.datum]:
        del book.pool[name]


def deregister(book: Book, task: Task, op: Deregister) -> None:
    """A task's own data goes to the pool, where everybody finds it by name.

    Raises:
        OwnershipError: it is not the task's, or only on loan.
    """
    found = _own(book, task, op.datum, "handoff" if op.name else "deregister")
    if found.loans:
        lender = book.tasks[found.loans[-1].lender].called
        raise OwnershipError(f"deregister: {_named(found)} is on loan from {lender}; hand it in to whom it belongs.")
    found.name = op.name or found.name
    _pass(book, found, POOL)
    book.pool[found.name] = found.number


def handin(book: Book, task: Task, op: Handin) -> list[str]:
    """Data goes to other tasks: back to who made it or lent it, else as a loan; all of it is shown to all of them.

    Raises:
        OwnershipError: it is not the task's to give, or nobody could own it there.
    """
    found = [_own(book, task, number, "handin") for number in dict.fromkeys(op.data)]
    to = recipients(book, task, op.to, "handin")
    heirs = [_heir(book, one, to) for one in found]
    for one, heir in zip(found, heirs, strict=True):
        _give(book, task, one, heir)
    _show(book, task, found, to)
    owners = set(task.owners)
    task.handed.update(dict.fromkeys(number for number in to if number in owners))
    return [key_of(book, one) for one in found]


def recipients(book: Book, task: Task, to: Sequence[int], word: str) -> dict[int, None]:
    """Those that data goes to, in order; ten thousand data are looked up among ten thousand tasks.

    Raises:
        OwnershipError: there are none, they are unknown, or the task itself is among them.
    """
    listed = dict.fromkeys(to)
    strange = [number for number in listed if number not in book.tasks]
    if strange or not listed or task.number in listed:
        who = f"no task {strange[0]}" if strange else "nobody" if not listed else "the task itself"
        raise OwnershipError(f"{word} needs other tasks of this run to give to; given is {who}.")
    return listed


def _heir(book: Book, found: Datum, to: Collection[int]) -> int:
    """Who owns a datum after it was given to these.

    The pool, when who it belongs to has ended; who gives it, when the borrower has ended: such a loan is over at once.
    """
    back = next((one for one in (found.origin, *(loan.lender for loan in found.loans)) if one in to), None)
    if back is not None:
        return POOL if book.tasks[back].has_ended else back
    if len(to) > 1:
        raise OwnershipError(
            f"handin: {_named(found)} would go to {len(to):,} tasks, and none of them made it; "
            "give it to one of them, or share it."
        )
    (borrower,) = to
    return found.owner if book.tasks[borrower].has_ended else borrower


def _give(book: Book, task: Task, found: Datum, heir: int) -> None:
    if heir == task.number:
        return
    if heir in (POOL, found.origin):
        close(book, found, 0)
        _pass(book, found, heir)
        return
    place = next((place for place, loan in enumerate(found.loans) if loan.lender == heir), None)
    if place is not None:
        close(book, found, place)
        return
    found.loans.append(Loan(task.number, heir))
    task.lent[found.number] = None
    book.tasks[heir].borrowed[found.number] = None
    _pass(book, found, heir)


def share(book: Book, task: Task, op: Share) -> None:
    """Others may read a task's own data, or no longer.

    Raises:
        OwnershipError: it is not the task's.
    """
    found = [_own(book, task, number, "share") for number in dict.fromkeys(op.data)]
    to = recipients(book, task, op.to, "share")
    if not op.is_revoked:
        _show(book, task, found, to)
        return
    mine = set(op.data)
    for number in to:
        other = book.tasks[number]
        other.grants = [
            one for one in other.grants if one.source != task.number or not mine >= set(book.sets[one.data])
        ]


def close(book: Book, found: Datum, place: int) -> None:
    """Close a loan and those above it; the datum goes back to its lender, or to the pool when that has ended."""
    closed = found.loans[place:]
    if not closed:
        return
    del found.loans[place:]
    for loan in closed:
        book.tasks[loan.borrower].borrowed.pop(found.number, None)
        book.tasks[loan.lender].lent.pop(found.number, None)
    lender = closed[0].lender
    _pass(book, found, POOL if book.tasks[lender].has_ended else lender)


def close_lent(book: Book, lender: Task, borrower: int) -> None:
    """What a task lent another comes back by force."""
    for number in list(lender.lent):
        found = book.data[number]
        place = next((place for place, one in enumerate(found.loans)
                      if (one.lender, one.borrower) == (lender.number, borrower)), None)  # fmt: skip
        if place is not None:
            close(book, found, place)


def end_ownership(book: Book, task: Task) -> None:
    """A task has ended: what it borrowed goes back, what it owns goes to nobody."""
    for number in list(task.borrowed):
        found = book.data[number]
        close(book, found, next(place for place, one in enumerate(found.loans) if one.borrower == task.number))
    for number in list(task.owned):
        _pass(book, book.data[number], POOL)


def key_of(book: Book, found: Datum) -> str:
    """The transfer key of a datum as it stands: 128 bits that only the ledger can make, after number and version."""
    said = f"{found.number:x}.{found.version:x}"
    return f"{said}.{blake2b(said.encode(), key=book.secret[:64], digest_size=KEY_BYTES).hexdigest()}"


def unlock(book: Book, op: Unlock) -> int:
    """The datum of a transfer key.

    Raises:
        OwnershipError: it is no key, or the datum has been passed on since.
    """
    number = op.key.partition(".")[0]
    found = book.data.get(int(number, 16)) if all(char in "0123456789abcdef" for char in number) and number else None
    if found is None or key_of(book, found) != op.key:
        raise OwnershipError(
            "This transfer key opens nothing; every transfer gives a new key, and the old one is void."
        )
    return found.number


def _own(book: Book, task: Task, number: int, word: str) -> Datum:
    found = datum(book, number)
    if found.owner != task.number:
        owner = "nobody's; register it first" if found.owner == POOL else f"{book.tasks[found.owner].called}'s"
        raise OwnershipError(f"{word}: {_named(found)} is not yours, it is {owner}.")
    return found


def _pass(book: Book, found: Datum, owner: int) -> None:
    if found.owner == owner:
        return
    if found.owner != POOL:
        del book.tasks[found.owner].owned[found.number]
    if owner != POOL:
        book.tasks[owner].owned[found.number] = None
    found.owner = owner
    found.version += 1


def _show(book: Book, task: Task, found: list[Datum], to: Collection[int]) -> None:
    names: dict[str, list[int]] = {}
    for one in found:
        names.setdefault(one.name, []).append(one.number)
    for name, numbers in names.items():
        grant(book, task.number, name, numbers, to)


def _named(found: Datum) -> str:
    return repr(found.name) if found.name else f"data {found.number}"
