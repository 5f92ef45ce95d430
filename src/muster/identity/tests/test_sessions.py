"""Sessions: who signs in, how long it lasts, how it is renewed, and how it ends."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from muster.identity.jobs import forget_expired
from muster.identity.tests.people import ANN, PASSWORD, register, sessions
from muster.kit.caller import whoever
from muster.kit.commands.command import COMMANDS
from muster.kit.commands.system import system_transaction
from muster.kit.db.migrate import Urls
from muster.kit.db.tables import PLATFORM_TENANT
from muster.testing.below import ask, change, value
from muster.testing.client import Answer, Client, Way
from muster.testing.matrix import examples
from muster.testing.people import sign_in
from muster.testing.serving import Service, serving_in_process
from muster.testing.work import working


async def _login(service: Service, way: Way = Way.REST, **arguments: Any) -> Answer:
    return await Client(service).call("login", way=way, email=ANN, **{"password": PASSWORD, **arguments})


async def _refresh(service: Service, token: str, way: Way = Way.REST) -> Answer:
    return await Client(service).call("refreshSession", way=way, refreshToken=token)


@pytest.mark.parametrize("way", Way)
async def test_signing_in_and_out(service: Service, way: Way) -> None:
    user_id = await register(service)
    session = (await Client(service).call("login", way=way, email="ANN@example.org", password=PASSWORD)).ok()
    ann = Client(service, session["accessToken"])
    me = (await ann.call("me", way=way)).ok()
    assert me["id"] == session["user"]["id"] == str(user_id)
    assert (await ann.call("logout", way=way)).ok() is True
    assert (await ann.call("me", way=way)).code == "UNAUTHENTICATED"
    assert (await _refresh(service, session["refreshToken"], way)).code == "REFRESH_TOKEN_INVALID"


@pytest.mark.parametrize("way", Way)
async def test_a_wrong_password_looks_like_an_unknown_mail_and_is_audited(service: Service, way: Way) -> None:
    await register(service)
    wrong = await _login(service, way, password="wrong horse battery")
    unknown = await Client(service).call("login", way=way, email="nobody@example.org", password=PASSWORD)
    assert wrong == unknown
    assert (wrong.status, wrong.code) == (401, "WRONG_CREDENTIALS")
    assert await value(service.urls, "select count(*) from audit_rows where outcome = 'WRONG_CREDENTIALS'") == 2
    assert await sessions(service) == 0


@pytest.mark.parametrize(("remember", "days"), [(False, 7), (True, 30)])
async def test_a_session_lasts_a_week_or_remembered_a_month(service: Service, remember: bool, days: int) -> None:
    await register(service)
    (await _login(service, rememberMe=remember)).ok()
    assert await value(service.urls, "select extract(day from expires_at - created_at)::int from sessions") == days


async def test_a_session_dies_with_its_time(service: Service) -> None:
    await register(service)
    session = (await _login(service)).ok()
    ann = Client(service, session["accessToken"])
    (await ann.call("me")).ok()
    await change(service.urls, "update sessions set expires_at = now() - interval '1 second'")
    assert (await ann.call("me")).code == "UNAUTHENTICATED"
    assert (await _refresh(service, session["refreshToken"])).code == "REFRESH_TOKEN_INVALID"


@pytest.mark.parametrize("way", Way)
async def test_who_sends_stale_credentials_along_can_still_come_in(service: Service, way: Way) -> None:
    await register(service)
    ended, session = (await _login(service)).ok(), (await _login(service)).ok()
    (await Client(service, ended["accessToken"]).call("logout")).ok()
    for token in ("of.yore", ended["accessToken"]):
        stale = Client(service, token, tenant="no-such-town")
        for command in [each for each in COMMANDS.values() if each.allow is whoever]:
            answer = await stale.call(command.name, way=way, **examples(command))
            assert answer.code not in ("UNAUTHENTICATED", "TENANT_NOT_FOUND"), command.name
        session = (await stale.call("refreshSession", way=way, refreshToken=session["refreshToken"])).ok()
        assert (await Client(service, session["accessToken"]).call("me")).ok()["name"] == "Ann"


async def test_a_document_that_asks_for_more_looks_at_its_credentials(service: Service) -> None:
    stale = Client(service, "of.yore")
    for also in ("logout", 'muteEvent(eventId: "0193b1f0-a4c0-7d3e-9a51-c8f3a2b4d6e8", muted: true) { id }'):
        told = await stale.document(f'mutation {{ forgotPassword(email: "{ANN}") {{ email }} {also} }}')
        assert [each["extensions"]["code"] for each in told["errors"]] == ["UNAUTHENTICATED"]
    named = await stale.document("{ __typename }")
    assert named["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert await value(service.urls, "select count(*) from audit_rows") == 0


@pytest.mark.parametrize("way", Way)
async def test_a_session_is_renewed_again_and_again(service: Service, way: Way) -> None:
    await register(service)
    session = (await _login(service)).ok()
    seen = {session["refreshToken"]}
    for _ in range(3):
        session = (await _refresh(service, session["refreshToken"], way)).ok()
        assert session["refreshToken"] not in seen
        seen.add(session["refreshToken"])
        assert (await Client(service, session["accessToken"]).call("me")).ok()["name"] == "Ann"
    assert await sessions(service) == 1


async def test_a_hundred_who_refresh_at_once_leave_one_session_and_nobody_is_signed_out(service: Service) -> None:
    await register(service)
    first = (await _login(service)).ok()["refreshToken"]
    renewed = [answer.ok() for answer in await asyncio.gather(*(_refresh(service, first) for _ in range(100)))]
    assert len({session["refreshToken"] for session in renewed}) == 1
    assert await ask(service.urls, "select generation, revoked_at from sessions") == [(1, None)]
    clients = [Client(service, session["accessToken"]) for session in renewed]
    for answer in await asyncio.gather(*(client.call("me") for client in clients)):
        answer.ok()
    (await _refresh(service, renewed[0]["refreshToken"])).ok()


async def test_of_many_sessions_that_are_renewed_at_once_only_the_stolen_one_ends(service: Service) -> None:
    await register(service)
    stolen, expired, *others = [(await _login(service)).ok()["refreshToken"] for _ in range(10)]
    latest = (await _refresh(service, (await _refresh(service, stolen)).ok()["refreshToken"])).ok()
    past = "update sessions set expires_at = now() - interval '1 second' where id = $1"
    await change(service.urls, past, UUID(expired.partition(".")[0]))
    asked = [*others[:4], stolen, expired, "no.such.token", *others[4:], latest["refreshToken"]]
    answers = dict(zip(asked, await asyncio.gather(*(_refresh(service, each) for each in asked)), strict=True))
    renewed = [answers[each].ok() for each in others]
    assert {each["refreshToken"].split(".")[0] for each in renewed} == {each.split(".")[0] for each in others}
    assert {each["refreshToken"].split(".")[1] for each in renewed} == {"1"}
    assert answers[stolen].code == "REFRESH_TOKEN_REUSED"
    assert answers[expired].code == answers["no.such.token"].code == "REFRESH_TOKEN_INVALID"
    # Before the thief or after them: either way it is over.
    assert (await Client(service, latest["accessToken"]).call("me")).code == "UNAUTHENTICATED"
    assert await sessions(service) == len(others) + 1
    audited = "select count(*) from audit_rows where verb = 'refreshSession' and outcome = $1"
    assert await value(service.urls, audited, "REFRESH_TOKEN_REUSED") == 1
    for each in renewed:
        (await Client(service, each["accessToken"]).call("me")).ok()


@pytest.mark.parametrize("way", Way)
async def test_a_spent_token_that_comes_back_later_ends_the_session(service: Service, way: Way) -> None:
    await register(service)
    first = (await _login(service)).ok()["refreshToken"]
    renewed = (await _refresh(service, first)).ok()
    await change(service.urls, "update sessions set refreshed_at = now() - interval '11 seconds'")
    assert (await _refresh(service, first, way)).code == "REFRESH_TOKEN_REUSED"
    assert await sessions(service) == 0
    assert (await Client(service, renewed["accessToken"]).call("me")).code == "UNAUTHENTICATED"
    assert (await _refresh(service, renewed["refreshToken"])).code == "REFRESH_TOKEN_INVALID"
    reused = "select count(*) from audit_rows where verb = 'refreshSession' and outcome = 'REFRESH_TOKEN_REUSED'"
    assert await value(service.urls, reused) == 1


async def test_a_token_spent_twice_ago_ends_the_session_at_once(service: Service) -> None:
    await register(service)
    first = (await _login(service)).ok()["refreshToken"]
    (await _refresh(service, (await _refresh(service, first)).ok()["refreshToken"])).ok()
    assert (await _refresh(service, first)).code == "REFRESH_TOKEN_REUSED"
    assert await sessions(service) == 0


async def test_no_token_can_be_made_from_what_is_stored(service: Service) -> None:
    await register(service)
    good = (await _login(service)).ok()["refreshToken"]
    session, number, seal = good.split(".")
    forged = [
        f"{session}.1.{seal}",
        f"{session}.{number}.",
        f"{session}.{number}",
        f"{uuid4().hex}.{number}.{seal}",
        f"{session}.{number}.{seal[:-1]}",
        "é.0.é",
        "",
        ".",
        "..",
    ]
    for token in forged:
        assert (await _refresh(service, token)).code == "REFRESH_TOKEN_INVALID"
    stored = " ".join(str(row) for row in await ask(service.urls, "select s::text from sessions s"))
    assert seal not in stored
    (await _refresh(service, good)).ok()


@pytest.mark.parametrize("way", Way)
async def test_a_person_sees_their_devices_and_signs_out_on_any(service: Service, way: Way) -> None:
    ann, phone, bob = [await sign_in(service, name) for name in ("ann", "ann", "bob")]
    devices = (await ann.client.call("mySessions", way=way)).ok()["items"]
    assert len(devices) == 2
    assert {each["agent"] for each in devices} == {service.http.headers["user-agent"]}
    newest = devices[0]["id"]
    for stranger, session in ((bob, newest), (ann, str(uuid4()))):
        assert (await stranger.client.call("revokeSession", way=way, id=session)).code == "SESSION_NOT_FOUND"
    assert (await ann.client.call("revokeSession", way=way, id=newest)).ok()["id"] == newest
    assert (await phone.client.call("me", way=way)).code == "UNAUTHENTICATED"
    assert (await ann.client.call("revokeSession", way=way, id=newest)).code == "SESSION_NOT_FOUND"
    assert len((await ann.client.call("mySessions")).ok()["items"]) == 1
    (await bob.client.call("me")).ok()


@pytest.mark.parametrize("way", Way)
async def test_signing_out_everywhere(service: Service, way: Way) -> None:
    ann, phone, bob = [await sign_in(service, name) for name in ("ann", "ann", "bob")]
    assert (await ann.client.call("logoutEverywhere", way=way, stayHere=True)).ok() is True
    assert (await phone.client.call("me")).code == "UNAUTHENTICATED"
    (await ann.client.call("me")).ok()
    assert (await ann.client.call("logoutEverywhere", way=way)).ok() is True
    assert (await ann.client.call("me")).code == "UNAUTHENTICATED"
    (await bob.client.call("me")).ok()


async def test_sessions_and_links_are_forgotten_a_week_after_they_expired(service: Service) -> None:
    for name in ("old", "expired", "living"):
        await sign_in(service, name)
    await change(
        service.urls,
        "insert into links (id, user_id, purpose, address, created_at, expires_at) "
        "select id, id, 'RESET', email, now(), now() from users",
    )
    for table in ("sessions", "links"):
        for name, days in (("old", 8), ("expired", 6)):
            ended = f"update {table} set expires_at = now() - interval '{days} days' from users u "  # noqa: S608 - our own
            await change(service.urls, f"{ended} where u.id = user_id and u.name = $1", name)
    async with (
        working(service.urls) as work,
        system_transaction(
            work.services, tenant_id=PLATFORM_TENANT, verb="test", reason="test", now=datetime.now(UTC), request_id="t"
        ) as ctx,
    ):
        await forget_expired(ctx)
    for table in ("sessions", "links"):
        names = f"select name from users u join {table} s on s.user_id = u.id order by 1"  # noqa: S608 - our own
        kept = await ask(service.urls, names)
        assert kept == [("expired",), ("living",)]


async def test_there_is_no_way_in_by_name_in_production(urls: Urls) -> None:
    async with serving_in_process(urls, MUSTER_ENV="production") as service:
        answer = await Client(service).call("devLogin", name="Ann")
    assert answer.code == "NOT_FOUND"
    assert await value(urls, "select count(*) from users") == 0
