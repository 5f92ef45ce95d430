"""The verbs of share links: make one, and withdraw it."""

from uuid import UUID

from muster.events.commands.finding import lock_event_for
from muster.events.limits import EVENT_WRITE
from muster.events.rules import MemberDeed
from muster.events.sharing import queries
from muster.events.sharing.keys import hash_of, key_of, known_key
from muster.events.views import EventView
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.ids import new_id
from muster.kit.qr import qr_code
from muster.kit.views.results import Payload
from muster.tenancy.queries import home_of


class SharedEvent(Payload):
    """An event's share link.

    url: its page; whoever has it sees the event, until the link is withdrawn. key: what it holds, for `event` and
    `joinEvent`. qr: the address as a QR code, an SVG image.
    """

    url: str
    key: str
    qr: str
    event: EventView


@command("POST /events/{event_id}/share", "shareEvent", allow=member, limit=EVENT_WRITE)
async def share(ctx: Ctx, *, event_id: UUID) -> SharedEvent:
    """The link by which a hidden event is seen by whoever has it. Asked for again, it is the same one.

    Who comes by it joins as everybody does; it opens no door. Raises EventNotFound, NotOrganiser, NotOwner.
    """
    # The event's lock makes one link of two who ask at once.
    await lock_event_for(ctx, event_id, MemberDeed.INVITE)
    key = await _key(ctx, event_id)
    url = f"{await home_of(ctx)}/e/{event_id}?key={key}"
    return SharedEvent(url=url, key=key, qr=qr_code(url), event=EventView.ref(event_id))


@command("DELETE /events/{event_id}/share", "unshareEvent", allow=member, limit=EVENT_WRITE)
async def unshare(ctx: Ctx, *, event_id: UUID) -> None:
    """Withdraw an event's share link: it leads nowhere from now on, and one that is made anew is another. Twice is once.

    Raises EventNotFound, NotOrganiser, NotOwner.
    """
    await lock_event_for(ctx, event_id, MemberDeed.INVITE)
    await queries.forget_share(ctx, event_id)


async def _key(ctx: Ctx, event_id: UUID) -> str:
    """The key of the event's link, which is made where there is none, or none that we can tell any more."""
    share = await queries.share_of(ctx, event_id)
    known = None if share is None else known_key(ctx.settings.security.secrets, share.id, share.key_hash)
    if known is not None:
        return known
    await queries.forget_share(ctx, event_id)
    share_id = new_id()
    key = key_of(ctx.settings.security.jwt_secret, share_id)
    await queries.put_share(ctx, share_id, event_id, hash_of(key))
    return key
