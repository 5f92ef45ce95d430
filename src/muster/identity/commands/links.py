"""Following a link from a mail."""

from typing import Annotated

from msgspec import Meta

from muster.identity import queries
from muster.identity.queries import MailedLink
from muster.identity.seals import LONGEST_TOKEN, read_link_token
from muster.identity.tables import LinkPurpose
from muster.kit.commands.context import Ctx
from muster.kit.errors import Gone

Token = Annotated[
    str,
    Meta(
        max_length=LONGEST_TOKEN,
        examples=["0193b1f0a4c07d3e9a51c8f3a2b4d6e8.kq3v"],
        description="From the link in the mail; it is good once.",
    ),
]


class LinkInvalid(Gone):
    """This link was used already, has expired, or is not whole; ask for a new one."""

    code, title = "LINK_INVALID", "This link does not work any more"


async def follow_link(ctx: Ctx, token: str, purpose: LinkPurpose) -> MailedLink:
    """Use up the link of a token and go on as its person. Raises LinkInvalid."""
    link_id = read_link_token(ctx.settings.security.secrets, purpose, token)
    link = None if link_id is None else await queries.read_link(ctx.db, link_id)
    if link is None:
        raise LinkInvalid
    await queries.lock_links(ctx, link.user_id)
    if not await queries.use_link(ctx, link.id):
        raise LinkInvalid
    ctx.act_as(link.user_id)
    return link
