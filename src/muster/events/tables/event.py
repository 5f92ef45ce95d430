"""The event's own row, and its tags."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKeyConstraint,
    Index,
    Integer,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import Erasure, Json, Search, TenantTable, one_of, personal, plain, state
from muster.profiles.tables import Disclosure


class EventStatus(StrEnum):
    """Where an event is in its life."""

    DRAFT = "DRAFT"
    SCHEDULED = "SCHEDULED"
    PUBLISHED = "PUBLISHED"
    CANCELLED = "CANCELLED"
    DELETED = "DELETED"


class Visibility(StrEnum):
    """Whether an event is found, or only seen by its team and members."""

    PUBLIC = "PUBLIC"
    HIDDEN = "HIDDEN"


class Level(StrEnum):
    """For whom an event is meant."""

    BEGINNER = "BEGINNER"
    INTERMEDIATE = "INTERMEDIATE"
    ADVANCED = "ADVANCED"


class MeetingKind(StrEnum):
    """Where people meet."""

    ONSITE = "ONSITE"
    ONLINE = "ONLINE"
    HYBRID = "HYBRID"


class JoinMode(StrEnum):
    """How people get in."""

    OPEN = "OPEN"
    REQUEST = "REQUEST"
    INVITE_ONLY = "INVITE_ONLY"


class Mode(StrEnum):
    """The size of the round."""

    ONE_TO_ONE = "ONE_TO_ONE"
    GROUP = "GROUP"
    CUSTOM = "CUSTOM"


_PUBLIC = text("'PUBLIC'::text")
_WORDS = (
    "to_tsvector('folded', title || ' ' || description || ' ' || coalesce(city, '') || ' ' || coalesce(country, ''))"
)
# Where a hidden place is said to be: the middle of a square of some five kilometres, the same one for all that lies in
# it, so that however many events at one place, asked for however often, tell no more. The number of squares to a degree
# of longitude falls with the cosine of the latitude.
_COARSE_LATITUDE = "round(latitude * 20) / 20"
_SQUARES = f"greatest(1, round(20 * cos(radians({_COARSE_LATITUDE}))))"
_COARSE_LONGITUDE = f"round(longitude * {_SQUARES}) / {_SQUARES}"
_SHOWN_LATITUDE, _SHOWN_LONGITUDE = (
    f"case when address_visibility = 'PUBLIC' then {exact} else {coarse} end"
    for exact, coarse in (("latitude", _COARSE_LATITUDE), ("longitude", _COARSE_LONGITUDE))
)
# Tens of heads, of the few fives: what changes it writes the row anew into all of its indexes, so few who come and go do.
_CROWD = (
    "case when joined_count < 10 then joined_count / 5 * 5 when joined_count < 1000 then joined_count / 10 * 10 "
    "when joined_count < 10000 then joined_count / 100 * 100 else joined_count / 1000 * 1000 end"
)
_LEVEL_SET = " + ".join(
    f"(case when '{level}' = any (levels) then {1 << number} else 0 end)" for number, level in enumerate(Level)
)


class EventPlan(StrEnum):
    """What an event may have and do, from the least to the most (`sponsorship/plans.py`)."""

    FREE = "FREE"
    PLUS = "PLUS"
    PRO = "PRO"


class WaitlistPolicy(StrEnum):
    """Who of a queue gets freed places: FIFO_STRICT is the first in it, who blocks it until their party fits; BEST_FIT is
    the first whose party fits.
    """

    FIFO_STRICT = "FIFO_STRICT"
    BEST_FIT = "BEST_FIT"


class Event(TenantTable):
    """An event. Its row is the lock that serialises whatever changes it or its members.

    shown_latitude, shown_longitude: the point that everybody may know of, and the only one that anything is found by,
    counted or drawn with: the exact one, or where the place is hidden from some, a coarse one.
    description_html: made of the description when that is written. price: in the smallest unit of its currency.
    levels: from the least to the most. appearance: as `updateEvent` takes it.
    publish_at: when a SCHEDULED one publishes itself.
    city_key, country_key: what lists are filtered by, whatever the case. source, source_id: where it was imported from,
    and source_digest what was said of it there.
    has_city_point: whether its point is only the middle of its city.
    map_x, map_y, map_cell: where it lies on the grid of the map (`map/grid.py`).
    crowd: `joined_count` in tens, which lists are ordered by. has_places: whether the number of places leaves any.
    level_set: `levels` as the digits of a number, the least first.
    join_opens_minutes_before_start and the three after it: the window in which people get in (`rules.Terms`).
    join_closed_at, join_closed_by_id, join_close_reason: that and why an organiser closed it by hand.
    may_ask_again: whether who was rejected may. has_join_form: whether it asks questions of who wants in.
    version: counts what its organisers change of it; who comes and goes does not count.
    joined_count: heads with a place, guests among them. held_count: heads whom a place is offered. offer_minutes: how
    long that is; null gives a freed place at once.
    plan_version: of its plan, as it was when the event was made. boosted_until: lists show it first until then.
    long that is; null gives a freed place at once. promotion_due_at: when who waits gets the places that are free; null while
    no window shuts these off, or none that opens by the clock alone.
    """

    __tablename__ = "events"
    __table_args__ = (
        one_of("status", EventStatus),
        one_of("visibility", Visibility),
        one_of("meeting_kind", MeetingKind),
        one_of("join_mode", JoinMode),
        one_of("mode", Mode),
        one_of("waitlist_policy", WaitlistPolicy),
        one_of("plan", EventPlan),
        CheckConstraint("ends_at > starts_at", name="ends_after_start"),
        CheckConstraint("max is null or joined_count + held_count <= max", name="capacity"),
        CheckConstraint("joined_count >= 0 and held_count >= 0", name="counts"),
        CheckConstraint("min >= 1 and (max is null or max >= min)", name="min_max"),
        CheckConstraint(
            "num_nonnulls(latitude, longitude) in (0, 2) "
            "and coalesce(latitude between -90 and 90 and longitude between -180 and 180, true)",
            name="point",
        ),
        CheckConstraint("status <> 'CANCELLED' or cancelled_at is not null", name="cancelled"),
        CheckConstraint(
            "join_opens_minutes_before_start between 0 and 10080 and join_cutoff_minutes_before_start between 0 and 10080 "
            "and late_join_cutoff_minutes_after_start between 0 and 10080",
            name="join_minutes",
        ),
        CheckConstraint(
            "join_opens_minutes_before_start > join_cutoff_minutes_before_start "
            "and (allow_join_late or late_join_cutoff_minutes_after_start is null)",
            name="join_window",
        ),
        CheckConstraint(
            "join_closed_at is not null or num_nonnulls(join_closed_by_id, join_close_reason) = 0", name="join_closed"
        ),
        CheckConstraint(
            "self_check_in_metres is null or self_check_in_metres between 10 and 10000", name="self_check_in"
        ),
        CheckConstraint("num_nonnulls(source, source_id) in (0, 2)", name="source"),
        CheckConstraint("source_digest is null or source is not null", name="source_digest"),
        UniqueConstraint("tenant_id", "source", "source_id"),
        Index("events_start_idx", "tenant_id", "starts_at", "id"),
        Index("events_newest_idx", "tenant_id", "created_at", "id"),
        Index("events_meeting_kind_idx", "tenant_id", "meeting_kind", "starts_at", "id"),
        Index("events_join_mode_idx", "tenant_id", "join_mode", "starts_at", "id"),
        Index("events_owner_idx", "tenant_id", "owner_id", "starts_at", "id"),
        Index("events_status_idx", "tenant_id", "status", "starts_at", "id"),
        Index("events_starting_idx", "starts_at", "tenant_id", postgresql_where="status = 'PUBLISHED'"),
        Index("events_ending_idx", "ends_at", "tenant_id", postgresql_where="status = 'PUBLISHED'"),
        Index(
            "events_shown_until_idx",
            "tenant_id",
            "ends_at",
            postgresql_where="visibility = 'PUBLIC' and status = 'PUBLISHED' and map_cell is not null",
        ),
        Index("events_city_key_idx", "tenant_id", "city_key", "starts_at", "id"),
        Index("events_country_key_idx", "tenant_id", "country_key", "starts_at", "id"),
        Index("events_is_online_idx", "tenant_id", "is_online", "starts_at", "id"),
        Index("events_crowd_idx", "tenant_id", "crowd", "id"),
        Index(
            "events_boosted_until_idx",
            "tenant_id",
            "boosted_until",
            "id",
            postgresql_where="boosted_until is not null",
        ),
        *(
            Index(f"events_{column}_idx", "tenant_id", column, "starts_at", "id")
            for column in ("mode", "price", "has_places", "level_set")
        ),
        *(
            Index(
                f"events_{column}_idx", "tenant_id", column, "starts_at", "id", postgresql_where=f"{column} is not null"
            )
            for column in ("language", "currency")
        ),
        Index(
            "events_point_idx",
            "tenant_id",
            "shown_latitude",
            "shown_longitude",
            "id",
            postgresql_where="shown_latitude is not null",
        ),
        Index(
            "events_map_idx",
            "tenant_id",
            "map_cell",
            postgresql_include=["map_x", "map_y", "status", "visibility", "ends_at", "id"],
            postgresql_where="map_cell is not null",
        ),
        one_of("address_visibility", Disclosure),
        one_of("members_visibility", Disclosure),
        CheckConstraint("(status = 'SCHEDULED') = (publish_at is not null)", name="scheduled"),
        CheckConstraint("price >= 0 and (price = 0 or currency is not null)", name="price"),
        CheckConstraint("radius_km between 0 and 10", name="radius"),
        CheckConstraint("not has_city_point or num_nonnulls(latitude, city, country) = 3", name="city_point"),
        CheckConstraint("levels <@ array['BEGINNER', 'INTERMEDIATE', 'ADVANCED']", name="levels"),
        Index("events_due_idx", "publish_at", postgresql_where="status = 'SCHEDULED'"),
        Index(
            "events_promotion_due_idx",
            "promotion_due_at",
            "tenant_id",
            postgresql_where="promotion_due_at is not null",
        ),
        Index("events_search_idx", "tenant_id", "search", postgresql_using="gin"),
        ForeignKeyConstraint(["tenant_id", "owner_id"], ["members.tenant_id", "members.user_id"]),
        ForeignKeyConstraint(["tenant_id", "join_closed_by_id"], ["members.tenant_id", "members.user_id"]),
    )
    person: ClassVar[str | None] = "owner_id"
    erasure: ClassVar[Erasure] = Erasure.CONTENT

    owner_id: Mapped[UUID] = plain()
    title: Mapped[str] = personal()
    description: Mapped[str] = personal()
    starts_at: Mapped[datetime] = plain()
    ends_at: Mapped[datetime] = plain()
    timezone: Mapped[str] = plain()
    meeting_kind: Mapped[MeetingKind] = state(MeetingKind)
    online_url: Mapped[str | None] = personal()
    address: Mapped[str | None] = personal()
    latitude: Mapped[float | None] = personal()
    longitude: Mapped[float | None] = personal()
    join_mode: Mapped[JoinMode] = state(JoinMode)
    mode: Mapped[Mode] = state(Mode)
    min: Mapped[int] = plain()
    max: Mapped[int | None] = plain()
    visibility: Mapped[Visibility] = state(Visibility)
    status: Mapped[EventStatus] = state(EventStatus, erased="'DELETED'")
    published_at: Mapped[datetime | None] = plain()
    self_check_in_metres: Mapped[int | None] = plain()
    joined_count: Mapped[int] = plain()
    last_queue_number: Mapped[int] = plain()
    created_at: Mapped[datetime] = plain()
    updated_at: Mapped[datetime] = plain()
    version: Mapped[int] = plain()
    cancelled_at: Mapped[datetime | None] = plain()
    cancel_reason: Mapped[str | None] = personal()
    url: Mapped[str | None] = personal()
    city: Mapped[str | None] = personal()
    country: Mapped[str | None] = personal()
    city_key: Mapped[str | None] = personal(Computed("lower(city)", persisted=True))
    country_key: Mapped[str | None] = personal(Computed("lower(country)", persisted=True))
    is_online: Mapped[bool] = plain(Computed("meeting_kind <> 'ONSITE'", persisted=True))
    join_opens_minutes_before_start: Mapped[int | None] = plain()
    join_cutoff_minutes_before_start: Mapped[int | None] = plain()
    allow_join_late: Mapped[bool] = plain(server_default=text("true"))
    late_join_cutoff_minutes_after_start: Mapped[int | None] = plain()
    join_closed_at: Mapped[datetime | None] = plain()
    join_closed_by_id: Mapped[UUID | None] = plain()
    join_close_reason: Mapped[str | None] = personal()
    may_ask_again: Mapped[bool] = plain(server_default=text("false"))
    has_join_form: Mapped[bool] = plain(server_default=text("false"))
    source: Mapped[str | None] = plain()
    source_id: Mapped[str | None] = plain()
    source_digest: Mapped[str | None] = plain()
    map_x: Mapped[int | None] = personal(Integer(), Computed(f"map_column({_SHOWN_LONGITUDE})", persisted=True))
    map_y: Mapped[int | None] = personal(Integer(), Computed(f"map_row({_SHOWN_LATITUDE})", persisted=True))
    map_cell: Mapped[int | None] = personal(
        Computed(f"map_cell(map_column({_SHOWN_LONGITUDE}), map_row({_SHOWN_LATITUDE}))", persisted=True)
    )
    address_visibility: Mapped[Disclosure] = state(Disclosure, server_default=_PUBLIC)
    members_visibility: Mapped[Disclosure] = state(Disclosure, server_default=_PUBLIC)
    shown_latitude: Mapped[float | None] = personal(Computed(_SHOWN_LATITUDE, persisted=True))
    shown_longitude: Mapped[float | None] = personal(Computed(_SHOWN_LONGITUDE, persisted=True))
    notes: Mapped[str | None] = personal()
    place: Mapped[str | None] = personal()
    place_id: Mapped[str | None] = personal()
    radius_km: Mapped[float | None] = plain()
    has_city_point: Mapped[bool] = plain(server_default=text("false"), erased="false")
    levels: Mapped[list[str]] = plain(server_default=text("'{}'::text[]"))
    language: Mapped[str | None] = plain()
    price: Mapped[int] = plain(server_default=text("0"))
    currency: Mapped[str | None] = plain()
    appearance: Mapped[Json | None] = plain()
    cover_url: Mapped[str | None] = personal()
    gallery: Mapped[list[str]] = personal(erased="'{}'::text[]", server_default=text("'{}'::text[]"))
    description_html: Mapped[str] = personal(server_default=text("''::text"))
    publish_at: Mapped[datetime | None] = plain()
    waitlist_policy: Mapped[WaitlistPolicy] = state(WaitlistPolicy, server_default=WaitlistPolicy.FIFO_STRICT)
    offer_minutes: Mapped[int | None] = plain()
    held_count: Mapped[int] = plain(server_default=text("0"))
    crowd: Mapped[int] = plain(Integer(), Computed(_CROWD, persisted=True))
    has_places: Mapped[bool] = plain(Computed("max is null or joined_count + held_count < max", persisted=True))
    level_set: Mapped[int] = plain(SmallInteger(), Computed(_LEVEL_SET, persisted=True))
    plan: Mapped[EventPlan] = state(EventPlan, server_default=EventPlan.FREE)
    plan_version: Mapped[int] = plain(server_default=text("1"))
    boosted_until: Mapped[datetime | None] = plain()
    promotion_due_at: Mapped[datetime | None] = plain()
    search: Mapped[Search] = plain(Computed(_WORDS, persisted=True))


class EventTag(TenantTable):
    """A word that an event is found by, in small letters."""

    __tablename__ = "event_tags"
    __table_args__ = (
        UniqueConstraint("tenant_id", "event_id", "tag"),
        Index("event_tags_tag_idx", "tenant_id", "tag", "event_id"),
        ForeignKeyConstraint(["tenant_id", "event_id"], ["events.tenant_id", "events.id"]),
    )
    part_of: ClassVar[str | None] = "events"

    event_id: Mapped[UUID] = plain()
    tag: Mapped[str] = personal()
