"""The statement that begins a turn, and a small turn whole: its records and rows written in one round trip.

Most turns are a few runs and their requests, and each round trip more is a part of what one task takes. The statement
is put together from the same named queries as the transaction: what begins the turn, and one `put_` a table. Rows are
written only where the head of the log was moved, so a repeat, or a second manager, writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from functools import lru_cache

from manager.store import Batch
from plotter2.pg import Queries

TABLES = frozenset({"turn", "records", "requests", "tasks", "runs", "edges", "trees", "leaves", "lines", "looks"})
"""A batch that has nothing else can be written at once."""
CONFLICT = "\non conflict "
_ARGUMENT = re.compile(r"\$(\d+)")


def is_small(batch: Batch, runs_max: int) -> bool:
    """Whether one statement can write the batch."""
    return (
        len(batch.runs) < runs_max
        and not any(getattr(batch, one.name) for one in fields(batch) if one.name not in TABLES)
        and not any(request.children for request in batch.requests.values())
    )


class AtOnce:
    """Puts statements together, and remembers them: there are as many as sets of tables."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self.statement = lru_cache(maxsize=64)(self._statement)

    def _statement(self, puts: Sequence[str], counts: Sequence[int], head_count: int) -> str:
        """The statement that begins a turn and then does these puts; none for a turn that goes on in a transaction.

        Args:
            puts: names of `put_` queries.
            counts: how many arguments each of them takes.
            head_count: how many the beginning takes; theirs follow.
        """
        parts = [self._queries["turn"]]
        before = head_count
        for name, count in zip(puts, counts, strict=True):
            parts.append(f"{name} as (\n{_shifted(self._guarded(name), before)}\n)")
            before += count
        return "with " + ",\n".join(parts) + "\n" + self._queries["turn_result"]

    def _guarded(self, name: str) -> str:
        head, conflict, tail = self._queries[name].partition(CONFLICT)
        return f"{head}\nwhere exists (select from moved){conflict}{tail}"


def _shifted(text: str, by: int) -> str:
    return _ARGUMENT.sub(lambda found: f"${int(found[1]) + by}", text)
