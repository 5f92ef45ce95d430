"""What people of the oracle's world tell of themselves, and what they are to each other."""

import itertools
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from muster.kit.views.tests.oracle_values import BASE, HOSTILE, MOMENTS
from muster.profiles.tables import AUDIENCES, Disclosure

Told = Iterator[tuple[str, dict[str, Any]]]
"""Rows, each with its table."""


def told_of(chance: random.Random, people: Sequence[UUID]) -> Told:
    """Rows of profiles and of all that belongs to them, the same ones for the same state of `chance`."""
    for number, person in enumerate(people):
        yield "profiles", _profile(chance, person, number)
        yield from _names(chance, person, number)
        if chance.random() < 0.6:
            yield "profile_views", {"id": person, "count": chance.randint(0, 9)}
        if chance.random() < 0.6:
            yield "sightings", {"id": person, "seen_at": chance.choice(MOMENTS)}
        yield "exports", _export(chance, person)
    for number, (person, other) in enumerate(itertools.permutations(people, 2)):
        for kind in chance.sample(("STAR", "FOLLOW"), k=chance.choice((0, 0, 0, 1, 2))):
            yield "ties", {"from_id": person, "to_id": other, "kind": kind, **_made(chance)}
        if number % 11 == 0:
            yield "blocks", {"user_id": person, "blocked_id": other, **_made(chance)}


def _profile(chance: random.Random, person: UUID, number: int) -> dict[str, Any]:
    pick, has_point = chance.choice, chance.random() < 0.7
    told: dict[str, Any] = {"id": person, "version": number + 1, "updated_at": pick((None, *MOMENTS))}
    told |= {name: pick((None, *HOSTILE)) for name in ("bio_short", "bio_long", "city", "country")}
    for name in ("languages", "interests", "links", "skills", "availability"):
        told[name] = chance.sample(HOSTILE, k=pick((0, 1, 3)))
    told |= {name: Jsonb([{pick(HOSTILE): None}] * pick((0, 1, 2))) for name in ("education", "experience")}
    told |= {f"{name}_for": pick(("EVERYONE", "MEMBERS", "SELF")) for name in AUDIENCES}
    told |= {
        name: pick((True, False))
        for name in ("is_public", "is_indexed", "counts_views", "keeps_last_seen", "local_push_consent")
    }
    told |= {f"default_{name}_visibility": pick((*Disclosure,)) for name in ("address", "members")}
    told["latitude"] = pick((50.06, -33.87, 89.99)) if has_point else None
    told["longitude"] = pick((19.94, 151.21, -179.96)) if has_point else None
    return told


def _export(chance: random.Random, person: UUID) -> dict[str, Any]:
    ready = {name: chance.choice((None, BASE)) for name in ("ready_at", "expires_at")}
    made = {"id": _id(chance), "user_id": person, "asked_at": BASE, "path": chance.choice(HOSTILE), **ready}
    return made | {"status": chance.choice(("MAKING", "READY", "GONE")), "progress": chance.randint(0, 100)}


def _names(chance: random.Random, person: UUID, number: int) -> Told:
    """Perhaps a name in use, and perhaps some that were given up: lately, and long ago."""
    for word, days in (("now", None), ("lately", 1), ("long-ago", 100)):
        if chance.random() < 0.7:
            given_up_at = None if days is None else datetime.now(UTC) - timedelta(days=days)
            name = {"id": _id(chance), "user_id": person, "name": f"{word}{number}", "taken_at": BASE}
            yield "usernames", name | {"given_up_at": given_up_at}


def _made(chance: random.Random) -> dict[str, Any]:
    return {"id": _id(chance), "created_at": chance.choice(MOMENTS)}


def _id(chance: random.Random) -> UUID:
    return UUID(int=chance.getrandbits(128), version=4)
