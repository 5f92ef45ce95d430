"""Mutation of policies: each is dropped or opened in a database of its own, and the isolation probe must notice."""

from dataclasses import dataclass

from muster.kit.db.migrate import Urls
from muster.testing.below import ask, change
from muster.testing.client import Way
from muster.testing.isolation import World, violations

_POLICIES = """
select tablename, policyname, cmd, with_check is not null
  from pg_policies where schemaname = 'public' order by tablename, policyname
"""
_NOT_READ_BY_TENANT = {"outbox", "job_steps"}


@dataclass(frozen=True)
class Mutant:
    """One policy changed for the worse. name: for people. statement: the change."""

    name: str
    statement: str


async def mutants(urls: Urls) -> list[Mutant]:
    """Every mutant of every policy in a migrated database.

    Each is dropped once. A tenant policy is also opened to every tenant, once for reading and once for writing.
    """
    found = []
    for table, policy, _, _ in await ask(urls, _POLICIES):
        found.append(Mutant(f"{policy} dropped", f"drop policy {policy} on {table}"))
        if policy == f"{table}_tenant":
            found.append(Mutant(f"{policy} open to write", f"alter policy {policy} on {table} with check (true)"))
            # Nothing can be read through this policy where no role that it is for may read.
            if table not in _NOT_READ_BY_TENANT:
                found.append(Mutant(f"{policy} open to read", f"alter policy {policy} on {table} using (true)"))
        elif policy == f"{table}_maintenance":
            found.append(Mutant(f"{policy} always on", f"alter policy {policy} on {table} using (true)"))
    return found


async def noticed(world: World, mutant: Mutant) -> str | None:
    """What the probe says first when this happens to a database that is being served; None when it goes unnoticed."""
    await change(world.service.urls, mutant.statement)
    async for found in violations(world, ways=[Way.GRAPHQL]):
        return found
    return None
