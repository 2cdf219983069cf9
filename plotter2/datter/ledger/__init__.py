"""The ledger: who owns which data, who waits for whom, of all instances of one run (rules R1 to R12; pure).

One writer applies ops, one after the other; every answer follows from the ops before it, so a journal of them gives
the same ledger again. Holds no values, opens no file, reads no clock. `Ledger` is the door.
"""

from __future__ import annotations

from plotter2.datter.ledger.core import Ledger
from plotter2.datter.ledger.state import Book, Datum, Loan, Task, TaskState

__all__ = ["Book", "Datum", "Ledger", "Loan", "Task", "TaskState"]
