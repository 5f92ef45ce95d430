"""What searches find in the oracle's world: asked of PostgreSQL once, without finders, isolation or the compiler."""

from typing import Any
from uuid import UUID

import psycopg

Circle = tuple[float, float, float]
"""Latitude, longitude and kilometres."""


def ranks_of(connection: psycopg.Connection[Any], words: str) -> dict[UUID, float]:
    """How well whatever holds the words matches them."""
    found = connection.execute(
        "with said as (select tenant_id, id, ts_rank(search, websearch_to_tsquery('folded', %(words)s)) as rank, "
        "visibility = 'PUBLIC' and status in ('PUBLISHED', 'CANCELLED') as is_public from events "
        "where search @@ websearch_to_tsquery('folded', %(words)s)) "
        "select id, rank::double precision from said "
        "union all select id, word_similarity(lower(%(words)s), lower(title)) from events as e "
        "where not exists (select from said where said.tenant_id = e.tenant_id and is_public) "
        "and id not in (select id from said) and length(%(words)s) between 4 and 100 "
        "and word_similarity(lower(%(words)s), lower(title)) >= 0.5 "
        "union all select t.id, ts_rank(t.search, prefix) from topics t, "
        "lateral (select (nullif(websearch_to_tsquery('folded', %(words)s)::text, '') || ':*')::tsquery) as q (prefix) "
        "where t.search @@ prefix "
        "union all select c.id, (c.population + 1) * case when c.keys[1] = folded then 1000 "
        "when folded = any (c.keys) or starts_with(c.keys[1], folded) then 100 else 1 end from cities c, "
        "lateral (select (nullif(websearch_to_tsquery('folded', %(words)s)::text, '') || ':*')::tsquery, "
        "lower(unaccent(btrim(%(words)s)))) as q (prefix, folded) where c.search @@ prefix "
        "union all select m.id, ts_rank(to_tsvector('simple', u.name), websearch_to_tsquery('simple', %(words)s)) "
        "from members m join users u on u.id = m.user_id "
        "where to_tsvector('simple', u.name) @@ websearch_to_tsquery('simple', %(words)s)",
        {"words": words},
    )
    return dict(found.fetchall())


def distances_of(connection: psycopg.Connection[Any], circle: Circle) -> dict[UUID, float]:
    """How far from the middle the events within a circle are."""
    distance = "kilometres_between(%(latitude)s, %(longitude)s, shown_latitude, shown_longitude)"
    found = connection.execute(
        f"select id, {distance} from events where {distance} <= %(radius)s".encode(),  # noqa: S608 - our own text
        dict(zip(("latitude", "longitude", "radius"), circle, strict=True)),
    )
    return dict(found.fetchall())
