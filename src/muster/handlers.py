"""What follows what: each line names a fact and the handlers that the worker runs after it."""

from muster.adapters import smtp
from muster.chat.commands import RoomUnread
from muster.events import notices as event_notices
from muster.events.facts import EventJoined, EventPromoted
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

on(VerificationAsked, identity_notices.mail_verification)
on(RegisteredAgain, identity_notices.mail_registered_again)
on(ResetAsked, identity_notices.mail_reset)
on(AccountLocked, identity_notices.mail_locked)
on(PasswordChanged, identity_notices.mail_password_changed)

on(EventJoined, event_notices.tell_owner_of_join)
on(EventPromoted, event_notices.tell_promoted)
on(RoomUnread, event_notices.tell_of_messages)

on(MailPosted, outside(Delivery(smtp.send), at_once=_MAILS_AT_ONCE))
