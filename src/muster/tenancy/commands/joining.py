"""How people get in by themselves: an open door, or one where they ask and somebody decides."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from muster.kit.caller import Permission, TenantNotFound, TenantStatus, member, verified
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict, Denied, NotFound
from muster.kit.limits import API
from muster.kit.views.results import Payload
from muster.tenancy import queries, rules
from muster.tenancy.commands.admission import MemberIsSuspended, admit
from muster.tenancy.facts import JoinApproved, JoinRejected, JoinRequestCancelled, JoinRequested
from muster.tenancy.granting import check_grant
from muster.tenancy.queries import Request
from muster.tenancy.rules import Door, Way
from muster.tenancy.tables import MemberStatus, RequestStatus
from muster.tenancy.views import JoinRequestView

USUAL_ROLE = "participant"
"""What people are who come in by themselves."""


class InvitationNeeded(Denied):
    """This community takes in only whom it has invited."""

    code = "INVITATION_NEEDED"


class RequestNotFound(NotFound):
    """There is no such request to join."""

    code = "JOIN_REQUEST_NOT_FOUND"


class RequestDecided(Conflict):
    """This request was decided already, or taken back."""

    code = "JOIN_REQUEST_DECIDED"


class JoinOutcome(StrEnum):
    """What becomes of who wants to join."""

    JOINED = "JOINED"
    REQUESTED = "REQUESTED"


class Joining(Payload):
    """What became of who wants to join: they are a member, or those who run the community decide."""

    replayable = True

    tenant_id: UUID
    outcome: JoinOutcome


Reason = Annotated[
    str, Meta(min_length=1, max_length=500, pattern=r"\S", description="Why, for who asked; plain text.")
]


@command("POST /tenants/{tenant_id}/members", "joinTenant", allow=verified, limit=API)
async def join(
    ctx: Ctx,
    *,
    tenant_id: UUID,
    note: Annotated[str, Meta(max_length=500, description="To those who decide; plain text.")] | None = None,
) -> Joining:
    """Join a community, or ask to, where its members decide.

    Joining or asking twice is once. note: what they should know.
    Raises TenantNotFound, InvitationNeeded, SeatsTaken, MemberIsSuspended, WasRemoved.
    """
    entrance = await queries.find_entrance(ctx.db, tenant_id)
    if entrance is None:
        raise TenantNotFound
    await ctx.enter(tenant_id)
    is_open = entrance.status == TenantStatus.ACTIVE
    door = rules.decide_door(entrance.join_policy, is_open=is_open, is_known=entrance.is_listed or entrance.is_default)
    own = await queries.lock_member(ctx, ctx.user_id)
    is_member = is_open and own is not None and own.status == MemberStatus.ACTIVE
    if door is Door.HIDDEN and not is_member:
        raise TenantNotFound
    if door is Door.SHUT and not is_member:
        raise InvitationNeeded
    if door is Door.ASK and not is_member:
        return await _ask(ctx, is_suspended=own is not None and own.status == MemberStatus.SUSPENDED, note=note)
    await admit(ctx, user_id=ctx.user_id, role=USUAL_ROLE, way=Way.OPEN)
    return Joining(tenant_id=tenant_id, outcome=JoinOutcome.JOINED)


async def _ask(ctx: Ctx, *, is_suspended: bool, note: str | None) -> Joining:
    if is_suspended:
        raise MemberIsSuspended
    request_id = await queries.put_request(ctx, note=note)
    if request_id is not None:
        ctx.record(JoinRequested(request_id=request_id, user_id=ctx.user_id))
    return Joining(tenant_id=ctx.tenant_id, outcome=JoinOutcome.REQUESTED)


@command("DELETE /tenants/{tenant_id}/join-requests/me", "cancelJoinRequest", allow=verified, limit=API)
async def cancel_request(ctx: Ctx, *, tenant_id: UUID) -> None:
    """Take back one's own wish to join a community; without one, nothing happens."""
    home = ctx.tenant_id
    await ctx.enter(tenant_id)
    request = await queries.lock_request_of(ctx, ctx.user_id)
    if request is None:
        # Whoever has no business there leaves no row there either.
        await ctx.enter(home)
        return
    await queries.decide_request(ctx, request.id, RequestStatus.CANCELLED, by=None)
    ctx.record(JoinRequestCancelled(request_id=request.id, user_id=ctx.user_id))


@command(
    "POST /join-requests/{id}/approval",
    "approveJoinRequest",
    allow=member,
    permission=Permission("member:approve"),
    limit=API,
)
async def approve(ctx: Ctx, *, id: UUID) -> JoinRequestView:
    """Let somebody in who asked to join.

    Raises RequestNotFound, RequestDecided, Invalid, GrantsTooMuch, SeatsTaken, MemberIsSuspended.
    """
    request = await _lock_undecided(ctx, id)
    await check_grant(ctx, USUAL_ROLE)
    await admit(ctx, user_id=request.user_id, role=USUAL_ROLE, way=Way.REQUEST)
    await queries.decide_request(ctx, id, RequestStatus.APPROVED, by=ctx.user_id)
    ctx.record(JoinApproved(request_id=id, user_id=request.user_id))
    return JoinRequestView.ref(id)


@command(
    "POST /join-requests/{id}/rejection",
    "rejectJoinRequest",
    allow=member,
    permission=Permission("member:approve"),
    limit=API,
)
async def reject(ctx: Ctx, *, id: UUID, reason: Reason | None = None) -> JoinRequestView:
    """Turn somebody down who asked to join; they may ask again.

    Raises RequestNotFound, RequestDecided.
    """
    request = await _lock_undecided(ctx, id)
    await queries.decide_request(ctx, id, RequestStatus.REJECTED, by=ctx.user_id, reason=reason)
    ctx.record(JoinRejected(request_id=id, user_id=request.user_id))
    return JoinRequestView.ref(id)


async def _lock_undecided(ctx: Ctx, request_id: UUID) -> Request:
    request = await queries.lock_request(ctx, request_id)
    if request is None:
        raise RequestNotFound
    if request.status != RequestStatus.PENDING:
        raise RequestDecided
    return request
