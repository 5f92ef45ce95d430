"""Who goes from the community goes from its events, whatever these are going through meanwhile."""

import asyncio

import asyncpg
import pytest

from muster.events.tests.support import at_once, sound
from muster.tenancy.tests.support import Club, found_club
from muster.testing.below import maintenance, value
from muster.testing.client import Answer
from muster.testing.people import put_in_tenant, sign_in
from muster.testing.serving import Service
from muster.testing.town import make_event
from muster.testing.work import drain

_STATUS = "select status from event_members where event_id = $1 and user_id = $2"
_STRANGERS = """
select count(*) from event_members e join members m on m.tenant_id = e.tenant_id and m.user_id = e.user_id
 where m.status <> 'ACTIVE' and e.status in ('JOINED', 'WAITLIST', 'PENDING', 'INVITED')
"""
"""How many are in events who are not in the community."""
_WAITING = "select count(*) from pg_stat_activity where datname = current_database() and pg_blocking_pids(pid) <> '{}'"


async def _go(club: Club, name: str, how: str) -> Answer:
    if how == "leaveTenant":
        return await club.client(name).call("leaveTenant")
    return await club.client("owner").call("removeMember", userId=club.id_of(name))


async def _until_somebody_waits(look: asyncpg.Connection) -> None:
    async with asyncio.timeout(10):
        while not await look.fetchval(_WAITING):  # noqa: ASYNC110 - the other side is PostgreSQL
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("how", ["leaveTenant", "removeMember"])
@pytest.mark.parametrize("gone", ["cancelEvent", "deleteEvent"])
async def test_who_goes_while_an_event_is_gone_is_not_in_it_when_it_is_back(
    service: Service, gone: str, how: str
) -> None:
    club = await found_club(service, "participant", "spectator", "moderator")
    owner = club.client("owner")
    event_id = await make_event(owner, max=2)
    for name in ("participant", "spectator"):
        (await club.client(name).call("joinEvent", eventId=event_id)).ok()
    (await owner.call(gone, id=event_id)).ok()
    (await _go(club, "participant", how)).ok()
    await drain(service.urls)
    assert await value(service.urls, _STATUS, event_id, club.id_of("participant")) == "LEFT"
    waiting = await value(service.urls, _STATUS, event_id, club.id_of("spectator"))
    assert waiting == "WAITLIST"
    (await owner.call("restoreEvent", id=event_id)).ok()
    if gone == "deleteEvent":
        # What was never cancelled comes back as a draft, into which nobody is let.
        (await owner.call("publishEvent", id=event_id)).ok()
    await sound(service, event_id)


async def test_who_joins_while_they_leave_the_community_is_not_in_the_event(service: Service) -> None:
    club = await found_club(service, "participant")
    event_id = await make_event(club.client("owner"))
    async with maintenance(service.urls) as other, maintenance(service.urls) as look:
        held = other.transaction()
        await held.start()
        await other.execute("select from events where id = $1 for update", event_id)
        joining = asyncio.create_task(club.client("participant").call("joinEvent", eventId=event_id))
        await _until_somebody_waits(look)
        (await club.client("participant").call("leaveTenant")).ok()
        await drain(service.urls)
        await held.rollback()
        assert (await joining).code == "EVENT_NOT_FOUND"
    assert await value(service.urls, _STRANGERS) == 0


async def test_who_leaves_the_community_waits_for_their_joining(service: Service) -> None:
    club = await found_club(service, "participant", "moderator")
    event_id = await make_event(club.client("owner"))
    async with maintenance(service.urls) as other, maintenance(service.urls) as look:
        held = other.transaction()
        await held.start()
        # What a joining person's transaction holds until it ends.
        await other.execute("select from members where user_id = $1 for share", club.id_of("participant"))
        leaving = asyncio.create_task(club.client("participant").call("leaveTenant"))
        await _until_somebody_waits(look)
        (await club.client("participant").call("joinEvent", eventId=event_id)).ok()
        await held.rollback()
        (await leaving).ok()
    await drain(service.urls)
    assert await value(service.urls, _STATUS, event_id, club.id_of("participant")) == "LEFT"
    await sound(service, event_id)


async def test_people_come_and_go_while_an_event_is_called_off_and_brought_back(service: Service) -> None:
    club = await found_club(service)
    owner = club.client("owner")
    event_id = await make_event(owner, max=4)
    people = [await sign_in(service, f"person {number}") for number in range(9)]
    for each in people:
        await put_in_tenant(service, each, club.tenant_id)
    clients = [each.client.in_tenant(club.tenant_id) for each in people]
    for turn in range(3):
        first, second, third = (clients[number] for number in range(3 * turn, 3 * turn + 3))
        await at_once(first.call("joinEvent", eventId=event_id), second.call("joinEvent", eventId=event_id))
        await asyncio.gather(
            owner.call("cancelEvent", id=event_id),
            first.call("leaveTenant"),
            third.call("joinEvent", eventId=event_id),
            owner.call("removeMember", userId=people[3 * turn + 2].user_id),
            drain(service.urls),
            owner.call("restoreEvent", id=event_id),
        )
        (await owner.call("restoreEvent", id=event_id)).ok()
        await drain(service.urls)
        assert await value(service.urls, _STRANGERS) == 0
        await sound(service, event_id)
