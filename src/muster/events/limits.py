"""The rate limits that events draw from, beside those of the kit."""

from muster.kit.limits import Rule, limit

EVENT_WRITE = limit("event.write", Rule(30, 60), meaning="events and who takes part in them")
EVENT_DOOR = limit("event.door", Rule(300, 60), meaning="who comes to an event")
EVENT_INVITE = limit("event.invite", Rule(100, 3600), meaning="inviting people into events", without_store="closed")
CHAT_SEND = limit("chat.event.send", Rule(30, 30), Rule(5, 5), meaning="messages to the room of an event")
CHAT_TYPING = limit("chat.event.typing", Rule(30, 30), meaning="that one types in the room of an event")
CHAT_EDIT = limit("chat.edit", Rule(5, 60), meaning="messages that are edited")
CHAT_DELETE = limit("chat.delete", Rule(5, 60), meaning="messages that are deleted")
