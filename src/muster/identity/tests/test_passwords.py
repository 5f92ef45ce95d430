"""Passwords: wrong ones count and lock, forgotten ones are reset by mail, a change signs others out."""

import asyncio

import pytest

from muster.identity.tests.people import ANN, PASSWORD, mailed, register, sessions
from muster.testing.below import ask, change, snapshot, value
from muster.testing.client import Answer, Client, Way
from muster.testing.people import sign_in
from muster.testing.serving import Service

WRONG = "wrong horse battery"
NEW = "a brand new password"


async def _try(service: Service, password: str) -> Answer:
    return await Client(service).call("login", email=ANN, password=password)


async def test_five_wrong_passwords_lock_the_account_for_a_quarter_of_an_hour(service: Service) -> None:
    await register(service)
    refused = [await _try(service, WRONG) for _ in range(5)]
    locked = await _try(service, PASSWORD)
    assert [locked] * 5 == refused
    await change(service.urls, "update passwords set failed_at = failed_at - interval '15 minutes'")
    (await _try(service, PASSWORD)).ok()
    assert await ask(service.urls, "select failures from passwords") == [(0,)]


async def test_of_many_tries_at_once_no_more_than_five_are_looked_at(service: Service) -> None:
    await register(service)
    answers = await asyncio.gather(*(_try(service, WRONG) for _ in range(20)), _try(service, WRONG))
    assert {answer.code for answer in answers} == {"WRONG_CREDENTIALS"}
    assert await ask(service.urls, "select failures from passwords") == [(5,)]
    assert await value(service.urls, "select count(*) from facts where kind = 'user.locked'") == 1
    assert (await _try(service, PASSWORD)).code == "WRONG_CREDENTIALS"
    assert len(await mailed(service, "identity.locked")) == 1


async def test_failures_long_apart_or_before_a_success_do_not_add_up(service: Service) -> None:
    await register(service)
    for _ in range(4):
        await _try(service, WRONG)
    (await _try(service, PASSWORD)).ok()
    for _ in range(4):
        await _try(service, WRONG)
    await change(service.urls, "update passwords set failed_at = failed_at - interval '15 minutes'")
    await _try(service, WRONG)
    (await _try(service, PASSWORD)).ok()


@pytest.mark.parametrize("way", Way)
async def test_the_mailed_link_lifts_the_lock(service: Service, way: Way) -> None:
    await register(service)
    for _ in range(5):
        await _try(service, WRONG)
    (token,) = await mailed(service, "identity.locked")
    (await Client(service).call("unlockAccount", way=way, token=token)).ok()
    (await _try(service, PASSWORD)).ok()


@pytest.mark.parametrize("way", Way)
async def test_a_forgotten_password_is_set_anew_by_mail_and_ends_every_session(service: Service, way: Way) -> None:
    await register(service, verified=False)
    ann = Client(service, (await _try(service, PASSWORD)).ok()["accessToken"])
    visitor = Client(service)
    (await visitor.call("forgotPassword", way=way, email="Ann@Example.org")).ok()
    (token,) = await mailed(service, "identity.reset")
    before = await snapshot(service.urls, without=["audit_rows"])
    weak = await visitor.call("resetPassword", way=way, token=token, password="password123")
    assert (weak.status, weak.problem["errors"][0]["path"]) == (422, "password")
    known = await visitor.call("resetPassword", way=way, token=token, password=ANN)
    assert known.problem["errors"][0]["code"] == "PASSWORD_KNOWN"
    assert await snapshot(service.urls, without=["audit_rows"]) == before
    assert (await visitor.call("resetPassword", way=way, token=token, password=NEW)).ok() is True
    assert (await ann.call("me")).code == "UNAUTHENTICATED"
    assert (await _try(service, PASSWORD)).code == "WRONG_CREDENTIALS"
    session = (await _try(service, NEW)).ok()
    assert (await Client(service, session["accessToken"]).call("me")).ok()["verifiedAt"] is not None
    again = await visitor.call("resetPassword", way=way, token=token, password="yet another one")
    assert (again.status, again.code) == (410, "LINK_INVALID")


async def test_one_reset_voids_the_links_mailed_before_and_lifts_a_lock(service: Service) -> None:
    await register(service)
    for _ in range(5):
        await _try(service, WRONG)
    for _ in range(5):
        (await Client(service).call("forgotPassword", email=ANN)).ok()
    tokens = await mailed(service, "identity.reset")
    assert len(tokens) == 3
    visitor = Client(service)
    answers = await asyncio.gather(
        *(visitor.call("resetPassword", token=token, password=f"{NEW} {number}") for number, token in enumerate(tokens))
    )
    assert sorted(str(answer.code) for answer in answers) == ["LINK_INVALID"] * 2 + ["None"]
    winner = next(number for number, answer in enumerate(answers) if answer.code is None)
    (await _try(service, f"{NEW} {winner}")).ok()
    changed = await value(service.urls, "select count(*) from mails where kind = 'identity.password_changed'")
    assert changed == 0
    await mailed(service, "identity.reset")
    changed = await value(service.urls, "select count(*) from mails where kind = 'identity.password_changed'")
    assert changed == 1


@pytest.mark.parametrize("way", Way)
async def test_changing_a_password_needs_the_present_one_and_signs_others_out(service: Service, way: Way) -> None:
    await register(service)
    here, there = [Client(service, (await _try(service, PASSWORD)).ok()["accessToken"]) for _ in range(2)]
    wrong = await here.call("changePassword", way=way, oldPassword=WRONG, newPassword=NEW)
    assert (wrong.status, wrong.code) == (422, "WRONG_PASSWORD")
    assert wrong.problem["errors"][0]["path"] == "oldPassword"
    assert await ask(service.urls, "select failures from passwords") == [(1,)]
    assert (await here.call("changePassword", way=way, oldPassword=PASSWORD, newPassword=NEW)).ok() is True
    (await here.call("me")).ok()
    assert (await there.call("me")).code == "UNAUTHENTICATED"
    assert (await _try(service, PASSWORD)).code == "WRONG_CREDENTIALS"
    (await _try(service, NEW)).ok()


async def test_a_stolen_session_cannot_try_passwords_for_ever(service: Service) -> None:
    await register(service)
    thief = Client(service, (await _try(service, PASSWORD)).ok()["accessToken"])
    for _ in range(5):
        assert (await thief.call("changePassword", oldPassword=WRONG, newPassword=NEW)).code == "WRONG_PASSWORD"
    locked = await thief.call("changePassword", oldPassword=PASSWORD, newPassword=NEW)
    assert (locked.status, locked.code) == (429, "ACCOUNT_LOCKED")


@pytest.mark.parametrize("way", Way)
async def test_only_who_is_signed_in_changes_a_password(service: Service, way: Way) -> None:
    answer = await Client(service).call("changePassword", way=way, oldPassword=PASSWORD, newPassword=NEW)
    assert answer.code == "UNAUTHENTICATED"
    nameless = await sign_in(service, "made by name, so without a password")
    refused = await nameless.client.call("changePassword", way=way, oldPassword=PASSWORD, newPassword=NEW)
    assert refused.code == "WRONG_PASSWORD"
    assert await sessions(service) == 1
