"""Ten thousand people, in most runs a fifth of them, want five hundred places at once: the queue keeps its promise to all."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from itertools import islice
from pathlib import Path
from statistics import quantiles
from uuid import UUID

import uvloop

from muster.kit.db.migrate import Urls
from muster.testing.thoroughness import as_much_as
from tests.storm.client import Answer, Connection
from tests.storm.events import EVENTS, create_event
from tests.storm.people import Person, settle
from tests.storm.processes import serving, working
from tests.storm.truth import looking, until_quiet, wrongs

PLACES = 500
JOINERS = as_much_as(2_000, thoroughly=10_000)
WAITING = JOINERS - (PLACES - 1)  # the owner has a place
LEAVING = 100
NEWCOMERS = 50
CONNECTIONS = 200
BOUND_SECONDS = 200.0

_QUEUE = "select user_id from event_members where queue_number is not null order by queue_number"
_SEATED = "select user_id from event_members where status = 'JOINED' and role <> 'OWNER'"
_TOLD = "select user_id from notifications where kind = 'WAITLIST_PROMOTED'"


class Crowd:
    """Many connections that share what is to be asked about one event."""

    def __init__(self, connections: Sequence[Connection], event_id: str) -> None:
        self._connections = connections
        self._event = f"{EVENTS}/{event_id}"
        self.milliseconds: list[float] = []

    async def each(self, people: Iterable[Person], method: str, path: str) -> dict[UUID, Answer]:
        """Every person asks once, as many at a time as there are connections; answers by person."""
        return await self._share(people, method, self._event + path)

    async def each_reads(self, people: Iterable[Person], path: str) -> dict[UUID, Answer]:
        """The same for what is not about the event."""
        return await self._share(people, "GET", path)

    async def _share(self, people: Iterable[Person], method: str, path: str) -> dict[UUID, Answer]:
        answers: dict[UUID, Answer] = {}
        waiting = iter(people)

        async def work(connection: Connection) -> None:
            for person in waiting:
                began = time.perf_counter()
                answers[person.id] = await connection.ask(person.token, method, path)
                self.milliseconds.append(1000 * (time.perf_counter() - began))

        await asyncio.gather(*(work(connection) for connection in self._connections))
        return answers


def test_a_storm_of_joins_leaves_and_promotions(urls: Urls, tmp_path: Path) -> None:
    uvloop.run(asyncio.wait_for(_storm(urls, tmp_path), BOUND_SECONDS))


async def _storm(urls: Urls, folder: Path) -> None:
    owner, *people = await settle(urls, 1 + JOINERS + NEWCOMERS)
    joiners, newcomers = people[:JOINERS], people[JOINERS:]
    async with AsyncExitStack() as stack:
        port = (await stack.enter_async_context(serving(urls, folder))).port
        await stack.enter_async_context(working(urls, folder))
        connections = [Connection(port) for _ in range(CONNECTIONS)]
        for connection in connections:
            stack.callback(connection.close)
        event_id = await create_event(connections[0], owner, places=PLACES)
        crowd = Crowd(connections, event_id)
        await _all_join(crowd, joiners)
        await _is_true_to_the_queue(urls, crowd, joiners)
        await _some_leave_while_others_come(urls, connections, event_id, joiners, newcomers)
        await until_quiet(urls, 30)
        event = await connections[0].ask(owner.token, "GET", f"{EVENTS}/{event_id}")
        assert event.body["joinedCount"] == PLACES
    assert await wrongs(urls) == []


async def _all_join(crowd: Crowd, joiners: list[Person]) -> None:
    """Everybody gets a place or a position of their own, the positions without gaps."""
    began = time.perf_counter()
    answers = await crowd.each(joiners, "POST", "/members")
    seconds = time.perf_counter() - began
    cuts = quantiles(crowd.milliseconds, n=100)
    print(f"{JOINERS / seconds:.0f} joins/s for {seconds:.1f} s, p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms")
    assert {answer.status for answer in answers.values()} == {201}
    positions = [answer.body["waitlistPosition"] for answer in answers.values()]
    assert positions.count(None) == PLACES - 1
    assert sorted(position for position in positions if position is not None) == list(range(1, WAITING + 1))


async def _is_true_to_the_queue(urls: Urls, crowd: Crowd, joiners: list[Person]) -> None:
    """What the API says of one's own position is one's place among all who wait, for every fiftieth person."""
    queue = await _ids(urls, _QUEUE)
    seated = set(await _ids(urls, _SEATED))
    assert len(queue) == WAITING
    assert len(seated) == PLACES - 1
    asked = joiners[::50]
    answers = await crowd.each(asked, "GET", "/members/me")
    expected = {person.id: None if person.id in seated else queue.index(person.id) + 1 for person in asked}
    assert {user_id: answer.body["waitlistPosition"] for user_id, answer in answers.items()} == expected


async def _some_leave_while_others_come(
    urls: Urls, connections: list[Connection], event_id: str, joiners: list[Person], newcomers: list[Person]
) -> None:
    """The first of the queue get the freed places, are told once each, and who comes meanwhile is last."""
    queue = await _ids(urls, _QUEUE)
    seated = set(await _ids(urls, _SEATED))
    leavers = list(islice((person for person in joiners if person.id in seated), LEAVING))
    leaving, coming = Crowd(connections[:100], event_id), Crowd(connections[100:], event_id)
    left, came = await asyncio.gather(
        leaving.each(leavers, "DELETE", "/members/me"), coming.each(newcomers, "POST", "/members")
    )
    assert {answer.body["status"] for answer in left.values()} == {"LEFT"}
    assert {answer.body["status"] for answer in came.values()} == {"WAITLIST"}
    await until_quiet(urls, 30)

    promoted, still_waiting = queue[:LEAVING], queue[LEAVING:]
    now_waiting = await _ids(urls, _QUEUE)
    assert now_waiting[: len(still_waiting)] == still_waiting
    assert set(now_waiting[len(still_waiting) :]) == {person.id for person in newcomers}
    assert sorted(await _ids(urls, _TOLD)) == sorted(promoted)

    lucky = [person for person in joiners if person.id in set(promoted)]
    assert {a.body["status"] for a in (await leaving.each(lucky, "GET", "/members/me")).values()} == {"JOINED"}
    told = await leaving.each_reads(lucky, "/api/v1/notifications")
    assert {tuple(each["kind"] for each in answer.body["items"]) for answer in told.values()} == {
        ("WAITLIST_PROMOTED",)
    }
    last = await coming.each(newcomers, "GET", "/members/me")
    first_free = len(still_waiting) + 1
    assert sorted(answer.body["waitlistPosition"] for answer in last.values()) == list(
        range(first_free, first_free + NEWCOMERS)
    )


async def _ids(urls: Urls, query: str) -> list[UUID]:
    async with looking(urls) as connection:
        return [row["user_id"] for row in await connection.fetch(query)]
