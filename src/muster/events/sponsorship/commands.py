"""The verbs of sponsorship: credit an event what was paid for or granted, and spend it on being seen."""

from dataclasses import asdict
from datetime import timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from muster.access.roles import EVENT_MANAGE
from muster.events.commands.finding import EventNotFound, is_left_to_do, lock_event_for
from muster.events.limits import EVENT_WRITE
from muster.events.queries import lock_event
from muster.events.rules import BOOSTED_FOR, Deed
from muster.events.sponsorship import queries
from muster.events.sponsorship.facts import EventBoosted, EventPushed, EventSponsored
from muster.events.sponsorship.plans import PACKAGES, Movement, brought_by
from muster.events.sponsorship.queries import Line, Sponsored
from muster.events.sponsorship.tables import SponsorshipKind
from muster.events.sponsorship.views import EventSponsorshipView
from muster.events.tables import EventPlan, Visibility
from muster.kit.arguments import Input
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict, Invalid

BETWEEN_PUSHES = timedelta(hours=24)
"""Between two local pushes of one event."""


class NoBoostLeft(Conflict):
    """This event has no boost left; have it credited more."""

    code = "NO_BOOST_LEFT"


class NoPushLeft(Conflict):
    """This event has no local push left; have it credited more."""

    code = "NO_PUSH_LEFT"


class BoostedAlready(Conflict):
    """Lists show this event first already; come back when they do no more."""

    code = "BOOSTED_ALREADY"


class PushedLately(Conflict):
    """People nearby were told of this event within the last 24 hours; come back later."""

    code = "PUSHED_LATELY"


class NotListed(Conflict):
    """A hidden event is in no list, and nobody is told of it; make it public first."""

    code = "NOT_LISTED"


class NowhereNear(Conflict):
    """This event has no point on the map, so nobody is near it; say where it is first."""

    code = "NOWHERE_NEAR"


class CreditedElsewhere(Conflict):
    """What this key stands for was credited to another event; it is credited once."""

    code = "CREDITED_ELSEWHERE"


SourceKey = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        pattern=r"^\S+$",
        examples=["invoice-2031-0007"],
        description="What the credit is for; the same key is credited once, however often it comes.",
    ),
]


class CreditKind(StrEnum):
    """A first plan, a larger one, or a package."""

    NEW = "NEW"
    UPGRADE = "UPGRADE"
    RELOAD = "RELOAD"


class CreditInput(Input):
    """What an event is credited, and for what.

    kind: `NEW` brings all that comes with a plan, `UPGRADE` what it brings beyond the plan that the event has, `RELOAD` a
    package. plan: `PLUS` or `PRO`, of the first two. actions: 1, 3 or 5 boosts and as many local pushes, of a package.
    """

    kind: CreditKind
    source_key: SourceKey
    plan: EventPlan | None = None
    actions: Annotated[int, Meta(ge=1, le=PACKAGES[-1])] | None = None


@command(
    "POST /events/{event_id}/sponsorship/credits",
    "creditSponsorship",
    allow=member,
    permission=EVENT_MANAGE,
    limit=EVENT_WRITE,
    money=True,
)
async def credit_sponsorship(ctx: Ctx, *, event_id: UUID, input: CreditInput) -> EventSponsorshipView:
    """Credit an event a plan, or boosts and local pushes, which stay until they are spent. A key that was credited to it
    changes nothing, so who is not sure whether it worked asks again. A plan never becomes a smaller one.

    Raises EventNotFound, CreditedElsewhere, Invalid.
    """
    _check(input)
    await credit(ctx, event_id, input)
    return EventSponsorshipView.ref(event_id)


async def credit(ctx: Ctx, event_id: UUID, given: CreditInput) -> None:
    """Credit an event what was granted or paid for. Raises EventNotFound, CreditedElsewhere."""
    if await lock_event(ctx, event_id) is None:
        raise EventNotFound
    if (known := await queries.credited_to(ctx, given.source_key)) is not None:
        if known != event_id:
            raise CreditedElsewhere
        return
    event, line = await queries.sponsored(ctx, event_id), await queries.last_line(ctx, event_id)
    moved = _credit_of(event, given)
    # Nobody else writes the next line while the event's lock is held, so what is in the way is the key of another event.
    if not await queries.put_line(ctx, event_id, line, SponsorshipKind(given.kind), moved, source_key=given.source_key):
        raise CreditedElsewhere
    if moved.plan != event.plan:
        await queries.put_plan(ctx, event_id, moved.plan)
    ctx.record(EventSponsored(event_id=event_id, by_id=ctx.actor.user_id, **asdict(moved)))


def _check(given: CreditInput) -> None:
    """Raise Invalid for what is no credit."""
    if given.kind == CreditKind.RELOAD:
        if given.plan is not None:
            raise Invalid.field("input.plan", "comes with NEW and UPGRADE, not with RELOAD")
        if given.actions not in PACKAGES:
            raise Invalid.field("input.actions", "must be 1, 3 or 5")
        return
    if given.plan in (None, EventPlan.FREE):
        raise Invalid.field("input.plan", "must be PLUS or PRO; every event is FREE by itself")
    if given.actions is not None:
        raise Invalid.field("input.actions", "comes with RELOAD alone")


def _credit_of(event: Sponsored, given: CreditInput) -> Movement:
    if given.plan is None:
        return Movement(event.plan, given.actions or 0, given.actions or 0)
    upgrades = given.kind == CreditKind.UPGRADE
    return brought_by(event.plan, given.plan, event.plan_version, upgrades=upgrades)


@command("POST /events/{event_id}/boosts", "boostEvent", allow=member, limit=EVENT_WRITE)
async def boost(ctx: Ctx, *, event_id: UUID) -> EventSponsorshipView:
    """Spend a boost: for 24 hours lists show the event first.

    Raises EventNotFound, NotOrganiser, NotPublished, EventOver, EventIsCancelled, NotListed, BoostedAlready, NoBoostLeft.
    """
    sponsored, line = await _lock(ctx, event_id)
    if sponsored.boosted_until is not None and sponsored.boosted_until > ctx.now:
        raise BoostedAlready(details={"until": sponsored.boosted_until})
    if line.boosts_left == 0:
        raise NoBoostLeft
    until = ctx.now + BOOSTED_FOR
    await queries.put_line(ctx, event_id, line, SponsorshipKind.BOOST, Movement(sponsored.plan, -1, 0))
    await queries.put_boost(ctx, event_id, until)
    ctx.record(EventBoosted(event_id=event_id, user_id=ctx.user_id, until=until))
    return EventSponsorshipView.ref(event_id)


@command("POST /events/{event_id}/pushes", "pushEvent", allow=member, limit=EVENT_WRITE)
async def push(ctx: Ctx, *, event_id: UUID) -> EventSponsorshipView:
    """Spend a local push: people of the community who live within 50 km, and want it, are told of the event.

    Nobody hears of more than one event a day this way. An event is told of once in 24 hours.
    Raises EventNotFound, NotOrganiser, NotPublished, EventOver, EventIsCancelled, NotListed, NowhereNear, PushedLately,
    NoPushLeft.
    """
    sponsored, line = await _lock(ctx, event_id)
    if not sponsored.has_point:
        raise NowhereNear
    last = await queries.last_push(ctx, event_id)
    if last is not None and last + BETWEEN_PUSHES > ctx.now:
        raise PushedLately(details={"until": last + BETWEEN_PUSHES})
    if line.pushes_left == 0:
        raise NoPushLeft
    await queries.put_line(ctx, event_id, line, SponsorshipKind.PUSH, Movement(sponsored.plan, 0, -1))
    ctx.record(EventPushed(event_id=event_id, user_id=ctx.user_id))
    return EventSponsorshipView.ref(event_id)


async def _lock(ctx: Ctx, event_id: UUID) -> tuple[Sponsored, Line]:
    """Lock an event, which two who spend its last one do one after the other; answers with what sponsorship knows of it,
    and the last line of its book.
    """
    event, _ = await lock_event_for(ctx, event_id, Deed.ADVERTISE)
    is_left_to_do(ctx, event, Deed.ADVERTISE)
    sponsored = await queries.sponsored(ctx, event_id)
    if sponsored.visibility != Visibility.PUBLIC:
        raise NotListed
    return sponsored, await queries.last_line(ctx, event_id)
