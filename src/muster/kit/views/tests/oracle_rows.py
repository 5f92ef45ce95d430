"""The oracle: graphql-core's own executor over plain rows. Slow and obviously right: no SQL, no compiler, only lists."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from graphql import GraphQLResolveInfo, GraphQLSchema, execute_sync, parse

from muster.access.roles import ROLES
from muster.kit.caller import Claim
from muster.kit.views.query import QUERIES
from muster.kit.views.tests.oracle_access import access_list, nobody, role
from muster.kit.views.tests.oracle_account import ACCOUNT_LISTS, ACCOUNT_ROWS, Account
from muster.kit.views.tests.oracle_audit import audit_fields, audit_list
from muster.kit.views.tests.oracle_cursors import plain
from muster.kit.views.tests.oracle_events import computed_of, managed, sees_membership
from muster.kit.views.tests.oracle_filters import filters_of
from muster.kit.views.tests.oracle_joining import Joining
from muster.kit.views.tests.oracle_lists import ONE_OF, Answer, Connection, List, Refused
from muster.kit.views.tests.oracle_pages import Pages
from muster.kit.views.tests.oracle_people import FOR_ANYONE, FOR_SIGNED_IN, People
from muster.kit.views.tests.oracle_permissions import permission_fields
from muster.kit.views.tests.oracle_programme import OF_EVENT, OF_HEARERS, OF_ORGANISERS, is_for, is_shown
from muster.kit.views.tests.oracle_sponsorship import Sponsorship
from muster.kit.views.tests.oracle_teams import TEAMS_FOR_ANYONE, TeamsOracle
from muster.kit.views.tests.oracle_tenancy import FOR_NOBODY, TenancyOracle
from muster.kit.views.tests.oracle_topics import slugs_held
from muster.kit.views.tests.oracle_world import Row, World

_TARGETS = {"owner": "owner_id", "user": "user_id", "author": "author_id", "madeBy": "made_by_id"}
"""Relations to people, who are never hidden."""

_NESTED = {
    "EventInviteLink": ("log", "event_invite_links"),
    "Event": ("members", "events"),
    "AgendaItem": ("hosts", "event_agenda_items"),
}
"""Types with a list as a field: its name, and the table of what has it."""

_EVENT_ROWS = ("event", "topic", "eventMember", "eventMemberStats", "eventJoinForm")
_EVENTS = (*_EVENT_ROWS, "events", "eventSeries", "topics", "eventMembers", *OF_EVENT)
_FOR_ANYONE = (*_EVENTS, "tenant", "currentTenant", "tenants", *FOR_ANYONE, *TEAMS_FOR_ANYONE)
_OWN_ALONE = ("me", "myAuditEntries", "myImpersonations", "myTenants")
_FOR_SIGNED_IN = (*_OWN_ALONE, *ACCOUNT_ROWS, *ACCOUNT_LISTS, *FOR_SIGNED_IN)
"""The queries that are not for members alone."""

_PROFILES, _TEAMS = ("profile", "profileOfUser", "myProfile"), ("team", "teamMember", "teamRequest")

_OWN = ("email", "verifiedAt", "locale", "timezone", "createdAt", "termsAcceptedAt")
"""What a person shows of their account to nobody."""


class Oracle:
    """Answers for one viewer. pages: how it cuts lists."""

    def __init__(self, world: World, claim: Claim) -> None:
        self._world = world
        self._tenant, self._me = claim.tenant_id, claim.user_id
        self._tenancy = TenancyOracle(world.tables, claim)
        self._teams = TeamsOracle(world.tables, claim, is_member=self._tenancy.role is not None)
        self._account = Account(world.tables, claim.user_id)
        self.pages = Pages(world, {"tag": self._tags, "category": self._categories})
        self._people = People(world, self._tenant, self._me)
        self.users = self._people.users

    def answer(self, schema: GraphQLSchema, text: str, variables: dict[str, Any]) -> Answer:
        """The expected answer to a valid document."""
        result = execute_sync(schema, parse(text), variable_values=variables, field_resolver=self._resolve)
        if result.errors:
            original = result.errors[0].original_error
            if not isinstance(original, Refused):
                raise result.errors[0]
            return Answer(None, original.code)
        return Answer(result.data, None)

    def _rows(self, table: str) -> list[Row]:
        return [row for row in self._world.tables[table] if row["tenant_id"] == self._tenant]

    @cached_property
    def events(self) -> dict[UUID, Row]:
        return {row["id"]: row for row in self._rows("events")}

    @cached_property
    def _audited(self) -> dict[UUID, Row]:
        return {row["id"]: row for row in self._rows("audit_rows")}

    @cached_property
    def messages(self) -> list[Row]:
        """Every message, whoever may see it."""
        return self._rows("messages")

    @cached_property
    def _members(self) -> list[Row]:
        return self._rows("event_members")

    @cached_property
    def _mine(self) -> dict[UUID, Row]:
        """The viewer's own memberships by event."""
        return {row["event_id"]: row for row in self._members if self._me and row["user_id"] == self._me}

    @cached_property
    def _seats(self) -> dict[UUID, Row]:
        """The viewer's own seats by room."""
        return {row["room_id"]: row for row in self._rows("room_seats") if row["user_id"] == self._me}

    @cached_property
    def _told(self) -> list[Row]:
        """What the viewer was told and has not deleted."""
        rows = [row for row in self._rows("notifications") if row["user_id"] == self._me]
        return [row for row in rows if row["deleted_at"] is None]

    @cached_property
    def _kept(self) -> list[Row]:
        """The viewer's favourites among the events that they see."""
        rows = [row for row in self._rows("event_favourites") if row["user_id"] == self._me]
        return [row for row in rows if self._seen_event(row["event_id"])]

    @cached_property
    def _sponsorship(self) -> Sponsorship:
        return Sponsorship(self._rows("event_sponsorships"), self._rows("event_favourites"))

    def _said_in(self, room_id: UUID) -> list[Row]:
        return [row for row in self.messages if row["room_id"] == room_id]

    def _unread_in(self, seat: Row) -> int:
        new = [row for row in self._said_in(seat["room_id"]) if row["sequence"] > seat["read_sequence"]]
        return len([row for row in new if row["author_id"] != self._me and row["deleted_at"] is None])

    @cached_property
    def _tags(self) -> dict[UUID, list[str]]:
        rows = self._rows("event_tags")
        return {each: [row["tag"] for row in rows if row["event_id"] == each] for each in self.events}

    @cached_property
    def _topics(self) -> dict[UUID, Row]:
        return {row["id"]: row for row in self._rows("topics")}

    @cached_property
    def _categories(self) -> dict[UUID, list[str]]:
        return slugs_held(self._topics, self._rows("event_categories"), self.events)

    def _is_seated(self, event: Row) -> bool:
        return bool(self._mine.get(event["id"], {}).get("status") == "JOINED")

    def _organises(self, event: Row) -> bool:
        return self._is_seated(event) and self._mine[event["id"]]["role"] in ("OWNER", "MODERATOR")

    @cached_property
    def _joining(self) -> Joining:
        def runs(event_id: UUID) -> bool:
            return self._organises(self.events[event_id])

        return Joining(self._members, self._mine, self._world.tables["blocks"], self._me, runs)

    def sees_event(self, event: Row) -> bool:
        """Deleted ones for nobody; drafts for organisers; hidden events for whom they concern; the rest for all."""
        if event["status"] == "DELETED" or self._organises(event):
            return bool(event["status"] != "DELETED")
        own = self._mine.get(event["id"])
        attends = own is not None and own["status"] in ("JOINED", "WAITLIST", "PENDING", "INVITED")
        return event["status"] in ("PUBLISHED", "CANCELLED") and (event["visibility"] == "PUBLIC" or attends)

    def _seen_event(self, event_id: UUID) -> Row | None:
        event = self.events.get(event_id)
        return event if event and self.sees_event(event) else None

    def _sees_membership(self, member: Row) -> bool:
        return sees_membership(member, self.events[member["event_id"]], self._mine, self._me)

    def _runs(self, row: Row) -> bool:
        return self._organises(self.events[row["event_id"]])

    def _memberships(self, event: Row) -> list[Row]:
        """The memberships of a visible event that the viewer sees."""
        return [row for row in self._members if row["event_id"] == event["id"] and self._sees_membership(row)]

    def _attendance(self, event: Row) -> list[Row]:
        """Who has a place, as far as the viewer may know whether they came."""
        seated = [row for row in self._memberships(event) if row["status"] == "JOINED"]
        return seated if self._organises(event) else [row for row in seated if row["user_id"] == self._me]

    def _resolve(self, source: Any, info: GraphQLResolveInfo[Any], **given: Any) -> Any:
        parent, name = info.parent_type.name, info.field_name
        if parent == "Query":
            return self._root(name, given)
        if isinstance(source, Connection):
            return source[name]
        if parent in _NESTED and name == _NESTED[parent][0]:
            return self.pages.page(self._nested(parent, source), given)
        if computed := self._computed.get(f"{parent}.{name}"):
            return computed(source)
        if name in _TARGETS:
            return self.users[source[_TARGETS[name]]]
        return plain(source, name)

    @cached_property
    def _computed(self) -> dict[str, Callable[[Row], Any]]:
        """What is no column shown to everybody, by type and field."""
        return self._people.computed | {
            **self._teams.computed,
            **self._joining.fields(),
            **permission_fields(self._mine, self._members),
            "EventMemberChange.actor": lambda row: self.users.get(row["actor_id"]),
            "EventMemberChange.event": lambda row: self._seen_event(row["event_id"]),
            **{
                f"{kind}.event": lambda row: self._seen_event(row["event_id"])
                for kind, _ in (OF_EVENT | OF_HEARERS | OF_ORGANISERS).values()
            },
            "AgendaHost.user": lambda host: self.users.get(host["user_id"]),
            "AgendaHost.item": lambda host: self._agenda[host["item_id"]],
            "EventFavourite.event": lambda kept: self._seen_event(kept["event_id"]),
            "Event.isFavourite": lambda event: event["id"] in {row["event_id"] for row in self._kept},
            "Event.distanceKm": lambda event: event.get("distance_km"),
            "Event.categories": lambda event: sorted(self._categories[event["id"]]),
            "Event.tags": lambda event: sorted(self._tags[event["id"]]),
            **computed_of(self._mine),
            **self._sponsorship.fields(),
            "SponsorshipEntry.by": lambda line: self.users.get(line["by_id"]),
            "EventAttendance.event": lambda member: self._seen_event(member["event_id"]),
            "EventMember.event": lambda member: self._seen_event(member["event_id"]),
            "EventInvitation.user": lambda row: self.users.get(row["user_id"]),
            "EventChat.event": lambda seat: self._seen_event(seat["room_id"]),
            "EventChat.lastSequence": lambda seat: len(self._said_in(seat["room_id"])),
            "EventChat.unreadCount": self._unread_in,
            "Message.deletionReason": lambda said: said["deletion_reason"] if said["author_id"] == self._me else None,
            "Notification.subject": self._subject,
            "NotificationBadge.unreadCount": lambda _: len([row for row in self._told if row["read_at"] is None]),
            "Tenant.ownRole": self._tenancy.own_role,
            "SecondFactor.backupCodesLeft": self._account.codes_left,
            **audit_fields(self._me, self.users),
            **{f"User.{name}": self._of_oneself(name) for name in _OWN},
        }

    def _of_oneself(self, name: str) -> Callable[[Row], Any]:
        return lambda person: plain(person, name) if person["id"] == self._me else None

    def _subject(self, notification: Row) -> Row | None:
        """What a notification is about, with the name of its type, if the viewer sees it."""
        kind, row_id, found = notification["subject_kind"], notification["subject_id"], None
        if kind == "Event":
            found = self._seen_event(row_id)
        elif kind == "EventMember":
            members = (row for row in self._members if self._seen_event(row["event_id"]) and self._sees_membership(row))
            found = next((row for row in members if row["id"] == row_id), None)
        return None if found is None else {**found, "__typename": kind}

    def nested(self, name: str) -> list[List]:
        """The lists that are fields of that name, of everything that has one."""
        kind = next(kind for kind, (field, _) in _NESTED.items() if field == name)
        return [self._nested(kind, row) for row in self._rows(_NESTED[kind][1])]

    def _nested(self, kind: str, source: Row) -> List:
        if kind == "Event":
            return List("EventMember", "Event.members", self._memberships(source))
        if kind == "EventInviteLink":
            uses = [row for row in self._rows("event_invite_link_uses") if row["link_id"] == source["id"]]
            return List("EventInviteLinkUse", "EventInviteLink.log", uses if self._runs(source) else [])
        hosts = [row for row in self._rows("event_agenda_hosts") if row["item_id"] == source["id"]]
        return List("AgendaHost", "AgendaItem.hosts", hosts)

    @cached_property
    def _agenda(self) -> dict[UUID, Row]:
        return {row["id"]: row for row in self._rows("event_agenda_items")}

    def may_ask(self, name: str) -> bool:
        """Whether the viewer may ask a query at all."""
        if name in _FOR_ANYONE:
            return True
        if (permission := QUERIES[name].permission) is not None:
            return permission in ROLES.get(self._tenancy.role or "", ())
        return self._me is not None if name in _FOR_SIGNED_IN else self._tenancy.role is not None

    def _refusal(self, name: str) -> str | None:
        if not self.may_ask(name):
            no_member = "UNAUTHENTICATED" if self._me is None else "NOT_A_MEMBER"
            return "FORBIDDEN" if self._tenancy.role else no_member
        return "FORBIDDEN" if name in FOR_NOBODY else None

    def _root(self, name: str, given: dict[str, Any]) -> Any:
        if refusal := self._refusal(name):
            raise Refused(refusal)
        if name in ("me", "myNotificationBadge"):
            return self.users[self._me] if self._me else None
        if name in ("role", "tenantMember"):
            return role(given) if name == "role" else self._tenancy.member(UUID(given["userId"]))
        if name in ACCOUNT_ROWS:
            return self._account.row(name, given)
        if name in (*_PROFILES, *_TEAMS):
            return (self._people if name in _PROFILES else self._teams).one(name, given)
        by_id: dict[str, Callable[[UUID], Row | None]] = dict.fromkeys(
            ("apiKey", "serviceAccount", "eventSeries"), nobody
        )
        by_id |= dict.fromkeys(("event", "eventMemberStats", "eventPermissions"), self._seen_event)
        by_id |= {"auditEntry": self._audited.get, "topic": self._topics.get}
        if name in by_id:
            return by_id[name](UUID(given["id"]))
        if name in ("tenant", "currentTenant"):
            return self._tenancy.tenant(UUID(given["id"]) if given else self._tenant)
        if name == "myMembershipForEvent":
            own = self._mine.get(UUID(given["eventId"]))
            return own if own and self._seen_event(own["event_id"]) else None
        if name == "eventSponsorship":
            event = self._seen_event(UUID(given["eventId"]))
            return event if event and self._organises(event) else None
        if name == "myEventChat":
            seat = self._seats.get(UUID(given["eventId"]))
            return seat if seat and self._seen_event(seat["room_id"]) else None
        if name in ONE_OF:
            whole, column, key = ONE_OF[name]
            listed = self.root_list(whole, given)
            return next((row for row in (listed.rows if listed else []) if str(row[column]) == given[key]), None)
        found = self.root_list(name, given)
        return None if found is None else self.pages.page(found, given)

    def root_list(self, name: str, given: dict[str, Any]) -> List | None:
        """A root list; None when its parent is not visible."""
        known = self._tenancy.list(name) or access_list(name) or managed(name, given, self.events, self._members)
        if known := known or audit_list(name, self._rows("audit_rows"), self._me):
            return known
        if self._teams.knows(name):
            return self._teams.listed(name, given)
        if name == "events":
            every = "status" in filters_of(given)
            seen = [row for row in self.events.values() if self.sees_event(row)]
            return List("Event", name, [row for row in seen if every or row["status"] != "CANCELLED"])
        if name in (*FOR_ANYONE, *FOR_SIGNED_IN):
            return self._people.listed(name, given)
        if name == "topics":
            return List("Topic", name, [*self._topics.values()])
        if name == "myEventChats":
            return List("EventChat", name, [row for row in self._seats.values() if self._seen_event(row["room_id"])])
        if name in ACCOUNT_LISTS:
            return List(ACCOUNT_LISTS[name], name, self._account.rows(name))
        if name == "myEventMemberships":
            return List("EventMember", name, [row for row in self._mine.values() if self._seen_event(row["event_id"])])
        if name == "myFavourites":
            return List("EventFavourite", name, self._kept)
        if name == "myEvents":
            return self._my_events(name, given)
        if name == "myNotifications":
            wanted = given.get("unreadOnly", False)
            unread = [row for row in self._told if not (wanted and row["read_at"])]
            return List("Notification", name, unread, {"unread_only": wanted})
        return self._of_event(name, given)

    def _of_event(self, name: str, given: dict[str, Any]) -> List | None:
        event = self._seen_event(UUID(given["eventId"]))
        if event is None:
            return None
        chosen: dict[str, object] = {"event_id": event["id"]}
        if name == "eventMessages":
            said = self._said_in(event["id"]) if event["id"] in self._seats else []
            return List("Message", name, said, chosen)
        if name == "eventMessageVersions":
            message_id = UUID(given["messageId"])
            shown = self._versions_of(message_id, event)
            return List("MessageVersion", name, shown, {**chosen, "message_id": message_id})
        if name in OF_EVENT:
            kind, table = OF_EVENT[name]
            rows = [row for row in self._rows(table) if row["event_id"] == event["id"]]
            return List(kind, name, [row for row in rows if is_shown(row, seated=self._is_seated(event))], chosen)
        if name in OF_HEARERS:
            return List("Announcement", name, self._announced(event), chosen)
        if name == "eventMemberChanges":
            person = UUID(given["userId"])
            found = self._joining.changes(self._rows("event_member_changes"), event["id"], person)
            return List("EventMemberChange", name, found, {**chosen, "user_id": person})
        if name in OF_ORGANISERS:
            kind, table = OF_ORGANISERS[name]
            kept = [row for row in self._rows(table) if row["event_id"] == event["id"]]
            return List(kind, name, kept if self._organises(event) else [], chosen)
        if name == "eventMembers":
            return List("EventMember", name, self._memberships(event), chosen)
        if name == "eventSponsorshipEntries":
            return (
                List("SponsorshipEntry", name, self._sponsorship.book(event), chosen)
                if self._organises(event)
                else None
            )
        if name == "eventAttendance":
            return List("EventAttendance", name, self._attendance(event), chosen)
        raise LookupError(f"the oracle has no plain resolver for the query {name}; write it here")

    def _announced(self, event: Row) -> list[Row]:
        rows = [row for row in self._rows("event_announcements") if row["event_id"] == event["id"]]
        return [row for row in rows if is_for(row, self._mine.get(event["id"]), organises=self._organises(event))]

    def _versions_of(self, message_id: UUID, event: Row) -> list[Row]:
        living = {row["id"] for row in self._said_in(event["id"]) if row["deleted_at"] is None}
        versions = [row for row in self._rows("message_versions") if row["message_id"] == message_id]
        return versions if message_id in living and self._organises(event) else []

    def _my_events(self, name: str, given: dict[str, Any]) -> List:
        role, status, upcoming = (given.get(key) for key in ("role", "membershipStatus", "upcoming"))
        own = self._joining.attended(role, status)
        seen = [event for row in own if (event := self._seen_event(row["event_id"]))]
        rows = [row for row in seen if upcoming is None or (row["ends_at"] > datetime.now(UTC)) is upcoming]
        return List("Event", name, rows, {"role": role, "membership_status": status, "upcoming": upcoming})
