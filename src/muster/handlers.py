"""What follows what: each line names a fact and the handlers that the worker runs after it."""

from muster.adapters import smtp
from muster.chat.commands import RoomUnread
from muster.events import notices as event_notices
from muster.events.facts import EventCancelled, EventJoined, EventKicked, EventPromoted, EventRoleChanged, EventUpdated
from muster.identity import notices as identity_notices
from muster.identity.facts import (
    AccountLocked,
    PasswordChanged,
    RegisteredAgain,
    ResetAsked,
    VerificationAsked,
)
from muster.kit.mail.delivery import Delivery
from muster.kit.mail.posting import MailPosted
from muster.kit.work.errands import outside
from muster.kit.work.handlers import on

# Connections to the mail server; providers refuse who opens many.
_MAILS_AT_ONCE = 4
# Events whose members are told something; each may be thousands of people, and no community takes both places.
_CROWDS_AT_ONCE = 2
_CROWDS_OF_TENANT = 1
# Rooms whose people are told of what they have not read; most are small, and a lively community has many of them.
_ROOMS_AT_ONCE = 4
_ROOMS_OF_TENANT = 2

on(VerificationAsked, identity_notices.mail_verification)
on(RegisteredAgain, identity_notices.mail_registered_again)
on(ResetAsked, identity_notices.mail_reset)
on(AccountLocked, identity_notices.mail_locked)
on(PasswordChanged, identity_notices.mail_password_changed)

on(EventJoined, event_notices.tell_owner_of_join)
on(EventPromoted, event_notices.tell_promoted)
on(EventKicked, event_notices.tell_kicked)
on(EventRoleChanged, event_notices.tell_new_role)
on(EventCancelled, outside(event_notices.tell_cancelled, at_once=_CROWDS_AT_ONCE, tenant_at_once=_CROWDS_OF_TENANT))
on(EventUpdated, outside(event_notices.tell_moved, at_once=_CROWDS_AT_ONCE, tenant_at_once=_CROWDS_OF_TENANT))
on(RoomUnread, outside(event_notices.tell_of_messages, at_once=_ROOMS_AT_ONCE, tenant_at_once=_ROOMS_OF_TENANT))

on(MailPosted, outside(Delivery(smtp.send), at_once=_MAILS_AT_ONCE))
