"""Talking in an event's room."""

from uuid import UUID

from muster.chat import commands as chat
from muster.chat.commands import Content, Reason
from muster.chat.views import MessageView
from muster.events import queries, rules
from muster.events.commands.finding import EventNotFound, acts_as
from muster.events.limits import CHAT_DELETE, CHAT_EDIT, CHAT_SEND, CHAT_TYPING
from muster.events.queries import Standing
from muster.events.rules import Deed
from muster.events.sponsorship.limiting import hold_to_plan
from muster.events.sponsorship.plans import PlanLimit
from muster.events.streams import EventTyping
from muster.events.views import EventChatView
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.limits import API
from muster.kit.realtime.signals import signal
from muster.kit.views.paging import WholeNumber


@command("POST /events/{event_id}/messages", "sendEventMessage", allow=member, limit=CHAT_SEND, answers=(201,))
async def send_message(ctx: Ctx, *, event_id: UUID, content: Content) -> MessageView:
    """Say something in an event's room.

    Raises EventNotFound, PlanLimitReached, and NotInRoom when the caller has no place in the event.
    """
    await _seen(ctx, event_id)
    await hold_to_plan(ctx, event_id, {PlanLimit.CHAT: 1})
    return await chat.send(ctx, room_id=event_id, content=content)


@command("PATCH /events/{event_id}/messages/{id}", "editEventMessage", allow=member, limit=CHAT_EDIT)
async def edit_message(ctx: Ctx, *, event_id: UUID, id: UUID, content: Content) -> MessageView:
    """Change one's own message, within five minutes.

    Raises EventNotFound, NotInRoom, MessageNotFound, NotAuthor, EditWindowPassed, IsDeleted.
    """
    await _seen(ctx, event_id)
    return await chat.edit(ctx, room_id=event_id, message_id=id, content=content)


@command("DELETE /events/{event_id}/messages/{id}", "deleteEventMessage", allow=member, limit=CHAT_DELETE)
async def delete_message(ctx: Ctx, *, event_id: UUID, id: UUID, reason: Reason | None = None) -> MessageView:
    """Delete one's own message within fifteen minutes, or, as who moderates the event, any message with a reason.

    Deleting twice changes nothing.
    Raises EventNotFound, NotInRoom, MessageNotFound, NotAuthor, DeleteWindowPassed, Invalid.
    """
    own = await _seen(ctx, event_id)
    moderates = rules.may(Deed.MODERATE_ROOM, acts_as(ctx, own))
    return await chat.remove(ctx, room_id=event_id, message_id=id, moderates=moderates, reason=reason)


@command("PUT /events/{event_id}/chat/reading", "markEventChatRead", allow=member, limit=API)
async def mark_read(ctx: Ctx, *, event_id: UUID, sequence: WholeNumber | None = None) -> EventChatView:
    """Say that an event's messages have been read. What was read stays read.

    sequence: up to which message; up to the last when absent.
    Raises EventNotFound, NotInRoom, Invalid for a sequence beyond the last message.
    """
    await _seen(ctx, event_id)
    return EventChatView.ref(await chat.mark_read(ctx, room_id=event_id, sequence=sequence))


@command("PUT /events/{event_id}/chat/mute", "muteEvent", allow=member, limit=API)
async def mute(ctx: Ctx, *, event_id: UUID, muted: bool) -> EventChatView:
    """Want no notices of what is said in an event's room, or want them again.

    muted: false is to want them again.
    Raises EventNotFound, NotInRoom.
    """
    await _seen(ctx, event_id)
    return EventChatView.ref(await chat.mute(ctx, room_id=event_id, muted=muted))


@signal("POST /events/{event_id}/typing", "publishEventTyping", to="eventTyping", limit=CHAT_TYPING)
def publish_typing(user_id: UUID, *, event_id: UUID, is_typing: bool = True) -> EventTyping:
    """Tell who follows the typing in an event's room that one types there; say so again at least every three seconds.

    is_typing: false is to have stopped.
    Raises NotFound for an event that the caller does not see, Denied for one that they have no place in.
    """
    return EventTyping(user_id=user_id, is_typing=is_typing)


async def _seen(ctx: Ctx, event_id: UUID) -> Standing:
    """How the acting person stands to an event that they see. Raises EventNotFound."""
    own = await queries.standing(ctx, event_id, ctx.user_id)
    if own is None or not own.seen:
        raise EventNotFound
    return own
