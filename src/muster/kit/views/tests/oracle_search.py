"""What searches find in the oracle's world: asked of PostgreSQL once, without finders, isolation or the compiler."""

from typing import Any
from uuid import UUID

import psycopg

Circle = tuple[float, float, float]
"""Latitude, longitude and kilometres."""


_SAID = """
select id, ts_rank(search, query)::double precision, tenant_id,
       visibility = 'PUBLIC' and status in ('PUBLISHED', 'CANCELLED')
  from events, to_tsquery('simple', %(query)s) as query where search @@ query and tenant_id = any (%(tenants)s)
"""
_OTHERS = """
select t.id, ts_rank(t.search, prefix)::double precision from topics t,
       lateral (select (nullif(websearch_to_tsquery('folded', %(words)s)::text, '') || ':*')::tsquery) as q (prefix)
 where t.search @@ prefix
union all
select c.id, (c.population + 1) * case when c.keys[1] = folded then 1000
         when folded = any (c.keys) or starts_with(c.keys[1], folded) then 100 else 1 end
  from cities c,
       lateral (select (nullif(websearch_to_tsquery('folded', %(words)s)::text, '') || ':*')::tsquery,
                       lower(unaccent(btrim(%(words)s)))) as q (prefix, folded)
 where c.search @@ prefix
union all
select m.id, ts_rank(to_tsvector('simple', u.name), websearch_to_tsquery('simple', %(words)s))
  from members m join users u on u.id = m.user_id
 where to_tsvector('simple', u.name) @@ websearch_to_tsquery('simple', %(words)s)
"""
_TITLE_WORDS = """
insert into event_title_words (tenant_id, id, word, events)
select tenant_id, gen_random_uuid(), word, count(*) from events, unnest(title_words(title)) as word
 where visibility = 'PUBLIC' and status in ('PUBLISHED', 'CANCELLED') group by tenant_id, word
"""
_SIMILAR = """
select word from event_title_words where tenant_id = %s and similarity(word, %s) >= 0.25
 order by word <> %s, similarity(word, %s) desc, events desc, word limit 1
"""


def know_title_words(connection: psycopg.Connection[Any]) -> None:
    """Fill the table of words, as the worker does."""
    connection.execute(_TITLE_WORDS)


def ranks_of(connection: psycopg.Connection[Any], words: str) -> dict[UUID, float]:
    """How well whatever holds the words matches them; in communities where nobody finds any, the words they spell."""
    typed = connection.execute("select websearch_to_tsquery('folded', %s)::text", [words]).fetchone()
    tenants = [tenant for (tenant,) in connection.execute("select id from tenants")]
    said = connection.execute(_SAID, {"query": typed and typed[0], "tenants": tenants}).fetchall()
    ranks: dict[UUID, float] = dict(connection.execute(_OTHERS, {"words": words}).fetchall())
    for tenant in set(tenants) - {tenant for _, _, tenant, is_public in said if is_public}:
        meant = _spelled(connection, tenant, words, typed[0] if typed else "")
        if meant is not None:
            found = connection.execute(_SAID, {"query": meant, "tenants": [tenant]})
            ranks |= {event: rank for event, rank, *_ in found}
    return ranks | {event: rank for event, rank, *_ in said}


def _spelled(connection: psycopg.Connection[Any], tenant: UUID, words: str, typed: str) -> str | None:
    if not 4 <= len(words) <= 100 or set(typed) & {"!", "|"}:
        return None
    meant = []
    for (lexeme,) in connection.execute("select lexeme from unnest(to_tsvector('folded', %s))", [words]).fetchall():
        if not any(map(str.isalpha, lexeme)) or not 3 <= len(lexeme) <= 60:
            meant.append(lexeme)
        elif (row := connection.execute(_SIMILAR, [tenant, *[lexeme] * 3]).fetchone()) is not None:
            meant.append(row[0])
        else:
            return None
    return " & ".join("'" + each.replace("'", "''") + "'" for each in meant) if 0 < len(meant) <= 8 else None


def distances_of(connection: psycopg.Connection[Any], circle: Circle) -> dict[UUID, float]:
    """How far from the middle the events within a circle are."""
    distance = "kilometres_between(%(latitude)s, %(longitude)s, shown_latitude, shown_longitude)"
    found = connection.execute(
        f"select id, {distance} from events where {distance} <= %(radius)s".encode(),  # noqa: S608 - our own text
        dict(zip(("latitude", "longitude", "radius"), circle, strict=True)),
    )
    return dict(found.fetchall())
