"""Mutation of policies: each is dropped or opened in a database that is being served, and somebody must notice.

What a policy lets its roles see and write is noticed by looking at the rows of its table, so those that keep tenants
apart are changed one after the other in one database, each put back before the next. What lets a role cross tenants is
for the work of the worker and the finders: each of those needs a database of its own, and the whole probe.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from muster.kit.db.migrate import Urls
from muster.testing.below import ask, maintenance
from muster.testing.client import Way
from muster.testing.isolation import World, violations
from muster.testing.rows import eyes

POLICIES = """
select tablename, policyname, permissive, cmd, array_to_string(roles, ', '), qual, with_check
  from pg_policies where schemaname = 'public' order by tablename, policyname
"""
_NOT_READ_BY_TENANT = {"outbox", "job_steps"}


@dataclass(frozen=True)
class Mutant:
    """One policy changed for the worse.

    name: for people. table: whose policy it is. crosses: whether the policy lets a role reach across tenants.
    statement: the change. undo: puts the policy back, changed or dropped.
    """

    name: str
    table: str
    crosses: bool
    statement: str
    undo: str


async def mutants(urls: Urls) -> list[Mutant]:
    """Every mutant of every policy in a migrated database.

    Each is dropped once. A tenant policy is also opened to every tenant, once for reading and once for writing.
    """
    found = []
    for table, policy, permissive, verb, roles, using, check in await ask(urls, POLICIES):
        whole = f"create policy {policy} on {table} as {permissive} for {verb} to {roles}"
        whole += f" using ({using})" * bool(using) + f" with check ({check})" * bool(check)
        changes = {"dropped": f"drop policy {policy} on {table}"}
        if policy == f"{table}_tenant":
            changes["open to write"] = f"alter policy {policy} on {table} with check (true)"
            # Nothing can be read through this policy where no role that it is for may read.
            if table not in _NOT_READ_BY_TENANT:
                changes["open to read"] = f"alter policy {policy} on {table} using (true)"
        elif policy == f"{table}_maintenance":
            changes["always on"] = f"alter policy {policy} on {table} using (true)"
        undo = f"drop policy if exists {policy} on {table}; {whole}"
        crosses = policy.startswith(f"{table}_cross_")
        found += [Mutant(f"{policy} {name}", table, crosses, change, undo) for name, change in changes.items()]
    return found


async def unnoticed_by_rows(world: World, every: Sequence[Mutant]) -> list[str]:
    """The names of those whose table looks as it should while they last. Both towns have rows in all their tables.

    Raises AssertionError when the policies are not as they were afterwards.
    """
    found, urls = [], world.service.urls
    before = await ask(urls, POLICIES)
    async with eyes(urls) as each, maintenance(urls) as owner:
        for mutant in every:
            await owner.execute(mutant.statement)
            if not await each.violations(world.victim, world.intruder, tables=[mutant.table]):
                found.append(mutant.name)
            await owner.execute(mutant.undo)
        # Otherwise what is noticed might be an earlier mutant.
        tables = sorted({mutant.table for mutant in every})
        assert await each.violations(world.victim, world.intruder, tables=tables) == []
    assert await ask(urls, POLICIES) == before
    return found


async def noticed(world: World, mutant: Mutant) -> str | None:
    """What the probe says first when this happens to a database that is being served; None when it goes unnoticed."""
    async with maintenance(world.service.urls) as owner:
        await owner.execute(mutant.statement)
    async for found in violations(world, ways=[Way.GRAPHQL]):
        return found
    return None
