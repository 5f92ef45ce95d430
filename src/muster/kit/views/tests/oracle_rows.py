"""The oracle: graphql-core's own executor over plain rows. Slow and obviously right: no SQL, no compiler, only lists."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from graphql import GraphQLResolveInfo, GraphQLSchema, execute_sync, parse

from muster.kit.caller import Claim
from muster.kit.views.query import QUERIES
from muster.kit.views.tests.oracle_access import access_list, gives, nobody, role
from muster.kit.views.tests.oracle_account import ACCOUNT_LISTS, ACCOUNT_ROWS, Account
from muster.kit.views.tests.oracle_audit import audit_fields, audit_list
from muster.kit.views.tests.oracle_chat import Chat
from muster.kit.views.tests.oracle_cursors import plain
from muster.kit.views.tests.oracle_events import computed_of, managed
from muster.kit.views.tests.oracle_filters import filters_of
from muster.kit.views.tests.oracle_joining import Joining
from muster.kit.views.tests.oracle_lists import ONE_OF, Answer, Connection, List, Refused
from muster.kit.views.tests.oracle_pages import Pages
from muster.kit.views.tests.oracle_people import FOR_ANYONE, FOR_SIGNED_IN, People
from muster.kit.views.tests.oracle_permissions import permission_fields
from muster.kit.views.tests.oracle_programme import OF_EVENT, OF_HEARERS, OF_ORGANISERS, is_for, is_shown
from muster.kit.views.tests.oracle_sponsorship import Sponsorship
from muster.kit.views.tests.oracle_standing import Standing
from muster.kit.views.tests.oracle_teams import TEAMS_FOR_ANYONE, TeamsOracle
from muster.kit.views.tests.oracle_tenancy import TENANCY_ROWS, TenancyOracle
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
_FOR_ANYONE = (*_EVENTS, "city", "cities", "tenant", "currentTenant", "tenants", *FOR_ANYONE, *TEAMS_FOR_ANYONE)
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
    def _members(self) -> list[Row]:
        return self._rows("event_members")

    @cached_property
    def _standing(self) -> Standing:
        return Standing(self.events, self._members, self._me)

    @cached_property
    def chat(self) -> Chat:
        """What is said at the events of the community."""
        said, versions, seats = (self._rows(table) for table in ("messages", "message_versions", "room_seats"))
        return Chat(said, versions, seats, self._me, self._standing.runs)

    @cached_property
    def _told(self) -> list[Row]:
        """What the viewer was told and has not deleted."""
        rows = [row for row in self._rows("notifications") if row["user_id"] == self._me]
        return [row for row in rows if row["deleted_at"] is None]

    @cached_property
    def _kept(self) -> list[Row]:
        """The viewer's favourites among the events that they see."""
        rows = [row for row in self._rows("event_favourites") if row["user_id"] == self._me]
        return [row for row in rows if self._standing.seen(row["event_id"])]

    @cached_property
    def _sponsorship(self) -> Sponsorship:
        return Sponsorship(self._rows("event_sponsorships"), self._rows("event_favourites"))

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

    def _usage(self, topic: Row) -> int:
        """How many events have a topic; a tag is held by its slug."""
        held = self._categories if topic["kind"] == "CATEGORY" else self._tags
        return len([slugs for slugs in held.values() if topic["slug"] in slugs])

    @cached_property
    def _joining(self) -> Joining:
        return Joining(self._members, self._standing.mine, self._world.tables["blocks"], self._me, self._standing.runs)

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
            **permission_fields(self._standing.mine, self._members),
            "EventMemberChange.actor": lambda row: self.users.get(row["actor_id"]),
            "EventMemberChange.event": lambda row: self._standing.seen(row["event_id"]),
            **{
                f"{kind}.event": lambda row: self._standing.seen(row["event_id"])
                for kind, _ in (OF_EVENT | OF_HEARERS | OF_ORGANISERS).values()
            },
            "AgendaHost.user": lambda host: self.users.get(host["user_id"]),
            "AgendaHost.item": lambda host: self._agenda[host["item_id"]],
            "EventFavourite.event": lambda kept: self._standing.seen(kept["event_id"]),
            "Event.isFavourite": lambda event: event["id"] in {row["event_id"] for row in self._kept},
            "Event.distanceKm": lambda event: event.get("distance_km"),
            "Event.categories": lambda event: sorted(self._categories[event["id"]]),
            "Event.tags": lambda event: sorted(self._tags[event["id"]]),
            **computed_of(self._standing.mine),
            **self._sponsorship.fields(),
            "SponsorshipEntry.by": lambda line: self.users.get(line["by_id"]),
            "EventAttendance.event": lambda member: self._standing.seen(member["event_id"]),
            "EventOwnershipOffer.event": lambda offer: self._standing.seen(offer["event_id"]),
            "EventMember.event": lambda member: self._standing.seen(member["event_id"]),
            "EventInvitation.user": lambda row: self.users.get(row["user_id"]),
            "EventChat.event": lambda seat: self._standing.seen(seat["room_id"]),
            **self.chat.fields(),
            "Notification.subject": self._subject,
            "NotificationBadge.unreadCount": lambda _: len([row for row in self._told if row["read_at"] is None]),
            **self._tenancy.fields(self.users, self._teams.seen),
            "SecondFactor.backupCodesLeft": self._account.codes_left,
            "TopicUsage.eventsCount": self._usage,
            **audit_fields(self._me, self.users),
            **{f"User.{name}": self._of_oneself(name) for name in _OWN},
        }

    def _of_oneself(self, name: str) -> Callable[[Row], Any]:
        return lambda person: plain(person, name) if person["id"] == self._me else None

    def _subject(self, notification: Row) -> Row | None:
        """What a notification is about, with the name of its type, if the viewer sees it."""
        kind, row_id, found = notification["subject_kind"], notification["subject_id"], None
        if kind == "Event":
            found = self._standing.seen(row_id)
        elif kind == "EventMember":
            members = (
                row
                for row in self._members
                if self._standing.seen(row["event_id"]) and self._standing.sees_membership(row)
            )
            found = next((row for row in members if row["id"] == row_id), None)
        return None if found is None else {**found, "__typename": kind}

    def nested(self, name: str) -> list[List]:
        """The lists that are fields of that name, of everything that has one."""
        kind = next(kind for kind, (field, _) in _NESTED.items() if field == name)
        return [self._nested(kind, row) for row in self._rows(_NESTED[kind][1])]

    def _nested(self, kind: str, source: Row) -> List:
        if kind == "Event":
            return List("EventMember", "Event.members", self._standing.memberships(source))
        if kind == "EventInviteLink":
            uses = [row for row in self._rows("event_invite_link_uses") if row["link_id"] == source["id"]]
            return List(
                "EventInviteLinkUse", "EventInviteLink.log", uses if self._standing.runs(source["event_id"]) else []
            )
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
            return permission in gives(self._tenancy.role, self._rows("custom_roles"))
        return self._me is not None if name in _FOR_SIGNED_IN else self._tenancy.role is not None

    def _refusal(self, name: str) -> str | None:
        if self.may_ask(name):
            return None
        no_member = "UNAUTHENTICATED" if self._me is None else "NOT_A_MEMBER"
        return "FORBIDDEN" if self._tenancy.role else no_member

    def _root(self, name: str, given: dict[str, Any]) -> Any:
        if refusal := self._refusal(name):
            raise Refused(refusal)
        if name in ("me", "myNotificationBadge"):
            return self.users[self._me] if self._me else None
        if name == "role":
            return role(given, self._rows("custom_roles"))
        if name in TENANCY_ROWS:
            return self._tenancy.row(name, given)
        if name in ACCOUNT_ROWS:
            return self._account.row(name, given)
        if name in (*_PROFILES, *_TEAMS):
            return (self._people if name in _PROFILES else self._teams).one(name, given)
        by_id: dict[str, Callable[[UUID], Row | None]] = dict.fromkeys(
            ("apiKey", "serviceAccount", "eventSeries"), nobody
        )
        by_id |= dict.fromkeys(("event", "eventMemberStats", "eventPermissions"), self._standing.seen)
        by_id |= {"auditEntry": self._audited.get} | dict.fromkeys(("topic", "topicUsage"), self._topics.get)
        by_id["city"] = {row["id"]: row for row in self._world.tables["cities"]}.get
        if name in by_id:
            return by_id[name](UUID(given["id"]))
        if name in ("tenant", "currentTenant"):
            return self._tenancy.tenant(UUID(given["id"]) if given else self._tenant)
        if name in self._of_one_event:
            event = self._standing.seen(UUID(given["eventId"]))
            return self._of_one_event[name](event) if event else None
        if name in ONE_OF:
            whole, column, key = ONE_OF[name]
            listed = self.root_list(whole, given)
            return next((row for row in (listed.rows if listed else []) if str(row[column]) == given[key]), None)
        found = self.root_list(name, given)
        return None if found is None else self.pages.page(found, given)

    @cached_property
    def _of_one_event(self) -> dict[str, Callable[[Row], Row | None]]:
        """Queries for one row of a visible event."""
        return {
            "eventOwnershipOffer": self._offered,
            "eventSponsorship": lambda event: event if self._standing.organises(event) else None,
            "myEventChat": lambda event: self.chat.seats.get(event["id"]),
            "myMembershipForEvent": lambda event: self._standing.mine.get(event["id"]),
        }

    def root_list(self, name: str, given: dict[str, Any]) -> List | None:
        """A root list; None when its parent is not visible."""
        known = self._tenancy.list(name, given) or access_list(name, self._rows("custom_roles"))
        known = known or managed(name, given, self.events, self._members)
        if known := known or audit_list(name, self._rows("audit_rows"), self._me):
            return known
        if self._teams.knows(name):
            return self._teams.listed(name, given)
        if name == "events":
            every = "status" in filters_of(given)
            seen = [row for row in self.events.values() if self._standing.sees(row)]
            return List("Event", name, [row for row in seen if every or row["status"] != "CANCELLED"])
        if name in (*FOR_ANYONE, *FOR_SIGNED_IN):
            return self._people.listed(name, given)
        if name in ("cities", "topics"):
            rows = self._world.tables["cities"] if name == "cities" else [*self._topics.values()]
            return List("City" if name == "cities" else "Topic", name, rows)
        if name == "myEventChats":
            return List(
                "EventChat", name, [row for row in self.chat.seats.values() if self._standing.seen(row["room_id"])]
            )
        if name in ACCOUNT_LISTS:
            return List(ACCOUNT_LISTS[name], name, self._account.rows(name))
        if name == "myEventMemberships":
            return List(
                "EventMember",
                name,
                [row for row in self._standing.mine.values() if self._standing.seen(row["event_id"])],
            )
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
        event = self._standing.seen(UUID(given["eventId"]))
        if event is None:
            return None
        chosen: dict[str, object] = {"event_id": event["id"]}
        if (said := self.chat.of_event(name, event["id"], given)) is not None:
            return said
        if name in OF_EVENT:
            kind, table = OF_EVENT[name]
            rows = [row for row in self._rows(table) if row["event_id"] == event["id"]]
            return List(
                kind, name, [row for row in rows if is_shown(row, seated=self._standing.is_seated(event))], chosen
            )
        if name in OF_HEARERS:
            return List("Announcement", name, self._announced(event), chosen)
        if name == "eventMemberChanges":
            person = UUID(given["userId"])
            found = self._joining.changes(self._rows("event_member_changes"), event["id"], person)
            return List("EventMemberChange", name, found, {**chosen, "user_id": person})
        if name in OF_ORGANISERS:
            kind, table = OF_ORGANISERS[name]
            kept = [row for row in self._rows(table) if row["event_id"] == event["id"]]
            return List(kind, name, kept if self._standing.organises(event) else [], chosen)
        if name == "eventMembers":
            return List("EventMember", name, self._standing.memberships(event), chosen)
        if name == "eventSponsorshipEntries":
            return (
                List("SponsorshipEntry", name, self._sponsorship.book(event), chosen)
                if self._standing.organises(event)
                else None
            )
        if name == "eventAttendance":
            return List("EventAttendance", name, self._standing.attendance(event), chosen)
        raise LookupError(f"the oracle has no plain resolver for the query {name}; write it here")

    def _offered(self, event: Row) -> Row | None:
        """The offer to own an event, where it is not over, for whom it concerns."""
        offers = [row for row in self._rows("event_ownership_offers") if row["event_id"] == event["id"]]
        open_ = [row for row in offers if row["expires_at"] > datetime.now(UTC)]
        return next((row for row in open_ if self._me in (row["user_id"], event["owner_id"])), None)

    def _announced(self, event: Row) -> list[Row]:
        rows = [row for row in self._rows("event_announcements") if row["event_id"] == event["id"]]
        return [
            row
            for row in rows
            if is_for(row, self._standing.mine.get(event["id"]), organises=self._standing.organises(event))
        ]

    def _my_events(self, name: str, given: dict[str, Any]) -> List:
        role, status, upcoming = (given.get(key) for key in ("role", "membershipStatus", "upcoming"))
        own = self._joining.attended(role, status)
        seen = [event for row in own if (event := self._standing.seen(row["event_id"]))]
        rows = [row for row in seen if upcoming is None or (row["ends_at"] > datetime.now(UTC)) is upcoming]
        return List("Event", name, rows, {"role": role, "membership_status": status, "upcoming": upcoming})
