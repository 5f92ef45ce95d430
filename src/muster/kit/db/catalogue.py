"""The check that the service makes of the database's catalogue before it serves: are tenants kept apart?"""

import asyncpg

from muster.kit.db.tables import GlobalTable, Table
from muster.kit.processes import CannotRun

_CATALOGUE = """
select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as forced,
       coalesce(obj_description(c.oid, 'pg_class'), '') as comment,
       pg_has_role(current_user, c.relowner, 'member') as owned,
       exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not attisdropped)
         as has_tenant,
       array(select polname::text from pg_policy p where p.polrelid = c.oid) as policies,
       array(select x.conname::text from pg_constraint x where x.conrelid = c.oid and x.contype in ('p', 'u', 'f')
             and (select attname from pg_attribute a where a.attrelid = c.oid and a.attnum = x.conkey[1])
                 <> 'tenant_id'
             and (x.contype <> 'f' or exists (select from pg_attribute a where a.attrelid = x.confrelid
                  and a.attname = 'tenant_id' and not a.attisdropped))) as loose_constraints,
       array(select i.indexrelid::regclass::text from pg_index i where i.indrelid = c.oid and i.indisunique
             and (select attname from pg_attribute a where a.attrelid = c.oid and a.attnum = i.indkey[0])
                 is distinct from 'tenant_id') as loose_indexes
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = 'public' and c.relkind in ('r', 'p') and c.relname <> 'alembic_version'
 order by c.relname
"""

_ROLE = "select rolsuper or rolbypassrls as powerful, rolname as name from pg_roles where rolname = current_user"


async def catalogue_problems(connection: asyncpg.Connection) -> list[str]:
    """Every way in which the database would let tenants meet, as sentences; empty when all is well.

    connection: as a runtime role (`app` or `worker`).
    """
    problems = []
    role = await connection.fetchrow(_ROLE)
    if role is None or role["powerful"]:
        problems.append("the serving role is a superuser or bypasses row security; serve as the app role instead")
    rows = await connection.fetch(_CATALOGUE)
    for row in rows:
        problems += _problems_of(row)
    missing = set(Table.metadata.tables) - {row["name"] for row in rows}
    return problems + [f"table {name} is missing; run `muster migrate`" for name in sorted(missing)]


def _problems_of(row: asyncpg.Record) -> list[str]:
    name: str = row["name"]
    declared = {mapper.class_.__tablename__: mapper.class_ for mapper in Table.registry.mappers}.get(name)
    problems = [f"table {name} is owned by the serving role"] if row["owned"] else []
    if (declared is None or issubclass(declared, GlobalTable)) and row["comment"].startswith("global: "):
        return problems
    if not row["has_tenant"]:
        return [*problems, f"table {name} has no tenant_id and is not declared global with a reason"]
    if not row["forced"]:
        problems.append(f"table {name} does not force row level security; call isolate('{name}') in a migration")
    if f"{name}_tenant" not in row["policies"]:
        problems.append(f"table {name} has no tenant policy; call isolate('{name}') in a migration")
    loose = [*row["loose_constraints"], *row["loose_indexes"]]
    return problems + [f"key {key} of table {name} does not begin with tenant_id" for key in loose]


async def refuse_open_doors(connection: asyncpg.Connection) -> None:
    """Stop a process before it serves a database that would let tenants meet.

    Raises CannotRun with every problem and its remedy.
    """
    problems = await catalogue_problems(connection)
    if problems:
        listed = "\n".join(f"- {problem}" for problem in problems)
        raise CannotRun(f"Muster does not start on this database:\n{listed}")
