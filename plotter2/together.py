"""What waits is done together: while one portion is worked on, the next one gathers.

As the loop's group commit does for rows, so this does for files: under load one sync serves many, and with nothing to
wait for, one alone is done at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Spawn = Callable[[Coroutine[Any, Any, None], str], object]
PORTION_MAX = 256


class Together(Generic[T]):
    """A queue that is emptied by portions, one at a time, in order."""

    def __init__(self, spawn: Spawn, name: str, work: Callable[[Sequence[T]], Coroutine[Any, Any, None]]) -> None:
        """`work` does one portion of at most `PORTION_MAX`; `spawn` runs a coroutine under a name."""
        self._spawn = spawn
        self._name = name
        self._work = work
        self._waiting: deque[T] = deque()
        self._is_busy = False

    def put(self, one: T) -> None:
        """Have it done; returns at once."""
        self._waiting.append(one)
        if not self._is_busy:
            self._is_busy = True
            self._spawn(self._run(), self._name)

    async def _run(self) -> None:
        try:
            while self._waiting:
                count = min(len(self._waiting), PORTION_MAX)
                await self._work([self._waiting.popleft() for _ in range(count)])
        finally:
            self._is_busy = False
