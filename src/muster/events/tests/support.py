"""What tests of events share: people, calls at once, and what is always true of an event."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from muster.events.tables import WaitlistPolicy
from muster.kit.commands.system import system_transaction
from muster.kit.mail.kinds import Mail
from muster.kit.mail.writing import Wording, worded
from muster.testing.below import ask, change, value
from muster.testing.client import Answer
from muster.testing.people import Person, sign_in
from muster.testing.serving import Service
from muster.testing.town import Town
from muster.testing.work import Work

QUEUE = """
select user_id::text, queue_number from event_members where event_id = $1 and status = 'WAITLIST' order by queue_number
"""
SEATED = "select coalesce(sum(party_size), 0) from event_members where event_id = $1 and status = 'JOINED'"
FACTS = "select count(*) from facts where kind = $1 and aggregate_id = $2"
_SEATED_PARTIES = "select count(*) from event_members where event_id = $1 and status = 'JOINED'"
_HELD = """
select coalesce(sum(party_size), 0) from event_members where event_id = $1 and offer_expires_at is not null
"""
_COUNTED_AS_HELD = "select held_count from events where id = $1"
_COUNTED = "select joined_count from events where id = $1"
_SEATS_IN_ROOM = "select count(*) from room_seats where room_id = $1"
_WAITING = """
select user_id, party_size from event_members where event_id = $1 and status = 'WAITLIST' and offer_expires_at is null
 order by queue_number
"""
_POLICY = "select waitlist_policy from events where id = $1"
_PLACES = "select coalesce(max, 99999) from events where id = $1"

_CROWD = """
with person as (
  insert into users (id, name, email, created_at)
  select gen_random_uuid(), 'P', n || '@crowd.invalid', now() from generate_series(1, $2::int) as n returning id
), place as (
  select e.tenant_id, e.id as event_id, p.id as user_id, row_number() over () as number from person p, events e
   where e.id = $1
), member as (
  insert into members (tenant_id, id, user_id, role, status, joined_at)
  select tenant_id, gen_random_uuid(), user_id, 'participant', 'ACTIVE', now() from place
)
insert into event_members (tenant_id, id, event_id, user_id, role, status, asked_at, queue_number)
select tenant_id, gen_random_uuid(), event_id, user_id, 'PARTICIPANT', 'WAITLIST', now(), number from place
"""


async def crowd(service: Service, event_id: UUID, number: int) -> None:
    """Let so many people wait for an event, without their doing."""
    await change(service.urls, _CROWD, event_id, number)


async def some_people(service: Service, number: int) -> list[Person]:
    """So many people, signed in."""
    return [await sign_in(service, f"person {each}") for each in range(number)]


async def at_once(*calls: Coroutine[Any, Any, Answer]) -> list[Answer]:
    """The answers to calls that are made at the same time."""
    return list(await asyncio.gather(*calls))


async def sound(service: Service, event_id: Any) -> None:
    """What is always true of an event: seats, counter and room agree; the queue has no ties; no seat is free in vain."""
    seated = await value(service.urls, SEATED, event_id)
    queue = [row[1] for row in await ask(service.urls, QUEUE, event_id)]
    most = await value(service.urls, _PLACES, event_id)
    held = await value(service.urls, _HELD, event_id)
    assert seated == await value(service.urls, _COUNTED, event_id)
    assert held == await value(service.urls, _COUNTED_AS_HELD, event_id)
    parties = await value(service.urls, _SEATED_PARTIES, event_id)
    assert parties == await value(service.urls, _SEATS_IN_ROOM, event_id)
    assert seated + held <= most
    assert len(set(queue)) == len(queue)
    # Whom the event could never seat, nobody waits for.
    waiting = [row[1] for row in await ask(service.urls, _WAITING, event_id) if row[1] <= max(1, most - 1)]
    policy = WaitlistPolicy(await value(service.urls, _POLICY, event_id))
    first = waiting[:1] if policy == WaitlistPolicy.FIFO_STRICT else waiting
    assert all(size > most - seated - held for size in first)


async def letter_for(work: Work, town: Town, mail: Mail, person: Person, language: str = "en") -> Wording | None:
    """What a person would read now."""
    async with system_transaction(
        work.services, tenant_id=town.tenant_id, verb="test", reason="test", now=datetime.now(UTC), request_id="test"
    ) as ctx:
        letter = await mail.letter(ctx, person.user_id)
    return None if letter is None else worded(mail, letter, language)
