"""OpenID Connect: configuration and keys of issuers, codes turned into people, and tokens verified.

By OpenID Connect Core 1.0, sections 3.1.2 and 3.1.3, with PKCE (RFC 7636). The library verifies signatures; what a
claim has to say stands here.
"""

import asyncio
import base64
import hashlib
import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus, urlencode

import jwt

from muster.adapters.web import ask, is_beside
from muster.kit.providers import Asked, NotVouched, OutOfReach, Provider, Vouched

# Asymmetric ones only: a secret that two share proves nothing to either.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_LEEWAY_SECONDS = 60
_KEPT_SECONDS = 3600.0
_AGAIN_AFTER_SECONDS = 60.0
"""So long an unknown key is not asked for again: whoever makes tokens up would have us ask for each."""
_MOST_KEYS = 100
_FAR_AHEAD = 1 << 36
_REST_SECONDS = 10.0
"""So long one who did not answer is not asked again: requests would queue for each other's failures."""


class Issuer:
    """An issuer's configuration and keys, kept for an hour. keys: where they are, where that is not asked of it."""

    def __init__(self, issuer: str, keys: str | None = None) -> None:
        self.issuer = issuer
        self._keys_address = keys
        self._turns = asyncio.Lock()
        self._told: dict[str, Any] = {}
        self._told_at = self._keys_at = self._failed_at = -_KEPT_SECONDS
        self._keys: dict[str, jwt.PyJWK] = {}

    async def told(self) -> dict[str, Any]:
        """The configuration. Raises OutOfReach, also where it is somebody else's (section 4.3 of Discovery)."""
        async with self._turns:
            if time.monotonic() - self._told_at >= _KEPT_SECONDS:
                if time.monotonic() - self._failed_at < _REST_SECONDS:
                    raise OutOfReach(f"{self.issuer} did not answer a moment ago")
                self._failed_at = time.monotonic()
                self._told, self._told_at = await self._configuration(), time.monotonic()
                self._failed_at = -_KEPT_SECONDS
        return self._told

    async def _configuration(self) -> dict[str, Any]:
        issuer = self.issuer.rstrip("/")
        found = await ask("GET", f"{issuer}/.well-known/openid-configuration")
        if not isinstance(found, dict) or str(found.get("issuer", "")).rstrip("/") != issuer:
            raise OutOfReach(f"{self.issuer} is configured as another issuer")
        return found

    async def address(self, name: str) -> str:
        """One of the addresses in the configuration. Raises OutOfReach."""
        address = (await self.told()).get(name)
        if not is_beside(address, self.issuer):
            raise OutOfReach(f"{self.issuer} tells no {name} that can be asked")
        return str(address)

    async def claims(self, token: str, *, audience: str, by_party: bool = False) -> dict[str, Any]:
        """What a token of the issuer says. by_party: one that names no audience may name it as `azp` instead.

        Raises NotVouched, OutOfReach.
        """
        issuer = self.issuer if self._keys_address else str((await self.told())["issuer"])
        try:
            key = await self._key(jwt.get_unverified_header(token))
            claims = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                issuer=issuer,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["iss", "sub", "exp", "iat"], "verify_aud": False},
            )
        # A parser gives up on what is nested a thousand deep.
        except (jwt.InvalidTokenError, RecursionError) as error:
            raise NotVouched(f"{self.issuer}: {error}") from None
        named = claims.get("aud", claims.get("azp") if by_party else None)
        if audience not in (named if isinstance(named, list) else [named]):
            raise NotVouched(f"{self.issuer}: the token is for {named!r}, not for us")
        return claims

    async def _key(self, header: dict[str, Any]) -> jwt.PyJWK:
        """The key that a token names, for the algorithm that belongs to the key. Raises NotVouched, OutOfReach."""
        kid = str(header.get("kid", ""))
        address = self._keys_address or await self.address("jwks_uri")
        async with self._turns:
            age = time.monotonic() - self._keys_at
            if age >= _KEPT_SECONDS or (kid not in self._keys and age >= _AGAIN_AFTER_SECONDS):
                self._keys_at = time.monotonic()
                self._keys = _read_keys(await ask("GET", address))
        key = self._keys.get(kid)
        # Where there is one key, its tokens need not name it (section 10.1 of Core).
        if key is None and not kid and len(self._keys) == 1:
            (key,) = self._keys.values()
        if key is None or key.algorithm_name != header.get("alg"):
            raise NotVouched(f"{self.issuer} has no key {kid!r} for {header.get('alg')!r}")
        return key


def _read_keys(told: Any) -> dict[str, jwt.PyJWK]:
    """Keys by their ids; those that are for something else, or for what we do not know, are left out."""
    listed = told.get("keys", []) if isinstance(told, dict) else []
    found = {}
    for each in listed[:_MOST_KEYS] if isinstance(listed, list) else []:
        try:
            if each.get("use", "sig") == "sig" and each["kty"] != "oct":
                found[str(each.get("kid", ""))] = jwt.PyJWK(each)
        except (jwt.PyJWTError, AttributeError, KeyError, TypeError, ValueError):
            continue
    return found


@lru_cache(maxsize=64)
def issuer_at(address: str, keys: str | None = None) -> Issuer:
    """The issuer of a process; only such as settings name are asked for. keys: as in `Issuer`."""
    return Issuer(address, keys)


def said_issuer(token: str) -> str:
    """Whose a token says it is, before anything of it is verified; empty for what is no token."""
    try:
        found = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except (jwt.InvalidTokenError, RecursionError):
        return ""
    return found if isinstance(found, str) else ""


async def way_there(provider: Provider, asked: Asked) -> str:
    """Where to send a person who wants to sign in with a provider. Raises OutOfReach."""
    address = await issuer_at(provider.issuer).address("authorization_endpoint")
    parameters = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": asked.redirect,
        "scope": "openid email profile",
        "state": asked.state,
        "nonce": asked.nonce,
        "code_challenge": challenge(asked.verifier),
        "code_challenge_method": "S256",
    }
    if asked.fresh:
        # Section 3.1.2.1 of Core: the person signs in anew, and the token says when.
        parameters["max_age"] = "0"
    return f"{address}{'&' if '?' in address else '?'}{urlencode(parameters)}"


async def who_came(provider: Provider, asked: Asked, code: str) -> Vouched:
    """Whom a code stands for. Raises NotVouched, OutOfReach."""
    issuer = issuer_at(provider.issuer)
    tokens = await _exchange(issuer, provider, asked, code)
    claims = await issuer.claims(str(tokens.get("id_token", "")), audience=provider.client_id)
    if claims.get("nonce") != asked.nonce:
        raise NotVouched(f"{provider.issuer}: the token answers another question")
    others = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if others else provider.client_id) != provider.client_id:
        raise NotVouched(f"{provider.issuer}: the token was made for somebody else")
    if "email" not in claims and "access_token" in tokens:
        more = await _user_info(issuer, str(tokens["access_token"]))
        # Section 5.3.2: what is told of another subject is told of another person.
        claims |= more if more.get("sub") == claims["sub"] else {}
    return vouched(provider.issuer, claims)


def vouched(issuer: str, claims: dict[str, Any]) -> Vouched:
    """Whom claims speak of. Raises NotVouched for no subject, or one too long to be one."""
    subject, email, name = claims.get("sub"), claims.get("email"), claims.get("name")
    is_verified = claims.get("email_verified")
    # Section 2 of Core: at most 255 ASCII characters.
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or "\0" in subject:
        raise NotVouched(f"{issuer} names no subject")
    return Vouched(
        issuer=issuer,
        subject=subject,
        email=email if isinstance(email, str) else "",
        # Some providers write the word.
        is_verified=is_verified is True or is_verified == "true",
        name=name if isinstance(name, str) else "",
        signed_in_at=_moment(claims.get("auth_time")),
    )


def _moment(seconds: Any) -> datetime | None:
    if not isinstance(seconds, int) or not 0 < seconds < _FAR_AHEAD:
        return None
    return datetime.fromtimestamp(seconds, UTC)


async def _exchange(issuer: Issuer, provider: Provider, asked: Asked, code: str) -> dict[str, Any]:
    """The tokens for a code, which the provider gives once. Raises OutOfReach, NotVouched."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": asked.redirect,
        "code_verifier": asked.verifier,
    }
    headers = {}
    taken = (await issuer.told()).get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if "client_secret_basic" in taken:
        # RFC 6749, section 2.3.1: both are written as forms write them.
        pair = f"{quote_plus(provider.client_id)}:{quote_plus(provider.client_secret)}"
        headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        form |= {"client_id": provider.client_id, "client_secret": provider.client_secret}
    tokens = await ask("POST", await issuer.address("token_endpoint"), form=form, headers=headers)
    if not isinstance(tokens, dict):
        raise NotVouched(f"{provider.issuer} gives no tokens")
    return tokens


async def _user_info(issuer: Issuer, access_token: str) -> dict[str, Any]:
    address = await issuer.address("userinfo_endpoint")
    found = await ask("GET", address, headers={"authorization": f"Bearer {access_token}"})
    return found if isinstance(found, dict) else {}


def challenge(verifier: str) -> str:
    """What is told of a verifier before it is (RFC 7636, section 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
