"""Keeping files, and links by which one of them can be fetched for a short time.

A file's path says whose it is, so that whoever is erased is found here too, and ends in what nobody can guess.
"""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import jwt
import msgspec
import obstore
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from obstore.exceptions import NotFoundError
from obstore.store import LocalStore, S3Store

from muster.kit.storage.settings import Bucket, Files
from muster.settings import Settings

LINK_LASTS = timedelta(minutes=5)
"""How long a link to a file works: long enough to begin, too short to be passed on."""
ADDRESS = "/files"
"""Where the API hands out the files of a folder."""
_ALGORITHM = "HS256"


class NoSuchFile(LookupError):
    """There is no file at this path."""


class Handed(msgspec.Struct, frozen=True):
    """What a link hands out: a file, and under which name it is saved."""

    path: str
    name: str


def path_of(kind: str, suffix: str, *, user_id: UUID | None = None, tenant_id: UUID | None = None) -> str:
    """A path for a new file. kind: what it is for. user_id, tenant_id: whose it is, and with whom it is erased."""
    return f"{folder_of(user_id=user_id, tenant_id=tenant_id)}{kind}/{secrets.token_urlsafe(24)}{suffix}"


def folder_of(*, user_id: UUID | None = None, tenant_id: UUID | None = None) -> str:
    """What the paths of everything of a community, of a person, or of a person in a community begin with."""
    community = "" if tenant_id is None else f"tenants/{tenant_id.hex}/"
    return community + ("" if user_id is None else f"people/{user_id.hex}/")


@dataclass(frozen=True)
class Storage:
    """Where this deployment keeps files.

    key: signs links to files of a folder; those of a bucket its own key signs. address: of the API.
    """

    store: LocalStore | S3Store
    key: bytes
    address: str

    async def put(self, path: str, content: bytes | Path, *, name: str) -> None:
        """Keep a file, whole or not at all; one that was there is replaced. name: under which it is saved by people."""
        attributes = {"Content-Disposition": disposition(name), "Content-Type": "application/octet-stream"}
        held = attributes if isinstance(self.store, S3Store) else None
        await obstore.put_async(self.store, path, content, attributes=held)

    async def read(self, path: str) -> AsyncIterator[bytes]:
        """The content of a file, piece by piece. Raises NoSuchFile."""
        try:
            found = await obstore.get_async(self.store, path)
        except (NotFoundError, FileNotFoundError):
            raise NoSuchFile(path) from None

        async def pieces() -> AsyncIterator[bytes]:
            async for piece in found.stream():
                yield bytes(piece)

        return pieces()

    async def paths(self, folder: str) -> list[str]:
        """The paths of all files in a folder."""
        return [each["path"] async for batch in obstore.list(self.store, prefix=folder) for each in batch]

    async def delete(self, *paths: str) -> None:
        """Remove files; one that is not there is none to remove."""
        for path in paths:
            try:
                await obstore.delete_async(self.store, path)
            except (NotFoundError, FileNotFoundError):
                continue

    async def link(self, path: str, *, name: str, now: datetime) -> str:
        """An address from which whoever has it fetches a file, for `LINK_LASTS`. name: under which it is saved."""
        if isinstance(self.store, S3Store):
            return await obstore.sign_async(self.store, "GET", path, LINK_LASTS)
        claims = {"path": path, "name": name, "exp": now + LINK_LASTS}
        return f"{self.address}{ADDRESS}/{jwt.encode(claims, self.key, _ALGORITHM)}"

    def opened(self, token: str) -> Handed | None:
        """What a link of ours hands out; None for one that is not ours, or has expired."""
        try:
            claims = jwt.decode(token, self.key, [_ALGORITHM], options={"require": ["exp", "path", "name"]})
        except jwt.InvalidTokenError:
            return None
        return Handed(claims["path"], claims["name"])


def disposition(name: str) -> str:
    """The header by which browsers save a file, and never show it: whatever it holds, it is not run as a page of ours."""
    plain = "".join(letter if (letter.isascii() and letter.isalnum()) or letter in "-_." else "_" for letter in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def storage_of(settings: Settings) -> Storage:
    """Where a deployment keeps files."""
    return _storage(settings.files, settings.security.jwt_secret, settings.addresses.api)


@lru_cache(maxsize=4)
def _storage(files: Files, secret: str, address: str) -> Storage:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"muster link to a file").derive(secret.encode())
    store = LocalStore(files.folder, mkdir=True) if files.bucket is None else _bucket(files.bucket)
    return Storage(store, key, address)


def _bucket(bucket: Bucket) -> S3Store:
    return S3Store(
        bucket.name,
        region=bucket.region,
        access_key_id=bucket.key_id,
        secret_access_key=bucket.secret,
        endpoint=bucket.endpoint,
        virtual_hosted_style_request=bucket.endpoint is None,
        client_options={"allow_http": (bucket.endpoint or "").startswith("http://")},
    )
