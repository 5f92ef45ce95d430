"""Sealed tokens: refresh tokens and links in mails. None is stored; a copy of the database cannot make one.

A token is what it names, and a seal over that: HMAC-SHA256 with a key derived from the deployment's secret.
"""

import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from muster.kit.text import as_id

# As NIST SP 800-38D, 5.2.1.1 recommends for GCM.
_NONCE = 12
LONGEST_TOKEN = 200
"""Characters; ours are shorter."""


def refresh_token(secret: str, session_id: UUID, generation: int) -> str:
    """The refresh token of a session with this number."""
    return _sealed(secret, "refresh", f"{session_id.hex}.{generation}")


def read_refresh_token(secrets: tuple[str, ...], token: str) -> tuple[UUID, int] | None:
    """The session and number of a refresh token; None when it is not ours. secrets: any may have sealed it."""
    session, _, generation = (_opened(secrets, "refresh", token) or "").partition(".")
    session_id = as_id(session)
    return None if session_id is None else (session_id, int(generation))


def link_token(secret: str, purpose: str, link_id: UUID) -> str:
    """The token in a mailed link. One made for one purpose is worth nothing for another."""
    return _sealed(secret, f"link {purpose}", link_id.hex)


def read_link_token(secrets: tuple[str, ...], purpose: str, token: str) -> UUID | None:
    """The link that a token stands for; None when it is not ours, or for something else. secrets: any may have sealed it."""
    return as_id(_opened(secrets, f"link {purpose}", token) or "")


def invitation_token(secret: str, tenant_id: UUID, invitation_id: UUID) -> str:
    """The token of an invitation, which says where it leads: whoever follows it is somewhere else yet."""
    return _sealed(secret, "invitation", f"{tenant_id.hex}.{invitation_id.hex}")


def read_invitation_token(secrets: tuple[str, ...], token: str) -> tuple[UUID, UUID] | None:
    """The community and the invitation of a token; None when it is not ours. secrets: any may have sealed it."""
    tenant, _, invitation = (_opened(secrets, "invitation", token) or "").partition(".")
    tenant_id, invitation_id = as_id(tenant), as_id(invitation)
    return None if tenant_id is None or invitation_id is None else (tenant_id, invitation_id)


def challenge_token(secret: str, purpose: str, challenge_id: UUID) -> str:
    """The token by which somebody comes back to what they began, and to nothing else."""
    return _sealed(secret, f"challenge {purpose}", challenge_id.hex)


def read_challenge_token(secrets: tuple[str, ...], purpose: str, token: str) -> UUID | None:
    """What a token comes back to; None when it is not ours, or for something else. secrets: any may have sealed it."""
    return as_id(_opened(secrets, f"challenge {purpose}", token) or "")


def challenge_bytes(token: str) -> bytes:
    """What a passkey signs. It need not be stored: nobody without our secret can foresee a token, and each is good once."""
    return sha256(token.encode()).digest()


def code_hash(secret: str, user_id: UUID, code: str) -> str:
    """A backup code as it is stored. It has 50 random bits, and nobody without the secret can try them."""
    return hmac.digest(_key(secret, "backup code"), user_id.bytes + code.encode(), "sha256").hex()


def lock_away(secret: str, user_id: UUID, text: str) -> str:
    """What we have to read again ourselves, encrypted (AES-256-GCM) for a person: moved to another's row it opens no more."""
    nonce = os.urandom(_NONCE)
    sealed = AESGCM(_key(secret, "kept secret")).encrypt(nonce, text.encode(), user_id.bytes)
    return urlsafe_b64encode(nonce + sealed).decode()


def take_out(secrets: tuple[str, ...], user_id: UUID, sealed: str) -> str | None:
    """What was locked away with any of the secrets; None when it was with another, or for somebody else."""
    whole = urlsafe_b64decode(sealed)
    for secret in secrets:
        try:
            return AESGCM(_key(secret, "kept secret")).decrypt(whole[:_NONCE], whole[_NONCE:], user_id.bytes).decode()
        except InvalidTag:
            continue
    return None


def sealed_text(secret: str, purpose: str, text: str) -> str:
    """A text that nobody can make or change without the secret. Who holds it can read it."""
    return _sealed(secret, purpose, text)


def read_sealed_text(secrets: tuple[str, ...], purpose: str, token: str) -> str | None:
    """The text that was sealed for this purpose; None when it is not ours."""
    return _opened(secrets, purpose, token)


def derived(secret: str, purpose: str, text: str) -> str:
    """What only we can make of a text: 43 characters that are safe in addresses, other ones for each purpose."""
    return _seal(secret, purpose, text)


def _sealed(secret: str, purpose: str, text: str) -> str:
    return f"{text}.{_seal(secret, purpose, text)}"


def _opened(secrets: tuple[str, ...], purpose: str, token: str) -> str | None:
    text, _, seal = token.rpartition(".")
    # In constant time: how much of a guess was right must not show.
    is_good = any(hmac.compare_digest(seal.encode(), _seal(each, purpose, text).encode()) for each in secrets)
    return text if is_good else None


def _seal(secret: str, purpose: str, text: str) -> str:
    digest = hmac.digest(_key(secret, purpose), text.encode(), "sha256")
    return urlsafe_b64encode(digest).decode().rstrip("=")


@lru_cache(maxsize=16)
def _key(secret: str, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"muster {purpose}".encode()).derive(secret.encode())
