"""What people are told about events: who, once, and in which words."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from muster.events.letters import CancelledMail, MovedMail, PromotedMail
from muster.events.tests.support import crowd, letter_for
from muster.testing.below import ask, change, value
from muster.testing.people import Person, Standing, sign_in
from muster.testing.serving import Service
from muster.testing.town import Town, make_event
from muster.testing.work import drain, working

_TOLD = "select user_id from notifications where kind = $1 order by user_id"
_MAILED = "select user_id from mails where kind = $1 order by user_id"
_AGAIN = "insert into outbox (tenant_id, fact_id) select tenant_id, id from facts on conflict do nothing"


async def _told(town: Town, kind: str, mail: str) -> list[UUID]:
    """Who was told something, once each, in the product and by mail."""
    told = await ask(town.service.urls, _TOLD, kind)
    assert told == await ask(town.service.urls, _MAILED, mail)
    return [row[0] for row in told]


def _ids(*people: Person) -> list[UUID]:
    return sorted(person.user_id for person in people)


async def test_everybody_in_a_cancelled_event_is_told_once(town: Town) -> None:
    owner, moderator, member = (town.people[each] for each in (Standing.OWNER, Standing.MODERATOR, Standing.MEMBER))
    (await moderator.client.call("cancelEvent", id=town.event_id, reason="It rains")).ok()
    async with working(town.service.urls) as work:
        await work.quiet()
        assert await _told(town, "EVENT_CANCELLED", "events.cancelled") == _ids(owner, member, town.waiting)
        await change(town.service.urls, _AGAIN)
        await work.quiet()
        assert await _told(town, "EVENT_CANCELLED", "events.cancelled") == _ids(owner, member, town.waiting)
        letter = await letter_for(work, town, CancelledMail(event_id=town.event_id), member)
    assert letter is not None
    assert (letter.subject, letter.paragraphs[1]) == ("An evening in main is cancelled", "The organisers say: It rains")


async def test_who_has_a_place_is_told_that_the_event_moved(town: Town) -> None:
    owner, moderator, member = (town.people[each] for each in (Standing.OWNER, Standing.MODERATOR, Standing.MEMBER))
    (await _update(owner, town.event_id, title="A new title", description="And more", max=3)).ok()
    (await _update(owner, town.draft_id, city="Lublin")).ok()
    (await _update(owner, town.event_id, startsAt="2099-07-01T20:00:00+02:00", endsAt="2099-07-01T21:00:00Z")).ok()
    async with working(town.service.urls) as work:
        await work.quiet()
        assert await _told(town, "EVENT_UPDATED", "events.moved") == _ids(moderator, member)
        letter = await letter_for(work, town, MovedMail(event_id=town.event_id), member)
        in_polish = await letter_for(work, town, MovedMail(event_id=town.event_id), member, "pl")
        assert await letter_for(work, town, MovedMail(event_id=town.event_id), town.waiting) is None
    assert letter is not None
    assert letter.paragraphs[1:] == (
        "When: Wednesday, 1 July 2099, 20:00 (Europe/Warsaw)",
        "Where: Market Square 1, Warsaw, Poland",
    )
    assert in_polish is not None
    assert in_polish.paragraphs[1] == "Kiedy: środa, 1 lipca 2099, 20:00 (Europe/Warsaw)"
    (told,) = (
        each for each in (await member.client.call("myNotifications")).ok()["items"] if "UPDATED" in each["kind"]
    )
    assert told["data"]["changed"] == ["endsAt", "startsAt"]
    assert datetime.fromisoformat(told["data"]["oldStartsAt"]) > datetime.now(UTC)


async def test_who_is_promoted_removed_or_given_a_role_is_told(town: Town) -> None:
    owner, member = town.people[Standing.OWNER], town.people[Standing.MEMBER]
    (await owner.client.call("kickMember", eventId=town.event_id, userId=member.user_id)).ok()
    waiting = town.waiting.user_id
    (await owner.client.call("updateMemberRole", eventId=town.event_id, userId=waiting, role="MODERATOR")).ok()
    async with working(town.service.urls) as work:
        await work.quiet()
        promoted = await letter_for(work, town, PromotedMail(event_id=town.event_id), town.waiting)
        assert await letter_for(work, town, PromotedMail(event_id=town.event_id), member) is None
    assert promoted is not None
    assert promoted.subject == "You have a place at An evening in main"
    mine = (await town.waiting.client.call("myNotifications")).ok()["items"]
    told = ["EVENT_ANNOUNCEMENT", "EVENT_MEMBER_ROLE_CHANGED", "WAITLIST_PROMOTED"]
    assert sorted(each["kind"] for each in mine) == told
    theirs = (await member.client.call("myNotifications")).ok()["items"]
    assert [(each["kind"], each["data"]) for each in theirs if "KICKED" in each["kind"]] == [
        ("EVENT_MEMBER_KICKED", {"eventId": str(town.event_id)})
    ]


async def test_a_crowd_is_told_in_many_short_transactions(service: Service) -> None:
    owner = await sign_in(service, "owner")
    event_id = await make_event(owner.client, max=2)
    await crowd(service, event_id, 450)
    (await owner.client.call("cancelEvent", id=event_id)).ok()
    await drain(service.urls)
    told = "select count(*), count(distinct user_id) from notifications where kind = 'EVENT_CANCELLED'"
    assert await ask(service.urls, told) == [(450, 450)]
    # Every transaction in which the system told somebody left a row.
    rows = "select count(*) from audit_rows where verb = 'events.notices.tell_cancelled'"
    assert await value(service.urls, rows) == 3


async def _update(person: Person, event_id: UUID, **changes: object) -> Any:
    return await person.client.call("updateEvent", id=event_id, input=changes)
