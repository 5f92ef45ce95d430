"""The part of the oracle's world that is how people come into a community: invitations, wishes to join, its domains, its
own role, and who may own it next.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from muster.kit.views.tests.oracle_values import BASE, HOSTILE, MOMENTS

Row = dict[str, Any]
T = TypeVar("T")

PORTER = "porter"
"""The slug of the one role that a community made; who has it reads what most may not."""
_OPENS_DOORS = ["member:approve", "member:invite", "member:remove", "tenant:domain", "topic:manage"]


def role_of(chance: random.Random, tenant: UUID) -> Row:
    """The community's own role."""
    return {
        "tenant_id": tenant,
        "id": _id(chance),
        "slug": PORTER,
        "name": chance.choice(HOSTILE),
        "colour": "#336699",
        "base": "participant",
        "additions": _OPENS_DOORS,
        "removals": ["event:create"],
        "created_at": BASE,
        "updated_at": BASE,
    }


def doors_of(
    chance: random.Random, tenant: UUID, group: Sequence[UUID], teams: Sequence[UUID]
) -> Iterator[tuple[str, Row]]:
    """Rows of a community's doors, each with its table."""
    for number in range(12):
        yield from _invitation(chance, tenant, number, group, teams)
    for number, person in enumerate(group[:8]):
        status = ("PENDING", "APPROVED", "REJECTED", "CANCELLED")[number % 4]
        asked = {
            "user_id": person,
            "note": _maybe(chance, chance.choice(HOSTILE)),
            "created_at": chance.choice(MOMENTS),
        }
        decided = {"decided_by": _maybe(chance, group[0]), "decided_at": None if status == "PENDING" else BASE}
        said = {"status": status, "reason": chance.choice(HOSTILE) if status == "REJECTED" else None}
        yield "join_requests", {"tenant_id": tenant, "id": _id(chance), **asked, **decided, **said}
    for number in range(5):
        seen = {name: _maybe(chance, chance.choice(MOMENTS)) for name in ("proven_at", "checked_at", "failing_since")}
        names = {"name": f"{number}.example", "token": chance.choice(HOSTILE), "added_at": chance.choice(MOMENTS)}
        yield "domains", {"tenant_id": tenant, "id": _id(chance), **names, **seen}
    offered = {"user_id": group[4], "made_at": BASE, "expires_at": BASE + timedelta(days=7)}
    yield "ownership_offers", {"tenant_id": tenant, "id": _id(chance), **offered}


def _invitation(
    chance: random.Random, tenant: UUID, number: int, group: Sequence[UUID], teams: Sequence[UUID]
) -> Iterator[tuple[str, Row]]:
    is_mailed, status = number % 3 > 0, chance.choice(("PENDING", "ACCEPTED", "DECLINED", "REVOKED"))
    team = _maybe(chance, chance.choice(teams))
    users = chance.sample(group, k=3) if not is_mailed else []
    invitation = _id(chance)
    yield (
        "invitations",
        {
            "tenant_id": tenant,
            "id": invitation,
            "way": "MAIL" if is_mailed else "LINK",
            "email": f"{number}@example.org" if is_mailed else None,
            "role": "participant",
            "status": status,
            "made_by": chance.choice(group),
            "created_at": chance.choice(MOMENTS),
            "expires_at": BASE,
            "uses": len(users),
            "max_uses": 1 if is_mailed else _maybe(chance, 9),
            "letters": 0,
            "letters_since": BASE,
            "user_id": chance.choice(group) if is_mailed and status == "ACCEPTED" else None,
            "ended_at": None if status == "PENDING" else BASE,
            "team_id": team,
            "team_role": team and "MEMBER",
            "language": _maybe(chance, "pl"),
        },
    )
    for person in users:
        use = {"invitation_id": invitation, "user_id": person, "used_at": chance.choice(MOMENTS)}
        yield "invitation_uses", {"tenant_id": tenant, "id": _id(chance), **use}


def event_offer(chance: random.Random, ids: Row, group: Sequence[UUID]) -> Row:
    """That somebody may own an event next; the offers of some are over. ids: of the community and the event."""
    made_at = chance.choice((BASE, BASE - timedelta(days=10_000)))
    offered = {"user_id": chance.choice(group), "made_at": made_at, "expires_at": made_at + timedelta(days=7)}
    return {**ids, "id": _id(chance), **offered}


def _maybe(chance: random.Random, value: T) -> T | None:
    return value if chance.random() < 0.6 else None


def _id(chance: random.Random) -> UUID:
    return UUID(int=chance.getrandbits(128), version=4)
