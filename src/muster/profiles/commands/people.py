"""Star, follow and block.

Whoever ties or blocks locks the profiles first, so a tie and a block of the same two people take turns: none outlives it.
"""

from uuid import UUID

from muster.kit.caller import verified
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Invalid, NotFound
from muster.profiles import queries
from muster.profiles.facts import PersonTied, PersonUntied
from muster.profiles.limits import TIE
from muster.profiles.tables import TieKind
from muster.profiles.views import BlockView, ProfileView


class PersonNotFound(NotFound):
    """There is no such person, or not for you."""

    code = "PERSON_NOT_FOUND"


@command("POST /users/{user_id}/star", "starUser", allow=verified, limit=TIE)
async def star_user(ctx: Ctx, *, user_id: UUID) -> ProfileView:
    """Star a person: a sign of esteem, counted on their profile. Twice is once.

    Raises PersonNotFound, Invalid for oneself.
    """
    return await _tie(ctx, user_id, TieKind.STAR)


@command("DELETE /users/{user_id}/star", "unstarUser", allow=verified, limit=TIE)
async def unstar_user(ctx: Ctx, *, user_id: UUID) -> None:
    """Take a star back, if there is one."""
    await _untie(ctx, user_id, TieKind.STAR)


@command("POST /users/{user_id}/follow", "followUser", allow=verified, limit=TIE)
async def follow_user(ctx: Ctx, *, user_id: UUID) -> ProfileView:
    """Follow a person. Twice is once.

    Raises PersonNotFound, Invalid for oneself.
    """
    return await _tie(ctx, user_id, TieKind.FOLLOW)


@command("DELETE /users/{user_id}/follow", "unfollowUser", allow=verified, limit=TIE)
async def unfollow_user(ctx: Ctx, *, user_id: UUID) -> None:
    """Follow a person no more, if one did."""
    await _untie(ctx, user_id, TieKind.FOLLOW)


async def _tie(ctx: Ctx, user_id: UUID, kind: TieKind) -> ProfileView:
    _refuse_oneself(ctx, user_id)
    await queries.lock_people(ctx, [user_id])
    found = await queries.standing(ctx, user_id)
    if found is None or not (found.known and found.open):
        raise PersonNotFound
    if await queries.put_tie(ctx, user_id, kind):
        ctx.record(PersonTied(user_id=user_id, by_id=ctx.user_id, tie=kind))
    return ProfileView.ref(user_id)


async def _untie(ctx: Ctx, user_id: UUID, kind: TieKind) -> None:
    if await queries.end_tie(ctx, user_id, kind):
        ctx.record(PersonUntied(user_id=user_id, by_id=ctx.user_id, tie=kind))


@command("POST /me/blocks", "blockUser", allow=verified, limit=TIE, answers=(200, 201))
async def block_user(ctx: Ctx, *, user_id: UUID) -> BlockView:
    """Block a person, both ways: neither finds the other, stars and follows between them end. Twice is once.

    They are not told. What you have in common, such as the room of an event, both still read.
    Raises PersonNotFound, Invalid for oneself.
    """
    _refuse_oneself(ctx, user_id)
    await queries.lock_people(ctx, [ctx.user_id, user_id])
    there = await queries.block_of(ctx, user_id)
    if there is not None:
        return BlockView.ref(there)
    found = await queries.standing(ctx, user_id)
    # Who is blocked may block back: they know each other from what they have in common.
    if found is None or not found.known:
        raise PersonNotFound
    return BlockView.ref(await queries.put_block(ctx, user_id), created=True)


@command("DELETE /me/blocks/{user_id}", "unblockUser", allow=verified, limit=TIE)
async def unblock_user(ctx: Ctx, *, user_id: UUID) -> None:
    """Block a person no more, if one did. Stars and follows do not come back."""
    await queries.end_block(ctx, user_id)


def _refuse_oneself(ctx: Ctx, user_id: UUID) -> None:
    if user_id == ctx.user_id:
        raise Invalid.field("userId", "is your own; this is for others")
