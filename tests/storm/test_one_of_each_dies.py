"""Two API processes and two workers: listeners on either API hear everybody. Then one of each is killed, and nothing that
was acknowledged is lost or done twice: streams go on through the other API where they were cut.
"""

import asyncio
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

import uvloop

from muster.kit.db.migrate import Urls
from tests.storm.client import Answer, Connection
from tests.storm.events import EVENTS, create_event
from tests.storm.listener import Listener
from tests.storm.people import Person, settle
from tests.storm.processes import STARTING_SECONDS, serving, working
from tests.storm.truth import looking, until_quiet, wrongs

TALKERS, LISTENERS, JOINERS = 6, 6, 60
# How much each talker says before and after the killing.
BEFORE, AFTER = 20, 20
# Jobs of a killed worker are taken over 15 s after its last heartbeat; the rest is for slow machines.
QUIET_SECONDS = 60.0
BOUND_SECONDS = 150.0


def test_one_of_each_dies_and_nothing_is_lost(urls: Urls, tmp_path: Path) -> None:
    uvloop.run(asyncio.wait_for(_survive(urls, tmp_path), BOUND_SECONDS))


class Guest:
    """A person who acts through one API, and through the other once that is gone. promised: what was acknowledged."""

    def __init__(self, person: Person, event_id: str, ports: list[int]) -> None:
        self.promised: list[str] = []
        self._person = person
        self._event = f"{EVENTS}/{event_id}"
        self._connections = [Connection(port) for port in ports]

    async def join(self) -> None:
        """Take a place; asking again after a cut is harmless."""
        while (answer := await self._ask("members")) is None:
            pass
        assert answer.acknowledged, answer

    async def talk(self, times: int) -> None:
        """Have so much acknowledged. What a cut leaves unknown is not said again, so every content is said once."""
        attempts = count()
        wanted = len(self.promised) + times
        while len(self.promised) < wanted:
            content = f"{self._person.id} {next(attempts)} of {times}"
            answer = await self._ask("messages", {"content": content})
            if answer is not None:
                assert answer.acknowledged, answer
                self.promised.append(content)

    def close(self) -> None:
        """Hang up."""
        for connection in self._connections:
            connection.close()

    async def _ask(self, what: str, body: object = None) -> Answer | None:
        """The answer, or None when the connection was lost before it came; then the other API is asked from now on."""
        try:
            return await self._connections[0].ask(self._person.token, "POST", f"{self._event}/{what}", body)
        except OSError:
            self._connections.reverse()
            return None


async def _survive(urls: Urls, folder: Path) -> None:
    owner, *people = await settle(urls, 1 + TALKERS + LISTENERS + JOINERS)
    async with AsyncExitStack() as stack:
        apis = [await stack.enter_async_context(serving(urls, folder)) for _ in range(2)]
        workers = [await stack.enter_async_context(working(urls, folder, name)) for name in ("first", "second")]
        ports = [api.port for api in apis]
        connection = Connection(ports[1])
        stack.callback(connection.close)
        event_id = await create_event(connection, owner, places=1 + len(people))
        guests = [Guest(each, event_id, ports[:: 1 if at % 2 else -1]) for at, each in enumerate(people)]
        for guest in guests:
            stack.callback(guest.close)
        talkers, joiners = guests[:TALKERS], guests[TALKERS + LISTENERS :]
        await asyncio.gather(*(guest.join() for guest in guests[: TALKERS + LISTENERS]))
        listeners = [
            Listener(each, event_id, *ports[:: 1 if at % 2 else -1])
            for at, each in enumerate(people[TALKERS : TALKERS + LISTENERS])
        ]
        # Workers have no address to ask whether they are ready; what they have done tells.
        await until_quiet(urls, STARTING_SECONDS)
        for each in listeners:
            each.start()
        await _until_all_hear(listeners, talkers[0])

        joining = asyncio.create_task(_one_by_one(joiners))
        await asyncio.gather(*(talker.talk(BEFORE) for talker in talkers))
        talking = [asyncio.create_task(talker.talk(AFTER)) for talker in talkers]
        await asyncio.gather(apis[0].kill(), workers[0].kill())
        await asyncio.gather(joining, *talking)
        await until_quiet(urls, QUIET_SECONDS)

        said = await _said(urls)
        await _until_heard(listeners, said[-1])
        for listener in listeners:
            first = said.index(listener.heard[0])
            assert listener.heard == said[first:], "a gap, a repeat or another order"
            listener.stop()
    assert [listener.moves for listener in listeners] == [at % 2 for at in range(LISTENERS)]
    contents = {content for _, content in said}
    assert all(contents.issuperset(talker.promised) for talker in talkers)
    assert await wrongs(urls) == []


async def _until_all_hear(listeners: list[Listener], talker: Guest) -> None:
    """A stream says not when it has begun, so somebody talks until everybody hears it."""
    async with asyncio.timeout(20):
        while not all(listener.heard for listener in listeners):
            await talker.talk(1)
            await asyncio.sleep(0.1)


async def _until_heard(listeners: list[Listener], last: tuple[int, str]) -> None:
    async with asyncio.timeout(20):
        while not all(last in listener.heard for listener in listeners):  # noqa: ASYNC110 - other tasks hear
            await asyncio.sleep(0.05)


async def _one_by_one(guests: list[Guest]) -> None:
    for guest in guests:
        await guest.join()


async def _said(urls: Urls) -> list[tuple[int, str]]:
    async with looking(urls) as look:
        rows = await look.fetch("select sequence, content from messages order by sequence")
    return [(row["sequence"], row["content"]) for row in rows]
