"""Accounts: one mail is one, nobody learns whose mail is known, and little works before it is verified."""

import asyncio
from uuid import UUID

import pyotp
import pytest

from muster.identity.rules import Side
from muster.identity.seals import link_token
from muster.identity.tests.people import ANN, PASSWORD, account, mailed, register, sessions
from muster.kit.db.migrate import Urls
from muster.testing.below import ask, change, snapshot, value
from muster.testing.client import Client, Way
from muster.testing.people import Person, found_tenant, put_in_tenant, sign_in
from muster.testing.serving import Service, serving_in_process
from muster.testing.town import add_passkey
from muster.testing.work import drain


async def _ann(service: Service, *, verified: bool) -> Person:
    user_id = await register(service, verified=verified)
    session = (await Client(service).call("login", email=ANN, password=PASSWORD)).ok()
    return Person(user_id, "Ann", Client(service, session["accessToken"]))


async def test_two_who_register_one_mail_at_once_make_one_account(service: Service) -> None:
    visitor = Client(service)
    mails = ["ann@example.org", "Ann@Example.org", "ann@example.org", "ANN@EXAMPLE.ORG"]
    answers = await asyncio.gather(*(visitor.call("register", input=account(mail)) for mail in mails))
    assert [answer.data for answer in answers] == [{"email": ANN}] * 4
    assert await ask(service.urls, "select email from users") == [(ANN,)]
    assert await value(service.urls, "select count(*) from passwords") == 1
    assert await value(service.urls, "select count(*) from members") == 1


@pytest.mark.parametrize("way", Way)
async def test_a_taken_mail_is_answered_as_a_free_one_and_its_owner_told(service: Service, way: Way) -> None:
    await register(service)
    visitor = Client(service)
    taken = await visitor.call("register", way=way, input=account(password="another good one"))
    free = await visitor.call("register", way=way, input=account("bob@example.org"))
    assert taken.ok() == {"email": ANN}
    assert (taken.status, free.ok()) == (free.status, {"email": "bob@example.org"})
    (token,) = await mailed(service, "identity.registered_again")
    (await visitor.call("login", email=ANN, password=PASSWORD)).ok()
    (await visitor.call("resetPassword", token=token, password="a third good one")).ok()


@pytest.mark.parametrize("way", Way)
async def test_the_mailed_link_verifies_once(service: Service, way: Way) -> None:
    ann = await _ann(service, verified=False)
    assert (await ann.client.call("me", way=way)).ok()["verifiedAt"] is None
    (token,) = await mailed(service, "identity.verify")
    visitor = Client(service)
    assert (await visitor.call("verifyEmail", way=way, token=token)).ok() is True
    assert (await ann.client.call("me", way=way)).ok()["verifiedAt"] is not None
    again = await visitor.call("verifyEmail", way=way, token=token)
    assert (again.status, again.code) == (410, "LINK_INVALID")


async def test_of_many_who_follow_one_link_at_once_one_does(service: Service) -> None:
    await register(service, verified=False)
    (token,) = await mailed(service, "identity.verify")
    visitor = Client(service)
    answers = await asyncio.gather(*(visitor.call("verifyEmail", token=token) for _ in range(10)))
    assert sorted(str(answer.code) for answer in answers) == ["LINK_INVALID"] * 9 + ["None"]
    assert await value(service.urls, "select count(*) from facts where kind = 'user.email_verified'") == 1


async def test_a_link_works_for_a_day_for_its_own_purpose_and_its_own_address(service: Service) -> None:
    await register(service, verified=False)
    visitor = Client(service)
    (token,) = await mailed(service, "identity.verify")
    link_id, _, seal = token.partition(".")
    for wrong in ("", ".", token[:-1], f"{link_id}.", f"{link_id}.{seal[::-1]}", f"{link_id[::-1]}.{seal}", "é.é"):
        assert (await visitor.call("verifyEmail", token=wrong)).code == "LINK_INVALID"
    assert (await visitor.call("resetPassword", token=token, password="another good one")).code == "LINK_INVALID"
    assert (await visitor.call("unlockAccount", token=token)).code == "LINK_INVALID"
    before = await snapshot(service.urls, without=["audit_rows"])
    await change(service.urls, "update links set expires_at = now() - interval '1 second'")
    assert (await visitor.call("verifyEmail", token=token)).code == "LINK_INVALID"
    await change(service.urls, "update links set expires_at = created_at + interval '24 hours'")
    assert await snapshot(service.urls, without=["audit_rows"]) == before
    await change(service.urls, "update users set email = 'ann@elsewhere.example'")
    await visitor.call("verifyEmail", token=token)
    assert await value(service.urls, "select verified_at from users") is None


async def test_the_link_is_mailed_again_at_most_three_times_an_hour(service: Service) -> None:
    await register(service, verified=False)
    visitor = Client(service)
    answers = await asyncio.gather(*(visitor.call("resendVerification", email=ANN) for _ in range(6)))
    assert [answer.ok() for answer in answers] == [{"email": ANN}] * 6
    assert len(await mailed(service, "identity.verify")) == 3
    await change(service.urls, "update links set created_at = created_at - interval '1 hour'")
    (await visitor.call("resendVerification", email=ANN)).ok()
    assert len(await mailed(service, "identity.verify")) == 4


@pytest.mark.parametrize("verb", ["resendVerification", "forgotPassword"])
async def test_asking_for_a_link_is_the_same_for_an_unknown_mail(service: Service, verb: str) -> None:
    await register(service)
    await drain(service.urls)
    effects = []
    for email in (ANN, "nobody@example.org"):
        before = await snapshot(service.urls)
        answer = await Client(service).call(verb, email=email)
        after = await snapshot(service.urls)
        assert (answer.status, answer.ok()) == (202, {"email": email})
        effects.append({table: len(rows) - len(before[table]) for table, rows in after.items()})
    assert effects[0] == effects[1]
    await drain(service.urls)
    assert await value(service.urls, "select count(*) from mails where address = 'nobody@example.org'") == 0


@pytest.mark.parametrize("way", Way)
async def test_little_works_before_the_mail_is_verified(service: Service, way: Way) -> None:
    ann = await _ann(service, verified=False)
    found = {"slug": "anns", "name": "Ann's"}
    told = await ann.client.call("myNotifications", way=way)
    for refused in (told, await ann.client.call("createTenant", way=way, input=found)):
        assert (refused.status, refused.code) == (403, "EMAIL_NOT_VERIFIED")
        assert "follow the link" in refused.problem["detail"]
    (await ann.client.call("mySessions", way=way)).ok()
    (await ann.client.call("events", way=way)).ok()
    (token,) = await mailed(service, "identity.verify")
    (await Client(service).call("verifyEmail", token=token)).ok()
    (await ann.client.call("myNotifications", way=way)).ok()


async def test_a_community_may_let_members_act_before_that(service: Service) -> None:
    ann, founder = await _ann(service, verified=False), await sign_in(service, "founder")
    strict = await found_tenant(founder, "strict")
    lax = (
        await founder.client.call("createTenant", input={"slug": "lax", "name": "Lax", "allowsUnverified": True})
    ).ok()["id"]
    for tenant_id in (strict, lax):
        await put_in_tenant(service, ann, tenant_id)
    assert (await ann.client.in_tenant(strict).call("myNotifications")).code == "EMAIL_NOT_VERIFIED"
    (await ann.client.in_tenant(lax).call("myNotifications")).ok()


async def test_nobody_gets_notices_at_an_address_that_is_not_known_to_be_theirs(service: Service) -> None:
    ann = await _ann(service, verified=False)
    (await ann.client.call("changePassword", oldPassword=PASSWORD, newPassword="another good one")).ok()
    await drain(service.urls)
    assert await ask(service.urls, "select kind from mails") == [("identity.verify",)]


async def test_who_takes_over_an_unverified_account_puts_out_whoever_opened_it(service: Service) -> None:
    intruder = await _ann(service, verified=False)
    secret = (await intruder.client.call("enrolTotp")).ok()["secret"]
    (await intruder.client.call("confirmTotp", code=pyotp.TOTP(secret).now())).ok()
    device = await add_passkey(intruder.client, "The intruder's")
    (await intruder.client.call("changeEmail", email="intruder@example.org")).ok()
    change_id = await value(service.urls, "select id from email_changes")
    (await Client(service).call("register", input=account(password="the owner's own one"))).ok()
    (token,) = await mailed(service, "identity.registered_again")
    (await Client(service).call("resetPassword", token=token, password="the owner's own one")).ok()
    assert (await intruder.client.call("me")).code == "UNAUTHENTICATED"
    assert (await Client(service).call("login", email=ANN, password=PASSWORD)).code == "WRONG_CREDENTIALS"
    session = (await Client(service).call("login", email=ANN, password="the owner's own one")).ok()
    assert (await Client(service, session["accessToken"]).call("me")).ok()["verifiedAt"] is not None
    assert await sessions(service) == 1
    begun = (await Client(service).call("challengePasskey")).ok()
    answer = {"token": begun["token"], "credential": device.get(begun["options"])}
    assert (await Client(service).call("loginWithPasskey", passkey=answer)).code == "PASSKEY_REFUSED"
    confirmed = link_token(service.settings.security.jwt_secret, Side.NEW, UUID(int=change_id.int))
    assert (await Client(service).call("confirmEmailChange", token=confirmed)).code == "LINK_INVALID"


@pytest.mark.parametrize(
    ("change_to", "field"),
    [
        ({"password": "short"}, "password"),
        ({"email": "no mail"}, "email"),
        ({"email": "ann@localhost"}, "email"),
        ({"email": "ann@example.org\r\nBcc: x@example.org"}, "email"),
        ({"email": "Ann <ann@example.org>"}, "email"),
        ({"email": "ann@exa_mple.org"}, "email"),
        ({"email": f"{'a' * 250}@b.org"}, "email"),
        ({"name": "  "}, "name"),
        ({"password": "ANN@example.org"}, "password"),
        ({"password": "password123"}, "password"),
        ({"password": "1qaz2wsx3edc"}, "password"),
        ({"password": "!!Manchester1999!!"}, "password"),
        ({"password": "27182818284590"}, "password"),
        ({"password": "abcabcabcabcabc"}, "password"),
        ({"locale": "Deutsch"}, "locale"),
        ({"timezone": "Europe/Nowhere"}, "timezone"),
    ],
)
async def test_an_account_that_cannot_be_is_refused_by_field(
    service: Service, change_to: dict[str, str], field: str
) -> None:
    answer = await Client(service).call("register", input=account() | change_to)
    assert (answer.status, answer.problem["errors"][0]["path"]) == (422, field)
    assert await value(service.urls, "select count(*) from users") == 0


async def test_where_there_are_terms_nobody_registers_without_accepting_them(urls: Urls) -> None:
    async with serving_in_process(urls, TERMS_URL="https://example.org/terms") as service:
        refused = await Client(service).call("register", input=account())
        assert (refused.status, refused.problem["errors"][0]["path"]) == (422, "acceptedTerms")
        (await Client(service).call("register", input={**account(), "acceptedTerms": True})).ok()
        assert await value(service.urls, "select terms_accepted_at is not null from users")


async def test_people_made_in_development_are_verified(urls: Urls) -> None:
    async with serving_in_process(urls) as service:
        person = await sign_in(service, "Ann")
        assert (await person.client.call("me")).ok()["verifiedAt"] is not None
        await drain(urls)
    assert await value(urls, "select count(*) from mails") == 0
