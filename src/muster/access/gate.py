"""The check of every caller, in one sub-select: does the session live, is the tenant open to them, which role."""

from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, or_, select

from muster.access.roles import permissions_of
from muster.identity.predicates import is_proved, proof_methods
from muster.identity.tables import Session, User
from muster.kit.caller import ClaimSql, Gate
from muster.tenancy.tables import Member, MemberStatus, Tenant


def lookup(claim: ClaimSql) -> ColumnElement[str]:
    """One JSON object with `entered`, `session`, `verified` and `role`; NULL when the tenant does not exist.

    The default tenant is open to visitors; any other only to its active members.
    """
    return _lookup(claim)


def lookup_with_proof(claim: ClaimSql) -> ColumnElement[str]:
    """The same with `proved` and `methods`."""
    return _lookup(claim, "proved", is_proved(claim), "methods", proof_methods(claim))


def _lookup(claim: ClaimSql, *more: str | ColumnElement[Any]) -> ColumnElement[str]:
    role = (
        select(Member.role)
        .where(Member.user_id == claim.user_id, Member.status == MemberStatus.ACTIVE)
        .scalar_subquery()
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
    is_verified = select(User.id).where(User.id == claim.user_id, User.verified_at.is_not(None)).exists()
    answer = func.json_build_object(
        "entered",
        or_(Tenant.is_default, role.is_not(None)),
        "session",
        session_lives,
        "verified",
        or_(is_verified, Tenant.allows_unverified),
        "role",
        role,
        *more,
    )
    return select(cast(answer, Text)).where(Tenant.id == claim.tenant_id).scalar_subquery()


GATE = Gate(lookup=lookup, permissions=permissions_of, lookup_with_proof=lookup_with_proof)
"""How this deployment checks its callers."""
