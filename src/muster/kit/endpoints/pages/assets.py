"""Assets: the files that pages load. Their addresses hold a digest of what is in them, so browsers keep them for good."""

import asyncio
import gzip
import hashlib
import mimetypes
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_OWN = Path(__file__).parent / "static"
_FOREVER = "public, max-age=31536000, immutable"


def asset(name: str) -> str:
    """The address of a file in `static/`. Raises FileNotFoundError, when the page is rendered, for one that is not."""
    return f"/assets/{_digest(name)}/{name}"


async def serve_asset(request: Request) -> Response:
    """Send a file. An address whose digest is of another release is not found."""
    name: str = request.path_params["name"]
    if not _is_known(name) or request.path_params["digest"] != _digest(name):
        raise HTTPException(404)
    packed = "gzip" in request.headers.get("accept-encoding", "")
    content = await asyncio.to_thread(_packed if packed else _content, name)
    headers = {"cache-control": _FOREVER, "vary": "Accept-Encoding", "x-content-type-options": "nosniff"}
    if packed:
        headers["content-encoding"] = "gzip"
    return Response(content, headers=headers, media_type=mimetypes.guess_type(name)[0])


def _is_known(name: str) -> bool:
    return name in {path.name for path in _OWN.iterdir()}


@cache
def _content(name: str) -> bytes:
    return (_OWN / name).read_bytes()


@cache
def _packed(name: str) -> bytes:
    return gzip.compress(_content(name), mtime=0)


@cache
def _digest(name: str) -> str:
    return hashlib.sha256(_content(name)).hexdigest()[:16]
