"""What becomes of members: they leave, are removed, suspended and let in again, and get other roles."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from muster.kit.caller import Permission, member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict, NotFound
from muster.kit.limits import API
from muster.tenancy import queries
from muster.tenancy.facts import MemberLeft, MemberRemoved, MemberResumed, MemberRoleChanged, MemberSuspended
from muster.tenancy.granting import check_grant, check_rank
from muster.tenancy.queries import Membership
from muster.tenancy.rules import OWNER
from muster.tenancy.tables import MemberStatus
from muster.tenancy.teams import seating
from muster.tenancy.views import MemberView


class MemberNotFound(NotFound):
    """This community has no such member."""

    code = "MEMBER_NOT_FOUND"


class TenantOwnerStays(Conflict):
    """The owner of a community stays its owner until they have handed it over to somebody else."""

    code = "TENANT_OWNER_STAYS"


class NotOneself(Conflict):
    """This is for other members; leave the community to end your own membership."""

    code = "NOT_ONESELF"


Note = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\S", description="Why; plain text.")]
RoleName = Annotated[str, Meta(min_length=1, max_length=60, examples=["moderator"], description="A role's name.")]
_INSIDE = (MemberStatus.ACTIVE, MemberStatus.SUSPENDED)


@command("DELETE /members/me", "leaveTenant", allow=member, limit=API)
async def leave(ctx: Ctx, *, note: Note | None = None) -> None:
    """Leave this community and the events in it.

    note: why, for those who run it.
    Raises TenantOwnerStays.
    """
    own = await _lock_other_than_owner(ctx, ctx.user_id)
    if own.status == MemberStatus.ACTIVE:
        await _depart(ctx, own, MemberStatus.LEFT, note)
        ctx.record(MemberLeft(user_id=own.user_id, member_id=own.id))


@command("DELETE /members/{user_id}", "removeMember", allow=member, permission=Permission("member:remove"), limit=API)
async def remove(ctx: Ctx, *, user_id: UUID, note: Note | None = None) -> MemberView:
    """Remove somebody from this community and the events in it. No open door lets them in again.

    Removing twice changes nothing. note: why, for those who run the community.
    Raises MemberNotFound, NotOneself, TenantOwnerStays, OutranksYou.
    """
    target = await _lock_target(ctx, user_id)
    if target.is_service:
        # What a program made is not called off, and its keys end with it: `removeServiceAccount`.
        raise MemberNotFound
    if target.status in _INSIDE:
        await _depart(ctx, target, MemberStatus.REMOVED, note)
        ctx.record(MemberRemoved(user_id=user_id, member_id=target.id))
    return MemberView.ref(target.id)


@command(
    "POST /members/{user_id}/suspension",
    "suspendMember",
    allow=member,
    permission=Permission("member:suspend"),
    limit=API,
)
async def suspend(ctx: Ctx, *, user_id: UUID, note: Note | None = None) -> MemberView:
    """Close this community to a member until the suspension is lifted; what they have open ends within a second.

    They keep their seat here and their places in events, not in teams. Suspending twice changes nothing. note: why, for those who run it.
    Raises MemberNotFound, NotOneself, TenantOwnerStays, OutranksYou.
    """
    target = await _lock_target(ctx, user_id)
    if target.status not in _INSIDE:
        raise MemberNotFound
    if target.status == MemberStatus.ACTIVE:
        await queries.put_status(ctx, target.id, MemberStatus.SUSPENDED, note=note)
        await queries.revoke_invitations_of(ctx, user_id)
        await seating.withdraw(ctx, user_id)
        ctx.record(MemberSuspended(user_id=user_id, member_id=target.id))
    return MemberView.ref(target.id)


@command(
    "DELETE /members/{user_id}/suspension",
    "resumeMember",
    allow=member,
    permission=Permission("member:suspend"),
    limit=API,
)
async def resume(ctx: Ctx, *, user_id: UUID) -> MemberView:
    """Open this community to a suspended member again; who is not suspended stays as they are.

    Raises MemberNotFound, NotOneself, TenantOwnerStays, OutranksYou.
    """
    target = await _lock_target(ctx, user_id)
    if target.status not in _INSIDE:
        raise MemberNotFound
    if target.status == MemberStatus.SUSPENDED:
        await queries.put_status(ctx, target.id, MemberStatus.ACTIVE)
        ctx.record(MemberResumed(user_id=user_id, member_id=target.id))
    return MemberView.ref(target.id)


@command(
    "PUT /members/{user_id}/role",
    "changeMemberRole",
    allow=member,
    permission=Permission("role:assign"),
    limit=API,
)
async def change_role(ctx: Ctx, *, user_id: UUID, role: RoleName) -> MemberView:
    """Give a member another role; it counts from their next request on.

    Both the role they have and the one they get must give no more than one's own.
    Raises MemberNotFound, TenantOwnerStays, Invalid, OutranksYou, GrantsTooMuch.
    """
    target = await _lock_other_than_owner(ctx, user_id)
    if target.status not in _INSIDE:
        raise MemberNotFound
    await check_rank(ctx, target.role)
    await check_grant(ctx, role)
    if target.role != role:
        await queries.put_role(ctx, target.id, role)
        by_id = ctx.user_id
        ctx.record(MemberRoleChanged(user_id=user_id, member_id=target.id, role=role, was=target.role, by_id=by_id))
    return MemberView.ref(target.id)


async def _lock_other_than_owner(ctx: Ctx, user_id: UUID) -> Membership:
    """A membership under its lock. That the owner's is never touched is what keeps every community an owner."""
    found = await queries.lock_member(ctx, user_id)
    if found is None:
        raise MemberNotFound
    if found.role == OWNER and found.status in _INSIDE:
        raise TenantOwnerStays
    return found


async def _lock_target(ctx: Ctx, user_id: UUID) -> Membership:
    """Somebody else's membership under its lock, of whom one may decide."""
    target = await _lock_other_than_owner(ctx, user_id)
    if user_id == ctx.user_id:
        raise NotOneself
    await check_rank(ctx, target.role)
    return target


async def _depart(ctx: Ctx, gone: Membership, status: MemberStatus, note: str | None) -> None:
    """Somebody goes, and with them, in this transaction, what hangs on their membership in this slice."""
    await queries.put_gone(ctx, gone.id, status, note=note)
    await queries.revoke_invitations_of(ctx, gone.user_id)
    await seating.withdraw(ctx, gone.user_id)
