"""The verb of an event's programme: each list is written as a whole, and in one order."""

from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from muster.events import queries as events
from muster.events.commands.finding import is_left_to_do, lock_event_for
from muster.events.facts import EventUpdated
from muster.events.limits import EVENT_WRITE
from muster.events.programme import queries, rules
from muster.events.programme.tables import ResourceAudience
from muster.events.rules import Deed
from muster.events.views import EventView
from muster.kit.arguments import Input, Instant
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import FieldProblem, Invalid, PreconditionFailed
from muster.tenancy import queries as tenancy

Line = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"\S", description="A line of plain text.")]


class AgendaHostInput(Input):
    """Who leads a point of the agenda: a member of the community, or anybody else by name.

    user_id: of a member. name: of anybody else.
    """

    user_id: UUID | None = None
    name: Line | None = None


class AgendaItemInput(Input):
    """A point of the agenda.

    title: a line of plain text. description: plain text. starts_at: when it begins. ends_at: when it is over; comes with
    starts_at. hosts: who lead it.
    """

    title: Annotated[str, Meta(min_length=3, max_length=120, pattern=r"\S", examples=["Opening game"])]
    description: Annotated[str, Meta(max_length=1000)] = ""
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    hosts: Annotated[list[AgendaHostInput], Meta(max_length=10)] = []


class FaqInput(Input):
    """A question that is often asked, with its answer.

    question: plain text. answer: plain text.
    """

    question: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\S", examples=["Are there boards?"])]
    answer: Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"\S", examples=["Twenty."])]


class ResourceInput(Input):
    """An address where there is more about the event.

    title: a line of plain text. url: where it leads. audience: who is shown it.
    """

    title: Line
    url: Annotated[str, Meta(max_length=2000, pattern=r"^https?://\S+$", examples=["https://chess.example/rules"])]
    audience: ResourceAudience = ResourceAudience.PUBLIC


class UpdateProgrammeInput(Input):
    """What changes of an event's programme. A list that is given replaces the one there is; an absent one stays.

    agenda: what happens when. faqs: what is often asked. resources: where there is more. version: of the event that the
    change is meant for; another is refused.
    """

    agenda: Annotated[list[AgendaItemInput], Meta(max_length=50)] | UnsetType = UNSET
    faqs: Annotated[list[FaqInput], Meta(max_length=50)] | UnsetType = UNSET
    resources: Annotated[list[ResourceInput], Meta(max_length=50)] | UnsetType = UNSET
    version: int | UnsetType = UNSET


@command("PATCH /events/{id}/programme", "updateEventProgramme", allow=member, limit=EVENT_WRITE)
async def update_programme(ctx: Ctx, *, id: UUID, input: UpdateProgrammeInput) -> EventView:
    """Replace the agenda of an event, what is often asked of it, or where there is more about it.

    Raises EventNotFound, NotOrganiser, EventIsCancelled, PreconditionFailed, Invalid.
    """
    # The lock lets the lists change one after the other.
    event, _ = await lock_event_for(ctx, id, Deed.UPDATE)
    is_left_to_do(ctx, event, Deed.UPDATE)
    if input.version is not UNSET and input.version != event.version:
        raise PreconditionFailed
    changed = []
    if input.agenda is not UNSET:
        await _check(ctx, input.agenda)
        changed.append("agenda")
        await queries.put_agenda(ctx, id, input.agenda, [each.hosts for each in input.agenda])
    if input.faqs is not UNSET:
        changed.append("faqs")
        await queries.put_faqs(ctx, id, input.faqs)
    if input.resources is not UNSET:
        changed.append("resources")
        await queries.put_resources(ctx, id, input.resources)
    if changed:
        await events.count_change(ctx, id)
        ctx.record(EventUpdated(event_id=id, user_id=ctx.user_id, changed=changed))
    return EventView.ref(id)


async def _check(ctx: Ctx, items: list[AgendaItemInput]) -> None:
    problems = [
        FieldProblem(f"input.agenda[{at}].{field}", "INVALID", message)
        for at, item in enumerate(items)
        for field, message in rules.item_problems(
            item.starts_at, item.ends_at, [(each.user_id, each.name) for each in item.hosts]
        )
    ]
    named = {each.user_id for item in items for each in item.hosts if each.user_id is not None}
    # Nobody named here leaves the community before this is written.
    members = await tenancy.hold_members(ctx, named) if named else set()
    problems += [
        FieldProblem(f"input.agenda[{at}].hosts[{place}].userId", "INVALID", "is no member of this community")
        for at, item in enumerate(items)
        for place, host in enumerate(item.hosts)
        if host.user_id is not None and host.user_id not in members
    ]
    if problems:
        raise Invalid("; ".join(f"{each.path}: {each.message}" for each in problems), fields=tuple(problems))
