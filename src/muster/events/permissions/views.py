"""What the viewer may do with an event, by the tables that the verbs ask (`rules/roles.py`, `rules/life.py`)."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, case, func, literal, not_, null, or_, select
from sqlalchemy.dialects.postgresql import array

from muster.access.predicates import holds
from muster.access.roles import EVENT_MANAGE, EVENT_MODERATE
from muster.events.predicates import event_visible, runs
from muster.events.rules import COOLING, LIFE, MAY, Deed, MemberDeed, Phase, Ruling, Who
from muster.events.sharing.tables import EventShare
from muster.events.tables import Event, EventMember, EventMemberRole, EventMemberStatus, EventStatus
from muster.kit.caller import member
from muster.kit.db.tables import Json, once_more
from muster.kit.views.query import query
from muster.kit.views.view import View, Viewer, sql

REFUSALS: Mapping[Ruling, str] = MappingProxyType(
    {
        Ruling.NOT_PUBLISHED: "NOT_PUBLISHED",
        Ruling.PUBLISHED: "ALREADY_PUBLISHED",
        Ruling.OVER: "EVENT_OVER",
        Ruling.CANCELLED: "EVENT_CANCELLED",
        Ruling.DONE: "IS_SO_ALREADY",
    }
)
"""How each ruling is told: the codes with which the verbs refuse, and one of our own for what would change nothing."""


def _acts_as(event: Any, viewer: Viewer) -> dict[Who, ColumnElement[bool]]:
    mine = once_more(EventMember)

    def is_role(role: EventMemberRole) -> ColumnElement[bool]:
        own = (mine.event_id == event.id, mine.user_id == viewer.user_id, mine.status == EventMemberStatus.JOINED)
        return select(mine.id).where(*own, mine.role == role).exists()

    return {
        **{Who(role): is_role(role) for role in EventMemberRole},
        Who.COMMUNITY_MODERATOR: holds(viewer, EVENT_MODERATE),
        Who.COMMUNITY_ADMIN: holds(viewer, EVENT_MANAGE),
    }


def roles_of(event: type[Event], viewer: Viewer) -> ColumnElement[list[str]]:
    """As what the viewer acts, in the order of `Who`."""
    held: list[ColumnElement[Any]] = [
        case((is_it, who.value), else_=null()) for who, is_it in _acts_as(event, viewer).items()
    ]
    return func.array_remove(array[Any](held, type_=Text()), null())


def deeds_of(event: type[Event], viewer: Viewer) -> ColumnElement[Any]:
    """Each deed with why the viewer may not do it now; null where they may."""
    as_what = _acts_as(event, viewer)
    told = ((literal(deed.value, Text(), literal_execute=True), _refusal(event, viewer, deed, as_what)) for deed in MAY)
    return func.json_build_object(*(part for pair in told for part in pair))


def _refusal(
    event: Any, viewer: Viewer, deed: Deed | MemberDeed, as_what: Mapping[Who, ColumnElement[bool]]
) -> ColumnElement[str | None]:
    def may(what: Deed | MemberDeed) -> ColumnElement[bool]:
        return or_(*(as_what[who] for who in sorted(MAY[what])))

    by_role = case((may(Deed.UPDATE), "NOT_OWNER"), else_="NOT_ORGANISER")
    return case((not_(may(deed)), by_role), else_=_ruling(event, viewer, deed, as_what[Who.COMMUNITY_ADMIN]))


def _ruling(event: Any, viewer: Viewer, deed: Deed | MemberDeed, manages: ColumnElement[bool]) -> Any:
    """What the life of the event says of a deed of who may do it; null where nothing stands against it."""
    is_over = and_(event.status == EventStatus.PUBLISHED, event.ends_at <= viewer.now)
    if deed == Deed.DELETE:
        return _against_deletion(event, viewer, is_over, manages)
    if deed == Deed.RESTORE:
        return case((event.status != EventStatus.CANCELLED, "IS_SO_ALREADY"), else_=null())
    life = LIFE[deed] if isinstance(deed, Deed) else {}
    said = {where: REFUSALS[ruling] for where, ruling in life.items() if ruling != Ruling.DO}
    if not said:
        return null()
    phase = case((is_over, Phase.OVER.value), else_=event.status)
    return case({where.value: code for where, code in said.items()}, value=phase, else_=null())


def _against_deletion(event: Any, viewer: Viewer, is_over: ColumnElement[bool], manages: ColumnElement[bool]) -> Any:
    """`rules.decide_deletion` as SQL."""
    others = once_more(EventMember)
    had = select(others.id).where(others.event_id == event.id, others.role != EventMemberRole.OWNER).exists()
    unseen = event.status.in_((EventStatus.DRAFT, EventStatus.SCHEDULED))
    return case(
        (or_(unseen, not_(had), manages), null()),
        (is_over, "EVENT_OVER"),
        (event.status != EventStatus.CANCELLED, "CANCEL_FIRST"),
        (event.cancelled_at > viewer.now - COOLING, "DELETED_TOO_SOON"),
        else_=null(),
    )


def shared_at(event: type[Event], viewer: Viewer) -> ColumnElement[Any]:
    """Since when the event has the share link that it has, for who runs it."""
    share = once_more(EventShare)
    return select(share.created_at).where(share.event_id == event.id, runs(event.id, viewer)).scalar_subquery()


class EventPermissionsView(View, of=Event):
    """What the viewer may do with an event now.

    roles: as what they act, `OWNER`, `MODERATOR`, `PARTICIPANT` while they have a place, `COMMUNITY_MODERATOR` and
    `COMMUNITY_ADMIN` by their role in the community. deeds: an object with every deed, each null where they may, or the
    code of why not; `IS_SO_ALREADY` where it would change nothing. What a deed asks of its object besides, such as of the
    membership that it moves, is told when it is tried. shared_at: since when the event has its share link; null without
    one, and for who does not run it.
    """

    visible = event_visible
    example = {"roles": ["OWNER"], "deeds": {"UPDATE": None, "PUBLISH": "ALREADY_PUBLISHED"}, "sharedAt": None}

    id: UUID
    roles: list[str] = sql(roles_of)
    deeds: Json = sql(deeds_of)
    shared_at: datetime | None = sql(shared_at)


@query("GET /events/{id}/permissions", "eventPermissions", allow=member)
def event_permissions(id: UUID) -> EventPermissionsView | None:
    """What the caller may do with an event now, and why not what they may not."""
