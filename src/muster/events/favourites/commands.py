"""Keep events for later."""

from uuid import UUID

from muster.events import queries as events
from muster.events.commands.finding import EventNotFound
from muster.events.favourites import queries
from muster.events.favourites.views import EventFavouriteView
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict
from muster.kit.limits import API


class FavouriteGone(Conflict):
    """This favourite was taken back at this very moment; say again what you want."""

    code = "FAVOURITE_GONE"


@command("PUT /me/favourites/{event_id}", "keepEvent", allow=member, limit=API, answers=(200, 201))
async def keep(ctx: Ctx, *, event_id: UUID) -> EventFavouriteView:
    """Keep an event for later. Twice is once. Its organisers learn how many do, and never who.

    Raises EventNotFound, FavouriteGone.
    """
    own = await events.standing(ctx, event_id, ctx.user_id)
    if own is None or not own.seen:
        raise EventNotFound
    made = await queries.put_favourite(ctx, event_id)
    there = made or await queries.favourite_of(ctx, event_id)
    if there is None:
        raise FavouriteGone
    return EventFavouriteView.ref(there, created=made is not None)


@command("DELETE /me/favourites/{event_id}", "dropEvent", allow=member, limit=API)
async def drop(ctx: Ctx, *, event_id: UUID) -> None:
    """Keep an event no more, if one did."""
    await queries.forget_favourite(ctx, event_id)
