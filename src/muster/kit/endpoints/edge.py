"""The edge: from the headers of a request to its origin."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import structlog
from starlette.requests import HTTPConnection

from muster.kit.caller import KEY_PREFIX, Bearer, Claim, Origin, TenantNotFound
from muster.kit.endpoints.cookies import Cookies, ReadToken
from muster.kit.endpoints.hosts import Hosts
from muster.kit.endpoints.proxies import Proxies, client_address
from muster.kit.errors import AppError, Unauthenticated
from muster.kit.ids import new_id
from muster.kit.limiter import Limiter
from muster.kit.text import as_id

CLIENT_HEADER = "apollographql-client-name"
"""Carries what a client calls itself; Apollo Client sends it, and others may."""

DEV_HEADER = "x-user-id"
"""Names who asks, in development."""

ACTED_AS = "acted_as"
"""Where a request keeps the impersonation that it is part of, for the frame to mark its answer with."""

FindTenant = Callable[[str], Awaitable[UUID | None]]
"""The tenant with a slug."""

ReadKey = Callable[[str, str | None, datetime], Awaitable[Bearer]]
"""Whose an API key is that comes from an address. Raises Unauthenticated for one that is none, Denied elsewhere than it may be used."""

ReadOther = Callable[[str, str | None, str | None, datetime], Awaitable[Bearer | None]]
"""Whom a text stands for that is no token of ours, from which address and client; None for nobody. May raise AppError."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def request_id_from(header: str | None) -> str:
    """The client's own request id where it is well-formed, else a fresh one."""
    return header if header and _REQUEST_ID.fullmatch(header) else str(new_id())


@dataclass(frozen=True)
class Edge:
    """What turns headers into an `Origin`.

    default_tenant: where a request goes that names no tenant. slugs: tenants found before; slugs never change, and
    are forgotten now and then, since that of a community that is gone may be taken again. hosts: where hosts lead.
    limiter: counts what every address asks. names_clients: whether what clients
    call themselves is read, as it is where something is deprecated. proxies: whose word on the client's address is taken.
    read_key: reads API keys, where there are any. read_other: reads tokens of other issuers, where such are taken.
    dev_user: reads the header `X-User-Id`, in development alone.
    """

    read_token: ReadToken
    find_tenant: FindTenant
    default_tenant: UUID
    cookies: Cookies
    slugs: dict[str, UUID] = field(default_factory=dict)
    hosts: Hosts = field(default_factory=Hosts)
    limiter: Limiter = field(default_factory=Limiter)
    names_clients: bool = False
    proxies: Proxies = ()
    read_key: ReadKey | None = None
    read_other: ReadOther | None = None
    dev_user: ReadOther | None = None

    async def origin(
        self,
        connection: HTTPConnection,
        *,
        request_id: str,
        authorization: str | None = None,
        tenant: str | None = None,
        whoever: bool = False,
        by_cookie: bool = True,
        csrf: str | None = None,
    ) -> Origin:
        """The origin of a request or socket.

        authorization, tenant: stand in for the headers `Authorization` and `X-Tenant`, which browsers cannot send
        with a socket. whoever: neither is looked at; see `Allow`. by_cookie: a cookie may say who it is where no
        header does. csrf: stands in for the header `X-CSRF-Token`, which forms cannot send.
        Raises Unauthenticated for a token that is not good, TenantNotFound for a slug that nobody has, TooMany
        for an address that asks too often, and what `Cookies.signed_in` raises.
        """
        now, headers = datetime.now(UTC), connection.headers
        address = client_address(connection, self.proxies)
        # Before the token is looked at, so that guessing one counts too.
        arrival = self.limiter.enter(address)
        if whoever:
            claim = Claim(self.default_tenant)
        else:
            given = authorization or headers.get("authorization")
            try:
                bearer: Bearer | None
                if given is not None:
                    bearer = await self._by_header(given, address, headers.get("user-agent"), now)
                elif self.dev_user is not None and DEV_HEADER in headers:
                    bearer = await self.dev_user(headers[DEV_HEADER], address, headers.get("user-agent"), now)
                else:
                    bearer = self.cookies.signed_in(connection, now, csrf) if by_cookie else None
                claim = await self._claim(tenant or headers.get("x-tenant"), headers.get("host"), bearer)
                if claim.by is not None:
                    connection.scope.setdefault("state", {})[ACTED_AS] = str(claim.session_id)
            except AppError:
                await self.limiter.draw((), Origin(Claim(self.default_tenant), now, request_id, arrival=arrival))
                raise
        structlog.contextvars.bind_contextvars(
            tenant_id=str(claim.tenant_id), **({} if claim.user_id is None else {"user_id": str(claim.user_id)})
        )
        client = headers.get(CLIENT_HEADER) if self.names_clients else None
        return Origin(claim, now, request_id, address, headers.get("user-agent"), arrival, client)

    async def _claim(self, tenant: str | None, host: str | None, bearer: Bearer | None) -> Claim:
        """What a request claims. Raises TenantNotFound also where a token is not good in the tenant that is asked for."""
        if bearer is None:
            return Claim(await self._tenant(tenant, host))
        own = bearer.tenant_id
        tenant_id = await self._tenant(tenant, host) if own is None or tenant is not None else own
        if own not in (None, tenant_id):
            raise TenantNotFound
        return Claim(tenant_id, bearer.user_id, bearer.session_id, bearer.by, bearer.scopes)

    async def _by_header(self, authorization: str, address: str | None, agent: str | None, now: datetime) -> Bearer:
        scheme, _, text = authorization.partition(" ")
        text = text.strip() if scheme.lower() == "bearer" else ""
        if KEY_PREFIX in text and self.read_key is not None:
            return await self.read_key(text, address, now)
        # Ours first: they cost nothing but a signature, and nobody else's is asked about for them.
        bearer = self.read_token(text, now)
        if bearer is None and self.read_other is not None and text:
            bearer = await self.read_other(text, address, agent, now)
        if bearer is None:
            raise Unauthenticated("The access token is not valid or has expired; sign in again.")
        return bearer

    async def _tenant(self, named: str | None, host: str | None) -> UUID:
        if named is None:
            led = self.hosts.leads_to(host)
            if led is None:
                return self.default_tenant
            if isinstance(led, UUID):
                return led
            named = led
        if (tenant_id := as_id(named)) is not None:
            return tenant_id
        if named not in self.slugs:
            found = await self.find_tenant(named)
            if found is None:
                raise TenantNotFound
            self.slugs[named] = found
        return self.slugs[named]
