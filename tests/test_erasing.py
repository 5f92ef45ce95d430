"""Erasing as the tables declare it: nothing of the person is left, all else is untouched, and the worker may do it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import ForeignKeyConstraint

import muster.slices  # noqa: F401 - what it imports is declared
from muster.kit.db.database import Database
from muster.kit.db.migrate import Urls
from muster.kit.db.tables import PLATFORM_TENANT, Erasure, Table
from muster.kit.ids import new_id
from muster.kit.personal import erasing
from muster.kit.personal.erasing import Step, Target, erase, erase_person, erase_tenant, person_steps, tenant_steps
from muster.testing.below import ask, snapshot, value
from muster.testing.isolation import World
from muster.testing.people import Standing
from muster.testing.town import Town

_NOW = datetime(2031, 5, 1, tzinfo=UTC)
_CLASSES = {mapper.class_.__tablename__: mapper.class_ for mapper in Table.registry.mappers}
_STEPS = [*person_steps(isolated=True), *person_steps(isolated=False), *tenant_steps()]


@asynccontextmanager
async def _worker(urls: Urls) -> AsyncIterator[Database]:
    database = await Database.open(urls.worker, size=2)
    try:
        yield database
    finally:
        await database.close()


async def _tenants(urls: Urls, *, keep: bool = False) -> list[tuple[UUID, bool]]:
    return [(UUID(int=row[0].int), keep) for row in await ask(urls, "select id from tenants order by id")]


async def test_the_worker_may_do_all_that_the_tables_declare(urls: Urls) -> None:
    async with _worker(urls) as database:
        found = [await _tried(database, step) for step in _STEPS]
        assert [each for each in found if each is not None] == []
        assert await erase_person(database, new_id(), _NOW, await _tenants(urls)) == 0


async def _tried(database: Database, step: Step) -> str | None:
    """Why the worker may not carry out a step; None when it may."""
    nobody = Target(PLATFORM_TENANT, new_id(), _NOW)
    try:
        await erase(database, nobody, [step])
        async with database.transaction(PLATFORM_TENANT) as tx:
            await tx.run(step.statement, **nobody.values())
    except asyncpg.InsufficientPrivilegeError as error:
        return f"{step.table}: {error}; grant it to the worker in a migration"
    return None


@pytest.mark.parametrize("name", sorted(Table.metadata.tables))
def test_what_stays_does_not_need_what_goes(name: str) -> None:
    if _CLASSES[name].person is None or _CLASSES[name].erasure != Erasure.DELETE:
        return
    left = [
        f"{table.name} keeps rows that point to {name}"
        for table in Table.metadata.sorted_tables
        for key in table.constraints
        if isinstance(key, ForeignKeyConstraint) and key.referred_table.name == name and not _goes(table.name, key)
    ]
    assert left == []


def _goes(name: str, key: ForeignKeyConstraint) -> bool:
    declared = _CLASSES[name]
    return key.ondelete is not None or (declared.person is not None and declared.erasure == Erasure.DELETE)


@pytest.mark.parametrize("at_once", [1000, 1])
async def test_of_a_person_only_what_is_nobody_s_is_left(
    world: World, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(erasing, "AT_ONCE", at_once)
    town = world.victim
    urls, person = town.service.urls, town.people[Standing.MEMBER]
    before = await snapshot(urls)
    async with _worker(urls) as database:
        assert await erase_person(database, person.user_id, _NOW, await _tenants(urls)) > 0
        again = await erase_person(database, person.user_id, _NOW, await _tenants(urls))
    after = await snapshot(urls)
    assert again == 0
    touched = {table for table, rows in before.items() if rows != after[table]}
    mine = {step.table for step in (*person_steps(isolated=True), *person_steps(isolated=False))}
    assert touched <= mine
    assert {"users", "sessions", "messages", "message_versions", "room_seats", "idempotency_keys"} <= touched
    for table, rows in before.items():
        assert [row for row in rows if str(person.user_id) not in row] == [
            row for row in after[table] if str(person.user_id) not in row
        ], table
    said = await ask(
        urls, "select content, deleted_at, deleted_by_id from messages where author_id = $1", person.user_id
    )
    assert said == [(None, _NOW, None)]
    assert await value(urls, "select name from users where id = $1", person.user_id) == ""


async def test_a_community_can_keep_what_was_made_under_nobody_s_name(town: Town) -> None:
    urls, member, owner = town.service.urls, town.people[Standing.MEMBER], town.people[Standing.OWNER]
    async with _worker(urls) as database:
        for person in (member, owner):
            await erase_person(database, person.user_id, _NOW, await _tenants(urls, keep=True))
    assert await value(urls, "select content from messages where id = $1", town.message_id) == "What is on in main?"
    assert await value(urls, "select title from events where id = $1", town.event_id) == "An evening in main"
    assert await value(urls, "select array_agg(title) from event_agenda_items") == ["Opening game"]
    assert await value(urls, "select array_agg(name) from event_agenda_hosts") == ["Grandmaster Ada"]
    assert await value(urls, "select array_agg(distinct tag) from event_tags") == ["board games"]
    assert await value(urls, "select count(*) from message_versions") == 0
    names = await ask(urls, "select name from users where id = any($1)", [member.user_id, owner.user_id])
    assert names == [("",), ("",)]


async def test_of_a_community_nothing_is_left_but_its_audit(world: World) -> None:
    urls, gone, other = world.victim.service.urls, world.victim, world.intruder
    before = await snapshot(urls, tenant_id=other.tenant_id)
    held = {table for table, rows in (await snapshot(urls, tenant_id=gone.tenant_id)).items() if rows}
    async with _worker(urls) as database:
        assert await erase_tenant(database, gone.tenant_id, _NOW) > 0
        assert await erase_tenant(database, gone.tenant_id, _NOW) == 0
    assert await snapshot(urls, tenant_id=other.tenant_id) == before
    left = {table for table, rows in (await snapshot(urls, tenant_id=gone.tenant_id)).items() if rows}
    assert left == {name for name in held if _CLASSES[name].outlives_tenant}
    assert "audit_rows" in left
