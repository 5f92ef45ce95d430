"""What people are told about events."""

from typing import ClassVar
from uuid import UUID

from muster.chat import queries as chat
from muster.chat.commands import RoomUnread
from muster.events import queries
from muster.events.facts import EventJoined, EventPromoted
from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Action, Letter, Mail
from muster.notifications import commands as notifications

# People who are told in one transaction; the fact is recorded again for the rest.
_TOLD_AT_ONCE = 200


class JoinedMail(Mail):
    """To the owner: somebody took a place."""

    kind: ClassVar[str] = "events.joined"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when the event is gone."""
        title = await queries.title_of(ctx, self.event_id)
        if title is None:
            return None
        return Letter(
            subject=f"Somebody joined {title}",
            paragraphs=(f"There is one more at {title}.",),
            action=Action("See who comes", f"{ctx.settings.addresses.app}/events/{self.event_id}"),
            footnote="You get this because the event is yours.",
        )


async def tell_owner_of_join(ctx: Ctx, fact: EventJoined) -> None:
    """Tell the owner who took a place; their own needs no telling."""
    owner_id = await queries.owner_of(ctx, fact.event_id)
    if owner_id is not None and owner_id != fact.user_id:
        data = {"eventId": fact.event_id, "userId": fact.user_id}
        mail = JoinedMail(event_id=fact.event_id)
        await notifications.tell(ctx, user_id=owner_id, kind="EVENT_JOINED", data=data, mail=mail)


async def tell_promoted(ctx: Ctx, fact: EventPromoted) -> None:
    """Tell who waited that they have a place now."""
    await notifications.tell(ctx, user_id=fact.user_id, kind="WAITLIST_PROMOTED", data={"eventId": fact.event_id})


class MessagesMail(Mail):
    """To who sits in an event's room: there is something to read. It names nobody and quotes nothing."""

    kind: ClassVar[str] = "events.messages"
    event_id: UUID
    sequence: int

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when they have read it meanwhile, muted the room or left it."""
        title = await queries.title_of(ctx, self.event_id)
        if title is None or not await chat.is_unread(ctx, self.event_id, user_id, self.sequence):
            return None
        return Letter(
            subject=f"New messages in {title}",
            paragraphs=(f"Others have written in the room of {title} since you were last there.",),
            action=Action("Read them", f"{ctx.settings.addresses.app}/events/{self.event_id}"),
            footnote="You get this because you have a place in the event. No other follows until you have read; "
            "mute the event's room to get none.",
        )


async def tell_of_messages(ctx: Ctx, fact: RoomUnread) -> None:
    """Tell who has something to read in an event's room, once until they have read it."""
    people = await chat.take_to_tell(ctx, fact.room_id, fact.sequence, limit=_TOLD_AT_ONCE)
    for user_id in people:
        await notifications.tell(
            ctx,
            user_id=user_id,
            kind="EVENT_MESSAGES",
            data={"eventId": fact.room_id},
            mail=MessagesMail(event_id=fact.room_id, sequence=fact.sequence),
            settled_by_id=fact.room_id,
        )
    if len(people) == _TOLD_AT_ONCE:
        ctx.record(fact)
