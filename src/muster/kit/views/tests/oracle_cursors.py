"""Cursors as the oracle writes and reads them: plain Python beside the SQL of `Connection`."""

import base64
import hashlib
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from muster.kit.text import camel
from muster.kit.views.paging import cursor_tag

Key = tuple[Any, ...]
"""The values that a row is sorted by."""

ORDERS: dict[str, dict[str, tuple[tuple[str, ...], bool]]] = {
    "AgendaHost": {"AGENDA": (("position", "id"), False)},
    "AgendaItem": {"AGENDA": (("position", "id"), False)},
    "Announcement": {"NEWEST": (("created_at", "id"), True)},
    "ApiKey": {"NEWEST": (("created_at", "id"), True)},
    "CalendarFeed": {"NEWEST": (("created_at", "id"), True)},
    "SeriesOccurrence": {"DUE": (("recurrence_id", "id"), False)},
    "ReminderChoice": {"NEWEST": (("changed_at", "id"), True)},
    "AuditEntry": {"NEWEST": (("at", "id"), True), "OLDEST": (("at", "id"), False)},
    "Block": {"NEWEST": (("created_at", "id"), True)},
    "Event": {
        "START": (("starts_at", "id"), False),
        "NEWEST": (("created_at", "id"), True),
        "MEMBERS": (("crowd", "id"), True),
        "RELEVANCE": (("rank", "id"), True),
        "DISTANCE": (("distance_km", "id"), False),
    },
    "Domain": {"ADDED": (("added_at", "id"), False)},
    "EventAttendance": {"ASKED": (("asked_at", "id"), False)},
    "EventFavourite": {"NEWEST": (("created_at", "id"), True)},
    "SponsorshipEntry": {"NEWEST": (("number", "id"), True)},
    "ManagedEvent": {"NEWEST": (("created_at", "id"), True), "START": (("starts_at", "id"), False)},
    "ManagedMembership": {"ASKED": (("asked_at", "id"), False)},
    "EventMemberChange": {"HAPPENED": (("at", "id"), False)},
    "EventChat": {"NEWEST": (("id",), True)},
    "ExternalIdentity": {"NEWEST": (("created_at", "id"), True)},
    "EventInviteLink": {"NEWEST": (("created_at", "id"), True)},
    "EventInvitation": {"NEWEST": (("sent_at", "id"), True)},
    "EventInviteLinkUse": {"NEWEST": (("used_at", "id"), True)},
    "EventMember": {"ASKED": (("asked_at", "id"), False)},
    "Faq": {"LIST": (("position", "id"), False)},
    "Impersonation": {"NEWEST": (("started_at", "id"), True)},
    "Invitation": {"NEWEST": (("created_at", "id"), True)},
    "InvitationUse": {"NEWEST": (("used_at", "id"), True)},
    "JoinRequest": {"NEWEST": (("created_at", "id"), True)},
    "Member": {"JOINED": (("joined_at", "id"), False), "RELEVANCE": (("rank", "id"), True)},
    "Message": {"SEQUENCE": (("sequence", "id"), False)},
    "MessageVersion": {"WRITTEN": (("written_at", "id"), False)},
    "MyAuditEntry": {"NEWEST": (("at", "id"), True)},
    "Notification": {"NEWEST": (("created_at", "id"), True)},
    "Passkey": {"NEWEST": (("created_at", "id"), True)},
    "OpenSession": {"NEWEST": (("created_at", "id"), True)},
    "City": {"POPULATION": (("population", "id"), True), "RELEVANCE": (("rank", "id"), True)},
    "Permission": {"NAME": (("name", "id"), False)},
    "Resource": {"LIST": (("position", "id"), False)},
    "Role": {"SLUG": (("slug", "id"), False)},
    "ServiceAccount": {"OLDEST": (("joined_at", "id"), False)},
    "Team": {"NAME": (("name", "id"), False), "NEWEST": (("created_at", "id"), True)},
    "TeamMember": {"JOINED": (("joined_at", "id"), False)},
    "TeamRequest": {"NEWEST": (("created_at", "id"), True)},
    "Tenant": {"FOUNDED": (("created_at", "id"), False), "NAME": (("name", "id"), False)},
    "Topic": {"SLUG": (("slug", "id"), False), "RELEVANCE": (("rank", "id"), True)},
    "Tie": {"NEWEST": (("created_at", "id"), True)},
}
"""The keys of each order by type, and whether the largest come first."""


def encode_cursor(list_name: str, order: str, selection: dict[str, object], key: Key) -> str:
    """The cursor of a place: tag, keys and checksum. selection: the arguments that choose rows."""
    tag = cursor_tag(list_name, order, selection)
    body = "\x1f".join([tag, *map(_cursor_part, key)])
    check = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()[:8]
    return base64.b64encode(f"{body}\x1f{check}".encode()).decode()


def _cursor_part(value: object) -> str:
    # PostgreSQL writes the float 1.0 as 1.
    return moment_text(value) if isinstance(value, datetime) else str(value).removesuffix(".0")


def moment_text(value: datetime) -> str:
    """A moment as answers write it."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def decode_cursor(cursor: str) -> Key:
    """The keys inside a cursor: a rank is a float, a sequence an int, a moment has its Z, a name is none of them."""
    _, *parts, _ = base64.b64decode(cursor).decode().split("\x1f")
    return tuple(_part(part) for part in parts)


def _part(text: str) -> Any:
    if text.endswith("Z"):
        return datetime.fromisoformat(text)
    if text.isdecimal():
        return int(text)
    with suppress(ValueError):
        return UUID(text) if len(text) == 36 else float(text)
    return text


def is_beyond(key: Key, mark: Key, *, ascends: bool) -> bool:
    """Whether a row lies at or beyond the mark, against the direction of paging."""
    return key <= mark if ascends else key >= mark


def plain(source: dict[str, Any], name: str) -> Any:
    """The value of a column as JSON has it; the parts of an edge or of page information as they are."""
    value = source[name] if name in source else next(source[each] for each in source if camel(each) == name)
    if isinstance(value, datetime):
        return moment_text(value)
    return str(value) if isinstance(value, UUID) else value
