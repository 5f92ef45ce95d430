"""One error type for every way in: a stable code, an HTTP status, a sentence that is safe to show."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Self

import msgspec


class FieldProblem(msgspec.Struct, frozen=True):
    """What is wrong with one field of the input.

    path: where, as the client wrote it (`startsAt`, `answers[0].text`); empty for the input as a whole.
    """

    path: str
    code: str
    message: str


class AppError(Exception):
    """Base of everything a client may be told.

    Subclasses stand beside the verb that raises them. `commits` keeps what the command wrote (a failed sign-in
    counts), `audited` leaves a row in the audit log although the command failed.
    """

    status = 500
    code = "INTERNAL_SERVER_ERROR"
    title = "Something went wrong"
    commits = False
    audited = False

    def __init__(
        self,
        detail: str | None = None,
        *,
        fields: tuple[FieldProblem, ...] = (),
        headers: dict[str, str] | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        """details: what else a program may want to know, as further members of the problem document."""
        self.detail = detail or (self.__doc__ or self.title).strip().splitlines()[0]
        self.fields = fields
        self.headers = headers or {}
        self.details = details or {}
        super().__init__(self.detail)

    @classmethod
    def field(cls, path: str, message: str, code: str = "INVALID") -> Self:
        """The error for a single field at `path`; an empty path is the input as a whole."""
        return cls(
            f"{path}: {message}" if path else f"The input {message}", fields=(FieldProblem(path, code, message),)
        )


class BadInput(AppError):
    """The request cannot be read."""

    status, code, title = 400, "BAD_USER_INPUT", "The request cannot be read"


class Unauthenticated(AppError):
    """Sign in first."""

    status, code, title = 401, "UNAUTHENTICATED", "Sign in first"


class Denied(AppError):
    """You may not do this."""

    status, code, title = 403, "FORBIDDEN", "Not allowed"
    audited = True


class NotFound(AppError):
    """There is no such thing, or not for you."""

    status, code, title = 404, "NOT_FOUND", "Not found"


class Conflict(AppError):
    """The present state does not allow this."""

    status, code, title = 409, "CONFLICT", "Conflict"


class Gone(AppError):
    """It was here and is no more."""

    status, code, title = 410, "GONE", "Gone"


class PreconditionFailed(AppError):
    """It has changed since you read it; read it again, and decide anew."""

    status, code, title = 412, "PRECONDITION_FAILED", "Changed meanwhile"


class Invalid(AppError):
    """Some fields are not acceptable."""

    status, code, title = 422, "VALIDATION_ERROR", "Some fields are not acceptable"

    @classmethod
    def of(cls, problems: Sequence[FieldProblem]) -> Self:
        """The error for several fields, each of which it names."""
        return cls("; ".join(f"{each.path}: {each.message}" for each in problems), fields=tuple(problems))


class TooMany(AppError):
    """Too many requests; wait a moment."""

    status, code, title = 429, "RATE_LIMIT_EXCEEDED", "Too many requests"

    @classmethod
    def past_share(
        cls,
        says: str,
        *,
        since: datetime,
        within: timedelta,
        now: datetime,
        count: int,
        most: int,
        bucket: str | None = None,
    ) -> Self:
        """The refusal of what is more than a share of a stretch of time, with when there is room again.

        says: whose share it is. since: when the oldest that counts was made. count, most: how many there are, and may be.
        """
        # Who waited for a lock has begun before what is counted under it was made.
        after = ceil(min(within, since + within - now).total_seconds())
        named = {} if bucket is None else {"bucket": bucket}
        return cls(
            f"{says}; come back in {after} seconds.",
            headers={"Retry-After": str(after)},
            details={"retryAfter": after, **named, "currentCount": count, "maxAllowed": most},
        )


class Unavailable(AppError):
    """The service cannot answer right now; try again in a moment."""

    status, code, title = 503, "UNAVAILABLE", "Try again in a moment"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": "1"})


def error_named(name: str) -> type[AppError]:
    """The error class of this name. Raises LookupError when there is none, or more than one."""
    found = {each for each in _below(AppError) if each.__name__ == name}
    if len(found) != 1:
        raise LookupError(f"{'several errors have' if found else 'no error has'} the name {name}")
    return found.pop()


def _below(error: type[AppError]) -> Iterator[type[AppError]]:
    for each in error.__subclasses__():
        yield each
        yield from _below(each)
