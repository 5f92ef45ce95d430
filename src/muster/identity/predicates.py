"""SQL predicates of identity: whether somebody has shown lately who they are, and by what they can."""

from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, case, func, select
from sqlalchemy.dialects.postgresql import array

from muster.identity.rules import PROOF_LASTS, Method
from muster.identity.tables import Password, Session
from muster.kit.caller import ClaimSql


def is_proved(claim: ClaimSql) -> ColumnElement[bool]:
    """Whether the person of the session has shown within the last 10 minutes who they are."""
    recently = Session.proved_at > claim.now - PROOF_LASTS
    return select(Session.id).where(Session.id == claim.session_id, recently).exists()


def proof_methods(claim: ClaimSql) -> ColumnElement[list[str]]:
    """By what a person can show who they are, names of `Method`; none for who has nothing but a mailbox."""
    has = {Method.PASSWORD: select(Password.id).where(Password.id == claim.user_id).exists()}
    each: list[Any] = [case((condition, method.value)) for method, condition in has.items()]
    return func.array_remove(array[str](each, type_=Text()), None, type_=ARRAY(Text()))
