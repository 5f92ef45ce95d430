"""Taking along what is one's own."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from muster.identity.seals import LONGEST_TOKEN, read_link_token
from muster.kit.caller import signed_in, verified, whoever
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Gone, TooMany
from muster.kit.limits import API, AUTH
from muster.kit.storage.storage import LINK_LASTS, storage_of
from muster.kit.views.results import Payload
from muster.privacy import queries, rules
from muster.privacy.facts import ExportAsked
from muster.privacy.queries import Made
from muster.privacy.views import ExportView


class ExportTooSoon(TooMany):
    """An export is made once in 24 hours; `nextAt` says when the next can be."""

    code, title = "EXPORT_TOO_SOON", "An export was made lately"


class ExportGone(Gone):
    """There is no such export, or it is not kept any more; ask for a new one."""

    code, title = "EXPORT_GONE", "This export is not there"


class FileLink(Payload):
    """Where a file can be fetched by whoever has the address. url: that address. expires_at: until when it works."""

    url: str
    expires_at: datetime


@command("POST /me/export", "requestExport", allow=verified, limit=API, step_up=True, answers=(201,))
async def request_export(ctx: Ctx) -> ExportView:
    """Have an archive made of all that the service knows of the caller, as JSON and CSV; a mail says when it is ready.

    It takes the place of the one before. Raises ExportTooSoon.
    """
    made = await queries.put_export(ctx, ctx.user_id)
    if made is None:
        before = await queries.own_export(ctx, ctx.user_id)
        next_at = (ctx.now if before is None else before.asked_at) + rules.EXPORTED_EVERY
        raise ExportTooSoon(details={"nextAt": next_at})
    ctx.record(ExportAsked(user_id=ctx.user_id, export_id=made))
    return ExportView.ref(made, created=True)


@command("POST /me/export/link", "exportLink", allow=signed_in, limit=API, step_up=True)
async def export_link(ctx: Ctx) -> FileLink:
    """Where the caller fetches their export, for five minutes.

    Raises ExportGone.
    """
    return await _link(ctx, await queries.own_export(ctx, ctx.user_id))


@command("POST /exports/link", "openExport", allow=whoever, limit=AUTH)
async def open_export(
    ctx: Ctx, *, token: Annotated[str, Meta(max_length=LONGEST_TOKEN, description="From the link in the mail.")]
) -> FileLink:
    """Where the export of a mailed link is fetched, for five minutes.

    Raises ExportGone.
    """
    export_id = read_link_token(ctx.settings.security.secrets, rules.EXPORT_LINK, token)
    return await _link(ctx, None if export_id is None else await queries.read_export(ctx, export_id))


async def _link(ctx: Ctx, made: Made | None) -> FileLink:
    if made is None or made.expires_at is None or made.expires_at <= ctx.now:
        raise ExportGone
    url = await storage_of(ctx.settings).link(made.path, name=rules.EXPORT_NAME, now=ctx.now)
    return FileLink(url=url, expires_at=ctx.now + LINK_LASTS)
