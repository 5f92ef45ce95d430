"""All that moves people in and out of an event at once, while it grows and shrinks: what is true of its places stays so."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from muster.events.tests.support import some_people, sound
from muster.events.waitlist.jobs import lapse_offers
from muster.kit.commands.context import Services
from muster.kit.commands.system import system_transaction
from muster.testing.auditing import as_worker
from muster.testing.below import maintenance, value
from muster.testing.client import Answer
from muster.testing.people import Person
from muster.testing.serving import Service
from muster.testing.thoroughness import as_much_as, in_turn
from muster.testing.town import make_event
from tests.storm.queue import OVERTAKEN, guard, wrongs_of

PEOPLE = as_much_as(14, thoroughly=40)
DEEDS = as_much_as(20, thoroughly=120)
"""What each of the hands does, one after the other."""
HANDS = 8
OFFER_MINUTES = 5
PLACES = (3, 12)
"""Between which sizes the event moves."""

REFUSALS = frozenset(
    [
        *("BANNED", "EVENT_FULL", "EVENT_LINK_INVALID", "JOIN_CLOSED", "MEMBERSHIP_NOT_FOUND", "NO_PLACE_OFFERED"),
        *("NOT_ASKED", "NOT_BANNED", "NOT_IN_EVENT", "NOT_WAITING", "PARTY_TOO_LARGE", "TOO_FEW_PLACES", "WAS_KICKED"),
        "WAS_REJECTED",
    ]
)
"""What may be said to who does something that has just become impossible; anything else is wrong."""


class Storm:
    """One event, its owner, who comes and goes, and hands that draw what they do from one number.

    by_hand: whether the owner promotes people out of their turn, which nobody else can be reproached for.
    """

    def __init__(self, service: Service, worker: Services, seed: int) -> None:
        self.random = Random(seed)
        self.by_hand = seed % 3 == 2
        self.codes: list[str] = []
        self.came: set[UUID] = set()
        self._service, self._worker = service, worker

    async def begin(self) -> None:
        """Settle everybody, and make the event by the seed's terms."""
        self.owner, *self.people = await some_people(self._service, 1 + PEOPLE)
        self.event_id = await make_event(
            self.owner.client,
            max=self.random.randint(*PLACES),
            waitlistPolicy=self.random.choice(["FIFO_STRICT", "BEST_FIT"]),
            offerMinutes=self.random.choice([None, OFFER_MINUTES]),
            mayAskAgain=True,
        )
        self.codes = [await self._link(uses) for uses in (1, 3, 20)]
        tenant_of = "select tenant_id from events where id = $1"
        self.tenant_id = await value(self._service.urls, tenant_of, self.event_id)

    async def rage(self) -> None:
        """All hands at once."""
        await asyncio.gather(*(self._hand() for _ in range(HANDS)))

    async def _hand(self) -> None:
        deeds: list[Callable[[Person], Awaitable[Answer | None]]] = [
            *[self._join] * 8,
            *[self._leave] * 3,
            *[self._accept] * 3,
            *[self._by_link, self._guests, self._approve] * 2,
            *[self._reject, self._kick, self._ban, self._unban, self._resize, self._mode, self._lapse, self._shut],
            *([self._promote] if self.by_hand else []),
        ]
        for _ in range(DEEDS):
            answer = await self.random.choice(deeds)(self.random.choice(self.people))
            assert answer is None or answer.code is None or answer.code in REFUSALS, answer

    def _party(self) -> list[dict[str, Any]]:
        return [{}] * self.random.choice([0, 0, 0, 0, 1, 1, 2, 3])

    async def _join(self, person: Person) -> Answer:
        answer = await self._as(person, "joinEvent", guests=self._party())
        return self._noted(person, answer)

    async def _by_link(self, person: Person) -> Answer:
        code, guests = self.random.choice(self.codes), self._party()
        return self._noted(person, await person.client.call("joinByInviteLink", code=code, guests=guests))

    def _noted(self, person: Person, answer: Answer) -> Answer:
        if answer.code is None:
            self.came.add(person.user_id)
        return answer

    async def _leave(self, person: Person) -> Answer:
        return await self._as(person, "leaveEvent")

    async def _accept(self, person: Person) -> Answer:
        return await self._as(person, "acceptOffer")

    async def _guests(self, person: Person) -> Answer:
        return await self._as(person, "bringGuests", guests=self._party())

    async def _approve(self, person: Person) -> Answer:
        return await self._as(self.owner, "approveEventRequest", userId=person.user_id)

    async def _reject(self, person: Person) -> Answer:
        return await self._as(self.owner, "rejectEventRequest", userId=person.user_id)

    async def _kick(self, person: Person) -> Answer:
        return await self._as(self.owner, "kickMember", userId=person.user_id)

    async def _ban(self, person: Person) -> Answer:
        return await self._as(self.owner, "banMember", userId=person.user_id)

    async def _unban(self, person: Person) -> Answer:
        return await self._as(self.owner, "unbanMember", userId=person.user_id)

    async def _promote(self, person: Person) -> Answer:
        return await self._as(self.owner, "promoteFromWaitlist", userId=person.user_id)

    async def _resize(self, _: Person) -> Answer:
        return await self._change(max=self.random.randint(*PLACES))

    async def _mode(self, _: Person) -> Answer:
        return await self._change(joinMode=self.random.choice(["OPEN", "OPEN", "REQUEST"]))

    async def _shut(self, _: Person) -> Answer:
        await self.owner.client.call("closeEventJoin", id=self.event_id)
        return await self.owner.client.call("reopenEventJoin", id=self.event_id)

    async def _lapse(self, _: Person) -> None:
        """The time of every offer passes, and the schedule looks."""
        later = datetime.now(UTC) + timedelta(minutes=OFFER_MINUTES + 1)
        async with system_transaction(
            self._worker, tenant_id=self.tenant_id, verb="storm", reason="a test", now=later, request_id="storm"
        ) as ctx:
            await lapse_offers(ctx)

    async def _change(self, **input: object) -> Answer:
        return await self.owner.client.call("updateEvent", id=self.event_id, input=input)

    async def _link(self, uses: int) -> str:
        made = await self._as(self.owner, "createEventInviteLink", input={"maxUses": uses})
        code: str = made.ok()["code"]
        return code

    async def _as(self, person: Person, verb: str, **arguments: Any) -> Answer:
        return await person.client.call(verb, eventId=self.event_id, **arguments)


@pytest.mark.parametrize("seed", in_turn(range(10), 0, most=1))
async def test_a_storm_of_everything(service: Service, seed: int) -> None:
    async with as_worker(service.urls) as worker, maintenance(service.urls) as look:
        storm = Storm(service, worker, seed)
        await storm.begin()
        await guard(look)
        raging = asyncio.create_task(storm.rage())
        samples = 0
        while not raging.done():
            assert await wrongs_of(look, storm.event_id) == []
            samples += 1
            await asyncio.wait({raging}, timeout=0.05)
        await raging
        assert samples > 0
        assert await wrongs_of(look, storm.event_id) == []
        known = {row["user_id"] for row in await look.fetch("select user_id from event_members")}
        assert storm.came <= known
        overtaken = await look.fetch(OVERTAKEN)
        assert storm.by_hand or not overtaken
    await sound(service, storm.event_id)
