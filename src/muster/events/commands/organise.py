"""Create and update events."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

from msgspec import UNSET, structs, to_builtins

from muster.access.roles import EVENT_CREATE
from muster.chat import commands as chat
from muster.events import queries, rules
from muster.events.cities.points import Place, place_of, placed
from muster.events.commands.finding import is_left_to_do, lock_event_for
from muster.events.commands.inputs import CreateEventInput, UpdateEventInput
from muster.events.facts import EventCreated, EventUpdated
from muster.events.joining.queries import put_change
from muster.events.limits import EVENT_WRITE
from muster.events.queries import EditableEvent, Entry, LockedEvent
from muster.events.rules import Deed, MemberDeed, Phase, Problem
from muster.events.sponsorship.limiting import (
    hold_new_event_to_plan,
    hold_to_plan,
    hold_to_plan_in_public,
    size_of,
)
from muster.events.tables import EventMemberRole, EventMemberStatus, Level
from muster.events.topics.commands import known_categories
from muster.events.topics.queries import put_categories
from muster.events.views import EventView
from muster.events.waitlist.promotion import promote
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict, FieldProblem, Invalid, PreconditionFailed
from muster.kit.ids import new_id
from muster.kit.markdown import as_html
from muster.kit.text import camel
from muster.profiles import queries as profiles


class TooFewPlaces(Conflict):
    """More people have a place already; ask some to leave first."""

    code = "TOO_FEW_PLACES"


_SHARED = tuple(name for name in LockedEvent.__struct_fields__ if name in EditableEvent.__struct_fields__)
"""What of the locked event its organisers may change."""


@command("POST /events", "createEvent", allow=member, permission=EVENT_CREATE, limit=EVENT_WRITE, answers=(201,))
async def create_event(ctx: Ctx, *, input: CreateEventInput) -> EventView:
    """Draft an event, own it, and take its first place.

    Raises Invalid with every field that breaks a rule, PlanLimitReached.
    """
    place = await placed(ctx, input)
    draft = replace(rules.draft_of(input), latitude=place.latitude, longitude=place.longitude)
    _refuse(rules.draft_problems(draft))
    least, most = rules.capacity(draft)
    await hold_new_event_to_plan(ctx, size_of(most, input.meeting_kind))
    categories = await known_categories(ctx, input.categories)
    given = await _with_defaults(
        ctx, {**_columns(structs.asdict(input)), **structs.asdict(place), "min": least, "max": most}
    )
    del given["categories"]
    return EventView.ref(await put_draft(ctx, given, categories), created=True)


async def put_draft(ctx: Ctx, given: dict[str, Any], categories: list[UUID]) -> UUID:
    """Store a draft of the acting person, with a room and its first place for them; answers with its id.

    given: what organisers change, as the table keeps it.
    """
    html = await asyncio.to_thread(as_html, given["description"])
    event_id = await queries.put_event(ctx, **given, description_html=html)
    await put_categories(ctx, event_id, categories)
    await chat.open_room(ctx, room_id=event_id)
    joined, owner = EventMemberStatus.JOINED, EventMemberRole.OWNER
    queries.put_entry(ctx, Entry(event_id=event_id, user_id=ctx.user_id, member_id=new_id(), role=owner))
    chat.seat(ctx, room_id=event_id, user_id=ctx.user_id)
    put_change(ctx, event_id=event_id, user_id=ctx.user_id, deed=MemberDeed.JOIN, status=joined, role=owner)
    ctx.record(EventCreated(event_id=event_id))
    return event_id


async def _with_defaults(ctx: Ctx, given: dict[str, Any]) -> dict[str, Any]:
    """What of it the input leaves to the organiser's preferences, as they are."""
    if None not in (given["address_visibility"], given["members_visibility"]):
        return given
    preferred = await profiles.event_defaults(ctx)
    return given | {
        "address_visibility": given["address_visibility"] or preferred.default_address_visibility,
        "members_visibility": given["members_visibility"] or preferred.default_members_visibility,
    }


def _columns(given: dict[str, Any]) -> dict[str, Any]:
    """Values of an input as the table keeps them."""
    kept = dict(given)
    if "levels" in kept:
        kept["levels"] = [level for level in Level if level in kept["levels"]]
    if kept.get("appearance") is not None:
        kept["appearance"] = queries.as_json(to_builtins(kept["appearance"]))
    return kept


@command("PATCH /events/{id}", "updateEvent", allow=member, limit=EVENT_WRITE)
async def update_event(ctx: Ctx, *, id: UUID, input: UpdateEventInput) -> EventView:
    """Change an event; if that makes room, whoever waits longest gets a place at once.

    Raises EventNotFound, NotOrganiser, EventIsCancelled, PreconditionFailed, Invalid, TooFewPlaces, PlanLimitReached.
    """
    event, _ = await lock_event_for(ctx, id, Deed.UPDATE)
    is_left_to_do(ctx, event, Deed.UPDATE)
    before = await queries.editable(ctx, id)
    if input.version is not UNSET and input.version != before.version:
        raise PreconditionFailed
    after = edited(before, input, event, ctx, await place_after(ctx, before, input))
    if after == before:
        return EventView.ref(id)
    taken = event.joined_count + event.held_count
    if after.max is not None and after.max < taken:
        raise TooFewPlaces.field("input.max", f"{taken} people have a place, or are offered one", "TOO_FEW_PLACES")
    await _hold_to_plan(ctx, event, before, after)
    await put_changes(ctx, event, before, after)
    return EventView.ref(id)


async def _hold_to_plan(ctx: Ctx, event: LockedEvent, before: EditableEvent, after: EditableEvent) -> None:
    """Refuse what makes a locked event larger than its plan allows, or one that is over active again. What it had before
    is not held against who changes something else. Raises PlanLimitReached.
    """
    if event.phase(ctx.now) == Phase.OVER and after.ends_at > ctx.now:
        await hold_to_plan_in_public(ctx, event)
    if (after.max, after.meeting_kind) != (before.max, before.meeting_kind):
        await hold_to_plan(ctx, event.id, size_of(after.max, after.meeting_kind))


async def put_changes(ctx: Ctx, event: LockedEvent, before: EditableEvent, after: EditableEvent) -> None:
    """Store what differs of the locked event, and say so; who waits gets what becomes free by it."""
    changed = [name for name in before.__struct_fields__ if getattr(before, name) != getattr(after, name)]
    html = await asyncio.to_thread(as_html, after.description) if "description" in changed else None
    await queries.put_edited(ctx, event.id, after, new_tags="tags" in changed, html=html)
    if "categories" in changed:
        await put_categories(ctx, event.id, await known_categories(ctx, after.categories), anew=True)
    ctx.record(
        EventUpdated(
            event_id=event.id,
            user_id=ctx.user_id,
            changed=[camel(name) for name in changed],
            old_starts_at=before.starts_at if "starts_at" in changed else None,
            old_ends_at=before.ends_at if "ends_at" in changed else None,
            old_max=before.max if "max" in changed else None,
            new_max=after.max if "max" in changed else None,
        )
    )
    await promote(ctx, structs.replace(event, **{name: getattr(after, name) for name in _SHARED}))


async def place_after(ctx: Ctx, before: EditableEvent, input: UpdateEventInput) -> Place:
    """Where the event is after a change: where the input says, or in the middle of its city where nobody said."""
    given = {name: getattr(input, name) for name in ("city", "country", "latitude", "longitude")}
    changes = {name: value for name, value in given.items() if value is not UNSET}
    return await placed(ctx, before, **changes) if changes else place_of(before)


def edited(
    before: EditableEvent, input: UpdateEventInput, event: LockedEvent | None, ctx: Ctx, place: Place
) -> EditableEvent:
    """The event as the input wants it. Raises Invalid for a rule that the change breaks.

    What broke a rule before is not held against who changes something else: imported events may lack what new ones need.
    event: None for what series make events with. place: of `place_after`.
    """
    given = {name: value for name, value in structs.asdict(input).items() if value is not UNSET and name != "version"}
    after = structs.replace(before, **{**_columns(given), **structs.asdict(place)})
    draft, old_draft = rules.draft_of(after), rules.draft_of(before)
    old_problems = rules.draft_problems(old_draft)
    new_problems = [each for each in rules.draft_problems(draft) if each not in old_problems]
    if event is not None:
        phase = event.phase(ctx.now)
        new_problems += rules.move_problems(phase, old_draft, draft, ctx.now, publish_at=event.publish_at)
    _refuse(new_problems)
    least, most = rules.capacity(draft)
    tags = sorted({tag.lower() for tag in after.tags})
    tags = before.tags if set(tags) == set(before.tags) else tags
    return structs.replace(after, min=least, max=most, tags=tags, categories=sorted(set(after.categories)))


def _refuse(problems: list[Problem]) -> None:
    """Raise Invalid with every problem, if there is any."""
    if problems:
        raise Invalid(
            "; ".join(f"{each.field}: {each.message}" for each in problems),
            fields=tuple(FieldProblem(f"input.{each.field}", "INVALID", each.message) for each in problems),
        )
