"""The check of every caller, in one sub-select: does the session live, is the tenant open to them, which role."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, case, cast, false, func, not_, or_, select

from muster.access.queries.roles import role_gives
from muster.access.roles import permissions_of
from muster.identity.predicates import has_second_factor, is_proved, proof_methods
from muster.identity.tables import Session, User
from muster.kit.caller import ClaimSql, Gate
from muster.tenancy.tables import Member, MemberStatus, Tenant


def lookup(claim: ClaimSql) -> ColumnElement[str]:
    """One JSON object with `tenant`, `session`, `verified`, `factor`, `role` and `custom`; NULL without such a tenant.

    The default tenant is open to visitors; any other only to its active members.
    """
    return _lookup(claim)


def lookup_with_proof(claim: ClaimSql) -> ColumnElement[str]:
    """The same with `proved` and `methods`."""
    return _lookup(claim, "proved", is_proved(claim), "methods", proof_methods(claim))


def lookup_where(lives: Callable[[ClaimSql], ColumnElement[bool]], claim: ClaimSql) -> ColumnElement[str]:
    """The same for who comes with something else than a session, such as the address of a calendar.

    lives: whether that still lets in; `claim.session_id` is its id.
    """
    return _lookup(claim, lives=lives(claim))


def _lookup(
    claim: ClaimSql, *more: str | ColumnElement[Any], lives: ColumnElement[bool] | None = None
) -> ColumnElement[str]:
    membership = and_(
        Member.tenant_id == Tenant.id, Member.user_id == claim.user_id, Member.status == MemberStatus.ACTIVE
    )
    session_lives = (
        select(Session.id)
        .where(
            Session.id == claim.session_id,
            Session.user_id == claim.user_id,
            Session.revoked_at.is_(None),
            Session.expires_at > claim.now,
        )
        .exists()
    )
    # A function, which names no further table here: only who acts as somebody else has it called.
    acts_as = func.acts_as(claim.session_id, claim.user_id, claim.tenant_id, claim.by, claim.now)
    # Likewise: asked only for an id that no session has.
    key_lives = case(
        (claim.session_id.is_not(None), func.key_lives(claim.session_id, claim.user_id, claim.tenant_id, claim.now)),
        else_=false(),
    )
    is_verified = select(User.id).where(User.id == claim.user_id, User.verified_at.is_not(None)).exists()
    # It has no mail to verify and no factor to show; only its keys come this way. False too for who is no member.
    is_program = func.coalesce(Member.is_service, false())
    answer = func.json_build_object(
        "tenant",
        case((or_(Tenant.is_default, Member.id.is_not(None)), Tenant.status)),
        "session",
        case((claim.by.is_(None), or_(session_lives, key_lives)), else_=acts_as) if lives is None else lives,
        "verified",
        or_(is_verified, Tenant.allows_unverified, is_program),
        "factor",
        or_(not_(Tenant.requires_mfa), is_program, has_second_factor(claim)),
        "role",
        Member.role,
        "custom",
        case((Member.custom_role.is_not(None), func.custom_role_of(Member.custom_role))),
        *more,
    )
    found = select(cast(answer, Text)).outerjoin_from(Tenant, Member, membership)
    return found.where(Tenant.id == claim.tenant_id).scalar_subquery()


GATE = Gate(lookup=lookup, permissions=permissions_of, gives=role_gives, lookup_with_proof=lookup_with_proof)
"""How this deployment checks its callers."""
