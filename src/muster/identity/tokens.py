"""Tokens of sessions: JWTs signed with EdDSA, whose key is derived from the deployment's secret."""

import hashlib
from collections import OrderedDict
from datetime import datetime, timedelta
from uuid import UUID

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

ACCESS_LIFETIME = timedelta(minutes=15)
_ISSUER = "muster"
_REMEMBERED = 10_000


class Identity(msgspec.Struct, frozen=True):
    """Who a good token says it was made for, and until when."""

    user_id: UUID
    session_id: UUID
    expires_at: int


class TokenKeys:
    """Signs and reads tokens of one kind. A token once verified is remembered, since the signature costs 0.1 ms."""

    def __init__(self, secret: str, kind: str, lifetime: timedelta) -> None:
        """kind: tokens of one kind are not good as another. lifetime: of a token."""
        info = f"muster {kind}".encode()
        seed = HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret.encode())
        self._lifetime = lifetime
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._public = self._private.public_key()
        self.kid = hashlib.sha256(self._public.public_bytes_raw()).hexdigest()[:16]
        self._known: OrderedDict[str, Identity] = OrderedDict()

    def sign(self, *, user_id: UUID, session_id: UUID, now: datetime) -> tuple[str, datetime]:
        """A token for a session, and when it expires."""
        expires_at = now + self._lifetime
        claims = {
            "iss": _ISSUER,
            "sub": str(user_id),
            "sid": str(session_id),
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        return jwt.encode(claims, self._private, algorithm="EdDSA", headers={"kid": self.kid}), expires_at

    def read(self, token: str, now: datetime) -> Identity | None:
        """Who the token was made for; None when it is not ours, was tampered with, or has expired."""
        identity = self._known.get(token) or self._verify(token)
        if identity is None or identity.expires_at <= now.timestamp():
            return None
        return identity

    def _verify(self, token: str) -> Identity | None:
        try:
            claims = jwt.decode(
                token,
                self._public,
                algorithms=["EdDSA"],
                issuer=_ISSUER,
                options={"require": ["sub", "sid", "exp"], "verify_exp": False, "verify_iat": False},
            )
            identity = Identity(UUID(claims["sub"]), UUID(claims["sid"]), int(claims["exp"]))
        except (jwt.InvalidTokenError, ValueError):
            return None
        self._known[token] = identity
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return identity
