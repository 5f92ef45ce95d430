"""What a failure of the database means to a client."""

import asyncpg

from muster.kit.errors import AppError, BadInput, Unavailable

RETRIABLE = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""The transaction was the victim of another; run whole again it will succeed."""

_UNREADABLE = (asyncpg.DataError, asyncpg.exceptions.UntranslatableCharacterError)
_BUSY = (
    *RETRIABLE,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.TooManyConnectionsError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
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
    if isinstance(error, _BUSY):
        return Unavailable("The database cannot answer right now; try again in a moment.")
    return None
