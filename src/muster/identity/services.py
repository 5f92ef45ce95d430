"""Accounts of programs: a name that others see, and no way in. What they may do, they do with API keys."""

from uuid import UUID

from sqlalchemy import bindparam, update

from muster.identity import queries
from muster.identity.tables import User
from muster.kit.commands.context import Ctx
from muster.kit.db.database import Transaction
from muster.kit.db.statements import Nothing, Statement
from muster.kit.ids import new_id

_RENAME = Statement(
    Nothing,
    update(User).where(User.id == bindparam("service", type_=User.id.type)).values(name=bindparam("called")),
)


async def open_service(ctx: Ctx, name: str) -> UUID:
    """Make an account that nobody signs in to.

    It is disabled from the first moment and has no password; its address is under `.invalid` (RFC 2606), where no mail
    arrives, and is never taken for verified, so none is sent.
    """
    user_id = await queries.put_user(
        ctx,
        name=name.strip(),
        email=f"{new_id()}@service.invalid",
        verified=False,
        locale=None,
        timezone=None,
        accepted_terms=False,
    )
    if user_id is None:
        raise LookupError("a random address cannot be taken")
    await queries.put_disabled(ctx, user_id, ctx.now)
    return user_id


async def rename_service(tx: Transaction, user_id: UUID, name: str) -> None:
    """Call an account of a program something else."""
    await tx.run(_RENAME, service=user_id, called=name.strip())
