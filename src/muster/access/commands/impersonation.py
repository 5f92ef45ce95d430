"""Acting as somebody: the platform's staff sees and does what a person may, to help them, and leaves word of it."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from muster.access import queries
from muster.access.facts import ImpersonationEnded, ImpersonationStarted
from muster.access.roles import USER_IMPERSONATE
from muster.access.views import ImpersonationView
from muster.identity.commands import token_keys
from muster.identity.views import UserView
from muster.kit.arguments import Input
from muster.kit.caller import Bearer, member, signed_in
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.db.tables import PLATFORM_TENANT
from muster.kit.errors import Denied, NotFound, Unauthenticated
from muster.kit.limits import API, AUTH
from muster.kit.views.results import Payload
from muster.tenancy.commands.members import MemberNotFound


class StaffIsNotActedAs(Denied):
    """Nobody acts as a member of the platform's staff."""

    code = "STAFF_IS_NOT_ACTED_AS"


class ImpersonationNotFound(NotFound):
    """There is no such impersonation under way."""

    code = "IMPERSONATION_NOT_FOUND"


class ImpersonateInput(Input):
    """As whom to act, where, and what for.

    user_id: as whom. community_id: the only community where the token is good.
    """

    user_id: UUID
    community_id: UUID
    why: Annotated[
        str, Meta(min_length=10, max_length=500, pattern=r"\S", description="What for; the person reads it.")
    ]
    ticket: Annotated[
        str, Meta(min_length=1, max_length=100, pattern=r"^\S", examples=["SUP-1042"], description="What led to it.")
    ]
    minutes: Annotated[int, Meta(ge=1, le=60, description="How long at most.")] = 60


class ActingAs(Payload):
    """A token to act as somebody with: what it does is marked as done by both, and no credential is within its reach.

    access_token: goes with each request, as `Authorization: Bearer`. expires_at: when it is good for nothing.
    impersonation_id: ends it. user: who is acted as.
    """

    status = 201

    access_token: str
    expires_at: datetime
    impersonation_id: UUID
    user: UserView


@command("POST /impersonations", "impersonate", allow=member, permission=USER_IMPERSONATE, limit=AUTH, step_up=True)
async def impersonate(ctx: Ctx, *, input: ImpersonateInput) -> ActingAs:
    """Act as a member of a community for up to an hour, to help them; they are told afterwards.

    For the platform's staff, in the tenant `platform`. It ends with the session from which it was begun.
    Raises StaffIsNotActedAs, MemberNotFound.
    """
    if ctx.session_id is None:
        raise Unauthenticated
    # Staff that is named after this is no longer acted as, either: `acts_as` asks each time.
    if await queries.belongs(ctx, input.user_id, PLATFORM_TENANT):
        raise StaffIsNotActedAs
    if not await queries.belongs(ctx, input.user_id, input.community_id):
        raise MemberNotFound
    expires_at = ctx.now + timedelta(minutes=input.minutes)
    impersonation_id = await queries.put_impersonation(
        ctx,
        user_id=input.user_id,
        community_id=input.community_id,
        session_id=ctx.session_id,
        why=input.why,
        ticket=input.ticket,
        expires_at=expires_at,
    )
    ctx.record(ImpersonationStarted(impersonation_id=impersonation_id, user_id=input.user_id))
    bearer = Bearer(input.user_id, impersonation_id, by=ctx.user_id, tenant_id=input.community_id)
    return ActingAs(
        access_token=token_keys(ctx.settings.security).sign_for(bearer, now=ctx.now, expires_at=expires_at),
        expires_at=expires_at,
        impersonation_id=impersonation_id,
        user=UserView.ref(input.user_id),
    )


@command("DELETE /impersonations/{id}", "endImpersonation", allow=signed_in, limit=API)
async def end_impersonation(ctx: Ctx, *, id: UUID) -> ImpersonationView:
    """End an impersonation at once: one's own of somebody, or somebody's of oneself.

    Raises ImpersonationNotFound.
    """
    ended = await queries.end_impersonation(ctx, id)
    if ended is None:
        raise ImpersonationNotFound
    ctx.record(ImpersonationEnded(impersonation_id=id, user_id=ended.user_id))
    return ImpersonationView.ref(id)
