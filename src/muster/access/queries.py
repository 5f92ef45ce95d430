"""SQL that access needs: the roles that a community made."""

from sqlalchemy import bindparam, select

from muster.access.roles import ROLES, effective
from muster.kit.caller import Permission
from muster.kit.db.database import Transaction
from muster.kit.db.statements import Row, Statement, columns
from muster.tenancy.tables import CustomRole


class RoleParts(Row):
    """What a role is made of."""

    base: str
    additions: list[str]
    removals: list[str]


# The lock that a foreign key takes, too: nobody deletes the role before whoever is given it has it.
_KEPT_ROLE = Statement(
    RoleParts,
    select(*columns(RoleParts, CustomRole))
    .where(CustomRole.slug == bindparam("wanted"))
    .with_for_update(key_share=True, read=True),
)


async def role_gives(tx: Transaction, role: str) -> frozenset[Permission] | None:
    """What a role gives in the transaction's tenant, where it stays until the transaction ends; None when there is none."""
    if role in ROLES:
        return ROLES[role]
    found = await tx.one(_KEPT_ROLE, wanted=role)
    return None if found is None else effective(found.base, found.additions, found.removals)
