"""What people do with what they are told: read, keep for later, delete; and a badge that is always right."""

import asyncio
import random
from typing import Any

import pytest

from muster.testing.below import change, snapshot, value
from muster.testing.client import Client, Way
from muster.testing.people import Standing
from muster.testing.town import Town
from muster.testing.work import drain, working

_CHANGES = "select count(*) from facts where kind = 'notification.badge_changed'"
_TELL = """
insert into notifications (tenant_id, id, user_id, fact_id, kind, data, created_at)
select $1, gen_random_uuid(), $2, gen_random_uuid(), 'TEST', '{}', now() from generate_series(1, $3)
"""
_UNREAD = "select count(*) from notifications where user_id = $1 and read_at is null and deleted_at is null"
# As if the sequencer had queued every fact's jobs once more.
_AGAIN = "insert into outbox (tenant_id, fact_id) select tenant_id, id from facts on conflict do nothing"


async def _badge(client: Client, way: Way = Way.REST) -> int:
    unread: int = (await client.call("myNotificationBadge", way=way)).ok()["unreadCount"]
    return unread


async def _ids(client: Client, **given: Any) -> list[str]:
    return [each["id"] for each in (await client.call("myNotifications", **given)).ok()["items"]]


@pytest.mark.parametrize("way", Way)
async def test_reading_and_keeping_for_later(town: Town, way: Way) -> None:
    await drain(town.service.urls)
    owner = town.client(Standing.OWNER)
    newest, oldest = await _ids(owner)
    assert await _badge(owner, way) == 2
    read = [(await owner.call("markNotificationRead", way=way, id=newest)).ok() for _ in range(2)]
    assert read[0]["readAt"] == read[1]["readAt"] is not None
    assert await _badge(owner, way) == 1
    assert await _ids(owner, unreadOnly=True) == [oldest]
    kept = [(await owner.call("markNotificationUnread", way=way, id=newest)).ok() for _ in range(2)]
    assert [each["readAt"] for each in kept] == [None, None]
    assert await _badge(owner, way) == 2
    for _ in range(2):
        assert (await owner.call("markAllNotificationsRead", way=way)).ok()["unreadCount"] == 0
    assert await _ids(owner, unreadOnly=True) == []
    # What changed nothing is no fact.
    assert await value(town.service.urls, _CHANGES) == 3


@pytest.mark.parametrize("way", Way)
async def test_what_was_deleted_is_gone_and_is_not_told_anew(town: Town, way: Way) -> None:
    urls, owner = town.service.urls, town.client(Standing.OWNER)
    async with working(urls) as work:
        await work.quiet()
        newest, oldest = await _ids(owner)
        (await owner.call("deleteNotification", way=way, id=newest)).ok()
        assert (await _ids(owner), await _badge(owner, way)) == ([oldest], 1)
        for verb in ("deleteNotification", "markNotificationRead", "markNotificationUnread"):
            assert (await owner.call(verb, way=way, id=newest)).code == "NOTIFICATION_NOT_FOUND"
        assert (await owner.call("clearNotifications", way=way)).ok()["unreadCount"] == 0
        await change(urls, _AGAIN)
        await work.quiet()
        assert (await _ids(owner), await _badge(owner, way)) == ([], 0)


@pytest.mark.parametrize("way", Way)
async def test_nobody_touches_what_others_are_told(town: Town, way: Way) -> None:
    await drain(town.service.urls)
    (notification_id, *_) = await _ids(town.client(Standing.OWNER))
    before = await snapshot(town.service.urls, without=["audit_rows", "facts", "outbox"])
    for standing, code in (
        (Standing.ANONYMOUS, "UNAUTHENTICATED"),
        (Standing.MODERATOR, "NOTIFICATION_NOT_FOUND"),
        (Standing.OTHER_TENANT, "NOTIFICATION_NOT_FOUND"),
        (Standing.SUSPENDED, "NOT_A_MEMBER"),
    ):
        for verb in ("markNotificationRead", "markNotificationUnread", "deleteNotification"):
            assert (await town.client(standing).call(verb, way=way, id=notification_id)).code == code
    for verb in ("markAllNotificationsRead", "clearNotifications"):
        (await town.client(Standing.OUTSIDER).call(verb, way=way)).ok()
    assert await snapshot(town.service.urls, without=["audit_rows", "facts", "outbox"]) == before


async def test_the_badge_is_of_one_community(town: Town) -> None:
    await drain(town.service.urls)
    owner = town.people[Standing.OWNER]
    made = (await owner.client.call("createTenant", input={"slug": "own-town", "name": "Town"})).ok()
    at_home = owner.client.in_tenant(made["id"])
    assert await _badge(at_home) == 0
    (await at_home.call("markAllNotificationsRead")).ok()
    (await at_home.call("clearNotifications")).ok()
    assert await _badge(owner.client) == 2


async def test_counting_ends_at_a_thousand(town: Town) -> None:
    owner = town.people[Standing.OWNER]
    await change(town.service.urls, _TELL, town.tenant_id, owner.user_id, 999)
    assert await _badge(owner.client) == 999
    await change(town.service.urls, _TELL, town.tenant_id, owner.user_id, 500)
    assert await _badge(owner.client) == 1000


async def test_marks_of_one_notification_at_once_are_one_change(town: Town) -> None:
    await drain(town.service.urls)
    owner = town.client(Standing.OWNER)
    (notification_id, *_) = await _ids(owner)
    answers = await asyncio.gather(*(owner.call("markNotificationRead", id=notification_id) for _ in range(8)))
    assert len({answer.ok()["readAt"] for answer in answers}) == 1
    assert await value(town.service.urls, _CHANGES) == 1
    gone = await asyncio.gather(*(owner.call("deleteNotification", id=notification_id) for _ in range(8)))
    assert sorted(str(answer.code) for answer in gone) == ["NOTIFICATION_NOT_FOUND"] * 7 + ["None"]
    assert await value(town.service.urls, _CHANGES) == 2


@pytest.mark.parametrize("seed", range(2))
async def test_the_badge_is_exact_while_all_happens_at_once(town: Town, seed: int) -> None:
    urls, owner, dice = town.service.urls, town.people[Standing.OWNER], random.Random(seed)
    await drain(urls)

    async def use(own: random.Random) -> None:
        for _ in range(12):
            found = await _ids(owner.client)
            verb = own.choice(("markNotificationRead", "markNotificationUnread", "deleteNotification", "all"))
            if verb == "all":
                (await owner.client.call("markAllNotificationsRead")).ok()
            elif found:
                await owner.client.call(verb, id=own.choice(found))

    async def tell() -> None:
        for _ in range(12):
            await change(urls, _TELL, town.tenant_id, owner.user_id, 1)

    await asyncio.gather(*(use(random.Random(dice.random())) for _ in range(4)), tell(), tell())
    assert await _badge(owner.client) == await value(urls, _UNREAD, owner.user_id)
