"""What the mails about events tell, in the words of `words/`."""

from typing import ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from muster.chat import queries as chat
from muster.events import queries, rules
from muster.events.queries import Outline
from muster.events.tables import EventMemberStatus, EventStatus
from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Letter, Mail
from muster.kit.words import Value
from muster.profiles.tables import Disclosure


class JoinedMail(Mail):
    """To the owner: somebody took a place."""

    kind: ClassVar[str] = "events.joined"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when the event is gone."""
        event = await queries.outline_of(ctx, self.event_id)
        if event is None:
            return None
        return Letter(values={"title": event.title}, link=page_of(ctx, self.event_id))


class PromotedMail(Mail):
    """To who waited: they have a place now."""

    kind: ClassVar[str] = "events.promoted"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when they have gone meanwhile, or the event will not take place."""
        event = await attended(ctx, self.event_id, user_id)
        if event is None:
            return None
        return Letter(values={"title": event.title, **when_and_where(event)}, link=page_of(ctx, self.event_id))


class CancelledMail(Mail):
    """To everybody with a place or in the queue: the event will not take place."""

    kind: ClassVar[str] = "events.cancelled"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when the event is gone."""
        event = await queries.outline_of(ctx, self.event_id)
        if event is None:
            return None
        values = {"title": event.title, "reason": event.cancel_reason}
        return Letter(values=values, link=page_of(ctx, self.event_id))


class DeletedMail(Mail):
    """To everybody who had a place or stood in the queue: the event is gone."""

    kind: ClassVar[str] = "events.deleted"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when it is back already."""
        event = await queries.outline_of(ctx, self.event_id, deleted=True)
        return None if event is None else Letter(values={"title": event.title}, link=ctx.settings.addresses.app)


class RestoredMail(Mail):
    """To everybody with a place or in the queue: the event is back."""

    kind: ClassVar[str] = "events.restored"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when it is gone again."""
        event = await queries.outline_of(ctx, self.event_id)
        if event is None or event.status == EventStatus.CANCELLED:
            return None
        return Letter(values={"title": event.title}, link=page_of(ctx, self.event_id))


class NotPublishedMail(Mail):
    """To the owner: the event had begun before it could publish itself."""

    kind: ClassVar[str] = "events.not_published"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when they have published it meanwhile, or deleted it."""
        event = await queries.outline_of(ctx, self.event_id)
        if event is None or event.status != EventStatus.DRAFT:
            return None
        return Letter(values={"title": event.title}, link=page_of(ctx, self.event_id))


class MovedMail(Mail):
    """To everybody with a place: the event is at another time or place."""

    kind: ClassVar[str] = "events.moved"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when they have gone meanwhile, or the event will not take place."""
        event = await attended(ctx, self.event_id, user_id)
        if event is None:
            return None
        return Letter(values={"title": event.title, **when_and_where(event)}, link=page_of(ctx, self.event_id))


class MessagesMail(Mail):
    """To who sits in an event's room: there is something to read. It names nobody and quotes nothing."""

    kind: ClassVar[str] = "events.messages"
    event_id: UUID
    sequence: int

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when they have read it meanwhile, muted the room or left it."""
        event = await queries.outline_of(ctx, self.event_id)
        if event is None or not await chat.is_unread(ctx, self.event_id, user_id, self.sequence):
            return None
        return Letter(values={"title": event.title}, link=page_of(ctx, self.event_id))


async def attended(ctx: Ctx, event_id: UUID, user_id: UUID) -> Outline | None:
    """The event, while it takes place and the person still has a place in it; its address for whom it shows that to."""
    own = await queries.standing(ctx, event_id, user_id)
    if own is None or own.status != EventMemberStatus.JOINED:
        return None
    event = await queries.outline_of(ctx, event_id)
    if event is None or event.status != EventStatus.PUBLISHED:
        return None
    shows_address = event.address_visibility != Disclosure.HIDDEN or rules.is_organiser(own.role, own.status)
    return event if shows_address else replace(event, place=None, address=None)


def when_and_where(event: Outline) -> dict[str, Value]:
    """When it starts, in the event's own zone, and its place where there is one."""
    return {"starts_at": event.starts_at.astimezone(ZoneInfo(event.timezone)), "place": place_of(event)}


def place_of(event: Outline) -> str | None:
    """Where an event is, in a line; None where there is nothing to say."""
    return ", ".join(each for each in (event.place, event.address, event.city, event.country) if each) or None


def page_of(ctx: Ctx, event_id: UUID) -> str:
    """The address of the event's page."""
    return f"{ctx.settings.addresses.app}/events/{event_id}"
