"""Reading mail back, written as it would be sent: what development shows instead of sending."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, or_, select

from muster.kit.brand import Brand
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Row, Statement, columns
from muster.kit.db.tables import Json
from muster.kit.mail.kinds import UnknownMail, read_mail
from muster.kit.mail.tables import MailRow, MailState
from muster.kit.mail.writing import Wording, Written, write, write_letter


class PostedMail(Row):
    """A mail as it is stored."""

    id: UUID
    user_id: UUID
    address: str
    kind: str
    data: Json
    language: str | None
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


async def written(ctx: Ctx, posted: PostedMail, brand: Brand) -> tuple[list[str], Written]:
    """Where a mail leads, and how it looks. One that cannot be written any more says why. brand: of its community."""
    try:
        mail = read_mail(posted.kind, posted.data)
    except UnknownMail as unknown:
        return [], _unwritten(ctx, posted, brand, f"This release does not know {unknown}.")
    letter = await mail.letter(ctx, posted.user_id)
    if letter is None:
        why = "There is nothing left to tell: its link was used, or what it is about is gone."
        return [], _unwritten(ctx, posted, brand, why)
    links = [] if letter.link is None else [letter.link]
    return links, write_letter(mail, letter, posted.language, ctx.settings, brand)


def _unwritten(ctx: Ctx, posted: PostedMail, brand: Brand, why: str) -> Written:
    return write(Wording(subject=f"({posted.kind})", paragraphs=(why,)), ctx.settings, brand)
