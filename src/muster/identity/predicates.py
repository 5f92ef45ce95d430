"""SQL predicates of identity: by what somebody can show who they are, and whether they have lately."""

from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, case, func, or_, select
from sqlalchemy.dialects.postgresql import array

from muster.identity.rules import PROOF_LASTS, Method
from muster.identity.tables import Passkey, Password, SecondFactor, Session
from muster.kit.caller import ClaimSql


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
