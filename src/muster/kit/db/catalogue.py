"""The check that the service makes of the database's catalogue before it serves: are tenants kept apart?"""

from typing import Any

import asyncpg

from muster.kit.db.tables import MAINTENANCE_SETTING, TENANT_SETTING, GlobalTable, Table
from muster.kit.processes import CannotRun

_TABLES = """
select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as forced,
       coalesce(obj_description(c.oid, 'pg_class'), '') as comment,
       pg_has_role(current_user, c.relowner, 'member') as owned,
       has_table_privilege(c.oid, 'truncate, references, trigger') as overpowered,
       exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not attisdropped)
         as has_tenant,
       array(select x.conname::text from pg_constraint x where x.conrelid = c.oid and x.contype in ('p', 'u', 'f')
             and ((select attname from pg_attribute a where a.attrelid = c.oid and a.attnum = x.conkey[1])
                  <> 'tenant_id'
                  or (select attname from pg_attribute a where a.attrelid = x.confrelid and a.attnum = x.confkey[1])
                  <> 'tenant_id')
             and (x.contype <> 'f' or exists (select from pg_attribute a where a.attrelid = x.confrelid
                  and a.attname = 'tenant_id' and not a.attisdropped))) as loose_constraints,
       array(select i.indexrelid::regclass::text from pg_index i where i.indrelid = c.oid and i.indisunique
             and (select attname from pg_attribute a where a.attrelid = c.oid and a.attnum = i.indkey[0])
                 is distinct from 'tenant_id') as loose_indexes
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = 'public' and c.relkind in ('r', 'p') and c.relname <> 'alembic_version'
 order by c.relname
"""

_POLICIES = """
select c.relname as table, p.polname as name, coalesce(obj_description(p.oid, 'pg_policy'), '') as reason,
       p.polcmd = '*' as for_all, pg_get_expr(p.polqual, p.polrelid) as condition,
       pg_get_expr(p.polwithcheck, p.polrelid) as check,
       exists (select from unnest(p.polroles) as r where r = 0 or pg_has_role(current_user, r, 'member')) as for_us
  from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = 'public' and p.polpermissive
 order by c.relname, p.polname
"""

_VIEWS = """
select c.relname as name
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = 'public' and (c.relkind = 'm' or c.relkind = 'v'
       and not coalesce((select o.option_value::boolean from pg_options_to_table(c.reloptions) o
                          where o.option_name = 'security_invoker'), false))
 order by c.relname
"""

_FUNCTIONS = """
select p.oid::regprocedure::text as name
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
 where p.prosecdef and n.nspname not in ('pg_catalog', 'information_schema')
   and has_function_privilege(p.oid, 'execute')
   and (n.nspname <> 'finders' or exists (select from pg_class c join pg_namespace t on t.oid = c.relnamespace
                                           where t.nspname = 'public' and c.relowner = p.proowner))
 order by 1
"""

_ROLE = "select rolsuper or rolbypassrls as powerful, rolname as name from pg_roles where rolname = current_user"

# As PostgreSQL writes the conditions that `isolate` gives it.
_OF_TENANT = (
    f"(tenant_id = ( SELECT (NULLIF(current_setting('{TENANT_SETTING}'::text, true), ''::text))::uuid AS \"nullif\"))"
)
_IN_MAINTENANCE = f"(current_setting('{MAINTENANCE_SETTING}'::text, true) = 'on'::text)"


async def catalogue_problems(connection: asyncpg.Connection) -> list[str]:
    """Every way in which the database would let tenants meet, as sentences; empty when all is well.

    connection: as a runtime role (`app` or `worker`).
    """
    problems = []
    role = await connection.fetchrow(_ROLE)
    if role is None or role["powerful"]:
        problems.append("the serving role is a superuser or bypasses row security; serve as the app role instead")
    tables = await connection.fetch(_TABLES)
    policies = await connection.fetch(_POLICIES)
    declared = {mapper.class_.__tablename__: mapper.class_ for mapper in Table.registry.mappers}
    for table in tables:
        named = [row["name"] for row in policies if row["table"] == table["name"]]
        problems += _problems_of_table(table, declared.get(table["name"]), named)
    for policy in policies:
        problems += _problems_of_policy(policy)
    for view in await connection.fetch(_VIEWS):
        problems.append(f"view {view['name']} reads as its owner; make it `with (security_invoker = true)`")
    for function in await connection.fetch(_FUNCTIONS):
        problems.append(f"function {function['name']} runs as its owner; only the finder may own such a function")
    missing = set(Table.metadata.tables) - {row["name"] for row in tables}
    return problems + [f"table {name} is missing; run `muster migrate`" for name in sorted(missing)]


def _problems_of_table(row: asyncpg.Record, declared: type[Any] | None, policies: list[str]) -> list[str]:
    name: str = row["name"]
    problems = [f"table {name} is owned by the serving role"] if row["owned"] else []
    if row["overpowered"] and not row["owned"]:
        problems.append(f"the serving role may truncate, reference or trigger {name}, which row security does not bind")
    if (declared is None or issubclass(declared, GlobalTable)) and row["comment"].startswith("global: "):
        return problems
    if not row["has_tenant"]:
        return [*problems, f"table {name} has no tenant_id and is not declared global with a reason"]
    if not row["forced"]:
        problems.append(f"table {name} does not force row level security; call isolate('{name}') in a migration")
    if f"{name}_tenant" not in policies:
        problems.append(f"table {name} has no tenant policy; call isolate('{name}') in a migration")
    loose = dict.fromkeys([*row["loose_constraints"], *row["loose_indexes"]])
    return problems + [f"key {key} of table {name} does not begin with tenant_id" for key in loose]


def _problems_of_policy(row: asyncpg.Record) -> list[str]:
    table, name = row["table"], row["name"]
    if name == f"{table}_tenant":
        as_made = row["for_all"] and row["condition"] == _OF_TENANT and row["check"] in (None, _OF_TENANT)
        return [] if as_made else [f"policy {name} does not compare tenant_id with the tenant; make it by isolate()"]
    if name == f"{table}_maintenance":
        as_made = row["condition"] == _IN_MAINTENANCE and row["check"] in (None, _IN_MAINTENANCE)
        return [] if as_made and not row["for_us"] else [f"policy {name} is not the owner's; make it by isolate()"]
    if name.startswith(f"{table}_cross_") and row["reason"]:
        return []
    return [f"policy {name} opens table {table} without a reason; make it by cross()"]


async def refuse_open_doors(connection: asyncpg.Connection) -> None:
    """Stop a process before it serves a database that would let tenants meet.

    Raises CannotRun with every problem and its remedy.
    """
    problems = await catalogue_problems(connection)
    if problems:
        listed = "\n".join(f"- {problem}" for problem in problems)
        raise CannotRun(f"Muster does not start on this database:\n{listed}")
