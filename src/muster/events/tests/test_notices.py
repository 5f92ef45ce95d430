"""Notices of new messages: one for who has not read, until they have; none for who spoke, muted or is reading."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from muster.chat.rules import NOTICE_GRACE
from muster.events.letters import MessagesMail
from muster.kit.commands.system import system_transaction
from muster.testing.below import ask, change, value
from muster.testing.client import Client
from muster.testing.people import Person, Standing
from muster.testing.town import Town
from muster.testing.work import Work, working

_TOLD = "select user_id from notifications where kind = 'EVENT_MESSAGES' order by created_at, user_id"
_MAILED = "select user_id from mails where kind = 'events.messages' order by created_at, user_id"
_CROWD = """
with person as (
  insert into users (id, name, email, created_at, verified_at)
  select gen_random_uuid(), 'P', 'p' || n || '@crowd.invalid', now(), now() from generate_series(1, $3) as n returning id
), put as (
  insert into members (tenant_id, id, user_id, role, status, joined_at)
  select $1, gen_random_uuid(), id, 'participant', 'ACTIVE', now() from person returning user_id
)
insert into room_seats (tenant_id, id, room_id, user_id, read_sequence, told_sequence)
select $1, gen_random_uuid(), $2, user_id, 0, 0 from put
"""
SOON = NOTICE_GRACE + timedelta(minutes=1)


async def _told(town: Town) -> list[UUID]:
    rows = await ask(town.service.urls, _TOLD)
    assert sorted(rows) == sorted(await ask(town.service.urls, _MAILED))
    return [UUID(int=row[0].int) for row in rows]


async def _say(client: Client, town: Town) -> None:
    (await client.call("sendEventMessage", eventId=town.event_id, content="Are you coming?")).ok()


async def _read(client: Client, town: Town) -> None:
    (await client.call("markEventChatRead", eventId=town.event_id)).ok()


async def _pass(work: Work, minutes: float = 0) -> None:
    await work.pass_to(datetime.now(UTC) + SOON + timedelta(minutes=minutes))


def _people(town: Town, *standings: Standing) -> list[UUID]:
    return sorted(town.people[each].user_id for each in standings)


async def test_who_has_not_read_is_told_once_until_they_have(town: Town) -> None:
    member, owner = town.people[Standing.MEMBER], town.people[Standing.OWNER]
    async with working(town.service.urls) as work:
        await work.pass_to(datetime.now(UTC))
        assert await _told(town) == []
        await _pass(work)
        # The town's message is its member's.
        assert sorted(await _told(town)) == _people(town, Standing.OWNER, Standing.MODERATOR)
        await _say(member.client, town)
        await _pass(work, 5)
        assert len(await _told(town)) == 2
        unread = (await owner.client.call("myNotificationBadge")).ok()["unreadCount"]
        await _read(owner.client, town)
        # To read the room is to read what told of it.
        assert (await owner.client.call("myNotificationBadge")).ok()["unreadCount"] == unread - 1
        await _say(member.client, town)
        await _pass(work, 10)
        assert (await _told(town))[2:] == [owner.user_id]


async def test_who_muted_or_spoke_or_is_reading_is_not_told(town: Town) -> None:
    owner, moderator = town.client(Standing.OWNER), town.client(Standing.MODERATOR)
    (await moderator.call("muteEvent", eventId=town.event_id, muted=True)).ok()
    await _read(owner, town)
    await _say(town.client(Standing.MEMBER), town)
    # The owner is reading along: the last message is seconds old by then.
    now = datetime.now(UTC) + SOON
    await change(town.service.urls, "update messages set created_at = $1 where sequence = 2", now)
    async with working(town.service.urls) as work:
        await work.pass_to(now)
        assert await _told(town) == []
        await work.pass_to(now + NOTICE_GRACE)
        assert await _told(town) == _people(town, Standing.OWNER)


async def test_what_was_deleted_is_not_told_of(town: Town) -> None:
    (await town.client(Standing.MEMBER).call("deleteEventMessage", eventId=town.event_id, id=town.message_id)).ok()
    async with working(town.service.urls) as work:
        await _pass(work)
        assert await _told(town) == []


async def test_a_crowd_is_told_in_parts_each_person_once(town: Town) -> None:
    await change(town.service.urls, _CROWD, town.tenant_id, town.event_id, 250)
    async with working(town.service.urls) as work:
        await _pass(work)
        told = await _told(town)
        assert len(told) == len(set(told)) == 252
        # As if every job ran once more.
        again = "insert into outbox (tenant_id, fact_id) select tenant_id, id from facts on conflict do nothing"
        await change(town.service.urls, again)
        await work.quiet()
        assert sorted(await _told(town)) == sorted(told)


async def test_two_schedules_at_once_tell_once(town: Town) -> None:
    async with working(town.service.urls) as one, working(town.service.urls) as two:
        now = datetime.now(UTC) + SOON
        await asyncio.gather(one.pass_to(now), two.pass_to(now))
        assert sorted(await _told(town)) == _people(town, Standing.OWNER, Standing.MODERATOR)


@pytest.mark.parametrize("seed", range(2))
async def test_speaking_reading_and_telling_at_once_forget_nobody(town: Town, seed: int) -> None:
    """Whoever has something unread was told since they last read, or their room is due again."""
    people = [town.people[each] for each in (Standing.OWNER, Standing.MODERATOR, Standing.MEMBER)]

    async def live(person: Person) -> None:
        for number in range(10):
            await (_say if (number + seed) % 3 else _read)(person.client, town)

    async with working(town.service.urls) as work:

        async def watch() -> None:
            for minutes in range(6):
                await work.pass_to(datetime.now(UTC) + SOON + minutes * NOTICE_GRACE)

        await asyncio.gather(*(live(person) for person in people), watch())
        await _pass(work, 60)
        await _pass(work, 120)
    forgotten = """
    select s.user_id from room_seats s where s.told_sequence <= s.read_sequence and exists (
      select from messages m where m.room_id = s.room_id and m.sequence > s.read_sequence and m.author_id <> s.user_id)
    """
    assert await ask(town.service.urls, forgotten) == []
    assert await value(town.service.urls, "select count(*) from rooms where notice_due_at is not null") == 0


async def test_a_mail_that_comes_too_late_is_not_written(town: Town) -> None:
    owner = town.people[Standing.OWNER]
    mail = MessagesMail(event_id=town.event_id, sequence=1)

    async def written(work: Work) -> bool:
        async with system_transaction(
            work.services,
            tenant_id=town.tenant_id,
            verb="test",
            reason="test",
            now=datetime.now(UTC),
            request_id="test",
        ) as ctx:
            return await mail.letter(ctx, owner.user_id) is not None

    async with working(town.service.urls) as work:
        assert await written(work)
        (await owner.client.call("muteEvent", eventId=town.event_id, muted=True)).ok()
        assert not await written(work)
        (await owner.client.call("muteEvent", eventId=town.event_id, muted=False)).ok()
        assert await written(work)
        await _read(owner.client, town)
        assert not await written(work)
