"""What a failure of the database means to a client."""

import asyncpg

from muster.kit.errors import AppError, BadInput, Unavailable

RETRIABLE = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""The transaction was the victim of another; run whole again it will succeed."""

_UNREADABLE = (asyncpg.DataError, asyncpg.exceptions.UntranslatableCharacterError)
_OVERDUE = (
    asyncpg.QueryCanceledError,
    asyncpg.TransactionTimeoutError,
    asyncpg.IdleInTransactionSessionTimeoutError,
)
_BUSY = (
    *RETRIABLE,
    asyncpg.TooManyConnectionsError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
    # The driver's word for a statement on a connection that the server has just cut off.
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)


def as_client_error(error: Exception) -> AppError | None:
    """The error to answer with, or None when it is a fault of ours."""
    if isinstance(error, AppError):
        return error
    if isinstance(error, _UNREADABLE):
        return BadInput("A value in the request cannot be stored.")
    if isinstance(error, asyncpg.LockNotAvailableError):
        return Unavailable("Somebody else is changing the same thing for so long; try again in a moment.")
    if isinstance(error, _OVERDUE):
        return Unavailable("This took the database longer than it may; ask for less, or try again in a moment.")
    if isinstance(error, _BUSY):
        return Unavailable("The database cannot answer right now; try again in a moment.")
    return None


def is_away(error: Exception) -> bool:
    """Whether the server is gone, or stands in its own way; another one may answer."""
    return isinstance(error, _BUSY)
