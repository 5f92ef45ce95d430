"""Kill -9 of API, worker and database under load: what was acknowledged is there, and nothing is there by half.

Another story every day, and many before a release: two houses at a time then, since much of the wait is for the
heartbeat of killed workers to run out.
"""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest
import uvloop

from muster.testing.thoroughness import TURN, as_much_as
from tests.storm.client import Answer, Connection
from tests.storm.events import EVENTS, create_event, event_input
from tests.storm.house import PARTS, House, house
from tests.storm.people import Person, settle
from tests.storm.truth import looking, until_quiet, wrongs

SEEDS = range(TURN, TURN + as_much_as(1, thoroughly=12))
AT_ONCE = 2
KILLING_SECONDS = 6.0
CALM_SECONDS = 1.0
KILLS_OF_EACH = 2
PEOPLE = 12
PLACES = 5
# Jobs of a killed worker are taken over 15 s after its last heartbeat; the rest is for slow machines.
QUIET_SECONDS = 60.0


@dataclass
class Ledger:
    """What one person was promised.

    standing: by event, the last acknowledged status, or None when an attempt was cut off since.
    """

    standing: dict[str, str | None] = field(default_factory=dict)
    memberships: dict[str, str] = field(default_factory=dict)
    events: set[str] = field(default_factory=set)
    messages: dict[str, str] = field(default_factory=dict)
    statuses: Counter[str] = field(default_factory=Counter)


class Guest:
    """A person who joins, leaves, talks and makes events at random, one thing at a time."""

    def __init__(self, person: Person, port: int, dice: random.Random, events: list[str]) -> None:
        self.person = person
        self.ledger = Ledger()
        self._dice = dice
        self._events = events
        self._connection = Connection(port)

    async def live(self, over: asyncio.Event) -> None:
        """Go on until it is over."""
        while not over.is_set():
            verb = self._dice.choices((self._join, self._leave, self._talk, self._create), (6, 4, 4, 1))[0]
            await verb(self._dice.choice(self._events))
        self._connection.close()

    async def _join(self, event: str) -> None:
        await self._change(event, "POST", "/members")

    async def _leave(self, event: str) -> None:
        await self._change(event, "DELETE", "/members/me")

    async def _change(self, event: str, method: str, path: str) -> None:
        answer = await self._ask(method, f"{EVENTS}/{event}{path}")
        if answer is None:
            self.ledger.standing[event] = None
        elif answer.acknowledged:
            self.ledger.standing[event] = answer.body["status"]
            self.ledger.memberships[answer.body["id"]] = event

    async def _talk(self, event: str) -> None:
        content = f"{self._dice.random()}"
        answer = await self._ask("POST", f"{EVENTS}/{event}/messages", {"content": content})
        if answer is not None and answer.acknowledged:
            self.ledger.messages[answer.body["id"]] = content

    async def _create(self, _event: str) -> None:
        answer = await self._ask("POST", EVENTS, event_input(PLACES))
        if answer is not None and answer.acknowledged:
            self.ledger.events.add(answer.body["id"])

    async def _ask(self, method: str, path: str, body: object = None) -> Answer | None:
        """The answer; None when there is none, or one that leaves open whether it was done."""
        try:
            answer = await self._connection.ask(self.person.token, method, path, body)
        except OSError:
            self.ledger.statuses["cut off"] += 1
            await asyncio.sleep(0.1)
            return None
        self.ledger.statuses[str(answer.status)] += 1
        if answer.status >= 500:
            await asyncio.sleep(0.1)
            return None
        return answer


@pytest.mark.parametrize("first", range(0, len(SEEDS), AT_ONCE))
def test_what_was_acknowledged_survives_kill_9(first: int) -> None:
    async def all_seeds() -> list[str]:
        found = await asyncio.gather(*(_seed(seed) for seed in SEEDS[first : first + AT_ONCE]))
        return [sentence for sentences in found for sentence in sentences]

    assert uvloop.run(all_seeds()) == []


async def _seed(seed: int) -> list[str]:
    """One house under load and kills; a sentence for everything that is wrong afterwards."""
    dice = random.Random(seed)
    began = time.monotonic()
    async with house() as up:
        owner, *people = await settle(up.urls, 1 + PEOPLE)
        connection = Connection(up.port)
        events = [await create_event(connection, owner, places=PLACES) for _ in range(3)]
        connection.close()
        guests = [Guest(person, up.port, random.Random(dice.random()), events) for person in people]
        up_after = time.monotonic() - began
        over = asyncio.Event()
        killed, *_ = await asyncio.gather(_kill(up, dice, over), *(guest.live(over) for guest in guests))
        try:
            await until_quiet(up.urls, QUIET_SECONDS)
            found: list[str] = []
        except TimeoutError:
            found = [f"it was not quiet after {QUIET_SECONDS:.0f} s"]
        found += await wrongs(up.urls) + await _broken_promises(up, guests)
        statuses = sum((guest.ledger.statuses for guest in guests), Counter[str]())
        if statuses["500"]:
            found.append(f"{statuses['500']} answers were a bare 500")
        if not statuses["201"]:
            found.append("nothing was done at all")
        print(
            f"seed {seed}: up {up_after:.1f} s, all {time.monotonic() - began:.1f} s, killed {killed}, {dict(statuses)}"
        )
        return [f"seed {seed}: {sentence}\n{up.said()}" for sentence in found]


async def _kill(up: House, dice: random.Random, over: asyncio.Event) -> list[str]:
    """Kill each part so many times at random moments, and say when it is over; answers with who was killed, in order.

    The load begins a while before the first kill, and goes on a while after the house has risen from the last.
    """
    victims = [*PARTS] * KILLS_OF_EACH
    dice.shuffle(victims)
    began = time.monotonic() + CALM_SECONDS
    moments = sorted(began + dice.uniform(0, KILLING_SECONDS) for _ in victims)
    try:
        for victim, moment in zip(victims, moments, strict=True):
            await asyncio.sleep(max(0.0, moment - time.monotonic()))
            while not up.kill(victim):  # noqa: ASYNC110 - it is being started again by another process
                await asyncio.sleep(0.02)
        await up.until_ready()
        await asyncio.sleep(CALM_SECONDS)
    finally:
        over.set()
    return victims


async def _broken_promises(up: House, guests: list[Guest]) -> list[str]:
    """A sentence for everything that was acknowledged to somebody and is not so."""
    async with looking(up.urls) as connection:
        members = {
            (str(row["user_id"]), str(row["event_id"])): (str(row["id"]), row["status"])
            for row in await connection.fetch("select user_id, event_id, id, status from event_members")
        }
        messages = {
            str(row["id"]): row["content"] for row in await connection.fetch("select id, content from messages")
        }
        events = {str(row["id"]) for row in await connection.fetch("select id from events")}
    found = []
    for guest in guests:
        me, ledger = str(guest.person.id), guest.ledger
        found += [f"event {event} is lost" for event in ledger.events - events]
        found += [f"message {each} is lost" for each, said in ledger.messages.items() if messages.get(each) != said]
        for membership, event in ledger.memberships.items():
            if members.get((me, event), ("", ""))[0] != membership:
                found.append(f"membership {membership} is lost")
        for event, promised in ledger.standing.items():
            status = members.get((me, event), ("", "nothing"))[1]
            if promised is not None and status != promised and (promised, status) != ("WAITLIST", "JOINED"):
                found.append(f"{me} was promised {promised} in {event} and is {status}")
    return found
