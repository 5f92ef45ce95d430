"""Crowds: who waits at the same time goes together, and yet each gets what they would have got alone."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import Text, Uuid, literal, select
from sqlalchemy.dialects.postgresql import insert

from muster.kit.caller import Gate, anyone
from muster.kit.commands.command import COMMANDS, command
from muster.kit.commands.context import Ctx, Services
from muster.kit.commands.crowds import Crowds
from muster.kit.commands.facts import Fact
from muster.kit.commands.run import run_command
from muster.kit.commands.tables import OutboxRow
from muster.kit.commands.tests.test_run import OPEN, ORIGIN
from muster.kit.db.database import Database, Transaction
from muster.kit.db.migrate import Urls
from muster.kit.db.statements import Nothing, Statement, given
from muster.kit.errors import Conflict, Denied
from muster.kit.ids import new_id
from muster.kit.limits import API
from muster.testing.below import ask, change
from muster.testing.serving import settings_for


@dataclass
class Outing:
    """Takes crowds out, when it may. companies: who went together."""

    may_go: asyncio.Event = field(default_factory=asyncio.Event)
    companies: list[list[int]] = field(default_factory=list)

    async def go(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.companies.append(list(numbers))
        await self.may_go.wait()
        if 666 in numbers:
            raise OSError
        return [LookupError(number) if number % 10 == 7 else -number for number in numbers]


async def _send(crowds: Crowds, outing: Outing, numbers: Sequence[int]) -> "list[asyncio.Task[int]]":
    """Let them come one after the other."""
    coming = []
    for number in numbers:
        coming.append(asyncio.create_task(crowds.join("there", number, outing.go)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    return coming


async def test_who_waits_goes_with_the_next_and_gets_their_own_outcome() -> None:
    crowds, outing = Crowds(), Outing()
    coming = await _send(crowds, outing, range(100))
    outing.may_go.set()
    outcomes = await asyncio.gather(*coming, return_exceptions=True)
    assert outing.companies == [[0], [1], list(range(2, 66)), list(range(66, 100))]
    for number, outcome in enumerate(outcomes):
        assert isinstance(outcome, LookupError) if number % 10 == 7 else outcome == -number
    assert not crowds._crowds, "a crowd that is gone is forgotten"


async def test_who_gives_up_while_they_wait_is_left_out() -> None:
    crowds, outing = Crowds(), Outing()
    coming = await _send(crowds, outing, range(6))
    for number in (0, 3, 4):
        coming[number].cancel()
    await asyncio.sleep(0)
    outing.may_go.set()
    outcomes = await asyncio.gather(*coming, return_exceptions=True)
    assert outing.companies == [[0], [1], [2, 5]]
    assert [outcomes[number] for number in (1, 2, 5)] == [-1, -2, -5]


async def test_a_crowd_that_is_ended_from_outside_leaves_nobody_waiting() -> None:
    crowds, outing = Crowds(), Outing()
    coming = await _send(crowds, outing, range(2))
    for task in list(crowds._crowds["there"].under_way):
        task.cancel()
    outcomes = await asyncio.gather(*coming, return_exceptions=True)
    assert [type(each) for each in outcomes] == [asyncio.CancelledError] * 2
    assert not crowds._crowds


async def test_a_fault_is_told_to_everybody_it_happens_to() -> None:
    crowds, outing = Crowds(), Outing()
    coming = await _send(crowds, outing, [1, 2, 3, 666])
    outing.may_go.set()
    outcomes = await asyncio.gather(*coming, return_exceptions=True)
    assert outcomes[:2] == [-1, -2]
    assert [type(each) for each in outcomes[2:]] == [OSError, OSError]


class Came(Fact):
    """Somebody came through the gate of these tests."""

    kind: ClassVar[str] = "test.came"
    about: ClassVar[str] = "thing_id"
    thing_id: UUID


class Full(Conflict):
    """Nobody else gets in."""

    code = "FULL_OF_CROWDS"


class Watched(Denied):
    """You may not, and that is noted."""

    code = "WATCHED_IN_CROWDS"


_mark = given(tenant=Uuid(), mark=Uuid())
_LEAVE_MARK = Statement(
    Nothing, insert(OutboxRow).from_select(["tenant_id", "fact_id"], select(_mark.c.tenant, _mark.c.mark))
)


class Gateway:
    """Lets three in, in the order of coming. sizes: of the crowds that came to it."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        command("POST /crowds", "comeIn", allow=anyone, limit=API, together=self._open)(self._come)
        self.declared = COMMANDS.pop("comeIn")

    async def _open(self, tx: Transaction, calls: Sequence[tuple[Ctx, dict[str, Any]]]) -> list[int]:
        self.sizes.append(len(calls))
        await tx.connection.fetchval("select 1")
        return []

    async def _come(
        self,
        ctx: Ctx,
        *,
        number: int,
        forgets: bool = False,
        reaches: bool = False,
        mark: UUID | None = None,
        shared: list[int] | None = None,
    ) -> None:
        """Come in."""
        if number < 0:
            raise Watched
        if reaches and shared is not None:
            await ctx.db.connection.execute("select 1")
        inside = [] if shared is None else shared
        if len(inside) == 3:
            raise Full
        inside.append(number)
        ctx.record(Came(thing_id=UUID(int=number)))
        if mark is not None:
            ctx.write(_LEAVE_MARK, tenant=ctx.tenant_id, mark=mark)
        if forgets:
            raise Full

    async def all_come(self, services: Services, *calls: Mapping[str, object]) -> list[type[BaseException] | None]:
        """Everybody at the same moment; answers with what was raised for each."""
        coming = (
            run_command(services, self.declared, ORIGIN, self.declared.arguments.read(dict(call))) for call in calls
        )
        outcomes = await asyncio.gather(*coming, return_exceptions=True)
        return [type(each) if isinstance(each, BaseException) else None for each in outcomes]


@pytest_asyncio.fixture
async def services(urls: Urls) -> AsyncIterator[Services]:
    """Services with a gate that lets everybody in."""
    database = await Database.open(urls.app, size=4)
    gate = Gate(lookup=lambda _claim: literal(OPEN, Text()), permissions=lambda _role: frozenset())
    yield Services(database, settings_for(urls), gate, lambda: None)
    await database.close()


@pytest.fixture
def gateway() -> Gateway:
    """A gateway of this test."""
    return Gateway()


_CUT_AT_COMMIT = """
create function cut() returns trigger language plpgsql security definer as
  'begin perform pg_terminate_backend(pg_backend_pid()); return null; end';
create constraint trigger cut after insert on audit_rows deferrable initially deferred for each row execute function cut();
"""


async def _written(urls: Urls) -> tuple[list[int], list[str], int]:
    """Who came, what the audit log says, and by how many transactions."""
    came = await ask(urls, "select aggregate_id from facts order by 1")
    rows = await ask(urls, "select outcome from audit_rows order by 1")
    ((transactions,),) = await ask(urls, "select count(distinct xmin::text) from audit_rows")
    return [row[0].int for row in came], [row[0] for row in rows], transactions


async def test_a_crowd_is_one_transaction_in_which_each_has_their_own_outcome(
    services: Services, urls: Urls, gateway: Gateway
) -> None:
    told = await gateway.all_come(services, *({"number": number} for number in (1, 2, -1, 3, 4, 5)))
    assert told == [None, None, Watched, None, Full, Full]
    assert gateway.sizes == [6]
    assert await _written(urls) == ([1, 2, 3], ["WATCHED_IN_CROWDS", "done", "done", "done"], 1)


async def test_one_alone_shares_nothing(services: Services, urls: Urls, gateway: Gateway) -> None:
    assert await gateway.all_come(services, {"number": 1}) == [None]
    assert gateway.sizes == []
    assert await _written(urls) == ([1], ["done"], 1)


@pytest.mark.parametrize("spoiler", [{"forgets": True}, {"reaches": True}])
async def test_who_would_leave_half_of_it_behind_goes_alone_as_everybody_else(
    services: Services, urls: Urls, gateway: Gateway, spoiler: dict[str, object]
) -> None:
    told = await gateway.all_come(services, {"number": 1}, {"number": 2, **spoiler}, {"number": 3})
    assert told == [None, Full if "forgets" in spoiler else None, None]
    came = [1, 3] if "forgets" in spoiler else [1, 2, 3]
    assert await _written(urls) == (came, ["done"] * len(came), len(came))


async def test_what_the_database_refuses_one_is_no_matter_to_the_others(
    services: Services, urls: Urls, gateway: Gateway
) -> None:
    mark = str(new_id())
    await change(urls, "insert into outbox (tenant_id, fact_id) values ($1, $2)", ORIGIN.claim.tenant_id, UUID(mark))
    told = await gateway.all_come(services, {"number": 1}, {"number": 2, "mark": mark}, {"number": 3})
    assert told == [None, asyncpg.UniqueViolationError, None]
    assert await _written(urls) == ([1, 3], ["done", "done"], 2)


async def test_without_a_database_everybody_is_told_so_at_once(services: Services, gateway: Gateway) -> None:
    await services.database.close()
    told = await gateway.all_come(services, {"number": 1}, {"number": 2})
    assert gateway.sizes == []
    assert told == [asyncpg.InterfaceError, asyncpg.InterfaceError]


async def test_nobody_goes_again_when_nobody_knows_whether_it_was_done(
    services: Services, urls: Urls, gateway: Gateway
) -> None:
    """The connection is cut between the last statement and the answer to the commit."""
    await change(urls, _CUT_AT_COMMIT)
    told = await gateway.all_come(services, {"number": 1}, {"number": 2})
    assert gateway.sizes == [2]
    assert told[0] is not None
    assert issubclass(told[0], asyncpg.PostgresError | asyncpg.InterfaceError | OSError)
    assert told == [told[0], told[0]]
    assert await _written(urls) == ([], [], 0)
