"""Talking in an event's room."""

from uuid import UUID

from muster.chat import commands as chat
from muster.chat.commands import Content
from muster.chat.views import MessageView
from muster.events import queries
from muster.events.commands.finding import EventNotFound
from muster.events.limits import CHAT_SEND
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx


@command("POST /events/{event_id}/messages", "sendEventMessage", allow=member, limit=CHAT_SEND)
async def send_message(ctx: Ctx, *, event_id: UUID, content: Content) -> MessageView:
    """Say something in an event's room.

    Raises EventNotFound, and NotInRoom when the caller has no place in the event.
    """
    own = await queries.standing(ctx, event_id, ctx.user_id)
    if own is None or not own.seen:
        raise EventNotFound
    return await chat.send(ctx, room_id=event_id, content=content)
