"""The verbs of chat. Higher slices call them in their own transaction; chat has no endpoints of its own yet."""

from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import Meta

from muster.chat import queries
from muster.chat.views import MessageView
from muster.kit.commands.context import Ctx
from muster.kit.commands.facts import Fact
from muster.kit.errors import Denied

Content = Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"\S")]
"""What somebody says."""


class MessageSent(Fact):
    """Somebody said something in a room."""

    kind: ClassVar[str] = "message.sent"
    about: ClassVar[str] = "room_id"
    room_id: UUID
    message_id: UUID
    author_id: UUID


class NotInRoom(Denied):
    """Only those who sit in this room may speak in it."""

    code = "NOT_IN_ROOM"


async def open_room(ctx: Ctx, *, room_id: UUID) -> None:
    """Make the room of the thing with this id."""
    await queries.put_room(ctx, room_id)


async def seat(ctx: Ctx, *, room_id: UUID, user_id: UUID) -> None:
    """Let a person read and write in a room from now on."""
    await queries.put_seat(ctx, room_id, user_id)


async def unseat(ctx: Ctx, *, room_id: UUID, user_id: UUID) -> None:
    """Let a person read and write no more."""
    await queries.remove_seat(ctx, room_id, user_id)


async def send(ctx: Ctx, *, room_id: UUID, content: str) -> MessageView:
    """Say something in a room. Raises NotInRoom when the speaker does not sit in it."""
    sequence = await queries.next_sequence(ctx, room_id)
    if sequence is None:
        raise NotInRoom
    message_id = await queries.put_message(ctx, room_id=room_id, sequence=sequence, content=content)
    ctx.record(MessageSent(room_id=room_id, message_id=message_id, author_id=ctx.user_id))
    return MessageView.ref(message_id, created=True)
