"""What an idempotency key costs: round trips to the database, which is what a request waits for."""

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import Text, literal

from muster.kit.caller import Gate, anyone
from muster.kit.commands.command import COMMANDS, Command, command
from muster.kit.commands.context import Ctx, Services
from muster.kit.commands.run import Done, run_command
from muster.kit.commands.tests.test_run import OPEN, ORIGIN
from muster.kit.db.database import Database
from muster.kit.db.migrate import Urls
from muster.kit.limits import API
from muster.testing.below import ask
from muster.testing.serving import settings_for

ELSEWHERE = UUID(int=8)


@pytest.fixture
async def services(urls: Urls) -> AsyncIterator[Services]:
    """Services on one connection, with a gate that lets everybody in."""
    database = await Database.open(urls.app, size=1)
    gate = Gate(lookup=lambda _claim: literal(OPEN, Text()), permissions=lambda _role: frozenset())
    yield Services(database, settings_for(urls), gate, lambda: None)
    await database.close()


def _command(*, enters: UUID | None = None) -> Command:
    """A command that may go into another tenant, taken out of the table again."""

    async def work(ctx: Ctx) -> None:
        """Try it."""
        if enters is not None:
            await ctx.enter(enters)

    command("POST /test", "tryIt", allow=anyone, limit=API)(work)
    return COMMANDS.pop("tryIt")


async def _statements(services: Services, declared: Command, key: str | None) -> tuple[Done, int]:
    """What running it gave, and how often the database was asked for it."""
    texts: list[str] = []

    def note(record: asyncpg.connection.LoggedQuery) -> None:
        texts.append(record.query)

    async with services.database.connection() as connection:
        connection.add_query_logger(note)
    done = await run_command(services, declared, ORIGIN, {}, key)
    async with services.database.connection() as connection:
        connection.remove_query_logger(note)
    return done, len(texts)


async def test_a_key_costs_one_round_trip_and_none_where_there_is_none(services: Services) -> None:
    declared = _command()
    _, without = await _statements(services, declared, None)
    first, keyed = await _statements(services, declared, "a-key")
    again, replayed = await _statements(services, declared, "a-key")
    assert keyed == replayed == without + 1
    assert (first.replayed, again.replayed) == (False, True)


async def test_a_command_that_enters_another_tenant_keeps_its_key_where_the_request_came_in(
    services: Services, urls: Urls
) -> None:
    declared = _command(enters=ELSEWHERE)
    done = [await run_command(services, declared, ORIGIN, {}, "a-key") for _ in range(2)]
    assert [each.replayed for each in done] == [False, True]
    assert await ask(urls, "select tenant_id, outcome is not null from idempotency_keys") == [
        (ORIGIN.claim.tenant_id, True)
    ]
    assert await ask(urls, "select tenant_id from audit_rows") == [(ELSEWHERE,)]
