"""Durable steps: a long errand that remembers how far it has come, over failures, restarts and kills.

The handler is run again from its beginning; steps that are done answer with what they remember, so it goes on where
it stopped. To sleep or to wait it ends, and its job is woken later: nothing is held in memory meanwhile.

    async def remind(errand: Errand, fact: EventPublished) -> None:
        steps = Steps(errand)
        count = await steps.once("count", count_members, returns=int)
        await steps.sleep("a day", timedelta(days=1))
        paid = await steps.wait_for("payment", InvoicePaid, about=fact.invoice_id, within=timedelta(days=7))

A step is known by its name within the job: give every step of a handler its own, and never change what a name means
while jobs of it wait. They are forgotten when the job has ended.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import msgspec

from muster.kit.commands.context import Ctx
from muster.kit.commands.facts import Fact, read_fact
from muster.kit.ids import new_id
from muster.kit.work.errands import Errand, NotYet

T = TypeVar("T")
F = TypeVar("F", bound=Fact)

# How late a wait sees a fact that was recorded in the very moment it began; all others wake it.
_LOOK = timedelta(seconds=30)
_BEGIN = """
insert into job_steps (tenant_id, id, job_id, name, due_at, awaits, about) values ($1, $2, $3, $4, $5, $6, $7)
on conflict (tenant_id, job_id, name) do nothing returning id
"""
_FIND = "select result, due_at from job_steps where tenant_id = $1 and job_id = $2 and name = $3"
_REMEMBER = "update job_steps set result = $4 where tenant_id = $1 and job_id = $2 and name = $3 and result is null"
_FACTS = """
select kind, version, data from facts
 where tenant_id = $1 and aggregate_id = $2 and kind = $3
   and position > (select position from facts where tenant_id = $1 and id = $4)
 order by position
"""


@dataclass(frozen=True)
class Steps:
    """The steps of one job."""

    errand: Errand

    async def once(self, name: str, function: Callable[[Ctx], Awaitable[T]], *, returns: type[T]) -> T:
        """Do something in a transaction of its own, exactly once: what it writes is committed with its result.

        Two runs of one job at once, which a lease that ran out allows: the second waits at the step's unique key until
        the first commits, and then remembers.
        function: reads and writes by the context it is given. returns: the type of its result, which is kept as JSON.
        """
        async with self.errand.transaction() as ctx:
            if await self._begin(ctx, name):
                await self._remember(ctx, name, msgspec.json.encode(await function(ctx)).decode())
            result, _ = await self._find(ctx, name)
        return msgspec.json.decode(result or "null", type=returns)

    async def outside(self, name: str, function: Callable[[str], Awaitable[T]], *, returns: type[T]) -> T:
        """Do something outside the database at least once, and remember its result.

        function: is given a key that is the same for each try, by which the outside can know a repeat.
        """
        async with self.errand.transaction() as ctx:
            result, _ = await self._find(ctx, name)
        if result is None:
            call = self.errand.call
            done = msgspec.json.encode(await function(f"{call.fact_id}:{self.errand.verb}:{name}")).decode()
            async with self.errand.transaction() as ctx:
                await self._begin(ctx, name)
                await self._remember(ctx, name, done)
                result, _ = await self._find(ctx, name)
        return msgspec.json.decode(result or "null", type=returns)

    async def sleep(self, name: str, time: timedelta) -> None:
        """Go on after a time, counted from when the step was first reached. Raises NotYet until then, for the runner."""
        async with self.errand.transaction() as ctx:
            await self._begin(ctx, name, due_at=ctx.now + time)
            _, due_at = await self._find(ctx, name)
        if due_at is not None and ctx.now < due_at:
            raise NotYet(f"sleeps at {name}", after=due_at - ctx.now)

    async def wait_for(
        self,
        name: str,
        fact: type[F],
        *,
        about: UUID,
        within: timedelta,
        match: Callable[[F], bool] = lambda _: True,
    ) -> F | None:
        """The first fact of a kind that was recorded after the one this job follows; None when none came in time.

        about: the id of what the fact is about. within: counted from when the step was first reached.
        match: which of those facts will do. Raises NotYet until there is an answer, for the runner.
        """
        async with self.errand.transaction() as ctx:
            await self._begin(ctx, name, due_at=ctx.now + within, awaits=fact.kind, about=about)
            result, due_at = await self._find(ctx, name)
            if result is None:
                result = await self._look(ctx, fact, about, match)
                if result is None and due_at is not None and ctx.now >= due_at:
                    result = "null"
                if result is not None:
                    await self._remember(ctx, name, result)
        if result is None:
            left = _LOOK if due_at is None else min(_LOOK, due_at - ctx.now)
            raise NotYet(f"waits for {fact.kind} at {name}", after=left)
        return msgspec.json.decode(result, type=fact | None)

    async def _look(self, ctx: Ctx, fact: type[F], about: UUID, match: Callable[[F], bool]) -> str | None:
        call = self.errand.call
        for row in await ctx.db.connection.fetch(_FACTS, call.tenant_id, about, fact.kind, call.fact_id):
            found = read_fact(row["kind"], row["version"], row["data"])
            if isinstance(found, fact) and match(found):
                data: str = row["data"]
                return data
        return None

    async def _begin(
        self,
        ctx: Ctx,
        name: str,
        *,
        due_at: datetime | None = None,
        awaits: str | None = None,
        about: UUID | None = None,
    ) -> bool:
        """Whether the step is new."""
        row = (ctx.tenant_id, new_id(), self.errand.job_id, name, due_at, awaits, about)
        return await ctx.db.connection.fetchval(_BEGIN, *row) is not None

    async def _find(self, ctx: Ctx, name: str) -> tuple[str | None, datetime | None]:
        """A step's result as JSON, NULL while it is not done, and when it is due."""
        row = await ctx.db.connection.fetchrow(_FIND, ctx.tenant_id, self.errand.job_id, name)
        return (None, None) if row is None else (row["result"], row["due_at"])

    async def _remember(self, ctx: Ctx, name: str, result: str) -> None:
        await ctx.db.connection.execute(_REMEMBER, ctx.tenant_id, self.errand.job_id, name, result)
