"""Posting mail: a row in the handler's transaction, and a fact that the delivery follows."""

from typing import ClassVar
from uuid import UUID

import msgspec
from sqlalchemy.dialects.postgresql import insert

from muster.kit.commands.context import Ctx
from muster.kit.commands.facts import Fact
from muster.kit.db.statements import Row, Statement
from muster.kit.ids import new_id
from muster.kit.mail.kinds import Mail
from muster.kit.mail.tables import MailRow, MailState

# Whose mail it is when the address has no account; no person has this id.
_NOBODY = UUID(int=0)


class MailPosted(Fact):
    """A mail waits to be sent."""

    kind: ClassVar[str] = "mail.posted"
    about: ClassVar[str] = "mail_id"
    mail_id: UUID


class _MailId(Row):
    id: UUID


# A handler may run twice at once: the unique constraint lets one of them through, and the other gets no row.
_PUT = Statement(
    _MailId,
    insert(MailRow)
    .on_conflict_do_nothing(index_elements=["tenant_id", "fact_id", "address", "kind"])
    .returning(MailRow.id),
    insert_keys=(
        "tenant_id",
        "id",
        "user_id",
        "fact_id",
        "address",
        "kind",
        "data",
        "language",
        "state",
        "attempts",
        "created_at",
    ),
)


async def post(ctx: Ctx, mail: Mail, *, user_id: UUID | None, address: str, language: str | None = None) -> None:
    """Send somebody a mail that follows from the fact at hand; a repeat for the same fact sends nothing.

    Slices call `identity.mail.post_mail`, which knows the address and the language. user_id: None for an address that
    has no account. language: theirs, such as `de-AT`; None for that of the community. Raises LookupError outside a handler.
    """
    if ctx.cause is None:
        raise LookupError("only a handler posts, since the fact it follows is the key that makes a repeat harmless")
    made = await ctx.db.one(
        _PUT,
        tenant_id=ctx.tenant_id,
        id=new_id(),
        user_id=user_id or _NOBODY,
        fact_id=ctx.cause,
        address=address,
        kind=mail.kind,
        data=msgspec.json.encode(mail).decode(),
        language=language,
        state=MailState.WAITING,
        attempts=0,
        created_at=ctx.now,
    )
    if made is not None:
        ctx.record(MailPosted(mail_id=made.id))
