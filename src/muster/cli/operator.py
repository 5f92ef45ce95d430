"""Acting at the command line: on the API's database, as the system, with the operator's name in the audit log."""

import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import muster.slices  # noqa: F401 - what it declares is what the database's catalogue is compared with
from muster.access.gate import GATE
from muster.cli.urls import running_database
from muster.kit.commands.context import Ctx, Services
from muster.kit.commands.system import system_transaction
from muster.kit.db.database import Database
from muster.kit.db.migrate import migrate
from muster.kit.db.opening import sound_database
from muster.kit.ids import new_id
from muster.kit.processes import CannotRun
from muster.settings import Settings
from muster.tenancy.queries import find_default_tenant, find_tenant

_CONNECTIONS = 4


@dataclass(frozen=True)
class Operator:
    """Somebody at the command line. tenant_id: the community they act in."""

    services: Services
    verb: str
    tenant_id: UUID

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Ctx]:
        """One transaction under the tenant, journalled where something happened."""
        async with system_transaction(
            self.services,
            tenant_id=self.tenant_id,
            verb=self.verb,
            reason=f"muster {self.verb}, run by {getpass.getuser()}",
            now=datetime.now(UTC),
            request_id=str(new_id()),
        ) as ctx:
            yield ctx


@asynccontextmanager
async def operating(verb: str, *, tenant: str | None = None) -> AsyncIterator[Operator]:
    """Act on the database of the settings, as the API's role; the embedded one is brought up to date first.

    verb: for the audit log. tenant: the slug of a community; None is the default one.
    Raises CannotRun when there is no such database or community.
    """
    settings = Settings.load()
    with running_database(settings) as urls:
        if settings.database.url is None:
            migrate(urls, settings.database.role_prefix)
        async with sound_database(
            urls.app, size=_CONNECTIONS, process=f"muster {verb}", setting="DATABASE_URL"
        ) as database:
            services = Services(database, settings, GATE, wake=_sequencer_will_look)
            yield Operator(services, verb, await _tenant_id(database, tenant))


async def _tenant_id(database: Database, slug: str | None) -> UUID:
    if slug is None:
        return await find_default_tenant(database)
    found = await find_tenant(database, slug)
    if found is None:
        raise CannotRun(f"There is no community {slug!r}: `muster tenant list` shows all.")
    return found


def _sequencer_will_look() -> None:
    """Nobody waits for what an operator did: the sequencer's own poll finds the facts."""
