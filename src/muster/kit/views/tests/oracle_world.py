"""A small dense world in the database, full of nulls, ties and hostile text, and the same world as plain rows."""

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from muster.kit.caller import Claim
from muster.kit.views.tests.oracle_account import account_of
from muster.kit.views.tests.oracle_doors import PORTER, doors_of, role_of
from muster.kit.views.tests.oracle_events import more_of_event
from muster.kit.views.tests.oracle_joining import changes_of
from muster.kit.views.tests.oracle_programme import around_event, arrival
from muster.kit.views.tests.oracle_search import Circle, distances_of, know_title_words, ranks_of
from muster.kit.views.tests.oracle_teams import teams_of
from muster.kit.views.tests.oracle_told import told_of
from muster.kit.views.tests.oracle_topics import cities_of, topic_rows
from muster.kit.views.tests.oracle_values import (
    BASE,
    CIRCLES,
    HOSTILE,
    MOMENTS,
    SEARCHES,
    STANDINGS,
    WORDS,
    join_window,
)

Row = dict[str, Any]

MAIN = UUID("00000000-0000-7000-8000-000000000001")
"""The default tenant, which a migration makes."""
_MAIN_PEOPLE, _PEOPLE, _EVENTS, _OTHER_EVENTS = 18, 24, 36, 8


@dataclass(frozen=True)
class World:
    """Rows by table, every tenant's; who reads them; the ranks of each search by event and by member, and the distances
    from the middle of each circle.
    """

    tables: dict[str, list[Row]]
    viewers: dict[str, Claim]
    ranks: dict[str, dict[UUID, float]]
    distances: dict[Circle, dict[UUID, float]]


class _Builder:
    """Makes rows, the same ones each time."""

    def __init__(self) -> None:
        self.random = random.Random(20260101)
        self.tables: dict[str, list[Row]] = {}
        self.other = self._id()

    def build(self) -> dict[str, list[Row]]:
        self._add(
            "tenants",
            id=self.other,
            slug="north",
            name="North",
            is_default=False,
            allows_unverified=False,
            created_at=BASE,
            kind="CLUB",
            locale="pl",
            timezone="Europe/Warsaw",
            country="PL",
            is_listed=True,
            join_policy="REQUEST",
            keeps_content=True,
            limits_events=True,
            status="ACTIVE",
            status_reason=None,
            deletes_at=None,
            logo_url=None,
            primary_colour="#2f6f62",
            accent_colour=None,
            terms=Jsonb({"EVENT": {"one": "Match", "many": "Matches"}}),
            version=1,
        )
        for row in cities_of(self.random):
            self._add("cities", **row)
        people = [self._person(number) for number in range(_PEOPLE)]
        for table, values in told_of(self.random, people):
            self._add(table, **values)
        main, north = people[:_MAIN_PEOPLE], [people[0], *people[_MAIN_PEOPLE:-1]]
        for tenant, group in ((MAIN, main), (self.other, north)):
            self._community(tenant, group)
        return self.tables

    def _community(self, tenant: UUID, group: list[UUID]) -> None:
        self._add("custom_roles", **role_of(self.random, tenant))
        for number, person in enumerate(group):
            status = "SUSPENDED" if number == _MAIN_PEOPLE - 1 else "ACTIVE"
            role = {1: "inspector", 12: PORTER}.get(number) or ("participant", "participant", "spectator")[number % 3]
            joined_at = self.random.choice(MOMENTS)
            self._in(tenant, "members", user_id=person, role=role, status=status, joined_at=joined_at)
        topics = []
        for row in topic_rows(self.random, tenant):
            self._add("topics", **row)
            topics.append(row["id"])
        for _ in range(_EVENTS if tenant == MAIN else _OTHER_EVENTS):
            self._event(tenant, group, topics)
        for table, values in teams_of(self.random, tenant, group):
            self._add(table, **values)
        teams = [row["id"] for row in self.tables["teams"] if row["tenant_id"] == tenant]
        for table, values in doors_of(self.random, tenant, group, teams):
            self._add(table, **values)
        for person in group:
            self._notifications(tenant, person)
            self._audited(tenant, group)

    def _person(self, number: int) -> UUID:
        person = self._id()
        self._add(
            "users",
            id=person,
            name=self._text(number),
            email=f"{number} {self._text()}",
            created_at=BASE,
            verified_at=BASE,
        )
        for table, values in account_of(self.random, person):
            self._add(table, **values)
        return person

    def _event(self, tenant: UUID, group: list[UUID], topics: list[UUID]) -> None:
        pick, maybe = self.random.choice, self._maybe
        owner = pick(group[:3])
        has_point = self.random.random() < 0.5
        event = self._in(
            tenant,
            "events",
            owner_id=owner,
            title=self._text(),
            description=self._text(),
            starts_at=(starts_at := pick(MOMENTS)),
            ends_at=starts_at + timedelta(hours=self.random.randint(1, 9)),
            timezone=self._text(),
            meeting_kind=pick(("ONSITE", "ONLINE", "HYBRID")),
            online_url=maybe(self._text()),
            address=maybe(self._text()),
            latitude=pick((0.1 + 0.2, -90.0, 1e-300, 51.5)) if has_point else None,
            longitude=pick((-0.0, 179.99999999999997, 5e-324, 1 / 3)) if has_point else None,
            join_mode=pick(("OPEN", "REQUEST", "INVITE_ONLY")),
            **join_window(self.random),
            mode=pick(("ONE_TO_ONE", "GROUP", "CUSTOM")),
            min=1,
            max=maybe(99_999),
            visibility=pick(("PUBLIC", "PUBLIC", "HIDDEN")),
            status=(status := pick(("PUBLISHED",) * 4 + ("DRAFT", "DRAFT", "CANCELLED", "DELETED"))),
            cancelled_at=pick(MOMENTS) if status == "CANCELLED" else None,
            cancel_reason=maybe(self._text()),
            url=maybe(self._text()),
            city=maybe(pick(WORDS)),
            country=maybe(pick(WORDS)),
            updated_at=pick(MOMENTS),
            version=self.random.randint(1, 9),
            published_at=maybe(pick(MOMENTS)),
            joined_count=pick((0, 7, 50, 99, 100, 109, 1_049, 10_999)),
            last_queue_number=0,
            created_at=pick(MOMENTS),
            **more_of_event(self.random),
        )
        messages = pick((0, 0, 1, 2, 21))
        self._in(tenant, "rooms", event, last_sequence=messages)
        for table, values in around_event(self.random, tenant, event, group):
            self._add(table, **values)
        for topic in self.random.sample(topics[::2], k=pick((0, 1, 3))):
            self._in(tenant, "event_categories", event_id=event, topic_id=topic)
        self._members(tenant, event, owner, group)
        if self.random.random() < 0.5:
            self._in(tenant, "event_join_forms", event_id=event, version=1, questions=Jsonb([{"label": self._text()}]))
        for number in range(messages):
            self._message(tenant, event, number + 1, group)

    def _members(self, tenant: UUID, event: UUID, owner: UUID, group: list[UUID]) -> None:
        pick, others = self.random.choice, [person for person in group if person != owner]
        self._membership(tenant, event, owner, "OWNER", "JOINED", None)
        for number, person in enumerate(self.random.sample(others, self.random.randint(0, len(others)))):
            status = pick(STANDINGS)
            role = pick(("PARTICIPANT", "PARTICIPANT", "MODERATOR"))
            self._membership(tenant, event, person, role, status, number * 3 if status == "WAITLIST" else None)

    def _membership(
        self, tenant: UUID, event: UUID, person: UUID, role: str, status: str, queue_number: int | None
    ) -> None:
        self._in(
            tenant,
            "event_members",
            event_id=event,
            user_id=person,
            role=role,
            status=status,
            asked_at=self.random.choice(MOMENTS),
            joined_at=self._maybe(BASE),
            queue_number=queue_number,
            asked_number=1,
            answers=self.random.choice((None, Jsonb([{"text": self._text()}]))),
            note=self._maybe(self._text()),
            **arrival(self.random),
            party_size=self.random.randint(1, 6),
            guest_names=self._maybe("\n".join(self.random.choices((*WORDS, ""), k=2))),
            offer_expires_at=self._maybe(BASE) if status == "WAITLIST" else None,
        )
        for _ in range(self.random.choice((0, 1, 2))):
            self._add("event_member_changes", **changes_of(self.random, tenant, event, person, status))
        if status == "JOINED" and self.random.random() < 0.9:
            self._in(
                tenant,
                "room_seats",
                room_id=event,
                user_id=person,
                read_sequence=self.random.randint(0, self.tables["rooms"][-1]["last_sequence"]),
                told_sequence=0,
                muted_at=self._maybe(BASE),
            )

    def _message(self, tenant: UUID, event: UUID, sequence: int, group: list[UUID]) -> None:
        pick, author = self.random.choice, self.random.choice(group)
        deleted_at = pick((None, None, None, BASE))
        message = self._in(
            tenant,
            "messages",
            room_id=event,
            sequence=sequence,
            author_id=author,
            content=None if deleted_at else self._text(),
            created_at=pick(MOMENTS),
            edited_at=self._maybe(BASE),
            deleted_at=deleted_at,
            deletion_reason=self._maybe(self._text()) if deleted_at else None,
        )
        for _ in range(pick((0, 0, 1, 3))):
            self._in(
                tenant,
                "message_versions",
                message_id=message,
                author_id=author,
                content=self._text(),
                written_at=pick(MOMENTS),
            )

    def _notifications(self, tenant: UUID, person: UUID) -> None:
        for _ in range(self.random.choice((0, 1, 3, 22))):
            subject = self._subject(tenant)
            data: object = self.random.choice(({}, [], 1.5, "", {self._text(): [self._text(), None, True, {"a": 1}]}))
            self._in(
                tenant,
                "notifications",
                user_id=person,
                fact_id=self._id(),
                kind=self._text(),
                data=Jsonb(data),
                subject_kind=subject[0],
                subject_id=subject[1],
                created_at=self.random.choice(MOMENTS),
                read_at=self._maybe(BASE),
                deleted_at=self.random.choice((None, None, None, BASE)),
            )

    def _audited(self, tenant: UUID, group: list[UUID]) -> None:
        pick, maybe = self.random.choice, self._maybe
        self._in(
            tenant,
            "audit_rows",
            at=pick(MOMENTS),
            actor_kind=pick(("person", "system")),
            actor_id=maybe(pick(group)),
            acted_as=maybe(pick([*group, self._id()])),
            reason=maybe(self._text()),
            verb=pick(SEARCHES),
            outcome=pick(("done", *SEARCHES)),
            object_id=maybe(pick(group)),
            agent=maybe(self._text()),
            request_id=self._text(),
            changes=maybe(Jsonb([{self._text(): None}])),
        )

    def _subject(self, tenant: UUID) -> tuple[str | None, UUID | None]:
        """What a notification is about: now and then nothing, what nobody has heard of, or what is gone."""
        kind = self.random.choice(("Event", "Event", "EventMember", "EventMember", "Unheard", None))
        table = {"EventMember": "event_members"}.get(kind or "", "events")
        rows = [row["id"] for row in self.tables[table] if row["tenant_id"] == tenant]
        return (None, None) if kind is None else (kind, self.random.choice([*rows, self._id()]))

    def _in(self, tenant: UUID, table: str, row_id: UUID | None = None, **values: object) -> UUID:
        row_id = row_id or self._id()
        self._add(table, tenant_id=tenant, id=row_id, **values)
        return row_id

    def _add(self, table: str, **values: object) -> None:
        self.tables.setdefault(table, []).append(values)

    def _id(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def _text(self, number: int | None = None) -> str:
        return self.random.choice(HOSTILE) if number is None else HOSTILE[number % len(HOSTILE)]

    def _maybe(self, value: object) -> object:
        return value if self.random.random() < 0.6 else None


def fill(owner_url: str) -> World:
    """Put the world into an empty database and load it back as plain rows.

    owner_url: of the role that owns the database, which sees rows only in maintenance.
    """
    built = _Builder().build()
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("set muster.maintenance = 'on'")
        # A trigger has made those by then, as they are by default.
        emptied = {"profiles": "delete from profiles"}
        for table, rows in built.items():
            connection.execute(emptied.get(table, "").encode())
            names = sql.SQL(", ").join(map(sql.Identifier, rows[0]))
            places = sql.SQL(", ").join([sql.Placeholder()] * len(rows[0]))
            insert = sql.SQL("insert into {} ({}) values ({})").format(sql.Identifier(table), names, places)
            connection.cursor().executemany(insert, [list(row.values()) for row in rows])
        cursor = connection.cursor(row_factory=dict_row)
        tables = {
            table: cursor.execute(sql.SQL("select * from {}").format(sql.Identifier(table))).fetchall()
            for table in built
        }
        know_title_words(connection)
        ranks = {words: ranks_of(connection, words) for words in SEARCHES}
        distances = {circle: distances_of(connection, circle) for circle in CIRCLES}
    return World(tables, _viewers(tables), ranks, distances)


def _viewers(tables: dict[str, list[Row]]) -> dict[str, Claim]:
    people: list[UUID] = [row["id"] for row in tables["users"]]
    other = next(row["id"] for row in tables["tenants"] if row["slug"] == "north")

    def claim(tenant: UUID, person: UUID) -> Claim:
        return Claim(tenant, person, person)

    return {
        "anonymous": Claim(MAIN),
        "owner": claim(MAIN, people[0]),
        "organiser": claim(MAIN, people[1]),
        "member": claim(MAIN, people[7]),
        "another member": claim(MAIN, people[12]),
        "suspended": claim(MAIN, people[_MAIN_PEOPLE - 1]),
        "visitor": claim(MAIN, people[-1]),
        "member of another tenant": claim(other, people[_MAIN_PEOPLE]),
    }
