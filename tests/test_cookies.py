"""Sessions in cookies: what a browser does with them works, and what a stranger's page tries with them does not."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import msgspec
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

from muster.kit.endpoints.socket import PROTOCOL
from muster.testing.serving import serving
from muster.testing.town import Town, event_input

pytestmark = pytest.mark.asyncio(loop_scope="module")

APP, EVIL = "http://localhost:8000", "https://evil.example"
LOGIN, ME, EVENTS = "/api/v1/auth/dev-login", "/api/v1/me", "/api/v1/events"
WANTED = {"x-session": "cookie"}
DRAFT = msgspec.to_builtins(event_input())


@pytest.fixture(scope="module")
def town(module_town: Town) -> Town:
    return module_town


@dataclass
class Browser:
    """A person's browser: it sends its cookies with everything, whoever made it ask."""

    http: httpx.AsyncClient
    csrf: str
    signed_in: httpx.Response

    @property
    def token(self) -> str:
        """What the cookie holds."""
        return self.http.cookies["muster_session"]

    async def email(self) -> str | None:
        """Whom the service takes the browser for."""
        found: str | None = (await self.http.get(ME)).json().get("email")
        return found


@pytest_asyncio.fixture(loop_scope="module")
async def browser(town: Town) -> AsyncIterator[Browser]:
    async with httpx.AsyncClient(base_url=town.service.address) as http:
        response = await http.post(LOGIN, json={"name": "Ada"}, headers=WANTED)
        yield Browser(http, response.headers["x-csrf-token"], response)


async def test_a_session_moves_into_a_cookie(browser: Browser) -> None:
    body, cookie = browser.signed_in.json(), browser.signed_in.headers["set-cookie"]
    assert (body["accessToken"], body["refreshToken"]) == ("", "")
    assert all(each in cookie for each in ("muster_session=", "HttpOnly", "Path=/", "SameSite=lax"))
    assert await browser.email() is not None


async def test_production_ties_the_cookie_to_this_host_and_tls(town: Town) -> None:
    known = {"email": "main.moderator@dev.invalid", "password": "not this one at all"}
    async with serving(town.service.urls, MUSTER_ENV="production") as service:
        refused = await service.http.post("/api/v1/auth/login", json=known, headers=WANTED)
        assert (refused.status_code, "set-cookie" in refused.headers) == (401, False)
        stale = await service.http.get(ME, headers={"cookie": "__Host-muster_session=planted"})
        assert stale.status_code == 401
        cookie = stale.headers["set-cookie"]
        assert cookie.startswith('__Host-muster_session=""; ')
        assert all(each in cookie for each in ("Secure", "HttpOnly", "Path=/", "Max-Age=0"))
        assert "Domain" not in cookie
        plain = await service.http.get(ME, headers={"cookie": "muster_session=planted"})
        assert (plain.status_code, "set-cookie" in plain.headers) == (401, False)


async def test_nobody_gets_a_cookie_unasked(town: Town) -> None:
    response = await town.service.http.post(LOGIN, json={"name": "Ada"})
    assert response.json()["accessToken"]
    assert "set-cookie" not in response.headers


async def test_what_changes_something_needs_the_csrf_token(browser: Browser) -> None:
    for wrong in (None, b"", b"0" * 64, b"\xe9"):
        headers = {} if wrong is None else {b"x-csrf-token": wrong}
        refused = await browser.http.post(EVENTS, json=DRAFT, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "CSRF_TOKEN_INVALID")
    made = await browser.http.post(EVENTS, json=DRAFT, headers={"x-csrf-token": browser.csrf})
    assert made.status_code == 201


async def test_the_token_of_another_session_is_no_good(browser: Browser, town: Town) -> None:
    async with httpx.AsyncClient(base_url=town.service.address) as http:
        other = (await http.post(LOGIN, json={"name": "Mallory"}, headers=WANTED)).headers["x-csrf-token"]
    refused = await browser.http.post(EVENTS, json=DRAFT, headers={"x-csrf-token": other})
    assert refused.json()["code"] == "CSRF_TOKEN_INVALID"


async def test_graphql_by_cookie(browser: Browser) -> None:
    asked = await browser.http.get("/graphql", params={"query": "{ me { email } }"})
    assert asked.json()["data"]["me"]["email"] == await browser.email()
    body = {"query": "{ me { email } }"}
    refused = await browser.http.post("/graphql", json=body)
    assert refused.json()["errors"][0]["extensions"]["code"] == "CSRF_TOKEN_INVALID"
    assert (await browser.http.post("/graphql", json=body, headers={"x-csrf-token": browser.csrf})).json()["data"]["me"]


async def test_graphql_signs_in_and_out_by_cookie(town: Town) -> None:
    login = {"query": 'mutation { devLogin(name: "Ada") { accessToken refreshToken user { name } } }'}
    async with httpx.AsyncClient(base_url=town.service.address) as http:
        plain = await http.post("/graphql", json=login)
        assert "set-cookie" not in plain.headers
        assert plain.json()["data"]["devLogin"]["accessToken"]
        signed_in = await http.post("/graphql", json=login, headers=WANTED)
        told = {"accessToken": "", "refreshToken": "", "user": {"name": "Ada"}}
        assert signed_in.json() == {"data": {"devLogin": told}}
        assert (await http.get(ME)).json()["name"] == "Ada"
        csrf = {"x-csrf-token": signed_in.headers["x-csrf-token"]}
        signed_out = await http.post("/graphql", json={"query": "mutation { logout }"}, headers=csrf)
        assert signed_out.json() == {"data": {"logout": True}}
        assert "muster_session" not in http.cookies


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize(
    "address", ["/api/v1/auth/logout", "/graphql", "/api/v1/batch", "/api/v1/notifications/reading"]
)
async def test_forms_of_strangers_do_nothing(address: str, kind: str, browser: Browser) -> None:
    forged = '{"query": "mutation { logout }", "operations": [{"method": "POST", "path": "/api/v1/auth/logout"}]}'
    headers = {"content-type": kind, "origin": EVIL, "sec-fetch-site": "cross-site"}
    assert (await browser.http.post(address, content=forged, headers=headers)).status_code in (403, 415)
    assert await browser.email() is not None


async def test_a_get_has_no_effect(browser: Browser) -> None:
    refused = await browser.http.get("/graphql", params={"query": "mutation { logout }"})
    assert refused.status_code == 405
    for address in ("/api/v1/auth/logout", LOGIN):
        assert (await browser.http.get(address)).status_code == 405
    override = {"x-http-method-override": "POST"}
    assert (await browser.http.get("/api/v1/auth/logout", headers=override)).status_code == 405
    assert await browser.email() is not None


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
async def test_nobody_is_signed_in_unawares(kind: str, town: Town) -> None:
    async with httpx.AsyncClient(base_url=town.service.address) as http:
        forged = await http.post(LOGIN, content='{"name": "Mallory"}', headers={"content-type": kind, "origin": EVIL})
        # What a form cannot send, a script has to ask leave for first, and gets none.
        asked = await http.options(
            LOGIN,
            headers={
                "origin": EVIL,
                "access-control-request-method": "POST",
                "access-control-request-headers": "x-session",
            },
        )
    assert (forged.status_code, "set-cookie" in forged.headers) == (415, False)
    assert "access-control-allow-origin" not in asked.headers


async def test_a_planted_cookie_is_nobody(browser: Browser, town: Town) -> None:
    access = (await town.service.http.post(LOGIN, json={"name": "Ada"})).json()["accessToken"]
    for planted in (access, browser.token[:-2], "", "x" * 5000):
        async with httpx.AsyncClient(base_url=town.service.address, cookies={"muster_session": planted}) as http:
            assert (await http.get(ME)).status_code == 401
    bearer = {"authorization": f"Bearer {browser.token}"}
    assert (await town.service.http.get(ME, headers=bearer)).status_code == 401


async def test_signing_in_again_changes_the_cookie(browser: Browser) -> None:
    before, csrf = browser.token, browser.csrf
    again = await browser.http.post(LOGIN, json={"name": "Ada"}, headers=WANTED)
    assert browser.token != before
    assert again.headers["x-csrf-token"] != csrf


async def test_signing_out_takes_the_cookie_away(browser: Browser, town: Town) -> None:
    kept = browser.token
    gone = await browser.http.post("/api/v1/auth/logout", headers={"x-csrf-token": browser.csrf})
    assert gone.status_code == 204
    assert "muster_session" not in browser.http.cookies
    async with httpx.AsyncClient(base_url=town.service.address) as http:
        for address in (ME, EVENTS, "/graphql?query={me{email}}"):
            ended = await http.get(address, headers={"cookie": f"muster_session={kept}"})
            assert "UNAUTHENTICATED" in ended.text, address
            assert "Max-Age=0" in ended.headers["set-cookie"]


async def test_a_header_goes_before_the_cookie(browser: Browser) -> None:
    wrong = {"authorization": "Bearer nonsense"}
    refused = await browser.http.get(ME, headers=wrong)
    assert (refused.status_code, "set-cookie" in refused.headers) == (401, False)


async def test_a_page_that_was_loaded_again_asks_for_its_token(browser: Browser, town: Town) -> None:
    told = await browser.http.get("/api/v1/auth/csrf", headers={"origin": EVIL})
    assert told.json() == {"csrfToken": browser.csrf}
    assert told.headers["cache-control"] == "private, no-store"
    assert "access-control-allow-origin" not in told.headers
    async with httpx.AsyncClient(base_url=town.service.address) as nobody:
        assert (await nobody.get("/api/v1/auth/csrf")).status_code == 401


@pytest.mark.parametrize(("origin", "welcome"), [(APP, True), (EVIL, False), ("null", False), (None, False)])
async def test_sockets_by_cookie_are_for_our_pages(origin: str | None, welcome: bool, browser: Browser) -> None:
    address = f"{str(browser.http.base_url).replace('http', 'ws').rstrip('/')}/graphql"
    headers = {"cookie": f"muster_session={browser.token}"}
    from_page = None if origin is None else Origin(origin)
    async with connect(
        address, subprotocols=[Subprotocol(PROTOCOL)], origin=from_page, additional_headers=headers, proxy=None
    ) as socket:
        await socket.send('{"type": "connection_init"}')
        if welcome:
            assert await socket.recv() == '{"type":"connection_ack"}'
        else:
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4403
