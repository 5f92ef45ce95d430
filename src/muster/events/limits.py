"""The rate limits that events draw from, beside those of the kit."""

from muster.kit.limits import limit

EVENT_WRITE = limit("event.write")
CHAT_SEND = limit("chat.event.send")
CHAT_EDIT = limit("chat.edit")
CHAT_DELETE = limit("chat.delete")
