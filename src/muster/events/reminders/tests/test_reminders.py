"""Reminders: who gets which, by which way and in whose words, and a year in which everything changes."""

import asyncio
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from muster.events.reminders.jobs import announce_times
from muster.events.reminders.letters import FeedbackMail, ReminderMail
from muster.events.reminders.queries import TENANTS_WITH_ROUNDS
from muster.events.reminders.rules import FEEDBACK, MINUTES, USUAL, Lead, late, lead_time
from muster.kit.commands.system import system_transaction
from muster.kit.db.tables import PLATFORM_TENANT
from muster.kit.mail.writing import worded
from muster.testing.below import ask, change, value
from muster.testing.people import Person, Standing, sign_in
from muster.testing.serving import Service
from muster.testing.thoroughness import as_much_as
from muster.testing.town import Town, make_event
from muster.testing.work import Work, working

_TOLD = "select user_id, data from notifications where kind in ('EVENT_REMINDER', 'EVENT_FEEDBACK_REQUEST')"
_MAILED = "select user_id from mails where kind = 'events.reminder' order by user_id"
_AGAIN = "insert into outbox (tenant_id, fact_id) select tenant_id, id from facts on conflict do nothing"
_JOINED = "update event_members set joined_at = $1 where event_id = $2 and user_id = $3"
_START = datetime(2031, 3, 1, 12, tzinfo=UTC)
Told = tuple[UUID, UUID, str, datetime | None]
"""Who was told of which event, which reminder, and of which start."""


class _Killed(Exception):
    """A worker that ends before it has committed."""


async def _beat(work: Work, now: datetime, *, dies: bool = False) -> None:
    """What the schedule does at a moment. dies: the worker is gone before its work is kept."""
    async with work.services.database.transaction(PLATFORM_TENANT) as tx:
        found = [each.tenant_id for each in await tx.all(TENANTS_WITH_ROUNDS, now=now)]
    for tenant_id in found:
        async with system_transaction(
            work.services, tenant_id=tenant_id, verb="test", reason="is due", now=now, request_id="test"
        ) as ctx:
            await announce_times(ctx)
            if dies:
                raise _Killed


async def _told(service: Service) -> list[Told]:
    rows = [(user, msgspec.json.decode(data)) for user, data in await ask(service.urls, _TOLD)]
    return sorted(
        (
            UUID(int=user.int),
            UUID(told["eventId"]),
            told.get("lead", FEEDBACK),
            datetime.fromisoformat(told["startsAt"]) if "startsAt" in told else None,
        )
        for user, told in rows
    )


async def test_a_choice_is_for_one_event_or_for_all_and_holds(town: Town) -> None:
    owner, moderator, member = (town.people[each] for each in (Standing.OWNER, Standing.MODERATOR, Standing.MEMBER))
    (await owner.client.call("setReminders", leads=[])).ok()
    (await owner.client.call("setReminders", leads=["PT3H", "PT3H"], byMail=False, eventId=town.event_id)).ok()
    (await moderator.client.call("setReminders", leads=["PT3H"])).ok()
    (await member.client.call("resetReminders", eventId=town.event_id)).ok()
    (await member.client.call("updateMe", input={"timezone": "Asia/Tokyo", "locale": "de"})).ok()
    chosen = (await owner.client.call("myReminders")).ok()["items"]
    assert [(each["leads"], each["byMail"], each["event"] is None) for each in chosen] == [
        (["PT3H"], False, False),
        ([], True, True),
    ]
    stranger = town.people[Standing.OUTSIDER].client
    assert (await stranger.call("setReminders", leads=["PT1H"], eventId=town.hidden_id)).code == "EVENT_NOT_FOUND"
    assert (await stranger.call("setReminders", leads=["PT2H"])).code == "VALIDATION_ERROR"
    starts = {"startsAt": "2031-07-01T20:00:00+02:00", "endsAt": "2031-07-01T23:00:00+02:00"}
    (await owner.client.call("updateEvent", id=town.event_id, input=starts)).ok()
    starts_at = datetime(2031, 7, 1, 18, tzinfo=UTC)
    async with working(town.service.urls) as work:
        for lead in Lead:
            await _beat(work, starts_at - lead_time(lead) + timedelta(seconds=30))
        await work.quiet()
        told = [(user, lead) for user, _, lead, _ in await _told(town.service)]
        assert sorted(told) == sorted(
            [
                (owner.user_id, "PT3H"),
                (moderator.user_id, "PT3H"),
                *((member.user_id, str(lead)) for lead in USUAL),
            ]
        )
        mailed = sorted([moderator.user_id, member.user_id, member.user_id])
        assert [UUID(int=row[0].int) for row in await ask(town.service.urls, _MAILED)] == mailed
        mail = ReminderMail(event_id=town.event_id, starts_at=starts_at)
        async with system_transaction(
            work.services, tenant_id=town.tenant_id, verb="t", reason="t", now=_START, request_id="t"
        ) as ctx:
            letter = await mail.letter(ctx, member.user_id)
            assert await mail.letter(ctx, town.waiting.user_id) is None
            later = ReminderMail(event_id=town.event_id, starts_at=starts_at + timedelta(hours=1))
            assert await later.letter(ctx, member.user_id) is None
            asked = await FeedbackMail(event_id=town.event_id).letter(ctx, member.user_id)
    assert letter is not None
    assert asked is not None
    assert asked.link == f"{town.service.settings.addresses.app}/events/{town.event_id}/feedback"
    # On the clock of the reader, in their language.
    assert worded(mail, letter, "de").paragraphs[1] == "Wann: Mittwoch, 2. Juli 2031, 03:00 (Asia/Tokyo)"
    (await owner.client.call("resetReminders", eventId=town.event_id)).ok()
    assert len((await owner.client.call("myReminders")).ok()["items"]) == 1


@dataclass
class _Gathering:
    """An event as the year has it. seated: since when each person has their place."""

    id: UUID
    starts_at: datetime
    seated: dict[UUID, datetime]
    cancelled: bool = False

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(hours=2)


@dataclass
class _Year:
    """What happens in a year, and what people are to be told by then, worked out row by row."""

    service: Service
    owner: Person
    people: list[Person]
    chance: random.Random
    gatherings: list[_Gathering] = field(default_factory=list)
    expected: set[Told] = field(default_factory=set)
    begun: set[tuple[UUID, str, datetime | None]] = field(default_factory=set)

    async def plan(self, number: int) -> None:
        for each in range(number):
            starts_at = _START + timedelta(days=3 * each + 2, minutes=self.chance.randrange(24 * 60))
            event_id = await make_event(
                self.owner.client, max=99, startsAt=starts_at, endsAt=starts_at + timedelta(hours=2)
            )
            self.gatherings.append(
                _Gathering(event_id, starts_at, {self.owner.user_id: datetime(2026, 1, 1, tzinfo=UTC)})
            )

    async def join(self, event: _Gathering, person: Person, now: datetime) -> None:
        (await person.client.call("joinEvent", eventId=event.id)).ok()
        await change(self.service.urls, _JOINED, now, event.id, person.user_id)
        event.seated[person.user_id] = now

    async def leave(self, event: _Gathering, person: Person) -> None:
        (await person.client.call("leaveEvent", eventId=event.id)).ok()
        del event.seated[person.user_id]

    async def move(self, event: _Gathering, by: timedelta) -> None:
        event.starts_at += by
        times = {"startsAt": event.starts_at, "endsAt": event.ends_at}
        (await self.owner.client.call("updateEvent", id=event.id, input=times)).ok()

    async def cancel(self, event: _Gathering) -> None:
        (await self.owner.client.call("cancelEvent", id=event.id)).ok()
        event.cancelled = True

    async def something_happens(self, event: _Gathering, now: datetime) -> None:
        """One of the things that happen to events, just after a moment at which somebody may have been told."""
        person = self.chance.choice(self.people)
        draw = self.chance.random()
        if draw < 0.35:
            await (self.leave(event, person) if person.user_id in event.seated else self.join(event, person, now))
        elif draw < 0.45 and event.starts_at > now:
            await self.move(event, timedelta(minutes=self.chance.choice((-45, 20, 180, 1500))))
        elif draw < 0.5 and event.starts_at > now:
            await self.cancel(event)
        elif draw < 0.6:
            zone = self.chance.choice(("Asia/Tokyo", "America/New_York", "Europe/Warsaw"))
            (await person.client.call("updateMe", input={"timezone": zone})).ok()

    def see(self, now: datetime) -> None:
        """Note what is due at a moment."""
        for event in self.gatherings:
            if event.cancelled:
                continue
            for lead in Lead:
                due = event.starts_at - lead_time(lead)
                self._round(event, str(lead), event.starts_at, due, now, late(MINUTES[lead]))
            self._round(event, FEEDBACK, None, event.ends_at + timedelta(hours=1), now, 60)

    def _round(
        self, event: _Gathering, kind: str, at: datetime | None, due: datetime, now: datetime, late: int
    ) -> None:
        if not now - timedelta(minutes=late) < due <= now or (event.id, kind, at) in self.begun:
            return
        self.begun.add((event.id, kind, at))
        for person, since in event.seated.items():
            was_there = person != self.owner.user_id and since <= event.ends_at
            if was_there if kind == FEEDBACK else kind in USUAL and since <= due:
                self.expected.add((person, event.id, kind, at))

    def moments(self) -> Iterator[datetime]:
        """When something may be due: those of the next gathering first, again and again, since they move."""
        now = _START
        last = max(each.ends_at for each in self.gatherings) + timedelta(days=3)
        while now < last:
            coming = [
                moment
                for event in self.gatherings
                for moment in (
                    *(event.starts_at - lead_time(lead) for lead in Lead),
                    event.ends_at + timedelta(hours=1),
                )
                if moment > now
            ]
            if not coming:
                return
            now = min(coming) + timedelta(seconds=self.chance.randrange(60))
            yield now


async def _live(year: _Year, work: Work, moment: datetime) -> None:
    """A moment of the year: two workers see what is due, and then something happens."""
    if year.chance.random() < 0.1:
        # A worker that is killed leaves nothing half-done, and the next minute makes up for it.
        with suppress(_Killed):
            await _beat(work, moment, dies=True)
    year.see(moment)
    await asyncio.gather(_beat(work, moment), _beat(work, moment))
    await work.quiet()
    nearest = min(year.gatherings, key=lambda each: abs(each.starts_at - moment))
    if year.chance.random() < 0.4 and not nearest.cancelled:
        await year.something_happens(nearest, moment)


async def test_through_a_year_everybody_is_reminded_once_and_never_of_what_is_off(service: Service) -> None:
    seed = 20261121
    owner = await sign_in(service, "owner")
    people = [await sign_in(service, f"guest {each}") for each in range(4)]
    year = _Year(service, owner, people, random.Random(seed))
    await year.plan(as_much_as(4, thoroughly=120))
    for event in year.gatherings:
        for person in year.chance.sample(people, 2):
            await year.join(event, person, _START)
    async with working(service.urls) as work:
        for moment in year.moments():
            await _live(year, work, moment)
        told = await _told(service)
        assert sorted(year.expected, key=str) == sorted(told, key=str)
        assert len(told) > len(year.gatherings)
        await change(service.urls, _AGAIN)
        await work.quiet()
        assert await _told(service) == told
    assert await value(service.urls, "select count(*) from reminder_rounds") == len(year.begun)
