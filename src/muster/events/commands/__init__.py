"""The verbs of events."""

from muster.events.commands.attend import join, kick, leave
from muster.events.commands.organise import create_event, publish
from muster.events.commands.talk import delete_message, edit_message, mark_read, mute, send_message

__all__ = [
    "create_event",
    "delete_message",
    "edit_message",
    "join",
    "kick",
    "leave",
    "mark_read",
    "mute",
    "publish",
    "send_message",
]
