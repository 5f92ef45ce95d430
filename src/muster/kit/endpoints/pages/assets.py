"""Assets: the files that pages load. Their addresses hold a digest of what is in them, so browsers keep them for good.

What others wrote is never in this repository: it comes from installed packages, whose files are found, not imported.
"""

import asyncio
import gzip
import hashlib
import mimetypes
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

import muster
from muster.kit.endpoints.accept import takes_gzip

_OWN = Path(muster.__file__).parent
_GRAPHIQL = "graphene_django_graphiql_static/static/graphene_django_graphiql_static"
_FOREIGN = {
    "swagger-ui.js": "offapi/swagger_bundle.js",
    "swagger-ui.css": "offapi/swagger_style.css",
    "maplibre-gl.js": "maplibre/srcjs/maplibre-gl.js",
    "maplibre-gl.css": "maplibre/srcjs/maplibre-gl.css",
    "graphiql.css": f"{_GRAPHIQL}/graphiql.min.css",
    "graphiql-program.js": f"{_GRAPHIQL}/graphiql.min.js",
    "react.js": f"{_GRAPHIQL}/react.production.min.js",
    "react-dom.js": f"{_GRAPHIQL}/react-dom.production.min.js",
}
"""Files of packages by the name that they have here."""
FOREVER = "public, max-age=31536000, immutable"
"""The header of what never changes under its address."""


def asset(name: str) -> str:
    """The address of a file that pages load. Raises KeyError, when a page is rendered, for one that there is not."""
    return f"/assets/{_digest(name)}/{name}"


async def serve_asset(request: Request) -> Response:
    """Send a file. An address whose digest is of another release is not found."""
    name: str = request.path_params["name"]
    if name not in _files() or request.path_params["digest"] != _digest(name):
        raise HTTPException(404)
    packed = takes_gzip(request.headers.get("accept-encoding"))
    content = await asyncio.to_thread(_packed if packed else _content, name)
    headers = {"cache-control": FOREVER, "vary": "Accept-Encoding"}
    if packed:
        headers["content-encoding"] = "gzip"
    return Response(content, headers=headers, media_type=mimetypes.guess_type(name)[0])


@cache
def _files() -> dict[str, Path]:
    own = {path.name: path for path in _OWN.glob("**/pages/static/*")}
    return own | {name: _in_package(*path.split("/", 1)) for name, path in _FOREIGN.items()}


def _in_package(package: str, path: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"the package {package} is not installed; `make up` installs what is missing")
    return Path(spec.submodule_search_locations[0]) / path


@cache
def _content(name: str) -> bytes:
    return _files()[name].read_bytes()


@cache
def _packed(name: str) -> bytes:
    return gzip.compress(_content(name), mtime=0)


@cache
def _digest(name: str) -> str:
    return hashlib.sha256(_content(name)).hexdigest()[:16]
