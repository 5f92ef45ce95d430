"""What people are told: once for each fact, however often its handler runs."""

from muster.testing.below import ask, change, value
from muster.testing.people import Standing
from muster.testing.town import Town
from muster.testing.work import drain, working

_TOLD = "select user_id, kind, fact_id from notifications order by kind, fact_id, user_id"
# As if the sequencer had queued every fact's jobs once more.
_AGAIN = "insert into outbox (tenant_id, fact_id) select tenant_id, id from facts on conflict do nothing"


async def test_the_owner_is_told_who_joined_and_the_promoted_that_they_have_a_place(town: Town) -> None:
    await drain(town.service.urls)
    mine = (await town.client(Standing.OWNER).call("myNotifications")).ok()["items"]
    joined = {each["data"]["userId"] for each in mine}
    people = (town.people[Standing.MODERATOR], town.kicked)
    assert {each["kind"] for each in mine} == {"EVENT_JOINED"}
    assert joined == {str(person.user_id) for person in people}
    promoted = (await town.client(Standing.MEMBER).call("myNotifications")).ok()["items"]
    told = {each["kind"]: each["data"] for each in promoted}
    assert sorted(each["kind"] for each in promoted) == ["EVENT_ANNOUNCEMENT", "WAITLIST_PROMOTED"]
    assert told["WAITLIST_PROMOTED"] == {"eventId": str(town.event_id)}
    assert (await town.waiting.client.call("myNotifications")).ok()["items"] == []


async def test_a_handler_that_runs_again_tells_nobody_twice(town: Town) -> None:
    urls = town.service.urls
    async with working(urls) as work:
        await work.quiet()
        told, facts = await ask(urls, _TOLD), await value(urls, "select count(*) from facts")
        assert told
        for _ in range(2):
            await change(urls, _AGAIN)
            await work.quiet()
    assert await ask(urls, _TOLD) == told
    assert await value(urls, "select count(*) from facts") == facts
    assert await value(urls, "select count(*) from facts where kind = 'notification.added'") == len(told)


async def test_what_was_read_is_left_out_when_only_unread_is_asked_for(town: Town) -> None:
    await drain(town.service.urls)
    owner = town.people[Standing.OWNER]
    await change(town.service.urls, "update notifications set read_at = now() where user_id = $1", owner.user_id)
    assert (await owner.client.call("myNotifications", unreadOnly=True)).ok()["items"] == []
    assert len((await owner.client.call("myNotifications")).ok()["items"]) == 2
