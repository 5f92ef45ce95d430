"""What a provider says is believed only as far as it holds: a hostile one, over a real socket."""

import base64
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from muster.adapters import github, oidc
from muster.kit.providers import Asked, NotVouched, OutOfReach, Provider
from muster.testing.serving import listening

ASKED = Asked(redirect="http://localhost/sign-in/local/callback", state="s", nonce="n", verifier="v" * 43)
OURS, THEIRS = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())


@dataclass
class Hostile:
    """A provider whose answers a test can change. answers: by path, instead of the usual ones."""

    address: str = ""
    answers: dict[str, Callable[[], Response]] = field(default_factory=dict)
    token: Callable[[dict[str, Any]], str] = lambda claims: jwt.encode(claims, OURS, "ES256", {"kid": "ours"})
    claims: dict[str, Any] = field(default_factory=dict)
    sent: dict[str, str] = field(default_factory=dict)

    @property
    def provider(self) -> Provider:
        return Provider("local", "Local", self.address, "muster", "a secret: of/ours")

    async def serve(self, request: Request) -> Response:
        path = request.url.path
        if path == "/token":
            sent = dict(parse_qsl((await request.body()).decode()))
            self.sent = {**sent, "authorization": request.headers.get("authorization", "")}
        return self.answers.get(path, lambda: JSONResponse(self._usual(path)))()

    def _usual(self, path: str) -> Any:
        now = int(time.time())
        claims = {"iss": self.address, "sub": "1", "aud": "muster", "iat": now, "exp": now + 60, "nonce": "n"}
        known = {"email": "ann@example.org", "email_verified": True, "name": "Ann"}
        given = {name: each for name, each in {**claims, **known, **self.claims}.items() if each is not None}
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(OURS.public_key()))
        return {
            "/.well-known/openid-configuration": {
                "issuer": self.address,
                "authorization_endpoint": f"{self.address}/authorize",
                "token_endpoint": f"{self.address}/token",
                "userinfo_endpoint": f"{self.address}/me",
                "jwks_uri": f"{self.address}/keys",
            },
            "/keys": {"keys": [{**public, "kid": "ours"}, {"kty": "oct", "k": "AA", "kid": "shared"}, {"kty": "?"}, 1]},
            "/token": {"id_token": self.token(given), "access_token": "a"},
            "/me": {"sub": "2", "email": "boss@example.org", "email_verified": True},
        }[path]


@asynccontextmanager
async def hostile() -> AsyncIterator[Hostile]:
    told = Hostile()
    async with listening(Starlette(routes=[Route("/{path:path}", told.serve, methods=["GET", "POST"])])) as address:
        told.address = address
        yield told


def _by_hand(header: dict[str, Any], secret: bytes = b"") -> Callable[[dict[str, Any]], str]:
    """A token with any header, with an HMAC where there is a secret."""

    def sign(claims: dict[str, Any]) -> str:
        text = ".".join(
            base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in (header, claims)
        )
        seal = hmac.digest(secret, text.encode(), "sha256") if secret else b""
        return f"{text}.{base64.urlsafe_b64encode(seal).decode().rstrip('=')}"

    return sign


_PUBLIC = jwt.algorithms.ECAlgorithm.to_jwk(OURS.public_key()).encode()
TOKENS: dict[str, Callable[[dict[str, Any]], str]] = {
    "alg none": _by_hand({"alg": "none", "kid": "ours"}),
    "HS256 by the public key": _by_hand({"alg": "HS256", "kid": "ours"}, _PUBLIC),
    "HS256 by a secret among the keys": _by_hand({"alg": "HS256", "kid": "shared"}, b"\0"),
    "a key that is not theirs": lambda claims: jwt.encode(claims, THEIRS, "ES256", {"kid": "ours"}),
    "a key that nobody knows": lambda claims: jwt.encode(claims, THEIRS, "ES256", {"kid": "theirs"}),
    "a key brought along": lambda claims: jwt.encode(claims, THEIRS, "ES256", {"kid": "theirs", "jku": "http://x"}),
    "another algorithm than the key's": _by_hand({"alg": "ES384", "kid": "ours"}),
    "no token": lambda _: "",
}
CLAIMS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "another audience": {"aud": "somebody else"},
    "made for somebody else": {"azp": "somebody else"},
    "for several, and nobody in particular": {"aud": ["muster", "somebody else"]},
    "expired": {"exp": 1_000_000_000},
    "without an end": {"exp": None},
    "an answer to another question": {"nonce": "of another"},
    "an answer to no question": {"nonce": None},
    "nobody": {"sub": None},
    "an empty subject": {"sub": ""},
    "an endless subject": {"sub": "x" * 300},
}


async def test_a_code_becomes_a_person() -> None:
    async with hostile() as told:
        there = await oidc.way_there(told.provider, ASKED)
        assert there.startswith(f"{told.address}/authorize?response_type=code&client_id=muster&")
        assert f"code_challenge={oidc.challenge(ASKED.verifier)}" in there
        assert ASKED.verifier not in there
        found = await oidc.who_came(told.provider, ASKED, "a code")
    assert (found.subject, found.email, found.is_verified, found.name) == ("1", "ann@example.org", True, "Ann")
    # RFC 6749, section 2.3.1: what stands in the header is written as in a form.
    basic = base64.b64decode(told.sent["authorization"].removeprefix("Basic ")).decode()
    assert basic == "muster:a+secret%3A+of%2Fours"
    assert (told.sent["code"], told.sent["code_verifier"]) == ("a code", ASKED.verifier)


@pytest.mark.parametrize("how", TOKENS)
async def test_a_token_that_does_not_hold_is_refused(how: str) -> None:
    async with hostile() as told:
        told.token = TOKENS[how]
        with pytest.raises(NotVouched):
            await oidc.who_came(told.provider, ASKED, "a code")


@pytest.mark.parametrize("how", CLAIMS)
async def test_a_claim_that_does_not_hold_is_refused(how: str) -> None:
    async with hostile() as told:
        told.claims = CLAIMS[how]
        with pytest.raises(NotVouched):
            await oidc.who_came(told.provider, ASKED, "a code")


@pytest.mark.parametrize("said", [None, False, "yes", 1])
async def test_only_their_word_makes_a_mail_verified(said: object) -> None:
    async with hostile() as told:
        told.claims = {"email_verified": said}
        assert not (await oidc.who_came(told.provider, ASKED, "a code")).is_verified


async def test_what_is_told_of_another_subject_is_left_out() -> None:
    async with hostile() as told:
        told.claims = {"email": None, "email_verified": None}
        assert (await oidc.who_came(told.provider, ASKED, "a code")).email == ""


ANSWERS: dict[str, tuple[str, Callable[[], Response]]] = {
    "configured as another": ("/.well-known/openid-configuration", lambda: JSONResponse({"issuer": "https://x"})),
    "a redirect into this network": ("/token", lambda: RedirectResponse("http://127.0.0.1:1/secret")),
    "an endless answer": ("/token", lambda: Response(b" " * 300_000)),
    "no JSON": ("/keys", lambda: Response(b"<html>")),
    "out of order": ("/token", lambda: Response(status_code=503)),
}


@pytest.mark.parametrize("how", ANSWERS)
async def test_a_provider_that_answers_badly_is_out_of_reach(how: str) -> None:
    async with hostile() as told:
        path, answer = ANSWERS[how]
        told.answers[path] = answer
        with pytest.raises(OutOfReach):
            await oidc.who_came(told.provider, ASKED, "a code")


async def test_nobody_there_is_out_of_reach() -> None:
    with pytest.raises(OutOfReach):
        await oidc.way_there(Provider("local", "Local", "http://127.0.0.1:1", "muster", "secret"), ASKED)


async def test_github_vouches_for_its_primary_verified_mail() -> None:
    mails = [
        {"email": "old@example.org", "primary": False, "verified": True},
        {"email": "ann@example.org", "primary": True, "verified": True},
    ]
    async with hostile() as told:
        provider = Provider("github", "GitHub", told.address, "muster", "secret")
        told.answers = {
            "/login/oauth/access_token": lambda: JSONResponse({"access_token": "a"}),
            "/api/v3/user": lambda: JSONResponse({"id": 7, "login": "ann", "name": None, "email": "boss@example.org"}),
            "/api/v3/user/emails": lambda: JSONResponse(mails),
        }
        assert (await github.way_there(provider, ASKED)).startswith(f"{told.address}/login/oauth/authorize?")
        found = await github.who_came(provider, ASKED, "a code")
        assert (found.subject, found.email, found.is_verified, found.name) == ("7", "ann@example.org", True, "ann")
        mails[1]["verified"] = False
        assert not (await github.who_came(provider, ASKED, "a code")).is_verified
        told.answers["/login/oauth/access_token"] = lambda: JSONResponse({"error": "bad_verification_code"})
        with pytest.raises(NotVouched):
            await github.who_came(provider, ASKED, "a code")
