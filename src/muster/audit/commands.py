"""The verbs of audit: who may takes the log along, and looks whether anybody changed it. Both leave rows themselves."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import Meta

from muster.access.roles import AUDIT_EXPORT, AUDIT_READ
from muster.audit import queries
from muster.audit.exporting import MOST, NOBODY, ExportFormat, part, written
from muster.audit.keeping import kept_for
from muster.audit.rules import key_from
from muster.audit.verifying import SAYS, Break, Terms, verify
from muster.kit.arguments import Instant
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.commands.facts import Fact
from muster.kit.commands.tables import AuditChain
from muster.kit.limits import API
from muster.kit.views.paging import PartCursor, cursor_tag, read_cursor, write_cursor
from muster.kit.views.results import Payload

_SEALS = 20
_EVER = datetime(1970, 1, 1, tzinfo=UTC)

SealNumber = Annotated[int, Meta(ge=0, le=2**62, description="The `number` that an earlier answer ended with.")]


class AuditExported(Fact):
    """Somebody took rows of the audit log along. rows: how many."""

    kind: ClassVar[str] = "audit.exported"
    about: ClassVar[str] = "tenant_id"
    tenant_id: UUID
    rows: int


class AuditPart(Payload):
    """A part of the audit log.

    text: rows as CSV, of which the first part begins with the names of the columns, or one JSON object a line. rows: how
    many. end_cursor: where the next part begins, to be handed back as `after`. has_next_page: whether there may be one.
    """

    text: str
    rows: int
    end_cursor: str
    has_next_page: bool


class VerifiedAudit(Payload):
    """What a part of one chain of the audit log came to.

    rows: how many were looked at. seals: how many of these. waiting: rows that have no seal yet, which takes seconds.
    number: of the last seal that was looked at. mac: its MAC; kept elsewhere, it shows whether the log goes on from there.
    is_whole: the chain ends there. breaks: what is wrong, in words; none is as it should be.
    """

    rows: int
    seals: int
    waiting: int
    number: int
    mac: str
    is_whole: bool
    breaks: list[str]


@command("POST /audit/exports", "exportAudit", allow=member, permission=AUDIT_EXPORT, in_person=True, limit=API)
async def export_audit(
    ctx: Ctx,
    *,
    format: ExportFormat = ExportFormat.JSONL,
    since: Instant | None = None,
    until: Instant | None = None,
    after: PartCursor | None = None,
) -> AuditPart:
    """Take the audit log of this community along, the oldest first, at most 1,000 rows at a time.

    since, until: of which stretch of time; without `until`, up to when the first part was asked for. Raises BadInput for a
    cursor of another export.
    """
    tag = cursor_tag("exportAudit", format, {"since": str(since), "until": str(until)})
    place, end = (since or _EVER, NOBODY), until or ctx.now
    if after is not None:
        at, row_id, end = _read(after, tag)
        place = (at, row_id)
    found = await part(ctx.db, ctx.tenant_id, after=place, until=end, most=MOST)
    if found:
        place = (found[-1].at, found[-1].id)
    ctx.record(AuditExported(tenant_id=ctx.tenant_id, rows=len(found)))
    return AuditPart(
        text=written(found, format, is_first=after is None),
        rows=len(found),
        end_cursor=write_cursor(tag, *place, end),
        has_next_page=len(found) == MOST,
    )


def _read(cursor: str, tag: str) -> tuple[datetime, UUID, datetime]:
    at, row_id, end = read_cursor(cursor, tag, (datetime, UUID, datetime), "after")
    assert isinstance(at, datetime)
    assert isinstance(row_id, UUID)
    assert isinstance(end, datetime)
    return at, row_id, end


@command("POST /audit/verification", "verifyAudit", allow=member, permission=AUDIT_READ, limit=API)
async def verify_audit(
    ctx: Ctx, *, chain: AuditChain = AuditChain.USUAL, after: SealNumber | None = None
) -> VerifiedAudit:
    """Look whether anybody changed the audit log of this community: the newest 20 seals, or those after a number.

    From 0 on, number by number until the answer is whole, it is the whole log.
    """
    keys = dict(map(key_from, ctx.settings.security.secrets))
    kept = await kept_for(ctx.db, ctx.tenant_id, chain, ctx.settings) - timedelta(days=1)
    terms = Terms(tenant_id=ctx.tenant_id, chain=chain, keys=keys, now=ctx.now, kept=kept)
    last = await queries.last_seal(ctx.db, ctx.tenant_id, chain)
    newest = 0 if last is None else last.number
    begin = max(newest - _SEALS, 0) if after is None else min(after, newest)
    *_, report = [each async for each in verify(lambda: nullcontext(ctx.db), terms, after=begin, most=_SEALS)]
    return VerifiedAudit(
        rows=report.rows,
        seals=report.seals,
        waiting=report.waiting,
        number=report.number or begin,
        mac=report.mac,
        is_whole=report.number >= newest,
        breaks=[_told(each) for each in report.breaks],
    )


def _told(found: Break) -> str:
    where = f"row {found.row_id}" if found.row_id is not None else f"seal {found.number}"
    return f"{where}: {SAYS[found.kind]} ({found.kind})"
