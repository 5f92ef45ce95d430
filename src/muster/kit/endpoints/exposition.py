"""The address /metrics: what this process has measured, for Prometheus. Never open by accident.

It stands on an address of its own that a setting names, or at the API behind a token, or not at all.
"""

import asyncio
import hmac
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

import uvicorn
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from muster.kit.endpoints.accept import preferred
from muster.kit.endpoints.address import Address
from muster.kit.endpoints.siblings import Siblings
from muster.kit.metrics import REGISTRY
from muster.kit.processes import CannotRun
from muster.kit.sources import Bind
from muster.settings import Settings

Look = Callable[[], Awaitable[None]]
"""Brings gauges up to date when somebody asks."""

PATH = "/metrics"
_PLAIN = "text/plain"
_FORMATS: dict[str, tuple[Callable[[Collector], bytes], str]] = {
    _PLAIN: (generate_latest, CONTENT_TYPE_PLAIN_0_0_4),
    "application/openmetrics-text": (openmetrics.generate_latest, openmetrics.CONTENT_TYPE_LATEST),
}


@dataclass(frozen=True)
class Exposition:
    """Tells what is measured.

    token: what lets in; None lets in whoever reaches it. looks: run before each answer. siblings: who is told of, too.
    """

    token: str | None
    looks: Sequence[Look]
    siblings: Siblings | None = None

    async def tell(self, request: Request) -> Response:
        """Everything, in the format that the client takes: Prometheus text, or OpenMetrics. 401 without the token."""
        if not self._lets_in(request):
            told = "This address takes MUSTER_METRICS_TOKEN as a bearer token.\n"
            return PlainTextResponse(told, 401, {"www-authenticate": "Bearer"})
        await self.look()
        measured = REGISTRY if self.siblings is None else await self.siblings.together(REGISTRY)
        # Not the library's own choice, which a version that is no number breaks.
        encode, media_type = _FORMATS[preferred(request.headers.get("accept"), tuple(_FORMATS)) or _PLAIN]
        return Response(encode(measured), 200, {"cache-control": "no-store", "content-type": media_type})

    async def look(self) -> None:
        """Bring gauges up to date."""
        for look in self.looks:
            await look()

    def _lets_in(self, request: Request) -> bool:
        if self.token is None:
            return True
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self.token.encode())


def siblings_of(settings: Settings) -> Siblings | None:
    """Who else is told of: the processes of the same `muster up`, where anybody is told at all."""
    metrics = settings.metrics
    return None if metrics.socket is None or not metrics.are_told else Siblings(metrics.socket)


def metrics_routes(exposition: Exposition) -> list[Route]:
    """Where the application tells it."""
    return [Route(PATH, Address({"GET": exposition.tell}))]


@asynccontextmanager
async def exposed(exposition: Exposition, bind: Bind | None, setting: str) -> AsyncIterator[None]:
    """Tell it meanwhile to siblings, and on an address of its own; nothing happens without either.

    setting: where the address comes from, for the message. Raises CannotRun when somebody else listens there.
    """
    async with AsyncExitStack() as stack:
        if exposition.siblings is not None:
            await stack.enter_async_context(exposition.siblings.hearing(REGISTRY, exposition.look))
        if bind is not None:
            await stack.enter_async_context(_listening(exposition, bind, setting))
        yield


@asynccontextmanager
async def _listening(exposition: Exposition, bind: Bind, setting: str) -> AsyncIterator[None]:
    try:
        family = socket.AF_INET6 if ":" in bind.host else socket.AF_INET
        # Siblings share the address: whichever of them is asked tells of all.
        is_shared = exposition.siblings is not None
        listener = socket.create_server((bind.host, bind.port), family=family, reuse_port=is_shared)
    except OSError as error:
        raise CannotRun(
            f"{setting}: cannot listen there; every process needs an address of its own. {error}"
        ) from error
    app = Starlette(routes=metrics_routes(exposition))
    server = _Beside(
        uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1)
    )
    running = asyncio.create_task(server.serve([listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await running


class _Beside(uvicorn.Server):
    """A server beside the one of the process, which signals are for."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield
