"""The real application on a test's database: on a socket, or in process where there are many small requests."""

import asyncio
import atexit
import shutil
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import httpx
import uvicorn
from starlette.types import ASGIApp

from muster.kit.db.migrate import Urls
from muster.kit.endpoints.socket_wire import BoundedSocket
from muster.kit.endpoints.wire import BoundedHttp
from muster.main import open_app
from muster.settings import Settings

# To read the certificates of the world takes longer than most tests, and nothing here speaks TLS.
_NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_PATIENCE = 30.0
"""Seconds; a request that takes longer than this fails its test."""


@dataclass(frozen=True)
class Service:
    """The application that a test talks to.

    urls: of its database. settings: what it runs with. http: reaches it. address: where, such as
    `http://127.0.0.1:40123`; in process it leads nowhere.
    """

    urls: Urls
    settings: Settings
    http: httpx.AsyncClient
    address: str


@cache
def _folder() -> Path:
    """Where the files of this process's tests are kept, until it ends."""
    folder = Path(tempfile.mkdtemp(prefix="muster-test-files-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def settings_for(urls: Urls, **environ: str) -> Settings:
    """Settings for a database, asking for nothing outside the test.

    environ: further settings by name, or others instead.
    """
    return Settings.load(
        {
            "MUSTER_ENV": "test",
            "JWT_SECRET": "x" * 32,
            "MUSTER_DATA_DIR": str(_folder()),
            "DATABASE_URL": urls.app,
            "DATABASE_OWNER_URL": urls.owner,
            "DATABASE_WORKER_URL": urls.worker,
            "DATABASE_POOL_SIZE": "12",
            **environ,
        }
    )


@asynccontextmanager
async def serving(urls: Urls, **environ: str) -> AsyncIterator[Service]:
    """The application on a port of the loopback, by the server that production uses.

    environ: as in `settings_for`; without a `PORT` it is a free one.
    """
    settings = settings_for(urls, **environ)
    async with (
        open_app(settings) as (app, _),
        _Listening(app, int(environ.get("PORT", "0"))) as address,
        httpx.AsyncClient(base_url=address, timeout=_PATIENCE, verify=_NO_CERTIFICATES) as http,
    ):
        yield Service(urls, settings, http, address)


@asynccontextmanager
async def serving_in_process(urls: Urls, **environ: str) -> AsyncIterator[Service]:
    """The application without sockets: the same code from the first byte of the request on.

    environ: as in `settings_for`.
    """
    settings = settings_for(urls, **environ)
    async with open_app(settings) as (app, _):
        transport = httpx.ASGITransport(app)
        address = "http://muster.test"
        async with httpx.AsyncClient(transport=transport, base_url=address, timeout=_PATIENCE) as http:
            yield Service(urls, settings, http, address)


def listening(app: ASGIApp) -> AbstractAsyncContextManager[str]:
    """Another application on a free port of the loopback, such as one that stands in for somebody else's service; gives
    its address.
    """
    return _Listening(app, 0)


class _Listening(uvicorn.Server):
    """Uvicorn in the test's own event loop; entering it gives the address."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        super().__init__(
            uvicorn.Config(
                app, http=BoundedHttp, ws=BoundedSocket, ws_per_message_deflate=False, log_config=None, lifespan="off"
            )
        )
        self._port = port
        self._ready, self._over = asyncio.Event(), asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()

    async def main_loop(self) -> None:
        """Until it is over, and not a tenth of a second longer. One tick sets the headers of every answer."""
        await self.on_tick(0)
        await self._over.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's own, which looks only ten times a second whether everybody is gone."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        async with asyncio.timeout(_PATIENCE):
            while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - uvicorn keeps sets, not events
                await asyncio.sleep(0.001)
        for server in self.servers:
            await server.wait_closed()

    async def __aenter__(self) -> str:
        listener = socket.create_server(("127.0.0.1", self._port))
        self._running = asyncio.create_task(self.serve([listener]))
        async with asyncio.timeout(10):
            await self._ready.wait()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        await self._running
