"""Create and publish events."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from muster.access.roles import EVENT_CREATE, EVENT_MODERATE
from muster.chat import commands as chat
from muster.events import queries, rules
from muster.events.commands.attend import NotOrganiser
from muster.events.commands.finding import lock_seen_event
from muster.events.facts import EventCreated, EventPublished
from muster.events.limits import EVENT_WRITE
from muster.events.tables import EventMemberRole, EventStatus, JoinMode, MeetingKind, Mode, Visibility
from muster.events.views import EventView
from muster.kit.arguments import Input, Instant
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict, FieldProblem, Invalid


class AlreadyPublished(Conflict):
    """The event is published already."""

    code = "ALREADY_PUBLISHED"


class StartsTooSoon(Conflict):
    """An event is published at least five minutes before it starts."""

    code = "STARTS_TOO_SOON"


Title = Annotated[str, Meta(min_length=3, max_length=60, pattern=r"\S", examples=["Chess in the park"])]
Timezone = Annotated[str, Meta(max_length=60, examples=["Europe/Warsaw"])]
Description = Annotated[str, Meta(max_length=5000)]
Url = Annotated[str, Meta(max_length=2000, pattern=r"^https?://\S+$")]
Address = Annotated[str, Meta(min_length=1, max_length=300)]
Place = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^\S")]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
Size = Annotated[int, Meta(ge=1, le=99_999)]
Tag = Annotated[str, Meta(max_length=30, pattern=r"^\S+( \S+)*$")]
Tags = Annotated[list[Tag], Meta(max_length=5)]


class CreateEventInput(Input):
    """What a new event needs. Absent sizes are those of the mode; `max` absent in CUSTOM is unlimited.

    url: the event's own page. online_url: where to meet, shown to who has a place.
    """

    title: Title
    starts_at: Instant
    ends_at: Annotated[Instant, Meta(examples=["2031-05-01T21:00:00Z"])]
    timezone: Timezone
    meeting_kind: MeetingKind
    description: Description = ""
    url: Url | None = None
    online_url: Url | None = None
    address: Address | None = None
    city: Place | None = None
    country: Place | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    join_mode: JoinMode = JoinMode.OPEN
    mode: Mode = Mode.CUSTOM
    min: Size | None = None
    max: Size | None = None
    visibility: Visibility = Visibility.PUBLIC
    tags: Tags = []


@command("POST /events", "createEvent", allow=member, permission=EVENT_CREATE, limit=EVENT_WRITE, answers=(201,))
async def create_event(ctx: Ctx, *, input: CreateEventInput) -> EventView:
    """Draft an event, own it, and take its first place.

    Raises Invalid with every field that breaks a rule.
    """
    draft = rules.draft_of(input)
    problems = rules.draft_problems(draft)
    if problems:
        raise Invalid(
            "; ".join(f"{each.field}: {each.message}" for each in problems),
            fields=tuple(FieldProblem(f"input.{each.field}", "INVALID", each.message) for each in problems),
        )
    values = {name: getattr(input, name) for name in input.__struct_fields__}
    least, most = rules.capacity(draft)
    event_id = await queries.put_event(ctx, **{**values, "min": least, "max": most})
    await chat.open_room(ctx, room_id=event_id)
    await queries.put_seated(ctx, event_id, role=EventMemberRole.OWNER)
    await chat.seat(ctx, room_id=event_id, user_id=ctx.user_id)
    ctx.record(EventCreated(event_id=event_id))
    return EventView.ref(event_id, created=True)


@command("POST /events/{id}/publication", "publishEvent", allow=member, limit=EVENT_WRITE)
async def publish(ctx: Ctx, *, id: UUID) -> EventView:
    """Publish a draft, so that others find it and join.

    Raises EventNotFound, NotOrganiser, AlreadyPublished, StartsTooSoon.
    """
    event, own = await lock_seen_event(ctx, id)
    if not (rules.is_organiser(own.role, own.status) or ctx.may(EVENT_MODERATE)):
        raise NotOrganiser
    if event.status != EventStatus.DRAFT:
        raise AlreadyPublished
    if event.starts_at < ctx.now + rules.EARLIEST_START:
        raise StartsTooSoon
    await queries.put_published(ctx, id)
    ctx.record(EventPublished(event_id=id))
    return EventView.ref(id)
