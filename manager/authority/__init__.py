"""The authority over linked trees of instances: what they ask, what becomes of their runs (rules R1 to R12; pure).

The ledger of each tree decides; here its answers become runs that wait, start and go on. Whatever a ledger was asked is
in its journal in the same transaction as what follows from it, and nobody is told before that is written.
"""

from __future__ import annotations

from manager.authority.answering import asked, started
from manager.authority.living import (
    cancelled,
    ended,
    instances_of,
    is_held,
    moved,
    regrown,
    shown,
    swept,
    written,
)

__all__ = [
    "asked",
    "cancelled",
    "ended",
    "instances_of",
    "is_held",
    "moved",
    "regrown",
    "shown",
    "started",
    "swept",
    "written",
]
