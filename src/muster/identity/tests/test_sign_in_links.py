"""Signing in by a mailed link: once, for a quarter of an hour, by a press of a button, and only for whoever has the mail."""

import asyncio
import re

import pyotp
import pytest

from muster.identity.tests.people import ANN, PASSWORD, mailed, register, sessions
from muster.testing.below import change, value
from muster.testing.client import Client, Way
from muster.testing.serving import Service

KIND = "identity.sign_in"


@pytest.mark.parametrize("way", Way)
async def test_a_mailed_link_signs_in_once(service: Service, way: Way) -> None:
    user_id = await register(service)
    (await Client(service).call("sendSignInLink", way=way, email=ANN)).ok()
    (token,) = await mailed(service, KIND)
    answers = await asyncio.gather(*(Client(service).call("signInByLink", way=way, token=token) for _ in range(5)))
    (session,) = [each.data for each in answers if each.code is None]
    assert {each.code for each in answers} == {None, "LINK_INVALID"}
    assert (await Client(service, session["accessToken"]).call("me")).ok()["id"] == str(user_id)
    assert await sessions(service) == 1


async def test_a_link_signs_in_for_a_quarter_of_an_hour_and_for_nothing_else(service: Service) -> None:
    await register(service)
    for verb, kind in (("sendSignInLink", KIND), ("forgotPassword", "identity.reset")):
        (await Client(service).call(verb, email=ANN)).ok()
        (token,) = await mailed(service, kind)
        for other in {"verifyEmail", "unlockAccount", "signInByLink"} - {"signInByLink" if kind == KIND else ""}:
            assert (await Client(service).call(other, token=token)).code == "LINK_INVALID"
    lasts = "select extract(minute from expires_at - created_at)::int from links where purpose = 'SIGN_IN'"
    assert await value(service.urls, lasts) == 15
    await change(service.urls, "update links set expires_at = now() where purpose = 'SIGN_IN'")
    (token,) = await mailed(service, KIND)
    assert (await Client(service).call("signInByLink", token=token)).code == "LINK_INVALID"


async def test_whoever_opened_the_account_with_anothers_mail_is_put_out(service: Service) -> None:
    await register(service, verified=False)
    attacker = Client(service, (await Client(service).call("login", email=ANN, password=PASSWORD)).ok()["accessToken"])
    secret = (await attacker.call("enrolTotp")).ok()["secret"]
    (await attacker.call("confirmTotp", code=pyotp.TOTP(secret).now())).ok()
    (await Client(service).call("sendSignInLink", email=ANN)).ok()
    (token,) = await mailed(service, KIND)
    ann = Client(service, (await Client(service).call("signInByLink", token=token)).ok()["accessToken"])
    assert (await ann.call("me")).ok()["verifiedAt"] is not None
    assert (await attacker.call("me")).code == "UNAUTHENTICATED"
    assert (await Client(service).call("login", email=ANN, password=PASSWORD)).code == "WRONG_CREDENTIALS"
    assert await sessions(service) == 1


async def test_a_scanner_that_opens_the_link_signs_nobody_in(service: Service) -> None:
    await register(service)
    asked = await service.http.post("/sign-in/mail", data={"email": ANN})
    assert "Look into your mailbox" in asked.text
    (token,) = await mailed(service, KIND)
    for _ in range(3):
        opened = await service.http.get("/sign-in/link", params={"token": token})
        assert (opened.status_code, "set-cookie" in opened.headers) == (200, False)
    assert await sessions(service) == 0
    pressed = await service.http.post("/sign-in/link", data={"token": token}, headers={"sec-fetch-site": "same-origin"})
    assert (pressed.status_code, pressed.headers["location"]) == (303, "/")
    assert (await service.http.get("/api/v1/me")).json()["email"] == ANN


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
async def test_a_form_on_another_site_signs_nobody_in_as_somebody_else(
    service: Service, headers: dict[str, str]
) -> None:
    await register(service)
    (await Client(service).call("sendSignInLink", email=ANN)).ok()
    (token,) = await mailed(service, KIND)
    known = {"email": ANN, "password": PASSWORD}
    for address, form in (("/sign-in/link", {"token": token}), ("/sign-in", known)):
        forged = await service.http.post(address, data=form, headers=headers)
        assert (forged.status_code, "set-cookie" in forged.headers) == (403, False)
    assert await sessions(service) == 0


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "", "/\t/evil.example"]
)
async def test_signing_in_leads_to_no_address_but_ours(service: Service, to: str) -> None:
    await register(service)
    known = {"email": ANN, "password": PASSWORD, "returnTo": to}
    done = await service.http.post("/sign-in", data=known)
    assert (done.status_code, done.headers["location"]) == (303, "/")


async def test_a_page_takes_a_password_and_leads_on(service: Service) -> None:
    await register(service)
    opened = await service.http.get("/sign-in", params={"returnTo": "/device?code=X"})
    assert 'name="returnTo" value="/device?code=X"' in opened.text
    wrong = await service.http.post("/sign-in", data={"email": ANN, "password": "not this one"})
    assert (wrong.status_code, "Mail or password is wrong" in wrong.text or "mail or the password" in wrong.text) == (
        401,
        True,
    )
    known = {"email": ANN, "password": PASSWORD, "returnTo": "/device?code=X"}
    done = await service.http.post("/sign-in", data=known, headers={"origin": service.settings.addresses.app})
    assert (done.status_code, done.headers["location"]) == (303, "/device?code=X")
    assert (await service.http.get("/api/v1/me")).json()["email"] == ANN


@pytest.mark.parametrize("by", ["password", "link"])
async def test_a_page_asks_for_the_second_factor_too(service: Service, by: str) -> None:
    await register(service)
    ann = Client(service, (await Client(service).call("login", email=ANN, password=PASSWORD)).ok()["accessToken"])
    secret = (await ann.call("enrolTotp")).ok()["secret"]
    codes = (await ann.call("confirmTotp", code=pyotp.TOTP(secret).now())).ok()["codes"]
    if by == "password":
        known = {"email": ANN, "password": PASSWORD, "returnTo": "/docs"}
        asked = await service.http.post("/sign-in", data=known)
    else:
        (await Client(service).call("sendSignInLink", email=ANN)).ok()
        (token,) = await mailed(service, KIND)
        asked = await service.http.post("/sign-in/link", data={"token": token})
    assert "set-cookie" not in asked.headers
    form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', asked.text))
    wrong = await service.http.post("/sign-in/second-factor", data={**form, "code": "000000"})
    assert (wrong.status_code, 'role="alert"' in wrong.text) == (422, True)
    done = await service.http.post("/sign-in/second-factor", data={**form, "code": codes[0]})
    assert (done.status_code, done.headers["location"]) == (303, "/docs" if by == "password" else "/")
    assert (await service.http.get("/api/v1/me")).json()["email"] == ANN
