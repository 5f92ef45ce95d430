"""The verbs of feeds: open one for a calendar program, and close it."""

from uuid import UUID

from muster.events import queries as events
from muster.events.calendar import queries
from muster.events.calendar.addresses import FeedKey, address_of
from muster.events.calendar.tables import FeedScope
from muster.events.calendar.views import CalendarFeedView
from muster.events.commands.finding import EventNotFound
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Invalid
from muster.kit.limits import API
from muster.kit.views.results import Payload


class OpenedFeed(Payload):
    """A feed, and where calendar programs read it.

    url: whoever has it reads what you may see, until you close the feed. feed: what can be read of it later.
    """

    url: str
    feed: CalendarFeedView


@command("POST /me/calendars", "openCalendar", allow=member, in_person=True, limit=API)
async def open_calendar(ctx: Ctx, *, scope: FeedScope | None = None, event_id: UUID | None = None) -> OpenedFeed:
    """An address of one's own for calendar programs, which shows what one may see. Asked for again, it is the same one.

    scope: what it holds; absent, it is EVENT with an event and MINE without. event_id: which event.
    Raises Invalid, EventNotFound.
    """
    scope = _meant(scope, event_id)
    if event_id is not None:
        own = await events.standing(ctx, event_id, ctx.user_id)
        if own is None or not own.seen:
            raise EventNotFound
    feed_id = await queries.open_feed(ctx, scope, event_id)
    url = address_of(ctx.settings, FeedKey(ctx.tenant_id, ctx.user_id, feed_id, scope))
    return OpenedFeed(url=url, feed=CalendarFeedView.ref(feed_id))


@command("DELETE /me/calendars", "closeCalendar", allow=member, in_person=True, limit=API)
async def close_calendar(ctx: Ctx, *, scope: FeedScope | None = None, event_id: UUID | None = None) -> None:
    """End a feed: its address leads nowhere from now on, and one that is opened anew has another. Ended twice, it is ended.

    scope, event_id: as it was opened. Raises Invalid.
    """
    await queries.close_feed(ctx, _meant(scope, event_id), event_id)


def _meant(scope: FeedScope | None, event_id: UUID | None) -> FeedScope:
    found = scope or (FeedScope.MINE if event_id is None else FeedScope.EVENT)
    if (found == FeedScope.EVENT) != (event_id is not None):
        raise Invalid.field("eventId", "goes with the scope EVENT, and only with that")
    return found
