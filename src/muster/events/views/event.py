"""What can be read of an event."""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, SmallInteger, Text, and_, case, func, not_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by, array

from muster.events.cities.near import near_city
from muster.events.favourites.predicates import is_favourite
from muster.events.joining.predicates import can_join, lock_reason
from muster.events.predicates import (
    address_visible,
    event_visible,
    has_tag,
    has_words,
    is_boosted,
    is_of_verified,
    is_tagged,
    level_sets,
    online_url_visible,
    takes_part_in,
    takes_place,
)
from muster.events.rules import JoinLock
from muster.events.sharing.keys import ShareKey, opened_by
from muster.events.tables import (
    Event,
    EventMemberRole,
    EventMemberStatus,
    EventPlan,
    EventStatus,
    EventTag,
    JoinMode,
    Level,
    MeetingKind,
    Mode,
    Visibility,
    WaitlistPolicy,
)
from muster.events.topics.predicates import categories_of, has_category, is_in_category
from muster.identity.views import UserView
from muster.kit.caller import anyone, member
from muster.kit.db.tables import Json, once_more
from muster.kit.views.near import near, nearest
from muster.kit.views.paging import (
    Filter,
    among,
    ascending,
    at_least,
    at_most,
    before,
    best_match,
    descending,
    equals,
    finder,
    in_any_case,
    scattered,
    several,
)
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, many, measured, one, only_if, sql
from muster.profiles.tables import Disclosure

if TYPE_CHECKING:
    from muster.events.views.member import EventMemberView


def tags_of(event: type[Event], _viewer: Viewer) -> ColumnElement[list[str]]:
    """The event's tags, by the alphabet."""
    tagged = once_more(EventTag)
    listed = select(func.array_agg(aggregate_order_by(tagged.tag, tagged.tag))).where(tagged.event_id == event.id)
    return func.coalesce(listed.scalar_subquery(), array([], type_=Text()))


def _point(exact: str, shown: str) -> Any:
    """The exact degrees for whom the event shows where it is, the coarse ones for all others."""
    return sql(
        lambda event, viewer: case((address_visible(event, viewer), getattr(event, exact)), else_=getattr(event, shown))
    )


def has_exact_point(event: type[Event], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer is shown the point, and it is the place."""
    return and_(address_visible(event, viewer), not_(event.has_city_point))


def in_small_letters(words: list[str]) -> list[str]:
    """Words as they are kept."""
    return [word.lower() for word in words]


class EventView(View, of=Event):
    """An event.

    title: a line of plain text. description: Markdown, as it was written.
    description_html: the same as HTML that is safe to show. notes: what to bring or to know; null without any. starts_at: when it begins. ends_at: when it is over.
    timezone: the IANA name of where it takes place. online_url: where to meet; null for who has no place.
    url: its own page; null without one. address: where to meet, as people write it; null without one, and for whom
    `addressVisibility` hides it. members_visibility: to whom is shown who has a place.
    place: what it is called there; null as the address is. place_id: what a map calls it; null as the address is.
    radius_km: around the point; null where it takes place at the point. levels: `BEGINNER`, `INTERMEDIATE`, `ADVANCED`.
    language: what is spoken, by BCP 47; null when nobody said. price: in the smallest unit of its currency; 0 is free.
    currency: by ISO 4217; null when nobody said. cover_url: of a picture; null without one. gallery: addresses of more.
    appearance: how clients may show it, as `updateEvent` takes it; null is their own way.
    city: where it is; null when nobody said. country: where it is; null when nobody said.
    latitude: degrees north; null without a point. longitude: degrees east; null without a point.
    is_point_exact: whether that point is the place; false where it only says about where, to some five kilometres, and
    where it is the middle of the city, for want of another.
    distance_km: from the middle of the filter `near`, to the metre, and to the coarse point where the place is hidden
    from some; null where the list has no such filter.
    min: the fewest people it takes place with. max: the most who get a place, the owner among them; null is unlimited.
    self_check_in_metres: how near to its point people may check themselves in; null is not at all.
    published_at: when it was published; null while it is a draft. publish_at: when it publishes itself; null when not.
    cancelled_at: when it was cancelled; null when not.
    cancel_reason: why it was cancelled; null when it was not, or nobody said. joined_count: how many have a place,
    guests among them. waitlist_policy: who of the queue gets a freed place. offer_minutes: how long one is offered to who
    waits; null gives it to them at once. held_count: how many places are offered now.
    join_opens_minutes_before_start: since so many minutes before the start people get in; null is at once.
    join_cutoff_minutes_before_start: from so many minutes before the start until it nobody does; null is no such time.
    allow_join_late: whether people get in after the start. late_join_cutoff_minutes_after_start: from so many minutes
    after the start on nobody does; null is until the end. may_ask_again: whether who was rejected may.
    has_join_form: whether it asks questions of who wants in.
    join_closed_at: since when its organisers let nobody in; null while they do. join_close_reason: why, in their words.
    lock_reason: the first of the reasons why nobody gets a place now; null without any. can_join: whether joining gives
    the viewer a place, a turn in the queue or a pending request.
    plan: what it may have and do. boosted_until: until when lists show it first; past or null when they do not.
    is_favourite: whether the viewer keeps it for later. categories: by their slugs. tags: in small letters, by the alphabet.
    created_at: when it was drafted. updated_at: when it last changed.
    version: counts its changes; give it to `updateEvent`, so that it overwrites nobody else's.
    """

    visible = event_visible
    brief = ("id", "title", "joinedCount")
    filters = {
        "text": finder("finders.events_by_text", has_words, "finders.events_by_relevance"),
        "startsAfter": at_least(Event.starts_at),
        "startsBefore": before(Event.starts_at),
        "meetingKind": among(Event.meeting_kind),
        "joinMode": among(Event.join_mode),
        "ownerId": equals(Event.owner_id),
        "status": equals(Event.status),
        "online": equals(Event.is_online),
        "city": in_any_case(Event.city_key),
        "country": in_any_case(Event.country_key),
        "category": scattered(several(str, "In one of these categories, by slug.", has_category), is_in_category),
        "tag": scattered(
            several(str, "With one of these tags, in small letters or large.", has_tag, in_small_letters), is_tagged
        ),
        "near": scattered(near(Event.shown_latitude, Event.shown_longitude)),
        "nearCity": scattered(near_city(Event.shown_latitude, Event.shown_longitude)),
        "mode": among(Event.mode),
        "levels": scattered(
            several(
                Level,
                "For one of these levels; what is for everybody names none.",
                lambda event, given: event.level_set == given,
                level_sets,
                SmallInteger(),
            )
        ),
        "language": among(Event.language),
        "priceFrom": scattered(at_least(Event.price)),
        "priceUpTo": scattered(at_most(Event.price)),
        "currency": equals(Event.currency),
        "hasPlaces": equals(Event.has_places),
        "ownerVerified": scattered(
            Filter(bool, "Whether its owner has shown that their mail is theirs.", is_of_verified)
        ),
    }
    orders = {
        "START": ascending(Event.starts_at),
        "BOOSTED": ascending(Event.starts_at, leads=is_boosted),
        "NEWEST": descending(Event.created_at, is_alone=True),
        "MEMBERS": descending(Event.crowd, is_alone=True),
        "RELEVANCE": best_match("text"),
        "DISTANCE": nearest("near"),
    }
    example = {
        "title": "Chess in the park",
        "description": "Boards are there, bring a friend.",
        "endsAt": "2031-05-01T21:00:00.000000Z",
        "timezone": "Europe/Warsaw",
        "onlineUrl": None,
        "descriptionHtml": "<p>Boards are there, bring a friend.</p>\n",
        "notes": "Bring a pen.",
        "place": "The bandstand",
        "placeId": None,
        "radiusKm": None,
        "levels": ["BEGINNER"],
        "language": "en",
        "price": 0,
        "currency": None,
        "coverUrl": "https://chess.example/park.jpg",
        "gallery": [],
        "appearance": {"card": {"background": ["#2f6f62"], "shadow": "SOFT"}},
        "url": "https://chess.example/park",
        "address": "Planty, Krakow",
        "city": "Krakow",
        "country": "Poland",
        "latitude": 50.06,
        "longitude": 19.94,
        "distanceKm": 3.214,
        "max": 20,
        "selfCheckInMetres": 200,
        "joinedCount": 12,
        "publishAt": None,
        "cancelledAt": None,
        "joinOpensMinutesBeforeStart": 10_080,
        "joinCutoffMinutesBeforeStart": 60,
        "allowJoinLate": True,
        "lateJoinCutoffMinutesAfterStart": 30,
        "mayAskAgain": False,
        "hasJoinForm": False,
        "joinClosedAt": None,
        "joinCloseReason": None,
        "lockReason": None,
        "canJoin": True,
        "cancelReason": None,
        "boostedUntil": None,
        "categories": ["games"],
        "tags": ["chess"],
    }

    id: UUID
    title: str
    description: str
    description_html: str
    notes: str | None
    starts_at: datetime
    ends_at: datetime
    timezone: str
    meeting_kind: MeetingKind
    online_url: str | None = only_if(online_url_visible)
    url: str | None
    address: str | None = only_if(address_visible)
    place: str | None = only_if(address_visible)
    place_id: str | None = only_if(address_visible)
    radius_km: float | None
    city: str | None
    country: str | None
    latitude: float | None = _point("latitude", "shown_latitude")
    longitude: float | None = _point("longitude", "shown_longitude")
    is_point_exact: bool = sql(has_exact_point)
    distance_km: float | None = measured("near")
    levels: list[str]
    language: str | None
    price: int
    currency: str | None
    cover_url: str | None
    gallery: list[str]
    appearance: Json | None
    join_mode: JoinMode
    mode: Mode
    min: int
    max: int | None
    waitlist_policy: WaitlistPolicy
    offer_minutes: int | None
    visibility: Visibility
    address_visibility: Disclosure
    members_visibility: Disclosure
    self_check_in_metres: int | None
    status: EventStatus
    published_at: datetime | None
    publish_at: datetime | None
    cancelled_at: datetime | None
    cancel_reason: str | None
    joined_count: int
    held_count: int
    join_opens_minutes_before_start: int | None
    join_cutoff_minutes_before_start: int | None
    allow_join_late: bool
    late_join_cutoff_minutes_after_start: int | None
    may_ask_again: bool
    has_join_form: bool
    join_closed_at: datetime | None
    join_close_reason: str | None
    lock_reason: JoinLock | None = sql(lock_reason)
    can_join: bool = sql(can_join)
    plan: EventPlan
    boosted_until: datetime | None
    is_favourite: bool = sql(is_favourite, asked=True)
    categories: list[str] = sql(categories_of)
    tags: list[str] = sql(tags_of)
    created_at: datetime
    updated_at: datetime
    version: int
    owner: UserView = one("owner_id")
    members: Page["EventMemberView"] = many("event_id")


@query("GET /events/{id}", "event", allow=anyone, stale=True, opened=opened_by)
def event(id: UUID, key: ShareKey | None = None) -> EventView | None:
    """One event, if the caller may see it.

    key: of its share link, by which whoever has it sees the event, hidden or not.
    """


@query("GET /events", "events", allow=anyone, stale=True, unless={"status": takes_place})
def events() -> Page[EventView]:
    """The events that the caller may see; the cancelled ones only when their status is asked for."""


@query("GET /me/events", "myEvents", allow=member, where=takes_part_in)
def my_events(
    role: EventMemberRole | None = None,
    membership_status: EventMemberStatus | None = None,
    upcoming: bool | None = None,
) -> Page[EventView]:
    """The events that the caller has a place in or waits for, or stands to as asked for; one's drafts among them.

    role: what the caller is to the event; any when absent. membership_status: how they stand; a place or the queue when
    absent. upcoming: true for what is still to end, false for what is over; both when absent.
    """
