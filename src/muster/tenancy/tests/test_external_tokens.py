"""Tokens of other issuers, against one that runs here: taken for what they say, and for nothing more."""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from muster.adapters.tests.test_oidc import _by_hand as by_hand
from muster.kit.db.migrate import Urls
from muster.kit.sources import SettingError
from muster.testing.below import ask, change, value
from muster.testing.client import Client
from muster.testing.people import sign_in
from muster.testing.serving import Service, listening, serving, settings_for
from muster.testing.town import add_passkey

OURS, THEIRS = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
AUDIENCE = "https://api.example.org"


@dataclass
class Issuer:
    """An issuer. asked: what it was asked for. is_away: it answers nothing that can be read."""

    address: str = ""
    asked: list[str] = field(default_factory=list)
    is_away: bool = False

    async def serve(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        if self.is_away:
            return Response("no", status_code=503)
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(OURS.public_key()))
        if request.url.path == "/keys":
            return JSONResponse({"keys": [{**public, "kid": "ours"}]})
        return JSONResponse({"issuer": f"{self.address}/", "jwks_uri": f"{self.address}/keys"})

    def claims(self, **more: object) -> dict[str, Any]:
        """What a token says. more: instead, or nothing of it where it is None."""
        now = int(time.time())
        usual = {"iss": f"{self.address}/", "sub": "ann", "aud": AUDIENCE, "iat": now, "exp": now + 600, "sid": "s1"}
        known = {"email": "ann@example.org", "email_verified": True, "name": "Ann"}
        return {name: each for name, each in {**usual, **known, **more}.items() if each is not None}

    def token(self, **more: object) -> str:
        """A token. more: as in `claims`."""
        return jwt.encode(self.claims(**more), OURS, "ES256", {"kid": "ours"})


@pytest_asyncio.fixture
async def issuer() -> AsyncIterator[Issuer]:
    """An issuer on a port of its own, so that nothing of another test's is remembered."""
    told = Issuer()
    async with listening(Starlette(routes=[Route("/{path:path}", told.serve)])) as address:
        told.address = address
        yield told


def settings_of(issuer: Issuer, **more: str) -> dict[str, str]:
    """The settings that take an issuer's tokens."""
    usual = {"TOKENS_FROM": "clerk", "TOKENS_CLERK_ISSUER": f"{issuer.address}/", "TOKENS_CLERK_AUDIENCE": AUDIENCE}
    return {**usual, "TOKENS_CLERK_OPENS_ACCOUNTS": "on", **more}


@pytest_asyncio.fixture
async def service(urls: Urls, issuer: Issuer) -> AsyncIterator[Service]:
    async with serving(urls, **settings_of(issuer)) as service:
        yield service


async def me(service: Service, token: str) -> Any:
    """Who somebody with a token is, or why not."""
    answer = await Client(service, token).call("me")
    return answer.code or answer.ok()["id"]


async def test_a_token_is_its_person_from_the_first_on(service: Service, issuer: Issuer) -> None:
    ann = await me(service, issuer.token())
    assert await me(service, issuer.token(iat=int(time.time()) - 1)) == ann
    person = Client(service, issuer.token())
    assert (await person.call("me")).ok()["email"] == "ann@example.org"
    assert (await person.call("currentTenant")).status == 200
    # One session of theirs, as the issuer has it, and one more where the issuer opened another.
    count = "select count(*) from sessions where user_id::text = $1"
    assert await value(service.urls, count, ann) == 1
    assert await me(service, issuer.token(sid="s2")) == ann
    assert await value(service.urls, count, ann) == 2
    # The keys are asked for once.
    assert issuer.asked == ["/.well-known/openid-configuration", "/keys"]
    rows = "select distinct verb, actor_id::text, reason from audit_rows where verb = 'externalToken'"
    assert await ask(service.urls, rows) == [("externalToken", ann, "a token of clerk")]


async def test_a_session_that_is_revoked_here_is_over_whatever_the_issuer_says(
    service: Service, issuer: Issuer
) -> None:
    token = issuer.token()
    address = service.address.replace("http", "ws", 1) + "/graphql"
    ann = await me(service, token)
    async with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")]) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}))
        assert json.loads(await socket.recv()) == {"type": "connection_ack"}
        await change(service.urls, "update sessions set revoked_at = now() where user_id::text = $1", ann)
        await socket.wait_closed()
        assert socket.close_code == 4403
    assert await me(service, token) == "UNAUTHENTICATED"
    assert await me(service, issuer.token(iat=int(time.time()) - 2)) == "UNAUTHENTICATED"
    assert await me(service, issuer.token(sid="s2")) == ann


WRONG: dict[str, dict[str, object]] = {
    "another audience": {"aud": "https://other.example.org"},
    "no audience": {"aud": None},
    "no audience, made for another party": {"aud": None, "azp": "https://other.example.org"},
    "another issuer": {"iss": "https://evil.example"},
    "expired": {"exp": 1_000_000_000},
    "without an end": {"exp": None},
    "without a beginning": {"iat": None},
    "nobody": {"sub": None},
    "an endless subject": {"sub": "x" * 300},
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_token_that_says_something_else_is_nobody(name: str, service: Service, issuer: Issuer) -> None:
    assert await me(service, issuer.token(**WRONG[name])) == "UNAUTHENTICATED"
    assert await value(service.urls, "select count(*) from users") == 0


async def test_who_made_a_token_up_is_nobody(service: Service, issuer: Issuer) -> None:
    public, claims = jwt.algorithms.ECAlgorithm.to_jwk(OURS.public_key()).encode(), issuer.claims()
    deep = json.loads("[" * 900 + "]" * 900)
    forged = {
        "alg none": by_hand({"alg": "none", "kid": "ours"})(claims),
        "HS256 by the public key": by_hand({"alg": "HS256", "kid": "ours"}, public)(claims),
        "another's key": jwt.encode(claims, THEIRS, "ES256", {"kid": "ours"}),
        "a key brought along": jwt.encode(claims, THEIRS, "ES256", {"kid": "x", "jku": "http://127.0.0.1:1/keys"}),
        "nested": by_hand({"alg": "ES256", "kid": "ours"})({**claims, "deep": deep}),
        "no text": "a.b.c",
        "endless": f"a.{'b' * 9000}.c",
    }
    for name, token in forged.items():
        assert await me(service, token) == "UNAUTHENTICATED", name
    assert await value(service.urls, "select count(*) from users") == 0


async def test_a_flood_of_unknown_keys_asks_the_issuer_once(service: Service, issuer: Issuer) -> None:
    ann = await me(service, issuer.token())
    for number in range(50):
        token = jwt.encode(issuer.claims(), THEIRS, "ES256", {"kid": f"made up {number}"})
        assert await me(service, token) == "UNAUTHENTICATED"
    assert issuer.asked.count("/keys") == 1
    assert await me(service, issuer.token()) == ann


async def test_an_issuer_that_is_away_holds_up_nobody_with_a_token_of_ours(service: Service, issuer: Issuer) -> None:
    issuer.is_away = True
    ben = await sign_in(service, "ben")
    assert [await me(service, issuer.token(sub=str(number))) for number in range(3)] == ["UNAVAILABLE"] * 3
    assert len(issuer.asked) == 1
    assert await me(service, ben.client.token or "") == str(ben.user_id)


async def test_nobody_is_taken_over_by_their_mail(service: Service, issuer: Issuer) -> None:
    ann = await me(service, issuer.token())
    for stranger, word in (
        ({"sub": "somebody else"}, "There is an account with this mail"),
        ({"sub": "b", "email": "ben@example.org", "email_verified": False}, "verify it there"),
        ({"sub": "c", "email": None}, "verify it there"),
    ):
        answer = await Client(service, issuer.token(**stranger)).call("me")
        assert (answer.code, word in str(answer.problem)) == ("UNAUTHENTICATED", True)
    assert await ask(service.urls, "select id::text from users") == [(ann,)]


async def test_a_token_does_no_more_than_a_session_that_proved_nothing(service: Service, issuer: Issuer) -> None:
    client = Client(service, issuer.token())
    ann = await me(service, issuer.token())
    assert (await client.call("createApiKey", input={"name": "K"})).code == "STEP_UP_REQUIRED"
    await change(service.urls, "update sessions set proved_at = now() where user_id::text = $1", ann)
    await add_passkey(client, "A phone")
    # Who asks for a second factor is let in by nobody else's word alone.
    assert await me(service, issuer.token(sid="later")) == "UNAUTHENTICATED"
    await change(service.urls, "delete from passkeys")
    await change(service.urls, "update users set closed_at = now()")
    assert await me(service, issuer.token(sid="later still")) == "UNAUTHENTICATED"
    assert await value(service.urls, "select closed_at is not null from users") is True


async def test_where_nobody_gets_an_account_by_a_token_it_is_linked_first(urls: Urls, issuer: Issuer) -> None:
    more = {"TOKENS_CLERK_OPENS_ACCOUNTS": "off", "TOKENS_CLERK_KEYS": f"{issuer.address}/keys"}
    async with serving(urls, **settings_of(issuer, **more)) as service:
        ben = await sign_in(service, "ben")
        assert await me(service, issuer.token()) == "UNAUTHENTICATED"
        await change(
            urls,
            "insert into external_identities (id, user_id, provider, issuer, subject, email, created_at, used_at) "
            "values (uuidv7(), $1, 'clerk', $2, 'ann', 'ann@example.org', now(), now())",
            ben.user_id,
            issuer.address,
        )
        # Of those without an audience, as Clerk's are, the party that they were made for is compared.
        assert await me(service, issuer.token(aud=None, azp=AUDIENCE)) == str(ben.user_id)
        assert issuer.asked == ["/keys"]


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"TOKENS_CLERK_AUDIENCE": ""}, "TOKENS_CLERK_AUDIENCE"),
        ({"TOKENS_CLERK_ISSUER": "http://issuer.example.org"}, "TOKENS_CLERK_ISSUER"),
        ({"TOKENS_CLERK_KEYS": "ftp://issuer.example.org"}, "TOKENS_CLERK_KEYS"),
        ({"TOKENS_FROM": "Not a name"}, "TOKENS_FROM"),
    ],
)
def test_settings_that_would_take_tokens_for_anybody_are_refused(
    urls: Urls, wrong: dict[str, str], problem: str
) -> None:
    with pytest.raises(SettingError, match=problem):
        settings_for(urls, **{**settings_of(Issuer("https://issuer.example.org")), **wrong})
