"""The pages that mails lead to: opening one uses nothing up, pressing its button does, and nothing a link holds is markup."""

import re

import httpx
import pytest

from muster.identity.tests.people import ANN, PASSWORD, account, mailed, register
from muster.testing.below import value
from muster.testing.client import Client
from muster.testing.serving import Service

NEW = "a brand new password"


async def _open(service: Service, path: str, token: str) -> httpx.Response:
    return await service.http.get(path, params={"token": token})


async def _press(service: Service, path: str, **form: str) -> httpx.Response:
    return await service.http.post(path, data=form)


def _form_of(page: httpx.Response) -> dict[str, str]:
    """The hidden fields of a page's form."""
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))


async def test_a_mail_scanner_that_opens_the_link_does_not_use_it_up(service: Service) -> None:
    await register(service, verified=False)
    (token,) = await mailed(service, "identity.verify")
    page, *_ = [await _open(service, "/verify", token) for _ in range(3)]
    assert page.status_code == 200
    assert await value(service.urls, "select count(*) from users where verified_at is not null") == 0
    done = await _press(service, "/verify", **_form_of(page))
    assert (done.status_code, "Confirmed" in done.text) == (200, True)
    assert await value(service.urls, "select count(*) from users where verified_at is not null") == 1
    again = await _press(service, "/verify", **_form_of(page))
    assert (again.status_code, "ask for a new one" in again.text) == (410, True)


async def test_a_password_is_set_on_a_page_and_a_poor_one_can_be_mended(service: Service) -> None:
    await register(service)
    asked = await _press(service, "/forgot", email=ANN)
    assert "Look into your mailbox" in asked.text
    (token,) = await mailed(service, "identity.reset")
    form = _form_of(await _open(service, "/reset", token))
    for poor, why in (
        ("short", "password: must have at least 10 characters"),
        ("password123", "first that anybody would try"),
    ):
        refused = await _press(service, "/reset", password=poor, **form)
        assert (refused.status_code, why in refused.text) == (422, True)
        assert _form_of(refused) == form
        assert poor not in refused.text
    done = await _press(service, "/reset", password=NEW, **form)
    assert (done.status_code, "Your password is set" in done.text) == (200, True)
    (await Client(service).call("login", email=ANN, password=NEW)).ok()


async def test_pages_and_mails_speak_the_language_of_who_reads_them(service: Service) -> None:
    told = {"locale": "de-AT", "timezone": "Europe/Vienna"}
    (await Client(service).call("register", input=account() | told)).ok()
    assert await mailed(service, "identity.verify")
    assert await value(service.urls, "select language from mails") == "de-AT"
    shown = await service.http.get("/dev/mail.json")
    assert shown.json()[0]["subject"] == "Bestätige deine E-Mail-Adresse"
    page = await service.http.get("/forgot", headers={"accept-language": "pl-PL,pl;q=0.9,en;q=0.8"})
    assert page.headers["content-language"] == "pl"
    assert '<html lang="pl">' in page.text
    assert "Adres e-mail" in page.text


async def test_an_account_is_unlocked_on_a_page(service: Service) -> None:
    await register(service)
    for _ in range(5):
        await Client(service).call("login", email=ANN, password="wrong horse battery")
    (token,) = await mailed(service, "identity.locked")
    await _press(service, "/unlock", **_form_of(await _open(service, "/unlock", token)))
    (await Client(service).call("login", email=ANN, password=PASSWORD)).ok()


@pytest.mark.parametrize("path", ["/verify", "/reset", "/unlock"])
async def test_what_a_link_holds_is_never_markup_and_the_page_loads_no_script(service: Service, path: str) -> None:
    page = await _open(service, path, '"><script>alert(1)</script>')
    assert page.status_code == 200
    assert "<script" not in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    bare = await service.http.get(path)
    assert (bare.status_code, "token" in bare.text) == (422, True)


async def test_the_mail_leads_where_the_page_is(service: Service) -> None:
    await register(service, verified=False)
    await mailed(service, "identity.verify")
    shown = (await service.http.get("/dev/mail.json")).json()
    link = shown[0]["links"][0]
    assert link.startswith(f"{service.settings.addresses.app}/verify?token=")
    form = _form_of(await service.http.get(link.removeprefix(service.settings.addresses.app)))
    assert "Confirmed" in (await _press(service, "/verify", **form)).text
