"""Who may do what in an event: one table for every verb."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from muster.events.rules.joining import MemberDeed
from muster.events.rules.life import Deed
from muster.events.tables import EventMemberRole, EventMemberStatus

ORGANISERS = (EventMemberRole.OWNER, EventMemberRole.MODERATOR)


class Who(StrEnum):
    """As what somebody acts: by their role in the event, or by what the community lets them do with every event."""

    OWNER = "OWNER"
    MODERATOR = "MODERATOR"
    PARTICIPANT = "PARTICIPANT"
    COMMUNITY_MODERATOR = "COMMUNITY_MODERATOR"
    COMMUNITY_ADMIN = "COMMUNITY_ADMIN"


_OWNER = frozenset({Who.OWNER})
_OWNERS = _OWNER | {Who.COMMUNITY_ADMIN}
_ADMINS = frozenset({Who.COMMUNITY_ADMIN})
_RUN_BY = frozenset({Who.OWNER, Who.MODERATOR, Who.COMMUNITY_MODERATOR, Who.COMMUNITY_ADMIN})

MAY: Mapping[Deed | MemberDeed, frozenset[Who]] = {
    Deed.UPDATE: _RUN_BY,
    Deed.PUBLISH: _RUN_BY,
    Deed.SCHEDULE: _RUN_BY,
    Deed.UNPUBLISH: _RUN_BY,
    Deed.CANCEL: _RUN_BY,
    Deed.DELETE: _OWNERS,
    Deed.RESTORE: _ADMINS,
    MemberDeed.INVITE: _RUN_BY,
    MemberDeed.UNINVITE: _RUN_BY,
    MemberDeed.APPROVE: _RUN_BY,
    MemberDeed.REJECT: _RUN_BY,
    MemberDeed.PROMOTE: _RUN_BY,
    MemberDeed.KICK: _RUN_BY,
    MemberDeed.BAN: _RUN_BY,
    MemberDeed.UNBAN: _RUN_BY,
    MemberDeed.ADMIT: _ADMINS,
    Deed.CHANGE_ROLE: _OWNERS,
    Deed.ANNOUNCE: _RUN_BY,
    Deed.CHECK_IN: _RUN_BY,
    Deed.ADVERTISE: _RUN_BY,
    Deed.OFFER_OWNERSHIP: _OWNER,
    Deed.CHANGE_OWNER: _ADMINS,
    Deed.MODERATE_ROOM: _RUN_BY,
}
"""Who may do what to an event, and with the memberships of others. Joining and leaving are not here: whoever sees an event does that for themselves."""


def is_organiser(role: EventMemberRole | None, status: EventMemberStatus | None) -> bool:
    """Whether somebody runs the event. A role counts only while its membership is JOINED."""
    return status == EventMemberStatus.JOINED and role in ORGANISERS


def acts_as(
    role: EventMemberRole | None, status: EventMemberStatus | None, *, moderates: bool, manages: bool
) -> frozenset[Who]:
    """As what somebody acts at an event; a role in it counts only while its membership is JOINED.

    moderates, manages: whether they hold `event:moderate` and `event:manage` in the community.
    """
    own = {Who(role)} if role is not None and status == EventMemberStatus.JOINED else set()
    by_community = {Who.COMMUNITY_MODERATOR: moderates, Who.COMMUNITY_ADMIN: manages}
    return frozenset(own | {who for who, holds in by_community.items() if holds})


def may(deed: Deed | MemberDeed, as_what: Collection[Who]) -> bool:
    """Whether somebody who acts as all of these may do it."""
    return not MAY[deed].isdisjoint(as_what)
