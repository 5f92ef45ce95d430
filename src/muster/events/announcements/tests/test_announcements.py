"""Announcements: who may make them, how many, who reads them, and who is told."""

from typing import Any
from uuid import UUID

import pytest

from muster.events.announcements.notices import AnnouncedMail
from muster.events.tests.support import at_once, letter_for
from muster.kit.ids import new_id
from muster.testing.below import ask, change, snapshot
from muster.testing.client import Answer, Way
from muster.testing.people import Standing
from muster.testing.town import Town
from muster.testing.work import working

_TOLD = "select user_id from notifications where kind = 'EVENT_ANNOUNCEMENT' and data ->> 'announcementId' = $1"
_FORGET = "update event_announcements set created_at = created_at - interval '61 minutes'"
NEWS = "We meet at the south gate."


async def _announce(town: Town, by: Standing = Standing.OWNER, way: Way = Way.REST, **more: Any) -> Answer:
    return await town.people[by].client.call("announce", way=way, eventId=town.event_id, **({"content": NEWS} | more))


async def _read(town: Town, by: Standing) -> list[str]:
    answer = await town.people[by].client.call("eventAnnouncements", eventId=town.event_id)
    return [each["content"] for each in answer.ok()["items"]]


async def test_who_has_a_place_is_told_and_its_author_is_not(town: Town) -> None:
    made, mailed = (await _announce(town)).ok(), AnnouncedMail(event_id=town.event_id, announcement_id=new_id())
    async with working(town.service.urls) as work:
        await work.quiet()
        told = [row[0] for row in await ask(town.service.urls, _TOLD, made["id"])]
        mail = AnnouncedMail(event_id=town.event_id, announcement_id=UUID(made["id"]))
        letter = await letter_for(work, town, mail, town.people[Standing.MEMBER], "de")
        assert await letter_for(work, town, mailed, town.people[Standing.MEMBER]) is None
    assert sorted(told) == sorted(town.people[each].user_id for each in (Standing.MODERATOR, Standing.MEMBER))
    assert letter is not None
    assert (letter.subject, letter.paragraphs) == ("Neues von An evening in main", (NEWS,))


async def test_only_whom_it_is_for_and_organisers_read_it(town: Town) -> None:
    (await _announce(town)).ok()
    wanted = "update event_members set status = 'INVITED', queue_number = null where user_id = $1"
    await change(town.service.urls, wanted, town.waiting.user_id)
    (await _announce(town, content="Your places are kept until Friday.", audience=["INVITED"])).ok()
    invited = (await town.waiting.client.call("eventAnnouncements", eventId=town.event_id)).ok()["items"]
    assert [each["content"] for each in invited] == ["Your places are kept until Friday."]
    assert NEWS in await _read(town, Standing.MEMBER)
    assert "Your places are kept until Friday." not in await _read(town, Standing.MEMBER)
    assert len(await _read(town, Standing.MODERATOR)) == len(await _read(town, Standing.MEMBER)) + 1
    assert await _read(town, Standing.OUTSIDER) == []


async def test_only_organisers_announce_and_only_of_what_is_out(town: Town) -> None:
    refused = await _announce(town, Standing.MEMBER)
    assert (refused.status, refused.code) == (403, "NOT_ORGANISER")
    owner = town.people[Standing.OWNER].client
    draft = await owner.call("announce", eventId=town.draft_id, content=NEWS)
    assert (draft.status, draft.code) == (409, "NOT_PUBLISHED")
    unseen = await town.people[Standing.OUTSIDER].client.call("announce", eventId=town.draft_id, content=NEWS)
    assert (unseen.status, unseen.code) == (404, "EVENT_NOT_FOUND")


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize(
    "given", [{"content": ""}, {"content": " "}, {"content": "x" * 501}, {"audience": []}, {"audience": ["BANNED"]}]
)
async def test_what_is_no_announcement(town: Town, way: Way, given: dict[str, Any]) -> None:
    before = await snapshot(town.service.urls, without=["audit_rows"])
    answer = await _announce(town, way=way, **given)
    assert answer.status in (400, 422)
    assert next(iter(given)) in answer.problem["detail"]
    assert await snapshot(town.service.urls, without=["audit_rows"]) == before


async def test_an_event_announces_three_things_an_hour_however_many_try_at_once(town: Town) -> None:
    await change(town.service.urls, _FORGET)
    organisers = (Standing.OWNER, Standing.MODERATOR) * 3
    answers = await at_once(*(_announce(town, each) for each in organisers))
    assert sorted(each.status for each in answers) == [201, 201, 201, 429, 429, 429]
    refused = next(each for each in answers if each.status == 429)
    assert 0 < refused.problem["retryAfter"] <= 3600
    await change(town.service.urls, _FORGET)
    (await _announce(town)).ok()
