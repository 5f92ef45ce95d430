"""The rows that everything is measured on: made once, kept as a template, cloned for each run."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
from psycopg import sql

from muster.kit.db.embedded import EmbeddedPostgres
from muster.kit.db.migrate import MIGRATIONS, Urls, embedded_urls, grant_connect, migrate, provision

Say = Callable[[str], None]
"""Tells people how far it is."""

SETTLED = 1_000
"""The first events by their start stay as they are; joins go to later ones."""

# Starts lie far ahead, so that a kept template does not age. `:people` and the like are numbers of the scale.
_STEPS = {
    "people": """
insert into users (id, name, email, created_at, verified_at)
select uuidv7(), 'Person ' || n, 'person' || n || '@bench.invalid', now(), now() from generate_series(1, :people) as n;
insert into members (tenant_id, id, user_id, role, status, joined_at)
select t.id, uuidv7(), u.id, 'participant', 'ACTIVE', now() from users as u, tenants as t
 where t.is_default and u.email like 'person%@bench.invalid';
create temporary table numbered as
select user_id, row_number() over (order by user_id) - 1 as place from members;
create index on numbered (place);
""",
    "events": """
insert into events (tenant_id, id, owner_id, title, description, starts_at, ends_at, timezone, meeting_kind, address,
                    latitude, longitude, join_mode, mode, min, visibility, status, published_at, joined_count,
                    last_queue_number, created_at, version, updated_at, city, country)
select t.id, uuidv7(), p.user_id, 'Evening ' || n || ' of ' || (array['chess', 'music', 'code', 'hiking'])[n % 4 + 1],
       'We meet, talk and play; bring a friend. topic' || n % 200 || ' level' || n % 7,
       '2040-01-01'::timestamptz + n * interval '1 hour', '2040-01-01'::timestamptz + (n + 2) * interval '1 hour',
       'Europe/Warsaw', 'ONSITE', 'Street ' || n, 45 + (n * 7919 % 10000) / 1000.0, 5 + (n * 104729 % 20000) / 1000.0,
       'OPEN', 'CUSTOM', 1, case n % 20 when 19 then 'HIDDEN' else 'PUBLIC' end, 'PUBLISHED', now(), :each - 1, 0, now(), 1,
       now(), (array['Warsaw', 'Vienna', 'Prague'])[n % 3 + 1], (array['Poland', 'Austria', 'Czechia'])[n % 3 + 1]
  from generate_series(1, :events) as n
  join numbered as p on p.place = n * 31 % :people join tenants as t on t.is_default;
insert into event_tags (tenant_id, id, event_id, tag)
select tenant_id, uuidv7(), id, unnest(array['bench', city_key]) from events;
""",
    "rooms": """
insert into rooms (tenant_id, id, last_sequence) select tenant_id, id, :each from events;
""",
    "memberships": """
insert into event_members (tenant_id, id, event_id, user_id, role, status, asked_at, joined_at)
select e.tenant_id, uuidv7(), e.id, p.user_id, 'PARTICIPANT', case n when 7 then 'LEFT' else 'JOINED' end,
       now() + n * interval '1 second', now() + n * interval '1 second'
  from (select *, row_number() over (order by starts_at) as number from events) as e
 cross join generate_series(1, :each) as n join numbered as p on p.place = (e.number * 31 + n) % :people;
insert into room_seats (tenant_id, id, room_id, user_id, read_sequence, told_sequence)
select tenant_id, uuidv7(), event_id, user_id, 0, 0 from event_members where status = 'JOINED';
""",
    "messages": """
insert into messages (tenant_id, id, room_id, sequence, author_id, content, created_at)
select tenant_id, uuidv7(), event_id, row_number() over (partition by event_id order by id), user_id,
       'I will be there a little later, see you', now()
  from event_members;
""",
}


@dataclass(frozen=True)
class Scale:
    """How many rows. each: memberships and messages of an event."""

    people: int = 20_000
    events: int = 10_000
    each: int = 20

    def fill(self, script: str) -> str:
        """A step's SQL with these numbers."""
        for name in ("people", "events", "each"):
            script = script.replace(f":{name}", str(getattr(self, name)))
        return script


@dataclass(frozen=True)
class Sample:
    """Ids that requests ask for, in the order of the events' start.

    settled: events that stay as they are. open: events that anybody may join.
    """

    tenant: UUID
    settled: tuple[UUID, ...]
    open: tuple[UUID, ...]


def template(server: EmbeddedPostgres, scale: Scale, say: Say) -> str:
    """The name of a database filled to scale; made when migrations, rows or numbers have changed."""
    parts = [repr(scale), *_STEPS.values(), *(path.read_text() for path in sorted(MIGRATIONS.glob("versions/*.py")))]
    name = f"bench_{hashlib.sha256(''.join(parts).encode()).hexdigest()[:12]}"
    with psycopg.connect(server.superuser_url(), autocommit=True) as connection:
        found = connection.execute("select datname from pg_database where datname like 'bench\\_%'").fetchall()
        for (old,) in found:
            if old != name:
                connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(old)))
        if (name,) not in found:
            draft = "benchdraft"
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(draft)))
            fill(provision(server, database=draft), server.superuser_url(draft), scale, say)
            rename = sql.SQL("alter database {} rename to {}")
            connection.execute(rename.format(sql.Identifier(draft), sql.Identifier(name)))
    return name


def fill(urls: Urls, superuser_url: str, scale: Scale, say: Say) -> None:
    """Migrate a database and put the rows in, by way of the owner's maintenance; then gather statistics."""
    say("migrations")
    migrate(urls)
    with psycopg.connect(urls.owner, options="-c muster.maintenance=on") as connection:
        for name, script in _STEPS.items():
            say(name)
            connection.execute(scale.fill(script).encode())
    say("statistics")
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("vacuum (analyze)")


@contextmanager
def clone(server: EmbeddedPostgres, template_name: str, name: str = "muster") -> Iterator[Urls]:
    """A fresh copy of the template, dropped at the end."""
    urls = embedded_urls(server, database=name)
    roles = urls.roles()
    names = [sql.Identifier(each) for each in (name, template_name, roles.owner)]
    drop = sql.SQL("drop database if exists {} with (force)").format(names[0])
    with psycopg.connect(server.superuser_url(), autocommit=True) as connection:
        connection.execute(drop)
        connection.execute(sql.SQL("create database {} template {} owner {} strategy file_copy").format(*names))
        try:
            grant_connect(connection, name, roles)
            yield urls
        finally:
            connection.execute(drop)


def sample(urls: Urls) -> Sample:
    """What a filled database holds."""
    with psycopg.connect(urls.owner, options="-c muster.maintenance=on") as connection:
        row = connection.execute("select id from tenants where is_default").fetchone()
        public = "select id from events where visibility = 'PUBLIC' order by starts_at, id"
        events = [each for (each,) in connection.execute(public).fetchall()]
    if row is None:
        raise LookupError("the database has no default community")
    settled = min(SETTLED, len(events) // 2)
    return Sample(row[0], tuple(events[:settled]), tuple(events[settled:]))


def work_folder(data_dir: Path) -> Path:
    """Where the benchmarks keep their database and the peer's packages between runs."""
    folder = data_dir / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
