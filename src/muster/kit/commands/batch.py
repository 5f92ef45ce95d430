"""A batch: calls of commands that run in one transaction. Most requests are a batch of one."""

from dataclasses import dataclass
from typing import Any, Protocol

from muster.kit.caller import Origin
from muster.kit.commands.command import Command
from muster.kit.db.database import Transaction
from muster.kit.errors import AppError, BadInput


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
