"""What the mails about events say."""

from typing import ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from muster.chat import queries as chat
from muster.events import queries
from muster.events.queries import Outline
from muster.events.tables import EventMemberStatus, EventStatus
from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Action, Letter, Mail


class JoinedMail(Mail):
    """To the owner: somebody took a place."""

    kind: ClassVar[str] = "events.joined"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when the event is gone."""
        event = await queries.outline_of(ctx, self.event_id)
        if event is None:
            return None
        return Letter(
            subject=f"Somebody joined {event.title}",
            paragraphs=(f"There is one more at {event.title}.",),
            action=_look(ctx, self.event_id, "See who comes"),
            footnote="You get this because the event is yours.",
        )


class PromotedMail(Mail):
    """To who waited: they have a place now."""

    kind: ClassVar[str] = "events.promoted"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when they have gone meanwhile, or the event will not take place."""
        event = await _to_come(ctx, self.event_id, user_id)
        if event is None:
            return None
        return Letter(
            subject=f"You have a place at {event.title}",
            paragraphs=(f"A place became free at {event.title}, and you were next in line.", *_when_and_where(event)),
            action=_look(ctx, self.event_id, "See the event"),
            footnote="You get this because you stood on the waitlist. If you cannot come, leave the event: "
            "whoever is next will be glad.",
        )


class CancelledMail(Mail):
    """To everybody with a place or in the queue: the event will not take place."""

    kind: ClassVar[str] = "events.cancelled"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when the event is gone."""
        event = await queries.outline_of(ctx, self.event_id)
        if event is None:
            return None
        reason = () if event.cancel_reason is None else (f"The organisers say: {event.cancel_reason}",)
        return Letter(
            subject=f"{event.title} is cancelled",
            paragraphs=(f"{event.title} will not take place.", *reason),
            action=_look(ctx, self.event_id, "See the event"),
            footnote="You get this because you have a place in the event or stood on its waitlist.",
        )


class MovedMail(Mail):
    """To everybody with a place: the event is at another time or place."""

    kind: ClassVar[str] = "events.moved"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when they have gone meanwhile, or the event will not take place."""
        event = await _to_come(ctx, self.event_id, user_id)
        if event is None:
            return None
        return Letter(
            subject=f"{event.title} has moved",
            paragraphs=(f"The organisers changed when or where {event.title} takes place.", *_when_and_where(event)),
            action=_look(ctx, self.event_id, "See the event"),
            footnote="You get this because you have a place in the event.",
        )


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
        return Letter(
            subject=f"New messages in {event.title}",
            paragraphs=(f"Others have written in the room of {event.title} since you were last there.",),
            action=_look(ctx, self.event_id, "Read them"),
            footnote="You get this because you have a place in the event. No other follows until you have read; "
            "mute the event's room to get none.",
        )


async def _to_come(ctx: Ctx, event_id: UUID, user_id: UUID) -> Outline | None:
    """The event, while it takes place and the person still has a place in it."""
    own = await queries.standing(ctx, event_id, user_id)
    if own is None or own.status != EventMemberStatus.JOINED:
        return None
    event = await queries.outline_of(ctx, event_id)
    return event if event is not None and event.status == EventStatus.PUBLISHED else None


def _when_and_where(event: Outline) -> tuple[str, ...]:
    """Lines that tell the time in the event's own zone, and the place where there is one."""
    starts_at = event.starts_at.astimezone(ZoneInfo(event.timezone))
    place = ", ".join(each for each in (event.address, event.city, event.country) if each)
    when = f"When: {starts_at:%A, %d %B %Y, %H:%M} ({event.timezone})"
    return (when, f"Where: {place}") if place else (when,)


def _look(ctx: Ctx, event_id: UUID, label: str) -> Action:
    return Action(label, f"{ctx.settings.addresses.app}/events/{event_id}")
