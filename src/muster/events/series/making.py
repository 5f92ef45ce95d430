"""Making the occurrences of a series that are due, and letting in who joined it."""

import msgspec
from msgspec import structs

from muster.events import queries as events
from muster.events.commands.attend import enter
from muster.events.commands.doors import Doors
from muster.events.commands.organise import put_draft
from muster.events.facts import EventPublished
from muster.events.queries import EditableEvent, Visit
from muster.events.rules import ALONE, EARLIEST_START, Verdict
from muster.events.series import queries
from muster.events.series.facts import OccurrenceMade
from muster.events.series.queries import LockedSeries
from muster.events.series.rules import begins_at, due
from muster.events.topics.queries import keep_categories
from muster.kit.commands.context import Ctx
from muster.kit.db.tables import Json
from muster.kit.errors import AppError
from muster.kit.work.errands import Errand

_AT_ONCE = 20
"""Series that one run looks at."""


def template_of(event: EditableEvent) -> Json:
    """What occurrences are made with, after an event."""
    return Json(msgspec.json.encode(event).decode())


def read_template(series: LockedSeries) -> EditableEvent:
    """What the occurrences of a series are made with."""
    return msgspec.json.decode(series.template, type=EditableEvent)


async def make_due(ctx: Ctx) -> None:
    """Make what is due of the series that nobody has looked at for a while, each on behalf of its owner."""
    for series in await queries.take_series(ctx, size=_AT_ONCE):
        ctx.act_as(series.owner_id)
        await make_occurrences(ctx, series)


async def make_occurrences(ctx: Ctx, series: LockedSeries) -> None:
    """Make the occurrences of a locked series that are due and not there, published. The acting person owns them."""
    soon = ctx.now + EARLIEST_START
    wanted = due(series.recurrence, soon, ends_before=series.ends_before)
    known = await queries.known_among(ctx, series.id, wanted)
    template = read_template(series)
    lasts = template.ends_at - template.starts_at
    for moment in (each for each in wanted if each not in known):
        starts_at = begins_at(series.recurrence, moment, template.starts_at)
        event = structs.replace(template, starts_at=starts_at, ends_at=starts_at + lasts)
        given = structs.asdict(event)
        del given["version"]
        # A category that the community gave up meanwhile is left out.
        categories = await keep_categories(ctx, given.pop("categories"))
        event_id = await put_draft(ctx, given, list(categories.values()))
        await events.put_published(ctx, event_id)
        await queries.put_occurrence(ctx, series.id, event_id, moment)
        ctx.record(EventPublished(event_id=event_id))
        ctx.record(OccurrenceMade(event_id=event_id, series_id=series.id))
    await queries.note_look(ctx, series.id)


async def seat_followers(errand: Errand, fact: OccurrenceMade) -> None:
    """Let who joined a series into one of its events, one after the other, by the rules by which everybody gets in."""
    async with errand.transaction() as ctx:
        people = await queries.to_seat(ctx, fact.series_id, fact.event_id)
    for user_id in people:
        async with errand.transaction() as ctx:
            ctx.act_as(user_id)
            await join_if_possible(ctx, [Visit(event_id=fact.event_id, user_id=user_id)])


async def join_if_possible(ctx: Ctx, visits: list[Visit]) -> None:
    """Let the acting person into events where they get in. The locks of all are taken first, in the order of ids."""
    doors = await Doors.open(ctx.db, visits)
    for visit in visits:
        try:
            event, own = doors.seen(visit)
            decision = doors.decide(event, own, ctx.now)
            if decision.verdict != Verdict.UNCHANGED:
                enter(ctx, doors, event, own, decision, ALONE)
        except AppError:
            # One that they do not get into keeps them out of no other.
            continue
