"""How a stream really ended, for those who write to it.

When the other side ends a call while a message is being written to it, grpc.aio first learns the true status and then
replaces it by "Internal error from Core", because the write failed. This keeps the true one. When the connection
breaks, the failed write may be all that is ever learnt: then the other side is unreachable.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

import grpc

from plotter2.errors import Plotter2Error, UnreachableError
from plotter2.rpc.status import error_of

T = TypeVar("T")
_MADE_UP = "Internal error from Core"


class Ending:
    """Watches one call from its beginning."""

    def __init__(self, call: Any) -> None:
        self._failed: grpc.aio.AioRpcError | None = None
        call.add_done_callback(self._note)

    def error(self, address: str = "") -> Plotter2Error | None:
        """Why the call failed; None while it has not."""
        if self._failed is None:
            return None
        if _is_made_up(self._failed):
            return UnreachableError(f"The connection to {address or 'the other side'} broke while it was written to.")
        return error_of(self._failed, address)

    def _note(self, call: Any) -> None:
        code = _now(call.code())
        if code is not grpc.StatusCode.OK and (self._failed is None or _is_made_up(self._failed)):
            self._failed = grpc.aio.AioRpcError(
                code, _now(call.initial_metadata()), _now(call.trailing_metadata()), _now(call.details()), ""
            )


def _is_made_up(failed: grpc.aio.AioRpcError) -> bool:
    return failed.code() is grpc.StatusCode.INTERNAL and failed.details() == _MADE_UP


def _now(asked: Coroutine[Any, Any, T]) -> T:
    """The answer of a coroutine that has nothing to wait for, because the call is done."""
    try:
        asked.send(None)
    except StopIteration as answer:
        return answer.value  # type: ignore[no-any-return] # StopIteration is not generic
    asked.close()
    raise RuntimeError("A call that is done has no status.")
