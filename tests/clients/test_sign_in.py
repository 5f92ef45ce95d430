"""Signing in with a real provider of OpenID Connect, run here: the certified library oidc-provider, in Node.js."""

import re
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx
import pytest
import pytest_asyncio

from muster.identity.tests.people import PASSWORD, mailed, register, sessions
from muster.kit.db.migrate import Urls
from muster.testing.below import ask, change, value
from muster.testing.client import Client, Way
from muster.testing.serving import Service, serving_in_process
from muster.testing.work import drain
from tests.clients.tools import Tools

PROVIDER = Path(__file__).parent / "provider"
APP = "http://muster.test"
ANN = "ann@example.org"


@dataclass
class Provider:
    """The provider, and a browser of somebody who signs in there."""

    issuer: str

    async def agree(self, address: str, login: str) -> dict[str, str]:
        """Sign in at the provider and agree; answers with what the way back to us carries."""
        async with httpx.AsyncClient() as browser:
            answer = await browser.get(address)
            while not (there := urljoin(str(answer.url), answer.headers.get("location", ""))).startswith(APP):
                answer = await (browser.get(there) if answer.is_redirect else self._fill(browser, answer, login))
        assert urlsplit(there).path == "/sign-in/local/callback"
        return dict(parse_qsl(urlsplit(there).query))

    async def _fill(self, browser: httpx.AsyncClient, page: httpx.Response, login: str) -> httpx.Response:
        """Send the form that a page of the provider shows."""
        (action,) = re.findall(r'<form[^>]* action="([^"]+)"', page.text)
        (prompt,) = re.findall(r'name="prompt" value="(\w+)"', page.text)
        return await browser.post(action, data={"prompt": prompt, "login": login, "password": "any"})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider(tools: Tools) -> AsyncIterator[Provider]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tools.copy(PROVIDER) as folder:
        environ = {"PORT": str(port), "REDIRECT": f"{APP}/sign-in/local/callback"}
        async with tools.serving(folder, "node", "provider.mjs", **environ) as issuer:
            yield Provider(issuer)


@pytest_asyncio.fixture(loop_scope="module")
async def service(urls: Urls, provider: Provider) -> AsyncIterator[Service]:
    settings = {
        "APP_URL": APP,
        "SIGN_IN_WITH": "local",
        "SIGN_IN_LOCAL_ISSUER": provider.issuer,
        "SIGN_IN_LOCAL_CLIENT_ID": "muster",
        "SIGN_IN_LOCAL_CLIENT_SECRET": "a secret of the tests",
    }
    async with serving_in_process(urls, **settings) as service:
        yield service


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _came(service: Service, provider: Provider, login: str, client: Client | None = None) -> dict[str, Any]:
    """What somebody comes back with, as arguments. client: of who wants to link it."""
    verb = "beginSignIn" if client is None else "beginLink"
    way = (await (client or Client(service)).call(verb, provider="local")).ok()
    back = await provider.agree(way["url"], login)
    return {"ticket": way["ticket"], "code": back["code"], "state": back["state"]}


async def _signed_in(service: Service) -> Client:
    """Ann, with a password."""
    return Client(service, (await Client(service).call("login", email=ANN, password=PASSWORD)).ok()["accessToken"])


async def test_a_browser_goes_to_the_provider_and_comes_back_signed_in(service: Service, provider: Provider) -> None:
    left = await service.http.get("/sign-in/local", params={"returnTo": "/events"})
    asked = dict(parse_qsl(urlsplit(left.headers["location"]).query))
    assert (left.status_code, asked["code_challenge_method"]) == (303, "S256")
    assert asked["nonce"] not in left.headers["set-cookie"]
    back = await provider.agree(left.headers["location"], "ann")
    assert back["state"] == asked["state"]
    done = await service.http.get("/sign-in/local/callback", params=back)
    assert (done.status_code, done.headers["location"]) == (303, "/events")
    me = (await service.http.get("/api/v1/me")).json()
    assert (me["email"], me["name"]) == (ANN, "ann at the provider")
    assert me["verifiedAt"] is not None
    assert await value(service.urls, "select count(*) from members m join users u on u.id = m.user_id") == 1


async def test_a_browser_shows_by_the_provider_who_its_person_is(service: Service, provider: Provider) -> None:
    left = await service.http.get("/sign-in/local")
    back = await provider.agree(left.headers["location"], "ann")
    await service.http.get("/sign-in/local/callback", params=back)
    await change(service.urls, "update sessions set proved_at = null")
    assert 'href="/step-up/local?returnTo=/events"' in (await service.http.get("/step-up?returnTo=/events")).text
    left = await service.http.get("/step-up/local", params={"returnTo": "/events"})
    back = await provider.agree(left.headers["location"], "ann")
    between = await service.http.get("/sign-in/local/callback", params=back)
    done = await service.http.get(between.headers["location"])
    assert (done.status_code, done.headers["location"]) == (303, "/events")
    assert await value(service.urls, "select proved_at is not null from sessions")


async def test_a_page_without_the_ticket_signs_nobody_in(service: Service, provider: Provider) -> None:
    """Somebody who sends their own way back to another person would have them signed in as themselves."""
    left = await service.http.get("/sign-in/local")
    back = await provider.agree(left.headers["location"], "mallory")
    service.http.cookies.clear()
    refused = await service.http.get("/sign-in/local/callback", params=back)
    assert "You are not signed in" in refused.text
    assert await sessions(service) == 0
    mine = await service.http.get("/sign-in/local")
    assert mine.status_code == 303
    crossed = await service.http.get("/sign-in/local/callback", params=back)
    assert crossed.status_code == 410
    denied = await service.http.get("/sign-in/local/callback", params={"error": "access_denied", "state": "x"})
    assert "You are not signed in" in denied.text
    assert await sessions(service) == 0


@pytest.mark.parametrize("way", Way)
async def test_one_person_has_one_account(service: Service, provider: Provider, way: Way) -> None:
    (_, session) = [
        (await Client(service).call("finishSignIn", way=way, **await _came(service, provider, "ann"))).ok()
        for _ in range(2)
    ]
    ann = Client(service, session["accessToken"])
    (identity,) = (await ann.call("myIdentities", way=way)).ok()["items"]
    assert (identity["provider"], identity["email"]) == ("local", ANN)
    assert await value(service.urls, "select count(*) from users") == 1
    assert await sessions(service) == 2


async def test_what_does_not_belong_together_is_refused(service: Service, provider: Provider) -> None:
    came, other = [await _came(service, provider, each) for each in ("ann", "bob")]
    wrong = {
        "another state": {**came, "state": other["state"]},
        "a state made up": {**came, "state": "x"},
        "another ticket": {**came, "ticket": other["ticket"]},
        "a ticket that was changed": {**came, "ticket": came["ticket"][:-1]},
        "no ticket": {**came, "ticket": ""},
    }
    for name, arguments in wrong.items():
        assert (await Client(service).call("finishSignIn", **arguments)).code == "SIGN_IN_EXPIRED", name
    # The verifier of one's own way does not fit the code of another's.
    injected = await Client(service).call("finishSignIn", **{**came, "code": other["code"]})
    assert injected.code == "SIGN_IN_REFUSED"
    assert (await Client(service).call("finishSignIn", **{**came, "code": "made up"})).code == "SIGN_IN_REFUSED"
    (await Client(service).call("finishSignIn", **came)).ok()
    assert (await Client(service).call("finishSignIn", **came)).code == "SIGN_IN_REFUSED"
    assert await value(service.urls, "select count(*) from users") == 1


@pytest.mark.parametrize("is_verified", [True, False])
async def test_an_account_is_never_taken_over_by_its_mail(
    service: Service, provider: Provider, is_verified: bool
) -> None:
    await register(service, verified=is_verified)
    refused = await Client(service).call("finishSignIn", **await _came(service, provider, "ann"))
    assert (refused.status, refused.code) == (409, "ACCOUNT_EXISTS")
    assert await ask(service.urls, "select 1 from external_identities") == []
    assert await sessions(service) == 0
    if not is_verified:
        early = await (await _signed_in(service)).call("beginLink", provider="local")
        assert early.code == "EMAIL_NOT_VERIFIED"


async def test_who_signs_in_to_an_account_links_it_and_is_told(service: Service, provider: Provider) -> None:
    user_id = await register(service)
    ann = await _signed_in(service)
    linked = (await ann.call("linkIdentity", **await _came(service, provider, "ann", ann))).ok()
    assert linked["provider"] == "local"
    session = (await Client(service).call("finishSignIn", **await _came(service, provider, "ann"))).ok()
    assert session["user"]["id"] == str(user_id)
    await drain(service.urls)
    assert await value(service.urls, "select count(*) from mails where kind = 'identity.identity_linked'") == 1


async def test_nobody_is_linked_to_somebody_elses_account(service: Service, provider: Provider) -> None:
    await register(service)
    ann = await _signed_in(service)
    mallory_came = await _came(service, provider, "mallory")
    assert (await ann.call("linkIdentity", **mallory_came)).code == "SIGN_IN_EXPIRED"
    mallory = Client(service, (await Client(service).call("finishSignIn", **mallory_came)).ok()["accessToken"])
    assert (await ann.call("linkIdentity", **await _came(service, provider, "mallory", ann))).code == "IDENTITY_TAKEN"
    for_ann = await _came(service, provider, "ann", ann)
    assert (await mallory.call("linkIdentity", **for_ann)).code == "SIGN_IN_EXPIRED"
    assert (await Client(service).call("finishSignIn", **for_ann)).code == "SIGN_IN_EXPIRED"
    # Who came in by somebody else's word has shown nothing of their own yet.
    assert (await mallory.call("beginLink", provider="local")).code == "STEP_UP_REQUIRED"


async def test_the_last_way_in_stays(service: Service, provider: Provider) -> None:
    session = (await Client(service).call("finishSignIn", **await _came(service, provider, "ann"))).ok()
    ann = Client(service, session["accessToken"])
    (identity,) = (await ann.call("myIdentities")).ok()["items"]
    assert (await ann.call("unlinkIdentity", id=identity["id"])).code == "STEP_UP_REQUIRED"
    await change(service.urls, "update sessions set proved_at = now()")
    assert (await ann.call("unlinkIdentity", id=identity["id"])).code == "LAST_WAY_IN"
    (await Client(service).call("forgotPassword", email=ANN)).ok()
    (token,) = await mailed(service, "identity.reset")
    (await Client(service).call("resetPassword", token=token, password=PASSWORD)).ok()
    ann = await _signed_in(service)
    (await ann.call("unlinkIdentity", id=identity["id"])).ok()
    assert (await ann.call("unlinkIdentity", id=identity["id"])).code == "IDENTITY_NOT_FOUND"
    assert (await ann.call("myIdentities")).ok()["items"] == []


async def test_a_mail_that_the_provider_does_not_vouch_for_opens_nothing(service: Service, provider: Provider) -> None:
    refused = await Client(service).call("finishSignIn", **await _came(service, provider, "unverified-ann"))
    assert refused.code == "PROVIDER_MAIL_NOT_VERIFIED"
    assert await value(service.urls, "select count(*) from users") == 0
