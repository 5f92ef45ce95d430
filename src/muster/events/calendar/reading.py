"""Reading what goes into a calendar: one statement, by the view of events, so that what is hidden there is hidden here."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Uuid, and_, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from muster.access.gate import lookup_where
from muster.access.roles import permissions_of
from muster.events.calendar.addresses import FeedKey
from muster.events.calendar.tables import CalendarFeed, FeedScope
from muster.events.rules import SHOWN
from muster.events.tables import EventMember, EventMemberStatus, EventStatus, Visibility
from muster.events.views import EventView
from muster.identity.tables import User
from muster.kit.caller import REQUEST, Allow, Claim, ClaimSql, Gate, Origin, anyone, member
from muster.kit.commands.context import Services
from muster.kit.db.replicas import Rows
from muster.kit.views.compiler import Compiler
from muster.kit.views.picks import Pick, SlotValues
from muster.kit.views.plans import Plan, compile_plan, run_plan
from muster.kit.views.scope import RowCondition
from muster.kit.views.writing import join

MOST = 500
"""Events in one answer, the earliest first."""
BACK = {
    FeedScope.MINE: timedelta(days=365),
    FeedScope.COMMUNITY: timedelta(days=30),
    FeedScope.EVENT: timedelta(days=3650),
}
"""How long ago an event may have ended to be in a feed still."""


class Entry(msgspec.Struct, rename="camel", kw_only=True):
    """An event as its reader sees it: what they may not see is None."""

    id: UUID
    title: str
    description: str
    starts_at: datetime
    ends_at: datetime
    timezone: str
    online_url: str | None
    address: str | None
    city: str | None
    country: str | None
    latitude: float | None
    longitude: float | None
    status: EventStatus
    created_at: datetime
    updated_at: datetime
    version: int


_decode = msgspec.json.Decoder(list[Entry]).decode
_PICKS = tuple(Pick(name, name) for name in Entry.__struct_encode_fields__)


def _lives(claim: ClaimSql) -> ColumnElement[bool]:
    """The feed is open, and so is its person's account."""
    mine = and_(CalendarFeed.tenant_id == claim.tenant_id, CalendarFeed.user_id == claim.user_id)
    is_open = and_(User.closed_at.is_(None), User.ended_at.is_(None), User.disabled_at.is_(None))
    found = select(CalendarFeed.id).join(User, User.id == CalendarFeed.user_id)
    return found.where(CalendarFeed.id == claim.session_id, mine, is_open).exists()


_FEEDS = Gate(lookup=partial(lookup_where, _lives), permissions=permissions_of)
"""Checks who comes with a feed's address as everybody is checked; the feed stands for the session."""


def _takes_part(event: Any) -> ColumnElement[bool]:
    seats = select(EventMember.event_id).where(
        EventMember.user_id == REQUEST.user_id, EventMember.status == EventMemberStatus.JOINED
    )
    return and_(event.id.in_(seats), event.ends_at > REQUEST.now - BACK[FeedScope.MINE])


def _is_public(event: Any) -> ColumnElement[bool]:
    return and_(event.visibility == Visibility.PUBLIC, event.ends_at > REQUEST.now - BACK[FeedScope.COMMUNITY])


def _is_the_one(event: Any) -> ColumnElement[bool]:
    chosen = select(CalendarFeed.event_id).where(CalendarFeed.id == REQUEST.session_id).scalar_subquery()
    return and_(event.id == chosen, event.ends_at > REQUEST.now - BACK[FeedScope.EVENT])


_CHOOSES: dict[FeedScope, RowCondition] = {
    FeedScope.MINE: _takes_part,
    FeedScope.COMMUNITY: _is_public,
    FeedScope.EVENT: _is_the_one,
}


async def read_feed(rows: Rows, origin: Origin, key: FeedKey) -> list[Entry]:
    """What a feed holds now, as its person sees it. Raises what `Gate.admit` raises, for a person or a feed that is gone."""
    claim = Claim(key.tenant_id, key.user_id, key.feed_id)
    return await _read(rows, _feed_plan(key.scope), _FEEDS, replace(origin, claim=claim), member)


async def read_one(services: Services, origin: Origin, event_id: UUID) -> Entry | None:
    """One event as whoever asks sees it; None when there is none for them. Raises what `Gate.admit` raises."""
    found = await _read(services.database, _plan_of_one(services.gate), services.gate, origin, anyone, event=event_id)
    return found[0] if found else None


async def _read(rows: Rows, plan: Plan, gate: Gate, origin: Origin, allow: Allow, **values: UUID) -> list[Entry]:
    caller, (body,) = await run_plan(rows, plan, origin, [SlotValues(values, ())])
    gate.admit(origin.claim, caller, allow, None)
    return _decode(body)


@cache
def _feed_plan(scope: FeedScope) -> Plan:
    return _plan(_FEEDS, lambda _compiler, event: _CHOOSES[scope](event))


@cache
def _plan_of_one(gate: Gate) -> Plan:
    return _plan(gate, lambda compiler, event: event.id == compiler.bind(0, "event", Uuid()))


def _plan(gate: Gate, chooses: Callable[[Compiler, Any], ColumnElement[bool]]) -> Plan:
    def body(compiler: Compiler) -> ColumnElement[str]:
        event = compiler.alias(EventView)
        written = (
            compiler.written(EventView, event, _PICKS)
            .add_columns(event.c.starts_at, event.c.id)
            .where(chooses(compiler, event.c), event.c.status.in_(SHOWN), *compiler.visible(EventView, event))
            .order_by(event.c.starts_at, event.c.id)
            .limit(MOST)
            .subquery()
        )
        entries = func.string_agg(
            written.c.written, aggregate_order_by(literal_column("','"), *written.c["starts_at", "id"])
        )
        return join(["[", func.coalesce(select(entries).scalar_subquery(), ""), "]"])

    return compile_plan(gate, [SlotValues({}, ())], [body])
