"""Whether the migrations make the tables that the code declares: nothing less, nothing more, nothing else.

The declared ones are made in a schema beside the migrated ones, and PostgreSQL describes both: columns with types,
defaults and nullability, constraints with their conditions, indexes with all they are made of.
"""

import psycopg
from sqlalchemy import Connection, create_engine, pool

import muster.handlers
import muster.schedule
import muster.slices  # noqa: F401 - the tables of contents: importing them declares every table
from muster.kit.db.migrate import Urls
from muster.kit.db.tables import Table

MIGRATED, DECLARED = "public", "declared"

DESCRIPTION = """
select 'constraint ' || c.relname || '.' || x.conname, pg_get_constraintdef(x.oid)
  from pg_constraint x join pg_class c on c.oid = x.conrelid
 where c.relnamespace = %(schema)s::regnamespace and x.contype <> 'n'
union all
select 'index ' || c.relname || '.' || i.relname, pg_get_indexdef(i.oid)
  from pg_index x join pg_class c on c.oid = x.indrelid join pg_class i on i.oid = x.indexrelid
 where c.relnamespace = %(schema)s::regnamespace
union all
select 'column ' || c.relname || '.' || a.attname,
       concat_ws(' ', format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'not null' end,
                 'identity ' || nullif(a.attidentity::text, ''), 'generated ' || nullif(a.attgenerated::text, ''),
                 pg_get_expr(d.adbin, d.adrelid))
  from pg_attribute a join pg_class c on c.oid = a.attrelid
       left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
 where c.relnamespace = %(schema)s::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
"""


def differences(urls: Urls) -> list[str]:
    """What the declared tables and the migrated database do not agree on, as sentences; empty when they do.

    urls: of a migrated database. Nothing in it is changed.
    """
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(urls.owner), poolclass=pool.NullPool
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(f"create schema {DECLARED}")
        # Generated columns may call functions, which migrations alone make.
        connection.exec_driver_sql(f"set local search_path = {DECLARED}, {MIGRATED}")
        Table.metadata.create_all(connection, checkfirst=False)
        migrated, declared = _described(connection, MIGRATED), _described(connection, DECLARED)
        connection.rollback()
    return [
        f"{name}: declared as {declared.get(name, 'nothing')}, migrated to {migrated.get(name, 'nothing')}"
        for name in sorted(migrated.keys() | declared.keys())
        if migrated.get(name) != declared.get(name)
    ]


def _described(connection: Connection, schema: str) -> dict[str, str]:
    """Every part of every table in a schema. Names are written as seen from within it."""
    connection.exec_driver_sql(f"set local search_path = {schema}")
    rows = connection.exec_driver_sql(DESCRIPTION, {"schema": schema})
    described = {str(name): str(text).replace(f"{schema}.", "").replace(f"{MIGRATED}.", "") for name, text in rows}
    return {name: text for name, text in described.items() if " alembic_version." not in name}
