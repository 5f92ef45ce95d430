"""What is due in rooms."""

from muster.chat import queries
from muster.chat.commands import RoomUnread
from muster.kit.commands.context import Ctx


async def announce_unread(ctx: Ctx) -> None:
    """Say of each room that is due up to where its messages have been unread for long enough."""
    for room in await queries.take_due_rooms(ctx):
        if room.sequence is not None:
            ctx.record(RoomUnread(room_id=room.id, sequence=room.sequence))
