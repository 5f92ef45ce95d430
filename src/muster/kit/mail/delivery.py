"""Delivery: what follows a posted mail. Claim it, hand it to the mail server, note how that went."""

import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from uuid import UUID

import structlog
from sqlalchemy import bindparam, update

from muster.kit.commands.context import Ctx, Services
from muster.kit.db.statements import Nothing, Row, Statement, columns
from muster.kit.db.tables import Json
from muster.kit.mail.kinds import read_mail
from muster.kit.mail.posting import MailPosted
from muster.kit.mail.tables import MailRow, MailState
from muster.kit.mail.writing import Written, message_of, write_letter
from muster.kit.tracing.switch import step
from muster.kit.work.errands import Errand, NotYet
from muster.settings import Settings

log = structlog.get_logger()

PATIENCE = timedelta(days=1)
"""How long a mail that is not taken is tried. Servers that greylist take it within the hour."""
_LONGEST_WAIT = timedelta(hours=1)


class Refused(Exception):
    """The mail server will never take this mail."""


class NotTaken(Exception):
    """The mail server cannot be reached, or does not take the mail now."""


Send = Callable[[Settings, EmailMessage], Awaitable[None]]
"""Hands a message to a mail server. Raises Refused, NotTaken."""


class _Waiting(Row):
    id: UUID
    user_id: UUID
    address: str
    kind: str
    data: Json
    language: str | None
    attempts: int
    created_at: datetime


_TENANT = MailRow.tenant_id == bindparam("tenant", type_=MailRow.tenant_id.type)
_OF_ID = _TENANT & (MailRow.id == bindparam("mail", type_=MailRow.id.type))
_WAITS = MailRow.state == MailState.WAITING
_CLAIM = Statement(
    _Waiting,
    update(MailRow).where(_OF_ID, _WAITS).values(attempts=MailRow.attempts + 1).returning(*columns(_Waiting, MailRow)),
)
_NOTE = Statement(
    Nothing,
    update(MailRow)
    .where(_OF_ID, _WAITS)
    .values(state=bindparam("now_is"), sent_at=bindparam("moment"), error=bindparam("said")),
)


class Delivery:
    """The handler of `MailPosted`.

    A worker killed between sending and noting sends again, under the same Message-ID, by which mail programs and
    servers know a repeat.
    """

    def __init__(self, send: Send) -> None:
        """send: how this deployment reaches its mail server."""
        self._send = send

    async def __call__(self, errand: Errand, fact: MailPosted) -> None:
        """Send the mail, unless that is done. Raises NotYet when the mail server does not take it now."""
        settings = errand.services.settings
        async with errand.transaction() as ctx:
            waiting = await ctx.db.one(_CLAIM, tenant=ctx.tenant_id, mail=fact.mail_id)
            written = None if waiting is None else await self._written(errand.services, ctx, waiting)
        if waiting is None or written is None:
            return
        message = message_of(written, settings, mail_id=waiting.id, address=waiting.address, at=waiting.created_at)
        try:
            with step("mail", {"muster.mail.kind": waiting.kind, "muster.attempt": waiting.attempts}, kind="client"):
                await self._send(settings, message)
        except Refused as refusal:
            await _note(errand, waiting, MailState.FAILED, str(refusal))
        except NotTaken as failure:
            await _put_off(errand, waiting, str(failure))
        else:
            await _note(errand, waiting, MailState.SENT)

    async def _written(self, services: Services, ctx: Ctx, waiting: _Waiting) -> Written | None:
        """What to send; None when nothing is, and then that is noted."""
        mail = read_mail(waiting.kind, waiting.data)
        letter = await mail.letter(ctx, waiting.user_id)
        if letter is None:
            await _noted(ctx, waiting, MailState.DROPPED)
            return None
        if ctx.settings.mail.smtp_url is None:
            await _noted(ctx, waiting, MailState.KEPT)
            return None
        brand = await services.brand_of(ctx.db, ctx.tenant_id, to_anybody=False)
        return write_letter(mail, letter, waiting.language, ctx.settings, brand)


async def _put_off(errand: Errand, waiting: _Waiting, said: str) -> None:
    async with errand.transaction() as ctx:
        over = ctx.now - waiting.created_at >= PATIENCE
        await _noted(ctx, waiting, MailState.FAILED if over else MailState.WAITING, said)
    if not over:
        raise NotYet(said, after=backoff(waiting.attempts))


def backoff(attempt: int) -> timedelta:
    """How long to wait after a mail was not taken: a minute, doubled each time up to an hour, and scattered.

    attempt: 1 is the first.
    """
    return min(timedelta(minutes=2 ** min(attempt - 1, 10)), _LONGEST_WAIT) * random.uniform(0.75, 1.25)


async def _note(errand: Errand, waiting: _Waiting, state: MailState, said: str | None = None) -> None:
    async with errand.transaction() as ctx:
        await _noted(ctx, waiting, state, said)


async def _noted(ctx: Ctx, waiting: _Waiting, state: MailState, said: str | None = None) -> None:
    if state is MailState.FAILED:
        log.warning("mail.failed", mail=str(waiting.id), kind=waiting.kind, attempts=waiting.attempts, error=said)
    sent_at = ctx.now if state is MailState.SENT else None
    await ctx.db.run(_NOTE, tenant=ctx.tenant_id, mail=waiting.id, now_is=state, moment=sent_at, said=said)
