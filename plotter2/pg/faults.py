"""What a failure of the database means to us: away for now (try the same again), or refused (trying again is useless).

Owns the translation and nothing else. The driver's error always stays attached as the cause.
"""

from __future__ import annotations

import asyncpg

from plotter2.errors import ConflictError, FailedError, Plotter2Error, UnreachableError

AWAY = (
    OSError,  # refused, reset, no such socket; TimeoutError is one of them
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, crashed, starting up
    asyncpg.InsufficientResourcesError,  # disk full, too many connections: room may come
    asyncpg.TransactionRollbackError,  # deadlock, serialisation
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby, before it is promoted
)
KNOWN = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


def translate(wrong: Exception, where: str, *, is_closed: bool) -> Plotter2Error:
    """Our error for one of `KNOWN`; `is_closed`: whether the connection it happened on is gone."""
    if is_closed or isinstance(wrong, AWAY):
        return UnreachableError(f"The database {where} does not answer: {_say(wrong)}.")
    if isinstance(wrong, asyncpg.IntegrityConstraintViolationError):
        return ConflictError(f"The database {where} holds something else there already: {_say(wrong)}.")
    return FailedError(f"The database {where} refused: {_say(wrong)}.")


def _say(wrong: Exception) -> str:
    text = " ".join(str(wrong).split()) or type(wrong).__name__
    detail = getattr(wrong, "detail", None)
    return (f"{text} ({detail})" if detail else text).rstrip(".")
