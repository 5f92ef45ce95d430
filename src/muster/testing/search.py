"""A search of everything that is kept: every column of every table of every schema, and every file of a folder."""

from pathlib import Path

import psycopg
from psycopg import sql

from muster.kit.db.tables import MAINTENANCE_SETTING

_TABLES = """
select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p', 'm') and n.nspname not in ('pg_catalog', 'information_schema')
   and n.nspname not like 'pg_toast%' order by 1, 2
"""


def places_of(url: str, texts: list[str], *, folder: Path | None = None) -> list[str]:
    """Where any of these texts is kept, whatever the case, as text or as bytes.

    url: of a superuser, since row security would hide what is looked for. folder: to search the files of, names too.
    """
    wanted = {text.lower() for text in texts}
    wanted |= {text.encode().hex() for text in texts}
    found = []
    with psycopg.connect(url, options=f"-c {MAINTENANCE_SETTING}=on") as connection:
        for schema, table in connection.execute(_TABLES).fetchall():
            name = sql.Identifier(schema, table)
            rows = connection.execute(sql.SQL("select lower(t::text) from {} t").format(name)).fetchall()
            found += [f"{text!r} in {schema}.{table}" for text in wanted if any(text in row for (row,) in rows)]
    for path in sorted(folder.rglob("*")) if folder is not None else ():
        content = path.read_bytes().lower() if path.is_file() else b""
        found += [f"{text!r} in {path}" for text in wanted if text.encode() in content or text in str(path).lower()]
    return sorted(found)
