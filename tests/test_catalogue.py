"""The catalogue: a database that would let tenants meet stops the start, and tables are as declared."""

import asyncpg
import pytest
from psycopg.conninfo import conninfo_to_dict

from muster.kit.db.catalogue import catalogue_problems, refuse_open_doors
from muster.kit.db.embedded import EmbeddedPostgres
from muster.kit.db.migrate import Urls
from muster.kit.db.tables import GlobalTable, Table
from muster.kit.personal.whose import leads_to_person
from muster.kit.processes import CannotRun
from muster.main import open_app
from muster.testing.below import change
from muster.testing.migrations import differences
from muster.testing.serving import settings_for

TENANT_CHECK = "tenant_id = (select nullif(current_setting('muster.tenant', true), '')::uuid)"

# What somebody might do to a database, and what the service says of it.
DOORS = {
    "create table extra (tenant_id uuid, id uuid)": [
        "table extra does not force row level security; call isolate('extra') in a migration",
        "table extra has no tenant policy; call isolate('extra') in a migration",
    ],
    "create table extra (id uuid)": ["table extra has no tenant_id and is not declared global with a reason"],
    "comment on table tenants is null": ["table tenants has no tenant_id and is not declared global with a reason"],
    "alter table messages no force row level security": [
        "table messages does not force row level security; call isolate('messages') in a migration"
    ],
    "alter table messages disable row level security": [
        "table messages does not force row level security; call isolate('messages') in a migration"
    ],
    "drop policy messages_tenant on messages": [
        "table messages has no tenant policy; call isolate('messages') in a migration"
    ],
    "alter policy messages_tenant on messages using (true)": [
        "policy messages_tenant does not compare tenant_id with the tenant; make it by isolate()"
    ],
    "alter policy messages_tenant on messages with check (true)": [
        "policy messages_tenant does not compare tenant_id with the tenant; make it by isolate()"
    ],
    "alter policy messages_maintenance on messages using (true)": [
        "policy messages_maintenance is not the owner's; make it by isolate()"
    ],
    "alter policy messages_maintenance on messages to muster_app": [
        "policy messages_maintenance is not the owner's; make it by isolate()"
    ],
    "create policy shortcut on messages for select using (true)": [
        "policy shortcut opens table messages without a reason; make it by cross()"
    ],
    "create policy messages_cross_app_select on messages for select to muster_app using (true)": [
        "policy messages_cross_app_select opens table messages without a reason; make it by cross()"
    ],
    "alter table messages add constraint loose unique (sequence)": [
        "key loose of table messages does not begin with tenant_id"
    ],
    "create unique index loose on messages (content, tenant_id)": [
        "key loose of table messages does not begin with tenant_id"
    ],
    "create unique index loose on messages (lower(content))": [
        "key loose of table messages does not begin with tenant_id"
    ],
    "alter table rooms add constraint other unique (id, tenant_id); "
    "alter table messages add constraint loose foreign key (room_id, tenant_id) references rooms (id, tenant_id)": [
        "key loose of table messages does not begin with tenant_id",
        "key other of table rooms does not begin with tenant_id",
    ],
    "grant truncate on messages to muster_app": [
        "the serving role may truncate, reference or trigger messages, which row security does not bind"
    ],
    "create view peek as select content from messages": [
        "view peek reads as its owner; make it `with (security_invoker = true)`"
    ],
    "create materialized view peek as select content from messages": [
        "view peek reads as its owner; make it `with (security_invoker = true)`"
    ],
    "create function peek() returns bigint language sql security definer as 'select count(*) from messages'; "
    "grant execute on function peek() to muster_app": [
        "function peek() runs as its owner; only the finder may own such a function"
    ],
    "drop table message_versions": ["table message_versions is missing; run `muster migrate`"],
}


async def _problems(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return await catalogue_problems(connection)
    finally:
        await connection.close()


async def test_a_migrated_database_is_sound(urls: Urls) -> None:
    assert await _problems(urls.app) == []
    assert await _problems(urls.worker) == []


@pytest.mark.parametrize("opening", DOORS, ids=range(len(DOORS)))
async def test_every_open_door_is_named_and_stops_the_start(
    module_urls: Urls, server: EmbeddedPostgres, opening: str
) -> None:
    database = conninfo_to_dict(module_urls.owner)["dbname"]
    connection = await asyncpg.connect(server.superuser_url(str(database)))
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("set local role muster_owner")
        await connection.execute(opening)
        await connection.execute("set local role muster_app")
        assert await catalogue_problems(connection) == DOORS[opening]
        with pytest.raises(CannotRun, match="does not start"):
            await refuse_open_doors(connection)
        await transaction.rollback()
    finally:
        await connection.close()


async def test_the_application_does_not_open_on_an_open_door(urls: Urls) -> None:
    await change(urls, "create policy shortcut on messages for select using (true)")
    with pytest.raises(CannotRun, match="policy shortcut opens table messages"):
        async with open_app(settings_for(urls)):
            pass


async def test_the_owner_may_not_serve(urls: Urls) -> None:
    problems = await _problems(urls.owner)
    assert "table messages is owned by the serving role" in problems


async def test_harmless_additions_are_let_through(urls: Urls) -> None:
    await change(urls, "create view fine with (security_invoker = true) as select content from messages")
    await change(urls, f"create policy narrower on messages as restrictive using ({TENANT_CHECK})")
    await change(urls, "create index plain on messages (content)")
    assert await _problems(urls.app) == []


async def test_the_migrations_make_the_declared_tables(urls: Urls) -> None:
    assert differences(urls) == []


@pytest.mark.parametrize(
    ("drift", "part"),
    [
        ("alter table messages add column extra text", "column messages.extra"),
        ("alter table messages alter column author_id drop not null", "column messages.author_id"),
        ("alter table messages alter column content type varchar(9)", "column messages.content"),
        ("alter table messages alter column content set default 'x'", "column messages.content"),
        ("create index spare on messages (content)", "index messages.spare"),
        ("drop index events_start_idx", "index events.events_start_idx"),
        ("alter table members drop constraint members_status_check", "constraint members.members_status_check"),
        ("create table spare (id uuid)", "column spare.id"),
    ],
)
async def test_every_drift_is_named(urls: Urls, drift: str, part: str) -> None:
    await change(urls, drift)
    assert [each.split(":")[0] for each in differences(urls)] == [part]


@pytest.mark.parametrize("name", sorted(Table.metadata.tables))
def test_every_column_says_whether_it_is_personal_and_leads_to_the_person(name: str) -> None:
    table = Table.metadata.tables[name]
    silent = [column.name for column in table.columns if "personal" not in column.info]
    assert silent == []
    declared = next(mapper.class_ for mapper in Table.registry.mappers if mapper.local_table is table)
    if any(column.info["personal"] for column in table.columns):
        assert leads_to_person(declared)
        assert declared.person is None or declared.person in table.columns
    if issubclass(declared, GlobalTable):
        assert declared.reason
