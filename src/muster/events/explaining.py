"""What events say of it, when somebody asks why a member may do something."""

from uuid import UUID

from muster.access.explaining import Word, asked_of
from muster.access.roles import EVENT_MANAGE, EVENT_MODERATE
from muster.events import queries, rules
from muster.events.queries import Visit
from muster.kit.commands.context import Ctx


async def event_says(ctx: Ctx, user_id: UUID, event_id: UUID) -> Word | None:
    """An event: who runs it needs no permission; who does not see it may do nothing with it."""
    found = await queries.standings(ctx.db, [Visit(event_id=event_id, user_id=each) for each in {ctx.user_id, user_id}])
    by_person = {each.user_id: each for each in found}
    asker, own = by_person.get(ctx.user_id), by_person.get(user_id)
    if (
        asker is None
        or own is None
        or not (asker.seen or asker.member_id is not None or ctx.may(EVENT_MODERATE) or ctx.may(EVENT_MANAGE))
    ):
        return None
    if rules.is_organiser(own.role, own.status):
        return Word(True, "they run this event")
    if not (own.seen or own.member_id is not None):
        return Word(False, "they do not see this event")
    return Word(None, "they see this event, and do not run it")


asked_of(event_says, EVENT_MODERATE, EVENT_MANAGE)
