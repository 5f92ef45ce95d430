"""What must hold of the database once all is quiet, whatever happened before. Each question finds only what is wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from muster.kit.db.migrate import Urls
from muster.testing.counts import WRONGLY_UNREAD

QUIET = """
select (select count(*) from outbox)
     + (select count(*) from pgqueuer.pgqueuer where status in ('queued', 'picked'))
     + (select count(*) from facts where position is null)
"""

WRONG = {
    "a fact has no position": "select kind, id from facts where position is null",
    "two facts share a position": "select position, count(*) from facts group by 1 having count(*) > 1",
    "the outbox holds a fact": "select fact_id from outbox",
    "a job waits or has failed": "select entrypoint, status, attempts from pgqueuer.pgqueuer",
    "the count of seats is not the number of people seated": """
        select e.id, e.joined_count, count(m.id) from events e
          left join event_members m on m.event_id = e.id and m.status = 'JOINED'
         group by e.id, e.joined_count having e.joined_count <> count(m.id)""",
    "more people are seated than the event holds": """
        select e.id, e.max, count(*) from events e join event_members m on m.event_id = e.id and m.status = 'JOINED'
         group by e.id, e.max having count(*) > e.max""",
    "somebody waits although a place is free": """
        select e.id, m.user_id from events e join event_members m on m.event_id = e.id and m.status = 'WAITLIST'
         where e.joined_count < e.max""",
    "two people wait at one place": """
        select event_id, queue_number from event_members where queue_number is not null
         group by 1, 2 having count(*) > 1""",
    "a place was taken by who is not in the room, or the other way round": """
        select m.event_id, m.user_id, s.room_id, s.user_id
          from (select event_id, user_id from event_members where status = 'JOINED') m
          full join room_seats s on s.room_id = m.event_id and s.user_id = m.user_id
         where m.user_id is null or s.user_id is null""",
    "what the facts say of a membership is not what it is": """
        select m.id, m.status, last.kind from event_members m
          left join (select distinct on (1) (f.data->>'member_id')::uuid as member_id, f.kind from facts f
                      where f.data ? 'member_id' order by 1, f.position desc) last on last.member_id = m.id
         where m.role <> 'OWNER' and m.status is distinct from
               case last.kind when 'event.waitlisted' then 'WAITLIST' when 'event.left' then 'LEFT' else 'JOINED' end""",
    "a fact speaks of a membership that is not there": """
        select id, kind from facts
         where data ? 'member_id' and (data->>'member_id')::uuid not in (select id from event_members)""",
    "somebody overtook another in the queue": """
        select event_id, member_id, waited, previous from (
          select event_id, member_id, waited, lag(waited) over (partition by event_id order by position) as previous
            from (select (f.data->>'event_id')::uuid as event_id, (f.data->>'member_id')::uuid as member_id, f.position,
                         (select max(w.position) from facts w
                           where w.kind = 'event.waitlisted' and w.aggregate_id = f.aggregate_id
                             and w.data->>'member_id' = f.data->>'member_id' and w.position < f.position) as waited
                    from facts f where f.kind = 'event.promoted') promotions) in_turn
         where waited is null or waited < previous""",
    "an owner was not told exactly once who joined": """
        select f.id, count(n.id) from facts f join events e on e.id = (f.data->>'event_id')::uuid
          left join notifications n on n.fact_id = f.id and n.user_id = e.owner_id and n.kind = 'EVENT_JOINED'
         where f.kind = 'event.joined' and e.owner_id <> (f.data->>'user_id')::uuid
         group by f.id having count(n.id) <> 1""",
    "somebody was not told exactly once that they have a place now": """
        select f.id, count(n.id) from facts f
          left join notifications n on n.fact_id = f.id and n.kind = 'WAITLIST_PROMOTED'
                                   and n.user_id = (f.data->>'user_id')::uuid
         where f.kind = 'event.promoted' group by f.id having count(n.id) <> 1""",
    "somebody was told what did not happen": """
        select n.id, n.kind, f.kind from notifications n left join facts f on f.id = n.fact_id
         where f.kind is distinct from
               case n.kind when 'EVENT_JOINED' then 'event.joined' when 'WAITLIST_PROMOTED' then 'event.promoted'
                           when 'EVENT_CANCELLED' then 'event.cancelled' when 'EVENT_MESSAGES' then 'room.unread' end""",
    "somebody in a cancelled event was not told exactly once": """
        select m.event_id, m.user_id, count(n.id) from facts f
          join event_members m on m.event_id = f.aggregate_id and m.status in ('JOINED', 'WAITLIST')
                              and m.user_id <> f.actor_id
          left join notifications n on n.fact_id = f.id and n.user_id = m.user_id and n.kind = 'EVENT_CANCELLED'
         where f.kind = 'event.cancelled' group by 1, 2 having count(n.id) <> 1""",
    "a notification was not announced exactly once": """
        select n.id, count(f.id) from notifications n
          left join facts f on f.kind = 'notification.added' and f.data->>'notification_id' = n.id::text
         group by n.id having count(f.id) <> 1""",
    "messages of a room are not numbered without gaps": """
        select r.id, r.last_sequence, count(m.id), max(m.sequence) from rooms r
          left join messages m on m.room_id = r.id
         group by r.id, r.last_sequence
        having count(m.id) <> r.last_sequence or coalesce(max(m.sequence), 0) <> r.last_sequence""",
    "a message was not announced exactly once": """
        select m.id, count(f.id) from messages m
          left join facts f on f.kind = 'message.sent' and f.data->>'message_id' = m.id::text
         group by m.id having count(f.id) <> 1""",
    "an unread count is not what counting gives": WRONGLY_UNREAD,
    "somebody has read what was not said yet": """
        select s.room_id, s.user_id, s.read_sequence from room_seats s join rooms r on r.id = s.room_id
         where s.read_sequence > r.last_sequence""",
    "somebody was told of a message that was not said yet": """
        select s.room_id, s.user_id, s.told_sequence from room_seats s join rooms r on r.id = s.room_id
         where s.told_sequence > r.last_sequence""",
    "a room has something new and nobody looks for who has to read it": """
        select r.id from rooms r where r.notice_due_at is null
           and r.last_sequence > (select coalesce(max((f.data->>'sequence')::bigint), 0) from facts f
                                   where f.kind = 'room.unread' and f.aggregate_id = r.id)""",
    "words that their author deleted are still there": """
        select m.id from messages m join message_versions v on v.message_id = m.id
         where m.deleted_by_id = m.author_id""",
    "an event lacks its room, its owner's place or its fact": """
        select e.id from events e
         where not exists (select from rooms r where r.id = e.id)
            or not exists (select from event_members m
                            where m.event_id = e.id and m.user_id = e.owner_id and m.role = 'OWNER' and m.status = 'JOINED')
            or (select count(*) from facts f where f.kind = 'event.created' and f.aggregate_id = e.id) <> 1""",
}
"""What would be wrong, and the statement that finds it."""


@asynccontextmanager
async def looking(urls: Urls) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the owner, who in maintenance sees every row."""
    connection = await asyncpg.connect(urls.owner, server_settings={"muster.maintenance": "on"})
    try:
        yield connection
    finally:
        await connection.close()


async def until_quiet(urls: Urls, seconds: float) -> None:
    """Wait until every fact has its position and no job waits or runs. What is left over by then, `wrongs` finds."""
    async with asyncio.timeout(seconds), looking(urls) as connection:
        while await connection.fetchval(QUIET):  # noqa: ASYNC110 - the other side is a process
            await asyncio.sleep(0.05)


async def wrongs(urls: Urls) -> list[str]:
    """A sentence for everything that is wrong, with the first rows that show it."""
    found = []
    async with looking(urls) as connection:
        await connection.execute("analyze")
        for sentence, question in WRONG.items():
            rows = await connection.fetch(question)
            if rows:
                found.append(f"{sentence}: {len(rows)} times, as in {[tuple(row) for row in rows[:3]]}")
    return found
