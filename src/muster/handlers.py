"""What follows what: each line names a fact and the handlers that the worker runs after it."""

from muster.events import notices as event_notices
from muster.events.facts import EventJoined, EventPromoted
from muster.kit.work.handlers import on

on(EventJoined, event_notices.tell_owner_of_join)
on(EventPromoted, event_notices.tell_promoted)
