"""Asking others over HTTP: only addresses out of settings, or told by whom settings name; never at length."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from muster.kit.providers import NotVouched, OutOfReach

_TIMEOUT_SECONDS = 5.0
_LARGEST = 262_144
"""Bytes of an answer; a provider's keys and configuration are a tenth of that."""


async def ask(
    method: str, address: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> Any:
    """The JSON that an address answers with. A redirect is no answer: it might lead into this network.

    Raises NotVouched where they refuse, OutOfReach where they do not answer as they should.
    """
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, follow_redirects=False) as client:
            told = {"accept": "application/json", **(headers or {})}
            async with client.stream(method, address, data=form, headers=told) as answer:
                status, body = answer.status_code, await _read(answer)
        if status != 200:
            # A code that was used or made up is refused with 400; what is wrong over there begins with 5.
            kind = NotVouched if 400 <= status < 500 else OutOfReach
            raise kind(f"{address} answers {status}: {body[:200]!r}")
        return msgspec.json.decode(body)
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError) as error:
        raise OutOfReach(f"{address}: {error!r}") from None


async def _read(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > _LARGEST:
            raise OutOfReach(f"{answer.url} answers with more than {_LARGEST} bytes")
    return bytes(body)


def is_beside(address: object, issuer: str) -> bool:
    """Whether an address that an issuer told of may be asked: over TLS, unless the issuer itself is reached without."""
    return isinstance(address, str) and urlsplit(address).scheme in {"https", urlsplit(issuer).scheme}
