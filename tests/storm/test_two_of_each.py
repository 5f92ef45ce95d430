"""Two API processes and two workers on one database: they agree, and nothing is done twice or out of order."""

import asyncio
from contextlib import AsyncExitStack
from itertools import cycle
from pathlib import Path

import asyncpg
import uvloop

from muster.kit.db.migrate import Urls
from tests.storm.client import Connection
from tests.storm.damage import unnoticed
from tests.storm.events import EVENTS, create_event
from tests.storm.people import Person, settle
from tests.storm.processes import serving, working
from tests.storm.truth import looking, until_quiet, wrongs

PEOPLE = 600
PLACES = 100
CONNECTIONS = 20  # to each API
BOUND_SECONDS = 120.0


def test_two_apis_and_two_workers_agree(urls: Urls, tmp_path: Path) -> None:
    uvloop.run(asyncio.wait_for(_agree(urls, tmp_path), BOUND_SECONDS))


async def _agree(urls: Urls, folder: Path) -> None:
    owner, *people = await settle(urls, 1 + PEOPLE)
    async with AsyncExitStack() as stack:
        ports = [(await stack.enter_async_context(serving(urls, folder))).port for _ in range(2)]
        for name in ("first worker", "second worker"):
            await stack.enter_async_context(working(urls, folder, name))
        reader = Reader(urls)
        reading = asyncio.create_task(reader.follow())
        connections = [Connection(port) for port in ports for _ in range(CONNECTIONS)]
        for connection in connections:
            stack.callback(connection.close)
        event_id = await create_event(connections[0], owner, places=PLACES)
        lines = [people[start :: len(connections)] for start in range(len(connections))]
        await asyncio.gather(*(_live(event_id, *each) for each in zip(connections, lines, strict=True)))
        cancelled = await connections[0].ask(owner.token, "POST", f"{EVENTS}/{event_id}/cancellation")
        assert cancelled.status == 200, cancelled
        await until_quiet(urls, 30)
        reading.cancel()
        seen_by_both = [await connection.ask(owner.token, "GET", f"{EVENTS}/{event_id}") for connection in connections]
        assert {answer.body["joinedCount"] for answer in seen_by_both} == {PLACES}
        async with looking(urls) as look:
            await reader.read(look)
            rows = await look.fetch("select position from facts order by position")
        assert reader.seen == [row["position"] for row in rows]
    assert await wrongs(urls) == []
    assert await unnoticed(urls) == []


async def _live(event_id: str, connection: Connection, people: list[Person]) -> None:
    """One after the other joins; every third leaves again, and who has a place says so."""
    event = f"{EVENTS}/{event_id}"
    for person, leaves in zip(people, cycle((False, False, True)), strict=False):
        joined = await connection.ask(person.token, "POST", f"{event}/members")
        assert joined.status == 201, joined
        if leaves:
            left = await connection.ask(person.token, "DELETE", f"{event}/members/me")
            assert left.body["status"] == "LEFT", left
        elif joined.body["status"] == "JOINED":
            said = await connection.ask(person.token, "POST", f"{event}/messages", {"content": "I am in"})
            assert said.status == 201, said


class Reader:
    """Follows facts as a stream does: it only ever asks for what lies above the last position it saw."""

    def __init__(self, urls: Urls) -> None:
        self.seen: list[int] = []
        self._urls = urls

    async def follow(self) -> None:
        """Read on until cancelled."""
        async with looking(self._urls) as look:
            while True:
                await self.read(look)

    async def read(self, look: asyncpg.Connection) -> None:
        """Read what is new."""
        last = self.seen[-1] if self.seen else 0
        rows = await look.fetch("select position from facts where position > $1 order by position", last)
        self.seen += [row["position"] for row in rows]
