"""Passkeys (W3C Web Authentication, level 3): what is asked of a browser, and whether its answer is good."""

import asyncio
import importlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from muster.kit.text import origin_of
from muster.settings import Settings

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

# What a client that is asked for no attestation sends: none, or one that the key signs itself (level 3, 5.4.7).
_FORMATS = ("none", "packed")


class Refused(Exception):
    """The answer of a browser is not good; `args` say why."""


@dataclass(frozen=True)
class Party:
    """Who we are to a browser. id: the domain that passkeys are bound to. origins: of pages that may ask for them."""

    id: str
    name: str
    origins: list[str]

    @classmethod
    def of(cls, settings: Settings) -> "Party":
        """As the settings have it: the domain of `APP_URL`; its pages, and those of ours that stand on it."""
        domain = urlsplit(settings.addresses.app).hostname or "localhost"
        known = [settings.addresses.app, settings.addresses.api, *settings.http.origins]
        origins = {origin_of(each) for each in known if _is_within(urlsplit(each).hostname, domain)}
        return cls(domain, settings.mail.sender.display_name or domain, sorted(origins))


@dataclass(frozen=True)
class NewKey:
    """A passkey that a browser has made, as it is stored."""

    credential: str
    public_key: str
    sign_count: int


class _Response(msgspec.Struct):
    userHandle: str | None = None  # noqa: N815 - as browsers write it


class _Answer(msgspec.Struct):
    id: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]+$")]
    response: _Response


async def load() -> None:
    """Load what works on passkeys, which takes most of a second, and is needed by few processes."""
    await asyncio.to_thread(importlib.import_module, "webauthn")


def creation_options(party: Party, *, challenge: bytes, user_id: UUID, email: str, known: list[str]) -> str:
    """What `navigator.credentials.create` is asked, as JSON. known: credentials that are not to be made again."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    return options_to_json(
        generate_registration_options(
            rp_id=party.id,
            rp_name=party.name,
            user_id=user_id.bytes,
            user_name=email,
            challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=_described(known),
        )
    )


def request_options(party: Party, *, challenge: bytes, known: list[str]) -> str:
    """What `navigator.credentials.get` is asked, as JSON. known: those that will do; empty is any of ours."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import UserVerificationRequirement

    return options_to_json(
        generate_authentication_options(
            rp_id=party.id,
            challenge=challenge,
            allow_credentials=_described(known),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def read_new_key(party: Party, *, challenge: bytes, answer: str) -> NewKey:
    """The passkey that a browser has made. Raises Refused."""
    from webauthn import verify_registration_response
    from webauthn.helpers import bytes_to_base64url

    try:
        found = verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origins,
            require_user_verification=True,
        )
    except Exception as error:
        raise Refused(str(error)) from error
    if found.fmt not in _FORMATS:
        raise Refused(f"an attestation of the kind {found.fmt} was not asked for")
    return NewKey(
        credential=bytes_to_base64url(found.credential_id),
        public_key=bytes_to_base64url(found.credential_public_key),
        sign_count=found.sign_count,
    )


def handle_of(user_id: UUID) -> str:
    """What a passkey knows its person by, as browsers write it."""
    return urlsafe_b64encode(user_id.bytes).decode().rstrip("=")


def named_key(answer: str) -> tuple[str, str | None]:
    """The credential that an answer names, and the handle of whose it says that is. Raises Refused."""
    try:
        found = msgspec.json.decode(answer, type=_Answer)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Refused(str(error)) from error
    return found.id, found.response.userHandle


def check_answer(party: Party, *, challenge: bytes, answer: str, public_key: str, sign_count: int) -> int:
    """How often the passkey has signed by now, if its answer is good. Raises Refused, also for a count that went back."""
    from webauthn import verify_authentication_response
    from webauthn.helpers import base64url_to_bytes

    try:
        found = verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origins,
            credential_public_key=base64url_to_bytes(public_key),
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
    except Exception as error:
        raise Refused(str(error)) from error
    return found.new_sign_count


def _described(known: list[str]) -> "list[PublicKeyCredentialDescriptor]":
    from webauthn.helpers import base64url_to_bytes
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each)) for each in known]


def _is_within(host: str | None, domain: str) -> bool:
    return host is not None and (host == domain or host.endswith(f".{domain}"))
