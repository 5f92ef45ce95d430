"""Running a command: what it writes stays or goes as a whole, is tried again after a deadlock, and leaves one row."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import Text, literal

from muster.kit.caller import Claim, Gate, Origin, anyone
from muster.kit.commands.command import COMMANDS, Command, command
from muster.kit.commands.context import Ctx, Services
from muster.kit.commands.facts import Fact
from muster.kit.commands.run import run_command
from muster.kit.db.database import Database
from muster.kit.db.migrate import Urls
from muster.kit.errors import AppError, Conflict, Denied
from muster.kit.limits import API
from muster.testing.below import ask
from muster.testing.serving import settings_for

TENANT = UUID(int=7)
ORIGIN = Origin(Claim(TENANT), datetime(2026, 1, 1, tzinfo=UTC), "request-1", address="192.0.2.1", agent="test")
OPEN = '{"tenant": "ACTIVE", "session": false, "verified": false, "role": null}'


class Tried(Fact):
    """What the commands of these tests record."""

    kind: ClassVar[str] = "test.tried"
    about: ClassVar[str] = "thing_id"
    thing_id: UUID


class CountsAnyway(AppError):
    """A refusal that keeps what was written."""

    status, code, commits = 401, "COUNTS_ANYWAY", True


@pytest.fixture
async def services(urls: Urls) -> AsyncIterator[Services]:
    """Services with a gate that lets everybody in."""
    database = await Database.open(urls.app, size=2)
    gate = Gate(lookup=lambda _claim: literal(OPEN, Text()), permissions=lambda _role: frozenset())
    yield Services(database, settings_for(urls), gate, lambda: None)
    await database.close()


def _command(function: Callable[..., Awaitable[None]]) -> Command:
    """The function as a declared command, taken out of the table again."""
    function.__doc__ = "Try it."
    command("POST /test", "tryIt", allow=anyone, limit=API)(function)
    return COMMANDS.pop("tryIt")


async def _run(services: Services, function: Callable[..., Awaitable[None]]) -> None:
    await run_command(services, _command(function), ORIGIN, {})


async def _written(urls: Urls) -> tuple[int, int, list[str]]:
    """How many facts and outbox rows there are, and what the audit log says."""
    ((facts,),) = await ask(urls, "select count(*) from facts")
    ((waiting,),) = await ask(urls, "select count(*) from outbox")
    return facts, waiting, [row[0] for row in await ask(urls, "select verb || ' ' || outcome from audit_rows")]


async def test_a_success_leaves_its_facts_and_one_row_of_the_audit_log(services: Services, urls: Urls) -> None:
    async def work(ctx: Ctx) -> None:
        ctx.record(Tried(thing_id=UUID(int=1)))
        ctx.record(Tried(thing_id=UUID(int=2)))

    await _run(services, work)
    assert await _written(urls) == (2, 2, ["tryIt done"])
    rows = await ask(urls, "select tenant_id, at, actor_kind, actor_id, address, agent, request_id from audit_rows")
    assert rows == [(TENANT, ORIGIN.now, "anonymous", None, "192.0.2.1", "test", "request-1")]
    facts = await ask(
        urls, "select kind, version, aggregate_id, tenant_id, request_id, at, position from facts order by 3"
    )
    assert facts[0] == ("test.tried", 1, UUID(int=1), TENANT, "request-1", ORIGIN.now, None)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Conflict(), (0, 0, [])),
        (Denied(), (0, 0, ["tryIt FORBIDDEN"])),
        (CountsAnyway(), (1, 1, ["tryIt COUNTS_ANYWAY"])),
        (LookupError("a fault of ours"), (0, 0, [])),
    ],
)
async def test_what_a_refusal_leaves(
    services: Services, urls: Urls, error: Exception, expected: tuple[int, int, list[str]]
) -> None:
    async def work(ctx: Ctx) -> None:
        ctx.record(Tried(thing_id=UUID(int=1)))
        raise error

    with pytest.raises(type(error)):
        await _run(services, work)
    assert await _written(urls) == expected


@pytest.mark.parametrize("error", [asyncpg.DeadlockDetectedError, asyncpg.SerializationError])
async def test_the_victim_of_another_runs_again_whole(
    services: Services, urls: Urls, error: type[asyncpg.PostgresError]
) -> None:
    attempts = 0

    async def work(ctx: Ctx) -> None:
        nonlocal attempts
        attempts += 1
        ctx.record(Tried(thing_id=UUID(int=1)))
        if attempts < 3:
            raise error("lost against another transaction")

    await _run(services, work)
    assert attempts == 3
    assert await _written(urls) == (1, 1, ["tryIt done"])


async def test_a_command_that_passes_over_a_failed_statement_does_not_commit(services: Services, urls: Urls) -> None:
    async def work(ctx: Ctx) -> None:
        try:
            await ctx.db.connection.execute("select 1 / 0")
        except asyncpg.DivisionByZeroError:
            ctx.record(Tried(thing_id=UUID(int=1)))

    with pytest.raises(asyncpg.InFailedSQLTransactionError):
        await _run(services, work)
    assert await _written(urls) == (0, 0, [])
