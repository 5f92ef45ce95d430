"""What organisers read of an event's sponsorship."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from muster.events.favourites.tables import Favourite
from muster.events.predicates import event_visible, runs
from muster.events.sponsorship.tables import SponsorshipEntry, SponsorshipKind
from muster.events.tables import Event, EventPlan
from muster.identity.views import UserView
from muster.kit.caller import member
from muster.kit.db.aliases import alias_of
from muster.kit.db.tables import once_more
from muster.kit.views.paging import descending
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, one, sql

MOST_COUNTED = 10_000
"""So many favourites are counted and no more, so that an event that everybody keeps is read as fast as others."""


def is_run(event: type[Event], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer runs the event."""
    return event_visible(event, viewer) & runs(event.id, viewer)


def of_event(event: type[Event], _viewer: Viewer, *, event_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """This event."""
    return event.id == event_id


def _left(column: str) -> Any:
    """What the last line of the event's book says is left."""

    def left(event: type[Event], _viewer: Viewer) -> ColumnElement[int]:
        line: Any = once_more(SponsorshipEntry)
        lines = select(getattr(line, column)).where(line.event_id == event.id)
        return func.coalesce(lines.order_by(line.number.desc()).limit(1).scalar_subquery(), 0)

    return sql(left)


def _spent(kind: SponsorshipKind) -> Any:
    """How many lines of the event's book are of a kind."""
    return sql(lambda event, _viewer: _lines(event, kind, lambda _: func.count()))


def last_push_of(event: type[Event], _viewer: Viewer) -> ColumnElement[datetime | None]:
    """When people nearby were last told of the event."""
    return _lines(event, SponsorshipKind.PUSH, lambda line: func.max(line.created_at))


def _lines(event: type[Event], kind: SponsorshipKind, what: Callable[[Any], Any]) -> ColumnElement[Any]:
    line: Any = once_more(SponsorshipEntry)
    return select(what(line)).where(line.event_id == event.id, line.kind == kind).scalar_subquery()


def saved_count(event: type[Event], _viewer: Viewer) -> ColumnElement[int]:
    """How many people keep the event."""
    kept = alias_of(Favourite.__table__)
    some = select(kept.c.id).where(kept.c.event_id == event.id).limit(MOST_COUNTED)
    return select(func.count()).select_from(some.correlate_except(kept).subquery()).scalar_subquery()


class EventSponsorshipView(View, of=Event):
    """What an event may have and do to be seen, for who runs it; the id is the event's.

    plan: what it may have and do. plan_version: of the plans, when the event was made.
    boosted_until: until when lists show it first; past or null when they do not. boosts_left: that it may still spend.
    boosts_used: that it has spent. pushes_left: local pushes that it may still spend. pushes_used: that it has spent.
    pushed_at: when people nearby were last told of it; null when never. saved_count: how many people keep it for later,
    counted up to 10,000.
    """

    visible = is_run
    brief = ("id", "plan")
    example = {"plan": "PLUS", "boostsLeft": 1, "boostsUsed": 0, "savedCount": 12}

    id: UUID
    plan: EventPlan
    plan_version: int
    boosted_until: datetime | None
    boosts_left: int = _left("boosts_left")
    boosts_used: int = _spent(SponsorshipKind.BOOST)
    pushes_left: int = _left("pushes_left")
    pushes_used: int = _spent(SponsorshipKind.PUSH)
    pushed_at: datetime | None = sql(last_push_of)
    saved_count: int = sql(saved_count)


def line_visible(line: type[SponsorshipEntry], viewer: Viewer) -> ColumnElement[bool]:
    """Who runs the event."""
    return runs(line.event_id, viewer)


class SponsorshipEntryView(View, of=SponsorshipEntry):
    """A line of an event's book: what it was credited, or spent.

    number: counts the lines. plan: of the event, from then on. boosts: how many came, below 0 where one went.
    pushes: local pushes, the same way. boosts_left: after it. pushes_left: after it. source_key: what a credit is for; null
    of what was spent. by: who did it; null for a payment. created_at: when.
    """

    visible = line_visible
    orders = {"NEWEST": descending(SponsorshipEntry.number)}
    example = {"kind": "NEW", "plan": "PLUS", "boosts": 1, "pushes": 1, "boostsLeft": 1, "pushesLeft": 1}

    id: UUID
    number: int
    kind: SponsorshipKind
    plan: EventPlan
    boosts: int
    pushes: int
    boosts_left: int
    pushes_left: int
    source_key: str | None
    by: UserView | None = one("by_id")
    created_at: datetime


@query("GET /events/{event_id}/sponsorship", "eventSponsorship", allow=member, where=of_event)
def event_sponsorship(event_id: UUID) -> EventSponsorshipView | None:
    """The sponsorship of an event that the caller runs."""


@query(
    "GET /events/{event_id}/sponsorship/entries", "eventSponsorshipEntries", allow=member, parent=EventSponsorshipView
)
def event_sponsorship_entries(event_id: UUID) -> Page[SponsorshipEntryView] | None:
    """What an event was credited and spent, the last first; null for who does not run it."""
