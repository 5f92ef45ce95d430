"""Create and update events."""

from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType, structs

from muster.access.roles import EVENT_CREATE
from muster.chat import commands as chat
from muster.events import queries, rules
from muster.events.commands.attend import promote
from muster.events.commands.finding import is_left_to_do, lock_organised_event
from muster.events.facts import EventCreated, EventUpdated
from muster.events.limits import EVENT_WRITE
from muster.events.queries import EditableEvent, LockedEvent
from muster.events.rules import Deed, Phase, Problem
from muster.events.tables import EventMemberRole, JoinMode, MeetingKind, Mode, Visibility
from muster.events.views import EventView
from muster.kit.arguments import Input, Instant
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict, FieldProblem, Invalid, PreconditionFailed
from muster.kit.ids import new_id
from muster.kit.text import camel


class TooFewPlaces(Conflict):
    """More people have a place already; ask some to leave first."""

    code = "TOO_FEW_PLACES"


Title = Annotated[
    str,
    Meta(
        min_length=3, max_length=60, pattern=r"\S", examples=["Chess in the park"], description="A line of plain text."
    ),
]
Starts = Annotated[Instant, Meta(description="When it begins; with an offset.")]
Ends = Annotated[
    Instant, Meta(examples=["2031-05-01T21:00:00Z"], description="When it is over, at most 30 days later.")
]
Timezone = Annotated[
    str, Meta(max_length=60, examples=["Europe/Warsaw"], description="The IANA name of where it takes place.")
]
Description = Annotated[str, Meta(max_length=5000, description="Plain text.")]
Url = Annotated[str, Meta(max_length=2000, pattern=r"^https?://\S+$", description="The event's own page.")]
OnlineUrl = Annotated[Url, Meta(description="Where to meet online; shown to who has a place.")]
Address = Annotated[str, Meta(min_length=1, max_length=300, description="Where to meet, as people write it.")]
Place = Annotated[
    str, Meta(min_length=1, max_length=100, pattern=r"^\S", description="Its name; it can be searched for.")
]
Latitude = Annotated[float, Meta(ge=-90, le=90, description="Degrees north; comes with the longitude.")]
Longitude = Annotated[float, Meta(ge=-180, le=180, description="Degrees east; comes with the latitude.")]
Fewest = Annotated[int, Meta(ge=1, le=99_999, description="The fewest people; absent or null is that of the mode.")]
Most = Annotated[
    int, Meta(ge=1, le=99_999, description="The most people, the owner among them; absent or null is that of the mode.")
]
Minutes = Annotated[int, Meta(ge=0, le=rules.LONGEST_WINDOW)]
OpensBefore = Annotated[
    Minutes, Meta(description="So many minutes before the start people begin to get in; null is at once.")
]
CutoffBefore = Annotated[
    Minutes, Meta(description="From so many minutes before the start until it nobody gets in; null is no such time.")
]
LateCutoff = Annotated[
    Minutes, Meta(description="From so many minutes after the start on nobody gets in; null is until the end.")
]
AllowLate = Annotated[bool, Meta(description="Whether people get in after the start.")]
MayAskAgain = Annotated[bool, Meta(description="Whether who was rejected may ask again.")]
Tag = Annotated[str, Meta(max_length=30, pattern=r"^\S+( \S+)*$")]
Tags = Annotated[list[Tag], Meta(max_length=5, description="Kept in small letters.")]


class CreateEventInput(Input):
    """What a new event needs. `max` absent in CUSTOM is unlimited."""

    title: Title
    starts_at: Starts
    ends_at: Ends
    timezone: Timezone
    meeting_kind: MeetingKind
    description: Description = ""
    url: Url | None = None
    online_url: OnlineUrl | None = None
    address: Address | None = None
    city: Place | None = None
    country: Place | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    join_mode: JoinMode = JoinMode.OPEN
    mode: Mode = Mode.CUSTOM
    min: Fewest | None = None
    max: Most | None = None
    visibility: Visibility = Visibility.PUBLIC
    join_opens_minutes_before_start: OpensBefore | None = None
    join_cutoff_minutes_before_start: CutoffBefore | None = None
    allow_join_late: AllowLate = True
    late_join_cutoff_minutes_after_start: LateCutoff | None = None
    may_ask_again: MayAskAgain = False
    tags: Tags = []


class UpdateEventInput(Input):
    """What changes of an event. What is absent stays as it is; what is null is emptied, sizes to those of the mode.

    version: the one that the change is meant for; another is refused.
    """

    title: Title | UnsetType = UNSET
    starts_at: Starts | UnsetType = UNSET
    ends_at: Ends | UnsetType = UNSET
    timezone: Timezone | UnsetType = UNSET
    meeting_kind: MeetingKind | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    url: Url | UnsetType | None = UNSET
    online_url: OnlineUrl | UnsetType | None = UNSET
    address: Address | UnsetType | None = UNSET
    city: Place | UnsetType | None = UNSET
    country: Place | UnsetType | None = UNSET
    latitude: Latitude | UnsetType | None = UNSET
    longitude: Longitude | UnsetType | None = UNSET
    join_mode: JoinMode | UnsetType = UNSET
    mode: Mode | UnsetType = UNSET
    min: Fewest | UnsetType | None = UNSET
    max: Most | UnsetType | None = UNSET
    visibility: Visibility | UnsetType = UNSET
    join_opens_minutes_before_start: OpensBefore | UnsetType | None = UNSET
    join_cutoff_minutes_before_start: CutoffBefore | UnsetType | None = UNSET
    allow_join_late: AllowLate | UnsetType = UNSET
    late_join_cutoff_minutes_after_start: LateCutoff | UnsetType | None = UNSET
    may_ask_again: MayAskAgain | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    version: int | UnsetType = UNSET


_SHARED = tuple(name for name in LockedEvent.__struct_fields__ if name in EditableEvent.__struct_fields__)
"""What of the locked event its organisers may change."""


@command("POST /events", "createEvent", allow=member, permission=EVENT_CREATE, limit=EVENT_WRITE, answers=(201,))
async def create_event(ctx: Ctx, *, input: CreateEventInput) -> EventView:
    """Draft an event, own it, and take its first place.

    Raises Invalid with every field that breaks a rule.
    """
    draft = rules.draft_of(input)
    _refuse(rules.draft_problems(draft))
    least, most = rules.capacity(draft)
    event_id = await queries.put_event(ctx, **{**structs.asdict(input), "min": least, "max": most})
    await chat.open_room(ctx, room_id=event_id)
    queries.put_seated(ctx, event_id, member_id=new_id(), role=EventMemberRole.OWNER)
    chat.seat(ctx, room_id=event_id, user_id=ctx.user_id)
    ctx.record(EventCreated(event_id=event_id))
    return EventView.ref(event_id, created=True)


@command("PATCH /events/{id}", "updateEvent", allow=member, limit=EVENT_WRITE)
async def update_event(ctx: Ctx, *, id: UUID, input: UpdateEventInput) -> EventView:
    """Change an event; if that makes room, whoever waits longest gets a place at once.

    Raises EventNotFound, NotOrganiser, EventIsCancelled, PreconditionFailed, Invalid, TooFewPlaces.
    """
    event, _ = await lock_organised_event(ctx, id)
    is_left_to_do(ctx, event, Deed.UPDATE)
    before = await queries.editable(ctx, id)
    if input.version is not UNSET and input.version != before.version:
        raise PreconditionFailed
    after = _edited(before, input, event.phase(ctx.now), ctx)
    if after == before:
        return EventView.ref(id)
    if after.max is not None and after.max < event.joined_count:
        raise TooFewPlaces.field("input.max", f"{event.joined_count} people have a place already", "TOO_FEW_PLACES")
    await put_changes(ctx, id, before, after)
    await promote(ctx, structs.replace(event, **{name: getattr(after, name) for name in _SHARED}))
    return EventView.ref(id)


async def put_changes(ctx: Ctx, event_id: UUID, before: EditableEvent, after: EditableEvent) -> None:
    """Store what differs of the locked event, and say so."""
    changed = [name for name in before.__struct_fields__ if getattr(before, name) != getattr(after, name)]
    await queries.put_edited(ctx, event_id, after, new_tags="tags" in changed)
    ctx.record(
        EventUpdated(
            event_id=event_id,
            user_id=ctx.user_id,
            changed=[camel(name) for name in changed],
            old_starts_at=before.starts_at if "starts_at" in changed else None,
            old_ends_at=before.ends_at if "ends_at" in changed else None,
        )
    )


def _edited(before: EditableEvent, input: UpdateEventInput, phase: Phase, ctx: Ctx) -> EditableEvent:
    """The event as the input wants it. Raises Invalid for a rule that the change breaks.

    What broke a rule before is not held against who changes something else: imported events may lack what new ones need.
    """
    given = {name: value for name, value in structs.asdict(input).items() if value is not UNSET and name != "version"}
    after = structs.replace(before, **given)
    draft, old_draft = rules.draft_of(after), rules.draft_of(before)
    old_problems = rules.draft_problems(old_draft)
    new_problems = [each for each in rules.draft_problems(draft) if each not in old_problems]
    _refuse([*new_problems, *rules.move_problems(phase, old_draft, draft, ctx.now)])
    least, most = rules.capacity(draft)
    tags = sorted({tag.lower() for tag in after.tags})
    return structs.replace(after, min=least, max=most, tags=before.tags if set(tags) == set(before.tags) else tags)


def _refuse(problems: list[Problem]) -> None:
    """Raise Invalid with every problem, if there is any."""
    if problems:
        raise Invalid(
            "; ".join(f"{each.field}: {each.message}" for each in problems),
            fields=tuple(FieldProblem(f"input.{each.field}", "INVALID", each.message) for each in problems),
        )
