"""Access tokens: others can verify ours, ours change their keys, and nothing else passes for one."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwk
from joserfc import jwt as jose

from muster.identity.tests.people import ANN, PASSWORD, mailed, register
from muster.identity.tokens import TokenKeys
from muster.kit.db.migrate import Urls
from muster.testing.client import Client
from muster.testing.people import sign_in
from muster.testing.serving import Service, serving_in_process

NOW = datetime(2030, 1, 1, tzinfo=UTC)
OLD, NEW = "o" * 40, "n" * 40
WANTED = {"x-session": "cookie"}


def _keys(*secrets: str, issuer: str = "muster", kind: str = "access token") -> TokenKeys:
    return TokenKeys(secrets, kind, timedelta(minutes=15), issuer)


def _token(keys: TokenKeys) -> str:
    return keys.sign(user_id=uuid4(), session_id=uuid4(), now=NOW)[0]


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _public(keys: TokenKeys) -> dict[str, str]:
    return keys.published()[0]


# RFC 9864 renames it to Ed25519, which few libraries know yet.
@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
async def test_a_stock_library_verifies_our_tokens_by_the_published_keys(service: Service) -> None:
    ann = await sign_in(service, "ann")
    told = await service.http.get("/.well-known/jwks.json")
    assert told.headers["content-type"] == "application/jwk-set+json"
    assert told.headers["cache-control"] == "public, max-age=300"
    assert not [each for each in told.json()["keys"] if "d" in each]
    assert ann.client.token is not None
    token = jose.decode(ann.client.token, jwk.KeySet.import_key_set(told.json()), algorithms=["EdDSA"])
    issuer: Any = {"essential": True, "value": "muster"}
    jose.JWTClaimsRegistry(iss=issuer, aud=issuer, sub={"essential": True, "value": str(ann.user_id)}).validate(
        token.claims
    )


async def test_a_new_secret_signs_nobody_out_while_the_old_one_is_still_good(urls: Urls) -> None:
    async with serving_in_process(urls, JWT_SECRET=OLD, JWT_SECRET_ALSO=NEW) as service:
        await register(service)
        session = (await Client(service).call("login", email=ANN, password=PASSWORD)).ok()
        known = {"email": ANN, "password": PASSWORD}
        by_cookie = await service.http.post("/api/v1/auth/login", json=known, headers=WANTED)
        cookie, csrf = service.http.cookies["muster_session"], by_cookie.headers["x-csrf-token"]
        (await Client(service).call("forgotPassword", email=ANN)).ok()
        (link,) = await mailed(service, "identity.reset")
        published = (await service.http.get("/.well-known/jwks.json")).json()["keys"]
    async with serving_in_process(urls, JWT_SECRET=NEW, JWT_SECRET_ALSO=OLD) as service:
        assert (await service.http.get("/.well-known/jwks.json")).json()["keys"] == published[::-1]
        (await Client(service, session["accessToken"]).call("me")).ok()
        renewed = (await Client(service).call("refreshSession", refreshToken=session["refreshToken"])).ok()
        service.http.cookies.set("muster_session", cookie)
        changed = await service.http.post("/api/v1/auth/logout", headers={"x-csrf-token": csrf})
        assert changed.status_code == 204
        service.http.cookies.clear()
        (await Client(service).call("resetPassword", token=link, password="quite another one")).ok()
    async with serving_in_process(urls, JWT_SECRET=NEW) as service:
        assert (await Client(service, session["accessToken"]).call("me")).code == "UNAUTHENTICATED"
        refused = await Client(service).call("refreshSession", refreshToken=session["refreshToken"])
        assert refused.code == "REFRESH_TOKEN_INVALID"
        # The one that came last was sealed anew.
        assert renewed["refreshToken"] != session["refreshToken"]


def _none(token: str, _: TokenKeys) -> str:
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{token.split('.')[1]}."


def _with_header(**changes: object) -> Callable[[str, TokenKeys], str]:
    """A token whose header says something else, under the signature of the good one."""

    def tamper(token: str, _: TokenKeys) -> str:
        first, claims, signature = token.split(".")
        header = json.loads(base64.urlsafe_b64decode(first + "=="))
        return f"{_part({**header, **changes})}.{claims}.{signature}"

    return tamper


def _with_claims(**changes: object) -> Callable[[str, TokenKeys], str]:
    def tamper(token: str, _: TokenKeys) -> str:
        first, claims, signature = token.split(".")
        return f"{first}.{_part({**json.loads(base64.urlsafe_b64decode(claims + '==')), **changes})}.{signature}"

    return tamper


def _by_the_public_key(token: str, keys: TokenKeys) -> str:
    """Algorithm confusion: the public key, in each form it is known in, as the secret of an HMAC."""
    raw = base64.urlsafe_b64decode(_public(keys)["x"] + "=")
    text = f"{_part({'alg': 'HS256', 'typ': 'JWT', 'kid': _public(keys)['kid']})}.{token.split('.')[1]}"
    return f"{text}.{base64.urlsafe_b64encode(hmac.digest(raw, text.encode(), 'sha256')).decode().rstrip('=')}"


def _by_a_key_of_theirs(**header: object) -> Callable[[str, TokenKeys], str]:
    """A whole token signed with a key of the attacker's own, which it brings along or says where to fetch."""

    def forge(token: str, keys: TokenKeys) -> str:
        theirs = Ed25519PrivateKey.generate()
        raw = theirs.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": base64.urlsafe_b64encode(raw).decode().rstrip("=")}
        claims = jwt.decode(token, options={"verify_signature": False})
        headers = {"kid": _public(keys)["kid"], "jwk": jwk} | header
        return jwt.encode(claims, theirs, algorithm="EdDSA", headers=headers)

    return forge


def _twice(token: str, _: TokenKeys) -> str:
    first, claims, signature = token.split(".")
    text = base64.urlsafe_b64decode(claims + "==").decode()
    doubled = text[:-1] + f', "sub": "{uuid4()}"}}'
    return f"{first}.{base64.urlsafe_b64encode(doubled.encode()).decode().rstrip('=')}.{signature}"


def _other_spelling(token: str, _: TokenKeys) -> str:
    """The same signature by another text: the last character's spare bits."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + letters[letters.index(token[-1]) + 1]


TAMPERED: dict[str, Callable[[str, TokenKeys], str]] = {
    "alg none": _none,
    "alg none, with the good signature": _with_header(alg="none"),
    "HS256 by the public key": _by_the_public_key,
    "kid of a file": _with_header(kid="../../../../dev/null"),
    "kid of a query": _with_header(kid="' union select 'x' --"),
    "kid of another key": _with_header(kid=hashlib.sha256(b"another").hexdigest()[:16]),
    "kid missing": _with_header(kid=None),
    "a key of theirs in jwk": _by_a_key_of_theirs(),
    "a key of theirs at jku": _by_a_key_of_theirs(jku="https://evil.example/jwks.json"),
    "a key of theirs at x5u": _by_a_key_of_theirs(x5u="https://evil.example/chain.pem"),
    "crit of something unknown": _with_header(crit=["b64"], b64=False),
    "another person": _with_claims(sub=str(uuid4())),
    "a longer life": _with_claims(exp=4_000_000_000),
    "a claim twice": _twice,
    "another spelling of the signature": _other_spelling,
    "signs that do not belong there": lambda token, _: f"{token[:-10]}!{token[-10:]}",
    "a blank at its end": lambda token, _: f"{token} ",
    "no signature": lambda token, _: token.rpartition(".")[0] + ".",
    "one part more": lambda token, _: f"{token}.{token.rpartition('.')[2]}",
    "huge": lambda token, _: token + "A" * 100_000,
    "a huge header": lambda token, _: f"{'A' * 100_000}.{token}",
    "no token at all": lambda token, _: "..",
    "not ASCII": lambda token, _: token.replace(".", ".é", 1),
    "expired": lambda _, keys: keys.sign(user_id=uuid4(), session_id=uuid4(), now=NOW - timedelta(minutes=15))[0],
    "of another issuer": lambda _, __: _token(_keys(OLD, issuer="https://other.example")),
    "of another deployment": lambda _, __: _token(_keys(NEW)),
    "out of a cookie": lambda _, __: _token(_keys(OLD, kind="session cookie")),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_what_was_tampered_with_is_refused(how: str) -> None:
    keys = _keys(OLD)
    good = _token(keys)
    bad = TAMPERED[how](good, keys)
    assert bad != good
    assert _keys(OLD).read(bad, NOW) is None
    # Nor is it taken for the good one that was read before.
    assert keys.read(good, NOW) is not None
    assert keys.read(bad, NOW) is None


@pytest.mark.parametrize("name", ["x-user-id", "x-forwarded-user", "x-remote-user", "x-session-id"])
async def test_no_header_but_the_token_says_who_asks(service: Service, name: str) -> None:
    ann = await sign_in(service, "ann")
    assert (await service.http.get("/api/v1/me", headers={name: str(ann.user_id)})).status_code == 401
