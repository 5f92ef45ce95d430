"""/dev/mail: in development, the mails of every community as they would have gone out."""

from datetime import datetime
from uuid import UUID

import msgspec
from starlette.responses import Response

from muster.identity.commands import normal_email
from muster.kit.brand import Brand
from muster.kit.commands.context import Ctx
from muster.kit.commands.system import system_transaction
from muster.kit.db.tables import PLATFORM_TENANT
from muster.kit.endpoints.http import json_response
from muster.kit.endpoints.pages.page import Visit, page
from muster.kit.errors import NotFound
from muster.kit.mail.reading import PostedMail, newest, written
from muster.kit.mail.tables import MailState
from muster.kit.text import as_id
from muster.tenancy.branding import brand_of
from muster.tenancy.queries import list_tenants

_SHOWN = 50

# The frame is a document of its own, with the inline styles that mail programs want, and nothing that acts.
_FRAME_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; frame-ancestors 'self'"
)


class ShownMail(msgspec.Struct, frozen=True, rename="camel"):
    """A mail as it would have gone out. at: when it was posted. links: where it leads."""

    id: UUID
    community: str
    to: str
    kind: str
    state: MailState
    at: datetime
    subject: str
    text: str
    html: str
    links: list[str]


@page("GET /dev/mail", development=True)
async def show_mails(visit: Visit) -> Response:
    """The newest mails; `?to=` shows those to one address. As JSON for who accepts that."""
    if "application/json" in visit.request.headers.get("accept", ""):
        return await mails_as_json(visit)
    to = visit.fields.get("to", "")
    return visit.show("tenancy/templates/dev_mails.html", mails=await _mails(visit), to=to)


@page("GET /dev/mail.json", development=True)
async def mails_as_json(visit: Visit) -> Response:
    """The newest mails, for programs."""
    return json_response(msgspec.json.encode(await _mails(visit)))


@page("GET /dev/mail/{id}", development=True)
async def show_mail(visit: Visit) -> Response:
    """One mail: its text, and its HTML in a frame where nothing acts."""
    return visit.show("tenancy/templates/dev_mail.html", mail=await _one(visit), policy={"frame-src": "'self'"})


@page("GET /dev/mail/{id}/html", development=True)
async def show_html(visit: Visit) -> Response:
    """The HTML of one mail, for the frame."""
    mail = await _one(visit)
    headers = {"content-security-policy": _FRAME_POLICY, "cache-control": "no-store", "referrer-policy": "no-referrer"}
    return Response(mail.html, headers=headers, media_type="text/html")


async def _one(visit: Visit) -> ShownMail:
    mail_id = as_id(visit.field("id"))
    found = [] if mail_id is None else await _mails(visit, mail_id=mail_id)
    if not found:
        raise NotFound
    return found[0]


async def _mails(visit: Visit, *, mail_id: UUID | None = None) -> list[ShownMail]:
    """The newest mails of every community, or one of them. Each community is entered: row security holds here, too."""
    to = normal_email(visit.fields.get("to", "")) or None
    found = []
    async with system_transaction(
        visit.services,
        tenant_id=PLATFORM_TENANT,
        verb="dev.mail",
        reason="somebody looks",
        now=visit.origin.now,
        request_id=visit.origin.request_id,
    ) as ctx:
        for community in await list_tenants(ctx):
            await ctx.enter(community.id)
            mails = await newest(ctx, size=_SHOWN, to=to, mail_id=mail_id)
            brand = await brand_of(ctx.db, community.id, to_anybody=False)
            found += [await _shown(ctx, community.slug, mail, brand) for mail in mails]
    return sorted(found, key=lambda mail: (mail.at, mail.id), reverse=True)[:_SHOWN]


async def _shown(ctx: Ctx, community: str, mail: PostedMail, brand: Brand) -> ShownMail:
    links, looks = await written(ctx, mail, brand)
    return ShownMail(
        id=mail.id,
        community=community,
        to=mail.address,
        kind=mail.kind,
        state=mail.state,
        at=mail.created_at,
        subject=looks.subject,
        text=looks.text,
        html=looks.html,
        links=links,
    )
