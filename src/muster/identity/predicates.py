"""SQL predicates of identity: by what somebody can show who they are, whether they have lately, and who is blocked."""

from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, SQLColumnExpression, Text, and_, case, func, not_, or_, select
from sqlalchemy.dialects.postgresql import array

from muster.identity.external.tables import ExternalIdentity
from muster.identity.rules import PROOF_LASTS, Method
from muster.identity.tables import Block, Passkey, Password, SecondFactor, Session
from muster.kit.caller import ClaimSql
from muster.kit.db.tables import once_more


def is_proved(claim: ClaimSql) -> ColumnElement[bool]:
    """Whether the person of the session has shown within the last 10 minutes who they are."""
    recently = Session.proved_at > claim.now - PROOF_LASTS
    return select(Session.id).where(Session.id == claim.session_id, recently).exists()


def proof_methods(claim: ClaimSql) -> ColumnElement[list[str]]:
    """By what a person can show who they are, names of `Method`; none for who has nothing but a mailbox."""
    has = {
        Method.PASSWORD: select(Password.id).where(Password.id == claim.user_id).exists(),
        Method.TOTP: _has_totp(claim),
        Method.PASSKEY: _has_passkey(claim),
        Method.PROVIDER: select(ExternalIdentity.id).where(ExternalIdentity.user_id == claim.user_id).exists(),
    }
    each: list[Any] = [case((condition, method.value)) for method, condition in has.items()]
    return func.array_remove(array[str](each, type_=Text()), None, type_=ARRAY(Text()))


def has_second_factor(claim: ClaimSql) -> ColumnElement[bool]:
    """Whether signing in with the person's password is not enough."""
    return or_(_has_totp(claim), _has_passkey(claim))


def _has_totp(claim: ClaimSql) -> ColumnElement[bool]:
    is_on = SecondFactor.totp_since.is_not(None)
    return select(SecondFactor.id).where(SecondFactor.id == claim.user_id, is_on).exists()


def _has_passkey(claim: ClaimSql) -> ColumnElement[bool]:
    return select(Passkey.id).where(Passkey.user_id == claim.user_id).exists()


PersonId = SQLColumnExpression[UUID]
"""A person in a statement: a column or a value."""


def not_blocked(viewer_id: PersonId, other_id: PersonId) -> ColumnElement[bool]:
    """Neither of two people has blocked the other; true of a visitor, who is nobody.

    Two look-ups, not one with `or`: each is a condition on the unique index.
    """
    return and_(not_(has_blocked(viewer_id, other_id)), not_(has_blocked(other_id, viewer_id)))


def has_blocked(user_id: PersonId, blocked_id: PersonId) -> ColumnElement[bool]:
    """One person has blocked another."""
    block: Any = once_more(Block)
    return select(block.id).where(block.user_id == user_id, block.blocked_id == blocked_id).exists()
