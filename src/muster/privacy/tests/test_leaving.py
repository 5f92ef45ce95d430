"""Deleting an account: closed at once, opened again by coming back, ended after 30 days, and then nothing is left."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from muster.identity.tests.people import ANN, PASSWORD, mailed, register, sessions
from muster.privacy.rules import GRACE, REMINDED_BEFORE
from muster.testing.below import ask, change, value
from muster.testing.client import Client, Way
from muster.testing.people import Standing
from muster.testing.serving import Service
from muster.testing.town import Town, make_event
from muster.testing.work import working

_DAY = timedelta(days=1)


async def _ann(service: Service) -> Client:
    """Ann, who has just signed in with her password."""
    session = (await Client(service).call("login", email=ANN, password=PASSWORD)).ok()
    return Client(service, session["accessToken"])


async def _days_later(service: Service, *moments: timedelta) -> None:
    async with working(service.urls) as work:
        await work.quiet()
        began = datetime.now(UTC)
        for each in moments:
            await work.pass_to(began + each)


async def _mails(service: Service) -> list[str]:
    return [kind for (kind,) in await ask(service.urls, "select kind from mails order by created_at, id")]


@pytest.mark.parametrize("way", Way)
async def test_to_delete_an_account_closes_it_and_to_sign_in_opens_it_again(service: Service, way: Way) -> None:
    user_id = await register(service)
    ann, elsewhere = await _ann(service), await _ann(service)
    closed = (await ann.call("deleteAccount", way=way)).ok()
    until = datetime.fromisoformat(closed["opensUntil"])
    assert abs(until - datetime.now(UTC) - GRACE) < timedelta(minutes=1)
    assert await sessions(service) == 0
    for each in (ann, elsewhere):
        assert (await each.call("me")).code == "UNAUTHENTICATED"
    assert await value(service.urls, "select closed_at is not null from users where id = $1", user_id)
    again = await _ann(service)
    assert (await again.call("me")).ok()["id"] == str(user_id)
    assert await value(service.urls, "select closed_at from users where id = $1", user_id) is None
    await _days_later(service, GRACE)
    assert await value(service.urls, "select name from users where id = $1", user_id) == "Ann"
    told = await ask(service.urls, "select kind, state from mails where kind like 'privacy.%' order by kind")
    assert told == [("privacy.closed", "DROPPED"), ("privacy.opened_again", "KEPT")]


async def test_who_owns_a_community_is_told_which_and_nothing_is_closed(service: Service) -> None:
    await register(service)
    ann = await _ann(service)
    await ann.call("createTenant", input={"slug": "chess", "name": "Chess club"})
    refused = await ann.call("deleteAccount")
    assert (refused.status, refused.code) == (409, "OWNS_COMMUNITIES")
    (owned,) = refused.problem["communities"]
    assert (owned["slug"], owned["name"]) == ("chess", "Chess club")
    assert (await ann.call("me")).ok()["name"] == "Ann"


async def test_only_who_has_just_shown_who_they_are_deletes_an_account(service: Service) -> None:
    await register(service)
    ann = await _ann(service)
    await change(service.urls, "update sessions set proved_at = now() - interval '11 minutes'")
    assert (await ann.call("deleteAccount")).code == "STEP_UP_REQUIRED"
    assert (await ann.call("me")).code is None


async def test_a_mailed_link_opens_the_account_again_on_a_page_without_a_script(service: Service) -> None:
    await register(service)
    await (await _ann(service)).call("deleteAccount")
    asked = await service.http.post("/come-back", data={"email": ANN})
    assert "Look into your mailbox" in asked.text
    (token,) = await mailed(service, "identity.restore")
    page = await service.http.get("/restore", params={"token": token})
    assert (page.status_code, "<script" in page.text) == (200, False)
    assert await value(service.urls, "select closed_at is not null from users")
    opened = await service.http.post("/restore", data={"token": token})
    assert (opened.status_code, "Your account is open" in opened.text) == (200, True)
    assert await value(service.urls, "select closed_at is null from users")
    spent = await service.http.post("/restore", data={"token": token})
    assert spent.status_code == 410


async def test_nobody_learns_which_account_is_closed_and_an_open_one_gets_no_link(service: Service) -> None:
    await register(service)
    answers = [await Client(service).call("askToRestore", email=each) for each in (ANN, "nobody@example.org")]
    assert {answer.status for answer in answers} == {202}
    assert await mailed(service, "identity.restore") == []


async def test_no_link_from_before_works_once_the_account_has_ended(service: Service) -> None:
    await register(service)
    await (await _ann(service)).call("deleteAccount")
    await Client(service).call("askToRestore", email=ANN)
    (token,) = await mailed(service, "identity.restore")
    await _days_later(service, GRACE)
    assert (await Client(service).call("restoreAccount", token=token)).code == "LINK_INVALID"
    signed_in = await Client(service).call("login", email=ANN, password=PASSWORD)
    assert (signed_in.code, await sessions(service)) == ("WRONG_CREDENTIALS", 0)


async def test_of_who_closes_and_who_signs_in_at_once_no_session_is_open_on_a_closed_account(service: Service) -> None:
    await register(service)
    for _ in range(5):
        ann = await _ann(service)
        await asyncio.gather(ann.call("deleteAccount"), *(_ann(service) for _ in range(3)))
        closed = await value(service.urls, "select closed_at is not null from users")
        assert not (closed and await sessions(service))


async def test_the_way_out_has_its_letters_each_once(service: Service) -> None:
    await register(service)
    await (await _ann(service)).call("deleteAccount")
    reminded = GRACE - REMINDED_BEFORE
    await _days_later(service, reminded - _DAY, reminded, reminded + _DAY, GRACE, GRACE + timedelta(hours=1))
    told = [each for each in await _mails(service) if each.startswith("privacy")]
    assert told == ["privacy.closed", "privacy.ends_soon", "privacy.ended"]


async def test_who_ends_gives_up_places_and_what_they_organise_is_called_off(town: Town) -> None:
    member, owner = town.people[Standing.MEMBER], town.people[Standing.OWNER]
    theirs = await make_event(member.client, title="A walk")
    drafted, scheduled = [await make_event(member.client, publish=False) for _ in range(2)]
    soon = datetime.now(UTC) + timedelta(hours=1)
    (await member.client.call("schedulePublication", id=scheduled, publishAt=soon)).ok()
    (await owner.client.call("joinEvent", eventId=theirs)).ok()
    (await member.client.call("offerEventOwnership", eventId=theirs, userId=owner.user_id)).ok()
    await change(town.service.urls, "update event_ownership_offers set expires_at = now() + interval '90 days'")
    (await member.client.call("deleteAccount")).ok()
    await _days_later(town.service, GRACE)
    seated = await ask(
        town.service.urls,
        "select user_id, status from event_members where event_id = $1 and user_id = any($2)",
        town.event_id,
        [member.user_id, town.waiting.user_id],
    )
    assert set(seated) == {(member.user_id, "LEFT"), (town.waiting.user_id, "JOINED")}
    assert await value(town.service.urls, "select status from events where id = $1", theirs) == "CANCELLED"
    for unseen in (drafted, scheduled):
        assert await value(town.service.urls, "select status from events where id = $1", unseen) == "DELETED"
    # Nobody becomes the owner of what was offered to them by its owner's going.
    assert (
        await value(town.service.urls, "select count(*) from event_ownership_offers where event_id = $1", theirs) == 0
    )
    told = await ask(town.service.urls, "select user_id from notifications where kind = 'EVENT_CANCELLED'")
    assert told == [(owner.user_id,)]
