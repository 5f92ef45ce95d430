"""The verb of announcements."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from muster.events.announcements import queries
from muster.events.announcements.facts import EventAnnounced
from muster.events.announcements.tables import Hearer
from muster.events.announcements.views import AnnouncementView
from muster.events.commands.finding import is_left_to_do, lock_event_for
from muster.events.limits import EVENT_WRITE
from muster.events.rules import Deed
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import TooMany

MOST = 3
"""Announcements of one event within `WITHIN`, whoever of its organisers makes them."""
WITHIN = timedelta(hours=1)

Content = Annotated[
    str,
    Meta(
        min_length=1, max_length=500, pattern=r"\S", examples=["We meet at the north gate."], description="Plain text."
    ),
]
Audience = Annotated[list[Hearer], Meta(min_length=1, max_length=len(Hearer), description="Whom it is for.")]


@command("POST /events/{event_id}/announcements", "announce", allow=member, limit=EVENT_WRITE, answers=(201,))
async def announce(ctx: Ctx, *, event_id: UUID, content: Content, audience: Audience | None = None) -> AnnouncementView:
    """Tell people of an event something, in the product and by mail; three times an hour at most.

    audience: of which standing they are; absent is who has a place.
    Raises EventNotFound, NotOrganiser, NotPublished, EventIsCancelled, TooMany.
    """
    # The event's lock lets nobody announce between this count and the new row.
    event, _ = await lock_event_for(ctx, event_id, Deed.ANNOUNCE)
    is_left_to_do(ctx, event, Deed.ANNOUNCE)
    since = await queries.oldest_of(ctx, event_id, MOST, ctx.now - WITHIN)
    if since is not None:
        says, bucket = f"An event announces {MOST} things an hour", "event.announce"
        raise TooMany.past_share(says, since=since, within=WITHIN, now=ctx.now, count=MOST, most=MOST, bucket=bucket)
    whom = sorted({Hearer.JOINED} if audience is None else set(audience))
    made = await queries.put_announcement(ctx, event_id, content, whom)
    ctx.record(EventAnnounced(event_id=event_id, user_id=ctx.user_id, announcement_id=made, audience=whom))
    return AnnouncementView.ref(made, created=True)
