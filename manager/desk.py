"""Where edges wait for the machine's answers: a token out, a future back.

An answer leaves only after its transaction is committed, because `Answer` is an effect.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable

from manager.events import Event, Token
from plotter2.errors import Plotter2Error, UnreachableError


class Desk:
    """Tokens and those who wait for them."""

    def __init__(self, put: Callable[[Event], Awaitable[None]]) -> None:
        self._put = put
        self._tokens = itertools.count(1)
        self._waiting: dict[Token, asyncio.Future[object]] = {}

    async def ask(self, make: Callable[[Token], Event]) -> object:
        """Hand in the event made with a new token, and wait for its answer.

        Raises:
            Plotter2Error: the machine's answer was one.
        """
        token = next(self._tokens)
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self._waiting[token] = future
        try:
            await self._put(make(token))
            return await future
        finally:
            self._waiting.pop(token, None)

    def answer(self, token: Token, value: object, error: Plotter2Error | None) -> None:
        """Wake who waits for this token; an unknown one means they have left."""
        future = self._waiting.pop(token, None)
        if future is None or future.done():
            return
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)

    def close(self) -> None:
        """The manager is going down: everybody who waits is told to ask again."""
        for token in list(self._waiting):
            self.answer(token, None, UnreachableError("The manager is stopping; ask again in a moment."))
