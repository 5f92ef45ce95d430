"""Reading mail back, written as it would be sent: what development shows instead of sending."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, or_, select

from muster.kit.brand import Brand
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Row, Statement, columns
from muster.kit.db.tables import Json
from muster.kit.mail.kinds import Action, Letter, UnknownMail, read_mail
from muster.kit.mail.tables import MailRow, MailState
from muster.kit.mail.writing import Written, write


class PostedMail(Row):
    """A mail as it is stored."""

    id: UUID
    user_id: UUID
    address: str
    kind: str
    data: Json
    state: MailState
    created_at: datetime


_TO = bindparam("to", type_=MailRow.address.type)
_ID = bindparam("mail", type_=MailRow.id.type)
_OF_TENANT = MailRow.tenant_id == bindparam("tenant", type_=MailRow.tenant_id.type)
_NEWEST = Statement(
    PostedMail,
    select(*columns(PostedMail, MailRow))
    .where(_OF_TENANT, or_(_TO.is_(None), MailRow.address == _TO), or_(_ID.is_(None), MailRow.id == _ID))
    .order_by(MailRow.created_at.desc(), MailRow.id.desc())
    .limit(bindparam("size")),
)


async def newest(ctx: Ctx, *, size: int, to: str | None = None, mail_id: UUID | None = None) -> list[PostedMail]:
    """The newest mails of the transaction's tenant. to: only to this address. mail_id: only this one."""
    return await ctx.db.all(_NEWEST, tenant=ctx.tenant_id, to=to, mail=mail_id, size=size)


async def written(ctx: Ctx, mail: PostedMail, brand: Brand) -> tuple[Letter, Written]:
    """A mail's letter, and how it looks. One that cannot be written any more says why. brand: of its community."""
    try:
        letter = await read_mail(mail.kind, mail.data).letter(ctx, mail.user_id)
        why = "There is nothing left to tell: its link was used, or what it is about is gone."
    except UnknownMail as unknown:
        letter, why = None, f"This release does not know {unknown}."
    letter = letter or Letter(subject=f"({mail.kind})", paragraphs=(why,))
    return letter, write(letter, ctx.settings, brand)


def links_of(letter: Letter) -> list[str]:
    """Where a letter leads."""
    return [letter.action.link] if isinstance(letter.action, Action) else []
