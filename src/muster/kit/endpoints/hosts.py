"""Hosts: which tenant a request is for by the name that it was sent to.

All names are kept in memory, so that a name which a client invents costs no question, and fills no cache.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

import structlog

log = structlog.get_logger()

Load = Callable[[], Awaitable[Mapping[str, UUID]]]
"""Where every proven domain leads."""

_PERIOD_SECONDS = 5.0


@dataclass
class Hosts:
    """Where hosts lead. below: each tenant is found at its slug below this domain; None is nowhere."""

    below: str | None = None
    domains: Mapping[str, UUID] = field(default_factory=dict)

    def leads_to(self, host: str | None) -> UUID | str | None:
        """The tenant behind the header `Host`, or its slug; None for a name that belongs to no tenant.

        It only chooses; whether the caller may enter is asked of every tenant alike.
        """
        if host is None or not (self.domains or self.below):
            return None
        # A port is no part of a name, nor is the dot that ends an absolute one (RFC 9110, 7.2; RFC 1034, 3.1).
        name = host.partition(":")[0].lower().removesuffix(".")
        found = self.domains.get(name)
        if found is None and self.below is not None and name.endswith(f".{self.below}"):
            slug = name[: -len(self.below) - 1]
            return None if "." in slug else slug
        return found

    async def keep(self, load: Load, slugs: dict[str, UUID]) -> None:
        """Keep them as they are in the database, until cancelled. slugs: tenants found before, to be forgotten."""
        while True:
            await asyncio.sleep(_PERIOD_SECONDS)
            try:
                self.domains = await load()
            except Exception as error:  # noqa: BLE001 - what was known last is better than nothing, and it is tried again
                log.warning("hosts.not_read", error=repr(error))
            slugs.clear()
