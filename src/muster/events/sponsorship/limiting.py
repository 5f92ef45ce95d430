"""Holding events to their plans, in communities that want it: whoever makes an event larger asks here."""

from uuid import UUID

from muster.events.queries import LockedEvent
from muster.events.sponsorship import queries
from muster.events.sponsorship.plans import CURRENT, Excess, PlanLimit, Wanted, excess
from muster.events.tables import EventPlan, MeetingKind
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict
from muster.tenancy import queries as tenancy


class PlanLimitReached(Conflict):
    """The plan of this event allows no more; ask for less, or have the event get a larger plan."""

    code = "PLAN_LIMIT"


_ALLOWED = {
    PlanLimit.ACTIVE_EVENTS: "{} active events of one owner",
    PlanLimit.PARTICIPANTS: "{} participants; say how many with `max`",
    PlanLimit.CHAT: "no talking in its room",
    PlanLimit.HYBRID: "to be either on site or online, not both",
    PlanLimit.JOIN_QUESTIONS: "{} questions to who wants in",
    PlanLimit.CO_ORGANISERS: "{} moderators beside the owner",
    PlanLimit.BOOSTS: "{} boosts",
    PlanLimit.PUSHES: "{} local pushes",
    PlanLimit.FEEDBACK_QUESTIONS: "{} questions of feedback",
}


async def hold_new_event_to_plan(ctx: Ctx, wanted: Wanted) -> None:
    """Refuse a new event that wants more than it may have. Raises PlanLimitReached."""
    if await queries.is_limited(ctx):
        _refuse(EventPlan.FREE, excess(EventPlan.FREE, CURRENT, wanted))


async def hold_to_plan(ctx: Ctx, event_id: UUID, wanted: Wanted) -> None:
    """Refuse what is more than the plan of an event allows; nothing is where the community limits no events.

    wanted: what the event would have, counted under its lock where others could add to it. Raises PlanLimitReached.
    """
    held = await queries.held_plan(ctx, event_id)
    if held is not None:
        _refuse(held.plan, excess(held.plan, held.plan_version, wanted))


async def hold_to_plan_in_public(ctx: Ctx, event: LockedEvent) -> None:
    """Refuse to publish a locked event that has more than its plan allows, or whose owner has. Raises PlanLimitReached."""
    held = await queries.held_plan(ctx, event.id)
    if held is None:
        return
    # Whoever publishes an event of this owner waits here, so the next one counts what the one before has published. The
    # event's lock is always taken first.
    await tenancy.lock_member(ctx, held.owner_id)
    active = await queries.count_active(ctx, event.id, held) + 1
    wanted = {PlanLimit.ACTIVE_EVENTS: active, **size_of(held.max, held.meeting_kind)}
    _refuse(held.plan, excess(held.plan, held.plan_version, wanted))


async def hold_moderators_to_plan(ctx: Ctx, event_id: UUID) -> None:
    """Refuse one more moderator of a locked event than its plan allows. Raises PlanLimitReached."""
    held = await queries.held_plan(ctx, event_id)
    if held is not None:
        wanted = {PlanLimit.CO_ORGANISERS: await queries.count_moderators(ctx, event_id) + 1}
        _refuse(held.plan, excess(held.plan, held.plan_version, wanted))


def size_of(most: int | None, kind: MeetingKind) -> dict[PlanLimit, int | None]:
    """What of an event's size and kind a plan limits. most: heads; None is without end."""
    return {PlanLimit.PARTICIPANTS: most, PlanLimit.HYBRID: int(kind == MeetingKind.HYBRID)}


def _refuse(plan: EventPlan, found: Excess | None) -> None:
    if found is None:
        return
    allowed = _ALLOWED[found.limit].format(found.allowed)
    remedy = "" if found.remedy is None else f"; {found.remedy} allows what you want"
    details = {"limit": found.limit, "current": found.current, "allowed": found.allowed, "plan": plan}
    raise PlanLimitReached(
        f"The plan {plan} allows this event {allowed}{remedy}.", details={**details, "remedy": found.remedy}
    )
