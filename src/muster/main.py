"""The API process: wires the slices to the kit and serves."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from uuid import UUID

import msgspec
import structlog
import uvicorn
import uvloop
from graphql import GraphQLSchema, print_schema
from starlette.types import ASGIApp

import muster.slices  # noqa: F401 - importing it declares every endpoint, and every kind of mail for /dev/mail
from muster.access.catalogue import refuse_undeclared
from muster.access.gate import GATE
from muster.access.keys.ring import KeyRing
from muster.identity.commands import cookie_keys, token_keys
from muster.identity.dev_users import DevUsers, takes_dev_users
from muster.identity.tokens import TokenKeys
from muster.kit.caller import Bearer
from muster.kit.commands.context import Services
from muster.kit.db.alone import counting_alone
from muster.kit.db.opening import opened_replicas, sound_database
from muster.kit.endpoints.app import build_app
from muster.kit.endpoints.cookies import Cookies, ReadToken
from muster.kit.endpoints.cors import ANY_ORIGIN
from muster.kit.endpoints.deprecations import deprecated
from muster.kit.endpoints.edge import Edge
from muster.kit.endpoints.exposition import Exposition, exposed, siblings_of
from muster.kit.endpoints.graphql.documents import Documents
from muster.kit.endpoints.graphql.execution import GraphQL
from muster.kit.endpoints.graphql.limits import PRODUCTION
from muster.kit.endpoints.graphql.persisted import write_list
from muster.kit.endpoints.graphql.schema import build_schema
from muster.kit.endpoints.health import Health
from muster.kit.endpoints.hosts import Hosts
from muster.kit.endpoints.openapi import document
from muster.kit.endpoints.socket import LARGEST_MESSAGE
from muster.kit.endpoints.socket_wire import BoundedSocket
from muster.kit.endpoints.wire import BoundedHttp
from muster.kit.limiter import Limiter
from muster.kit.limits import Rules, rules_in_force
from muster.kit.observing import observed
from muster.kit.processes import CannotRun, allow_open_files, say_ready, settle
from muster.kit.realtime.hub import Hub
from muster.kit.sources import SettingError
from muster.kit.storage.storage import storage_of
from muster.kit.store.names import prefix_of
from muster.kit.store.store import opened_store
from muster.kit.text import origin_of
from muster.kit.work.handlers import followers
from muster.kit.work.waking import Waker
from muster.profiles.sightings import Sightings
from muster.settings import Settings
from muster.tenancy.branding import brand_of
from muster.tenancy.external_tokens import ExternalTokens
from muster.tenancy.queries import all_hosts, find_default_tenant, find_tenant

log = structlog.get_logger()

_DRAIN_SECONDS = 10
# Longer than the minute after which load balancers let an idle connection go: whoever closes second loses no request.
_IDLE_SECONDS = 75


@cache
def openapi_document() -> str:
    """The OpenAPI document of everything that is declared, which importing this module has done."""
    return document.openapi_document()


def schema_sdl() -> str:
    """The GraphQL schema of everything that is declared, in its definition language."""
    return print_schema(_schema())


def operations_list(files: Sequence[Path]) -> str:
    """A list for MUSTER_PERSISTED_ONLY of what the files hold. Raises CannotRun for one that would not run."""
    return write_list(files, Documents(_schema(), PRODUCTION, is_open=True))


@cache
def _schema() -> GraphQLSchema:
    return build_schema()


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then finish the requests that run.

    Raises CannotRun when there is no database, or one that would let tenants meet.
    """
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    _make_room(settings)
    async with open_app(settings) as (app, health):
        server = _Server(
            uvicorn.Config(
                app,
                host=settings.http.host,
                port=settings.http.port,
                http=BoundedHttp,
                ws=BoundedSocket,
                # A body that many follow is encoded once; compressed, each socket would do it over again.
                ws_per_message_deflate=False,
                ws_max_size=LARGEST_MESSAGE,
                log_config=None,
                access_log=False,
                server_header=False,
                # Forwarding headers are believed from no one until a setting names the proxy.
                proxy_headers=False,
                timeout_graceful_shutdown=_DRAIN_SECONDS,
                timeout_keep_alive=_IDLE_SECONDS,
            ),
            health,
        )
        listener = settings.http.listener
        await server.serve([socket.socket(fileno=listener)] if listener else None)


def _make_room(settings: Settings) -> None:
    """Be allowed a file for each socket there may be."""
    files, sockets = allow_open_files(), settings.sockets.per_process
    if files < sockets:
        log.warning(
            "api.few_files",
            files=files,
            sockets=sockets,
            remedy="Raise the hard limit of open files (`ulimit -n`, LimitNOFILE of systemd), or lower SOCKETS_PER_PROCESS.",
        )


class _Server(uvicorn.Server):
    """Uvicorn that says when it serves, and that it is not ready as soon as it is told to stop."""

    def __init__(self, config: uvicorn.Config, health: Health) -> None:
        super().__init__(config)
        self._health = health

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        settle()
        log.info("api.started")
        say_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._health.stopping = True
        log.info("api.stopping")
        await super().shutdown(sockets)
        log.info("api.stopped")


@asynccontextmanager
async def open_app(settings: Settings) -> AsyncIterator[tuple[ASGIApp, Health]]:
    """The application on an open database, and its health; tests serve it too.

    Raises CannotRun as `serve` does.
    """
    refuse_undeclared()
    terms = settings.database
    if terms.url is None:
        raise CannotRun("The API needs a database: set DATABASE_URL, or use `muster up`.")
    async with (
        observed(settings, "api"),
        sound_database(
            terms.url,
            size=terms.pool_size,
            process="The API",
            setting="DATABASE_URL",
            limits=terms.limits,
            pooled=terms.pooled,
        ) as database,
        opened_store(settings.store, prefix_of(settings.security.jwt_secret)) as store,
        _alone_if_it_counts(settings),
        opened_replicas(database, terms, store) as replicas,
    ):
        waker = Waker()
        limiter = Limiter(limits_in_force(settings), is_production=settings.is_production, store=store)
        hub = Hub(database, GATE, terms.direct_url or terms.url, store)
        services = Services(
            database, settings, GATE, waker.wake, limiter=limiter, replicas=replicas, signals=hub, brand_of=brand_of
        )
        bucket = None if settings.files.bucket is None else storage_of(settings)
        health = Health(database, settings.environment, store, replicas, bucket)
        graphql = GraphQL(services, _schema())
        sightings = Sightings()
        edge = await _edge(services, sightings)
        exposition = Exposition(settings.metrics.token, [database.report_use], siblings_of(settings))
        keeping = edge.hosts.keep(partial(all_hosts, database), edge.slugs)
        running = [waker.run(database), sightings.run(database, hub.sessions), keeping]
        tasks = [asyncio.create_task(each) for each in running]
        try:
            async with hub.running(), exposed(exposition, settings.metrics.bind, "MUSTER_METRICS_BIND"):
                keys = jwk_set(settings)
                yield (
                    build_app(services, edge, graphql, hub, health, exposition, openapi_document(), keys, _queues),
                    health,
                )
        finally:
            for task in tasks:
                task.cancel()


def _queues() -> list[str]:
    """Every queue by its name. Handlers, and what they need, are loaded where an operator asks for this, and only then."""
    import muster.handlers  # noqa: F401 - a queue is known by its handler

    return sorted(followers())


def _alone_if_it_counts(settings: Settings) -> AbstractAsyncContextManager[None]:
    """What one process knows by itself, rates and who wrote before reading from replicas, no other counts apart from it.

    Raises CannotRun on entering where there is one.
    """
    terms = settings.database
    url = terms.direct_url or terms.url
    counts = (settings.rates.are_limited or bool(terms.replica_urls)) and settings.store is None
    return counting_alone(url) if counts and url is not None else nullcontext()


def limits_in_force(settings: Settings) -> Rules:
    """The rules of every limit, which importing this module has declared; none where rates are not limited.

    Raises SettingError for a rule of the operator's own that belongs to no limit.
    """
    if not settings.rates.are_limited:
        return {}
    try:
        return rules_in_force(settings.rates.chosen, is_production=settings.is_production)
    except ValueError as error:
        raise SettingError(f"MUSTER_LIMITS: {error}.") from None


def jwk_set(settings: Settings) -> str:
    """The keys that access tokens verify with, as JSON."""
    return msgspec.json.encode({"keys": token_keys(settings.security).published()}).decode()


def session_cookies(settings: Settings) -> Cookies:
    """Cookies for sessions of identity."""
    security = settings.security
    keys = cookie_keys(security)

    def seal(user_id: UUID, session_id: UUID) -> str:
        token, _ = keys.sign(user_id=user_id, session_id=session_id, now=datetime.now(UTC))
        return token

    ours = {origin_of(each) for each in (settings.addresses.app, settings.addresses.api)}
    return Cookies(
        read_access=_reader(token_keys(security)),
        read=_reader(keys),
        seal=seal,
        keys=tuple(each.encode() for each in security.secrets),
        origins=frozenset({*settings.http.origins, *ours} - {ANY_ORIGIN}),
        is_production=settings.is_production,
    )


def _reader(keys: TokenKeys) -> ReadToken:
    def read(token: str, now: datetime) -> Bearer | None:
        identity = keys.read(token, now)
        return None if identity is None else identity.bearer

    return read


async def _edge(services: Services, sightings: Sightings) -> Edge:
    database, settings = services.database, services.settings
    cookies = session_cookies(settings)

    async def by_slug(slug: str) -> UUID | None:
        return await find_tenant(database, slug)

    home = await find_default_tenant(database)
    return Edge(
        sightings.noting(_reader(token_keys(settings.security))),
        by_slug,
        home,
        replace(cookies, read=sightings.noting(cookies.read)),
        limiter=services.limiter,
        proxies=settings.rates.proxies,
        names_clients=any(deprecated()),
        hosts=Hosts(settings.communities.domain, await all_hosts(database)),
        read_key=KeyRing(database).bearer,
        read_other=ExternalTokens(services, home).bearer if settings.vouchers.tokens else None,
        dev_user=DevUsers(services, home).bearer if takes_dev_users(settings) else None,
    )
