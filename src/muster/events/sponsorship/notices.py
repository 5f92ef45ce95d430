"""Telling people of sponsorship: organisers what was done, and people nearby of an event."""

from uuid import UUID

from muster.events import queries as events
from muster.events.queries import Recipient
from muster.events.sponsorship import nearby
from muster.events.sponsorship.facts import EventBoosted, EventPushed, EventSponsored
from muster.events.telling import BATCH, tell_crowd
from muster.events.views import EventView
from muster.kit.commands.context import Ctx
from muster.kit.work.errands import Errand
from muster.notifications import commands as notifications


async def tell_sponsored(ctx: Ctx, fact: EventSponsored) -> None:
    """Tell the organisers what their event was credited, but who did it."""
    data = {"plan": fact.plan, "boosts": fact.boosts, "pushes": fact.pushes}
    await _tell_organisers(ctx, fact.event_id, fact.by_id, "EVENT_SPONSORED", data)


async def tell_boosted(ctx: Ctx, fact: EventBoosted) -> None:
    """Tell the organisers that one of them boosted their event, but who did it."""
    await _tell_organisers(ctx, fact.event_id, fact.user_id, "EVENT_BOOSTED", {"until": fact.until})


async def tell_nearby(errand: Errand, fact: EventPushed) -> None:
    """Tell people who live near an event of it, each once however often this runs again."""

    async def following(ctx: Ctx, after: UUID) -> list[Recipient]:
        return await nearby.next_hearers(ctx, fact.event_id, fact.user_id, after, size=BATCH)

    data = {"eventId": fact.event_id}
    await tell_crowd(errand, fact.event_id, following, kind="EVENT_NEARBY", data=data, mail=None)


async def _tell_organisers(ctx: Ctx, event_id: UUID, but: UUID | None, kind: str, said: dict[str, object]) -> None:
    about, data = EventView.ref(event_id), {"eventId": event_id, **said}
    for user_id in await events.organisers_of(ctx, event_id):
        if user_id != but:
            await notifications.tell(ctx, user_id=user_id, kind=kind, data=data, about=about)
