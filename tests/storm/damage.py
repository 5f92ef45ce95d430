"""Damage done on purpose, to see that each question of `truth` notices its own."""

from muster.kit.db.migrate import Urls
from tests.storm.truth import WRONG, looking

_NEW_FACT = """
insert into facts (tenant_id, id, kind, version, aggregate_id, data, actor_kind, request_id, at, position)
select tenant_id, uuidv7(), kind, version, aggregate_id, data, actor_kind, request_id, at, 0
  from facts where kind = '{}' limit 1
"""

DAMAGE = {
    "a fact has no position": "update facts set position = null where kind = 'event.created'",
    "two facts share a position": "update facts set position = 1 where kind in ('event.created', 'event.published')",
    "the outbox holds a fact": "insert into outbox (tenant_id, fact_id) select tenant_id, id from facts limit 1",
    "a job waits or has failed": "insert into pgqueuer.pgqueuer (priority, status, entrypoint) values (0, 'failed', 'x')",
    "the count of seats is not the number of people seated": "update events set joined_count = joined_count - 1",
    "more people are seated than the event holds": "update event_members set status = 'JOINED', queue_number = null",
    "somebody waits although a place is free": "update events set max = max + 1",
    "two people wait at one place": (
        "drop index event_members_queue_idx; update event_members set queue_number = 1 where status = 'WAITLIST'"
    ),
    "a place was taken by who is not in the room, or the other way round": (
        "delete from room_seats where id = (select id from room_seats limit 1)"
    ),
    "what the facts say of a membership is not what it is": (
        "update event_members set status = 'LEFT', queue_number = null where status = 'WAITLIST'"
    ),
    "a fact speaks of a membership that is not there": (
        "delete from event_member_changes; delete from event_members where status = 'WAITLIST'"
    ),
    "somebody overtook another in the queue": (
        "update facts set position = -position where kind = 'event.promoted'; "
        "update facts set position = position - 1000000 where kind = 'event.waitlisted'"
    ),
    "an owner was not told exactly once who joined": (
        "delete from notifications where id = (select id from notifications where kind = 'EVENT_JOINED' limit 1)"
    ),
    "somebody was not told exactly once that they have a place now": (
        "delete from notifications where id = (select id from notifications where kind = 'WAITLIST_PROMOTED' limit 1)"
    ),
    "somebody in a cancelled event was not told exactly once": (
        "delete from notifications where id = (select id from notifications where kind = 'EVENT_CANCELLED' limit 1)"
    ),
    "somebody was told what did not happen": "update notifications set fact_id = id",
    "a notification was not announced exactly once": _NEW_FACT.format("notification.added"),
    "messages of a room are not numbered without gaps": "update rooms set last_sequence = last_sequence + 1",
    "a message was not announced exactly once": _NEW_FACT.format("message.sent"),
    "an unread count is not what counting gives": "update rooms set last_sequence = last_sequence + 1",
    "somebody has read what was not said yet": "update room_seats set read_sequence = read_sequence + 1000000",
    "somebody was told of a message that was not said yet": "update room_seats set told_sequence = 1000000",
    "a room has something new and nobody looks for who has to read it": "update rooms set notice_due_at = null",
    "words that their author deleted are still there": (
        "insert into message_versions (tenant_id, id, message_id, author_id, content, written_at) "
        "select tenant_id, id, id, author_id, content, created_at from messages limit 1; "
        "update messages set content = null, deleted_at = now(), deleted_by_id = author_id"
    ),
    "an event lacks its room, its owner's place or its fact": _NEW_FACT.format("event.created"),
}
"""For each question, statements after which it must have an answer."""


async def unnoticed(urls: Urls) -> list[str]:
    """The questions that find nothing although their damage is done; each damage is taken back."""
    assert DAMAGE.keys() == WRONG.keys()
    found = []
    async with looking(urls) as connection:
        for sentence, statements in DAMAGE.items():
            damaged = connection.transaction()
            await damaged.start()
            await connection.execute(statements)
            if not await connection.fetch(WRONG[sentence]):
                found.append(sentence)
            await damaged.rollback()
    return found
