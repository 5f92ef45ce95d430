"""Accounts and sessions: one mail is one account, a wrong password counts, a session ends at once."""

import asyncio
from datetime import UTC, datetime

import pytest

from muster.identity.jobs import forget_expired_sessions
from muster.kit.commands.system import system_transaction
from muster.kit.db.migrate import Urls
from muster.kit.db.tables import PLATFORM_TENANT
from muster.testing.below import ask, change, value
from muster.testing.client import Client, Way
from muster.testing.people import sign_in
from muster.testing.serving import Service, serving_in_process
from muster.testing.work import working

PASSWORD = "correct horse battery"


def _account(email: str = "ann@example.org", password: str = PASSWORD) -> dict[str, str]:
    return {"name": "Ann", "email": email, "password": password}


async def test_two_who_register_one_mail_at_once_make_one_account(service: Service) -> None:
    visitor = Client(service)
    mails = ["ann@example.org", "Ann@Example.org", " ann@example.org".strip(), "ANN@EXAMPLE.ORG"]
    answers = await asyncio.gather(*(visitor.call("register", input=_account(mail)) for mail in mails))
    assert sorted(str(answer.code) for answer in answers) == ["EMAIL_TAKEN"] * 3 + ["None"]
    assert await ask(service.urls, "select email from users") == [("ann@example.org",)]
    assert await value(service.urls, "select count(*) from passwords") == 1
    assert await value(service.urls, "select count(*) from members") == 1


@pytest.mark.parametrize("way", Way)
async def test_signing_in_and_out(service: Service, way: Way) -> None:
    visitor = Client(service)
    registered = (await visitor.call("register", way=way, input=_account())).ok()
    session = (await visitor.call("login", way=way, email="ANN@example.org", password=PASSWORD)).ok()
    ann = Client(service, session["accessToken"])
    me = (await ann.call("me", way=way)).ok()
    assert me["id"] == registered["user"]["id"] == session["user"]["id"]
    assert (await ann.call("logout", way=way)).ok() is True
    assert (await ann.call("me", way=way)).code == "UNAUTHENTICATED"


@pytest.mark.parametrize("way", Way)
async def test_a_wrong_password_looks_like_an_unknown_mail_and_is_audited(service: Service, way: Way) -> None:
    visitor = Client(service)
    (await visitor.call("register", input=_account())).ok()
    wrong = await visitor.call("login", way=way, email="ann@example.org", password="wrong horse battery")
    unknown = await visitor.call("login", way=way, email="nobody@example.org", password=PASSWORD)
    assert wrong == unknown
    assert wrong.code == "WRONG_CREDENTIALS"
    assert await value(service.urls, "select count(*) from audit_rows where outcome = 'WRONG_CREDENTIALS'") == 2
    assert await value(service.urls, "select count(*) from sessions") == 0


@pytest.mark.parametrize(
    ("change_to", "field"),
    [({"password": "short"}, "password"), ({"email": "no mail"}, "email"), ({"name": "  "}, "name")],
)
async def test_an_account_that_cannot_be_is_refused_by_field(
    service: Service, change_to: dict[str, str], field: str
) -> None:
    answer = await Client(service).call("register", input=_account() | change_to)
    assert (answer.status, answer.problem["errors"][0]["path"]) == (422, field)
    assert await value(service.urls, "select count(*) from users") == 0


async def test_a_password_that_is_the_mail_is_refused(service: Service) -> None:
    answer = await Client(service).call("register", input=_account(password="ANN@example.org"))
    assert (answer.status, answer.problem["errors"][0]["path"]) == (422, "password")


async def test_a_session_dies_with_its_time(service: Service) -> None:
    ann = await sign_in(service, "Ann")
    (await ann.client.call("me")).ok()
    await change(service.urls, "update sessions set expires_at = now() - interval '1 second'")
    assert (await ann.client.call("me")).code == "UNAUTHENTICATED"


async def test_sessions_are_forgotten_a_week_after_they_expired(service: Service) -> None:
    for name in ("old", "expired", "living"):
        await sign_in(service, name)
    sessions = (
        "update sessions set expires_at = now() - $1::interval where user_id = (select id from users where name = $2)"
    )
    for name, days in (("old", "8 days"), ("expired", "6 days")):
        await change(service.urls, sessions.replace("$1", f"'{days}'").replace("$2", "$1"), name)
    async with (
        working(service.urls) as work,
        system_transaction(
            work.services, tenant_id=PLATFORM_TENANT, verb="test", reason="test", now=datetime.now(UTC), request_id="t"
        ) as ctx,
    ):
        await forget_expired_sessions(ctx)
    kept = await ask(service.urls, "select name from users u join sessions s on s.user_id = u.id order by 1")
    assert kept == [("expired",), ("living",)]


async def test_there_is_no_way_in_by_name_in_production(urls: Urls) -> None:
    async with serving_in_process(urls, MUSTER_ENV="production") as service:
        answer = await Client(service).call("devLogin", name="Ann")
    assert answer.code == "NOT_FOUND"
    assert await value(urls, "select count(*) from users") == 0
