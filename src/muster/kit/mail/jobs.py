"""Work of mail that is due now and then."""

from datetime import timedelta

from sqlalchemy import bindparam, delete, select

from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Statement
from muster.kit.mail.delivery import PATIENCE
from muster.kit.mail.tables import MailRow, MailState

KEPT = timedelta(days=30)
"""How long it can be looked up whether somebody was mailed. Who asks where their mail is does so within days."""
_AT_ONCE = 10_000

_old = (
    select(MailRow.id)
    .where(
        MailRow.tenant_id == bindparam("tenant", type_=MailRow.tenant_id.type),
        MailRow.created_at < bindparam("before", type_=MailRow.created_at.type),
        MailRow.state != MailState.WAITING,
    )
    .order_by(MailRow.created_at)
    .limit(_AT_ONCE)
)
_FORGET = Statement(
    Nothing,
    delete(MailRow).where(MailRow.tenant_id == bindparam("tenant", type_=MailRow.tenant_id.type), MailRow.id.in_(_old)),
)


async def forget_finished(ctx: Ctx) -> None:
    """Remove a tenant's mails `KEPT` after they were sent or given up: whom they went to, and about what.

    Whichever it was, it was at most `PATIENCE` after they were posted. What still waits stays. No row ever holds a
    secret: a link's token is made when its letter is written, and is in the letter alone.
    """
    await ctx.db.run(_FORGET, tenant=ctx.tenant_id, before=ctx.now - PATIENCE - KEPT)
