"""Compare docs/security/isolation.md with the catalogue of a freshly migrated database; --write brings it up to date."""

import sys
from pathlib import Path

import psycopg

from muster.kit.commands.command import Command
from muster.kit.views.query import Query
from muster.testing.isolation import AT_HOME, AT_THE_DOOR
from muster.testing.matrix import endpoints, places
from muster.testing.throwaway import migrated_database

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "security" / "isolation.md"

HEAD = """# Isolation

What keeps tenants apart, read from the catalogue of a migrated database by `make isolation`; `make check` fails when it
is out of date.

The roles `app` and `worker` own nothing and bypass nothing. Row security is forced on every table of tenants, and every
key of such a table begins with `tenant_id`. The API and the worker check all of this before they start.
"""

PROBE = """

Every endpoint that is declared, by REST and by GraphQL, is called against a community full of rows by everybody below.
Each id in it is given as one of the victim's and as one of nothing: the answers are the same to the letter, nothing that
the victim's people wrote is in them, and afterwards every row of the victim's is as it was. Asked for at its door, the
community looks as one that does not exist. `tests/test_isolation_matrix.py` fails otherwise, and
`tests/test_policy_mutation.py` fails when it does not notice that one of the policies above is gone.

{callers}

|"""

GLOBAL = """
select c.relname, substr(obj_description(c.oid, 'pg_class'), 9) from pg_class c
 where relnamespace = 'public'::regnamespace and relkind = 'r' and obj_description(c.oid, 'pg_class') like 'global: %'
 order by 1
"""
ISOLATED = """
select c.relname,
       coalesce((select string_agg(distinct lower(privilege_type), ', ') from information_schema.column_privileges p
                  where p.table_name = c.relname and p.grantee = 'muster_app'), '')
         || case when has_table_privilege('muster_app', c.oid, 'delete') then ', delete' else '' end,
       coalesce((select string_agg(distinct lower(privilege_type), ', ') from information_schema.column_privileges p
                  where p.table_name = c.relname and p.grantee = 'muster_worker'), '')
         || case when has_table_privilege('muster_worker', c.oid, 'delete') then ', delete' else '' end
  from pg_class c where relnamespace = 'public'::regnamespace and relkind = 'r' and relforcerowsecurity order by 1
"""
CROSSINGS = """
select c.relname, replace(r.rolname, 'muster_', ''),
       case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete'
                     else 'all' end,
       obj_description(p.oid, 'pg_policy')
  from pg_policy p join pg_class c on c.oid = p.polrelid join pg_roles r on r.oid = p.polroles[1]
 where p.polname like '%\\_cross\\_%' order by 1, 2, 3
"""
FINDERS = """
select p.proname || '(' || pg_get_function_arguments(p.oid) || ')', pg_get_function_result(p.oid)
  from pg_proc p where pronamespace = 'finders'::regnamespace order by 1
"""


def table(title: str, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A titled table in Markdown."""
    lines = [f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows)]
    return f"\n## {title}\n\n" + "\n".join(lines) + "\n"


def report(connection: "psycopg.Connection[tuple[str, ...]]") -> str:
    """The whole document."""

    def rows(query: str) -> list[tuple[str, ...]]:
        return connection.execute(query.encode()).fetchall()

    tried = table("Endpoints", ("endpoint", "over REST", "who may use it", "ids in it"), endpoint_rows())
    whole = HEAD + "".join(
        (
            table("Tables of tenants", ("table", "app may", "worker may"), rows(ISOLATED)),
            table("Tables outside all tenants", ("table", "why"), rows(GLOBAL)),
            table("Crossings", ("table", "role", "may", "why"), rows(CROSSINGS)),
            table(
                "Finders: functions that search below row security, in the caller's tenant or about one person",
                ("function", "returns"),
                rows(FINDERS),
            ),
        )
    )
    callers = "\n".join(f"- {name}" for name in (*AT_HOME, *AT_THE_DOOR))
    return whole + tried.replace("\n\n|", PROBE.format(callers=callers), 1)


def endpoint_rows() -> list[tuple[str, ...]]:
    """Everything that is declared, and where it takes ids."""
    return [
        (
            name,
            f"`{declared.route.method} {declared.route.template}`"
            if isinstance(declared, Command | Query)
            else "stream",
            declared.allow.value,
            ", ".join(f"`{place.path}`" for place in places(declared)),
        )
        for name, declared in sorted(endpoints().items())
    ]


def main() -> None:
    """Compare, or write; exit code 1 when the document is out of date."""
    with migrated_database() as urls, psycopg.connect(urls.owner) as connection:
        now = report(connection)
    if "--write" in sys.argv[1:]:
        DOCUMENT.write_text(now)
    if not DOCUMENT.exists() or DOCUMENT.read_text() != now:
        sys.exit(
            "docs/security/isolation.md is not what the migrations make: run `make isolation` and read the change."
        )
    print("isolation: docs/security/isolation.md is what the migrations make")


if __name__ == "__main__":
    main()
