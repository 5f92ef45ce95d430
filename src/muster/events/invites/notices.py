"""What people are told of invitations: who is invited by a letter and in the product, the organisers of the answer."""

from typing import ClassVar
from uuid import UUID

from msgspec.structs import replace

from muster.events import queries
from muster.events.facts import EventInvitationAnswered, EventInvitationSent
from muster.events.invites import invited
from muster.events.invites.invited import Invitation
from muster.events.invites.tokens import event_invitation_token
from muster.events.letters import when_and_where
from muster.events.queries import Outline
from muster.events.tables import EventMemberStatus, EventStatus
from muster.events.views import EventView
from muster.identity import queries as identity
from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Letter, Mail
from muster.kit.mail.posting import post
from muster.notifications import commands as notifications
from muster.profiles.tables import Disclosure
from muster.tenancy import queries as tenancy
from muster.tenancy.tables import MemberStatus

_NEED_NONE = (EventMemberStatus.JOINED, EventMemberStatus.WAITLIST, EventMemberStatus.BANNED)


class InvitedMail(Mail):
    """To who is invited, be they somebody here or not: the same for both."""

    kind: ClassVar[str] = "events.invited"
    invitation_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None once it was answered or taken back, or the event takes nobody any more."""
        found = await invited.find_invitation(ctx.db, self.invitation_id)
        look = await tenancy.find_look(ctx.db, ctx.tenant_id)
        if found is None or look is None or not found.is_good(ctx.now):
            return None
        event = await shown_to_invited(ctx, found.event_id)
        if event is None:
            return None
        token = event_invitation_token(ctx.settings.security.jwt_secret, ctx.tenant_id, found.id)
        return Letter(
            values={"title": event.title, "community": look.name, **when_and_where(event)},
            link=f"{ctx.settings.addresses.app}/event-invitation?token={token}",
        )


async def shown_to_invited(ctx: Ctx, event_id: UUID) -> Outline | None:
    """What who is invited may read of an event: its exact place only where everybody may; None unless it takes place."""
    event = await queries.outline_of(ctx, event_id)
    if event is None or event.status != EventStatus.PUBLISHED:
        return None
    is_public = event.address_visibility == Disclosure.PUBLIC
    return event if is_public else replace(event, place=None, address=None)


async def tell_invited(ctx: Ctx, fact: EventInvitationSent) -> None:
    """Tell who is invited, unless a block stands between; whoever invited them does not learn that."""
    found = await invited.find_invitation(ctx.db, fact.invitation_id)
    if found is None or not found.is_good(ctx.now):
        return
    if found.email is not None:
        await _mail(ctx, found, found.email)
    elif found.user_id is not None and await _is_welcome(ctx, found, found.user_id):
        about, mail = EventView.ref(found.event_id), InvitedMail(invitation_id=found.id)
        data = {"eventId": found.event_id, "userId": found.made_by_id}
        await notifications.tell(ctx, user_id=found.user_id, kind="EVENT_INVITE", data=data, about=about, mail=mail)


async def _mail(ctx: Ctx, found: Invitation, address: str) -> None:
    """Mail an address, unless it is of somebody who needs no letter or gets nowhere by it."""
    user_id = await identity.user_by_email(ctx, address)
    mailbox = None if user_id is None else await identity.mailbox(ctx.db, user_id)
    if user_id is not None and not await _may_come(ctx, found, user_id):
        return
    language = None if mailbox is None else mailbox.locale
    await post(ctx, InvitedMail(invitation_id=found.id), user_id=user_id, address=address, language=language)


async def _may_come(ctx: Ctx, found: Invitation, user_id: UUID) -> bool:
    own = await queries.standing(ctx, found.event_id, user_id)
    if own is None or own.status in _NEED_NONE:
        return False
    is_suspended = await tenancy.find_status(ctx, user_id) == MemberStatus.SUSPENDED
    return not is_suspended and await _is_welcome(ctx, found, user_id)


async def _is_welcome(ctx: Ctx, found: Invitation, user_id: UUID) -> bool:
    return await invited.is_welcome(ctx, found.event_id, user_id, maker=found.made_by_id)


async def tell_answer(ctx: Ctx, fact: EventInvitationAnswered) -> None:
    """Tell who runs the event whether somebody comes who was invited."""
    kind = "EVENT_INVITE_ACCEPTED" if fact.accepted else "EVENT_INVITE_DECLINED"
    about, data = EventView.ref(fact.event_id), {"eventId": fact.event_id, "userId": fact.user_id}
    for user_id in await queries.organisers_of(ctx, fact.event_id):
        await notifications.tell(ctx, user_id=user_id, kind=kind, data=data, about=about)
