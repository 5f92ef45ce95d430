"""A batch: calls of commands that run in one transaction. Most requests are a batch of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from muster.kit.caller import Origin
from muster.kit.commands.command import Command
from muster.kit.db.database import Transaction
from muster.kit.errors import AppError, BadInput

# Taken in the order of the list, and held until the transaction ends.
_LINE_UP = "select pg_advisory_xact_lock(line) from unnest($1::bigint[]) as line"


class RunsAlone(BadInput):
    """This cannot be undone with others: it counts even where it is refused, or is told at once; send it by itself."""

    code = "RUNS_ALONE"


class Condition(Protocol):
    """What must be so for a call to count. asked: as the client put it."""

    @property
    def asked(self) -> str: ...

    async def unmet(self, tx: Transaction) -> AppError | None:
        """Why it may not count, if so; what is found here holds until the transaction ends."""


@dataclass(frozen=True)
class Call:
    """A command, and what it is called with, as `Arguments.read` gave it. condition: without one it counts always."""

    command: Command
    arguments: dict[str, Any]
    condition: Condition | None = None


@dataclass
class Batch:
    """Calls of one caller that all happen, or none does.

    key: by which a repeat of the request is known; None runs it each time.
    at: the number of the call that runs; of a batch that failed, the call that failed.
    """

    calls: list[Call]
    origin: Origin
    key: str | None = None
    at: int = 0

    def refuse_loners(self) -> None:
        """Raises RunsAlone for a command that cannot be one of several."""
        for at, call in enumerate(self.calls):
            if call.command.alone and len(self.calls) > 1:
                self.at = at
                raise RunsAlone


async def line_up(tx: Transaction, calls: Sequence[Call]) -> None:
    """Let batches that name the same things go one after the other: they would lock them in orders of their own, cross,
    and wait a second for PostgreSQL to end one. Whoever makes one call waits for nobody here.
    """
    named = {value for call in calls for value in call.arguments.values() if isinstance(value, UUID)}
    lines = sorted(int.from_bytes(each.bytes[8:], signed=True) for each in named)
    await tx.connection.execute(_LINE_UP, lines)
