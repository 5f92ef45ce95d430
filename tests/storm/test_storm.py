"""Ten thousand people want five hundred places at once: the queue keeps its promise to every one of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import quantiles
from typing import Any, TypeVar
from uuid import UUID

import uvloop

from muster.kit.db.migrate import Urls
from tests.storm.client import Answer, Connection
from tests.storm.events import create_event
from tests.storm.people import Person, settle
from tests.storm.processes import serving, working
from tests.storm.truth import looking, until_quiet, wrongs

PLACES = 500
JOINERS = 10_000
WAITING = JOINERS - (PLACES - 1)  # the owner has a place
LEAVING = 100
NEWCOMERS = 50
CONNECTIONS = 200
BOUND_SECONDS = 150.0

T = TypeVar("T")
Act = Callable[[Connection, T], Awaitable[Any]]


class Crowd:
    """Connections that share the work of a list."""

    def __init__(self, connections: list[Connection], event_id: str) -> None:
        self._connections = connections
        self._event = f"/api/v1/events/{event_id}"

    async def each(self, people: Iterable[Person], method: str, path: str) -> dict[UUID, Answer]:
        """Every person asks once; as many at a time as there are connections. Answers by person."""
        answers: dict[UUID, Answer] = {}
        waiting = iter(people)

        async def work(connection: Connection) -> None:
            for person in waiting:
                answers[person.id] = await connection.ask(person.token, method, self._event + path)

        await asyncio.gather(*(work(connection) for connection in self._connections))
        return answers
