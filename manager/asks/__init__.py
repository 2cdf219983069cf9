"""What people ask for becomes requests with runs or children, or is refused with a reason (requirements 016 to 021).

Pure. A refused ask is remembered too; a request is written in one transaction with what it causes, and answered after.
One file a family; this is the list of all.
"""

from __future__ import annotations

from manager.asks.bundles import archive, inherit, tag
from manager.asks.calls import calls_added, calls_closed, calls_opened, calls_task_id
from manager.asks.remembered import PLAN_AGAIN, described, key_taken, objected, refuse, refused, repeated, what
from manager.asks.work import cancelled, redo_asked, run

__all__ = [
    "PLAN_AGAIN",
    "archive",
    "calls_added",
    "calls_closed",
    "calls_opened",
    "calls_task_id",
    "cancelled",
    "described",
    "inherit",
    "key_taken",
    "objected",
    "redo_asked",
    "refuse",
    "refused",
    "repeated",
    "run",
    "tag",
    "what",
]
