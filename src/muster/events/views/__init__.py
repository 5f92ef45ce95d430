"""What can be read of events, of who takes part in them, and of their rooms."""

from muster.events.views.event import EventView
from muster.events.views.member import EventMemberView
from muster.events.views.room import EventChatView, MessageVersionView

__all__ = ["EventChatView", "EventMemberView", "EventView", "MessageVersionView"]
