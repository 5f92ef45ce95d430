"""What can be read of the audit log."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_

from muster.access.roles import AUDIT_READ
from muster.identity.views import UserView
from muster.kit.caller import member, signed_in
from muster.kit.commands.tables import AuditRow
from muster.kit.db.tables import Json
from muster.kit.views.paging import Filter, ascending, at_least, before, descending, equals
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, one, only_if


class AuditEntryView(View, of=AuditRow):
    """Something that was done, or tried.

    at: when. actor_kind: `person`, `system`, `anonymous` or `key`. reason: why the system, or staff, did it.
    verb: what was done: the name of the operation. outcome: `done`, or the code of the refusal. object_kind: the type
    of what it was done to. object_id: its id. address: where the request came from. agent: what the client called
    itself. request_id: of the request. changes: what it changed: a list of `table`, `id`, `before` and `after`; secrets
    and what is personal as `***`. Null where nothing is known, or an account was erased. actor: who did it; null for the
    system, for nobody, and once their account is erased. acted_as: the person as whom they did it.
    """

    filters = {
        "actorId": equals(AuditRow.actor_id),
        "actedAs": equals(AuditRow.acted_as),
        "verb": equals(AuditRow.verb),
        "objectId": equals(AuditRow.object_id),
        "refusal": Filter(
            str,
            "Refused with just this code.",
            # Few are refused, so that the index holds these alone.
            lambda row, value: and_(row.outcome == value, row.outcome != "done"),
        ),
        "since": at_least(AuditRow.at),
        "until": before(AuditRow.at),
    }
    orders = {"NEWEST": descending(AuditRow.at), "OLDEST": ascending(AuditRow.at)}
    example = {
        "actorKind": "person",
        "reason": None,
        "verb": "updateEvent",
        "outcome": "done",
        "objectKind": "Event",
        "address": "192.0.2.7",
        "agent": "Mozilla/5.0",
        "changes": [
            {
                "table": "events",
                "id": "01934f6e-5a00-7c3d-9b1e-2f4a6c8d0e1f",
                "before": {"max": 20, "title": "***"},
                "after": {"max": 30, "title": "***"},
            }
        ],
    }

    id: UUID
    at: datetime
    actor_kind: str
    reason: str | None
    verb: str
    outcome: str
    object_kind: str | None
    object_id: UUID | None
    address: str | None
    agent: str | None
    request_id: str
    changes: Json | None
    actor: UserView | None = one("actor_id")
    acted_as: UserView | None = one("acted_as")


def is_ones_own(row: type[AuditRow], viewer: Viewer) -> ColumnElement[bool]:
    """What the viewer did, and what staff did as them."""
    return or_(row.actor_id == viewer.user_id, row.acted_as == viewer.user_id)


def was_oneself(row: type[AuditRow], viewer: Viewer) -> ColumnElement[bool]:
    """Where staff's own machine stands is theirs."""
    return row.actor_id == viewer.user_id


class MyAuditEntryView(View, of=AuditRow):
    """Something that one did oneself, or staff as oneself.

    at: when. verb: what was done: the name of the operation. outcome: `done`, or the code of the refusal. object_kind: the
    type of what it was done to. object_id: its id. address: where the request came from. agent: what the client called
    itself; both null where staff acted. request_id: of the request. acted_as: oneself where staff acted, else null.
    """

    visible = is_ones_own
    orders = {"NEWEST": descending(AuditRow.at)}
    example = {"verb": "joinEvent", "outcome": "done", "objectKind": "EventMember", "address": "192.0.2.7"}

    id: UUID
    at: datetime
    verb: str
    outcome: str
    object_kind: str | None
    object_id: UUID | None
    address: str | None = only_if(was_oneself)
    agent: str | None = only_if(was_oneself)
    request_id: str
    acted_as: UserView | None = one("acted_as")


@query("GET /me/audit", "myAuditEntries", allow=signed_in)
def my_audit_entries() -> Page[MyAuditEntryView]:
    """What one did and tried in this community, and what staff did as oneself; the newest first."""


@query("GET /audit", "auditEntries", allow=member, permission=AUDIT_READ)
def audit_entries() -> Page[AuditEntryView]:
    """What was done and tried in this community, the newest first."""


@query("GET /audit/{id}", "auditEntry", allow=member, permission=AUDIT_READ)
def audit_entry(id: UUID) -> AuditEntryView | None:
    """One thing that was done or tried in this community."""
