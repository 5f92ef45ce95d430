"""Who runs an event."""

from uuid import UUID

from muster.access.roles import EVENT_MODERATE
from muster.events import queries
from muster.events.commands.attend import MembershipNotFound, OwnerStays
from muster.events.commands.finding import is_left_to_do, lock_organised_event
from muster.events.commands.life import NotOwner
from muster.events.facts import EventRoleChanged
from muster.events.limits import EVENT_WRITE
from muster.events.rules import Deed
from muster.events.tables import EventMemberRole, EventMemberStatus
from muster.events.views import EventMemberView
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict, Invalid


class NotSeated(Conflict):
    """A role is for who has a place in the event."""

    code = "NOT_SEATED"


@command("PUT /events/{event_id}/members/{user_id}/role", "updateMemberRole", allow=member, limit=EVENT_WRITE)
async def update_member_role(ctx: Ctx, *, event_id: UUID, user_id: UUID, role: EventMemberRole) -> EventMemberView:
    """Make a member a moderator of the event, or a participant again.

    Raises EventNotFound, NotOrganiser, NotOwner, Invalid, MembershipNotFound, OwnerStays, NotSeated, EventIsCancelled.
    """
    event, own = await lock_organised_event(ctx, event_id)
    if own.role != EventMemberRole.OWNER and not ctx.may(EVENT_MODERATE):
        raise NotOwner
    if role == EventMemberRole.OWNER:
        raise Invalid.field("role", "an event has one owner; make them MODERATOR or PARTICIPANT")
    target = await queries.standing(ctx, event_id, user_id)
    if target is None or target.member_id is None:
        raise MembershipNotFound
    if target.role == EventMemberRole.OWNER:
        raise OwnerStays
    is_left_to_do(ctx, event, Deed.CHANGE_ROLE)
    if target.status != EventMemberStatus.JOINED:
        raise NotSeated
    if target.role != role:
        await queries.put_role(ctx, member_id=target.member_id, role=role)
        ctx.record(EventRoleChanged(event_id=event_id, user_id=user_id, member_id=target.member_id, role=role))
    return EventMemberView.ref(target.member_id)
