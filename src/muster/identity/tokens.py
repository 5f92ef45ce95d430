"""Tokens of sessions: JWTs signed with EdDSA, whose keys are derived from the deployment's secrets."""

import hashlib
import re
from base64 import urlsafe_b64encode
from collections import OrderedDict
from datetime import datetime, timedelta
from uuid import UUID

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from muster.kit.caller import Bearer

ACCESS_LIFETIME = timedelta(minutes=15)
_REMEMBERED = 10_000
# The library reads past signs that do not belong in base64, and past bits at its end that stand for nothing. Then many
# tokens had one signature; ours is 64 bytes, whose last character stands for two bits (RFC 4648, section 3.5).
_SIGNATURE = re.compile(r"[A-Za-z0-9_-]{85}[AQgw]")


class Identity(msgspec.Struct, frozen=True):
    """Who a good token says it was made for, and until when."""

    bearer: Bearer
    expires_at: int

    @property
    def user_id(self) -> UUID:
        """The person."""
        return self.bearer.user_id

    @property
    def session_id(self) -> UUID:
        """Their session, or the impersonation of them."""
        return self.bearer.session_id


class TokenKeys:
    """Signs and reads tokens of one kind. A token once verified is remembered, since the signature costs 0.1 ms.

    Which key a token was signed with is told by its whole first part. That is never parsed: it is one of those that we
    write ourselves, or the token is not ours. So nothing in it can name another algorithm or bring a key along.
    """

    def __init__(self, secrets: tuple[str, ...], kind: str, lifetime: timedelta, issuer: str) -> None:
        """secrets: the first signs, what any of them signed is good. kind: tokens of one kind are not good as another.
        lifetime: of a token. issuer: what tokens name as their issuer and audience.
        """
        keys = [derived_key(secret, kind) for secret in secrets]
        self._private = keys[0]
        self._public = {signed({}, key).partition(".")[0]: key.public_key() for key in keys}
        self._lifetime, self._issuer = lifetime, issuer
        self._known: OrderedDict[str, Identity] = OrderedDict()

    def published(self) -> list[dict[str, str]]:
        """The public keys as JSON Web Keys, the one that signs first."""
        return [as_jwk(each) for each in self._public.values()]

    def sign(self, *, user_id: UUID, session_id: UUID, now: datetime) -> tuple[str, datetime]:
        """A token for a session, and when it expires."""
        expires_at = now + self._lifetime
        return self.sign_for(Bearer(user_id, session_id), now=now, expires_at=expires_at), expires_at

    def sign_for(self, bearer: Bearer, *, now: datetime, expires_at: datetime) -> str:
        """A token for whom it says, and until when. Who acts as another is told as RFC 8693, section 4.1, has it."""
        claims: dict[str, object] = {
            "iss": self._issuer,
            "aud": self._issuer,
            "sub": str(bearer.user_id),
            "sid": str(bearer.session_id),
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        if bearer.by is not None:
            claims["act"] = {"sub": str(bearer.by)}
        if bearer.tenant_id is not None:
            claims["tid"] = str(bearer.tenant_id)
        return signed(claims, self._private)

    def read(self, token: str, now: datetime) -> Identity | None:
        """Who the token was made for; None when it is not ours, was tampered with, or has expired."""
        identity = self._known.get(token) or self._verify(token)
        if identity is None or identity.expires_at <= now.timestamp():
            return None
        return identity

    def _verify(self, token: str) -> Identity | None:
        public = self._public.get(token.partition(".")[0])
        if public is None or not is_spelt_right(token):
            return None
        try:
            claims = jwt.decode(
                token,
                public,
                algorithms=["EdDSA"],
                issuer=self._issuer,
                audience=self._issuer,
                options={"require": ["sub", "sid", "exp"], "verify_exp": False, "verify_iat": False},
            )
            by, tenant_id = claims.get("act", {}).get("sub"), claims.get("tid")
            bearer = Bearer(
                UUID(claims["sub"]),
                UUID(claims["sid"]),
                None if by is None else UUID(by),
                None if tenant_id is None else UUID(tenant_id),
            )
            identity = Identity(bearer, int(claims["exp"]))
        except (jwt.InvalidTokenError, ValueError):
            return None
        self._known[token] = identity
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return identity


def is_spelt_right(token: str) -> bool:
    """Whether the signature of a token is written as we write it, which is in one way alone."""
    return _SIGNATURE.fullmatch(token.rpartition(".")[2]) is not None


def derived_key(secret: str, kind: str) -> Ed25519PrivateKey:
    """The key that signs tokens of a kind, derived from one of the deployment's secrets."""
    seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"muster {kind}".encode()).derive(secret.encode())
    return Ed25519PrivateKey.from_private_bytes(seed)


def signed(claims: dict[str, object], private: Ed25519PrivateKey) -> str:
    """A token with these claims. Its first part is the same for all that one key signs."""
    return jwt.encode(claims, private, algorithm="EdDSA", headers={"kid": _kid(private.public_key())})


def as_jwk(public: Ed25519PublicKey) -> dict[str, str]:
    """A public key as a JSON Web Key (RFC 8037, section 2)."""
    return {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": _kid(public), "x": _text(public)}


def _kid(public: Ed25519PublicKey) -> str:
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:16]


def _text(public: Ed25519PublicKey) -> str:
    return urlsafe_b64encode(public.public_bytes_raw()).decode().rstrip("=")
