"""All that moves people in and out of an event at once, while it grows and shrinks: what is true of its places stays so."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest

from muster.events.invites.tokens import event_invitation_token
from muster.events.tests.support import sound
from muster.events.waitlist.jobs import lapse_offers
from muster.kit.commands.context import Services
from muster.kit.commands.system import system_transaction
from muster.testing.auditing import as_worker
from muster.testing.below import ask, change, maintenance, value
from muster.testing.client import Answer, Client
from muster.testing.people import Person, sign_in
from muster.testing.serving import Service
from muster.testing.thoroughness import THOROUGH, TURN, in_turn
from muster.testing.town import make_event
from tests.storm.people import settle
from tests.storm.queue import OVERTAKEN, guard, wrongs_of


@dataclass(frozen=True)
class Size:
    """How large a storm is.

    places: between which sizes the event moves. hands, deeds: so many hands, each of which does so much beside letting
    people in, one after the other. uses: of the links. pause: seconds between two looks at the event.
    """

    people: int
    places: tuple[int, int]
    hands: int
    deeds: int
    uses: tuple[int, ...]
    pause: float = 0.05


USUAL = Size(people=14, places=(3, 12), hands=8, deeds=18, uses=(1, 3, 20))
LONG = Size(people=40, places=(3, 12), hands=8, deeds=115, uses=(1, 3, 20))
CROWD = Size(people=10_000, places=(450, 550), hands=32, deeds=20, uses=(1, 100, 2_000), pause=5)
"""Ten thousand people on five hundred places, more or less."""
OFFER_MINUTES = 5

_AN_HOUR_AGO = "update event_invitations set sent_at = sent_at - interval '61 minutes'"
REFUSALS = frozenset(
    [
        *("BANNED", "EVENT_FULL", "EVENT_INVITATION_NOT_FOUND", "EVENT_INVITATION_OVER", "EVENT_LINK_INVALID"),
        *("IN_EVENT_ALREADY", "JOIN_CLOSED", "LINK_INVALID", "MEMBERSHIP_NOT_FOUND", "NOT_ASKED", "NOT_BANNED"),
        *("NOT_INVITED", "NOT_IN_EVENT", "NOT_WAITING", "NO_PLACE_OFFERED", "PARTY_TOO_LARGE", "PERSON_IS_BANNED"),
        *("TOO_FEW_PLACES", "WAS_KICKED", "WAS_REJECTED"),
    ]
)
"""What may be said to who does something that has just become impossible; anything else is wrong."""


Deed = Callable[[Person], Awaitable[Answer | None]]


class Storm:
    """One event, its owner, who comes and goes, and hands that draw what they do from one number.

    by_hand: whether the owner promotes people out of their turn, which nobody else can be reproached for.
    """

    def __init__(self, service: Service, worker: Services, seed: int, size: Size) -> None:
        self.size, self.random = size, Random(seed)
        self.by_hand = seed % 3 == 2
        self.codes: list[str] = []
        self.invited: list[Person] = []
        self.banned: list[Person] = []
        self.invitations: list[str] = []
        self.letters: list[str] = []
        self.came: set[UUID] = set()
        self.done: Counter[str] = Counter()
        self._service, self._worker = service, worker

    async def begin(self) -> None:
        """Settle everybody, and make the event by the seed's terms."""
        self.owner = await sign_in(self._service, "the owner")
        settled = await settle(self._service.urls, self.size.people, self._service.settings.security)
        self.people = [Person(each.id, "", Client(self._service, each.token)) for each in settled]
        self._arriving = iter(self.people)
        self.event_id = await make_event(
            self.owner.client,
            max=self.random.randint(*self.size.places),
            waitlistPolicy=self.random.choice(["FIFO_STRICT", "BEST_FIT"]),
            offerMinutes=self.random.choice([None, OFFER_MINUTES]),
            mayAskAgain=True,
        )
        self.codes = [await self._link(uses) for uses in self.size.uses]
        self._addresses = dict(await ask(self._service.urls, "select id, email from users"))
        tenant_of = "select tenant_id from events where id = $1"
        self.tenant_id = await value(self._service.urls, tenant_of, self.event_id)

    async def rage(self) -> None:
        """All hands at once."""
        await asyncio.gather(*(self._hand() for _ in range(self.size.hands)))

    def deeds(self) -> list[Deed]:
        """What hands draw from, as often as each stands in it."""
        return [
            *[self._join] * 8,
            *[self._leave] * 3,
            *[self._accept] * 3,
            *[self._by_link, self._guests, self._approve, self._invite, self._come_invited] * 2,
            *[self._decline, self._take_back, self._mail, self._come_by_letter, self._decline_letter],
            *[self._reject, self._kick, self._ban, self._unban, self._resize, self._mode, self._lapse, self._shut],
            *([self._promote] if self.by_hand else []),
        ]

    async def _hand(self) -> None:
        deeds = self.deeds()
        ways_in = [*[self._join] * 8, self._by_link, self._come_invited]
        for number, arriving in enumerate(self._arriving):
            await self._do(self.random.choice(ways_in), arriving)
            if number % 3 == 0:
                await self._do(self.random.choice(deeds), self.random.choice(self.people))
        for _ in range(self.size.deeds):
            await self._do(self.random.choice(deeds), self.random.choice(self.people))

    async def _do(self, deed: Deed, person: Person) -> None:
        answer = await deed(person)
        if answer is None or answer.code is None:
            self.done[deed.__name__] += 1
        else:
            assert answer.code in REFUSALS, answer

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

    async def _invite(self, person: Person) -> Answer:
        answer = await self._as(self.owner, "inviteToEvent", userId=person.user_id)
        if answer.code is None:
            self.invited.append(person)
            self.invitations.append(answer.data["id"])
        return answer

    async def _mail(self, person: Person) -> Answer:
        """Invite the address of somebody, who may be in the event, out of it or banned from it."""
        answer = await self._as(self.owner, "inviteToEvent", email=self._addresses[person.user_id])
        invitation_id = UUID(answer.ok()["id"])
        self.invitations.append(str(invitation_id))
        secret = self._service.settings.security.jwt_secret
        self.letters.append(event_invitation_token(secret, self.tenant_id, invitation_id))
        return answer

    async def _come_invited(self, person: Person) -> Answer:
        invited = self.random.choice([person, *self.invited])
        return self._noted(invited, await self._as(invited, "acceptEventInvitation", guests=self._party()))

    async def _decline(self, person: Person) -> Answer:
        return await self._as(self.random.choice([person, *self.invited]), "declineEventInvitation")

    async def _take_back(self, _: Person) -> Answer | None:
        if not self.invitations:
            return None
        return await self._as(self.owner, "revokeEventInvitation", id=self.random.choice(self.invitations))

    async def _come_by_letter(self, _: Person) -> Answer | None:
        return await self._with_letter("acceptMailedEventInvitation")

    async def _decline_letter(self, _: Person) -> Answer | None:
        return await self._with_letter("declineMailedEventInvitation")

    async def _with_letter(self, verb: str) -> Answer | None:
        """Whoever has a letter is nobody in particular."""
        if not self.letters:
            return None
        return await Client(self._service).call(verb, token=self.random.choice(self.letters))

    async def _reject(self, person: Person) -> Answer:
        return await self._as(self.owner, "rejectEventRequest", userId=person.user_id)

    async def _kick(self, person: Person) -> Answer:
        return await self._as(self.owner, "kickMember", userId=person.user_id)

    async def _ban(self, person: Person) -> Answer:
        self.banned.append(person)
        return await self._as(self.owner, "banMember", userId=person.user_id)

    async def _unban(self, person: Person) -> Answer:
        banned = self.random.choice([person, *self.banned])
        return await self._as(self.owner, "unbanMember", userId=banned.user_id)

    async def _promote(self, person: Person) -> Answer:
        return await self._as(self.owner, "promoteFromWaitlist", userId=person.user_id)

    async def _resize(self, _: Person) -> Answer:
        return await self._change(max=self.random.randint(*self.size.places))

    async def _mode(self, _: Person) -> Answer:
        return await self._change(joinMode=self.random.choice(["OPEN", "OPEN", "REQUEST", "INVITE_ONLY"]))

    async def _shut(self, _: Person) -> Answer:
        await self.owner.client.call("closeEventJoin", id=self.event_id)
        return await self.owner.client.call("reopenEventJoin", id=self.event_id)

    async def _lapse(self, _: Person) -> None:
        """The time of every offer passes, and the schedule looks; of invitations the hour is over."""
        await change(self._service.urls, _AN_HOUR_AGO)
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
    await _hold(service, seed, LONG if THOROUGH else USUAL)


@pytest.mark.thorough
async def test_a_storm_of_everything_with_ten_thousand(service: Service) -> None:
    storm = await _hold(service, TURN, CROWD)
    assert set(storm.done) == {each.__name__ for each in storm.deeds()}


async def _hold(service: Service, seed: int, size: Size) -> Storm:
    """Let a storm rage, and look at the event all the time."""
    async with as_worker(service.urls) as worker, maintenance(service.urls) as look:
        storm = Storm(service, worker, seed, size)
        await storm.begin()
        await guard(look)
        raging = asyncio.create_task(storm.rage())
        samples = 0
        while not raging.done():
            # The questions are about so many rows that PostgreSQL has to know how many.
            await look.execute("analyze event_members, event_member_changes, event_invitations, room_seats, facts")
            assert await wrongs_of(look, storm.event_id) == []
            samples += 1
            await asyncio.wait({raging}, timeout=size.pause)
        await raging
        assert samples > 0
        assert await wrongs_of(look, storm.event_id) == []
        known = {row["user_id"] for row in await look.fetch("select user_id from event_members")}
        assert storm.came <= known
        overtaken = await look.fetch(OVERTAKEN)
        assert storm.by_hand or not overtaken
    await sound(service, storm.event_id)
    return storm
