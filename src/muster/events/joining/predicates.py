"""The rules of joining as SQL, for reads. `rules/joining.py` says the same to commands; a test compares the two."""

from typing import Any

from sqlalchemy import ColumnElement, and_, case, false, literal_column, not_, or_, true
from sqlalchemy.types import Interval

from muster.events.predicates import standing
from muster.events.rules import MEMBERSHIPS, SHOWN, SHUTS, JoinLock, MemberDeed, Step
from muster.events.tables import Event, EventMemberRole, EventMemberStatus, EventStatus, JoinMode
from muster.identity.predicates import has_blocked
from muster.kit.views.view import Viewer

_MINUTE: ColumnElement[Any] = literal_column("interval '1 minute'", Interval())


def _locks(event: Any, viewer: Viewer) -> dict[JoinLock, ColumnElement[bool]]:
    """When each lock is on. None of the conditions is ever NULL, so that they can be denied."""
    start, now = event.starts_at, viewer.now
    opens, cutoff = event.join_opens_minutes_before_start, event.join_cutoff_minutes_before_start
    late_cutoff = event.late_join_cutoff_minutes_after_start
    is_early = and_(opens.is_not(None), now < start - opens * _MINUTE)
    return {
        JoinLock.DELETED: event.status == EventStatus.DELETED,
        JoinLock.CANCELED: event.status == EventStatus.CANCELLED,
        JoinLock.ENDED: and_(event.status == EventStatus.PUBLISHED, now >= event.ends_at),
        JoinLock.FULL: and_(event.max.is_not(None), event.joined_count + event.held_count >= event.max),
        # To whom the owner has blocked, the event looks closed by hand.
        JoinLock.MANUAL: or_(event.join_closed_at.is_not(None), has_blocked(event.owner_id, viewer.user_id)),
        JoinLock.INVITE_ONLY: event.join_mode == JoinMode.INVITE_ONLY,
        JoinLock.NOT_OPEN_YET: or_(event.status.not_in(SHOWN), is_early),
        JoinLock.CUTOFF: and_(cutoff.is_not(None), now < start, now >= start - cutoff * _MINUTE),
        JoinLock.NO_LATE_JOIN: and_(now >= start, not_(event.allow_join_late)),
        JoinLock.LATE_CUTOFF: and_(late_cutoff.is_not(None), now >= start, now >= start + late_cutoff * _MINUTE),
    }


def lock_reason(event: type[Event], viewer: Viewer) -> ColumnElement[JoinLock | None]:
    """The first lock that is on; NULL for none."""
    locks = _locks(event, viewer)
    return case(*((locks[each], each.value) for each in JoinLock))


def can_join(event: type[Event], viewer: Viewer) -> ColumnElement[bool]:
    """Whether the viewer would come in by joining: to a place, to a turn in the queue, or with a request.

    A visitor is told what anybody new would be.
    """
    locks = _locks(event, viewer)
    is_public = not_(locks[JoinLock.INVITE_ONLY])
    shut = or_(*(locks[each] for each in JoinLock if each in SHUTS[MemberDeed.ACCEPT]))
    said: dict[Any, ColumnElement[bool]] = {
        Step.ENTER: is_public,
        Step.AGAIN: and_(event.may_ask_again, is_public),
    }
    by_standing = {
        status.value: said.get(outcome, false())
        for status, outcome in MEMBERSHIPS[MemberDeed.JOIN].items()
        if status is not None
    }
    by_standing[EventMemberStatus.INVITED.value] = true()
    by_standing[EventMemberStatus.PENDING.value] = event.join_mode == JoinMode.OPEN
    # Who has a place stands by their role.
    by_standing |= dict.fromkeys(
        [role.value for role in EventMemberRole], by_standing.pop(EventMemberStatus.JOINED.value)
    )
    return and_(not_(shut), case(by_standing, value=standing(event.id, viewer), else_=is_public))
