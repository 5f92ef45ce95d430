"""The part of the oracle that knows categories and tags."""

import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from muster.kit.views.tests.oracle_values import BASE, CIRCLES, HOSTILE, SEARCHES, WORDS

Row = dict[str, Any]


def topic_rows(chance: random.Random, tenant: UUID) -> Iterator[Row]:
    """Categories and tags in turns; a search may mean the slug or one of the names."""
    for number in range(6):
        yield {
            "tenant_id": tenant,
            "id": UUID(int=chance.getrandbits(128), version=4),
            "kind": ("CATEGORY", "TAG")[number % 2],
            "slug": SEARCHES[number],
            "names": Jsonb({"en": chance.choice(HOSTILE), "pl": chance.choice(WORDS)}),
            "created_at": BASE,
            "updated_at": BASE,
        }


def cities_of(chance: random.Random) -> Iterator[Row]:
    """Cities in the middle of the circles that are asked for."""
    for number, (latitude, longitude, _) in enumerate(CIRCLES):
        yield {
            "id": UUID(int=chance.getrandbits(128), version=4),
            "name": HOSTILE[number],
            "country": chance.choice(("PL", "DE")),
            "population": number // 2,
            "latitude": latitude,
            "longitude": longitude,
            "timezone": chance.choice((None, "Europe/Warsaw")),
            "keys": [WORDS[number % len(WORDS)].lower()],
            "search": "picnic" if number % 2 else "krakow",
            "edition": "T",
        }


def slugs_held(topics: Mapping[UUID, Row], held: Iterable[Row], events: Iterable[UUID]) -> dict[UUID, list[str]]:
    """The slugs of each event's categories."""
    found: dict[UUID, list[str]] = {each: [] for each in events}
    for row in held:
        found[row["event_id"]].append(topics[row["topic_id"]]["slug"])
    return found
