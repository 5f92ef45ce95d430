"""What people are told of requests and bans, in the product and by mail."""

from muster.events import queries
from muster.events.facts import EventApproved, EventBanned, EventRejected, EventRequested, EventUnbanned
from muster.events.joining.letters import ApprovedMail, BannedMail, RejectedMail, RequestedMail, UnbannedMail
from muster.events.views import EventMemberView, EventView
from muster.kit.commands.context import Ctx
from muster.notifications import commands as notifications


async def tell_organisers_of_request(ctx: Ctx, fact: EventRequested) -> None:
    """Tell who runs the event that somebody wants to be let in."""
    data = {"eventId": fact.event_id, "userId": fact.user_id}
    about, mail = EventMemberView.ref(fact.member_id), RequestedMail(event_id=fact.event_id, user_id=fact.user_id)
    for user_id in await queries.organisers_of(ctx, fact.event_id):
        await notifications.tell(ctx, user_id=user_id, kind="JOIN_REQUEST", data=data, about=about, mail=mail)


async def tell_approved(ctx: Ctx, fact: EventApproved) -> None:
    """Tell who asked that they are let in, be it to wait."""
    data = {"eventId": fact.event_id, "isSeated": fact.is_seated}
    about, mail = EventMemberView.ref(fact.member_id), ApprovedMail(event_id=fact.event_id)
    kind = "EVENT_MEMBERSHIP_APPROVED"
    await notifications.tell(ctx, user_id=fact.user_id, kind=kind, data=data, about=about, mail=mail)


async def tell_rejected(ctx: Ctx, fact: EventRejected) -> None:
    """Tell who asked that they are not let in, and why if the organisers say so."""
    about, mail = EventMemberView.ref(fact.member_id), RejectedMail(event_id=fact.event_id)
    kind, data = "EVENT_MEMBERSHIP_REJECTED", {"eventId": fact.event_id}
    await notifications.tell(ctx, user_id=fact.user_id, kind=kind, data=data, about=about, mail=mail)


async def tell_banned(ctx: Ctx, fact: EventBanned) -> None:
    """Tell who was banned; the note about it is for the organisers."""
    about, mail = EventView.ref(fact.event_id), BannedMail(event_id=fact.event_id)
    data = {"eventId": fact.event_id}
    await notifications.tell(ctx, user_id=fact.user_id, kind="BANNED", data=data, about=about, mail=mail)


async def tell_unbanned(ctx: Ctx, fact: EventUnbanned) -> None:
    """Tell who was banned that they are so no more."""
    about, mail = EventView.ref(fact.event_id), UnbannedMail(event_id=fact.event_id)
    data = {"eventId": fact.event_id}
    await notifications.tell(ctx, user_id=fact.user_id, kind="UNBANNED", data=data, about=about, mail=mail)
