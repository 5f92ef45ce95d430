"""Deleting one's account."""

from datetime import datetime

from muster.identity.commands import close_account
from muster.kit.caller import signed_in
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict
from muster.kit.limits import API
from muster.kit.views.results import Payload
from muster.privacy import queries, rules


class OwnsCommunities(Conflict):
    """You own communities, which `communities` lists: hand each over or delete it, and then your account."""

    code = "OWNS_COMMUNITIES"


class ClosedAccount(Payload):
    """An account that its person wants gone. opens_until: until then signing in opens it again."""

    status = 202
    replayable = True

    opens_until: datetime


@command("DELETE /me", "deleteAccount", allow=signed_in, limit=API, step_up=True, ends_session=True)
async def delete_account(ctx: Ctx) -> ClosedAccount:
    """Delete one's account: it is closed at once, and all that is personal is erased after 30 days.

    Until then signing in, or a link that is mailed, opens it again. Every session ends now.
    Raises OwnsCommunities while one owns any.
    """
    await close_account(ctx)
    # Whoever founds a community meanwhile holds the account's row by its foreign key, or is signed out by now; who is
    # made the owner of one is seen again before the account ends.
    owned = await queries.owned_communities(ctx, ctx.user_id)
    if owned:
        raise OwnsCommunities(
            details={"communities": [{"id": each.id, "slug": each.slug, "name": each.name} for each in owned]}
        )
    await queries.begin_departure(ctx, ctx.user_id)
    return ClosedAccount(opens_until=ctx.now + rules.GRACE)
