"""The rules of joining, said twice: what reads tell by SQL is what commands decide in Python, for events of every kind."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Uuid, bindparam, select

from muster.events.joining.predicates import can_join, lock_reason
from muster.events.rules import JoinLock, Places, Terms, Verdict, decide_join, join_locks
from muster.events.tables import Event, EventMemberStatus, EventStatus, JoinMode
from muster.kit.db.statements import to_text
from muster.kit.ids import new_id
from muster.kit.views.view import Viewer
from muster.testing.below import change, maintenance
from muster.testing.people import Standing
from muster.testing.town import Town

NOW = datetime(2026, 5, 1, 18, tzinfo=UTC)
CASES = 1500
IN = (Verdict.SEATED, Verdict.WAITING, Verdict.ASKED)

_EVENTS = """
insert into events (tenant_id, id, owner_id, title, description, timezone, meeting_kind, mode, min, visibility,
                    last_queue_number, created_at, updated_at, version, cancelled_at,
                    status, starts_at, ends_at, join_mode, max, joined_count, join_opens_minutes_before_start,
                    join_cutoff_minutes_before_start, allow_join_late, late_join_cutoff_minutes_after_start,
                    join_closed_at, may_ask_again, publish_at)
select $1, e.id, e.owner_id, 'E', '', 'UTC', 'ONLINE', 'CUSTOM', 1, 'PUBLIC', 0, now(), now(), 1, now(),
       e.status, e.starts_at, e.ends_at, e.join_mode, e.max, e.joined_count, e.join_opens_minutes_before_start,
       e.join_cutoff_minutes_before_start, e.allow_join_late, e.late_join_cutoff_minutes_after_start,
       e.join_closed_at, e.may_ask_again, case e.status when 'SCHEDULED' then now() end
  from jsonb_populate_recordset(null::events, $2::jsonb) as e
"""
_MEMBERS = """
insert into event_members (tenant_id, id, event_id, user_id, role, status, asked_at, queue_number, asked_number)
select $1, gen_random_uuid(), m.event_id, $2, 'PARTICIPANT', m.status, now(), m.queue_number, 1
  from jsonb_populate_recordset(null::event_members, $3::jsonb) as m
"""
_VIEWER = Viewer(
    user_id=bindparam("user_id", type_=Uuid()),
    tenant_id=bindparam("tenant_id", type_=Uuid()),
    now=bindparam("now", type_=DateTime(timezone=True)),
)
_READ = to_text(
    select(
        Event.id,
        lock_reason(Event, _VIEWER).label("lock"),
        can_join(Event, _VIEWER).label("can"),
    ).where(Event.tenant_id == bindparam("tenant_id", type_=Uuid()), Event.title == "E")
)


def _drawn(dice: random.Random, owner_id: UUID) -> dict[str, Any]:
    """An event around the moment, with its bounds often just there."""

    def perhaps(*minutes: int) -> int | None:
        return dice.choice((None, *minutes))

    starts_at = NOW + timedelta(minutes=dice.choice((-90, -30, -10, 0, 10, 30, 60, 600)))
    cutoff = perhaps(0, 10, 30, 60)
    opens = perhaps(61, 120, 600)
    allow_late, most = dice.random() < 0.7, dice.choice((None, 2, 5))
    return {
        "id": new_id(),
        "owner_id": owner_id,
        "status": dice.choice((*EventStatus, *[EventStatus.PUBLISHED] * 6)),
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(minutes=dice.choice((10, 30, 90, 240))),
        "join_mode": dice.choice(list(JoinMode)),
        "max": most,
        "joined_count": 1 if most is None else dice.choice((1, most)),
        "join_opens_minutes_before_start": opens,
        "join_cutoff_minutes_before_start": cutoff,
        "allow_join_late": allow_late,
        "late_join_cutoff_minutes_after_start": perhaps(0, 10, 30) if allow_late else None,
        "join_closed_at": NOW if dice.random() < 0.2 else None,
        "may_ask_again": dice.random() < 0.5,
    }


def _terms(event: dict[str, Any]) -> Terms:
    return Terms(
        status=event["status"],
        starts_at=event["starts_at"],
        ends_at=event["ends_at"],
        join_mode=event["join_mode"],
        opens=event["join_opens_minutes_before_start"],
        cutoff=event["join_cutoff_minutes_before_start"],
        allows_late=event["allow_join_late"],
        late_cutoff=event["late_join_cutoff_minutes_after_start"],
        is_closed=event["join_closed_at"] is not None,
        may_ask_again=event["may_ask_again"],
    )


async def test_reads_tell_what_commands_decide(town: Town) -> None:
    dice = random.Random(7)
    viewer, friend, foe = (town.people[each].user_id for each in (Standing.MEMBER, Standing.OWNER, Standing.OUTSIDER))
    events = [_drawn(dice, dice.choice((friend, friend, foe))) for _ in range(CASES)]
    standings = {each["id"]: dice.choice((None, *EventMemberStatus)) for each in events}
    joined = [
        {"event_id": event_id, "status": status, "queue_number": 1 if status == "WAITLIST" else None}
        for event_id, status in standings.items()
        if status
    ]
    block = "insert into blocks (id, user_id, blocked_id, created_at) values ($1, $2, $3, now())"
    await change(town.service.urls, block, new_id(), foe, viewer)
    await change(town.service.urls, _EVENTS, town.tenant_id, json.dumps(events, default=str))
    await change(town.service.urls, _MEMBERS, town.tenant_id, viewer, json.dumps(joined, default=str))
    async with maintenance(town.service.urls) as connection:
        given = {"user_id": viewer, "tenant_id": town.tenant_id, "now": NOW}
        told = {
            row["id"]: (row["lock"], row["can"]) for row in await connection.fetch(_READ.text, *_READ.arguments(given))
        }
    assert len(told) == CASES
    seen: set[tuple[str | None, bool]] = set()
    for event in events:
        terms, places = _terms(event), Places(event["joined_count"], event["max"])
        is_blocked = event["owner_id"] == foe
        decision = decide_join(terms, places, standings[event["id"]], NOW, is_blocked=is_blocked)
        locks = {*join_locks(terms, places, NOW), *([JoinLock.MANUAL] if is_blocked else [])}
        first = next((lock for lock in JoinLock if lock in locks), None)
        expected = (first, decision.verdict in IN)
        assert told[event["id"]] == expected, (event, standings[event["id"]], is_blocked)
        seen.add(expected)
    # Every lock was the first of some event, and somebody came in with none and with the one that lets people wait.
    assert {lock for lock, _ in seen} == {None, *JoinLock}
    assert {lock for lock, can in seen if can} == {None, JoinLock.FULL, JoinLock.INVITE_ONLY}
