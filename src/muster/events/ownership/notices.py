"""What people are told of who owns an event, in the product and by mail."""

from typing import ClassVar
from uuid import UUID

from muster.events import queries as events
from muster.events.facts import EventOwnerChanged, EventOwnershipDeclined, EventOwnershipOffered
from muster.events.letters import page_of
from muster.events.ownership import queries
from muster.events.views import EventView
from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Letter, Mail
from muster.notifications import commands as notifications


class OwnershipOfferedMail(Mail):
    """To whom it is offered: they may own the event."""

    kind: ClassVar[str] = "events.ownership_offered"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when the offer is no more."""
        offer = await queries.find_offer(ctx, self.event_id)
        if offer is None or offer.user_id != user_id or offer.expires_at <= ctx.now:
            return None
        return await _letter(ctx, self.event_id)


class OwnerChangedMail(Mail):
    """To who owned the event and to who does now."""

    kind: ClassVar[str] = "events.owner_changed"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when the event is gone."""
        return await _letter(ctx, self.event_id)


async def _letter(ctx: Ctx, event_id: UUID) -> Letter | None:
    event = await events.outline_of(ctx, event_id)
    if event is None:
        return None
    return Letter(values={"title": event.title}, link=page_of(ctx, event_id))


async def tell_offered(ctx: Ctx, fact: EventOwnershipOffered) -> None:
    """Tell somebody that they may own the event."""
    mail = OwnershipOfferedMail(event_id=fact.event_id)
    await _tell(ctx, fact.event_id, fact.user_id, "EVENT_OWNERSHIP_OFFERED", mail)


async def tell_declined(ctx: Ctx, fact: EventOwnershipDeclined) -> None:
    """Tell the owner that their offer was declined."""
    owner_id = await events.owner_of(ctx, fact.event_id)
    if owner_id is not None:
        await _tell(ctx, fact.event_id, owner_id, "EVENT_OWNERSHIP_DECLINED", None)


async def tell_new_owner(ctx: Ctx, fact: EventOwnerChanged) -> None:
    """Tell who owned the event and who does now."""
    for user_id in (fact.old_owner_id, fact.user_id):
        await _tell(ctx, fact.event_id, user_id, "EVENT_OWNER_CHANGED", OwnerChangedMail(event_id=fact.event_id))


async def _tell(ctx: Ctx, event_id: UUID, user_id: UUID, kind: str, mail: Mail | None) -> None:
    about, data = EventView.ref(event_id), {"eventId": event_id}
    await notifications.tell(ctx, user_id=user_id, kind=kind, data=data, about=about, mail=mail)
