"""What a notification is about: a row of one of several views, for whoever may still see it."""

import pytest

from muster.testing.below import change
from muster.testing.people import Standing
from muster.testing.town import Town
from muster.testing.work import drain

SUBJECTS = """{ myNotifications { nodes { kind subject {
  __typename
  ... on Event { title joinedCount }
  ... on EventMember { user { name } event { title } }
} } } }"""


@pytest.fixture
async def told(town: Town) -> Town:
    """A town whose people have been told what happened."""
    await drain(town.service.urls)
    return town


async def _subjects(town: Town, standing: Standing) -> list[object]:
    data = (await town.client(standing).document(SUBJECTS))["data"]
    return [each["subject"] for each in data["myNotifications"]["nodes"]]


async def test_each_kind_of_subject_is_read_along(told: Town) -> None:
    event = {"title": "An evening in main"}
    # Of what was announced, and of the place that became free.
    assert await _subjects(told, Standing.MEMBER) == 2 * [{"__typename": "Event", **event, "joinedCount": 3}]
    assert await _subjects(told, Standing.OWNER) == [
        {"__typename": "EventMember", "user": {"name": name}, "event": event}
        for name in ("main moderator", "main kicked")
    ]


async def test_rest_shows_it_in_brief_with_its_type(told: Town) -> None:
    found = (await told.client(Standing.MEMBER).call("myNotifications")).ok()["items"]
    brief = {"id": str(told.event_id), "title": "An evening in main", "joinedCount": 3}
    assert [each["subject"] for each in found] == 2 * [{"type": "Event", **brief}]


async def test_a_subject_that_is_gone_from_sight_is_null(told: Town) -> None:
    await change(told.service.urls, "update events set status = 'DELETED' where id = $1", told.event_id)
    assert await _subjects(told, Standing.MEMBER) == [None, None]
    assert await _subjects(told, Standing.OWNER) == [None, None]
