"""Decisions of teams: who may do what in one, and who owns it next."""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum, auto
from typing import NamedTuple
from uuid import UUID

from muster.tenancy.teams.tables import TeamRole

MANAGERS = ("owner", "admin", "moderator")
"""The built-in roles of a community that manage its teams.

What roles give is code, in `access`; a test compares. It stands here too, since who sees a team is asked in SQL.
"""


class Deed(Enum):
    """What is done to a team. PEOPLE: inviting, deciding who comes in, removing, and giving roles."""

    PEOPLE = auto()
    EDIT = auto()
    DELETE = auto()


RIGHTS: dict[TeamRole, frozenset[Deed]] = {
    TeamRole.OWNER: frozenset(Deed),
    TeamRole.ADMIN: frozenset({Deed.PEOPLE, Deed.EDIT}),
    TeamRole.MEMBER: frozenset(),
    TeamRole.VIEWER: frozenset(),
}
"""Who may do what in a team. Whoever manages teams of the community may do in each what its owner may."""

_ORDER = (TeamRole.VIEWER, TeamRole.MEMBER, TeamRole.ADMIN, TeamRole.OWNER)


def rank(role: TeamRole) -> int:
    """How high a role is: nobody gives, takes or removes one that is higher than their own."""
    return _ORDER.index(role)


def power(role: TeamRole | None, *, manages: bool) -> TeamRole | None:
    """As what somebody with a role in a team, or none, acts there; None is as nobody."""
    return TeamRole.OWNER if manages else role


def may(role: TeamRole | None, deed: Deed) -> bool:
    """Whether who acts as this may do a deed."""
    return role is not None and deed in RIGHTS[role]


class Seat(NamedTuple):
    """Somebody's place in a team."""

    user_id: UUID
    role: TeamRole
    joined_at: datetime


def heir(left: Iterable[Seat]) -> UUID | None:
    """Who owns a team when its last owner is gone: the highest of who is left, and of those who came first.

    None where an owner is left, or nobody is.
    """
    seats = sorted(left, key=lambda seat: (-rank(seat.role), seat.joined_at, seat.user_id))
    return seats[0].user_id if seats and seats[0].role != TeamRole.OWNER else None
