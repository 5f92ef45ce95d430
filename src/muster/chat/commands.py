"""The verbs of chat. Higher slices call them in their own transaction; chat has no endpoints of its own yet."""

from collections.abc import Collection
from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import Meta

from muster.chat import queries, rules
from muster.chat.rules import Verdict
from muster.chat.views import MessageView
from muster.kit.commands.context import Ctx
from muster.kit.commands.facts import Fact
from muster.kit.errors import AppError, Conflict, Denied, Gone, Invalid, NotFound
from muster.notifications import commands as notifications

Content = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2000,
        pattern=r"\S",
        examples=["Who brings the clocks?"],
        description="What is said: plain text.",
    ),
]
Reason = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=300,
        pattern=r"\S",
        description="Why, for the author; a moderator has to give one.",
    ),
]


class MessageSent(Fact):
    """Somebody said something in a room."""

    kind: ClassVar[str] = "message.sent"
    about: ClassVar[str] = "room_id"
    room_id: UUID
    message_id: UUID
    author_id: UUID


class MessageEdited(Fact):
    """Somebody changed their words."""

    kind: ClassVar[str] = "message.edited"
    about: ClassVar[str] = "room_id"
    room_id: UUID
    message_id: UUID


class MessageDeleted(Fact):
    """A message lost its text. deleted_by_id: its author, or who moderates the room."""

    kind: ClassVar[str] = "message.deleted"
    about: ClassVar[str] = "room_id"
    room_id: UUID
    message_id: UUID
    author_id: UUID
    deleted_by_id: UUID


class RoomUnread(Fact):
    """Up to a message, something has been unread in a room for long enough to tell its people."""

    kind: ClassVar[str] = "room.unread"
    about: ClassVar[str] = "room_id"
    room_id: UUID
    sequence: int


class NotInRoom(Denied):
    """Only those who sit in this room may speak in it."""

    code = "NOT_IN_ROOM"


class MessageNotFound(NotFound):
    """There is no such message in this room."""

    code = "MESSAGE_NOT_FOUND"


class NotAuthor(Denied):
    """These are not your words: only their author edits them, and only moderators delete what others said."""

    code = "NOT_AUTHOR"


class EditWindowPassed(Conflict):
    """A message can be edited for five minutes; say it anew instead."""

    code = "EDIT_WINDOW_PASSED"


class DeleteWindowPassed(Conflict):
    """A message can be deleted for fifteen minutes; ask a moderator of the room instead."""

    code = "DELETE_WINDOW_PASSED"


class IsDeleted(Gone):
    """The message was deleted."""

    code = "MESSAGE_DELETED"


_EDIT_REFUSALS: dict[Verdict, type[AppError]] = {
    Verdict.NOT_AUTHOR: NotAuthor,
    Verdict.TOO_LATE: EditWindowPassed,
    Verdict.DELETED: IsDeleted,
}
_DELETE_REFUSALS: dict[Verdict, type[AppError]] = {
    Verdict.NOT_AUTHOR: NotAuthor,
    Verdict.TOO_LATE: DeleteWindowPassed,
}


async def open_room(ctx: Ctx, *, room_id: UUID) -> None:
    """Make the room of the thing with this id."""
    await queries.put_room(ctx, room_id)


async def open_rooms(ctx: Ctx, *, room_ids: Collection[UUID], user_id: UUID) -> None:
    """Make many rooms at once, each with the same person in it."""
    await queries.put_rooms(ctx, room_ids)
    await queries.put_seats(ctx, [(room_id, user_id) for room_id in room_ids])


def seat(ctx: Ctx, *, room_id: UUID, user_id: UUID) -> None:
    """Let a person read and write in a room from the end of this command on. What was said before counts as read."""
    queries.put_seat(ctx, room_id, user_id)


async def seat_all(ctx: Ctx, *, room_id: UUID, user_ids: Collection[UUID]) -> None:
    """The same for many at once."""
    if user_ids:
        await queries.put_seats(ctx, [(room_id, user_id) for user_id in user_ids])


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


async def edit(ctx: Ctx, *, room_id: UUID, message_id: UUID, content: str) -> MessageView:
    """Change what one said; the words before are kept for moderators. The same words again change nothing.

    Raises NotInRoom, MessageNotFound, NotAuthor, EditWindowPassed, IsDeleted.
    """
    if not await queries.hold_seat(ctx, room_id):
        raise NotInRoom
    message = await queries.lock_message(ctx, room_id, message_id)
    if message is None:
        raise MessageNotFound
    verdict = rules.decide_edit(message.said, ctx.user_id, content, ctx.now)
    if verdict in _EDIT_REFUSALS:
        raise _EDIT_REFUSALS[verdict]
    if verdict == Verdict.ALLOWED:
        await queries.put_edited(ctx, message_id, content)
        ctx.record(MessageEdited(room_id=room_id, message_id=message_id))
    return MessageView.ref(message_id)


async def remove(
    ctx: Ctx, *, room_id: UUID, message_id: UUID, moderates: bool, reason: str | None = None
) -> MessageView:
    """Delete a message; its place stays. What is deleted already stays so.

    Of what its author deletes, nothing is kept; what a moderator deletes is, since the decision may be contested.
    moderates: whether the acting person may delete what others said, from inside the room or not.
    Raises NotInRoom, MessageNotFound, NotAuthor, DeleteWindowPassed, Invalid without a reason for deleting another's.
    """
    if not await queries.hold_seat(ctx, room_id) and not moderates:
        raise NotInRoom
    message = await queries.lock_message(ctx, room_id, message_id)
    if message is None:
        raise MessageNotFound
    is_author = message.author_id == ctx.user_id
    verdict = rules.decide_delete(message.said, ctx.user_id, ctx.now, moderates=moderates, reason=reason)
    if verdict == Verdict.NEEDS_REASON:
        raise Invalid.field("reason", "is required to delete what somebody else said", "REQUIRED")
    if verdict in _DELETE_REFUSALS:
        raise _DELETE_REFUSALS[verdict]
    if verdict == Verdict.ALLOWED:
        await queries.put_deleted(ctx, message_id, keep=not is_author, reason=reason)
        ctx.record(
            MessageDeleted(
                room_id=room_id, message_id=message_id, author_id=message.author_id, deleted_by_id=ctx.user_id
            )
        )
    return MessageView.ref(message_id)


async def mark_read(ctx: Ctx, *, room_id: UUID, sequence: int | None) -> UUID:
    """Say that everything up to a message has been read; what was read stays read. Answers with the seat's id.

    sequence: None is the last message there is. Raises NotInRoom, Invalid for one that was not said yet.
    """
    seat = await queries.lock_seat(ctx, room_id)
    if seat is None:
        raise NotInRoom
    if sequence is not None and sequence > seat.last_sequence:
        raise Invalid.field("sequence", f"must not be beyond the room's last message, {seat.last_sequence}")
    read = seat.last_sequence if sequence is None else sequence
    if read > seat.read_sequence:
        await queries.put_read(ctx, seat.id, read)
    if seat.read_sequence < seat.told_sequence <= read:
        await notifications.settle(ctx, by_id=room_id)
    return seat.id


async def mute(ctx: Ctx, *, room_id: UUID, muted: bool) -> UUID:
    """Want no notices of what is said in a room, or want them again. Answers with the seat's id. Raises NotInRoom."""
    seat = await queries.lock_seat(ctx, room_id)
    if seat is None:
        raise NotInRoom
    if muted != (seat.muted_at is not None):
        await queries.put_muted(ctx, seat.id, ctx.now if muted else None)
    return seat.id
