"""The verbs of events."""

from muster.events.commands.attend import join, kick, leave, update_member_role
from muster.events.commands.life import cancel, delete, publish, publish_due, restore, schedule, unpublish
from muster.events.commands.organise import create_event, update_event
from muster.events.commands.talk import delete_message, edit_message, mark_read, mute, send_message

__all__ = [
    "cancel",
    "create_event",
    "delete",
    "delete_message",
    "edit_message",
    "join",
    "kick",
    "leave",
    "mark_read",
    "mute",
    "publish",
    "publish_due",
    "restore",
    "schedule",
    "send_message",
    "unpublish",
    "update_event",
    "update_member_role",
]
