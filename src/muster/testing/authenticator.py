"""An authenticator in software: makes passkeys and signs with them, as a browser and a phone do together."""

import hashlib
import json
import os
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


def base64url(raw: bytes) -> str:
    """Bytes as browsers write them."""
    return urlsafe_b64encode(raw).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    """The bytes that a browser wrote."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class _Key:
    private: ec.EllipticCurvePrivateKey
    handle: str
    count: int = 0


@dataclass
class Authenticator:
    """One device, in a browser that shows a page.

    origin: of that page. verifies: it makes sure who uses it. counts: it counts how often a key has signed.
    """

    origin: str
    verifies: bool = True
    counts: bool = True
    keys: dict[str, _Key] = field(default_factory=dict)

    def create(self, options: str) -> str:
        """What `navigator.credentials.create` gives for options, as JSON text."""
        asked = json.loads(options)
        private = ec.generate_private_key(ec.SECP256R1())
        credential = os.urandom(32)
        self.keys[base64url(credential)] = _Key(private, asked["user"]["id"])
        public = private.public_key().public_numbers()
        # COSE_Key of ES256 (RFC 9053, 7.1.1): an elliptic curve key, its algorithm, curve and coordinates.
        cose = {1: 2, 3: -7, -1: 1, -2: public.x.to_bytes(32), -3: public.y.to_bytes(32)}
        attested = bytes(16) + struct.pack(">H", len(credential)) + credential + cbor2.dumps(cose)
        told = {"fmt": "none", "attStmt": {}, "authData": self._data(asked["rp"]["id"], 0, _ATTESTED) + attested}
        response = {
            "clientDataJSON": base64url(self._client_data("webauthn.create", asked["challenge"])),
            "attestationObject": base64url(cbor2.dumps(told)),
            "transports": ["internal"],
        }
        return _answer(base64url(credential), response)

    def get(self, options: str, credential: str | None = None) -> str:
        """What `navigator.credentials.get` gives for options, as JSON text. credential: the key to take; else the first."""
        asked = json.loads(options)
        allowed = [each["id"] for each in asked.get("allowCredentials", [])] or list(self.keys)
        name = credential or next(each for each in self.keys if each in allowed)
        key = self.keys[name]
        key.count += self.counts
        client_data = self._client_data("webauthn.get", asked["challenge"])
        data = self._data(asked["rpId"], key.count, 0)
        signature = key.private.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": base64url(client_data),
            "authenticatorData": base64url(data),
            "signature": base64url(signature),
            "userHandle": key.handle,
        }
        return _answer(name, response)

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _data(self, party: str, count: int, flags: int) -> bytes:
        flags |= _PRESENT | (_VERIFIED if self.verifies else 0)
        return hashlib.sha256(party.encode()).digest() + struct.pack(">BI", flags, count)


def _answer(credential: str, response: dict[str, Any]) -> str:
    told = {"id": credential, "rawId": credential, "type": "public-key", "response": response}
    return json.dumps({**told, "authenticatorAttachment": "platform", "clientExtensionResults": {}})
